//! Python's tracebacks as others print them: notebooks, test runners, `rich`, and the interpreter
//! itself when it dies.

use super::{exception, is_error};
use crate::traceback::{MESSAGE_LINES, message, place};
use domain::report::{Exception, Frame};
use regex::Regex;
use std::sync::LazyLock;

/// What `rich` draws before code that is indented.
const GUIDES: [char; 4] = ['│', '╎', '┆', ' '];
/// Said by an interpreter that dies.
const FATAL: &str = "Fatal Python error: ";
/// Above calls in the other order.
const FIRST: &str = "(most recent call first)";

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a constant pattern compiles")
}

/// IPython's: `File /srv/a.py:3, in f(x)`, `/srv/a.py in f(x)`, `Cell In[3], line 2`; `rich`'s:
/// `│ /srv/a.py:3 in f   │`.
static CALL: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^(?:File (\S.*?):(\d+)(?:, in (.+))?|((?:/|~|[A-Za-z]:|<ipython|\.{1,2}/)\S*[^\s\d]) in (.+)|((?:Cell In|Input In|In) ?\[\d+\]), (?:line (\d+)|in ([^<(]*).*)(?:, in (.+))?|[│|]?\s*(\S+\.py):(\d+) in ([^\s│|]+).*)$",
    )
});
/// `---> 12     return x`, `│ ❱ 12 │   return x`.
static ARROW: LazyLock<Regex> = LazyLock::new(|| pattern(r"^(?:-+> ?(\d+) (.*)|[│|]?\s*❱\s*(\d+)\s*[│|](.*))$"));
/// pytest's: `shop/cart.py:3: KeyError`, `shop/cart.py:3: in total`.
static PLACE: LazyLock<Regex> = LazyLock::new(|| pattern(r"^(\S[^:]*\.pyx?):(\d+): ?(?:in (\S+)|([A-Za-z_][\w.]*))?$"));

/// pytest's with `--tb=line`: `/srv/shop/cart.py:3: KeyError: 'sku'`.
static ONE_LINE: LazyLock<Regex> = LazyLock::new(|| pattern(r"^(\S[^:]*\.pyx?):(\d+): ([A-Za-z_][\w.]*(?:: .*)?)$"));

/// The exception of the last such traceback; empty where there is none.
pub(super) fn parse(lines: &[&str]) -> Vec<Exception> {
    let found = notebook(lines).or_else(|| tested(lines)).or_else(|| one_line(lines)).or_else(|| fatal(lines));
    found.into_iter().collect()
}

/// Whether the last traceback of these lines is part of what pytest captured of a test.
pub(super) fn is_captured(lines: &[&str]) -> bool {
    let Some(start) = lines.iter().rposition(|line| line.contains("Traceback (most recent call last)")) else {
        return false;
    };
    let title = lines[..start].iter().rfind(|line| is_title(line) || line.starts_with("-----"));
    title.is_some_and(|title| title.starts_with("-----") && title.contains(" Captured "))
}

/// A line that begins the next test, or part of the report.
fn is_title(line: &str) -> bool {
    line.starts_with("____") || line.starts_with("====")
}

/// The last line of a report that has one line for each test.
fn one_line(lines: &[&str]) -> Option<Exception> {
    let start = lines.iter().rposition(|line| is_title(line) && line.contains(" FAILURES "))?;
    lines[start + 1..]
        .iter()
        .take_while(|line| !is_title(line))
        .filter_map(|line| {
            let found = ONE_LINE.captures(line)?;
            let said = found.get(3)?.as_str();
            let raised = exception(said).filter(|raised| is_error(said) && !raised.kind.ends_with("Warning"))?;
            let frames = vec![place::frame(&found[1], found[2].parse().ok(), None, None)];
            Some(Exception { frames, ..raised })
        })
        .last()
}

/// Calls and their code, and what was raised below them.
fn notebook(lines: &[&str]) -> Option<Exception> {
    let start = lines.iter().rposition(|line| line.contains("Traceback (most recent call last)"))?;
    // A log's columns stand before a box.
    let indent = if lines[start].trim_start().starts_with(['╭', '+']) { place::indent(lines[start]) } else { 0 };
    let lines = &lines[start..].iter().map(|line| line.get(indent..).unwrap_or_default()).collect::<Vec<_>>()[..];
    let mut frames: Vec<Frame> = Vec::new();
    for (at, line) in lines.iter().enumerate().skip(1) {
        if let Some(found) = CALL.captures(line.trim_end()) {
            let text = |group: usize| found.get(group).map(|text| text.as_str());
            let number = |group: usize| text(group).and_then(|number| number.parse().ok());
            let path = text(1).or(text(4)).or(text(6)).or(text(10))?;
            let path = &match text(10).and(in_box(lines[at - 1])) {
                Some(begin) => format!("{begin}{path}"),
                None => path.to_owned(),
            };
            let function = text(3).or(text(5)).or(text(8)).or(text(9)).or(text(12));
            let function = function.map(|name| name.split('(').next().unwrap_or(name));
            let line = number(2).or(number(7)).or(number(11));
            frames.push(place::frame(path, line, None, function));
        } else if let Some(found) = ARROW.captures(line) {
            let Some(frame) = frames.last_mut().filter(|frame| frame.context_line.is_none()) else { continue };
            let group = |one: usize, other: usize| found.get(one).or(found.get(other)).map(|text| text.as_str());
            frame.line = frame.line.or_else(|| group(1, 3)?.parse().ok());
            frame.context_line =
                group(2, 4).map(|code| code.trim_end_matches(['│', '|', ' ']).trim_start_matches(GUIDES).to_owned());
        } else if is_error(line) && !frames.is_empty() && !line.contains("Traceback (most") {
            let raised = exception(line)?;
            let more = lines[at + 1..].iter().copied().take_while(|line| !line.trim().is_empty()).take(MESSAGE_LINES);
            let value = message(raised.value.as_deref().into_iter().chain(more));
            return Some(Exception { value, frames, ..raised });
        }
    }
    None
}

/// The beginning of a path that was too long for a line of `rich`'s box: it fills the line.
fn in_box(line: &str) -> Option<&str> {
    // The box's left side may be taken for a quote's mark.
    let text = line.strip_prefix(['│', '|']).unwrap_or(line).trim_end().strip_suffix(['│', '|'])?;
    let text = text.strip_prefix(' ').unwrap_or(text);
    let text = text.strip_suffix(' ').unwrap_or(text);
    let is_path = text.starts_with(['/', '~']) || text.get(1..2) == Some(":");
    (is_path && !text.contains(char::is_whitespace)).then_some(text)
}

/// pytest's places, and its lines that say what was raised.
fn tested(lines: &[&str]) -> Option<Exception> {
    let is_said = lines.iter().any(|line| line.starts_with("E   "));
    let end = lines.iter().rposition(|line| {
        let found = PLACE.captures(line.trim_end());
        // A place alone says nothing of what was raised.
        found.is_some_and(|found| found.get(4).is_some() || (is_said && found.get(3).is_some()))
    })?;
    // A test's title ends the one before, as does what led to the error.
    let led_here = |line: &str| line.starts_with("During handling of") || line.starts_with("The above exception was");
    let start = lines[..end].iter().rposition(|line| is_title(line) || led_here(line)).map_or(0, |at| at + 1);
    let stop = lines[end..].iter().position(|line| is_title(line)).map_or(lines.len(), |at| end + at);
    let said = lines[start..stop].iter().rposition(|line| line.starts_with("E ")).map(|at| start + at);
    let mut frames = Vec::new();
    for (at, line) in lines.iter().enumerate().take(end + 1).skip(start) {
        let Some(found) = PLACE.captures(line.trim_end()) else { continue };
        let code = lines[start..at].iter().rev().take(MESSAGE_LINES).take_while(|line| !PLACE.is_match(line));
        let mut code = code.filter_map(|line| line.strip_prefix('>'));
        let mut frame = place::frame(&found[1], found[2].parse().ok(), None, found.get(3).map(|name| name.as_str()));
        frame.context_line = code.next().map(|code| code.trim().to_owned());
        frames.push(frame);
    }
    let first = said.map(|said| lines[..said].iter().rev().take_while(|line| line.starts_with("E ")).count());
    let all = said.zip(first).map(|(said, above)| &lines[said - above..=said]).unwrap_or_default();
    let text = message(all.iter().map(|line| line[1..].trim())).unwrap_or_default();
    let named = PLACE.captures(lines[end].trim_end())?.get(4).map(|name| name.as_str());
    let raised =
        text.lines().next().and_then(exception).filter(|raised| {
            named.is_none_or(|name| name.ends_with(&raised.kind)) && (named.is_some() || is_error(&text))
        });
    Some(match raised {
        Some(raised) => {
            let value = message(raised.value.as_deref().into_iter().chain(text.lines().skip(1)));
            Exception { value, frames, ..raised }
        }
        None => {
            let kind = named.unwrap_or("AssertionError").to_owned();
            Exception { kind, value: message([text.as_str()]), frames, ..Exception::default() }
        }
    })
}

/// What the interpreter died of, and the calls of the thread that did it.
fn fatal(lines: &[&str]) -> Option<Exception> {
    let at = lines.iter().rposition(|line| line.starts_with(FATAL))?;
    let value = message([&lines[at][FATAL.len()..]]);
    let threads = || lines.iter().enumerate().skip(at + 1).filter(|(_, line)| line.contains(FIRST));
    let (thread, _) = threads().find(|(_, line)| line.starts_with("Current thread")).or_else(|| threads().next())?;
    let mut frames: Vec<Frame> = lines[thread + 1..].iter().map_while(|line| dumped(line)).collect();
    frames.reverse();
    let kind = FATAL.trim_end_matches([':', ' ']).to_owned();
    (!frames.is_empty()).then(|| Exception { kind, value, handled: Some(false), frames, ..Exception::default() })
}

/// `  File "/srv/a.py", line 3 in f`
fn dumped(line: &str) -> Option<Frame> {
    let (path, rest) = line.trim_start().strip_prefix("File \"")?.rsplit_once("\", line ")?;
    let (number, function) = rest.split_once(" in ")?;
    Some(place::frame(path, Some(number.trim_end_matches(',').parse().ok()?), None, Some(function.trim())))
}
