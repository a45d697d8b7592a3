//! The parts of an event, each read as leniently as clients write it.

use crate::lenient::{Fields, Flag, List, Number, Raw, Text, ignore_scalars, lenient};
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

lenient! {
    pub(super) struct Sdk<'a> {
        pub(super) name: Text<'a> = "name",
        pub(super) version: Text<'a> = "version",
    }
}

lenient! {
    /// A message: template and parameters, or filled in, or both.
    pub(super) struct LogEntry<'a> {
        pub(super) message: Text<'a> = "message",
        pub(super) formatted: Text<'a> = "formatted",
        pub(super) params: Raw<'a> = "params",
    }
    text message
}

lenient! {
    pub(super) struct RawException<'a> {
        pub(super) kind: Text<'a> = "type",
        pub(super) module: Text<'a> = "module",
        pub(super) value: Text<'a> = "value",
        pub(super) mechanism: Raw<'a> = "mechanism",
        pub(super) stacktrace: Stacktrace<'a> = "stacktrace",
    }
}

lenient! {
    pub(super) struct Stacktrace<'a> {
        pub(super) frames: List<RawFrame<'a>> = "frames",
    }
}

lenient! {
    pub(super) struct RawFrame<'a> {
        pub(super) filename: Text<'a> = "filename",
        pub(super) abs_path: Text<'a> = "abs_path",
        pub(super) module: Text<'a> = "module",
        pub(super) function: Text<'a> = "function",
        pub(super) line: Number = "lineno",
        pub(super) column: Number = "colno",
        pub(super) context_line: Text<'a> = "context_line",
        pub(super) pre_context: Raw<'a> = "pre_context",
        pub(super) post_context: Raw<'a> = "post_context",
        pub(super) vars: Raw<'a> = "vars",
        pub(super) in_app: Flag = "in_app",
    }
}

lenient! {
    pub(super) struct Thread<'a> {
        pub(super) crashed: Flag = "crashed",
        pub(super) current: Flag = "current",
        pub(super) stacktrace: Stacktrace<'a> = "stacktrace",
    }
}

lenient! {
    struct Revision<'a> {
        revision: Text<'a> = "revision",
    }
}

/// An object or a list of pairs; the `revision` among them is part of the fingerprint.
#[derive(Clone, Debug, Default)]
pub(super) struct Tags<'a> {
    pub(super) raw: Raw<'a>,
    pub(super) revision: Text<'a>,
}

impl<'de> Deserialize<'de> for Tags<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Raw::deserialize(deserializer)?;
        Ok(Self { raw, revision: raw.map(|tags| revision(tags.get())).unwrap_or_default() })
    }
}

lenient! {
    /// `contexts.flawless`, or the same in `extra` with the prefix `flawless.`.
    pub(super) struct Batch<'a> {
        pub(super) count: Number = "count" | "flawless.count",
        pub(super) error_threshold: Number = "error_threshold" | "flawless.error_threshold",
        pub(super) nested: Raw<'a> = "flawless",
    }
}

/// `{"values": […]}`, a bare list, or one bare exception.
#[derive(Clone, Debug, Default)]
pub(super) struct Exceptions<'a>(pub(super) Vec<RawException<'a>>);

impl RawException<'_> {
    /// Whether there is nothing in it at all.
    fn is_empty(&self) -> bool {
        self.kind.get().is_none() && self.value.get().is_none() && self.stacktrace.frames.0.is_empty()
    }

    /// Whether the client calls it an exception: a message that carries the stack of its capture
    /// has no type.
    pub(super) fn is_typed(&self) -> bool {
        self.kind.get().is_some()
    }
}

impl<'de> Deserialize<'de> for Exceptions<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Seen;
        impl<'de> Visitor<'de> for Seen {
            type Value = Exceptions<'de>;

            ignore_scalars!(visit_bool(bool) visit_i64(i64) visit_u64(u64) visit_f64(f64) visit_str(&str));

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                let mut exceptions = Vec::new();
                while let Some(exception) = list.next_element::<Option<RawException<'de>>>()? {
                    exceptions.extend(exception);
                }
                Ok(Exceptions(exceptions))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut list = List::default();
                let mut bare = RawException::default();
                while let Some(key) = map.next_key::<Text<'de>>()? {
                    match key.0.as_deref().unwrap_or_default() {
                        "values" => list = map.next_value()?,
                        key => bare.field(key, &mut map)?,
                    }
                }
                let List(mut list) = list;
                if list.is_empty() {
                    list.push(bare);
                }
                Ok(Exceptions(list))
            }
        }
        let mut exceptions = deserializer.deserialize_any(Seen)?;
        exceptions.0.retain(|exception| !exception.is_empty());
        Ok(exceptions)
    }
}

/// The `revision` of tags, which are an object or a list of pairs.
fn revision(tags: &str) -> Text<'_> {
    if !tags.contains("revision") {
        return Text::default();
    }
    if tags.starts_with('[') {
        let pairs = serde_json::from_str::<List<List<Text<'_>>>>(tags).unwrap_or_default();
        return pairs
            .0
            .into_iter()
            .find_map(|List(pair)| match <[Text<'_>; 2]>::try_from(pair) {
                Ok([name, value]) if name.get() == Some("revision") => Some(value),
                _ => None,
            })
            .unwrap_or_default();
    }
    serde_json::from_str::<Revision<'_>>(tags).unwrap_or_default().revision
}
