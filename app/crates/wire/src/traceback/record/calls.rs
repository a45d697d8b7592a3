//! Lists of calls in data: as texts, as lists, as objects.

use crate::traceback::{dotnet, java, node, place, python, ruby};
use domain::report::{Frame, Platform};
use serde_json::{Map, Value};

/// Where the runtime's own calls are, as Go's paths begin without the folder that they are built
/// in, and what takes a panic on Lambda.
const RUNTIME_OF_GO: [&str; 2] = ["runtime/", "github.com/aws/aws-lambda-go"];

/// The calls of a list, the oldest first, and whose they are.
pub(super) fn read(value: &Value) -> Option<(Platform, Vec<Frame>)> {
    let parts = value.as_array()?;
    let read = |part: &Value| match part {
        Value::String(text) => of_text(text),
        Value::Array(columns) => of_columns(columns),
        Value::Object(object) => of_object(object),
        _ => None,
    };
    let (platform, _) = read(parts.first()?)?;
    let mut frames: Vec<Frame> = parts.iter().filter_map(read).map(|(_, frame)| frame).collect();
    if platform != Platform::Python {
        frames.reverse();
    }
    Some((platform, frames))
}

/// Takes off the runtime's own calls that raise a panic.
pub(super) fn without_runtime(frames: &mut Vec<Frame>) {
    let is_runtime = |frame: &&Frame| {
        let path = frame.filename.as_deref().unwrap_or_default();
        RUNTIME_OF_GO.iter().any(|begin| path.starts_with(begin)) || path.contains("/src/runtime/")
    };
    let raising = frames.iter().rev().take_while(is_runtime).count();
    if raising < frames.len() {
        frames.truncate(frames.len() - raising);
    }
}

/// A call as its language prints it, maybe without its first word.
fn of_text(text: &str) -> Option<(Platform, Frame)> {
    let text = text.trim_end();
    let mut lines = text.lines();
    let first = lines.next()?.trim();
    if let Some(frame) = python::frame(first) {
        let context_line = lines.next().map(|code| code.trim().to_owned()).filter(|code| !code.is_empty());
        return Some((Platform::Python, Frame { context_line, ..frame }));
    }
    if lines.next().is_some() {
        return None;
    }
    if let Some(frame) = ruby::bare(first) {
        return Some((Platform::Ruby, frame));
    }
    if let Some(frame) = dotnet::frame(first).filter(|frame| frame.line.is_some()) {
        return Some((Platform::Other, frame));
    }
    let call = if first.starts_with("at ") { first.to_owned() } else { format!("at {first}") };
    if let Some(frame) = java::frame(&call) {
        return Some((Platform::Java, frame));
    }
    if let Some((path, line)) = place::path_and_line(first).filter(|(path, _)| path.ends_with(".php")) {
        return Some((Platform::Other, place::frame(path, Some(line), None, None)));
    }
    node::frame(&call).filter(|frame| frame.column.is_some()).map(|frame| (Platform::Node, frame))
}

/// `["/var/task/app.py", 9, "handler", "fill(event)"]`, as Lambda's Python 2 wrote it.
fn of_columns(columns: &[Value]) -> Option<(Platform, Frame)> {
    let text = |at: usize| columns.get(at).and_then(Value::as_str);
    let frame = place::frame(text(0)?, Some(number(columns.get(1)?)?), None, text(2));
    let context_line = text(3).map(|code| code.trim().to_owned()).filter(|code| !code.is_empty());
    Some((Platform::Python, Frame { context_line, ..frame }))
}

/// `{"filename": …, "lineno": …, "name": …}` under any names.
fn of_object(object: &Map<String, Value>) -> Option<(Platform, Frame)> {
    let text = |keys: &[&str]| keys.iter().find_map(|key| object.get(*key)?.as_str());
    let path = text(&["filename", "file", "fileName", "path", "abs_path", "source"])?;
    let line = ["lineno", "line", "lineNumber", "line_number"].iter().find_map(|key| number(object.get(*key)?));
    let function = text(&["name", "function", "func", "method", "methodName", "label"]);
    let end = path.rsplit('.').next().unwrap_or_default();
    let platform = match end {
        "py" | "pyx" => Platform::Python,
        "go" | "s" => Platform::Go,
        "rb" | "erb" | "rake" | "ru" => Platform::Ruby,
        "js" | "mjs" | "cjs" | "ts" | "tsx" | "jsx" | "mts" | "cts" | "vue" => Platform::Node,
        "java" | "kt" | "kts" | "scala" | "groovy" | "clj" => Platform::Java,
        "php" | "cs" | "fs" | "vb" | "ex" | "exs" | "erl" | "dart" | "pl" | "pm" | "swift" => Platform::Other,
        _ => return None,
    };
    let class = text(&["class", "className", "declaringClass"]).filter(|_| platform == Platform::Java);
    if let (Some(class), Some(line)) = (class, line) {
        let frame = java::frame(&format!("at {class}.{}({path}:{line})", function.unwrap_or("?")))?;
        return Some((platform, frame));
    }
    let column = ["column", "columnNumber", "colno"].iter().find_map(|key| number(object.get(*key)?));
    let mut frame = place::frame(path, line, column, function);
    frame.context_line = text(&["context_line", "code"]).map(|code| code.trim().to_owned());
    Some((platform, frame))
}

/// `"file": "/srv/app/Cart.php:3"` beside a type, as Monolog writes of an exception.
pub(super) fn php_place(object: &Map<String, Value>) -> Option<Frame> {
    let file = object.get("file")?.as_str()?;
    let line = object.get("line").and_then(number);
    let (path, line) = line.map_or_else(|| place::path_and_line(file), |line| Some((file, line)))?;
    (path.ends_with(".php") && object.contains_key("class")).then(|| place::frame(path, Some(line), None, None))
}

fn number(value: &Value) -> Option<u32> {
    match value {
        Value::String(text) => text.parse().ok(),
        value => value.as_u64().and_then(|number| number.try_into().ok()),
    }
}
