//! An event of the Sentry protocol, read once and without copying: what a repeat costs is decided here.

use super::WireError;
use super::lenient::{Many, Number, Raw, Text, repaired};
use crate::domain::digest::{Digest, DigestBuilder};
use crate::domain::report::Report;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// An event. Everything that a repeat does not need is left as the text it came as.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Event<'a> {
    #[serde(borrow)]
    pub(super) event_id: Text<'a>,
    #[serde(borrow)]
    pub(super) timestamp: Text<'a>,
    #[serde(borrow)]
    pub(super) level: Text<'a>,
    #[serde(borrow)]
    pub(super) platform: Text<'a>,
    #[serde(borrow)]
    pub(super) release: Text<'a>,
    #[serde(borrow)]
    pub(super) environment: Text<'a>,
    #[serde(borrow)]
    pub(super) server_name: Text<'a>,
    #[serde(borrow)]
    pub(super) transaction: Text<'a>,
    #[serde(borrow, alias = "culprit")]
    pub(super) culprit: Text<'a>,
    #[serde(borrow)]
    pub(super) logger: Text<'a>,
    #[serde(borrow, alias = "sentry.interfaces.Exception")]
    pub(super) exception: Many<EventException<'a>>,
    #[serde(borrow)]
    pub(super) threads: Many<Thread<'a>>,
    #[serde(borrow, alias = "sentry.interfaces.Stacktrace")]
    pub(super) stacktrace: Option<Stacktrace<'a>>,
    #[serde(borrow)]
    pub(super) message: Raw<'a>,
    #[serde(borrow, alias = "sentry.interfaces.Message")]
    pub(super) logentry: Raw<'a>,
    #[serde(borrow)]
    pub(super) tags: Raw<'a>,
    #[serde(borrow, alias = "sentry.interfaces.Http")]
    pub(super) request: Raw<'a>,
    #[serde(borrow, alias = "sentry.interfaces.User")]
    pub(super) user: Raw<'a>,
    #[serde(borrow)]
    pub(super) extra: Raw<'a>,
    #[serde(borrow)]
    pub(super) contexts: Raw<'a>,
    #[serde(borrow)]
    pub(super) sdk: Raw<'a>,
}

/// One value of `exception`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct EventException<'a> {
    #[serde(borrow, rename = "type")]
    pub(super) kind: Text<'a>,
    #[serde(borrow)]
    pub(super) module: Text<'a>,
    #[serde(borrow)]
    pub(super) value: Raw<'a>,
    #[serde(borrow)]
    pub(super) mechanism: Raw<'a>,
    #[serde(borrow)]
    pub(super) stacktrace: Option<Stacktrace<'a>>,
}

/// One value of `threads`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Thread<'a> {
    #[serde(borrow)]
    pub(super) stacktrace: Option<Stacktrace<'a>>,
}

/// A stack trace.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Stacktrace<'a> {
    #[serde(borrow)]
    pub(super) frames: Many<EventFrame<'a>>,
}

/// One frame of a stack trace.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct EventFrame<'a> {
    #[serde(borrow)]
    pub(super) filename: Text<'a>,
    #[serde(borrow)]
    pub(super) abs_path: Text<'a>,
    #[serde(borrow)]
    pub(super) module: Text<'a>,
    #[serde(borrow)]
    pub(super) function: Text<'a>,
    pub(super) lineno: Number,
    pub(super) colno: Number,
    #[serde(borrow)]
    pub(super) context_line: Text<'a>,
    #[serde(borrow)]
    pub(super) pre_context: Raw<'a>,
    #[serde(borrow)]
    pub(super) post_context: Raw<'a>,
    #[serde(borrow)]
    pub(super) vars: Raw<'a>,
    #[serde(borrow)]
    pub(super) in_app: Text<'a>,
}

/// Reads an event. `scratch` holds a repaired copy of one that no strict reader takes.
///
/// # Errors
/// It is no JSON object; the text says where.
pub fn parse<'a>(bytes: &'a [u8], scratch: &'a mut Vec<u8>) -> Result<Event<'a>, WireError> {
    let Err(first) = serde_json::from_slice::<Event<'_>>(bytes) else {
        // Read again rather than returned above: a borrow that is returned on one path would last on all.
        return serde_json::from_slice(bytes).map_err(|error| malformed(&error));
    };
    *scratch = repaired(bytes);
    serde_json::from_slice(scratch).map_err(|_| malformed(&first))
}

fn malformed(error: &serde_json::Error) -> WireError {
    WireError::Malformed(format!("the event is not what the Sentry protocol says: {error}"))
}

impl Event<'_> {
    /// Whether this is an error: it carries an exception, or says that it is one.
    pub fn is_error(&self) -> bool {
        !self.exception.0.is_empty() || matches!(self.level.as_str(), None | Some("" | "error" | "fatal" | "critical"))
    }

    /// The client's id for it: 32 lower-case hexadecimal digits.
    pub fn event_id(&self) -> Option<String> {
        normal_id(self.event_id.as_str()?)
    }

    /// Host name; empty where unknown.
    pub fn server_name(&self) -> &str {
        self.server_name.as_str().unwrap_or("")
    }

    /// Environment; empty where unknown.
    pub fn environment(&self) -> &str {
        self.environment.as_str().unwrap_or("")
    }

    /// How many occurrences it stands for: our own clients say so in `contexts.flawless.count`.
    pub fn count(&self) -> u64 {
        self.flawless("count").unwrap_or(1).max(1)
    }

    /// A number that our own clients put into `contexts.flawless`.
    pub(super) fn flawless(&self, name: &str) -> Option<u64> {
        let raw = self.contexts.0.filter(|raw| raw.get().contains("\"flawless\""))?;
        let contexts: Value = serde_json::from_str(raw.get()).ok()?;
        contexts.get("flawless")?.get(name)?.as_u64()
    }

    /// The `revision` tag. Tags are an object, or a list of pairs.
    pub(super) fn revision(&self) -> Option<String> {
        let raw = self.tags.0.filter(|raw| raw.get().contains("\"revision\""))?;
        let tags = tags_of(&serde_json::from_str(raw.get()).ok()?);
        tags.get("revision").and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned)
    }

    /// The digest of its shape.
    pub fn digest(&self) -> Digest {
        let revision = self.revision();
        let mut digest =
            DigestBuilder::new(self.release.as_str().filter(|release| !release.is_empty()), revision.as_deref());
        let mut add = |kind: Option<&str>, value: &dyn Fn() -> Option<String>, trace: Option<&Stacktrace<'_>>| {
            let frames = trace.map_or(&[][..], |trace| &trace.frames.0[..]);
            // The message is all that a report without frames has.
            let value = if frames.is_empty() { value() } else { None };
            digest.exception(kind, value.as_deref());
            for frame in frames {
                digest.frame(
                    frame.filename.as_str(),
                    frame.abs_path.as_str(),
                    frame.function.as_str(),
                    frame.lineno.as_u32(),
                    frame.context_line.as_str(),
                );
            }
        };
        for exception in &self.exception.0 {
            let value = || exception.value.0.map(|raw| raw.get().to_owned());
            add(exception.kind.as_str(), &value, exception.stacktrace.as_ref());
        }
        if self.exception.0.is_empty() {
            add(None, &|| self.message_text(), self.message_stack());
        }
        digest.finish()
    }

    /// The stack of a message without exception.
    pub(super) fn message_stack(&self) -> Option<&Stacktrace<'_>> {
        let of_threads = self.threads.0.iter().find_map(|thread| thread.stacktrace.as_ref());
        of_threads.or(self.stacktrace.as_ref())
    }

    /// The text of a message without exception.
    pub(super) fn message_text(&self) -> Option<String> {
        let text = |value: &Value| match value {
            Value::String(text) => Some(text.clone()),
            Value::Object(fields) => ["formatted", "message"]
                .iter()
                .find_map(|name| fields.get(*name).and_then(Value::as_str).filter(|text| !text.is_empty()))
                .map(str::to_owned),
            _ => None,
        };
        [self.logentry, self.message].into_iter().find_map(|raw| text(&raw.read::<Value>()))
    }

    /// The whole report.
    pub fn into_report(self) -> Report {
        super::sentry_report::report(&self)
    }
}

/// An id as 32 lower-case hexadecimal digits, whether it was written with hyphens or not.
pub fn normal_id(text: &str) -> Option<String> {
    let digits: String = text.chars().filter(|c| *c != '-').map(|c| c.to_ascii_lowercase()).collect();
    (digits.len() == 32 && digits.bytes().all(|byte| byte.is_ascii_hexdigit())).then_some(digits)
}

/// Tags as a map, from an object or a list of pairs.
pub(super) fn tags_of(value: &Value) -> BTreeMap<String, Value> {
    match value {
        Value::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), value.clone())).collect(),
        Value::Array(pairs) => pairs
            .iter()
            .filter_map(|pair| match pair.as_array()?.as_slice() {
                [Value::String(name), value] => Some((name.clone(), value.clone())),
                _ => None,
            })
            .collect(),
        _ => BTreeMap::new(),
    }
}

/// The digest of a report that came by another protocol, in the same scheme.
pub fn digest_of(report: &Report) -> Digest {
    let mut digest = DigestBuilder::new(report.release.as_deref(), report.revision.as_deref());
    for exception in &report.exceptions {
        let value = exception.frames.is_empty().then(|| exception.value.clone()).flatten();
        digest.exception(Some(&exception.kind), value.as_deref());
        for frame in &exception.frames {
            digest.frame(
                frame.filename.as_deref(),
                frame.abs_path.as_deref(),
                frame.function.as_deref(),
                frame.line,
                frame.context_line.as_deref(),
            );
        }
    }
    digest.finish()
}
