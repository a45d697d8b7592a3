//! Dart's stack traces: the virtual machine's, Flutter's, and the terse ones of `stack_trace`.

use super::{MESSAGE_LINES, message, place};
use domain::report::{Exception, Frame};

/// What the core library's errors say of themselves instead of their type.
const SAID: &[(&str, &str)] = &[
    ("Bad state: ", "StateError"),
    ("Invalid argument", "ArgumentError"),
    ("Unsupported operation: ", "UnsupportedError"),
    ("UnimplementedError", "UnimplementedError"),
    ("Concurrent modification during iteration", "ConcurrentModificationError"),
    ("Null check operator used on a null value", "TypeError"),
    ("type '", "TypeError"),
    ("Stack Overflow", "StackOverflowError"),
    ("Out of Memory", "OutOfMemoryError"),
];
/// Lines that a widget's name takes.
const ODD_LINES: usize = 4;
/// Lines between two frames that are none: what waits, and gaps between chains.
const GAPS: &[&str] = &["<asynchronous suspension>", "===== asynchronous gap ", "<asynchronous gap>", "(elided "];
const TITLES: &[&str] = &["Stack trace:", "When the exception was thrown, this was the stack", "StackTrace:"];
/// What a build without symbols prints instead of a name.
const WITHOUT_SYMBOLS: &str = "(without symbols)";

/// The exception of the last stack trace; empty where there is none.
pub(super) fn parse(lines: &[&str]) -> Vec<Exception> {
    let mut found = Vec::new();
    let (mut at, mut end_of_last) = (0, 0);
    while at < lines.len() {
        let Some((first, taken)) = frame_at(lines, at) else {
            at += 1;
            continue;
        };
        let window = &lines[end_of_last.max(at.saturating_sub(MESSAGE_LINES))..at];
        let mut frames = vec![first];
        at += taken;
        while let Some(line) = lines.get(at).map(|line| plain(line)) {
            if is_first(line) {
                break;
            }
            match frame_at(lines, at) {
                Some((frame, taken)) => {
                    frames.push(frame);
                    at += taken;
                }
                None if is_gap(line) => at += 1,
                None => break,
            }
        }
        frames.reverse();
        end_of_last = at;
        let is_stack = |frame: &Frame| frame.line.is_some() || frame.function_name() == WITHOUT_SYMBOLS;
        if !frames.iter().any(is_stack) {
            continue;
        }
        let (kind, value) = head(window);
        found = vec![Exception { kind, value, frames, ..Exception::default() }];
    }
    found
}

/// A line without what Android's log and Flutter's tool put before it.
fn plain(line: &str) -> &str {
    let line = line.trim_start();
    let logged = line.split_once("/flutter").and_then(|(before, rest)| {
        before.ends_with(|level: char| "VDIWEF".contains(level)).then_some(())?;
        rest.strip_prefix(':').or_else(|| Some(rest.trim_start().strip_prefix('(')?.split_once("):")?.1))
    });
    logged.or_else(|| line.strip_prefix("flutter: ")).unwrap_or(line).trim()
}

fn is_gap(line: &str) -> bool {
    line.is_empty() || GAPS.iter().any(|gap| line.contains(gap)) || line.starts_with("...")
}

fn is_first(line: &str) -> bool {
    line.starts_with("#0 ") || line.starts_with("#00 ")
}

/// Type and message in the lines above a stack.
fn head(window: &[&str]) -> (String, Option<String>) {
    let lines: Vec<&str> = window.iter().map(|line| plain(line)).collect();
    let end = lines.iter().rposition(|line| !line.is_empty() && !TITLES.iter().any(|title| line.starts_with(title)));
    let Some(end) = end.map(|end| end + 1) else { return ("Exception".to_owned(), None) };
    // `The following _TypeError was thrown building Cart:`
    let thrown =
        lines[..end].iter().rposition(|line| line.starts_with("The following ") && line.contains(" was thrown"));
    if let Some(at) = thrown {
        let named = lines[at]["The following ".len()..].split(' ').next().unwrap_or("");
        // The widget's name may take several lines, the last of which ends so.
        let mut open = 0_usize;
        let said = (at..end).take(ODD_LINES).find(|&at| {
            let (opens, closes) = (lines[at].matches('(').count(), lines[at].matches(')').count());
            open = (open + opens).saturating_sub(closes);
            open == 0 && lines[at].ends_with(':')
        });
        let said = said.unwrap_or(at);
        let text = lines[said + 1..end].iter().copied().take_while(|line| !line.is_empty());
        let (kind, value) = kind_of(text);
        let kind = match (kind.as_str(), named.trim_start_matches('_')) {
            ("Exception", "assertion") => "AssertionError".to_owned(),
            ("Exception", named) => named.to_owned(),
            _ => kind,
        };
        return (kind, value);
    }
    let unhandled = |line: &&str| line.to_ascii_lowercase().contains("unhandled exception:");
    if let Some(at) = lines[..end].iter().rposition(unhandled) {
        let said = lines[at].rsplit_once(": ").map(|_| after_mark(lines[at]));
        return kind_of(said.into_iter().chain(lines[at + 1..end].iter().copied()).filter(|line| !line.is_empty()));
    }
    // An expectation that was not met says no type.
    let expected = lines[..end].iter().rposition(|line| line.starts_with("Expected: "));
    if let Some(at) = expected.filter(|&at| lines[at..end].iter().any(|line| line.starts_with("Actual: "))) {
        let said = lines[at..end].iter().copied().take_while(|line| !line.is_empty());
        return ("TestFailure".to_owned(), message(said));
    }
    // Without a mark, no more than the paragraph above.
    let begin = lines[..end].iter().rposition(|line| line.is_empty()).map_or(0, |at| at + 1);
    let begin = (begin..end).find(|&at| names_type(lines[at])).unwrap_or(end - 1);
    kind_of(lines[begin..end].iter().copied())
}

fn after_mark(line: &str) -> &str {
    const MARK: &str = "exception:";
    let at = line.to_ascii_lowercase().rfind(MARK).map_or(0, |at| at + MARK.len());
    line.get(at..).unwrap_or("").trim()
}

fn names_type(line: &str) -> bool {
    SAID.iter().any(|(said, _)| line.starts_with(said)) || named(line).is_some()
}

/// `FormatException: text`, `RangeError (index): text`.
fn named(line: &str) -> Option<(&str, &str)> {
    let (name, said) = line.split_once(": ").unwrap_or((line.trim_end_matches(':'), ""));
    let name = name.split(" (").next().unwrap_or(name);
    let is_type = name.starts_with(|c: char| c.is_ascii_uppercase() || c == '_')
        && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '$' | '<' | '>'));
    let is_error = ["Exception", "Error", "Failure"].iter().any(|end| name.ends_with(end));
    (is_type && is_error).then_some((name, said))
}

fn kind_of<'a>(lines: impl IntoIterator<Item = &'a str>) -> (String, Option<String>) {
    let mut lines = lines.into_iter();
    let first = lines.next().unwrap_or("");
    let first = first.strip_prefix("Uncaught Error: ").unwrap_or(first);
    if first.contains(": Failed assertion: ") {
        return ("AssertionError".to_owned(), message(std::iter::once(first).chain(lines)));
    }
    if let Some((_, kind)) = SAID.iter().find(|(said, _)| first.starts_with(said)) {
        let first = first.strip_prefix("Bad state: ").unwrap_or(first);
        return ((*kind).to_owned(), message(std::iter::once(first).chain(lines)));
    }
    match named(first) {
        Some((kind, said)) => (kind.trim_start_matches('_').to_owned(), message(std::iter::once(said).chain(lines))),
        None => ("Exception".to_owned(), message(std::iter::once(first).chain(lines))),
    }
}

/// A frame, and of how many lines it is: editors put the place below the name.
fn frame_at(lines: &[&str], at: usize) -> Option<(Frame, usize)> {
    let line = plain(lines[at]);
    if let Some(frame) = numbered(line).or_else(|| terse(line)) {
        return Some((frame, 1));
    }
    let (count, name) = line.strip_prefix('#')?.split_once(' ')?;
    let place = plain(lines.get(at + 1)?);
    let is_numbered = !count.is_empty() && count.bytes().all(|byte| byte.is_ascii_digit());
    (is_numbered && !place.contains(' ') && !place.starts_with('#')).then_some(())?;
    Some((located(place, name)?, 2))
}

/// `#0      Cart.total (package:shop/cart.dart:3:12)`, or an address where there are no symbols.
fn numbered(line: &str) -> Option<Frame> {
    let (count, rest) = line.strip_prefix('#')?.split_once(' ')?;
    (!count.is_empty() && count.bytes().all(|byte| byte.is_ascii_digit())).then_some(())?;
    let rest = rest.trim();
    if rest.starts_with("abs ") && rest.contains("Instructions") {
        return Some(Frame { function: Some(WITHOUT_SYMBOLS.to_owned()), ..Frame::default() });
    }
    let (function, place) = rest.strip_suffix(')')?.rsplit_once(" (")?;
    located(place, function)
}

fn located(place: &str, function: &str) -> Option<Frame> {
    let (path, line, column) = match place::path_line_and_column(place) {
        Some((path, line, column)) => (path, Some(line), Some(column)),
        None => match place::path_and_line(place) {
            Some((path, line)) => (path, Some(line), None),
            None => (place, None, None),
        },
    };
    is_dart(path).then(|| place::frame(path, line, column, Some(function.trim())))
}

/// `package:shop/cart.dart 3:12  Cart.total`
fn terse(line: &str) -> Option<Frame> {
    let (path, rest) = line.split_once(' ')?;
    is_dart(path).then_some(())?;
    let (at, function) = rest.trim_start().split_once(' ')?;
    let mut numbers = at.split(':').map(|number| number.parse::<u32>().ok());
    let line = numbers.next()??;
    let column = numbers.next().flatten();
    Some(place::frame(path, Some(line), column, Some(function.trim())))
}

fn is_dart(path: &str) -> bool {
    path.starts_with("package:") || path.starts_with("dart:") || path.ends_with(".dart")
}
