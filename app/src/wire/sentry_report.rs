//! From an event of the Sentry protocol to a report, cut to what is worth keeping.

use super::lenient::Raw;
use super::sentry_event::{Event, EventException, EventFrame, Stacktrace, tags_of};
use crate::domain::report::{Exception, Frame, Platform, Report, Request};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Exceptions kept of a chain or group, the raised one last: longer chains were only seen in runaway retries.
const EXCEPTIONS: usize = 30;
/// Frames kept at the inner end of a trace, where the failure is.
const INNER_FRAMES: usize = 150;
/// Frames kept at the outer end, which tell how it came about.
const OUTER_FRAMES: usize = 50;
/// Frames, from the inner end, whose local variables are kept: the original kept 20.
const FRAMES_WITH_VARS: usize = 20;
/// Variables kept of a frame, as the original did.
const VARS: usize = 100;
/// Characters kept of one value. The original kept 250, which cut most URLs.
const VALUE: usize = 1_000;
/// Items kept of a list or map, and how deep: SDKs cut at 10 and 5 themselves.
const ITEMS: usize = 50;
/// See [`ITEMS`].
const DEPTH: usize = 6;
/// Bytes kept of all variables of a report together; beyond, the outer frames' go first.
const ALL_VARS: usize = 128 << 10;

/// Contexts that describe the machine and say nothing about the failure.
const DULL_CONTEXTS: [&str; 12] = [
    "trace",
    "runtime",
    "os",
    "device",
    "app",
    "browser",
    "culture",
    "cloud_resource",
    "otel",
    "response",
    "flawless",
    "rust",
];

/// The report of an event.
pub(super) fn report(event: &Event<'_>) -> Report {
    let sdk: Map<String, Value> = event.sdk.read();
    let sdk_name = sdk.get("name").and_then(Value::as_str).unwrap_or("");
    let mut exceptions: Vec<Exception> = event.exception.0.iter().map(exception).collect();
    let excess = exceptions.len().saturating_sub(EXCEPTIONS);
    exceptions.drain(..excess);
    let message = event.message_text().map(|text| cut_text(&text));
    if exceptions.is_empty() {
        // A message that was logged as an error, with or without the stack of the call that logged it.
        exceptions.push(Exception {
            kind: "Message".to_owned(),
            value: message.clone(),
            frames: event.message_stack().map(frames).unwrap_or_default(),
            ..Exception::default()
        });
    }
    cut_variables(&mut exceptions);
    Report {
        event_id: event.event_id().unwrap_or_default(),
        timestamp_ms: timestamp(event.timestamp.as_str()),
        platform: platform(event.platform.as_str(), sdk_name),
        level: event.level.owned().unwrap_or_else(|| "error".to_owned()),
        release: event.release.owned(),
        revision: event.revision(),
        environment: event.environment.owned(),
        server_name: event.server_name.owned(),
        transaction: event.transaction.owned().or_else(|| event.culprit.owned()),
        logger: event.logger.owned(),
        sdk: (!sdk_name.is_empty())
            .then(|| format!("{sdk_name}/{}", sdk.get("version").and_then(Value::as_str).unwrap_or("?"))),
        message,
        exceptions,
        request: request(event.request),
        additional: additional(event),
        count: event.count(),
        error_threshold: event.flawless("error_threshold"),
    }
}

fn exception(from: &EventException<'_>) -> Exception {
    let mechanism: Map<String, Value> = from.mechanism.read();
    let number = |name: &str| mechanism.get(name).and_then(Value::as_u64).and_then(|number| u32::try_from(number).ok());
    let kind = from.kind.owned().unwrap_or_else(|| "Error".to_owned());
    let is_group = mechanism.get("is_exception_group").and_then(Value::as_bool).unwrap_or(false)
        || matches!(kind.as_str(), "ExceptionGroup" | "BaseExceptionGroup" | "AggregateError");
    Exception {
        kind,
        module: from.module.owned(),
        value: match from.value.read::<Value>() {
            Value::Null => None,
            Value::String(text) => Some(cut_text(&text)),
            other => Some(cut_text(&other.to_string())),
        },
        handled: mechanism.get("handled").and_then(Value::as_bool),
        id: number("exception_id"),
        parent: number("parent_id"),
        source: mechanism.get("source").and_then(Value::as_str).map(str::to_owned),
        is_group,
        frames: from.stacktrace.as_ref().map(frames).unwrap_or_default(),
    }
}

fn frames(trace: &Stacktrace<'_>) -> Vec<Frame> {
    let all = &trace.frames.0[..application_end(&trace.frames.0)];
    let cut = all.len().saturating_sub(INNER_FRAMES + OUTER_FRAMES);
    let inner = if cut > 0 { OUTER_FRAMES + cut } else { 0 };
    let outer = if cut > 0 { &all[..OUTER_FRAMES] } else { &[] };
    let with_vars = all.len().saturating_sub(FRAMES_WITH_VARS);
    let outer = outer.iter().map(|from| frame(from, false));
    outer.chain(all[inner..].iter().enumerate().map(|(at, from)| frame(from, inner + at >= with_vars))).collect()
}

/// A Rust panic's innermost frames are those of the panic itself and of the SDK that reports it, which says that they are the
/// application's own.
fn application_end(frames: &[EventFrame<'_>]) -> usize {
    /// Functions that a panic or the capture of a backtrace begins with.
    const MACHINERY: [&str; 7] = [
        "rust_begin_unwind",
        "core::panicking::",
        "std::panicking::",
        "core::option::expect_failed",
        "core::option::unwrap_failed",
        "core::result::unwrap_failed",
        "std::backtrace",
    ];
    let is_machinery = |frame: &EventFrame<'_>| {
        let function = frame.function.as_str().unwrap_or("");
        let function = function.trim_start_matches('_').trim_start_matches('<');
        MACHINERY.iter().any(|name| function.trim_start_matches("_").starts_with(name.trim_start_matches('_')))
    };
    // A thread or main function is itself run inside std::panicking::try: only a run that is followed by nothing of the
    // application counts.
    let own = |frame: &EventFrame<'_>| {
        let path = frame.abs_path.as_str().or(frame.filename.as_str()).unwrap_or("");
        !is_machinery(frame)
            && !path.is_empty()
            && !path.starts_with("/rustc/")
            && !path.contains("/.cargo/registry/")
            && !path.contains("/rustlib/")
    };
    match frames.iter().rposition(is_machinery) {
        Some(last) => match frames[..last].iter().rposition(own) {
            Some(end) if !frames[last..].iter().any(own) => end + 1,
            _ => frames.len(),
        },
        None => frames.len(),
    }
}

fn frame(from: &EventFrame<'_>, with_vars: bool) -> Frame {
    let lines = |raw: Raw<'_>| -> Vec<String> {
        raw.read::<Vec<Value>>().iter().filter_map(Value::as_str).map(cut_text).collect()
    };
    let vars: BTreeMap<String, Value> = if with_vars {
        let vars: Map<String, Value> = from.vars.read();
        vars.into_iter().take(VARS).map(|(name, value)| (name, cut_value(value, DEPTH))).collect()
    } else {
        BTreeMap::new()
    };
    Frame {
        filename: from.filename.owned(),
        abs_path: from.abs_path.owned(),
        module: from.module.owned(),
        function: from.function.owned(),
        line: from.lineno.as_u32(),
        column: from.colno.as_u32(),
        context_line: from.context_line.as_str().map(cut_text),
        pre_context: lines(from.pre_context),
        post_context: lines(from.post_context),
        vars,
        in_app: match from.in_app.as_str() {
            Some("true") => Some(true),
            Some("false") => Some(false),
            _ => None,
        },
    }
}

/// Takes variables away, the outermost frame's first, until what is left fits.
fn cut_variables(exceptions: &mut [Exception]) {
    let size =
        |frame: &Frame| frame.vars.iter().map(|(name, value)| name.len() + value.to_string().len()).sum::<usize>();
    let mut left = ALL_VARS;
    for frame in exceptions.iter_mut().rev().flat_map(|exception| exception.frames.iter_mut().rev()) {
        match left.checked_sub(size(frame)) {
            Some(rest) => left = rest,
            None => frame.vars.clear(),
        }
    }
}

fn request(raw: Raw<'_>) -> Option<Request> {
    let fields: Map<String, Value> = raw.read();
    if fields.is_empty() {
        return None;
    }
    let text = |name: &str| match fields.get(name) {
        Some(Value::String(text)) if !text.is_empty() => Some(cut_text(text)),
        Some(Value::Null) | None => None,
        Some(Value::String(_)) => None,
        Some(other) => Some(cut_text(&other.to_string())),
    };
    // Headers are an object, or a list of pairs.
    let headers = tags_of(fields.get("headers").unwrap_or(&Value::Null))
        .into_iter()
        .take(ITEMS)
        .map(|(name, value)| match value {
            Value::String(text) => (name, cut_text(&text)),
            other => (name, cut_text(&other.to_string())),
        })
        .collect();
    Some(Request {
        url: text("url"),
        method: text("method"),
        query: text("query_string"),
        headers,
        data: fields.get("data").filter(|data| !data.is_null()).map(|data| cut_value(data.clone(), DEPTH)),
    })
}

/// What the application said about itself: user, tags, extra and its own contexts.
fn additional(event: &Event<'_>) -> BTreeMap<String, Value> {
    let mut out = BTreeMap::new();
    let mut add = |name: &str, value: Value| {
        let empty = match &value {
            Value::Null => true,
            Value::Object(fields) => fields.is_empty(),
            _ => false,
        };
        if !empty {
            out.insert(name.to_owned(), cut_value(value, DEPTH));
        }
    };
    add("user", event.user.read());
    add("tags", Value::Object(tags_of(&event.tags.read()).into_iter().collect()));
    add("extra", event.extra.read());
    let contexts: Map<String, Value> = event.contexts.read();
    for (name, value) in contexts {
        if !DULL_CONTEXTS.contains(&name.as_str()) {
            add(&name, value);
        }
    }
    out
}

fn platform(platform: Option<&str>, sdk: &str) -> Platform {
    match platform.unwrap_or("") {
        "python" => Platform::Python,
        "node" => Platform::Node,
        "javascript" if sdk.contains(".node") => Platform::Node,
        "javascript" => Platform::Javascript,
        "ruby" => Platform::Ruby,
        "java" => Platform::Java,
        "go" => Platform::Go,
        "native" | "rust" => Platform::Native,
        _ => Platform::Other,
    }
}

/// A moment as ISO 8601 (with or without fraction and zone) or as Unix seconds.
fn timestamp(text: Option<&str>) -> Option<i64> {
    let text = text?;
    if let Ok(seconds) = text.parse::<f64>() {
        #[allow(clippy::cast_possible_truncation, reason = "as saturates, and such a moment is nonsense anyway")]
        return Some((seconds * 1000.0) as i64);
    }
    if let Ok(moment) = text.parse::<jiff::Timestamp>() {
        return Some(moment.as_millisecond());
    }
    let civil: jiff::civil::DateTime = text.parse().ok()?;
    Some(civil.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_millisecond())
}

fn cut_text(text: impl AsRef<str>) -> String {
    let text = text.as_ref();
    match text.char_indices().nth(VALUE) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

fn cut_value(value: Value, depth: usize) -> Value {
    match value {
        Value::String(text) => Value::String(cut_text(text)),
        Value::Array(_) | Value::Object(_) if depth == 0 => Value::String("…".to_owned()),
        Value::Array(items) => {
            Value::Array(items.into_iter().take(ITEMS).map(|item| cut_value(item, depth - 1)).collect())
        }
        Value::Object(fields) => Value::Object(
            fields.into_iter().take(ITEMS).map(|(name, value)| (name, cut_value(value, depth - 1))).collect(),
        ),
        other => other,
    }
}
