//! Ruby's backtraces as frameworks, loggers and test runners print them: what was raised, and
//! lines of places below.

use super::{bare, constant};
use crate::traceback::{MESSAGE_LINES, message, place};
use domain::report::{Exception, Frame};
use regex::Regex;
use std::sync::LazyLock;

/// Lines within a backtrace that are no places.
const MOST_BETWEEN: usize = 2;
/// Ends of the names of Ruby's files, and of its templates'.
const FILES: [&str; 14] = [
    ".rb",
    ".erb",
    ".haml",
    ".slim",
    ".rake",
    ".ru",
    ".builder",
    ".jbuilder",
    ".rabl",
    ".thor",
    ".gemspec",
    ".liquid",
    ".axlsx",
    "Rakefile",
];

/// A type's name, wherever it stands in a line, and what separates it from the message.
static TYPE: LazyLock<Regex> = LazyLock::new(|| {
    let pattern = r#"(?:^|[\s>\]"(=`])((?:[A-Z]\w*::)*[A-Z]\w*(?:Error|Exception|Invalid|NotFound|Failed|Failure|Timeout|Missing|Interrupt|Denied|Expired|Forbidden|Unauthorized|Conflict|Overflow|Mismatch)|(?:[A-Z]\w*::)+[A-Z]\w*|Interrupt|SignalException|UncaughtThrowError)(: | - | ?\(|:?`?\s*$| occurred\b)(.*)$"#;
    Regex::new(pattern).expect("a constant pattern compiles")
});
/// Another type, alone before its message.
static BARE_TYPE: LazyLock<Regex> = LazyLock::new(|| {
    let pattern = r"^\s*((?:[A-Z]\w*::)*[A-Z]\w*[a-z]\w*)(: | \()(.*)$";
    Regex::new(pattern).expect("a constant pattern compiles")
});
/// A line of a template or of code, with its number and maybe a mark.
static SOURCE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^\s*(?:(?:=>|->|>)?\s*\d+(?::| \|)|[-=_~]{3,}\s*$|\^+\s*$|\.\.\. |\d+\s*$)")
        .expect("a constant pattern compiles")
});

/// Titles of sections, not types.
const TITLES: [&str; 14] = [
    "Error",
    "Exception",
    "Backtrace",
    "Message",
    "Causes",
    "Failure",
    "Traceback",
    "Parameters",
    "Completed",
    // Of an assertion that did not hold.
    "Expected",
    "Actual",
    "Received",
    "Diff",
    "Finished",
];
/// Words before a constant that a message ends with.
const BEFORE_CONSTANTS: [&str; 10] = ["constant", "of", "for", "class", "module", "to", "into", "from", "in", "a"];
/// Minitest's reporters say so above what did not hold: `FAIL CartTest#test_total (0.01s)`.
static FAILED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^\s*(?:\S.*\s)?FAIL(?:\[| .*\([0-9.]+ ?s\)$|$| \()").expect("a constant pattern compiles")
});

/// What a backtrace below its message is of.
pub(super) struct Logged {
    /// The raised one first.
    pub(super) exceptions: Vec<Exception>,
    /// It is said to be the cause of the one above.
    pub(super) is_cause: bool,
}

/// The backtrace that begins at this line, and where it ends.
pub(super) fn read(lines: &[&str], end_of_last: usize, at: usize) -> Option<(Logged, usize)> {
    let first = place_of(lines[at])?;
    // Each line of a long run would read all that follow.
    if at > end_of_last && place_of(lines[at - 1]).is_some() {
        return None;
    }
    let window = &lines[end_of_last.max(at.saturating_sub(MESSAGE_LINES))..at];
    if window.iter().rev().find(|line| !line.trim().is_empty()).is_some_and(|line| is_hint(line)) {
        return None;
    }
    let causes = window.iter().rposition(|line| line.trim() == "Causes:");
    let mut said = header(&window[..causes.unwrap_or(window.len())]);
    // A mail says where, and then all places once more.
    if said.is_none() && window.iter().any(|line| is_title(line)) {
        said = header(&lines[at.saturating_sub(MESSAGE_LINES)..at]).map(|said| Said { at: 0, ..said });
    }
    if said.is_none() && !first.is_sure {
        return None;
    }
    // Places without a title may be anything that a log mentions, unless one is below the other.
    let (mut frames, is_sure, end) = frames(lines, at, if said.is_some() { MOST_BETWEEN } else { 0 });
    if said.is_none() {
        if !is_sure || frames.len() < 2 {
            return None;
        }
        said = Some(Said { kind: "Exception".to_owned(), value: last_said(window), at: window.len() });
    }
    let said = said?;
    let is_cause = window[..said.at].iter().any(|line| line.contains("Caused by:"));
    frames.reverse();
    let raised = Exception { kind: said.kind, value: said.value, frames, ..Exception::default() };
    let mut exceptions = vec![raised];
    for line in causes.map_or(&[][..], |causes| &window[causes + 1..]) {
        if let Some((kind, value)) = line.trim().strip_suffix(')').and_then(|line| line.split_once(" ("))
            && let Some(kind) = constant(kind)
        {
            exceptions.push(Exception { kind: kind.to_owned(), value: message([value]), ..Exception::default() });
        }
    }
    super::add_unreadable(&mut exceptions[0]);
    Some((Logged { exceptions, is_cause }, end))
}

/// Above calls that tools print beside advice on queries, as Bullet does: nothing was raised.
fn is_hint(line: &str) -> bool {
    line.trim().trim_end_matches(':').eq_ignore_ascii_case("call stack")
}

struct Said {
    kind: String,
    value: Option<String>,
    /// The line on which it begins.
    at: usize,
}

/// Type and message in the lines above the places: of the nearest that names one.
fn header(lines: &[&str]) -> Option<Said> {
    let nearest = lines.iter().rposition(|line| !line.trim().is_empty());
    if let Some(inspected) = nearest.and_then(|at| inspected(lines[at], at)) {
        return Some(inspected);
    }
    let nearest = lines.iter().enumerate().rev().find_map(|(at, line)| {
        let line = line.trim_end();
        let said = type_at(&TYPE, line, lines, at).or_else(|| last_in_line(line, lines, at));
        said.or_else(|| failed(line, lines, at))
    });
    if nearest.is_some() {
        return nearest;
    }
    let at = lines.iter().rposition(|line| !line.trim().is_empty() && !SOURCE.is_match(line))?;
    type_at(&BARE_TYPE, lines[at], lines, at).or_else(|| expectation(lines))
}

/// `NoMethodError: message`, `NoMethodError (message):`, `NoMethodError:` above its message.
fn type_at(pattern: &Regex, line: &str, lines: &[&str], at: usize) -> Option<Said> {
    let found = pattern.captures(line)?;
    let kind = found.get(1)?.as_str();
    if TITLES.contains(&kind) || constant(kind).is_none() {
        return None;
    }
    let (separator, rest) = (found.get(2)?.as_str(), found.get(3)?.as_str());
    // `uninitialized constant Shop::Cart` tells of a constant that is no error.
    let before = line[..found.get(1)?.start()].split_whitespace().next_back();
    if separator.trim().is_empty() && before.is_some_and(|word| BEFORE_CONSTANTS.contains(&word)) && !names_error(kind)
    {
        return None;
    }
    let more = &lines[at + 1..];
    let value = if separator.ends_with('(') {
        in_brackets(rest, more)
    } else if separator == " occurred" {
        message(continued(more))
    } else {
        message(std::iter::once(rest).chain(continued(more)))
    };
    let (kind, value) = match super::tested::unwrapped(kind, value.as_deref()) {
        Some((kind, value)) => (kind, Some(value)),
        None => (kind.to_owned(), value),
    };
    Some(Said { kind, value, at })
}

fn names_error(kind: &str) -> bool {
    ["Error", "Exception", "Timeout", "Interrupt"].iter().any(|end| kind.ends_with(end))
}

/// What did not hold, below the line that says so.
fn failed(line: &str, lines: &[&str], at: usize) -> Option<Said> {
    let found = FAILED.is_match(line);
    let more = lines[at + 1..].iter().map(|line| line.trim()).skip_while(|line| line.ends_with("s)"));
    found.then(|| Said { kind: super::tested::MINITEST.to_owned(), value: message(more), at })
}

/// `message (Type)`, behind what Ruby's logger writes first.
fn last_in_line(line: &str, lines: &[&str], at: usize) -> Option<Said> {
    let (value, kind) = line.strip_suffix(')')?.rsplit_once(" (")?;
    let kind = constant(kind)?.to_owned();
    let value = value.split_once(" -- : ").map_or(value, |(_, value)| value);
    if value.trim().is_empty() {
        // Cucumber says it above.
        let above = lines[..at].iter().rev().take_while(|line| !line.contains("  # ")).count();
        return Some(Said { kind, value: message(lines[at - above..at].iter().map(|line| line.trim())), at });
    }
    Some(Said { kind, value: message(std::iter::once(value).chain(continued(&lines[at + 1..]))), at })
}

/// `#<Shop::NoPrice: message>`, as `inspect` and `p` show an exception.
fn inspected(line: &str, at: usize) -> Option<Said> {
    let (_, rest) = line.trim_end().strip_suffix('>')?.split_once("#<")?;
    let (kind, value) = rest.split_once(": ")?;
    Some(Said { kind: constant(kind)?.to_owned(), value: message([value]), at })
}

/// What stands in brackets, which may end in a later line.
fn in_brackets(first: &str, more: &[&str]) -> Option<String> {
    let all = std::iter::once(first).chain(more.iter().copied());
    let ends = |line: &str| line.trim_end().ends_with("):") || line.trim_end().ends_with(')');
    let mut value = Vec::new();
    for line in all {
        if ends(line) {
            let line = line.trim_end();
            value.push(line.strip_suffix("):").or_else(|| line.strip_suffix(')')).unwrap_or(line));
            return message(value);
        }
        value.push(line);
    }
    message([first])
}

/// Further lines of a message, up to source code, a title or a blank line.
fn continued<'a>(lines: &'a [&'a str]) -> impl Iterator<Item = &'a str> {
    let blank = lines.iter().take_while(|line| line.trim().is_empty()).count();
    lines[blank..]
        .iter()
        .copied()
        .take_while(|line| {
            !line.trim().is_empty() && !SOURCE.is_match(line) && !is_title(line) && place_of(line).is_none()
        })
        .map(str::trim)
}

fn is_title(line: &str) -> bool {
    let is_mark = |c: char| matches!(c, '#' | '-' | '*' | ':' | ' ');
    TITLES.contains(&line.trim().trim_matches(is_mark))
}

/// RSpec names no type of its own where an expectation was not met.
fn expectation(lines: &[&str]) -> Option<Said> {
    let at = lines.iter().rposition(|line| line.contains("Failure/Error:"))?;
    let value = message(lines[at + 1..].iter().map(|line| line.trim()));
    Some(Said { kind: "RSpec::Expectations::ExpectationNotMetError".to_owned(), value, at })
}

fn last_said(lines: &[&str]) -> Option<String> {
    lines.last().and_then(|line| message([*line]))
}

/// The places from this line on, innermost first; whether some name their method as only Ruby
/// does; and where they end.
fn frames(lines: &[&str], at: usize, most_between: usize) -> (Vec<Frame>, bool, usize) {
    let (mut frames, mut is_sure, mut end, mut between) = (Vec::new(), false, at, 0);
    for (number, line) in lines.iter().enumerate().skip(at) {
        match place_of(line) {
            Some(place) => {
                is_sure |= place.is_sure;
                frames.push(place.frame);
                end = number + 1;
                between = 0;
            }
            None if super::is_gap(line) => end = number + 1,
            None if line.contains("Caused by:") || TYPE.is_match(line) || super::headline(line).is_some() => break,
            None => {
                between += 1;
                if between > most_between {
                    break;
                }
            }
        }
    }
    (frames, is_sure, end)
}

struct Place {
    frame: Frame,
    /// Only Ruby prints it in that way.
    is_sure: bool,
}

/// `bin/rails test test/cart_test.rb`, as a runner says how to run one test again.
fn is_command(path: &str) -> bool {
    path.contains(' ')
        && (path.contains("rails test ")
            || ["rspec ", "rake ", "rails ", "ruby ", "bundle exec ", "cucumber ", "m "]
                .iter()
                .any(|command| path.starts_with(command)))
}

/// A line that is a place and nothing else.
fn place_of(line: &str) -> Option<Place> {
    let text = line.trim();
    let text = text.strip_prefix("from ").or_else(|| text.strip_prefix("# ")).unwrap_or(text);
    // Of the first one, what a log puts before its line.
    let alone = text.split_once(":in ").and_then(|(place, _)| place.rfind(": ")).map_or(text, |at| &text[at + 2..]);
    let alone = if alone.starts_with("from ") { text } else { alone };
    if let Some(frame) = bare(alone) {
        return Some(Place { frame, is_sure: true });
    }
    let is_file = |path: &str| FILES.iter().any(|end| path.ends_with(end)) && !path.contains(": ") && !is_command(path);
    let found = |path: &str, line: u32, function: Option<&str>| {
        let frame = place::frame(path, Some(line), None, function);
        is_file(path).then_some(Place { frame, is_sure: false })
    };
    // Of a compiled template, or of code outside any method.
    if let Some((path, number)) = place::path_and_line(text.trim_end_matches(':')) {
        // JRuby's own form: `share at /srv/cart.rb:3`.
        let (function, path) = match path.rsplit_once(" at ") {
            Some((function, path)) => (Some(function.trim()), path),
            None => (None, path),
        };
        if function.is_some() && path.ends_with(".java") {
            return Some(Place { frame: place::frame(path, Some(number), None, function), is_sure: false });
        }
        return found(path.trim_start(), number, function);
    }
    for separator in [":in ", " in "] {
        if let Some((place, function)) = text.split_once(separator)
            && let Some((path, number)) = place::path_and_line(place)
        {
            let function = function.trim_matches(['`', '\'', '"', '\u{2018}', '\u{2019}']);
            return if function.contains(": ") { None } else { found(path, number, Some(function)) };
        }
    }
    // `2 File "/srv/cart.rb", line 20, in total` and `line 83 of app/cart.rb: total`, as services
    // write it.
    if let Some((_, rest)) =
        text.split_once("File \"").filter(|(number, _)| number.trim().parse::<u32>().is_ok() || number.is_empty())
        && let Some((path, rest)) = rest.split_once("\"")
    {
        let rest = rest.trim_start_matches(',').trim_start().strip_prefix("line ")?;
        let (number, function) = rest.split_once(" in ")?;
        return found(path, number.trim_end_matches(',').parse().ok()?, Some(function));
    }
    let (number, rest) = text.strip_prefix("line ")?.split_once(" of ")?;
    let (path, function) = rest.rsplit_once(": ")?;
    found(path, number.parse().ok()?, Some(function))
}
