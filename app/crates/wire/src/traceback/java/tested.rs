//! What test runners of the Java virtual machine print without a stack trace: Gradle's
//! `java.lang.AssertionError at CartTest.java:12`, and the list of JUnit's console.

use super::{TYPE, frame};
use crate::traceback::{MESSAGE_LINES, message, place};
use domain::report::{Exception, Frame};
use regex::Regex;
use std::sync::LazyLock;

/// Lines between a test's title and what it raised.
const LINES_BELOW_TITLE: usize = 8;

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a constant pattern compiles")
}

/// `CartTest > total() FAILED`
static TITLE: LazyLock<Regex> = LazyLock::new(|| pattern(r"^\s*([\w.$]+)(?: > .+)? > (\S.*?) FAILED$"));
/// What was raised, and in which line of the test.
static RAISED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"^\s*(Caused by: )?((?:[a-z_]\w*\.)*[A-Z_$][\w$]*) at (\w+\.(?:java|kt|kts|scala|groovy)):([0-9]+)$")
});

/// JUnit's `1) total(com.example.CartTest)`, and Maven's
/// `total(CartTest)  Time elapsed: 0.1 s  <<< FAILURE!`.
static NUMBERED: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"^\s*[0-9]+\) \S.*\([\w.$]+\)$|Time elapsed: .* <<< (?:FAILURE|ERROR)!$"));
/// What JUnit raises of arrays says no type of its own.
const ARRAYS: (&str, &str, &str) = ("arrays first differed at ", "ArrayComparisonFailure", "org.junit.internal");

/// What was raised where no type is said: below a test's title stand its own words.
pub(super) fn untyped(above: &[&str]) -> Exception {
    let title = above.iter().rposition(|line| TITLE.is_match(line) || NUMBERED.is_match(line.trim_end()));
    let value = title.and_then(|title| message(above[title + 1..].iter().map(|line| line.trim())));
    let (said, kind, module) = ARRAYS;
    if value.as_deref().is_some_and(|value| value.contains(said)) {
        return Exception { kind: kind.to_owned(), module: Some(module.to_owned()), value, ..Exception::default() };
    }
    Exception { kind: "Exception".to_owned(), value, ..Exception::default() }
}

/// The exceptions of the last test that failed, causes first, and where they end.
pub(super) fn last(lines: &[&str]) -> Option<(Vec<Exception>, usize)> {
    (0..lines.len()).rev().find_map(|at| gradle(lines, at).or_else(|| console(lines, at)))
}

/// What Gradle says of a test where it was not told to say more; `at` is its last line.
fn gradle(lines: &[&str], at: usize) -> Option<(Vec<Exception>, usize)> {
    RAISED.captures(lines[at])?;
    let begin = at.saturating_sub(LINES_BELOW_TITLE);
    let title = lines[begin..at].iter().rposition(|line| TITLE.is_match(line))? + begin;
    let found = TITLE.captures(lines[title])?;
    let (class, method) = (found.get(1)?.as_str(), found.get(2)?.as_str().trim_end_matches("()"));
    let raised: Vec<_> = lines[title + 1..=at].iter().filter_map(|line| RAISED.captures(line)).collect();
    let own = raised.iter().rposition(|raised| raised.get(1).is_none())?;
    let exceptions = raised[own..].iter().rev().map(|raised| {
        let mut frame = place::frame(&raised[3], raised[4].parse().ok(), None, Some(method));
        let file = raised[3].split('.').next().unwrap_or("");
        // The class may name its package.
        if let Some((package, _)) = class.rsplit_once('.').filter(|(_, name)| name.split('$').next() == Some(file)) {
            frame.filename = Some(format!("{}/{}", package.replace('.', "/"), &raised[3]));
            frame.module = Some(class.to_owned());
        }
        let (kind, module) = named(&raised[2]);
        let source = raised.get(1).map(|_| "cause".to_owned());
        Exception { kind, module, frames: vec![frame], source, ..Exception::default() }
    });
    Some((exceptions.collect(), at + 1))
}

/// `    => java.lang.AssertionError: said`, and calls without a word before them.
fn console(lines: &[&str], at: usize) -> Option<(Vec<Exception>, usize)> {
    let said = lines[at].trim_start().strip_prefix("=> ")?;
    let found = TYPE.captures(said).filter(|found| found.get(1).is_some_and(|name| name.start() == 0))?;
    let call = |line: &str| frame(&format!("at {}", line.trim()));
    let more = lines[at + 1..].iter().take(MESSAGE_LINES).take_while(|line| call(line).is_none()).count();
    let below = at + 1 + more;
    let mut frames: Vec<Frame> = lines[below..].iter().map_while(|line| call(line)).collect();
    let end = below + frames.len();
    frames.reverse();
    let first = found.get(2).map_or("", |value| value.as_str());
    let value = message(std::iter::once(first).chain(lines[at + 1..below].iter().map(|line| line.trim())));
    let (kind, module) = named(&found[1]);
    (!frames.is_empty()).then(|| (vec![Exception { kind, module, value, frames, ..Exception::default() }], end))
}

/// Type and package.
fn named(name: &str) -> (String, Option<String>) {
    match name.rsplit_once('.') {
        Some((module, kind)) => (kind.to_owned(), Some(module.to_owned())),
        None => (name.to_owned(), None),
    }
}
