//! The layouts in which PHP, and what is made of it, print a stack of calls.

use super::{ODD_LINES, is_title, real};
use crate::traceback::place;

/// Lines between two calls in Collision's form: an excerpt of the code.
const EXCERPT_LINES: usize = 14;

/// A call of a stack: which function was called, and where.
pub(super) struct Call<'a> {
    pub(super) place: Option<(&'a str, u32)>,
    pub(super) called: Option<&'a str>,
}

/// `#0 /srv/a.php(12): C->f()` and what follows.
pub(super) fn stack<'a>(lines: &[&'a str], at: usize) -> Option<(Vec<Call<'a>>, usize)> {
    let mut calls = vec![call(lines[at], 0)?];
    let (mut end, mut odd) = (at + 1, 0);
    while let Some(line) = lines.get(end + odd) {
        match call(line, calls.len()) {
            Some(call) => {
                calls.push(call);
                (end, odd) = (end + odd + 1, 0);
            }
            None if odd < ODD_LINES && !line.trim_start().starts_with(['#', '[']) => odd += 1,
            None => break,
        }
    }
    Some((calls, end))
}

fn call(line: &str, expected: usize) -> Option<Call<'_>> {
    let (count, rest) = line.trim_start().strip_prefix('#')?.split_once(' ')?;
    (count.parse() == Ok(expected)).then_some(())?;
    let rest = rest.trim();
    if rest.trim_end_matches(['"', '}', ']', ' ']) == "{main" {
        return Some(Call { place: None, called: None });
    }
    if let Some(called) = rest.strip_prefix("[internal function]: ") {
        return Some(Call { place: None, called: Some(function(called)) });
    }
    // `): ` may stand in an argument, and ` : eval()'d code(3): ` in the place.
    let (place, called) = rest.split_once("): ").or_else(|| Some((rest.strip_suffix(')')?, "")))?;
    let (path, line) = place.split_once("(")?;
    let digits = line.find(|c: char| !c.is_ascii_digit()).unwrap_or(line.len());
    let (path, line) = if path.is_empty() || digits == 0 { place.rsplit_once('(')? } else { (path, &line[..digits]) };
    Some(Call {
        place: Some((path, line.parse().ok()?)),
        called: Some(function(called)).filter(|name| !name.is_empty()),
    })
}

/// Symfony's console and Drush: ` C->f() at /srv/a.php:12`, below `Exception trace:`.
pub(super) fn symfony<'a>(lines: &[&'a str], at: usize) -> Option<(Vec<Call<'a>>, usize)> {
    (lines[at].trim() == "Exception trace:").then_some(())?;
    let mut calls = Vec::new();
    let mut end = at + 1;
    while let Some(line) = lines.get(end) {
        let line = line.trim();
        let Some((called, place)) =
            line.strip_prefix("at ").map(|place| ("", place)).or_else(|| line.rsplit_once(" at "))
        else {
            break;
        };
        let place = place::path_and_line(place).map(|(path, line)| real(path, line));
        if !called.is_empty() && !called.contains('(') {
            break;
        }
        calls.push(Call { place, called: Some(function(called)).filter(|name| !name.is_empty()) });
        end += 1;
    }
    // Else it is somebody else's title.
    calls.iter().any(|call| call.place.is_some()).then_some((calls, end))
}

/// Symfony's logs of text: `at C->f()`, and `(/srv/a.php:12)` in the line below.
pub(super) fn paired<'a>(lines: &[&'a str], at: usize) -> Option<(Vec<Call<'a>>, usize)> {
    let pair = |at: usize| {
        let called = lines.get(at)?.trim().strip_prefix("at ")?;
        let place = lines.get(at + 1)?.trim().strip_prefix('(')?.strip_suffix(')')?;
        let (path, line) = place::path_and_line(place)?;
        Some(Call { place: Some(real(path, line)), called: Some(function(called)) })
    };
    let mut calls: Vec<Call<'a>> = Vec::new();
    let mut end = at;
    // The place itself stands first, or what was left of it.
    let first = lines[at].trim();
    let first = first.strip_prefix("at ").or_else(|| first.strip_prefix('(')?.strip_suffix(')'));
    if let Some((path, line)) = first.and_then(place::path_and_line).filter(|_| pair(at + 1).is_some()) {
        calls.push(Call { place: Some(real(path, line)), called: None });
        end += 1;
    }
    while let Some(call) = pair(end) {
        calls.push(call);
        end += 2;
    }
    (end > at + 1).then_some((calls, end))
}

/// PHPUnit and Collision: `/srv/a.php:12` alone, `at /srv/a.php:12`, or `4  a.php:12`.
pub(super) fn bare<'a>(lines: &[&'a str], at: usize) -> Option<(Vec<Call<'a>>, usize)> {
    let first = bare_place(lines[at])?;
    let gap = if lines[at].trim_start().starts_with("at ") { EXCERPT_LINES } else { 0 };
    let mut calls = vec![Call { place: Some(first), called: None }];
    let (mut end, mut odd) = (at + 1, 0);
    while let Some(line) = lines.get(end + odd) {
        // Below an excerpt, the next place is another error's.
        let is_another = odd > 0 && line.trim_start().starts_with("at ");
        match bare_place(line).filter(|_| !is_another) {
            Some(place) => {
                // Collision shows the innermost in its excerpt, and once more in its list.
                if gap == 0 || calls.len() > 1 || place != first {
                    calls.push(Call { place: Some(place), called: None });
                }
                (end, odd) = (end + odd + 1, 0);
            }
            None if odd < gap && !is_another => odd += 1,
            None => break,
        }
    }
    Some((calls, end))
}

fn bare_place(line: &str) -> Option<(&str, u32)> {
    let line = line.trim();
    let line =
        line.strip_prefix("at ").unwrap_or_else(|| line.trim_start_matches(|c: char| c.is_ascii_digit()).trim_start());
    let (path, line) = place::path_and_line(line)?;
    (path.ends_with(".php") && !path.contains([' ', '('])).then_some((path, line))
}

/// Xdebug's table, oldest call first: `PHP   2. f($x = 1) /srv/a.php:12`, with time and memory
/// before the number where it prints them.
pub(super) fn table<'a>(lines: &[&'a str], at: usize) -> (Vec<Call<'a>>, usize) {
    let mut calls = Vec::new();
    let mut end = at;
    while let Some(line) = lines.get(end) {
        match row(line) {
            Some(call) => calls.push(call),
            None if is_title(line) && calls.is_empty() && end - at < ODD_LINES => {}
            None => break,
        }
        end += 1;
    }
    if calls.is_empty() {
        return (calls, at);
    }
    calls.reverse();
    (calls, end)
}

fn row(line: &str) -> Option<Call<'_>> {
    let line = line.trim();
    let line = line.strip_prefix("PHP ").unwrap_or(line);
    let (before, rest) = line.split_once(". ")?;
    before.chars().all(|c| c.is_ascii_digit() || c == '.' || c == ' ').then_some(())?;
    let (called, place) = rest.rsplit_once(' ')?;
    let (path, line) = place::path_and_line(place)?;
    if called == "{main}()" {
        return Some(Call { place: None, called: None });
    }
    Some(Call { place: Some(real(path, line)), called: Some(function(called)) })
}

/// `f`, `C->f`, `{closure:/srv/a.php:3}` without the arguments.
fn function(called: &str) -> &str {
    let from = called.find("{closure:").map_or(0, |at| called[at..].find('}').map_or(0, |end| at + end));
    called[from..].find('(').map_or(called, |at| &called[..from + at]).trim()
}
