//! Go's panics and fatal errors.

use super::{message, place};
use domain::report::{Exception, Frame};

/// The last panic's exception; empty where there is none.
pub(super) fn parse(lines: &[&str]) -> Vec<Exception> {
    let starts = |line: &&str| panic(line).is_some();
    let last_panic = lines.iter().rposition(starts);
    // What was recovered and raised again is printed right below, and is the same panic.
    let first = last_panic.map(|mut at| {
        while at > 0 && starts(&lines[at - 1]) {
            at -= 1;
        }
        at
    });
    let after = first.unwrap_or(0);
    let Some(stack) = lines[after..].iter().position(|line| is_goroutine(line)).map(|at| after + at) else {
        return Vec::new();
    };
    let frames = frames(&lines[stack + 1..]);
    if frames.is_empty() {
        return Vec::new();
    }
    let (kind, value) = match first.and_then(|at| Some((at, panic(lines[at])?))) {
        Some((at, (kind, value))) => {
            let more = lines[at + 1..stack].iter().copied();
            let more =
                more.take_while(|line| !line.is_empty() && panic(line).is_none() && !line.starts_with("[signal "));
            (kind, message(std::iter::once(value).chain(more)))
        }
        None => ("goroutine", None),
    };
    vec![Exception { kind: kind.to_owned(), value, handled: Some(false), frames, ..Exception::default() }]
}

/// Kind and message of `panic: …`, `fatal error: …` or what net/http writes when it recovers a
/// handler's panic.
fn panic(line: &str) -> Option<(&'static str, &str)> {
    let line = line.strip_prefix('\t').unwrap_or(line);
    if let Some(text) = line.strip_prefix("panic: ") {
        let text = text.strip_suffix(" [recovered]").unwrap_or(text);
        return Some(("panic", text.strip_suffix(" [recovered, repanicked]").unwrap_or(text)));
    }
    if let Some(text) = line.strip_prefix("fatal error: ") {
        return Some(("fatal error", text));
    }
    let (_, served) = line.split_once("http: panic serving ")?;
    Some(("panic", served.split_once(": ")?.1))
}

/// `goroutine 1 [running]:`
fn is_goroutine(line: &str) -> bool {
    line.strip_prefix("goroutine ")
        .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()) && rest.ends_with("]:"))
}

/// Frames of one goroutine, oldest call first, those of the runtime that raises the panic left out.
fn frames(lines: &[&str]) -> Vec<Frame> {
    let mut frames = Vec::new();
    for pair in lines.windows(2) {
        if pair[0].is_empty() || is_goroutine(pair[0]) {
            break;
        }
        let Some(place) = pair[1].strip_prefix('\t') else { continue };
        if pair[0].starts_with('\t') {
            continue;
        }
        let place = place.split(" +0x").next().unwrap_or(place);
        if let Some((path, line)) = place::path_and_line(place.trim_end()) {
            frames.push(place::frame(path, Some(line), None, Some(function(pair[0]))));
        }
    }
    // Printed innermost first. Inwards of the outermost `panic` are deferred functions that run
    // because of it.
    let is = |frame: &Frame, test: fn(&str) -> bool| frame.function.as_deref().is_some_and(test);
    let raised = frames.iter().rposition(|frame| is(frame, |name| name == "panic")).map_or(0, |at| at + 1);
    let runtime = frames[raised..].iter().take_while(|frame| is(frame, |name| name.starts_with("runtime."))).count();
    let mut frames = if raised + runtime < frames.len() { frames.split_off(raised + runtime) } else { frames };
    frames.reverse();
    frames
}

/// `example.com/shop.(*Cart).Nth(0xc000012345, 0x7)` without the arguments;
/// `created by main.serve in goroutine 1`.
fn function(line: &str) -> &str {
    if let Some(creator) = line.strip_prefix("created by ") {
        return creator.split(" in goroutine ").next().unwrap_or(creator);
    }
    match line.rfind('(') {
        Some(at) if at > 0 && line.ends_with(')') => &line[..at],
        _ => line,
    }
}
