//! From an event to a report: what is stored of it, and how much.

use crate::groups::is_group;
use crate::kept::List;
use crate::lenient::{Flag, Raw, Text, lenient};
use crate::repair::repair;
use crate::sentry_event::{Event, MAX_MESSAGE, MAX_TEXT, cut};
use crate::sentry_fields::{LogEntry, RawException, RawFrame};
use crate::sentry_frames::{kept_frames, with_message_read};
use crate::value;
use domain::chain::SUPPRESSED;
use domain::report::{Exception, Frame, MESSAGE_KIND, Platform, Report, Request, UNCUT};
use domain::timestamp::Timestamp;
use serde_json::Value;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::BTreeMap;
use url::form_urlencoded;

/// Lines of source kept before and after a frame's line: clients send five.
const MAX_CONTEXT: usize = 10;

/// Parameters that are filled into a message: more marks stand in no message that a person wrote.
const MAX_PARAMETERS: usize = 100;

/// Bytes kept of the request's data, and of each part of the additional information.
const MAX_PART: usize = 32 * 1024;

/// Bytes of variables and surrounding source kept of one report, the innermost frames' first: what
/// makes reports large. It keeps a row readable in one go and a mail below what servers accept.
const MAX_STORED: usize = 256 * 1024;

/// Contexts that clients fill in by themselves and that say nothing about the failure.
const USUAL_CONTEXTS: [&str; 17] = [
    "app",
    "browser",
    "cloud_resource",
    "culture",
    "device",
    "flawless",
    "gpu",
    "monitor",
    "os",
    "otel",
    "profile",
    "replay",
    "response",
    "runtime",
    "rust",
    "trace",
    "unreal",
];

/// From this number on, a timestamp is in milliseconds: as seconds, it would be in the year 5138.
const MILLISECONDS_FROM: f64 = 1e11;

lenient! {
    struct Mechanism<'a> {
        handled: Flag = "handled",
        // Text, since 0 is an id.
        id: Text<'a> = "exception_id",
        parent: Text<'a> = "parent_id",
        source: Text<'a> = "source",
        kind: Text<'a> = "type",
        is_group: Flag = "is_exception_group",
    }
}

lenient! {
    struct RawRequest<'a> {
        url: Text<'a> = "url",
        method: Text<'a> = "method",
        query: Raw<'a> = "query_string",
        headers: Raw<'a> = "headers",
        data: Raw<'a> = "data",
    }
}

impl Event<'_> {
    /// The report that this event is, cut to what is worth storing, but for its texts: those have
    /// up to [`UNCUT`] bytes more until they are scrubbed. An event without id gets an empty one:
    /// the caller has the randomness to choose it.
    ///
    /// A message becomes an exception of kind [`MESSAGE_KIND`], and the report's `message` is then
    /// its template.
    pub fn into_report(self) -> Report {
        let platform = self.platform();
        let exceptions = self.stored_exceptions(platform);
        let only_message = exceptions.iter().any(|exception| exception.kind == MESSAGE_KIND);
        let template = || self.text().map(|text| cut(text, MAX_MESSAGE + UNCUT).to_owned());
        let message = if only_message { template() } else { self.filled_in() };
        let (batched, left_out) = (self.batched(), self.exceptions.1);
        Report {
            event_id: self.event_id().unwrap_or_default(),
            timestamp: self.timestamp.and_then(moment),
            platform,
            level: self.level().to_owned(),
            release: uncut(&self.release).map(str::to_owned),
            revision: uncut(&self.tags.revision).map(str::to_owned),
            environment: Some(self.environment()).filter(|text| !text.is_empty()).map(str::to_owned),
            server_name: Some(self.server_name()).filter(|text| !text.is_empty()).map(str::to_owned),
            transaction: uncut(&self.transaction).or_else(|| uncut(&self.culprit)).map(str::to_owned),
            logger: uncut(&self.logger).map(str::to_owned),
            sdk: self.sdk_and_version(),
            message,
            exceptions,
            member: None,
            left_out,
            request: self.request.and_then(request),
            additional: self.additional(),
            count: batched.count,
            error_threshold: batched.error_threshold,
        }
    }

    /// The exceptions, outermost first; their frames from the raised exception and its innermost
    /// frame outwards, for as long as there is room.
    fn stored_exceptions(&self, platform: Platform) -> Vec<Exception> {
        let mut left = MAX_STORED;
        let inwards = self.exceptions.0.iter().rev().map(|raw| {
            let frames = kept_frames(&raw.stacktrace, platform).rev().map(|raw| frame(raw, &mut left));
            let mut frames: Vec<Frame> = frames.collect();
            frames.reverse();
            with_message_read(raw, self.exception(raw, frames), platform)
        });
        let mut exceptions: Vec<Exception> = inwards.flatten().collect();
        exceptions.reverse();
        exceptions
    }

    /// The client by its name and version.
    fn sdk_and_version(&self) -> Option<String> {
        let name = uncut(&self.sdk.name)?;
        Some(uncut(&self.sdk.version).map_or_else(|| name.to_owned(), |version| format!("{name}/{version}")))
    }

    /// What the application added to its report, without what is blank.
    fn additional(&self) -> BTreeMap<String, Value> {
        let parts = [
            ("user", value(self.user)),
            ("tags", value(self.tags.raw).map(pairs_to_object)),
            ("extra", value(self.extra)),
            ("contexts", value(self.contexts).map(without_usual)),
        ];
        let parts = parts.into_iter().filter_map(|(name, value)| Some((name.to_owned(), part(value?))));
        parts.filter(|(_, value)| !is_blank(value)).collect()
    }

    /// One exception with these frames.
    pub(super) fn exception(&self, raw: &RawException<'_>, frames: Vec<Frame>) -> Exception {
        let json = raw.mechanism.map(repaired);
        let mechanism =
            json.as_deref().and_then(|json| serde_json::from_str::<Mechanism<'_>>(json).ok()).unwrap_or_default();
        let number = |text: &Text<'_>| text.get().and_then(|text| text.parse().ok());
        let kind = uncut(&raw.kind).unwrap_or(MESSAGE_KIND);
        let value = match raw.kind.get() {
            Some(_) => message(&raw.value),
            None => self.filled_in().or_else(|| message(&raw.value)),
        };
        Exception {
            kind: kind.to_owned(),
            module: uncut(&raw.module).map(str::to_owned),
            value,
            handled: mechanism.handled.0,
            id: number(&mechanism.id),
            parent: number(&mechanism.parent),
            // sentry-java says it by the type.
            source: uncut(&mechanism.source)
                .or_else(|| mechanism.kind.get().filter(|kind| *kind == SUPPRESSED))
                .map(str::to_owned),
            is_group: mechanism.is_group.0.unwrap_or(false) || is_group(kind),
            frames,
        }
    }

    /// The message of the event with its parameters filled in.
    fn filled_in(&self) -> Option<String> {
        [&self.logentry, &self.message].into_iter().find_map(|entry| {
            message(&entry.formatted).or_else(|| entry.message.get().map(|text| fill_in(text, entry)))
        })
    }
}

/// A name, path or line of code, as much of it as is scrubbed.
fn uncut<'t>(text: &'t Text<'_>) -> Option<&'t str> {
    text.get().map(|text| cut(text, MAX_TEXT + UNCUT))
}

/// As much of a message as is scrubbed, unless it is missing or blank.
fn message(text: &Text<'_>) -> Option<String> {
    text.get().map(|text| cut(text, MAX_MESSAGE + UNCUT).to_owned())
}

/// A part of an event as a parser takes it; as it is, where that would be too long.
fn repaired(raw: &RawValue) -> Cow<'_, str> {
    repair(raw.get()).unwrap_or(Cow::Borrowed(raw.get()))
}

/// Puts the parameters in place of `%s`, `%d` … or `{}`, where a client left that to the reader. As
/// much of it as is scrubbed.
fn fill_in(template: &str, entry: &LogEntry<'_>) -> String {
    let json = entry.params.map(repaired);
    let parameters = json
        .as_deref()
        .and_then(|json| serde_json::from_str::<List<Text<'_>, MAX_PARAMETERS, 0>>(json).ok())
        .unwrap_or_default();
    let most = MAX_MESSAGE + UNCUT;
    let mut rest = cut(template, most);
    let mut filled = String::with_capacity(rest.len());
    for parameter in &parameters.0 {
        let Some((at, mark)) = ["%s", "%d", "%r", "%i", "%f", "{}"]
            .into_iter()
            .filter_map(|mark| rest.find(mark).map(|at| (at, mark)))
            .min()
        else {
            break;
        };
        filled.push_str(&rest[..at]);
        filled.push_str(cut(parameter.0.as_deref().unwrap_or("None"), most));
        rest = &rest[at + mark.len()..];
    }
    filled.push_str(rest);
    cut(&filled, most).to_owned()
}

/// One frame, with variables and surrounding source as long as there is room `left` for them.
fn frame(raw: &RawFrame<'_>, left: &mut usize) -> Frame {
    let pre_context = lines::<0, MAX_CONTEXT>(raw.pre_context);
    let post_context = lines::<MAX_CONTEXT, 0>(raw.post_context);
    let mut frame = Frame {
        filename: uncut(&raw.filename).map(str::to_owned),
        abs_path: uncut(&raw.abs_path).map(str::to_owned),
        module: uncut(&raw.module).map(str::to_owned),
        function: uncut(&raw.function).map(str::to_owned),
        line: raw.line.line(),
        column: raw.column.line(),
        context_line: uncut(&raw.context_line).map(str::to_owned),
        in_app: raw.in_app.0,
        ..Frame::default()
    };
    if spend(pre_context.iter().chain(&post_context).map(|line| line.len().min(MAX_TEXT) + 3).sum(), left) {
        (frame.pre_context, frame.post_context) = (pre_context, post_context);
    }
    // Not even parsed once there is no room at all.
    if let Some(raw) = raw.vars.filter(|_| *left > 0) {
        match value::read(raw.get(), *left) {
            Ok(Value::Object(variables)) => {
                if spend(variables.iter().map(|(name, value)| value::size_named(name, value)).sum(), left) {
                    frame.vars = variables.into_iter().collect();
                }
            }
            Ok(_) => {}
            Err(value::NoRoom) => *left = 0,
        }
    }
    frame
}

/// Takes `bytes` of what is `left`; once something does not fit, nothing further out does.
fn spend(bytes: usize, left: &mut usize) -> bool {
    let fits = bytes <= *left;
    *left = if fits { *left - bytes } else { 0 };
    fits
}

/// The lines of a context, the first or last of them.
fn lines<const FIRST: usize, const LAST: usize>(raw: Raw<'_>) -> Vec<String> {
    let json = raw.map(repaired);
    let lines = json
        .as_deref()
        .and_then(|json| serde_json::from_str::<List<Text<'_>, FIRST, LAST>>(json).ok())
        .unwrap_or_default();
    lines.0.into_iter().map(|line| cut(line.0.as_deref().unwrap_or_default(), MAX_TEXT + UNCUT).to_owned()).collect()
}

/// The request, if anything is known of it.
fn request(raw: &RawValue) -> Option<Request> {
    let json = repaired(raw);
    let raw = serde_json::from_str::<RawRequest<'_>>(&json).ok()?;
    let headers = match value(raw.headers).map(pairs_to_object) {
        Some(Value::Object(headers)) => headers.into_iter().map(|(name, value)| (name, text(value))).collect(),
        _ => BTreeMap::new(),
    };
    let query = match value(raw.query).map(pairs_to_object) {
        Some(Value::Object(parameters)) => Some(
            form_urlencoded::Serializer::new(String::new())
                .extend_pairs(parameters.into_iter().map(|(name, value)| (name, text(value))))
                .finish(),
        ),
        other => other.map(text),
    };
    let request = Request {
        url: uncut(&raw.url).map(str::to_owned),
        method: uncut(&raw.method).map(str::to_owned),
        query: query.filter(|query| !query.is_empty()),
        headers,
        data: value(raw.data).map(part).filter(|data| !is_blank(data)),
    };
    (request != Request::default()).then_some(request)
}

/// A value, cut; `None` for `null` and nothing.
fn value(raw: Raw<'_>) -> Option<Value> {
    let json = raw?.get();
    let value = value::read(json, MAX_STORED).unwrap_or_else(|value::NoRoom| left_out(json.len()));
    (!value.is_null()).then_some(value)
}

/// The value, or what stands for it where it is too large.
fn part(value: Value) -> Value {
    match value::size(&value) {
        bytes if bytes > MAX_PART => left_out(bytes),
        _ => value,
    }
}

fn left_out(bytes: usize) -> Value {
    Value::String(format!("… left out: {bytes} bytes"))
}

/// A list of pairs as an object; anything else as it is.
fn pairs_to_object(value: Value) -> Value {
    let Value::Array(pairs) = value else { return value };
    let pair = |pair| match pair {
        Value::Array(pair) => <[Value; 2]>::try_from(pair).ok().map(|[name, value]| (text(name), value)),
        _ => None,
    };
    Value::Object(pairs.into_iter().filter_map(pair).collect())
}

/// The contexts that the application added.
fn without_usual(contexts: Value) -> Value {
    let Value::Object(contexts) = contexts else { return contexts };
    let usual = |name: &str| USUAL_CONTEXTS.contains(&name);
    let own = contexts
        .into_iter()
        .filter(|(name, context)| !usual(name) && !context.get("type").and_then(Value::as_str).is_some_and(usual));
    Value::Object(own.collect())
}

/// Text as it is, all else as JSON.
fn text(value: Value) -> String {
    match value {
        Value::String(text) => text,
        other => other.to_string(),
    }
}

/// Whether there is nothing to show.
fn is_blank(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        _ => false,
    }
}

/// The moment of a timestamp: a number of seconds, or ISO 8601 (UTC where it names no offset, as
/// raven does).
fn moment(raw: &RawValue) -> Option<Timestamp> {
    let text = serde_json::from_str::<Text<'_>>(raw.get()).ok()?;
    let text = text.get()?.trim();
    if let Ok(seconds) = text.parse::<f64>() {
        let milliseconds = if seconds.abs() >= MILLISECONDS_FROM { seconds } else { seconds * 1_000.0 };
        return milliseconds.is_finite().then_some(Timestamp::from_millis(milliseconds.round() as i64));
    }
    let timestamp = text.parse::<jiff::Timestamp>().or_else(|_| {
        text.parse::<jiff::civil::DateTime>()?.to_zoned(jiff::tz::TimeZone::UTC).map(|zoned| zoned.timestamp())
    });
    timestamp.ok().map(Timestamp::from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sentry_event::{MAX_EXCEPTIONS, MAX_INNER_FRAMES, MAX_OUTER_FRAMES, fingerprint_of, parse};
    use crate::value::MAX_VARIABLES;
    use domain::report::MAX_VALUE;
    use domain::scrub::{Rules, scrub_and_cut};
    use serde_json::json;

    fn report(json: &Value) -> Report {
        let json = json.to_string();
        let mut scratch = String::new();
        let event = parse(json.as_bytes(), &mut scratch).unwrap();
        let fingerprint = event.fingerprint(&event.batched());
        let mut report = event.into_report();
        assert_eq!(fingerprint_of(&report), fingerprint);
        scrub_and_cut(&mut report, Rules::built_in());
        report
    }

    #[test]
    fn one_huge_variable_is_cut() {
        let frames = json!([{"vars": {"huge": "é".repeat(1_000_000), "small": 1, "deep": [[[[[[[[1]]]]]]]]}}]);
        let report = report(&json!({"exception": [{"type": "E", "stacktrace": {"frames": frames}}]}));
        let vars = &report.exceptions[0].frames[0].vars;
        assert!(vars["huge"].as_str().unwrap().len() <= MAX_VALUE + "…".len());
        assert_eq!(vars["small"], 1);
        assert!(serde_json::to_string(&report).unwrap().len() < 3_000);
    }

    #[test]
    fn runaway_recursion_keeps_both_ends_and_the_innermost_variables() {
        let vars: serde_json::Map<String, Value> =
            (0..250).map(|number| (format!("v{number}"), json!("x".repeat(90)))).collect();
        let frames: Vec<Value> = (1..=400).map(|line| json!({"lineno": line, "vars": vars})).collect();
        let report = report(&json!({"exception": [{"type": "E", "stacktrace": {"frames": frames}}]}));
        let frames = &report.exceptions[0].frames;
        assert_eq!(frames.len(), MAX_INNER_FRAMES + MAX_OUTER_FRAMES);
        assert_eq!(frames.first().unwrap().line, Some(1));
        assert_eq!((frames[MAX_OUTER_FRAMES].line, frames.last().unwrap().line), (Some(251), Some(400)));
        assert_eq!(frames.last().unwrap().vars.len(), MAX_VARIABLES);
        assert!(frames.first().unwrap().vars.is_empty());
        assert!(serde_json::to_string(&report).unwrap().len() < MAX_STORED + MAX_STORED / 4);
    }

    #[test]
    fn of_many_exceptions_the_last_are_kept() {
        let all: Vec<Value> = (0..100).map(|number| json!({"type": format!("E{number}")})).collect();
        let report = report(&json!({"exception": {"values": all}}));
        assert_eq!(report.exceptions.len(), MAX_EXCEPTIONS);
        assert_eq!(report.raised().unwrap().kind, "E99");
    }

    #[test]
    fn long_names_and_messages_are_cut() {
        let long = "ü".repeat(20_000);
        let report = report(&json!({"release": long, "exception": [{"type": long, "value": long}],
            "request": {"data": vec![vec!["x".repeat(900); 50]; 50]}}));
        assert_eq!(report.exceptions[0].value.as_ref().unwrap().len(), MAX_MESSAGE);
        assert_eq!(report.release.as_ref().unwrap().len(), MAX_TEXT);
        assert!(report.request.unwrap().data.unwrap().as_str().unwrap().starts_with("… left out: "));
    }

    #[test]
    fn request_and_additional_information_come_in_several_shapes() {
        let report = report(&json!({
            "exception": [{"type": "E", "mechanism": {"handled": false, "exception_id": 0, "parent_id": "2"}}],
            "request": {"url": "http://h/", "headers": [["Host", "h"], ["X", 1]], "query_string": [["a", "b c"]], "data": {"k": 1}},
            "user": {"id": 7},
            "tags": [["t", "u"]],
            "extra": {},
            "contexts": {"runtime": {"name": "x"}, "rustc": {"type": "runtime"}, "order": {"id": 3}, "trace": {}},
        }));
        let request = report.request.unwrap();
        assert_eq!(request.query.as_deref(), Some("a=b+c"));
        assert_eq!(
            request.headers,
            BTreeMap::from([("Host".to_owned(), "h".to_owned()), ("X".to_owned(), "1".to_owned())])
        );
        let exception = &report.exceptions[0];
        assert_eq!((exception.handled, exception.id, exception.parent), (Some(false), Some(0), Some(2)));
        let expected = json!({"user": {"id": 7}, "tags": {"t": "u"}, "contexts": {"order": {"id": 3}}});
        assert_eq!(serde_json::to_value(&report.additional).unwrap(), expected);
    }

    #[test]
    fn timestamps_are_seconds_or_iso() {
        let at = |json: &str| {
            let raw: Box<RawValue> = serde_json::from_str(json).unwrap();
            moment(&raw)
        };
        let expected = Some(Timestamp::from_millis(1_795_347_112_000));
        for json in [
            "1795347112",
            "1795347112.0004",
            "\"1795347112\"",
            "1795347112000",
            "\"2026-11-22T11:31:52Z\"",
            "\"2026-11-22T11:31:52.000000\"",
            "\"2026-11-22T12:31:52+01:00\"",
            "\"2026-11-22 11:31:52\"",
        ] {
            assert_eq!(at(json), expected, "{json}");
        }
        for json in ["null", "\"\"", "\"yesterday\"", "{}", "true"] {
            assert_eq!(at(json), None, "{json}");
        }
    }
}
