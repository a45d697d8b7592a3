//! The event of Sentry's clients, read in one pass without copying: enough to count it, the rest
//! untouched.

use crate::WireError;
use crate::encoding::MAX_DECODED;
use crate::encoding::without_bom;
use crate::fingerprint_frame::{FrameParts, add_frame};
use crate::lenient::{Number, Raw, Text, lenient};
pub(crate) use crate::limits::cut;
pub use crate::limits::{MAX_EXCEPTIONS, MAX_INNER_FRAMES, MAX_MESSAGE, MAX_OUTER_FRAMES, MAX_TEXT};
use crate::quoted::{REMOTE_TRACEBACK, is_quotation};
use crate::repair::repair;
use crate::sentry_fields::{Batch, Exceptions, Failing, LogEntry, RawException, Sdk, Stacktrace, Tags};
use crate::sentry_frames::{kept_frames, read_of_message};
use domain::fingerprint::{Fingerprint, FingerprintBuilder};
use domain::report::{Frame, MESSAGE_KIND, MOST_OCCURRENCES, Platform, Report, UNCUT};
use std::borrow::Cow;

/// What an event is whose repaired text is longer than a body may be.
const TOO_LARGE: WireError = WireError::TooLarge { limit: MAX_DECODED };

/// Letters of the longest level or id that is one.
const MAX_WORD: usize = 64;

lenient! {
    /// One event. Fields are what the protocol calls them; heavy parts stay JSON text until
    /// [`Event::into_report`].
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

/// Reads an event. `scratch` takes a repaired copy, which only events with broken text need (see
/// `repair`).
///
/// # Errors
/// [`WireError::Malformed`] with line and column for what is no JSON object, even once repaired;
/// [`WireError::TooLarge`] for what is longer than [`MAX_DECODED`] once repaired. No field of an
/// unexpected type is an error: it is converted or left out.
pub fn parse<'a>(bytes: &'a [u8], scratch: &'a mut String) -> Result<Event<'a>, WireError> {
    let bytes = without_bom(bytes);
    if bytes.trim_ascii_start().first() != Some(&b'{') {
        return Err(WireError::malformed("the event is not a JSON object"));
    }
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => match serde_json::from_str::<Event<'a>>(text) {
            Ok(event) => return Ok(event.complete()),
            Err(_) => Cow::Borrowed(text),
        },
        Err(_) => Cow::Owned(valid_text(bytes)?),
    };
    *scratch = match repair(&text).ok_or(TOO_LARGE)? {
        Cow::Owned(repaired) => repaired,
        Cow::Borrowed(_) => text.into_owned(),
    };
    match serde_json::from_str::<Event<'a>>(scratch) {
        Ok(event) => Ok(event.complete()),
        Err(error) => Err(WireError::malformed(format!("the event is not valid JSON: {error}"))),
    }
}

/// Bytes as text: what is no UTF-8 becomes `\u{fffd}`, which is longer.
fn valid_text(bytes: &[u8]) -> Result<String, WireError> {
    let mut text = String::with_capacity(bytes.len().min(MAX_DECODED));
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        if !chunk.invalid().is_empty() {
            text.push(char::REPLACEMENT_CHARACTER);
        }
        if text.len() > MAX_DECODED {
            return Err(TOO_LARGE);
        }
    }
    Ok(text)
}

/// The fingerprint of a report, equal to that of the event which it was made from.
pub fn fingerprint_of(report: &Report) -> Fingerprint {
    // Its texts go on until they are scrubbed.
    fn kept(text: &Option<String>) -> Option<&str> {
        text.as_deref().map(|text| cut(text, MAX_TEXT))
    }
    let mut fingerprint = FingerprintBuilder::new(kept(&report.release), kept(&report.revision));
    let framed = report.exceptions.iter().any(|exception| !exception.frames.is_empty());
    for exception in &report.exceptions {
        let value = match &report.message {
            Some(template) if exception.kind == MESSAGE_KIND => Some(template.as_str()),
            _ => exception.value.as_deref(),
        };
        let value = value.filter(|_| !framed).map(|value| cut(value, MAX_MESSAGE));
        fingerprint.exception(kept(&exception.module), Some(cut(&exception.kind, MAX_TEXT)), value);
        add_frames(&mut fingerprint, &exception.frames);
    }
    fingerprint.threshold(report.error_threshold);
    match &report.member {
        Some(member) => fingerprint.of_member(member.number),
        None => fingerprint.finish(),
    }
}

/// Adds the frames of the exception that was added last.
fn add_frames(fingerprint: &mut FingerprintBuilder, frames: &[Frame]) {
    // Their texts go on until they are scrubbed.
    fn kept(text: &Option<String>) -> Option<&str> {
        text.as_deref().map(|text| cut(text, MAX_TEXT))
    }
    for frame in frames {
        let parts = FrameParts {
            filename: kept(&frame.filename),
            abs_path: kept(&frame.abs_path),
            module: kept(&frame.module),
            function: kept(&frame.function),
            line: frame.line,
            context_line: kept(&frame.context_line),
        };
        add_frame(fingerprint, &parts);
    }
}

/// What a client says of a report, beside the exception; both are cut to [`MOST_OCCURRENCES`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Batched {
    /// How many occurrences it stands for, from 1 on.
    pub count: u64,
    /// The client's own threshold for an alert.
    pub error_threshold: Option<u64>,
}

impl<'a> Event<'a> {
    /// Brings the forms in which clients send the same thing into one.
    fn complete(mut self) -> Self {
        let without_frames = self.exceptions.0.iter().all(|exception| exception.stacktrace.frames.0.is_empty());
        if self.exceptions.0.is_empty() && self.text().is_some() {
            let stacktrace = self.stack_beside();
            self.exceptions.0.push(RawException { stacktrace, ..RawException::default() });
        } else if without_frames && !self.exceptions.0.is_empty() {
            // Old clients put the stack beside the exception, and Rust's, whose errors know no
            // stack, into a thread.
            let stacktrace = self.stack_beside();
            if let Some(raised) = self.exceptions.0.last_mut() {
                raised.stacktrace = stacktrace;
            }
        }
        self
    }

    /// The stack that a message or an error without one was captured with: of the crashed or
    /// current thread.
    fn stack_beside(&self) -> Stacktrace<'a> {
        let parsed = |raw: Raw<'a>| raw.and_then(|raw| serde_json::from_str::<Stacktrace<'a>>(raw.get()).ok());
        let failing = || serde_json::from_str::<Failing<'a>>(self.threads?.get()).ok()?.0;
        parsed(self.stacktrace)
            .filter(|stacktrace| !stacktrace.frames.0.is_empty())
            .or_else(|| failing().map(|thread| thread.stacktrace))
            .unwrap_or_default()
    }

    /// Whether this is about an error: an exception of whatever level, or a message of level
    /// `error` or `fatal`.
    pub fn is_error(&self) -> bool {
        self.exceptions.0.iter().any(RawException::is_typed)
            || (!self.exceptions.0.is_empty() && matches!(self.level(), "error" | "fatal"))
    }

    /// `fatal`, `error`, `warning`, `info` or `debug`; raven sends Python's numbers, Rust leaves
    /// `error` out.
    pub fn level(&self) -> &'static str {
        match cut(self.level.get().unwrap_or_default(), MAX_WORD).to_ascii_lowercase().as_str() {
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

    /// Name of the failing machine, empty where not sent; as much of it as is scrubbed.
    pub fn server_name(&self) -> &str {
        cut(self.server_name.get().unwrap_or_default(), MAX_TEXT + UNCUT)
    }

    /// The environment, empty where not sent; as much of it as is scrubbed.
    pub fn environment(&self) -> &str {
        cut(self.environment.get().unwrap_or_default(), MAX_TEXT + UNCUT)
    }

    /// The release, where sent.
    pub fn release(&self) -> Option<&str> {
        self.release.get().map(|release| cut(release, MAX_TEXT))
    }

    /// The `revision` tag, where sent.
    pub fn revision(&self) -> Option<&str> {
        self.tags.revision.get().map(|revision| cut(revision, MAX_TEXT))
    }

    /// What the client says of the report itself: our own in `contexts.flawless`, others can in
    /// `extra["flawless.count"]` and `extra["flawless.error_threshold"]`. Nearly all events say
    /// nothing, and cost a search for our name only.
    pub fn batched(&self) -> Batched {
        let ours = |raw: Raw<'a>| raw.map(|raw| raw.get()).filter(|json| json.contains("flawless"));
        let parsed = |json: &'a str| serde_json::from_str::<Batch<'a>>(json).ok();
        let in_contexts = ours(self.contexts).and_then(parsed).and_then(|contexts| parsed(contexts.nested?.get()));
        let in_extra = ours(self.extra).and_then(parsed);
        let first = |number: fn(&Batch<'a>) -> Number| {
            [&in_contexts, &in_extra].into_iter().flatten().find_map(|batch| number(batch).0)
        };
        Batched {
            count: first(|batch| batch.count).map_or(1, |count| count.min(MOST_OCCURRENCES)),
            error_threshold: first(|batch| batch.error_threshold).map(|threshold| threshold.min(MOST_OCCURRENCES)),
        }
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

    /// The fingerprint of what will come to the same line, by what [`Self::batched`] says; equal to
    /// [`fingerprint_of`] of the report.
    pub fn fingerprint(&self, batched: &Batched) -> Fingerprint {
        self.fingerprint_builder(batched).finish()
    }

    pub(super) fn fingerprint_builder(&self, batched: &Batched) -> FingerprintBuilder {
        let mut fingerprint = FingerprintBuilder::new(self.release(), self.revision());
        let platform = self.platform();
        let exceptions = &self.exceptions.0;
        let read: Vec<_> = exceptions.iter().map(|exception| read_of_message(exception, platform)).collect();
        let framed = exceptions.iter().any(|exception| !exception.stacktrace.frames.0.is_empty())
            || read.iter().any(|(quoted, named)| named.is_some() || !quoted.is_empty());
        let text = self.text();
        for (exception, (quoted, named)) in exceptions.iter().zip(read) {
            let (kind, value) = match (exception.kind.get(), text) {
                (Some(kind), _) => (kind, exception.value.get()),
                // The template, not what is filled in: or each order number would make a report of
                // its own.
                (None, Some(text)) => (MESSAGE_KIND, Some(text)),
                (None, None) => (MESSAGE_KIND, exception.value.get()),
            };
            let value = value.filter(|_| !framed).map(|value| cut(value, MAX_MESSAGE));
            let is_quotation = is_quotation(kind);
            if !is_quotation && !quoted.is_empty() {
                fingerprint.exception(None, Some(REMOTE_TRACEBACK), None);
                add_frames(&mut fingerprint, &quoted);
            }
            fingerprint.exception(short(&exception.module), Some(cut(kind, MAX_TEXT)), value);
            for frame in kept_frames(&exception.stacktrace, platform) {
                let parts = FrameParts {
                    filename: short(&frame.filename),
                    abs_path: short(&frame.abs_path),
                    module: short(&frame.module),
                    function: short(&frame.function),
                    line: frame.line.line(),
                    context_line: short(&frame.context_line),
                };
                add_frame(&mut fingerprint, &parts);
            }
            if is_quotation {
                add_frames(&mut fingerprint, &quoted);
            }
            add_frames(&mut fingerprint, named.as_slice());
        }
        fingerprint.threshold(batched.error_threshold);
        fingerprint
    }

    /// The message of the event as a template, where it has one.
    pub(super) fn text(&self) -> Option<&str> {
        [&self.logentry, &self.message].into_iter().find_map(|entry| entry.message.get().or(entry.formatted.get()))
    }
}

/// A name, path or line of code, as much of it as is kept.
pub(super) fn short<'t>(text: &'t Text<'_>) -> Option<&'t str> {
    text.get().map(|text| cut(text, MAX_TEXT))
}

/// An event id without its hyphens, in lower case; `None` for what is none.
pub fn normal_event_id(id: &str) -> Option<String> {
    let id = id.trim();
    if id.len() > MAX_WORD {
        return None;
    }
    let id: String = id.chars().filter(|letter| *letter != '-').map(|letter| letter.to_ascii_lowercase()).collect();
    (id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit())).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(json: &str) -> Report {
        let mut scratch = String::new();
        let event = parse(json.as_bytes(), &mut scratch).unwrap();
        let fingerprint = event.fingerprint(&event.batched());
        let report = event.into_report();
        assert_eq!(fingerprint_of(&report), fingerprint, "{json}");
        report
    }

    fn fingerprint(json: &str) -> Fingerprint {
        let mut scratch = String::new();
        let event = parse(json.as_bytes(), &mut scratch).unwrap();
        event.fingerprint(&event.batched())
    }

    #[test]
    fn a_restart_makes_no_new_kind_of_error() {
        let event = |function: &str, module: &str, file: &str, accessor: &str| {
            let frames = serde_json::json!([
                { "filename": file, "module": module, "function": function, "lineno": 3 },
                { "module": accessor, "function": "invoke" },
                { "filename": "Cart.java", "module": "shop.Cart", "function": "total", "lineno": 9 },
            ]);
            let exception = serde_json::json!({ "type": "E", "value": "v", "stacktrace": { "frames": frames } });
            let json = serde_json::json!({ "platform": "java", "exception": { "values": [exception] } }).to_string();
            report(&json);
            fingerprint(&json)
        };
        let accessor = "jdk.internal.reflect.GeneratedMethodAccessor";
        let one = event("lambda$f$0", "shop.A$$SpringCGLIB$$0", "main.8a7b3c1d.js", &format!("{accessor}12"));
        assert_eq!(
            one,
            event("lambda$f$7", "shop.A$$SpringCGLIB$$1", "main.1d2c3b4a.js", "jdk.internal.reflect.NativeMethod")
        );
        assert_ne!(one, event("lambda$g$0", "shop.A$$SpringCGLIB$$0", "main.8a7b3c1d.js", &format!("{accessor}12")));
        assert_ne!(one, event("lambda$f$0", "shop.A$$SpringCGLIB$$0", "cart.8a7b3c1d.js", &format!("{accessor}12")));
    }

    #[test]
    fn a_byte_order_mark_before_an_event_is_passed_over() {
        let json = r#"{"exception":{"values":[{"type":"E","value":"v"}]}}"#;
        assert_eq!(fingerprint(&format!("\u{feff}{json}")), fingerprint(json));
    }

    #[test]
    fn exceptions_come_in_several_shapes() {
        for json in [
            r#"{"exception":{"values":[null,{"type":"E","value":"v"},{}]}}"#,
            r#"{"exception":[{"type":"E","value":"v","stacktrace":null}]}"#,
            r#"{"exception":{"type":"E","value":"v"}}"#,
            r#"{"sentry.interfaces.Exception":{"values":[{"type":"E","value":"v","stacktrace":{"frames":null}}]}}"#,
        ] {
            let report = report(json);
            let [exception] = report.exceptions.as_slice() else { panic!("{json}: {report:?}") };
            assert_eq!((exception.kind.as_str(), exception.value.as_deref()), ("E", Some("v")), "{json}");
        }
        let beside = report(r#"{"exception":{"type":"E"},"stacktrace":{"frames":[{"lineno":"7"}]}}"#);
        assert_eq!(beside.exceptions[0].frames[0].line, Some(7));
        let thread = report(
            r#"{"exception":[{"type":"Cause"},{"type":"E"}],"threads":[{"stacktrace":{"frames":[{"lineno":8}]}}]}"#,
        );
        assert_eq!((thread.exceptions[0].frames.len(), thread.exceptions[1].frames[0].line), (0, Some(8)));
    }

    #[test]
    fn nothing_of_an_unexpected_type_is_refused() {
        for odd in [
            "null",
            "1",
            "-1.5e300",
            "true",
            "\"text\"",
            "[]",
            "[[1,[2]],{}]",
            "{}",
            "{\"values\":7}",
            "{\"frames\":{\"x\":1}}",
        ] {
            for field in [
                "event_id",
                "timestamp",
                "platform",
                "level",
                "release",
                "environment",
                "server_name",
                "transaction",
                "logger",
                "sdk",
                "message",
                "logentry",
                "exception",
                "stacktrace",
                "threads",
                "request",
                "user",
                "tags",
                "extra",
                "contexts",
                "breadcrumbs",
                "unheard_of",
            ] {
                report(&format!(r#"{{"{field}":{odd},"level":"error"}}"#));
            }
            for field in ["type", "module", "value", "mechanism", "stacktrace"] {
                let report =
                    report(&format!(r#"{{"exception":[{{"type":"E","value":"v"}},{{"value":"x","{field}":{odd}}}]}}"#));
                assert_eq!(report.exceptions[0].kind, "E", "{field} {odd}");
            }
            for field in [
                "filename",
                "abs_path",
                "module",
                "function",
                "lineno",
                "colno",
                "context_line",
                "pre_context",
                "post_context",
                "vars",
                "in_app",
            ] {
                let json = format!(
                    r#"{{"exception":{{"values":[{{"type":"E","stacktrace":{{"frames":[{{"{field}":{odd}}},{{"lineno":3}}]}}}}]}}}}"#
                );
                assert_eq!(report(&json).exceptions[0].frames.last().unwrap().line, Some(3), "{json}");
            }
        }
        assert_eq!(
            report(r#"{"message":"m","release":1.5,"environment":["a",null]}"#).environment.unwrap(),
            "[\"a\",null]"
        );
    }

    #[test]
    fn duplicate_keys_surrogates_and_broken_bytes_do_not_lose_the_report() {
        let twice = report(r#"{"release":"a","release":"b","exception":[{"type":"E","type":"F"}]}"#);
        assert_eq!((twice.release.as_deref(), twice.exceptions[0].kind.as_str()), (Some("b"), "F"));
        let vars = r#""stacktrace":{"frames":[{"vars":{"name":"\udc80x","n":NaN}}]}"#;
        let lone = report(&format!(r#"{{"exception":[{{"type":"E","value":"a\ud800b",{vars}}}]}}"#));
        assert_eq!(lone.exceptions[0].value.as_deref(), Some("a\u{fffd}b"));
        assert_eq!(lone.exceptions[0].frames[0].vars["name"], "\u{fffd}x");
        // In a skipped part, the parser does not look at them: only making the report does.
        let skipped = report(r#"{"exception":[{"type":"E"}],"extra":{"name":"\ud800"}}"#);
        assert_eq!(skipped.additional["extra"]["name"], "\u{fffd}");
        let mut scratch = String::new();
        let latin = b"{\"exception\":[{\"type\":\"E\",\"value\":\"caf\xe9 \\ud800\"}]}";
        let report = parse(latin, &mut scratch).unwrap().into_report();
        assert_eq!(report.exceptions[0].value.as_deref(), Some("caf\u{fffd} \u{fffd}"));
    }

    #[test]
    fn garbage_is_named_with_its_place() {
        let error = |bytes: &[u8]| parse(bytes, &mut String::new()).unwrap_err().to_string();
        for garbage in [&b""[..], b"  ", b"[]", b"null", b"\xff\xfe", b"nonsense"] {
            assert_eq!(error(garbage), "the event is not a JSON object");
        }
        assert_eq!(
            error(b"{\"a\": 1,\n \"b\": tru}"),
            "the event is not valid JSON: expected ident at line 2 column 10"
        );
        assert!(error(b"{\"exception\":[{\"type\":\"E\"").contains("EOF while parsing"), "cut off");
    }

    #[test]
    fn deep_nesting_is_no_stack_overflow() {
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        let report =
            report(&format!(r#"{{"exception":[{{"type":"E"}}],"extra":{{"deep":{deep}}},"breadcrumbs":{deep}}}"#));
        assert!(report.additional["extra"]["deep"].is_array());
        assert!(report.additional["extra"].to_string().len() < 30, "{}", report.additional["extra"]);
        assert!(parse(format!("{{\"release\":{deep}}}").as_bytes(), &mut String::new()).is_err());
    }

    #[test]
    fn levels_decide_for_messages_only() {
        let is_error = |json: &str| parse(json.as_bytes(), &mut String::new()).unwrap().is_error();
        for yes in [
            r#"{"message":"m"}"#,
            r#"{"message":"m","level":"fatal"}"#,
            r#"{"message":{"formatted":"m"},"level":40}"#,
            r#"{"level":"warning","exception":[{"type":"E"}]}"#,
            r#"{"exception":[{"value":"untyped"}]}"#,
        ] {
            assert!(is_error(yes), "{yes}");
        }
        for no in [
            "{}",
            r#"{"message":"m","level":"Warning"}"#,
            r#"{"logentry":{"message":"m"},"level":20}"#,
            r#"{"level":"info","message":"m","exception":[{"value":"m","stacktrace":{"frames":[{"lineno":1}]}}]}"#,
            r#"{"type":"transaction","transaction":"/","exception":{"values":[]}}"#,
        ] {
            assert!(!is_error(no), "{no}");
        }
    }

    #[test]
    fn messages_with_other_parameters_are_the_same() {
        let message = |order: u32| {
            format!(r#"{{"logentry":{{"message":"order %s of %d","params":[{order},"é"]}},"level":"error"}}"#)
        };
        assert_eq!(fingerprint(&message(1)), fingerprint(&message(2)));
        let report = report(&message(7));
        assert_eq!(report.exceptions[0].value.as_deref(), Some("order 7 of é"));
        assert_eq!(report.exceptions[0].kind, MESSAGE_KIND);
    }

    #[test]
    fn the_fingerprint_follows_places_not_values() {
        let event = |release: &str, value: &str, line: u32, kind: &str| {
            format!(
                r#"{{"release":"{release}","timestamp":{line},"exception":[{{"type":"{kind}","value":"{value}","stacktrace":{{"frames":[{{"filename":"a.py","lineno":{line},"vars":{{"x":"{value}"}}}}]}}}}]}}"#
            )
        };
        let base = fingerprint(&event("1", "x", 5, "E"));
        assert_eq!(base, fingerprint(&event("1", "y", 5, "E")));
        for other in [event("2", "x", 5, "E"), event("1", "x", 6, "E"), event("1", "x", 5, "F")] {
            assert_ne!(base, fingerprint(&other), "{other}");
        }
        let of_module = |module: &str| {
            let frames = r#"{"frames":[{"filename":"a.py","lineno":5}]}"#;
            let json = format!(r#"{{"exception":[{{"type":"error",{module}"stacktrace":{frames}}}]}}"#);
            assert_eq!(fingerprint_of(&report(&json)), fingerprint(&json));
            fingerprint(&json)
        };
        assert_ne!(of_module(r#""module":"zlib","#), of_module(r#""module":"struct","#), "types of one name");
        assert_eq!(of_module(r#""module":"","#), of_module(""));
        assert_ne!(
            fingerprint(r#"{"exception":[{"type":"E","value":"a"}]}"#),
            fingerprint(r#"{"exception":[{"type":"E","value":"b"}]}"#)
        );
        let tagged = |tags: &str| fingerprint(&format!(r#"{{"tags":{tags},"exception":[{{"type":"E"}}]}}"#));
        assert_eq!(tagged(r#"{"revision":"abc"}"#), tagged(r#"[["a","b"],["revision","abc"]]"#));
        assert_ne!(tagged(r#"{"revision":"abc"}"#), tagged("{}"));
    }

    #[test]
    fn a_threshold_holds_for_no_report_but_those_that_name_it() {
        let named = |beside: &str| fingerprint(&format!(r#"{{{beside}"exception":[{{"type":"E"}}]}}"#));
        let three = r#""contexts":{"flawless":{"error_threshold":3}},"#;
        assert_ne!(named(three), named(""));
        assert_ne!(named(three), named(r#""extra":{"flawless.error_threshold":4},"#));
        assert_eq!(named(three), named(r#""extra":{"flawless.error_threshold":3},"#));
        assert_eq!(named(r#""contexts":{"flawless":{"count":3}},"#), named(""), "a count is none");
    }

    #[test]
    fn printed_types_of_one_name_are_told_apart_by_their_module() {
        let printed = |kind: &str| {
            let call = "Traceback (most recent call last):\n  File \"/srv/a.py\", line 5, in f\n    x = g()\n";
            fingerprint_of(&crate::traceback::parse(&format!("{call}{kind}: bad\n")).unwrap())
        };
        assert_ne!(printed("zlib.error"), printed("struct.error"));
        assert_eq!(printed("zlib.error"), printed("zlib.error"));
    }

    #[test]
    fn batches_count() {
        let count = |json: &str| {
            let mut scratch = String::new();
            let event = parse(json.as_bytes(), &mut scratch).unwrap();
            let Batched { count, error_threshold } = event.batched();
            (count, error_threshold)
        };
        assert_eq!(count(r#"{"contexts":{"flawless":{"count":12,"error_threshold":"3"}}}"#), (12, Some(3)));
        let most = r#"{"extra":{"flawless.error_threshold":4611686018427387904}}"#;
        assert_eq!(count(most), (1, Some(MOST_OCCURRENCES)));
        assert_eq!(count(r#"{"contexts":{"a":1},"extra":{"flawless.count":"5"}}"#), (5, None));
        assert_eq!(count(r#"{"contexts":{"flawless":{"count":0}},"extra":{"flawless.count":-2}}"#), (1, None));
    }

    #[test]
    fn ids_are_brought_into_one_form() {
        assert_eq!(
            normal_event_id("F0A03D7C-2426-42e6-9f0b-9610ddeb35a9").unwrap(),
            "f0a03d7c242642e69f0b9610ddeb35a9"
        );
        for none in ["", "xyz", "f0a03d7c242642e69f0b9610ddeb35a", "g0a03d7c242642e69f0b9610ddeb35a9"] {
            assert_eq!(normal_event_id(none), None);
        }
    }
}
