//! Exceptions that a log holds as data, not as text: objects of JSON with a type, a message and a
//! list of calls, as AWS Lambda answers them and structured loggers write them.

mod block;
mod calls;

pub(super) use block::joined;

use super::{Found, message};
use domain::report::{Exception, Frame, Platform};
use serde_json::{Map, Value};

/// Keys of a list of calls.
const CALLS: [&str; 12] = [
    "stackTrace",
    "stack_trace",
    "stacktrace",
    "extendedStackTrace",
    "frames",
    "backtrace",
    "error_backtrace",
    "exception_backtrace",
    "stack",
    "trace",
    "error.stack_trace",
    "error.stack",
];
/// Keys of a type, the surest first.
const KINDS: [&str; 13] = [
    "exc_type",
    "errorType",
    "error_class",
    "exception_class",
    "exceptionClass",
    "error.type",
    "error.kind",
    "exception.type",
    "type",
    "class",
    "name",
    "kind",
    "exception",
];
/// Keys of a message, the surest first.
const SAID: [&str; 11] = [
    "exc_value",
    "errorMessage",
    "error_message",
    "exception_message",
    "error.message",
    "exception.message",
    "message",
    "msg",
    "reason",
    "value",
    "error",
];
/// Keys of what led to an exception.
const CAUSES: [&str; 5] = ["cause", "previous", "innerException", "inner_exception", "InnerException"];
/// Causes of causes: more are no record.
const MAX_CAUSES: usize = 30;
/// Objects in one another that are looked at; `serde_json` itself reads 128.
const MAX_DEPTH: usize = 20;

/// Whether the line may end in such an object.
pub(super) fn may_be(line: &str) -> bool {
    let line = line.trim_end();
    line.ends_with(['}', ',']) && has_key(line)
}

/// Whether the text has a key of a list of calls, or of what PHP's loggers write of an exception.
fn has_key(text: &str) -> bool {
    let is_list = |at: usize| text[at..].trim_start_matches([' ', ':']).starts_with('[');
    let has_calls = CALLS.iter().any(|key| {
        text.match_indices(key).any(|(at, _)| text[at + key.len()..].starts_with('"') && is_list(at + key.len() + 1))
    });
    has_calls || text.contains(".php:")
}

/// The exception of the object that the line ends in, causes first.
pub(super) fn read(line: &str) -> Option<Found> {
    if !may_be(line) {
        return None;
    }
    let line = line.trim_end().trim_end_matches(',');
    let Ok(Value::Object(object)) = serde_json::from_str(&line[line.find('{')?..]) else { return None };
    found(&object, MAX_DEPTH)
}

/// The exception of the object, or of the first in it that is one.
fn found(object: &Map<String, Value>, depth: usize) -> Option<Found> {
    if let Some(found) = chain(object) {
        return Some(found);
    }
    let depth = depth.checked_sub(1)?;
    // What a promise was rejected with says more than that it was.
    let first = object.get("reason").and_then(Value::as_object).and_then(|inner| found(inner, depth));
    first.or_else(|| {
        // Once each: or what nests would be looked at twice as often at each depth.
        object.iter().filter(|(key, _)| *key != "reason").find_map(|(_, value)| match value {
            Value::Object(inner) => found(inner, depth),
            Value::Array(parts) => raised_first(parts),
            _ => None,
        })
    })
}

/// `structlog`'s list: what was raised, then what led to it.
fn raised_first(parts: &[Value]) -> Option<Found> {
    let mut exceptions: Vec<Exception> = Vec::new();
    let mut platform = Platform::Python;
    for (number, part) in (0..).zip(parts.iter().take(MAX_CAUSES)) {
        let part = part.as_object().filter(|part| part.contains_key("exc_type"))?;
        let (of, mut exception) = exception(part)?;
        platform = of;
        exception.id = Some(number);
        if number > 0 {
            exception.parent = Some(number - 1);
            let is_cause = part.get("is_cause").and_then(Value::as_bool).unwrap_or_default();
            exception.source = Some(if is_cause { "__cause__" } else { "__context__" }.to_owned());
        }
        exceptions.push(exception);
    }
    exceptions.reverse();
    let is_one = exceptions.last().is_some_and(|raised| !raised.frames.is_empty());
    is_one.then_some((platform, exceptions))
}

/// An exception and its causes.
fn chain(object: &Map<String, Value>) -> Option<Found> {
    let (platform, raised) = exception(object)?;
    let mut exceptions = vec![raised];
    let mut at = object;
    while exceptions.len() < MAX_CAUSES
        && let Some(cause) = CAUSES.iter().find_map(|key| at.get(*key)?.as_object())
        && let Some((_, exception)) = exception(cause)
    {
        exceptions.push(Exception { source: Some("cause".to_owned()), ..exception });
        at = cause;
    }
    exceptions.reverse();
    Some((platform, exceptions))
}

/// The exception that an object is, if it has a type and calls.
fn exception(object: &Map<String, Value>) -> Option<(Platform, Exception)> {
    let listed = CALLS.iter().find_map(|key| calls::read(object.get(*key)?));
    let (platform, mut frames) = match (listed, calls::php_place(object)) {
        (Some((Platform::Other, frames)), Some(place)) => (Platform::Other, placed(frames, place)),
        (Some(listed), _) => listed,
        (None, place) => (Platform::Other, vec![place?]),
    };
    let pair = object.get("exception").and_then(Value::as_array).map(|pair| (pair.first(), pair.get(1)));
    let text = |keys: &[&str]| keys.iter().find_map(|key| object.get(*key)?.as_str());
    let kinds = || KINDS.iter().filter_map(|key| object.get(*key)?.as_str());
    let kind = match pair {
        Some((Some(kind), _)) => kind.as_str().and_then(name),
        _ => kinds().find_map(name),
    };
    let value = match pair {
        Some((_, Some(said))) => said.as_str(),
        _ => text(&SAID),
    };
    let kind = match kind {
        Some(kind) => kind,
        // An error of Go's has no name.
        None if platform == Platform::Go && object.contains_key("error") => {
            let value = object.get("error").and_then(Value::as_str).and_then(|said| message([said]));
            let exception = Exception { kind: "error".to_owned(), value, frames, ..Exception::default() };
            return Some((platform, exception));
        }
        None => return None,
    };
    let (module, kind) = match kind.rsplit_once('.') {
        Some((module, kind)) if matches!(platform, Platform::Java | Platform::Python) => {
            (Some(module.to_owned()), kind)
        }
        _ => (None, kind),
    };
    if platform == Platform::Go {
        calls::without_runtime(&mut frames);
    }
    let value = value.and_then(|said| message(said.lines()));
    Some((platform, Exception { kind: kind.to_owned(), module, value, frames, ..Exception::default() }))
}

/// The place that the exception itself names is inwards of its calls, if it is none of them.
fn placed(mut frames: Vec<Frame>, place: Frame) -> Vec<Frame> {
    let is_there = frames.last().is_some_and(|last| last.filename == place.filename && last.line == place.line);
    if !is_there {
        frames.push(place);
    }
    frames
}

/// `java.lang.IllegalStateException`, `Function<NoMethodError>` of Lambda's Ruby.
fn name(text: &str) -> Option<&str> {
    let text = text.strip_prefix("Function<").and_then(|text| text.strip_suffix('>')).unwrap_or(text);
    let is_name = text.starts_with(|c: char| c.is_alphabetic() || c == '_' || c == '*')
        && text.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | ':' | '$' | '\\' | '*' | '`' | '+'));
    is_name.then_some(text)
}
