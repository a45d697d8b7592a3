//! The event of Sentry's clients, read in one pass without copying: enough to count it, the rest untouched.

use crate::domain::digest::{Digest, DigestBuilder};
use crate::domain::report::{Platform, Report};
use crate::wire::WireError;
use crate::wire::lenient::{List, Number, Raw, Text, lenient};
use crate::wire::native::application_frames;
use crate::wire::repair::repair;
use crate::wire::sentry_fields::{Batch, Exceptions, LogEntry, RawException, RawFrame, Sdk, Stacktrace, Tags, Thread};
use std::borrow::Cow;

/// Exceptions kept of one event, the last ones: the raised one is the last, and chains of causes are seldom longer than five.
pub const MAX_EXCEPTIONS: usize = 30;

/// Innermost frames kept of one exception: the failing line is among them even below deep frameworks.
pub const MAX_INNER_FRAMES: usize = 150;

/// Outermost frames kept beside them, which say how it was started. Python sends up to 2,000 of a runaway recursion.
pub const MAX_OUTER_FRAMES: usize = 50;

/// Bytes kept of a name, path or line of code: longer ones are minified bundles and generated names.
pub const MAX_TEXT: usize = 1_000;

/// Bytes kept of an exception's message: those with a whole SQL statement or response in them are of use up to here.
pub const MAX_MESSAGE: usize = 8_000;

/// Kind of the exception that stands for a report without one: its message.
pub const MESSAGE_KIND: &str = "Message";

lenient! {
    /// One event. Fields are what the protocol calls them; heavy parts stay JSON text until [`Event::into_report`].
    pub struct Event<'a> {
        pub(super) event_id: Text<'a> = "event_id",
        pub(super) timestamp: Raw<'a> = "timestamp",
        pub(super) platform: Text<'a> = "platform",
        pub(super) level: Text<'a> = "level",
        pub(super) release: Text<'a> = "release",
        pub(super) environment: Text<'a> = "environment",
        pub(super) server_name: Text<'a> = "server_name",
        pub(super) transaction: Text<'a> = "transaction",
        pub(super) culprit: Text<'a> = "culprit",
        pub(super) logger: Text<'a> = "logger",
        pub(super) sdk: Sdk<'a> = "sdk",
        pub(super) message: LogEntry<'a> = "message",
        pub(super) logentry: LogEntry<'a> = "logentry" | "sentry.interfaces.Message",
        pub(super) exceptions: Exceptions<'a> = "exception" | "sentry.interfaces.Exception",
        pub(super) stacktrace: Raw<'a> = "stacktrace" | "sentry.interfaces.Stacktrace",
        pub(super) threads: Raw<'a> = "threads",
        pub(super) request: Raw<'a> = "request" | "sentry.interfaces.Http",
        pub(super) user: Raw<'a> = "user" | "sentry.interfaces.User",
        pub(super) tags: Tags<'a> = "tags",
        pub(super) extra: Raw<'a> = "extra",
        pub(super) contexts: Raw<'a> = "contexts",
    }
}

/// Reads an event. `scratch` takes a repaired copy, which only events with broken text need (see `repair`).
///
/// # Errors
/// [`WireError::Malformed`] with line and column for what is no JSON object, even once repaired. No field of an unexpected
/// type is an error: it is converted or left out.
pub fn parse<'a>(bytes: &'a [u8], scratch: &'a mut String) -> Result<Event<'a>, WireError> {
    if bytes.trim_ascii_start().first() != Some(&b'{') {
        return Err(WireError::malformed("the event is not a JSON object"));
    }
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => match serde_json::from_str::<Event<'a>>(text) {
            Ok(event) => return Ok(event.complete()),
            Err(_) => Cow::Borrowed(text),
        },
        Err(_) => String::from_utf8_lossy(bytes),
    };
    *scratch = repair(&text).into_owned();
    match serde_json::from_str::<Event<'a>>(scratch) {
        Ok(event) => Ok(event.complete()),
        Err(error) => Err(WireError::malformed(format!("the event is not valid JSON: {error}"))),
    }
}

/// The digest of a report, equal to that of the event which it was made from.
pub fn digest_of(report: &Report) -> Digest {
    let mut digest = DigestBuilder::new(report.release.as_deref(), report.revision.as_deref());
    let framed = report.exceptions.iter().any(|exception| !exception.frames.is_empty());
    for exception in &report.exceptions {
        let value = match &report.message {
            Some(template) if exception.kind == MESSAGE_KIND => Some(template.as_str()),
            _ => exception.value.as_deref(),
        };
        digest.exception(Some(&exception.kind), value.filter(|_| !framed));
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

impl<'a> Event<'a> {
    /// Brings the forms in which clients send the same thing into one.
    fn complete(mut self) -> Self {
        let without_frames = self.exceptions.0.iter().all(|exception| exception.stacktrace.frames.0.is_empty());
        if self.exceptions.0.is_empty() && self.text().is_some() {
            let stacktrace = self.stack_beside();
            self.exceptions.0.push(RawException { stacktrace, ..RawException::default() });
        } else if let [only] = self.exceptions.0.as_mut_slice()
            && without_frames
            && let Some(raw) = self.stacktrace
        {
            // Old clients put the stack beside the exception.
            only.stacktrace = serde_json::from_str(raw.get()).unwrap_or_default();
        }
        let extra = self.exceptions.0.len().saturating_sub(MAX_EXCEPTIONS);
        self.exceptions.0.drain(..extra);
        self
    }

    /// The stack that a message was captured with: of the crashed or current thread.
    fn stack_beside(&self) -> Stacktrace<'a> {
        let parsed = |raw: Raw<'a>| raw.and_then(|raw| serde_json::from_str::<Stacktrace<'a>>(raw.get()).ok());
        let threads = self.threads.and_then(|raw| serde_json::from_str::<List<Thread<'a>>>(raw.get()).ok());
        parsed(self.stacktrace)
            .filter(|stacktrace| !stacktrace.frames.0.is_empty())
            .or_else(|| {
                let threads = threads?.0.into_iter().filter(|thread| !thread.stacktrace.frames.0.is_empty());
                threads
                    .max_by_key(|thread| (thread.crashed.0 == Some(true), thread.current.0 == Some(true)))
                    .map(|thread| thread.stacktrace)
            })
            .unwrap_or_default()
    }

    /// Whether this is about an error: an exception of whatever level, or a message of level `error` or `fatal`.
    pub fn is_error(&self) -> bool {
        self.exceptions.0.iter().any(RawException::is_typed)
            || (!self.exceptions.0.is_empty() && matches!(self.level(), "error" | "fatal"))
    }

    /// `fatal`, `error`, `warning`, `info` or `debug`; raven sends Python's numbers, Rust leaves `error` out.
    pub fn level(&self) -> &'static str {
        match self.level.get().unwrap_or_default().to_ascii_lowercase().as_str() {
            "fatal" | "critical" | "50" => "fatal",
            "warning" | "warn" | "30" => "warning",
            "info" | "log" | "20" => "info",
            "debug" | "trace" | "10" => "debug",
            _ => "error",
        }
    }

    /// The client's id of the event as 32 lower-case hexadecimal digits, if it sent one.
    pub fn event_id(&self) -> Option<String> {
        normal_event_id(self.event_id.get()?)
    }

    /// Name of the failing machine, empty where not sent.
    pub fn server_name(&self) -> &str {
        cut(self.server_name.get().unwrap_or_default(), MAX_TEXT)
    }

    /// The environment, empty where not sent.
    pub fn environment(&self) -> &str {
        cut(self.environment.get().unwrap_or_default(), MAX_TEXT)
    }

    /// The release, where sent.
    pub fn release(&self) -> Option<&str> {
        self.release.get().map(|release| cut(release, MAX_TEXT))
    }

    /// The `revision` tag, where sent.
    pub fn revision(&self) -> Option<&str> {
        self.tags.revision.get().map(|revision| cut(revision, MAX_TEXT))
    }

    /// How many occurrences the event stands for, from 1 on: our own client says it in `contexts.flawless.count`, others can
    /// in `extra["flawless.count"]`.
    pub fn count(&self) -> u64 {
        self.batch(|batch| batch.count).unwrap_or(1)
    }

    /// The client's own threshold for an alert, beside the count.
    pub fn error_threshold(&self) -> Option<u64> {
        self.batch(|batch| batch.error_threshold)
    }

    /// Looks for a number of ours; nearly all events have none, and cost a search for our name only.
    fn batch(&self, wanted: impl Fn(&Batch<'a>) -> Number) -> Option<u64> {
        let ours = |raw: Raw<'a>| raw.map(|raw| raw.get()).filter(|json| json.contains("flawless"));
        let parsed = |json: &'a str| serde_json::from_str::<Batch<'a>>(json).ok();
        ours(self.contexts)
            .and_then(parsed)
            .and_then(|contexts| parsed(contexts.nested?.get()))
            .and_then(|batch| wanted(&batch).0)
            .or_else(|| ours(self.extra).and_then(parsed).and_then(|extra| wanted(&extra).0))
    }

    /// The language of the frames, by platform and client.
    pub fn platform(&self) -> Platform {
        let sdk = self.sdk.name.get().unwrap_or_default();
        let family = sdk.strip_prefix("sentry.javascript.");
        let on_server = matches!(
            family.unwrap_or_default(),
            "node"
                | "node-core"
                | "bun"
                | "deno"
                | "nestjs"
                | "aws-serverless"
                | "serverless"
                | "google-cloud-serverless"
        );
        let in_browser =
            matches!(family.unwrap_or_default(), "browser" | "react" | "vue" | "angular" | "svelte" | "ember");
        match self.platform.get().unwrap_or_default() {
            "python" => Platform::Python,
            "javascript" if on_server => Platform::Node,
            "node" if in_browser => Platform::Javascript,
            "javascript" => Platform::Javascript,
            "node" => Platform::Node,
            "ruby" => Platform::Ruby,
            "java" => Platform::Java,
            "go" => Platform::Go,
            "native" | "rust" => Platform::Native,
            "" | "other" => match sdk {
                _ if sdk.contains("python") => Platform::Python,
                _ if on_server => Platform::Node,
                _ if family.is_some() => Platform::Javascript,
                _ if sdk.contains("ruby") => Platform::Ruby,
                _ if sdk.starts_with("sentry.java") => Platform::Java,
                _ if sdk.starts_with("sentry.go") => Platform::Go,
                _ if sdk.starts_with("sentry.rust") || sdk.starts_with("sentry.native") => Platform::Native,
                _ => Platform::Other,
            },
            _ => Platform::Other,
        }
    }

    /// The digest of what will come to the same line; equal to [`digest_of`] of the report.
    pub fn digest(&self) -> Digest {
        let mut digest = DigestBuilder::new(self.release(), self.revision());
        let platform = self.platform();
        let framed = self.exceptions.0.iter().any(|exception| !exception.stacktrace.frames.0.is_empty());
        let text = self.text();
        for exception in &self.exceptions.0 {
            let (kind, value) = match (exception.kind.get(), text) {
                (Some(kind), _) => (kind, exception.value.get()),
                // The template, not what is filled in: or each order number would make a report of its own.
                (None, Some(text)) => (MESSAGE_KIND, Some(text)),
                (None, None) => (MESSAGE_KIND, exception.value.get()),
            };
            let value = value.filter(|_| !framed).map(|value| cut(value, MAX_MESSAGE));
            digest.exception(Some(cut(kind, MAX_TEXT)), value);
            for frame in kept_frames(&exception.stacktrace, platform) {
                digest.frame(
                    short(&frame.filename),
                    short(&frame.abs_path),
                    short(&frame.function),
                    frame.line.line(),
                    short(&frame.context_line),
                );
            }
        }
        digest.finish()
    }

    /// The message of the event as a template, where it has one.
    pub(super) fn text(&self) -> Option<&str> {
        [&self.logentry, &self.message].into_iter().find_map(|entry| entry.message.get().or(entry.formatted.get()))
    }
}

/// The frames that are kept, outermost first: the application's of native code, and of those the outer and inner ones.
pub(super) fn kept_frames<'e, 'a>(
    stacktrace: &'e Stacktrace<'a>,
    platform: Platform,
) -> impl DoubleEndedIterator<Item = &'e RawFrame<'a>> {
    let frames = stacktrace.frames.0.as_slice();
    let length = match platform {
        Platform::Native => application_frames(frames.iter().map(|frame| frame.function.get())),
        _ => frames.len(),
    };
    let frames = &frames[..length];
    let (outer, inner) = if length > MAX_OUTER_FRAMES + MAX_INNER_FRAMES {
        (&frames[..MAX_OUTER_FRAMES], &frames[length - MAX_INNER_FRAMES..])
    } else {
        frames.split_at(0)
    };
    outer.iter().chain(inner)
}

/// A name, path or line of code, as much of it as is kept.
pub(super) fn short<'t>(text: &'t Text<'_>) -> Option<&'t str> {
    text.get().map(|text| cut(text, MAX_TEXT))
}

/// At most `bytes` of the text, cut between characters.
pub(super) fn cut(text: &str, bytes: usize) -> &str {
    if text.len() <= bytes { text } else { &text[..text.floor_char_boundary(bytes)] }
}

/// An event id without its hyphens, in lower case; `None` for what is none.
pub fn normal_event_id(id: &str) -> Option<String> {
    let id: String =
        id.trim().chars().filter(|letter| *letter != '-').map(|letter| letter.to_ascii_lowercase()).collect();
    (id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit())).then_some(id)
}
