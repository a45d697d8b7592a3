//! Perl's deaths: the place that `die` adds, and the callers that Carp and Devel::StackTrace print.

use super::{message, place};
use domain::report::{Exception, Frame};

/// How a file of Perl is named; what has another name is taken for one where callers follow.
const ENDINGS: &[&str] = &[".pl", ".pm", ".t", ".cgi", ".psgi", ".plx", ".PL", ".al"];
/// How errors of Perl's own begin.
pub(super) const SAID: &[&str] = &[
    "Can't locate ",
    "Can't call method ",
    "Can't use ",
    "Died",
    "Undefined subroutine ",
    "Not a ",
    "Illegal division by zero",
    "Can't modify ",
    "Modification of a read-only value",
    "syntax error",
    "Global symbol ",
    "Bareword ",
    "Attempt to ",
    "Out of memory",
];
/// What Perl only warns of; what an object's end says in its own death, too.
const WARNED: &[&str] = &["Use of uninitialized value", "Deep recursion ", "\t(in cleanup) "];
/// What Perl says after an error because of it: the place is a caller's.
pub(super) const BECAUSE: &[&str] =
    &["BEGIN failed--compilation aborted", "Compilation failed in require", "Execution of ", "\t...propagated"];

/// The last death; empty where there is none.
pub(super) fn parse(lines: &[&str]) -> Vec<Exception> {
    let mut found = Vec::new();
    let mut end_of_last = None;
    let mut at = 0;
    while at < lines.len() {
        let Some(((said, path, line), is_sure)) = death(lines[at]) else {
            at += 1;
            continue;
        };
        let begin = at;
        at += 1;
        // A handler of deaths that prints its callers adds where it did so itself.
        let handler = lines.get(at).and_then(|line| handler(line)).filter(|_| !said.trim().is_empty());
        at += usize::from(handler.is_some());
        // Innermost first: where, and what was called there.
        let mut calls: Vec<((&str, u32), Option<&str>)> = Vec::new();
        while let Some(line) = lines.get(at) {
            let Some(call) = called(line).or_else(|| because(line)) else { break };
            calls.push(call);
            at += 1;
        }
        // The handler dies in turn, and is called once more.
        if end_of_last == Some(begin) && self::handler(lines[begin]).is_some() {
            end_of_last = Some(at);
            continue;
        }
        if let Some(handler) = handler {
            match calls.first() {
                // It was called where the script died.
                Some((place, _)) if *place == (path, line) => {
                    calls.remove(0);
                }
                _ => calls.insert(0, (handler, None)),
            }
        }
        if !is_sure && calls.is_empty() {
            continue;
        }
        let said = if said.trim() == "Trace begun" { lines[..begin].last().copied().unwrap_or("") } else { said };
        let (kind, value) = kind_of(said);
        let exception = Exception {
            kind: kind.to_owned(),
            value: message([value]),
            frames: frames((path, line), &calls),
            ..Exception::default()
        };
        found = vec![exception];
        end_of_last = Some(at);
    }
    found
}

/// A function's name is printed where it was called: each place is in the next one that is called.
fn frames(innermost: (&str, u32), calls: &[((&str, u32), Option<&str>)]) -> Vec<Frame> {
    let mut frames = Vec::with_capacity(calls.len() + 1);
    let mut function = None;
    for (at, (place, called)) in calls.iter().enumerate().rev() {
        // What `eval` runs is in the function around it, and may begin in its line.
        let inner = at.checked_sub(1).map_or(innermost, |at| calls[at].0);
        if called.is_none() && inner == *place && at > 0 {
            continue;
        }
        frames.push(place::frame(place.0, Some(place.1), None, function));
        function = called.or(function);
    }
    frames.push(place::frame(innermost.0, Some(innermost.1), None, function));
    frames
}

/// A class of exceptions whose objects print it: `Shop::Error: no price`.
fn kind_of(said: &str) -> (&str, &str) {
    let is_class =
        |name: &str| name.contains("::") && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | ':'));
    said.split_once(": ").filter(|(name, _)| is_class(name)).unwrap_or(("die", said))
}

/// `text at x.pl line 3.`, and whether nothing but Perl says so.
fn death(line: &str) -> Option<((&str, &str, u32), bool)> {
    if BECAUSE.iter().any(|begin| line.starts_with(begin)) {
        return None;
    }
    let is_warning = WARNED.iter().any(|begin| line.starts_with(begin));
    let (said, path, line, rest) = at_line(line).filter(|(said, ..)| !is_warning && !said.ends_with(" redefined"))?;
    // `<STDIN> line 5.` is what was read last; `near "…"` is where a text could not be read.
    let is_end = matches!(rest, "." | "" | ",") || rest.starts_with(", <") || rest.starts_with(", near ");
    let is_perls = SAID.iter().any(|begin| said.trim_start().starts_with(begin));
    let is_named = ENDINGS.iter().any(|end| path.ends_with(end)) || path == "-e" || path.starts_with("(eval ");
    // A command, which has no ending.
    let is_command = path.starts_with('/') && !path.rsplit('/').next().unwrap_or("").contains('.');
    let is_whole = !rest.is_empty();
    let is_sure = is_perls && (is_named || is_whole) || (is_named || is_command) && is_whole;
    (is_end && !said.ends_with(" called")).then_some(((said, path, line), is_sure))
}

/// `\tmain::f(1) called at x.pl line 9`
fn called(line: &str) -> Option<((&str, u32), Option<&str>)> {
    // The last one: a message that is handed on has its own place in it.
    let at = line.rfind(" called at ")?;
    let called = line[..at].trim_start();
    let (_, path, line, rest) = at_line(&line[at + " called ".len()..])?;
    matches!(rest, "" | "." | ",").then_some(())?;
    let name = called.find('(').map_or(called, |at| &called[..at]);
    let is_block = name.starts_with("eval ") || name.starts_with("require ") || name.is_empty();
    Some(((path, line), (!is_block).then_some(name)))
}

/// ` at x.pl line 3.` below a death: where Carp was asked to print the callers.
fn handler(line: &str) -> Option<(&str, u32)> {
    let (said, path, line, _) = at_line(line.strip_prefix(' ')?)?;
    said.is_empty().then_some((path, line))
}

fn because(line: &str) -> Option<((&str, u32), Option<&str>)> {
    BECAUSE.iter().any(|begin| line.starts_with(begin)).then_some(())?;
    let (_, path, line, _) = at_line(line)?;
    Some(((path, line), None))
}

/// `text at PATH line 3` and what follows.
fn at_line(line: &str) -> Option<(&str, &str, u32, &str)> {
    // The first number: a second one is a line of input.
    for (end, mark) in line.match_indices(" line ") {
        let rest = &line[end + mark.len()..];
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        if digits == 0 {
            continue;
        }
        let (said, path) = line[..end].rsplit_once(" at ").or_else(|| Some(("", line[..end].strip_prefix("at ")?)))?;
        let is_path = !path.is_empty() && (!path.contains(' ') || path.starts_with("(eval ") || path.contains('/'));
        let number = rest[..digits].parse().ok().filter(|_| is_path && !path.contains(['"', ',']))?;
        return Some((said, path, number, &rest[digits..]));
    }
    None
}
