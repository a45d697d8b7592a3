//! The parts of an event, each read as leniently as clients write it.

use crate::groups::with_left_out;
use crate::kept::{Collect, Kept, List, collect};
use crate::lenient::{Fields, Flag, Number, Raw, Text, ignore_scalars, lenient};
use crate::limits::{MAX_EXCEPTIONS, MAX_OUTER_FRAMES};
use domain::report::LeftOut;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

/// Innermost frames read of one exception. More than are kept: of native code, those of the panic
/// and of the client are the innermost, and are left out afterwards.
const INNER_FRAMES_READ: usize = 400;

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
        pub(super) frames: List<RawFrame<'a>, MAX_OUTER_FRAMES, INNER_FRAMES_READ> = "frames",
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

/// The thread that crashed, else the current one, else the last, of those that have frames: the
/// others are not kept while a list of them is read.
#[derive(Debug, Default)]
pub(super) struct Failing<'a>(pub(super) Option<Thread<'a>>);

impl<'a> Collect for Failing<'a> {
    type Item = Thread<'a>;

    fn push(&mut self, thread: Thread<'a>) {
        let rank = |thread: &Thread<'_>| (thread.crashed.0 == Some(true), thread.current.0 == Some(true));
        let is_best = self.0.as_ref().is_none_or(|best| rank(best) <= rank(&thread));
        if is_best && !thread.stacktrace.frames.0.is_empty() {
            self.0 = Some(thread);
        }
    }
}

impl<'de> Deserialize<'de> for Failing<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        collect(deserializer)
    }
}

/// `{"values": […]}`, a bare list, or one bare exception: the last [`MAX_EXCEPTIONS`] that say
/// anything.
#[derive(Clone, Debug, Default)]
pub(super) struct Exceptions<'a>(pub(super) Vec<RawException<'a>>, pub(super) Option<LeftOut>);

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

/// Exceptions that say anything.
#[derive(Default)]
struct Telling<'a>(Kept<RawException<'a>, 0, MAX_EXCEPTIONS>, Option<LeftOut>);

impl<'a> Collect for Telling<'a> {
    type Item = RawException<'a>;

    fn push(&mut self, exception: RawException<'a>) {
        if let Some(raw) = Some(exception).filter(|it| !it.is_empty()).and_then(|it| self.0.replace(it)) {
            let so_far = self.1.unwrap_or(LeftOut { members: 0, is_exact: true });
            self.1 = Some(with_left_out(so_far, raw.kind.get(), raw.mechanism));
        }
    }
}

impl<'de> Deserialize<'de> for Telling<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        collect(deserializer)
    }
}

impl<'de> Deserialize<'de> for Exceptions<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Seen;
        impl<'de> Visitor<'de> for Seen {
            type Value = Telling<'de>;

            ignore_scalars!(visit_bool(bool) visit_i64(i64) visit_u64(u64) visit_f64(f64) visit_str(&str));

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                let mut exceptions = Telling::default();
                while let Some(exception) = list.next_element::<Option<RawException<'de>>>()? {
                    exception.into_iter().for_each(|exception| exceptions.push(exception));
                }
                Ok(exceptions)
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut exceptions = Telling::default();
                let mut bare = RawException::default();
                while let Some(key) = map.next_key::<Text<'de>>()? {
                    match key.0.as_deref().unwrap_or_default() {
                        "values" => exceptions = map.next_value()?,
                        key => bare.field(key, &mut map)?,
                    }
                }
                if exceptions.0.is_empty() {
                    exceptions.push(bare);
                }
                Ok(exceptions)
            }
        }
        let Telling(kept, left_out) = deserializer.deserialize_any(Seen)?;
        Ok(Self(kept.finish(), left_out))
    }
}

/// The value of the first pair that is called `revision`.
#[derive(Default)]
struct Revisions<'a>(Option<Text<'a>>);

impl<'a> Collect for Revisions<'a> {
    // One more than a pair has: what is longer is none.
    type Item = List<Text<'a>, 3, 0>;

    fn push(&mut self, List(pair): Self::Item) {
        if let Ok([name, value]) = <[Text<'_>; 2]>::try_from(pair)
            && name.get() == Some("revision")
        {
            self.0.get_or_insert(value);
        }
    }

    fn is_full(&self) -> bool {
        self.0.is_some()
    }
}

impl<'de> Deserialize<'de> for Revisions<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        collect(deserializer)
    }
}

/// The `revision` of tags, which are an object or a list of pairs.
fn revision(tags: &str) -> Text<'_> {
    if !tags.contains("revision") {
        return Text::default();
    }
    if tags.starts_with('[') {
        return serde_json::from_str::<Revisions<'_>>(tags).ok().and_then(|found| found.0).unwrap_or_default();
    }
    serde_json::from_str::<Revision<'_>>(tags).unwrap_or_default().revision
}
