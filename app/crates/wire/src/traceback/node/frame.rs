//! Calls as JavaScript's engines print them, and those that Node leaves out.

use crate::traceback::place;
use domain::report::Frame;

/// Ends of the names of files that JavaScript is written in.
const FILES: [&str; 11] =
    [".js", ".mjs", ".cjs", ".jsx", ".ts", ".mts", ".cts", ".tsx", ".vue", ".svelte", ".jsbundle"];

/// `at f (/srv/a.js:1:2)`, `at async file:///srv/a.mjs:1:2`, `at JSON.parse (<anonymous>)`, or
/// `f@https://example.com/a.js:1:2` of Firefox and Safari. Of others of the first form only the
/// text is kept.
pub(in super::super) fn frame(line: &str) -> Option<Frame> {
    let Some(text) = line.trim().strip_prefix("at ") else {
        return pointed_at(line).or_else(|| with_at_sign(line.trim())).or_else(|| in_console(line));
    };
    // The next member of a list follows a comma.
    let text = text.strip_suffix(" {").unwrap_or(text).trim_end_matches(',');
    let text = text.strip_prefix("async ").unwrap_or(text);
    let (function, place) = match text.strip_suffix(')').and_then(|text| text.split_once(" (")) {
        Some((function, place)) => (Some(function), place),
        None => (None, text),
    };
    let function = function.map(|name| name.split(" [as ").next().unwrap_or(name));
    // Hermes, of code that was compiled before.
    let place = place.strip_prefix("address at ").unwrap_or(place);
    // `eval at f (/srv/a.js:1:2), <anonymous>:1:1`: where it was written is what counts.
    let place = place
        .strip_prefix("eval at ")
        .and_then(|text| text.rsplit_once(" ("))
        .map_or(place, |(_, place)| place.split_once(')').map_or(place, |(place, _)| place));
    if let Some((path, line, column)) = place::path_line_and_column(place) {
        // Rust prints its places in the same way.
        if path.ends_with(".rs") {
            return None;
        }
        return Some(place::frame(path, Some(line), Some(column), function));
    }
    let is_file = |path: &str| FILES.iter().any(|end| path.ends_with(end));
    if let Some((path, line)) = place::path_and_line(place).filter(|(path, _)| is_file(path)) {
        return Some(place::frame(path, Some(line), None, function));
    }
    let is_known =
        matches!(place, "<anonymous>" | "<Jasmine>" | "native" | "native code" | "unknown location" | "<unknown>")
            || place.starts_with("index ")
            || place.starts_with("wasm://");
    // Nothing else is printed alone, but with a place in brackets.
    if is_known { Some(place::frame(place, None, None, function)) } else { None }
}

/// Vitest's `❯ total src/cart.ts:2:19`, and `❯ src/cart.ts:2:19`.
fn pointed_at(line: &str) -> Option<Frame> {
    let text = line.trim().strip_prefix("❯ ")?;
    let (place, line, column) = place::path_line_and_column(text)?;
    let is_file = |path: &str| FILES.iter().any(|end| path.split('?').next().is_some_and(|path| path.ends_with(end)));
    is_file(place).then_some(())?;
    // A function may be called `new Cart`; a folder may have a space in it, too.
    let (function, path) = match place.rsplit_once(' ') {
        Some((function, path)) if !function.contains(['/', '\\']) => (Some(function), path),
        _ => (None, place),
    };
    Some(place::frame(path, Some(line), Some(column), function))
}

/// Whether the line is a call, for what lies between two.
pub(super) fn is_call(line: &str) -> bool {
    hidden(line).is_some() || frame(line).is_some()
}

/// `f@https://example.com/a.js:1:2`, `@https://…`.
fn with_at_sign(text: &str) -> Option<Frame> {
    let (function, place) = text.split_once('@')?;
    if place == "[native code]" {
        return Some(place::frame("native", None, None, Some(function)));
    }
    let (path, line, column) = place::path_line_and_column(place)?;
    let is_script = path.contains("://") || FILES.iter().any(|end| path.ends_with(end));
    let is_name =
        !function.contains([':', '"', ' ', '=']) || matches!(function, "global code" | "module code" | "eval code");
    (is_script && is_name && !path.contains(char::is_whitespace))
        .then(|| place::frame(path, Some(line), Some(column), Some(function)))
}

/// `    total http://localhost:8080/app.js:1`, as Firefox's console is copied.
fn in_console(line: &str) -> Option<Frame> {
    let (function, address) = line.strip_prefix([' ', '\t'])?.trim().split_once(' ')?;
    let (_, rest) = address
        .split_once("://")
        .filter(|(scheme, _)| scheme.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'))?;
    let is_name = function.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '$' | '.' | '/' | '<' | '>' | '*'));
    (is_name && rest.contains('/') && !rest.contains(char::is_whitespace)).then_some(())?;
    let (path, line, column) = match place::path_line_and_column(address) {
        Some((path, line, column)) => (path, line, Some(column)),
        None => place::path_and_line(address).map(|(path, line)| (path, line, None))?,
    };
    let is_file = FILES.iter().any(|end| path.split('?').next().is_some_and(|path| path.ends_with(end)));
    is_file.then(|| place::frame(path, Some(line), column, Some(function)))
}

/// `... 6 lines matching cause stack trace ...`
pub(super) fn hidden(line: &str) -> Option<usize> {
    let count = line.trim().strip_prefix("... ")?.strip_suffix(" lines matching cause stack trace ...")?;
    count.parse().ok()
}

/// Puts in what Node left out because the cause has the same: it begins below the call that is
/// printed above the gap. `frames` and `cause` have the oldest call first, `gaps` count from the
/// innermost.
pub(super) fn fill_in(frames: &mut Vec<Frame>, gaps: &[(usize, usize)], cause: &[Frame]) {
    // Node makes one gap.
    let Some(&(innermost, count)) = gaps.first() else { return };
    let Some(at) = frames.len().checked_sub(innermost) else { return };
    let Some(above) = frames.get(at) else { return };
    let same =
        |frame: &Frame| frame.filename == above.filename && frame.line == above.line && frame.column == above.column;
    let Some(found) = cause.iter().rposition(same) else { return };
    let from = found.saturating_sub(count);
    let shared: Vec<Frame> = cause[from..found].to_vec();
    frames.splice(at..at, shared);
}
