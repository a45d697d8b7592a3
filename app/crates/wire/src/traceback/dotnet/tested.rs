//! What test runners of .NET say above the stack of a test that failed: `dotnet test`, xUnit.

use crate::traceback::message;
use domain::report::Exception;
use regex::Regex;
use std::sync::LazyLock;

/// Above what is said, and above the calls.
const SAID: &str = "Error Message:";
const STACK: &str = "stack trace";

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a constant pattern compiles")
}

/// `System.IO.IOException : what is said`, as xUnit and NUnit print it.
static TYPED: LazyLock<Regex> = LazyLock::new(|| pattern(r"^((?:[A-Za-z_][\w`+]*\.)+[A-Za-z_][\w`+]*) ?: ?(.*)$"));
/// xUnit's `    Shop.Tests.CartTests.Total [FAIL]`, and `failed Total (20ms)` of Microsoft's
/// platform.
static FAILED: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"^(?:\[xUnit\.net [^\]]*\])?\s+(?:\S.* \[FAIL\]|failed \S.* \([0-9][0-9a-z. ]*\))\s*$"));
/// xUnit's `Assert.Equal() Failure`.
static XUNIT: LazyLock<Regex> = LazyLock::new(|| pattern(r"^Assert\.(\w+)(?:\(.*\))? Failure"));
/// `/src/CartTests.cs(12,0): at Shop.CartTests.Total()` of xUnit's console.
static PLACED: LazyLock<Regex> = LazyLock::new(|| pattern(r"^(\S.*\.\w+)\(([0-9]+),[0-9]+\): at (\S.*)$"));

/// Type and message between the last titles of such a runner.
pub(super) fn head(window: &[&str]) -> Option<Exception> {
    let stack = window.iter().rposition(|line| line.trim().trim_end_matches(':').to_ascii_lowercase().ends_with(STACK));
    let above = &window[..stack.unwrap_or(window.len())];
    let is_title = |line: &str| (stack.is_some() && line.trim().ends_with(SAID)) || FAILED.is_match(line);
    // What xUnit says is known by its words, wherever it was copied from.
    let begin = above.iter().rposition(|line| is_title(line)).map(|title| title + 1);
    let begin = begin.or_else(|| above.iter().rposition(|line| XUNIT.is_match(line.trim())))?;
    let said: Vec<&str> = above[begin..].iter().map(|line| without_title(line).trim()).collect();
    let first = said.iter().position(|line| !line.is_empty())?;
    // MSTest says first which method threw it.
    let first = if said[first].ends_with("threw exception:") { first + 1 } else { first };
    let found = said.get(first).and_then(|line| TYPED.captures(line));
    let (kind, value) = match found {
        Some(found) => {
            let value = found.get(2).map_or("", |value| value.as_str());
            (found[1].to_owned(), message(std::iter::once(value).chain(said[first + 1..].iter().copied())))
        }
        None => (raised_by(&said), message(said.iter().copied())),
    };
    Some(Exception { kind, value, ..Exception::default() })
}

/// `[xUnit.net 00:00:00.51]       ` before each line.
fn without_title(line: &str) -> &str {
    line.trim_start().strip_prefix("[xUnit.net ").and_then(|rest| rest.split_once(']')).map_or(line, |(_, rest)| rest)
}

/// `----- Inner Stack Trace -----` of xUnit, above the frames of what was inside.
pub(super) fn begins_inner(line: &str) -> bool {
    without_title(line).trim().starts_with("----- Inner Stack Trace")
}

/// Type and message of what was inside, which xUnit says below the outer's message, behind four
/// dashes for each level: `---- System.IO.IOException : what is said`. They are taken off that.
pub(super) fn split_inner(value: &mut String) -> Option<(String, Option<String>)> {
    let begins = std::iter::once(0).chain(value.match_indices('\n').map(|(at, _)| at + 1));
    let (at, kind, said) = begins.into_iter().find_map(|at| {
        let rest = &value[at..];
        let text = rest.trim_start_matches('-').strip_prefix(' ').filter(|_| rest.starts_with("----"))?;
        let (first, more) = text.split_once('\n').unwrap_or((text, ""));
        let found = TYPED.captures(first)?;
        let said = found.get(2).map_or("", |said| said.as_str());
        Some((at, found[1].to_owned(), message(std::iter::once(said).chain(more.lines()))))
    })?;
    value.truncate(at);
    value.truncate(value.trim_end().len());
    Some((kind, said))
}

/// What an assertion raises that did not hold, by its words.
fn raised_by(said: &[&str]) -> String {
    let begins = |word: &str| said.iter().any(|line| line.starts_with(word));
    if let Some(found) = said.iter().find_map(|line| XUNIT.captures(line)) {
        return format!("Xunit.Sdk.{}Exception", &found[1]);
    }
    let is_mstest =
        begins("Assertion failed.") || (begins("Assert.") && said.iter().any(|line| line.contains(" failed.")));
    let kind = if is_mstest {
        "Microsoft.VisualStudio.TestTools.UnitTesting.AssertFailedException"
    } else if begins("But was:") {
        "NUnit.Framework.AssertionException"
    } else {
        "AssertionException"
    };
    kind.to_owned()
}

/// Path, line and call where xUnit's console puts the place first.
pub(super) fn placed(text: &str) -> Option<(&str, u32, &str)> {
    let found = PLACED.captures(text)?;
    Some((found.get(1)?.as_str(), found[2].parse().ok()?, found.get(3)?.as_str()))
}
