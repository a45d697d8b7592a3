//! What test runners of PHP say above the places of a test that failed: PHPUnit, and Pest and
//! Laravel's by Collision.

use super::{Head, Mark, class, names_error};
use crate::traceback::message;
use regex::Regex;
use std::borrow::Cow;
use std::sync::LazyLock;

/// What PHPUnit raises where a comparison did not hold, and for other assertions.
const EXPECTATION: &str = r"PHPUnit\Framework\ExpectationFailedException";
const ASSERTION: &str = r"PHPUnit\Framework\AssertionFailedError";
/// Lines above a place in which its test's title is looked for.
pub(super) const LINES: usize = 200;
/// How the message of a comparison begins, maybe below one's own words.
const COMPARED: &str = "Failed asserting that ";

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a constant pattern compiles")
}

/// PHPUnit's `1) App\CartTest::testTotal with data set #0 (1, 2)`.
static NUMBERED: LazyLock<Regex> = LazyLock::new(|| pattern(r"^\s*[0-9]+\) [A-Za-z_\\][\w\\]*::\S.*$"));
/// Pest's `FAILED  Tests\Unit\CartTest > it totals    ErrorException`, and
/// `• Tests\CartTest > it totals`.
static TITLED: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"^\s*(?:FAILED  |• )[\w\\]\S* [>›→] (?:.*?)(?:\s{2,}([A-Za-z_\\][\w\\]*))?\s*$"));

/// Whether what follows this title of a section has failed: `There was 1 risky test:` is none.
pub(super) fn section(line: &str) -> Option<bool> {
    let rest = line.strip_prefix("There was ").or_else(|| line.strip_prefix("There were "))?;
    let (count, what) = rest.trim_end().strip_suffix(':')?.split_once(' ')?;
    let is_number = count.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then_some(matches!(what, "error" | "errors" | "failure" | "failures"))
}

/// Type and message below the last title in these lines.
pub(super) fn head<'a>(window: &[&'a str]) -> Option<Head<'a>> {
    if let Some(at) = window.iter().rposition(|line| line.trim() == "Caused by")
        && let Some((kind, said)) = window.get(at + 1).and_then(|line| typed(line.trim()))
    {
        let more = window[at + 2..].iter().map(|line| line.trim());
        let value = message(said.into_iter().chain(more));
        return Some(Head { mark: Mark::Previous, kind: Some(kind), value, ..Head::default() });
    }
    let numbered = window.iter().rposition(|line| NUMBERED.is_match(line));
    let titled = window.iter().rposition(|line| TITLED.is_match(line));
    let at = numbered.max(titled)?;
    let kind = TITLED.captures(window[at]).and_then(|found| class(found.get(1)?.as_str()));
    let said: Vec<&str> = window[at + 1..].iter().map(|line| line.trim()).skip_while(|line| line.is_empty()).collect();
    // Of an expectation that was not met, no type is said.
    let (kind, value) = match (kind, said.split_first()) {
        (Some(kind), _) => (Some(kind), message(said.iter().copied())),
        (None, None) => return None,
        (None, Some((first, more))) => match typed(first) {
            Some((kind, said)) => (Some(kind), message(said.into_iter().chain(more.iter().copied()))),
            None => (None, message(said.iter().copied())),
        },
    };
    let is_compared = said.iter().any(|line| line.starts_with(COMPARED));
    let kind = kind.unwrap_or(Cow::Borrowed(if is_compared { EXPECTATION } else { ASSERTION }));
    Some(Head { kind: Some(kind), value, ..Head::default() })
}

/// `TypeError: what is said`, or the type alone.
fn typed(line: &str) -> Option<(Cow<'_, str>, Option<&str>)> {
    let (kind, said) = match line.split_once(": ") {
        Some((kind, said)) => (kind, Some(said)),
        None => (line.trim_end_matches(':'), None),
    };
    class(kind).filter(|kind| names_error(kind)).map(|kind| (kind, said))
}
