//! Swift's fatal errors and backtraces, and the crash reports of Apple's systems.

use super::{message, place};
use domain::report::{Exception, Frame};

/// What ends a program of Swift's by its own words.
const FATAL: &[&str] = &["Fatal error", "Precondition failed", "Assertion failed", "fatal error"];
/// Functions that only say so.
const RAISING: &[&str] = &["_assertionFailure", "_swift_runtime", "swift_", "fatalError", "preconditionFailure"];
/// What an assertion of XCTest's is called that does not say which it is.
const TEST_FAILURE: &str = "XCTFail";
/// What is said of a function whose name the binary does not hold.
const WITHOUT_SYMBOLS: &str = "(without symbols)";

/// The last crash; empty where there is none.
pub(super) fn parse(lines: &[&str]) -> Vec<Exception> {
    let said = lines.iter().enumerate().rev().find_map(|(at, line)| Some((at, fatal(line)?)));
    let tested = lines.iter().enumerate().rev().find_map(|(at, line)| Some((at, tested(line)?)));
    if let Some((at, failed)) = tested
        && said.as_ref().is_none_or(|(said, _)| *said < at)
    {
        return vec![failed];
    }
    // The system's own report of a later crash.
    let report = lines.iter().rposition(|line| line.trim_start().starts_with("Exception Type:"));
    if let Some(report) = report.filter(|report| said.as_ref().is_some_and(|(at, _)| at < report)) {
        return parse(&lines[report..]);
    }
    let after = said.as_ref().map_or(0, |(at, _)| at + 1);
    let frames = backtrace(&lines[after..]).or_else(|| said.is_none().then(|| crash_report(lines)).flatten());
    let Some((_, fatal)) = said else { return frames.into_iter().flat_map(|frames| crash(lines, frames)).collect() };
    let mut frames = frames.or_else(|| crash_report(&lines[after..])).unwrap_or_default();
    // What only says that it ends is no code of anybody's.
    while frames.len() > 1 && frames.last().is_some_and(is_raising) {
        frames.pop();
    }
    if let Some(named) = fatal.place {
        let is_there = frames.iter().any(|frame| frame.line == named.line && ends_alike(frame, &named));
        match frames.last_mut() {
            Some(_) if is_there => {}
            Some(innermost) if innermost.line.is_none() => {
                let function = innermost.function.take();
                *innermost = Frame { function, ..named };
            }
            _ => frames.push(named),
        }
    }
    if frames.is_empty() {
        return Vec::new();
    }
    vec![Exception { kind: fatal.kind, value: fatal.value, handled: Some(false), frames, ..Exception::default() }]
}

struct Fatal {
    kind: String,
    value: Option<String>,
    place: Option<Frame>,
}

/// `Fatal error: text: file Shop/Cart.swift, line 3`, `Shop/Cart.swift:3: Fatal error: text`.
fn fatal(line: &str) -> Option<Fatal> {
    // Without its beginning, it says what its end says.
    let said = FATAL.iter().find_map(|mark| Some((*mark, line.find(mark)?)));
    let Some((mark, at)) = said else {
        let (text, named) = line.split_once(": file ")?;
        let (path, number) = named.trim_end().split_once(", line ")?;
        is_swift(path).then_some(())?;
        let place = Some(place::frame(path, Some(number.parse().ok()?), None, None));
        return Some(Fatal { kind: FATAL[0].to_owned(), value: message([text]), place });
    };
    let (before, said) = (&line[..at], &line[at + mark.len()..]);
    let text = said.strip_prefix(": ").or_else(|| said.is_empty().then_some(""))?;
    let above = before.trim_end().strip_suffix(':').map(|place| place.rsplit([' ', '\t']).next().unwrap_or(place));
    let above = above.and_then(|place| {
        let columned = place::path_line_and_column(place).map(|(path, line, column)| (path, line, Some(column)));
        columned.or_else(|| place::path_and_line(place).map(|(path, line)| (path, line, None)))
    });
    let (text, place) = match above.filter(|(path, ..)| is_swift(path)) {
        Some((path, line, column)) => (text, place::frame(path, Some(line), column, None)),
        None => {
            let (text, named) = text.rsplit_once("file ").filter(|(text, _)| text.is_empty() || text.ends_with(' '))?;
            let (path, number) = named.trim_end().trim_end_matches('.').split_once(", line ")?;
            is_swift(path).then_some(())?;
            (text.trim_end().trim_end_matches(':'), place::frame(path, Some(number.parse().ok()?), None, None))
        }
    };
    // An error that reached the top is worth more than that it did.
    let raised = text.strip_prefix("Error raised at top level: ");
    let kind = raised.and_then(|error| error.split(['(', '{', ' ']).next()).filter(|error| error.contains('.'));
    let kind = kind.map_or_else(|| if mark.starts_with('f') { FATAL[0] } else { mark }.to_owned(), str::to_owned);
    Some(Fatal { kind, value: message([raised.unwrap_or(text)]), place: Some(place) })
}

/// `/src/CartTests.swift:9: error: -[ShopTests.CartTests testTotal] : text`, as XCTest says of a
/// test that failed; on Linux `CartTests.testTotal : text`. A compiler names no test.
fn tested(line: &str) -> Option<Exception> {
    let (place, said) = line.split_once(": error: ")?;
    let (path, number) = place::path_and_line(place.trim_start()).filter(|(path, _)| is_swift(path))?;
    let (test, text) = said.split_once(" : ")?;
    let name = test.strip_prefix("-[").and_then(|test| test.strip_suffix(']')).unwrap_or(test);
    let (_, function) = name.rsplit_once([' ', '.'])?;
    (function.starts_with("test") && !test.contains(['\'', '"'])).then_some(())?;
    let (kind, value) = match text.split_once(" failed") {
        Some((kind, rest)) if kind.starts_with("XCT") && !kind.contains(' ') => {
            let value = rest.strip_prefix(": ").unwrap_or(rest);
            (kind, value.trim_end().strip_suffix(" -").unwrap_or(value))
        }
        _ => (TEST_FAILURE, text),
    };
    let frames = vec![place::frame(path, Some(number), None, Some(function))];
    Some(Exception { kind: kind.to_owned(), value: message([value]), frames, ..Exception::default() })
}

fn is_swift(path: &str) -> bool {
    path.ends_with(".swift")
}

fn is_raising(frame: &Frame) -> bool {
    let name = frame.function_name();
    frame.path().is_none_or(|path| !path.contains('/')) && RAISING.iter().any(|raising| name.contains(raising))
}

fn ends_alike(frame: &Frame, other: &Frame) -> bool {
    let base = |frame: &Frame| frame.path().and_then(|path| path.rsplit('/').next()).map(str::to_owned);
    base(frame) == base(other)
}

/// `0 [ra] 0x1045b03ac f() + 28 in shop at /src/Cart.swift:9:11`, of Swift 5.9 and later; the
/// thread that crashed is printed first.
fn backtrace(lines: &[&str]) -> Option<Vec<Frame>> {
    let mut frames: Vec<Frame> = Vec::new();
    let mut expected = 0;
    for line in lines {
        match backtrace_frame(line) {
            // Another thread.
            Some((number, _)) if number < expected => break,
            Some((number, frame)) => {
                expected = number;
                frames.push(frame);
            }
            None => {}
        }
    }
    frames.reverse();
    frames.iter().any(|frame| frame.line.is_some()).then_some(frames)
}

fn backtrace_frame(line: &str) -> Option<(usize, Frame)> {
    let (number, rest) = line.trim().split_once(' ')?;
    let number = number.parse().ok()?;
    let (call, place) = rest.rsplit_once(" at ").map_or((rest, None), |(call, place)| (call, Some(place)));
    let (name, _module) = call.rsplit_once(" in ")?;
    let name = name.trim_start();
    let name = ["[ra] ", "[async] ", "[inlined] ", "[system] ", "[thunk] "]
        .iter()
        .fold(name, |name, mark| name.trim_start().strip_prefix(mark).unwrap_or(name))
        .trim_start();
    let name = match name.strip_prefix("0x").and_then(|rest| rest.split_once(' ')) {
        Some((_, name)) => ["[ra] ", "[async] ", "[inlined] ", "[system] "]
            .iter()
            .fold(name.trim_start(), |name, mark| name.strip_prefix(mark).unwrap_or(name)),
        None => name,
    };
    let name = without_offset(name);
    let located = place.and_then(place::path_line_and_column);
    match located {
        Some((path, line, column)) => {
            // Made by the compiler: there is no such line.
            let line = Some(line).filter(|line| *line > 0);
            Some((number, place::frame(path, line, Some(column).filter(|_| line.is_some()), Some(name))))
        }
        None if place.is_none() && call.contains("0x") => {
            Some((number, Frame { function: Some(name.to_owned()), ..Frame::default() }))
        }
        None => None,
    }
}

fn without_offset(name: &str) -> &str {
    match name.rsplit_once(" + ") {
        Some((name, offset)) if offset.bytes().all(|byte| byte.is_ascii_digit()) => name.trim_end(),
        _ => name.trim_end(),
    }
}

/// A crash whose reason only the system says.
fn crash(lines: &[&str], frames: Vec<Frame>) -> Vec<Exception> {
    let told = |name: &str| lines.iter().rev().find_map(|line| Some(line.trim_start().strip_prefix(name)?.trim()));
    let reason = lines.iter().rev().find_map(|line| Some(line.split_once("Program crashed: ")?.1.trim()));
    let kind = told("Exception Type:").or_else(|| reason.map(|reason| reason.split(" at 0x").next().unwrap_or(reason)));
    let Some(kind) = kind.or_else(|| told("Termination Reason:")) else { return Vec::new() };
    let note = lines.iter().position(|line| line.trim() == "Application Specific Information:");
    let note = note.and_then(|at| lines.get(at + 1)).copied().or(reason).or_else(|| told("Exception Note:"));
    let kind = kind.split(" (").next().unwrap_or(kind).to_owned();
    vec![Exception { kind, value: message(note), handled: Some(false), frames, ..Exception::default() }]
}

/// The frames of the thread that crashed: `3   Shop   0x104 Shop.total() + 60 (Cart.swift:12)`.
fn crash_report(lines: &[&str]) -> Option<Vec<Frame>> {
    let is_crashed = |line: &&str| {
        let line = line.trim();
        line.starts_with("Thread ") && line.ends_with("Crashed:") || line == "Last Exception Backtrace:"
    };
    let at = lines.iter().rposition(is_crashed)?;
    let rest = &lines[at + 1..];
    let begin = rest.iter().take(3).position(|line| report_frame(line).is_some())?;
    let mut frames: Vec<Frame> = rest[begin..].iter().map_while(|line| report_frame(line)).collect();
    frames.reverse();
    Some(frames)
}

fn report_frame(line: &str) -> Option<Frame> {
    let (number, rest) = line.trim().split_once([' ', '\t'])?;
    number.bytes().all(|byte| byte.is_ascii_digit()).then_some(())?;
    let (module, rest) = rest.trim_start().split_once("0x")?;
    let module = module.trim();
    let (_, symbol) = rest.split_once(' ')?;
    let symbol = symbol.trim();
    let (symbol, place) = match symbol.strip_suffix(')').and_then(|symbol| symbol.rsplit_once(" (")) {
        Some((symbol, place)) => (symbol, place::path_and_line(place)),
        None => (symbol, None),
    };
    // An address, and how far from the module's beginning: nobody's name.
    let name = if symbol.starts_with("0x") || symbol.starts_with(|c: char| c.is_ascii_digit()) {
        format!("{module} {WITHOUT_SYMBOLS}")
    } else {
        without_offset(symbol).to_owned()
    };
    Some(match place {
        Some((path, line)) => place::frame(path, Some(line).filter(|line| *line > 0), None, Some(&name)),
        None => Frame { function: Some(name), ..Frame::default() },
    })
}
