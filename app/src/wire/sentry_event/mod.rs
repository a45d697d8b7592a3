//! An event as Sentry's SDKs send it, read in one pass that copies nothing it need not.

mod convert;
mod message;
mod time;

use super::WireError;
use super::lenient::{Flag, List, Raw, Text, Whole, object};
use super::limits::{
    COUNT, FIRST_EXCEPTIONS, INNERMOST_FRAMES, LAST_EXCEPTIONS, MESSAGE_CHARS, NAME_BYTES, OUTERMOST_FRAMES, clip, head,
};
use super::native;
pub use super::repair::readable;
use crate::domain::report::Platform;
use message::Message;
use serde_json::Value;
use std::borrow::Cow;

/// How errors name an event.
pub(super) const PLACE: &str = "event";

/// Exception types that stand for several others, for clients that do not mark them.
const GROUPS: &[&str] = &["ExceptionGroup", "BaseExceptionGroup", "AggregateError"];
/// Types of events that are no errors: timings, feedback, and a browser's complaints about policies.
const NOT_ERRORS: &[&str] =
    &["transaction", "feedback", "replay_event", "csp", "hpkp", "expectct", "expectstaple", "nel"];
/// Threads kept of an event; only one is used.
const THREADS: usize = 64;

object! {
    /// An event (<https://develop.sentry.dev/sdk/data-model/event-payloads/>), and what old clients sent in its place.
    #[derive(Debug)]
    pub struct Event<'a> {
        event_id: Text<'a> = "event_id",
        event_type: Text<'a> = "type",
        timestamp: Text<'a> = "timestamp",
        level: Text<'a> = "level",
        platform: Text<'a> = "platform",
        release: Text<'a> = "release",
        environment: Text<'a> = "environment",
        server_name: Text<'a> = "server_name",
        transaction: Text<'a> = "transaction",
        logger: Text<'a> = "logger",
        sdk: Sdk<'a> = "sdk",
        message: Message<'a> = "message",
        logentry: Message<'a> = "logentry" | "sentry.interfaces.Message",
        /// Causes first, the exception that was raised last.
        pub exceptions: List<Exception<'a>, FIRST_EXCEPTIONS, LAST_EXCEPTIONS> = "exception" | "sentry.interfaces.Exception",
        threads: List<Thread<'a>, 1, THREADS> = "threads",
        stacktrace: Stacktrace<'a> = "stacktrace" | "sentry.interfaces.Stacktrace",
        request: Raw<'a> = "request" | "sentry.interfaces.Http",
        user: Raw<'a> = "user" | "sentry.interfaces.User",
        tags: Raw<'a> = "tags",
        extra: Raw<'a> = "extra",
        contexts: Raw<'a> = "contexts",
    }
}

object! {
    #[derive(Debug)]
    struct Sdk<'a> {
        name: Text<'a> = "name",
        version: Text<'a> = "version",
    }
}

object! {
    /// One exception of an event.
    #[derive(Debug)]
    pub struct Exception<'a> {
        /// Type name, where the client says.
        pub kind: Text<'a> = "type",
        module: Text<'a> = "module",
        value: Text<'a> = "value",
        mechanism: Mechanism<'a> = "mechanism",
        stacktrace: Stacktrace<'a> = "stacktrace",
    }
}

object! {
    #[derive(Debug)]
    struct Mechanism<'a> {
        handled: Flag = "handled",
        id: Whole = "exception_id",
        parent: Whole = "parent_id",
        source: Text<'a> = "source",
        is_group: Flag = "is_exception_group",
    }
}

object! {
    #[derive(Debug)]
    struct Thread<'a> {
        stacktrace: Stacktrace<'a> = "stacktrace",
        current: Flag = "current",
        crashed: Flag = "crashed",
    }
}

object! {
    #[derive(Debug)]
    struct Stacktrace<'a> {
        frames: List<Frame<'a>, OUTERMOST_FRAMES, INNERMOST_FRAMES> = "frames",
    }
}

object! {
    /// One level of a traceback.
    #[derive(Debug)]
    pub struct Frame<'a> {
        /// As the client names the file.
        pub filename: Text<'a> = "filename",
        /// Absolute path of the file.
        pub abs_path: Text<'a> = "abs_path",
        module: Text<'a> = "module",
        /// Function name.
        pub function: Text<'a> = "function",
        /// One-based line number.
        pub line: Whole = "lineno",
        column: Whole = "colno",
        /// Text of the line.
        pub context_line: Text<'a> = "context_line",
        pre_context: Raw<'a> = "pre_context",
        post_context: Raw<'a> = "post_context",
        vars: Raw<'a> = "vars",
        /// The client's guess whether the code is the application's own.
        pub in_app: Flag = "in_app",
    }
}

/// Whether there is something to blame a line for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An exception, or a message that the application itself calls an error.
    Error,
    /// Anything else: accepted, and dropped.
    NotAnError,
}

impl<'a> Event<'a> {
    /// Reads an event out of its JSON, as [`readable`] returns it.
    ///
    /// # Errors
    /// It is no JSON object; says where.
    pub fn parse(json: &'a str) -> Result<Self, WireError> {
        let first = json.trim_start().chars().next();
        if first != Some('{') {
            let found = first.map_or_else(|| "nothing".to_owned(), |first| format!("`{first}`"));
            return Err(WireError::malformed(PLACE, format!("a JSON object was expected, {found} was found")));
        }
        let mut event: Self =
            serde_json::from_str(json).map_err(|error| WireError::malformed(PLACE, error.to_string()))?;
        event.settle();
        Ok(event)
    }

    /// Gives the stack of the current thread to the exception that came without one, or to the message.
    fn settle(&mut self) {
        self.exceptions.kept.retain(|exception| !exception.is_empty());
        let mut stack = std::mem::take(&mut self.stacktrace);
        if stack.frames.kept.is_empty() {
            let threads = &mut self.threads.kept;
            let marked = threads.iter().position(|thread| thread.crashed.0 == Some(true));
            let marked = marked.or_else(|| threads.iter().position(|thread| thread.current.0 == Some(true)));
            if let Some(thread) = threads.get_mut(marked.unwrap_or(0)) {
                stack = std::mem::take(&mut thread.stacktrace);
            }
        }
        if stack.frames.kept.is_empty() || self.exceptions.kept.iter().any(|exception| !exception.frames().is_empty()) {
            return;
        }
        let is_error = self.kind() == Kind::Error;
        match self.exceptions.kept.last_mut() {
            Some(raised) => raised.stacktrace = stack,
            None if is_error => self.exceptions.kept.push(Exception { stacktrace: stack, ..Exception::default() }),
            None => {}
        }
    }

    /// Whether there is something to blame a line for: exceptions of any level, messages of the levels `error` and `fatal`.
    pub fn kind(&self) -> Kind {
        if self.event_type.as_deref().is_some_and(|name| NOT_ERRORS.contains(&name)) {
            return Kind::NotAnError;
        }
        // An exception without a type carries the stack of a message.
        let exceptions = &self.exceptions.kept;
        let has_exception = exceptions.iter().any(|exception| exception.kind.as_deref().is_some());
        let has_content = !exceptions.is_empty() || self.message().is_some();
        let is_error = has_exception || (has_content && matches!(self.level(), "error" | "fatal"));
        if is_error { Kind::Error } else { Kind::NotAnError }
    }

    /// 32 lower-case hexadecimal digits, where the client chose them.
    pub fn event_id(&self) -> Option<String> {
        self.event_id.as_deref().and_then(super::sentry::event_id)
    }

    /// When it happened by the client's clock, in Unix milliseconds.
    pub fn timestamp_ms(&self) -> Option<i64> {
        self.timestamp.as_deref().and_then(time::unix_ms)
    }

    /// One of `fatal`, `error`, `warning`, `info` and `debug`; `error` where the client says nothing that we know.
    pub fn level(&self) -> &'static str {
        match self.level.as_deref() {
            // Python's logging numbers its levels, and raven sent the numbers.
            Some("fatal" | "critical" | "50") => "fatal",
            Some("warning" | "warn" | "30") => "warning",
            Some("info" | "log" | "20") => "info",
            Some("debug" | "trace" | "10") => "debug",
            _ => "error",
        }
    }

    /// The language of its frames.
    pub fn platform(&self) -> Platform {
        let sdk = self.sdk.name.as_deref().unwrap_or("");
        match self.platform.as_deref().unwrap_or("") {
            "python" => Platform::Python,
            "node" | "bun" | "deno" => Platform::Node,
            "javascript" if [".node", ".bun", ".deno", "serverless", "-node"].iter().any(|name| sdk.contains(name)) => {
                Platform::Node
            }
            "javascript" => Platform::Javascript,
            "ruby" => Platform::Ruby,
            "java" | "kotlin" | "scala" => Platform::Java,
            "go" => Platform::Go,
            "native" | "rust" | "c" => Platform::Native,
            "" | "other" => match sdk {
                _ if sdk.contains("python") => Platform::Python,
                _ if sdk.contains("rust") => Platform::Native,
                _ if sdk.contains("ruby") => Platform::Ruby,
                _ => Platform::Other,
            },
            _ => Platform::Other,
        }
    }

    /// The deployed release.
    pub fn release(&self) -> Option<&str> {
        name(&self.release)
    }

    /// `production`, `staging` …
    pub fn environment(&self) -> Option<&str> {
        name(&self.environment)
    }

    /// Host name of the failing machine.
    pub fn server_name(&self) -> Option<&str> {
        name(&self.server_name)
    }

    /// Route or task in which it happened.
    pub fn transaction(&self) -> Option<&str> {
        name(&self.transaction)
    }

    /// Name of the logger that reported it.
    pub fn logger(&self) -> Option<&str> {
        name(&self.logger)
    }

    /// The `revision` tag.
    pub fn revision(&self) -> Option<String> {
        // Tags are looked into only where it is worth it.
        let tags = self.tags.filter(|tags| tags.get().contains("\"revision\""))?;
        let revision = match serde_json::from_str(tags.get()).ok()? {
            Value::Object(mut tags) => tags.remove("revision"),
            Value::Array(tags) => tags.into_iter().find_map(|tag| match tag {
                Value::Array(mut pair) if pair.len() == 2 && pair[0] == "revision" => pair.pop(),
                Value::Object(mut pair) if pair.get("key").is_some_and(|key| key == "revision") => pair.remove("value"),
                _ => None,
            }),
            _ => None,
        };
        match revision? {
            Value::String(text) if !text.is_empty() => Some(head(&text, NAME_BYTES).to_owned()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }

    /// How many occurrences it stands for: clients of ours batch repeats, as `contexts.flawless.count` or
    /// `extra["flawless.count"]`.
    pub fn count(&self) -> u64 {
        self.own_number("count").unwrap_or(1).clamp(1, COUNT)
    }

    /// The client's own threshold for an alert, `error_threshold` in the same places.
    pub fn error_threshold(&self) -> Option<u64> {
        self.own_number("error_threshold").filter(|&threshold| threshold > 0)
    }

    fn own_number(&self, name: &str) -> Option<u64> {
        let read = |raw: Raw<'_>| -> Option<Value> {
            raw.filter(|raw| raw.get().contains("flawless")).and_then(|raw| serde_json::from_str(raw.get()).ok())
        };
        let number = |value: &Value| value.as_u64().or_else(|| value.as_str()?.trim().parse().ok());
        let in_contexts = read(self.contexts).and_then(|contexts| number(contexts.get("flawless")?.get(name)?));
        in_contexts.or_else(|| read(self.extra).and_then(|extra| number(extra.get(format!("flawless.{name}"))?)))
    }

    /// The text of a message, filled in.
    pub fn message(&self) -> Option<String> {
        let text = self.logentry.text().or_else(|| self.message.text())?;
        Some(clip(text, MESSAGE_CHARS))
    }

    /// What an exception says; a message's stack says the message.
    pub(super) fn value_of(&self, exception: &Exception<'_>) -> Option<String> {
        match exception.value.as_deref() {
            Some(value) => Some(clip(Cow::Borrowed(value), MESSAGE_CHARS)),
            None if exception.kind.as_deref().is_none() => self.message(),
            None => None,
        }
    }
}

impl<'a> Exception<'a> {
    /// All frames that were sent, but for [`omitted`](Self::omitted) ones; oldest call first.
    pub fn frames(&self) -> &[Frame<'a>] {
        &self.stacktrace.frames.kept
    }

    /// How many frames were left out of the middle.
    pub fn omitted(&self) -> usize {
        self.stacktrace.frames.omitted
    }

    /// The frames that concern the program: those of a native panic's machinery and of the client are cut.
    pub fn concerning(&self, platform: Platform) -> &[Frame<'a>] {
        let frames = self.frames();
        &frames[..native::concerning(platform, frames.iter().map(|frame| frame.function.as_deref()))]
    }

    /// Type name; for the stack of a message, which has none, `Message`.
    pub(super) fn kind_name(&self) -> &str {
        self.kind.as_deref().unwrap_or("Message")
    }

    /// Whether it stands for several others.
    fn is_group(&self) -> bool {
        self.mechanism.is_group.0.unwrap_or_else(|| self.kind.as_deref().is_some_and(|kind| GROUPS.contains(&kind)))
    }

    fn is_empty(&self) -> bool {
        self.kind.as_deref().is_none() && self.value.as_deref().is_none() && self.frames().is_empty()
    }
}

fn name<'t>(text: &'t Text<'_>) -> Option<&'t str> {
    text.as_deref().map(|text| head(text, NAME_BYTES))
}
