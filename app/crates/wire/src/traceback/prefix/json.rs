//! Logs of which each line is an object of JSON: docker's own, `go test`'s, and those of structured
//! loggers.

use super::{folded, is_of_traceback};
use serde_json::{Map, Value};
use std::borrow::Cow;

/// Keys of what a program said, the first that is there.
const SAID: [&str; 12] = [
    "message",
    "msg",
    "MESSAGE",
    "@message",
    "log",
    "text",
    "textPayload",
    "event",
    "line",
    "full_message",
    "short_message",
    "errorMessage",
];

/// What an object says.
pub(super) struct Text {
    pub(super) lines: Vec<String>,
    /// Which output it was written to.
    output: Option<String>,
    /// Its last line goes on in the next object.
    is_cut: bool,
}

/// What the object at the end of a line says; `None`: there is none.
pub(super) fn text(line: &str) -> Option<Text> {
    let line = line.trim_end().trim_end_matches(',');
    let start = line.find('{').filter(|_| line.ends_with('}'))?;
    let Ok(Value::Object(object)) = serde_json::from_str(&line[start..]) else { return None };
    let output = object.get("stream").and_then(Value::as_str).map(str::to_owned);
    if let (Some(log), Some(_)) = (object.get("log").and_then(Value::as_str), &output) {
        return Some(Text { lines: lines_of(log), output, is_cut: !log.ends_with('\n') });
    }
    // `go test -json`: of each test on its own, for several run at a time.
    if let ("output", Some(said)) = (text_at(&object, "Action"), object.get("Output").and_then(Value::as_str)) {
        let output = format!("{} {}", text_at(&object, "Package"), text_at(&object, "Test"));
        return Some(Text { lines: lines_of(said), output: Some(output), is_cut: !said.ends_with('\n') });
    }
    let mut lines = Vec::new();
    if let Some(said) = SAID.iter().find_map(|key| object.get(*key)?.as_str()) {
        lines.extend(lines_of(said));
    }
    let said = lines.len();
    add_tracebacks(&object, &mut lines);
    add_error(&object, said, &mut lines);
    // What stands above the calls once more.
    if said == 1 && lines.len() > 1 && lines[0] == lines[1] {
        lines.remove(0);
    }
    let said = said.min(lines.len());
    // The message is a traceback itself, and is told a second time.
    if lines.len() > said && lines[..said].iter().any(|line| is_of_traceback(line)) {
        lines.drain(..said);
    }
    Some(Text { lines, output: None, is_cut: false })
}

fn text_at<'a>(object: &'a Map<String, Value>, key: &str) -> &'a str {
    object.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// The lines, each object's text in its place, those of the other output left out.
pub(super) fn taken_out(lines: Vec<Cow<'_, str>>) -> Vec<Cow<'_, str>> {
    let texts: Vec<_> = lines.iter().map(|line| text(line)).collect();
    let last = texts.iter().flatten().rev().find(|text| text.lines.iter().any(|line| is_of_traceback(line)));
    let output = last.and_then(|text| text.output.clone());
    let mut out: Vec<Cow<'_, str>> = Vec::new();
    let mut is_cut = false;
    for (line, text) in lines.into_iter().zip(texts) {
        let Some(text) = text else {
            is_cut = false;
            out.push(line);
            continue;
        };
        if output.is_some() && text.output.is_some() && text.output != output {
            continue;
        }
        let mut parts = text.lines.into_iter();
        if is_cut && let (Some(last), Some(first)) = (out.last_mut(), parts.next()) {
            last.to_mut().push_str(&first);
        }
        // A record of several lines is whole; what follows is another's.
        let is_whole = text.output.is_none() && parts.len() > 1;
        out.extend(parts.map(Cow::Owned));
        if is_whole {
            out.push(Cow::Borrowed(""));
        }
        is_cut = text.is_cut;
    }
    out
}

/// Go's loggers have a message of their own, the error's beside it, and its stack.
fn add_error(object: &Map<String, Value>, said: usize, lines: &mut Vec<String>) {
    let error = ["error", "err"].iter().find_map(|key| object.get(*key)?.as_str());
    let Some(error) = error.filter(|error| !error.contains('\n')) else { return };
    if said > 1 || !lines[said..].iter().any(|line| line.contains(".go:")) {
        return;
    }
    match lines.first_mut().filter(|_| said == 1) {
        Some(message) if message.contains(error) => {}
        Some(message) => *message = format!("{message}: {error}"),
        None => lines.insert(0, error.to_owned()),
    }
}

fn lines_of(text: &str) -> Vec<String> {
    if let Some(lines) = folded::calls(text).filter(|_| !text.contains('\n')) {
        return lines.into_iter().map(Cow::into_owned).collect();
    }
    let text = text.strip_suffix('\n').unwrap_or(text);
    text.split('\n').map(|line| line.trim_end_matches('\r').to_owned()).collect()
}

/// Texts and lists of texts that are tracebacks, wherever they are in the object. (How deep
/// objects may lie in one another is `serde_json`'s limit.)
fn add_tracebacks(object: &Map<String, Value>, lines: &mut Vec<String>) {
    let header = header(object);
    let has_calls = |key: &str| {
        let text = object.get(key).and_then(Value::as_str);
        text.is_some_and(|text| text.lines().any(is_of_traceback))
    };
    // The error's own stack says more than where it was logged.
    let is_told = object.contains_key("stacktrace") && has_calls("errorVerbose");
    // What a promise was rejected with says more than that it was.
    let reason = object.get("reason").and_then(Value::as_object).filter(|reason| reason.contains_key("stack"));
    if let Some(reason) = reason {
        return add_tracebacks(reason, lines);
    }
    for (_, value) in object.iter().filter(|(key, _)| !(is_told && *key == "stacktrace")) {
        let found = match value {
            Value::String(text) if text.contains('\n') || folded::calls(text).is_some() => lines_of(text),
            Value::Array(parts) if parts.iter().all(Value::is_string) => {
                parts.iter().filter_map(Value::as_str).flat_map(lines_of).collect()
            }
            Value::Array(parts) => {
                parts.iter().filter_map(Value::as_object).for_each(|part| add_tracebacks(part, lines));
                continue;
            }
            Value::Object(inner) => {
                add_tracebacks(inner, lines);
                continue;
            }
            _ => continue,
        };
        if !found.iter().any(|line| is_of_traceback(line)) {
            continue;
        }
        // Calls alone, and what they led to beside them.
        let is_headless = found.first().is_some_and(|first| is_of_traceback(first) && !first.contains(" (most recent"));
        if let Some(header) = header.as_ref().filter(|_| is_headless) {
            lines.push(header.clone());
        }
        lines.extend(found);
    }
}

/// `Type: message` out of what stands beside a list of calls.
fn header(object: &Map<String, Value>) -> Option<String> {
    let find = |names: &[&str]| {
        object.iter().find_map(|(key, value)| {
            let key = key.to_ascii_lowercase();
            let name = key.rsplit(['.', '_']).next().unwrap_or(&key);
            names.contains(&name).then(|| value.as_str()).flatten()
        })
    };
    let is_name = |text: &&str| {
        text.starts_with(|c: char| c.is_alphabetic())
            && text.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | ':' | '$' | '\\'))
    };
    let kind = find(&["type", "class", "kind", "errortype", "exception", "name"]).filter(is_name)?;
    Some(match find(&["message", "msg", "errormessage", "value", "reason"]) {
        Some(said) => format!("{kind}: {said}"),
        None => kind.to_owned(),
    })
}
