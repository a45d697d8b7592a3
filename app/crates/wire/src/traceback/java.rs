//! Stack traces of the Java virtual machine, whatever language ran on it.

mod tested;

use super::{MESSAGE_LINES, clip_frames, message, place};
use domain::report::{Exception, Frame};
use regex::Regex;
use std::ops::Range;
use std::sync::LazyLock;

/// `shop.orders.Order$Line: ` or the same at the end of a line: packages in lower case, then a
/// type.
static TYPE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?:^|[\s\]])((?:[a-z_][\w]*\.)+[A-Z_$][\w$]*)(?:: ?(.*))?$").expect("a constant pattern compiles")
});

/// A type without a package, told by its end.
static BARE_TYPE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?:^|[\s\]])([A-Z][\w$]*(?:Exception|Error|Throwable))(?:: ?(.*))?$")
        .expect("a constant pattern compiles")
});

/// What stands before the type.
const MARKS: &[(&str, Option<&str>)] = &[
    ("Caused by: ", Some("cause")),
    ("Suppressed: ", Some("suppressed")),
    ("Wrapped by: ", Some(WRAPPER)),
    ("Exception in thread \"", None),
];
/// Of a trace that is printed with its root cause first: it is what the trace above led to.
const WRAPPER: &str = "wrapper";
/// Lines within a stack that are no calls, as `- locked <0x1>` or a blank line.
const MOST_BETWEEN: usize = 3;

/// Traces of one text: what is longer is no stack trace, and each costs copies of shared frames.
const MAX_TRACES: usize = 100;

struct Trace {
    exception: Exception,
    /// `cause` and `suppressed` belong to a trace above.
    source: Option<&'static str>,
    /// How far its header is indented, if it stands within another's calls.
    depth: usize,
    /// Lines of its header: type and message.
    header: Range<usize>,
    /// Outermost frames that it shares with the one it belongs to, and that were not printed again.
    shared: usize,
}

/// The exceptions of the last stack trace, causes first; empty where there is none.
pub(super) fn parse(lines: &[&str]) -> Vec<Exception> {
    let mut traces: Vec<Trace> = Vec::new();
    // How far the calls are indented of a trace that belongs to no other.
    let mut calls = 0;
    let mut at = 0;
    let mut end_of_last = 0;
    while at < lines.len() {
        if frame(lines[at]).is_none() {
            at += 1;
            continue;
        }
        let indent = place::indent(lines[at]);
        let is_dumped = is_dumped(&lines[end_of_last..at]);
        let mut trace = header(lines, end_of_last..at);
        if trace.exception.kind.is_empty()
            && let Some(quoting) = quoting(lines, &traces, at)
        {
            traces.pop();
            trace = quoting;
        }
        if trace.exception.kind.is_empty() {
            trace.exception = tested::untyped(&lines[end_of_last..at]);
        }
        let mut frames = Vec::new();
        loop {
            if let Some(frame) = lines.get(at).and_then(|line| frame(line)) {
                frames.push(frame);
                at += 1;
            } else if let Some(more) = between(lines, at) {
                at += more;
            } else {
                break;
            }
        }
        if let Some(shared) = lines.get(at).and_then(|line| shared(line)) {
            trace.shared = shared;
            at += 1;
        }
        end_of_last = at;
        if is_dumped {
            continue;
        }
        frames.reverse();
        clip_frames(&mut frames);
        trace.exception.frames = frames;
        if trace.source.is_none() {
            traces.clear();
            calls = indent;
        }
        // What is indented less than the calls is no part of them.
        if trace.depth < calls && trace.source != Some("suppressed") {
            trace.depth = 0;
        }
        if traces.len() < MAX_TRACES {
            traces.push(trace);
        }
    }
    match tested::last(lines) {
        Some((failed, end)) if end > end_of_last => failed,
        _ => in_order(wrapped_last(traces)),
    }
}

/// Whether the calls below these lines are of a thread in a dump: nothing was thrown.
fn is_dumped(above: &[&str]) -> bool {
    let Some(last) = above.last().map(|line| line.trim()) else { return false };
    let title = last.strip_prefix('"').and_then(|rest| rest.rsplit_once('"')).map(|(_, title)| title);
    last.starts_with("java.lang.Thread.State:")
        || title.is_some_and(|title| title == ":" || title.starts_with(" #") || title.contains(" prio="))
}

/// How many lines from here on are no calls, but lie between two.
fn between(lines: &[&str], at: usize) -> Option<usize> {
    let is_one = |line: &&str| {
        let text = line.trim_start();
        let is_inside = text.is_empty() || text.len() < line.len() || text.starts_with(['[', '-', '.', '<', '~']);
        is_inside
            && frame(line).is_none()
            && shared(line).is_none()
            && mark(line).is_none()
            && (text.starts_with('[') || !TYPE.is_match(line))
    };
    let count = lines[at..].iter().take(MOST_BETWEEN + 1).take_while(|line| is_one(line)).count();
    (count > 0 && count <= MOST_BETWEEN && lines.get(at + count).is_some_and(|line| frame(line).is_some()))
        .then_some(count)
}

/// The trace whose message quotes the one above, where text alone stands between that and the
/// calls at this line: its type is on the line above the quoted one's.
fn quoting(lines: &[&str], traces: &[Trace], at: usize) -> Option<Trace> {
    let quoted = traces.last().filter(|trace| trace.source.is_none())?;
    let above = quoted.header.start.checked_sub(1)?;
    let from = above.saturating_sub(MESSAGE_LINES);
    let start = (from..=above)
        .rev()
        .take_while(|&line| !lines[line].trim().is_empty() && frame(lines[line]).is_none())
        .find(|&line| mark(lines[line]).is_some() || TYPE.is_match(lines[line]))?;
    let said = header(lines, start..start + 1);
    let value = said.exception.value.as_deref().into_iter().chain(lines[start + 1..at].iter().copied());
    let value = message(value);
    Some(Trace { exception: Exception { value, ..said.exception }, header: start..at, ..said })
}

/// Where the root cause is printed first: what it led to goes before it, as in the usual order.
fn wrapped_last(mut traces: Vec<Trace>) -> Vec<Trace> {
    if !traces.iter().any(|trace| trace.source == Some(WRAPPER)) {
        return traces;
    }
    let mut runs: Vec<Vec<Trace>> = Vec::new();
    for mut trace in traces.drain(..) {
        let is_wrapper = trace.source == Some(WRAPPER);
        match runs.last_mut() {
            // What was suppressed stays below its owner.
            Some(run) if !is_wrapper => run.push(trace),
            run => {
                if let Some(run) = run {
                    run[0].source = Some("cause");
                }
                trace.source = None;
                runs.push(vec![trace]);
            }
        }
    }
    runs.into_iter().rev().flatten().collect()
}

/// Fills in the shared frames, and puts causes before what they caused and suppressed exceptions
/// before all.
fn in_order(mut traces: Vec<Trace>) -> Vec<Exception> {
    for index in 1..traces.len() {
        let (before, rest) = traces.split_at_mut(index);
        let trace = &mut rest[0];
        // A cause belongs to the trace before it at its own depth, a suppressed exception to one
        // further out.
        let owner = before.iter().rev().find(|owner| match trace.source {
            Some("suppressed") => owner.depth < trace.depth || trace.depth == 0,
            _ => owner.depth <= trace.depth,
        });
        if let Some(owner) = owner {
            let shared = owner.exception.frames.iter().take(trace.shared).cloned();
            trace.exception.frames.splice(..0, shared);
            // Or the next trace would share these as well, and each be longer than the one before.
            clip_frames(&mut trace.exception.frames);
        }
        trace.exception.source = trace.source.map(str::to_owned);
    }
    let (main, aside): (Vec<_>, Vec<_>) =
        traces.into_iter().partition(|trace| trace.depth == 0 && trace.source != Some("suppressed"));
    aside.into_iter().chain(main.into_iter().rev()).map(|trace| trace.exception).collect()
}

/// The type and message in these lines between the last stack and this one; without a type where
/// none is named.
fn header(lines: &[&str], range: Range<usize>) -> Trace {
    let from = range.start.max(range.end.saturating_sub(MESSAGE_LINES));
    let above = &lines[from..range.end];
    let marked = above.iter().rposition(|line| mark(line).is_some());
    let find = |pattern: &Regex| above.iter().rposition(|line| pattern.is_match(line));
    let at = marked.or_else(|| find(&TYPE)).or_else(|| find(&BARE_TYPE));
    let Some((first, more)) = at.and_then(|at| above[at..].split_first()) else {
        return Trace { exception: Exception::default(), source: None, depth: 0, header: range, shared: 0 };
    };
    let start = from + at.unwrap_or(0);
    let (source, said) = mark(first).unwrap_or((None, first));
    let (name, value) = match TYPE.captures(said).or_else(|| BARE_TYPE.captures(said)) {
        Some(found) => (found.get(1).map_or("", |name| name.as_str()), found.get(2).map(|value| value.as_str())),
        // A type without a package.
        None => match said.split_once(": ") {
            Some((name, value)) => (name.trim(), Some(value)),
            None => (said.trim(), None),
        },
    };
    let (module, kind) = match name.rsplit_once('.') {
        Some((module, kind)) => (Some(module.to_owned()), kind),
        None => (None, name),
    };
    let value = message(value.into_iter().chain(more.iter().copied()));
    // A log may indent nothing and put anything before the type, but what belongs to another trace
    // is printed alone.
    let depth = if source.is_some() { place::indent(first) } else { 0 };
    let exception = Exception { kind: kind.to_owned(), module, value, ..Exception::default() };
    Trace { exception, source, depth, header: start..range.end, shared: 0 }
}

fn mark(line: &str) -> Option<(Option<&'static str>, &str)> {
    let line = line.trim_start();
    MARKS.iter().find_map(|&(mark, source)| {
        let rest = line.strip_prefix(mark)?;
        // The thread's name may hold anything but a quote.
        Some((source, if source.is_none() { rest.split_once("\" ")?.1 } else { rest }))
    })
}

/// `... 23 more`; Logback says `... 23 common frames omitted`.
fn shared(line: &str) -> Option<usize> {
    let rest = line.trim().strip_prefix("... ")?;
    rest.strip_suffix(" more").or_else(|| rest.strip_suffix(" common frames omitted"))?.parse().ok()
}

/// `at java.base/java.util.List.of(List.java:12)`, with the archive behind it where a logger adds
/// it.
pub(super) fn frame(line: &str) -> Option<Frame> {
    let rest = line.trim_start().strip_prefix("at ")?;
    let (name, rest) = rest.split_once('(')?;
    let (place, _) = rest.split_once(')')?;
    if name.is_empty() || name.contains(char::is_whitespace) {
        return None;
    }
    // The loader and the module stand before the class.
    let name = name.rsplit_once('/').map_or(name, |(_, name)| name);
    let (class, method) = name.rsplit_once('.')?;
    let (file, line) = match place::path_and_line(place) {
        Some((file, line)) => (Some(file), Some(line)),
        None if place.ends_with("Method") || place.starts_with("Unknown") || place.starts_with('<') => (None, None),
        None if place.contains('.') && !place.contains(':') => (Some(place), None),
        None => return None,
    };
    // Where a column follows, it is JavaScript.
    if file.is_some_and(|file| file.contains(['/', ':'])) {
        return None;
    }
    // Files lie in folders that are named as their packages: more of a path than the base name that
    // is printed.
    let package = class.rsplit_once('.').map(|(package, _)| package.replace('.', "/"));
    let path = file.map(|file| package.map_or_else(|| file.to_owned(), |package| format!("{package}/{file}")));
    Some(Frame {
        filename: path,
        module: Some(class.to_owned()),
        function: Some(method.to_owned()),
        line,
        ..Frame::default()
    })
}
