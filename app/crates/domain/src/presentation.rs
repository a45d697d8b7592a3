//! Presentation: puts a report and what was found out about it into the shape that people read.

use super::alert::{TracedException, TracedFrame};
use super::attribution::Attribution;
use super::culprit::FrameAt;
use super::report::{Exception, Frame, Report};
use super::repository::Repository;
use serde_json::Value;

/// Variables shown of one frame: as many as fit a screen.
const VARIABLES_SHOWN: usize = 25;
/// Characters shown of one value: enough to recognise it by.
const VALUE_SHOWN: usize = 400;
/// Headers of a request that say something to the reader of an error.
const HEADERS_SHOWN: [&str; 6] = ["host", "user-agent", "referer", "content-type", "accept", "x-request-id"];

/// The traceback with own frames and the culprit marked.
pub fn traceback(repository: &Repository, report: &Report, found: Option<&Attribution>) -> Vec<TracedException> {
    report
        .exceptions
        .iter()
        .enumerate()
        .map(|(index, exception)| TracedException {
            name: exception.full_name(),
            value: exception.value.clone(),
            relation: relation(&report.exceptions, index),
            frames: exception
                .frames
                .iter()
                .enumerate()
                .map(|(frame_index, frame)| {
                    (frame.is_named, traced_frame(repository, frame, found, (index, frame_index)))
                })
                .filter(|(is_named, frame)| frame.own || !is_named)
                .map(|(_, frame)| frame)
                .collect(),
        })
        .collect()
}

fn traced_frame(repository: &Repository, frame: &Frame, found: Option<&Attribution>, at: FrameAt) -> TracedFrame {
    let located = found.and_then(|found| found.located.get(&at));
    let code = frame.context_line.as_deref().or(located.map(|located| located.code.as_str()));
    let url = located
        .zip(found.and_then(|found| found.revision.as_ref()))
        .and_then(|(located, commit)| repository.line_url(commit, &located.path, located.line));
    TracedFrame {
        path: match located {
            Some(located) => located.path.clone(),
            None => frame.place_name().to_owned(),
        },
        line: frame.line.or(located.map(|located| located.line)).unwrap_or(0),
        function: frame.function_name().to_owned(),
        code: code.map(|code| code.trim().to_owned()).filter(|code| !code.is_empty()),
        own: located.is_some(),
        culprit: found.is_some_and(|found| found.culprit == Some(at)),
        url,
        vars: if located.is_some() { variables(frame) } else { Vec::new() },
    }
}

/// The sentence that Python prints between two exceptions of a chain.
fn relation(exceptions: &[Exception], index: usize) -> Option<String> {
    let before = index.checked_sub(1).map(|before| &exceptions[before])?;
    let this = &exceptions[index];
    if this.is_group || before.source.as_deref().is_some_and(|source| source.starts_with("exceptions[")) {
        return Some("Gathered into the exception group:".to_owned());
    }
    Some(if before.source.as_deref() == Some("__cause__") {
        "The above exception was the direct cause of the following exception:".to_owned()
    } else {
        "During handling of the above exception, another exception occurred:".to_owned()
    })
}

fn variables(frame: &Frame) -> Vec<(String, String)> {
    let mut shown: Vec<(String, String)> =
        frame.vars.iter().take(VARIABLES_SHOWN).map(|(name, value)| (name.clone(), shorten(&text_of(value)))).collect();
    if frame.vars.len() > VARIABLES_SHOWN {
        shown.push(("…".to_owned(), format!("{} more", frame.vars.len() - VARIABLES_SHOWN)));
    }
    shown
}

/// What a reader wants to know of the request.
pub fn request(report: &Report) -> Vec<(String, String)> {
    let Some(request) = &report.request else { return Vec::new() };
    let mut rows = Vec::new();
    let mut add = |name: &str, value: Option<String>| {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            rows.push((name.to_owned(), shorten(&value)));
        }
    };
    add("Method", request.method.clone());
    add("URL", request.url.clone());
    add("Query", request.query.clone());
    for (name, value) in &request.headers {
        if HEADERS_SHOWN.contains(&name.to_ascii_lowercase().as_str()) {
            add(name, Some(value.clone()));
        }
    }
    add("Body", request.data.as_ref().map(text_of));
    rows
}

/// Where it ran and what the application said about it.
pub fn additional(report: &Report) -> Vec<(String, String)> {
    let mut rows = Vec::new();
    for (name, value) in [
        ("Environment", &report.environment),
        ("Server", &report.server_name),
        ("Release", &report.release),
        ("Transaction", &report.transaction),
        ("Logger", &report.logger),
        ("Client", &report.sdk),
    ] {
        if let Some(value) = value.as_ref().filter(|value| !value.is_empty()) {
            rows.push((name.to_owned(), shorten(value)));
        }
    }
    for (section, value) in &report.additional {
        match value {
            Value::Object(fields) => {
                for (name, value) in fields {
                    rows.push((format!("{section}.{name}"), shorten(&text_of(value))));
                }
            }
            other => rows.push((section.clone(), shorten(&text_of(other)))),
        }
    }
    rows
}

/// A value as a person would write it: texts without quotes, all else as JSON.
fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn shorten(text: &str) -> String {
    match text.char_indices().nth(VALUE_SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
