//! What Ruby's test runners print of an assertion that did not hold: Minitest, test-unit.

use super::{bare, constant};
use crate::traceback::{MESSAGE_LINES, message, place};
use domain::report::{Exception, Frame};
use regex::Regex;
use std::sync::LazyLock;

/// What Minitest raises.
pub(super) const MINITEST: &str = "Minitest::Assertion";
/// What test-unit raises.
const TEST_UNIT: &str = "Test::Unit::AssertionFailedError";

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a constant pattern compiles")
}

/// Minitest's, below `Failure:`: `CartTest#test_total [test/cart_test.rb:9]:`.
static BRACKETED: LazyLock<Regex> = LazyLock::new(|| pattern(r"^\s*(\S.*?) \[\s*([^\[\]]+):([0-9]+)\]:\s*$"));
/// One of the calls that runners before Minitest print there, innermost first, maybe on lines of
/// their own: `test_total(CartTest) [test/cart_test.rb:5:in 'check' test/cart_test.rb:9:in 'f']:`.
static CALLS: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"((?:[A-Za-z]:)?[^\s\[\]:`']+):([0-9]+)(?::in(?: [`']([^`']*)')?)?"));
/// Lines that these calls take.
const CALL_LINES: usize = 20;
/// test-unit's: `Failure: test_total(CartTest): what is said`.
static TITLED: LazyLock<Regex> = LazyLock::new(|| pattern(r"^\s*Failure: (\S[^()]*\([A-Z][\w:]*\))(?:: ?(.*))?$"));
/// test-unit's excerpt of the code: `  =>  9:     assert_equal(3, total)`.
static EXCERPT: LazyLock<Regex> = LazyLock::new(|| pattern(r"^\s*(?:=> )?\s*[0-9]+: "));
/// How the next test, or the end of all, begins.
static ENDS: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^\s*(?:(?:[0-9]+\) )?(?:Failure|Error|Skipped|Pending|Omission):|Finished in |Finished tests in |[0-9]+ (?:runs|tests), |={20,}|(?:\S*rails|bundle exec \S+|rake|m|ruby|tldr) (?:test )?\S+\.rb:[0-9]+\s*$|rake aborted!|Coverage report )",
    )
});

/// The failure that begins at this line, and where it ends.
pub(super) fn read(lines: &[&str], at: usize) -> Option<(Exception, usize)> {
    let text = lines[at].trim();
    if text.ends_with("Failure:") {
        return minitest(lines, at + 1);
    }
    if text.starts_with("Failure: ") { test_unit(lines, at) } else { None }
}

fn minitest(lines: &[&str], at: usize) -> Option<(Exception, usize)> {
    let (frames, below) = placed(lines, at)?;
    let end = end(lines, below);
    let value = message(lines[below..end].iter().map(|line| line.trim_end()));
    // Runners before Minitest print it in the same way.
    let is_old = value.as_deref().is_some_and(|value| value.contains("> expected but was"));
    let kind = if is_old { TEST_UNIT } else { MINITEST };
    Some((exception(kind, value, frames), end))
}

/// Where a test failed, outermost first, and what is below that.
fn placed(lines: &[&str], at: usize) -> Option<(Vec<Frame>, usize)> {
    let frame = |path: &str, line: &str, function: &str| place::frame(path, line.parse().ok(), None, Some(function));
    if let Some(found) = BRACKETED.captures(lines.get(at)?).filter(|found| !found[2].contains(":in")) {
        return Some((vec![frame(found[2].trim(), &found[3], &found[1])], at + 1));
    }
    let last = lines.len().min(at + CALL_LINES);
    let end = (at..last).find(|&end| lines[end].trim_end().ends_with("]:"))? + 1;
    // The title may stand alone.
    let (title, first) = match lines[at].split_once('[') {
        Some((title, first)) => (title.trim(), first),
        None => (lines[at].trim(), lines.get(at + 1)?.trim().strip_prefix('[')?),
    };
    let skipped = at + 1 + usize::from(!lines[at].contains('['));
    let mut frames = Vec::new();
    for text in std::iter::once(first).chain(lines[skipped.min(end)..end].iter().copied()) {
        for found in CALLS.captures_iter(text) {
            frames.push(frame(&found[1], &found[2], found.get(3).map_or("", |name| name.as_str())));
        }
    }
    frames.reverse();
    let outermost: &mut Frame = frames.first_mut()?;
    outermost.function.get_or_insert_with(|| title.to_owned());
    Some((frames, end))
}

fn test_unit(lines: &[&str], at: usize) -> Option<(Exception, usize)> {
    let found = TITLED.captures(lines[at])?;
    let said = found.get(2).map(|said| said.as_str());
    let end = end(lines, at + 1);
    let mut frames: Vec<Frame> = Vec::new();
    let mut text = Vec::new();
    for line in &lines[at + 1..end] {
        match bare(line) {
            Some(frame) => frames.push(frame),
            None if EXCERPT.is_match(line) => {}
            None => text.push(line.trim_end()),
        }
    }
    frames.reverse();
    let value = message(said.into_iter().chain(text));
    (!frames.is_empty()).then(|| (exception(TEST_UNIT, value, frames), end))
}

fn exception(kind: &str, value: Option<String>, frames: Vec<Frame>) -> Exception {
    Exception { kind: kind.to_owned(), value, frames, ..Exception::default() }
}

/// Where a failure's message ends. A difference has empty lines within, but no two.
fn end(lines: &[&str], from: usize) -> usize {
    let is_blank = |at: usize| lines.get(at).is_none_or(|line| line.trim().is_empty());
    let last = lines.len().min(from + MESSAGE_LINES * 2);
    (from..last).find(|&at| ENDS.is_match(lines[at]) || (is_blank(at) && is_blank(at + 1))).unwrap_or(last)
}

/// Type and message in `NoMethodError: message`, which Minitest wraps in an error of its own.
pub(super) fn unwrapped(kind: &str, value: Option<&str>) -> Option<(String, String)> {
    let (inner, value) = value.filter(|_| kind == "Minitest::UnexpectedError")?.trim_start().split_once(": ")?;
    Some((constant(inner)?.to_owned(), value.to_owned()))
}
