//! Stacks of C and C++: of sanitizers, gdb, lldb and valgrind, and of libraries that print them.

use super::{MESSAGE_LINES, message, place};
use domain::report::{Exception, Frame};

/// Files of C, C++, Objective-C and their kin.
const ENDINGS: &[&str] = &[
    ".c", ".cc", ".cpp", ".cxx", ".c++", ".C", ".h", ".hh", ".hpp", ".hxx", ".ipp", ".inl", ".m", ".mm", ".cu", ".ixx",
    ".cppm", ".S", ".y", ".l", ".tcc", ".inc", ".pyx", ".def",
];
/// Functions by which a program ends itself: whoever calls them is the innermost.
const RAISING: &[&str] = &[
    "abort",
    "raise",
    "__GI_abort",
    "__GI_raise",
    "__assert_fail",
    "__assert_fail_base",
    "__GI___assert_fail",
    "__pthread_kill_implementation",
    "__pthread_kill_internal",
    "__GI___pthread_kill",
    "pthread_kill",
    "__cxa_throw",
    "__cxa_rethrow",
    "std::terminate",
    "__gnu_cxx::__verbose_terminate_handler",
    "__cxxabiv1::__terminate",
    "__restore_rt",
    "<signal handler called>",
    "_Unwind_RaiseException",
    "__assert_rtn",
];
/// The same of Swift's, which debuggers show like any.
const SWIFTLY: &[&str] =
    &["_fatalErrorMessage", "_assertionFailure", "_diagnoseUnexpectedNilOptional", "swift_unexpectedError"];
/// What is printed in the place of a function's name.
const WITHOUT_SYMBOLS: &str = "(without symbols)";

/// The last crash; empty where there is none.
pub(super) fn parse(lines: &[&str]) -> Vec<Exception> {
    let mut found: Option<Exception> = None;
    let (mut at, mut end_of_last) = (0, 0);
    while at < lines.len() {
        let line = lines[at];
        let Some(first) = first_of(line) else {
            if let Some(exception) = placed(line) {
                (found, end_of_last) = (Some(exception), at + 1);
            }
            at += 1;
            continue;
        };
        let above = &lines[end_of_last.max(at.saturating_sub(MESSAGE_LINES))..at];
        let mut frames = vec![first];
        at += 1;
        let mut odd = 0;
        while let Some(line) = lines.get(at + odd) {
            match frame(line) {
                Some(_) if odd == 0 && first_of(line).is_some() && !is_by(line) => break,
                Some(frame) => {
                    frames.push(frame);
                    (at, odd) = (at + odd + 1, 0);
                }
                // gdb breaks long lines.
                None if odd < MOST_BROKEN && line.starts_with("    ") => {
                    if let Some(broken) = ended_below(line) {
                        if let Some(last) = frames.last_mut().filter(|frame| frame.line.is_none()) {
                            let function = last.function.take();
                            *last = Frame { function, ..broken };
                        }
                        (at, odd) = (at + odd + 1, 0);
                    } else {
                        odd += 1;
                    }
                }
                None => break,
            }
        }
        end_of_last = at;
        // Innermost first, up to here.
        let is_nameless = |frame: &Frame| frame.function_name() == WITHOUT_SYMBOLS && frame.line.is_none();
        let run = frames.iter().take_while(|frame| is_raising(frame) || is_nameless(frame)).count();
        if run < frames.len() && frames[..run].iter().any(is_raising) {
            frames.drain(..run);
        }
        frames.reverse();
        match said(above) {
            Some((kind, value)) => {
                found = Some(Exception { kind, value, handled: Some(false), frames, ..Exception::default() });
            }
            // Where it was freed, or another thread: the first stack is that of the error.
            None if found.as_ref().is_some_and(|found| found.frames.len() > 1 || found.kind != UNNAMED) => {
                if let Some(found) = found.as_mut().filter(|found| is_placed_only(found, &frames)) {
                    found.frames = frames;
                }
            }
            None => {
                found =
                    Some(Exception { kind: UNNAMED.to_owned(), handled: Some(false), frames, ..Exception::default() });
            }
        }
    }
    found
        .filter(|found| found.kind != UNNAMED || found.frames.iter().any(|frame| frame.line.is_some()))
        .into_iter()
        .collect()
}

/// What a crash is called whose reason nobody says.
const UNNAMED: &str = "crash";
/// Lines of one frame of gdb's, broken.
const MOST_BROKEN: usize = 4;

/// An error that named its place alone, and whose stack this is.
fn is_placed_only(found: &Exception, frames: &[Frame]) -> bool {
    found.frames.len() == 1 && frames.last().is_some_and(|frame| frame.line == found.frames[0].line)
}

/// Type and message in the lines above a stack.
fn said(above: &[&str]) -> Option<(String, Option<String>)> {
    // What was thrown says more than the signal that followed.
    let thrown = above.iter().enumerate().rev().find_map(|(at, line)| {
        let (_, rest) = line.split_once("terminate called after throwing an instance of '")?;
        let what = above.get(at + 1).and_then(|line| line.trim().strip_prefix("what():"));
        Some((rest.trim_end().trim_end_matches('\'').to_owned(), message(what)))
    });
    if thrown.is_some() {
        return thrown;
    }
    for line in above.iter().rev() {
        if let Some(exception) = placed(line) {
            return Some((exception.kind, exception.value));
        }
        if let Some((sanitizer, rest)) = ["ERROR: ", "WARNING: "].iter().find_map(|mark| {
            let (_, rest) = line.split_once(mark)?;
            rest.split_once("Sanitizer: ")
        }) {
            let kind = match rest.split_once(" on ") {
                Some((kind, _)) if !kind.contains(' ') => kind,
                _ => rest.split(" (").next().unwrap_or(rest),
            };
            return Some((kind.trim().to_owned(), message([format!("{sanitizer}Sanitizer: {rest}").as_str()])));
        }
        if let Some((_, number)) = line.split_once("signal ")
            && let Some(name) = number.trim_end_matches([':', '.', ' ']).parse().ok().and_then(signal_name)
        {
            return Some((name.to_owned(), message([*line])));
        }
        let signal = ["received signal ", "terminated with signal ", "Received signal ", "Caught signal "];
        if let Some((_, rest)) = signal.iter().find_map(|mark| line.split_once(mark)) {
            let kind = rest.split([',', ' ', '.', ':']).next().unwrap_or(rest);
            return Some((kind.to_owned(), message([rest.trim_end_matches('.')])));
        }
        if let Some((_, rest)) = line.split_once("stop reason = ") {
            return Some((rest.split(" (").next().unwrap_or(rest).trim().to_owned(), message([rest])));
        }
        if let Some(rest) = line.strip_prefix("*** SIG") {
            let end = rest.find(|c: char| !c.is_ascii_uppercase()).unwrap_or(rest.len());
            return Some((format!("SIG{}", &rest[..end]), message([line.trim_matches(['*', ' '])])));
        }
        if let Some((_, rest)) = line.strip_prefix("==").and_then(|rest| rest.split_once("== ")) {
            let is_valgrind =
                ["Invalid ", "Conditional jump", "Use of uninit", "Process terminating", "Jump to the inv"];
            if is_valgrind.iter().any(|begin| rest.starts_with(begin)) {
                return Some((rest.trim().to_owned(), None));
            }
        }
    }
    None
}

fn signal_name(number: u8) -> Option<&'static str> {
    Some(match number {
        4 => "SIGILL",
        6 => "SIGABRT",
        7 => "SIGBUS",
        8 => "SIGFPE",
        11 => "SIGSEGV",
        _ => return None,
    })
}

/// An error that names its place: `a.c:3:5: runtime error: …`, or glibc's
/// ``shop: a.c:3: f: Assertion `x' failed.``
fn placed(line: &str) -> Option<Exception> {
    if let Some((place, rest)) = line.split_once(": runtime error: ") {
        let (path, line, column) = place::path_line_and_column(place.trim())?;
        let frames = vec![is_source(path).then(|| place::frame(path, Some(line), Some(column), None))?];
        return Some(Exception {
            kind: "runtime error".to_owned(),
            value: message([rest]),
            frames,
            ..Exception::default()
        });
    }
    let (before, rest) = line.split_once(": Assertion `")?;
    let (text, _) = rest.rsplit_once("' failed")?;
    // `shop: a.c:3: int f(int)`
    let (_, rest) = before.split_once(": ")?;
    let (place, function) = rest.split_once(": ")?;
    let (path, line) = place::path_and_line(place)?;
    let function = name_of(function);
    let frames = vec![is_source(path).then(|| place::frame(path, Some(line), None, Some(function)))?];
    let value = message([format!("Assertion `{text}' failed").as_str()]);
    Some(Exception { kind: "assertion failed".to_owned(), value, handled: Some(false), frames, ..Exception::default() })
}

/// The frame that a stack begins with.
fn first_of(line: &str) -> Option<Frame> {
    let text = line.trim_start();
    let text = text.strip_prefix("* ").unwrap_or(text);
    let begins = ["#0 ", "0# ", "frame #0: ", "(0)"].iter().any(|begin| text.starts_with(begin))
        || is_by(line) && text.contains(" at 0x")
        || text.starts_with("@ ")
        || symbols(text.trim_end()).is_some();
    if begins { frame(line) } else { None }
}

/// Valgrind's lines, and glog's, which have no numbers.
fn is_by(line: &str) -> bool {
    let text = line.trim_start();
    text.starts_with("==") || text.starts_with("@ ") || symbols(text).is_some()
}

fn frame(line: &str) -> Option<Frame> {
    let text = line.trim();
    valgrind(text).or_else(|| glog(text)).or_else(|| symbols(text)).or_else(|| numbered(text))
}

/// `==12==    by 0x10916A: main (a.c:9)`
fn valgrind(text: &str) -> Option<Frame> {
    let (_, rest) = text.strip_prefix("==")?.split_once("==")?;
    let rest = rest.trim_start();
    let rest = rest.strip_prefix("at 0x").or_else(|| rest.strip_prefix("by 0x"))?;
    let (_, rest) = rest.split_once(": ")?;
    let (name, place) = rest.strip_suffix(')')?.rsplit_once(" (")?;
    Some(located(name, place).unwrap_or_else(|| unlocated(name)))
}

/// `@     0x564dceee3e28 main`
fn glog(text: &str) -> Option<Frame> {
    let (_, name) = text.strip_prefix("@ ")?.trim_start().strip_prefix("0x")?.split_once(' ')?;
    Some(unlocated(name.trim()))
}

/// What `backtrace_symbols` of glibc gives: `./shop(f+0x1a) [0x55a7bcf86772]`.
fn symbols(text: &str) -> Option<Frame> {
    let (rest, address) = text.strip_suffix(']')?.rsplit_once("[0x")?;
    let (_, symbol) = rest.trim_end().strip_suffix(')')?.rsplit_once('(')?;
    let is_address = address.bytes().all(|byte| byte.is_ascii_hexdigit());
    let (name, _) = symbol.rsplit_once(['+', '-']).filter(|(_, offset)| is_address && offset.starts_with("0x"))?;
    Some(unlocated(name))
}

/// `#0 0x55 in f(int) /src/a.cc:3:5`, `#0  f (x=1) at a.c:3`, `frame #0: 0x1 shop`f at a.c:3:5`,
/// ` 0# f(int) at /src/a.cpp:3`.
fn numbered(text: &str) -> Option<Frame> {
    let text = text.strip_prefix("* ").unwrap_or(text);
    let text = text.strip_prefix("frame ").unwrap_or(text);
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let rest = match text.strip_prefix('#') {
        Some(rest) => rest.split_once(' ').filter(|(number, _)| is_number(number.trim_end_matches(':')))?.1,
        None => text.split_once("# ").filter(|(number, _)| is_number(number))?.1,
    };
    let rest = rest.trim();
    let (address, rest) = match rest.strip_prefix("0x").and_then(|rest| rest.split_once(' ')) {
        Some((_, rest)) => (true, rest.trim_start()),
        None => (false, rest),
    };
    let is_in = rest.starts_with("in ");
    let rest = rest.strip_prefix("in ").unwrap_or(rest);
    // lldb names the module before the function.
    let module = if address { rest.split_once('`') } else { None };
    let rest = module.map_or(rest, |(_, rest)| rest);
    let whole = rest.strip_suffix(']').and_then(|rest| rest.rsplit_once(" [0x")).map_or(rest, |(rest, _)| rest);
    if let Some((name, place)) = whole.rsplit_once(" at ")
        && let Some(frame) = located(name, place)
    {
        return Some(frame);
    }
    // Sanitizers: a path with nothing before it but a space.
    let whole = whole.strip_suffix(')').and_then(|rest| rest.rsplit_once(" (")).map_or(whole, |(rest, behind)| {
        if behind.contains("+0x") || behind.starts_with("BuildId") { rest } else { whole }
    });
    if let Some((name, place)) = in_path(whole)
        && let Some(frame) = located(name, place)
    {
        return Some(frame);
    }
    if !address && !is_in && !rest.contains(" in ") && !rest.contains(" (") && rest != "<signal handler called>" {
        return None;
    }
    // Whatever else has such numbers names files of its own.
    (!rest.contains(".php") && !rest.contains(".dart") && !rest.contains("package:") && !rest.contains("dart:"))
        .then(|| unlocated(rest))
}

/// `f(int) /src/a.cc:3:5`; a path may hold spaces, a name may as well.
fn in_path(text: &str) -> Option<(&str, &str)> {
    let slash = text.find(" /").or_else(|| text.find(":\\").filter(|&at| at > 1).map(|at| at - 2));
    match slash {
        Some(at) => Some((&text[..at], &text[at + 1..])),
        None => text.rsplit_once(' '),
    }
}

/// The end of a frame that gdb broke: `y=2) at a.c:9`.
fn ended_below(line: &str) -> Option<Frame> {
    let (_, place) = line.rsplit_once(") at ")?;
    located("", place)
}

fn located(name: &str, place: &str) -> Option<Frame> {
    let place = place.trim();
    let (path, line, column) = match place::path_line_and_column(place) {
        Some((path, line, column)) => (path, line, Some(column)),
        None => place::path_and_line(place).map(|(path, line)| (path, line, None))?,
    };
    (is_source(path) || path.starts_with('/') && !path.contains(".so") && line > 0).then(|| {
        let function = name_of(name);
        place::frame(path, Some(line).filter(|line| *line > 0), column, Some(function))
    })
}

fn unlocated(name: &str) -> Frame {
    let name = name.split(" from /").next().unwrap_or(name);
    let name = name_of(name.split(" in ").next().unwrap_or(name));
    let is_nameless = name.is_empty() || name.starts_with('(') || matches!(name, "??" | "???");
    let function = if is_nameless { WITHOUT_SYMBOLS } else { name };
    Frame { function: Some(function.to_owned()), ..Frame::default() }
}

/// A function's name without its arguments, as far as its name can be told from them.
fn name_of(text: &str) -> &str {
    let text = text.trim();
    // gdb: `f (x=1, y=2)`.
    if let Some((name, _)) = text.split_once(" (").filter(|(name, _)| !name.is_empty()) {
        return name.trim_end();
    }
    text
}

fn is_raising(frame: &Frame) -> bool {
    let name = frame.function_name();
    let name = name.split('(').next().unwrap_or(name);
    RAISING.contains(&name)
        || SWIFTLY.iter().any(|raising| name.contains(raising))
        || name.starts_with("std::__throw_")
        || name.starts_with("__interceptor_")
        || name.starts_with("__asan_")
}

fn is_source(path: &str) -> bool {
    ENDINGS.iter().any(|end| path.ends_with(end)) && !path.contains(['(', ')'])
}
