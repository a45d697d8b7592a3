//! Go's panics, fatal errors, dumps of goroutines, and the stacks that errors bring along.

mod recovered;
mod tested;

use super::{MAX_EXCEPTIONS, message, place};
use domain::report::{Exception, Frame};

/// Lines within a stack that are no calls: what a person or a log put there.
const MOST_BETWEEN: usize = 3;
/// Lines of what is said above a stack that an error brings along.
const LINES_ABOVE: usize = 3;
/// What a stack is called of which nothing is known.
const GOROUTINE: &str = "goroutine";
/// Functions that are how a stack was taken, not where it comes from.
const TAKING: [&str; 3] = ["runtime/debug.", "runtime.Stack", "github.com/pkg/errors."];

/// The last panic's exception, the last error's, or the last test's that failed; empty where there
/// is none.
pub(super) fn parse(lines: &[&str]) -> Vec<Exception> {
    let lines = recovered::as_printed(lines);
    let lines = &lines.iter().map(AsRef::as_ref).collect::<Vec<_>>()[..];
    match tested::last(lines) {
        // A panic below it ended the run.
        Some((failed, end)) => {
            Some(panicked(&lines[end..])).filter(|raised| !raised.is_empty()).unwrap_or_else(|| vec![failed])
        }
        None => panicked(lines),
    }
}

/// `example.com/shop/cart.(*Cart).Nth` as its package and `(*Cart).Nth`, as Sentry's client names
/// them. Dots in the last part of a package's path are escaped: `gopkg.in/yaml%2ev3.Unmarshal`.
fn name_package(frame: &mut Frame) {
    let Some(name) = frame.function.as_deref() else { return };
    // What a type's parameters name has packages, too: `shop.Sum[example.com/shop/cart.Line]`.
    let end = name.find(['[', '(']).unwrap_or(name.len());
    let begin = name[..end].rfind('/').map_or(0, |slash| slash + 1);
    let Some((package, function)) = name[begin..].split_once('.') else { return };
    if package.is_empty() || package.starts_with('(') || function.is_empty() {
        return;
    }
    let (module, function) = (name[..begin + package.len()].to_owned(), function.to_owned());
    (frame.module, frame.function) = (Some(module), Some(function));
}

/// What was recovered by a framework that prints it in its own layout, or in Go's.
fn panicked(lines: &[&str]) -> Vec<Exception> {
    let begins = |line: &&str| panic(line).is_some() || is_goroutine(line);
    match recovered::gin(lines) {
        Some((recovered, at)) if !lines[at + 1..].iter().any(begins) => vec![recovered],
        _ => {
            let mut raised = raised(lines);
            raised.iter_mut().flat_map(|exception| &mut exception.frames).for_each(name_package);
            raised
        }
    }
}

/// The last panic's exception, or the last error's, in Go's own layout.
fn raised(lines: &[&str]) -> Vec<Exception> {
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
    let Some(stack) = goroutine(lines, after, first.is_some()).or_else(|| bare_panic(lines, first)) else {
        return errors(lines);
    };
    let calls = calls(lines, stack).0;
    let unsaid = kind_of(&calls);
    let frames = innermost_last(calls);
    if frames.is_empty() {
        return errors(lines);
    }
    let (kind, value) = match first.and_then(|at| Some((at, panic(lines[at])?))) {
        Some((at, (kind, value))) => {
            let more = lines[at + 1..stack.max(at + 1)].iter().copied();
            let more = more.take_while(|line| {
                !line.is_empty()
                    && panic(line).is_none()
                    && !line.starts_with("[signal ")
                    && !line.starts_with("goroutine ")
            });
            (kind, message(std::iter::once(value).chain(more)))
        }
        None => match said_above(lines, stack) {
            Some(said) if !said.starts_with('[') => (unsaid, message([recovered::logged(said).as_str()])),
            _ => (if unsaid == "error" { GOROUTINE } else { unsaid }, None),
        },
    };
    vec![Exception { kind: kind.to_owned(), value, handled: Some(false), frames, ..Exception::default() }]
}

/// What a goroutine's calls are of, where nothing else says it: of a panic, or of an error
/// whose stack was taken to be logged.
fn kind_of(calls: &[Frame]) -> &'static str {
    let has = |test: fn(&str) -> bool| calls.iter().filter_map(|call| call.function.as_deref()).any(test);
    if has(|name| name == "panic") {
        "panic"
    } else if has(|name| TAKING.iter().any(|taking| name.starts_with(taking))) {
        "error"
    } else {
        GOROUTINE
    }
}

/// Kind and message of `panic: …`, `fatal error: …`, `SIGQUIT: quit` or what net/http writes when
/// it recovers a handler's panic.
fn panic(line: &str) -> Option<(&'static str, &str)> {
    let line = line.trim_start();
    if let Some(text) = line.strip_prefix("panic: ") {
        let text = text.strip_suffix(" [recovered]").unwrap_or(text);
        return Some(("panic", text.strip_suffix(" [recovered, repanicked]").unwrap_or(text)));
    }
    if let Some(text) = line.strip_prefix("fatal error: ") {
        return Some(("fatal error", text));
    }
    for signal in ["SIGQUIT", "SIGSEGV", "SIGABRT", "SIGBUS", "SIGILL", "SIGFPE", "SIGTRAP"] {
        if let Some(text) = line.strip_prefix(signal).and_then(|rest| rest.strip_prefix(": ")) {
            return Some((signal, text));
        }
    }
    if line.trim_end() == "WARNING: DATA RACE" {
        return Some(("data race", ""));
    }
    let (_, served) = line.split_once("http: panic serving ")?;
    Some(("panic", served.split_once(": ")?.1))
}

/// Where the calls begin of the goroutine that failed: the first one below its panic. Of a dump,
/// the first that ran.
fn goroutine(lines: &[&str], after: usize, is_below_panic: bool) -> Option<usize> {
    let find = |test: &dyn Fn(&str) -> bool| lines[after..].iter().position(|line| test(line)).map(|at| after + at + 1);
    let is_running = |line: &str| is_goroutine(line) && (line.contains(" [running") || line.contains(", running"));
    if !is_below_panic {
        // Of several in a log, the last; of a dump's, the one that ran.
        let last = lines.iter().rposition(|line| is_goroutine(line))?;
        return Some(lines.iter().rposition(|line| is_running(line)).unwrap_or(last) + 1);
    }
    let first = find(&is_goroutine)?;
    // A signal's own goroutine has nothing of the program.
    if lines[first - 1].trim_start().starts_with("goroutine 0 ") {
        return find(&is_running).or(Some(first));
    }
    Some(first)
}

/// Calls directly below a panic, without a goroutine's line: it was not copied.
fn bare_panic(lines: &[&str], panic: Option<usize>) -> Option<usize> {
    let below = panic? + 1;
    (below..lines.len().min(below + super::MESSAGE_LINES)).find(|&at| call(lines, at).is_some())
}

/// `goroutine 1 [running]:`
fn is_goroutine(line: &str) -> bool {
    line.trim().strip_prefix("goroutine ").is_some_and(|rest| {
        rest.starts_with(|c: char| c.is_ascii_digit()) && (rest.ends_with("]:") || rest.ends_with(']'))
    })
}

/// Calls from this line on, innermost first, and where they end.
fn calls(lines: &[&str], from: usize) -> (Vec<Frame>, usize) {
    let mut frames = Vec::new();
    let (mut at, mut end, mut between) = (from, from, 0);
    while at < lines.len() && !is_goroutine(lines[at]) && panic(lines[at]).is_none() {
        match call(lines, at) {
            Some((frame, next)) => {
                frames.push(frame);
                at = next;
                end = next;
                between = 0;
            }
            // There is nothing outside of it: what follows is another error's.
            None if frames.last().is_some_and(is_outermost) => break,
            None => {
                between += 1;
                at += 1;
                if between > MOST_BETWEEN && !frames.is_empty() {
                    break;
                }
            }
        }
    }
    (frames, end)
}

/// Whether the call is the one that a goroutine begins with.
fn is_outermost(frame: &Frame) -> bool {
    frame.function.as_deref() == Some("runtime.goexit")
}

/// A function, and below it its place, whatever they are indented by; blank lines may lie between.
fn call(lines: &[&str], at: usize) -> Option<(Frame, usize)> {
    let name = without_arrow(lines[at]);
    if !is_function(name) {
        return None;
    }
    let below = (at + 1..lines.len().min(at + 3)).find(|&below| !lines[below].trim().is_empty())?;
    let (path, line) = place_of(lines[below])?;
    Some((place::frame(path, Some(line), None, Some(function(name))), below + 1))
}

/// chi marks the innermost call: ` -> main.f`.
fn without_arrow(line: &str) -> &str {
    let line = line.trim();
    line.strip_prefix("->").map_or(line, str::trim_start)
}

/// `main.f(0x1, {...})`, `created by main.serve in goroutine 1`, or a name with its package alone.
fn is_function(line: &str) -> bool {
    if line.starts_with("created by ") || line == "panic" || line.starts_with("panic(") {
        return true;
    }
    let name = match line.split_once('(') {
        Some((name, _)) if line.ends_with(')') && !name.is_empty() => name,
        // `main.(*Cart).Nth` has brackets, and no arguments.
        _ => line,
    };
    let name = name.strip_suffix(".").unwrap_or(name);
    (name.contains('.') || line.ends_with(')'))
        && !name.contains(char::is_whitespace)
        && !name.starts_with(['/', '.', '-', '"'])
        && place::path_and_line(line).is_none()
}

/// `/srv/app/main.go:14 +0x36`
fn place_of(line: &str) -> Option<(&str, u32)> {
    let text = without_arrow(line);
    let text = text.split(" +0x").next().unwrap_or(text);
    let (path, number) = place::path_and_line(text.trim_end())?;
    let is_source = [".go", ".s", ".c", ".cc", ".y"].iter().any(|end| path.ends_with(end)) || path == "<autogenerated>";
    ((is_source || line.starts_with('\t')) && !path.contains(": ")).then_some((path, number))
}

/// Oldest call first, those of the runtime that raises the panic left out.
fn innermost_last(frames: Vec<Frame>) -> Vec<Frame> {
    // Printed innermost first. Inwards of the outermost `panic` are deferred functions that run
    // because of it.
    let is = |frame: &Frame, test: fn(&str) -> bool| frame.function.as_deref().is_some_and(test);
    // Where nothing is outside of it, the log was cut.
    let inside = &frames[..frames.len().saturating_sub(1)];
    let raised = inside.iter().rposition(|frame| is(frame, |name| name == "panic")).map_or(0, |at| at + 1);
    let is_how = |name: &str| name.starts_with("runtime.") || TAKING.iter().any(|taking| name.starts_with(taking));
    let runtime = frames[raised..].iter().take_while(|frame| is(frame, is_how)).count();
    let mut frames = frames;
    if raised + runtime < frames.len() {
        frames.drain(..raised + runtime);
    }
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

/// Errors that print the stack at which they were made (`%+v`), or a logger's: what is said, and
/// calls below it. The innermost error is printed first.
fn errors(lines: &[&str]) -> Vec<Exception> {
    let mut found: Vec<Exception> = Vec::new();
    let mut end_of_last = 0;
    let mut at = 0;
    while at < lines.len() {
        if call(lines, at).is_none() {
            at += 1;
            continue;
        }
        let (frames, end) = calls(lines, at);
        let said = said_above(&lines[end_of_last..], at - end_of_last);
        let value = said.and_then(|said| message([recovered::logged(said).as_str()]));
        // What wraps an error follows its stack at once.
        if at > end_of_last + LINES_ABOVE {
            found.clear();
        }
        let frames = innermost_last(frames);
        found.push(Exception { kind: "error".to_owned(), value, frames, ..Exception::default() });
        end_of_last = end;
        at = end;
    }
    found.truncate(MAX_EXCEPTIONS);
    // A single call may be anything.
    let calls: usize = found.iter().map(|error| error.frames.len()).sum();
    if calls < 2 { Vec::new() } else { found }
}

/// The line above a stack that says what happened.
fn said_above<'a>(lines: &[&'a str], at: usize) -> Option<&'a str> {
    let above = lines[..at].iter().rev().take(LINES_ABOVE);
    above.map(|line| line.trim()).find(|line| {
        !line.is_empty() && !is_goroutine(line) && place_of(line).is_none() && !line.ends_with("Stack trace:")
    })
}
