//! .NET's stack traces, in the language of whichever machine printed them: C#, F#, VB, Mono, Unity.

mod tested;

use super::{MESSAGE_LINES, message, place};
use domain::report::{Exception, Frame};
use regex::Regex;
use std::sync::LazyLock;

/// `System.IO.IOException: `, `CartException: ` or the same at the end of a line, with the number
/// that errors of the operating system have.
static TYPE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?:^|[\s\]>|])((?:[A-Za-z_][\w`+]*\.)*[A-Za-z_][\w`+]*(?:Exception|Error|Fault|Failure)(?:`\d+)?)(?: \((?:0x)?[0-9A-Fa-f]+\))?(?:: ?(.*))?$",
    )
    .expect("a constant pattern compiles")
});
/// The same for any dotted name at the beginning of a line.
static DOTTED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^\s*(?:Unhandled exception\. )?((?:[A-Z_][\w`+]*\.)+[A-Z_][\w`+]*)(?:: (.*))?$")
        .expect("a constant pattern compiles")
});
/// `at` in the languages that .NET speaks.
pub(super) const AT: &[&str] = &[
    "at",
    "bei",
    "à",
    "en",
    "in",
    "em",
    "w",
    "в",
    "在",
    "於",
    "場所",
    "위치:",
    "v",
    "bij",
    "vid",
    "konum:",
    "ved",
    "kohteessa",
];
/// What the end of an inner exception's stack is called, beside the end of one that went on
/// elsewhere, in the same languages.
const INNER: &[&str] = &["inner", "intern", "внутрен", "内部", "內部", "내부", "wewnętrzn", "vnitřní", "iç özel"];
/// What stands between an exception and the one inside it.
const ARROW: &str = " ---> ";
/// Exceptions within each other: more are no trace.
const MAX_DEPTH: usize = 100;

/// An exception whose frames are still to come.
struct Open {
    exception: Exception,
    /// Its number in a group.
    member: Option<usize>,
}

/// The exceptions of the last stack trace, causes first; empty where there is none.
pub(super) fn parse(lines: &[&str]) -> Vec<Exception> {
    let mut trace = Trace::default();
    let mut end_of_last = 0;
    for (at, line) in lines.iter().enumerate() {
        if let Some(frame) = frame(line) {
            if at > end_of_last || trace.open.is_empty() {
                trace.heads(&lines[end_of_last.max(at.saturating_sub(MESSAGE_LINES))..at]);
            }
            trace.frame(frame);
            end_of_last = at + 1;
        } else if tested::begins_inner(line) && !trace.open.is_empty() {
            trace.open_inner();
            end_of_last = at + 1;
        } else if let Some(end) = ended(line) {
            if at > end_of_last {
                // An exception that was never thrown has no frames.
                trace.heads(&lines[end_of_last.max(at.saturating_sub(MESSAGE_LINES))..at]);
            }
            if end == End::Inner {
                trace.close();
            }
            end_of_last = at + 1;
        } else if at == end_of_last && is_noise(line) {
            end_of_last = at + 1;
        }
    }
    trace.finish()
}

#[derive(Default)]
struct Trace {
    done: Vec<Exception>,
    open: Vec<Open>,
}

impl Trace {
    /// Lines between two stacks, which may say what is thrown next.
    fn heads(&mut self, window: &[&str]) {
        let Some((heads, goes_on)) = heads(window) else { return };
        if !goes_on || self.open.is_empty() {
            self.done.clear();
            self.open.clear();
        } else if let Some(number) = heads.first().and_then(|head| head.member) {
            // A group is printed with its first member inside it already.
            let is_first = self.close_to_group();
            if number == 0 && is_first {
                let said = &heads[0].exception;
                self.done.retain(|known| known.kind != said.kind || known.value != said.value);
            }
        }
        for head in heads {
            if self.open.len() < MAX_DEPTH {
                self.open.push(head);
            }
        }
    }

    fn frame(&mut self, frame: Frame) {
        if self.open.is_empty() {
            let exception = Exception { kind: "Exception".to_owned(), ..Exception::default() };
            self.open.push(Open { exception, member: None });
        }
        if let Some(open) = self.open.last_mut() {
            open.exception.frames.push(frame);
        }
    }

    /// xUnit prints what is inside an exception below its frames.
    fn open_inner(&mut self) {
        let said = self.open.last_mut().and_then(|outer| tested::split_inner(outer.exception.value.as_mut()?));
        let (kind, value) = said.unwrap_or_else(|| ("Exception".to_owned(), None));
        if self.open.len() < MAX_DEPTH {
            let exception = Exception { kind, value, ..Exception::default() };
            self.open.push(Open { exception, member: None });
        }
    }

    /// The innermost that is open is complete.
    fn close(&mut self) {
        if self.open.len() > 1 {
            self.done.extend(self.open.pop().map(closed));
        }
    }

    /// Whether nobody knew yet that it is a group.
    fn close_to_group(&mut self) -> bool {
        while self.open.len() > 1 {
            self.done.extend(self.open.pop().map(closed));
        }
        self.open.first_mut().is_some_and(|group| !std::mem::replace(&mut group.exception.is_group, true))
    }

    fn finish(mut self) -> Vec<Exception> {
        while let Some(open) = self.open.pop() {
            self.done.push(closed(open));
        }
        let has_lines = self.done.iter().flat_map(|exception| &exception.frames).any(|frame| frame.line.is_some());
        let has_type = self.done.iter().any(|exception| exception.kind != "Exception" && !exception.frames.is_empty());
        if has_lines || has_type { self.done } else { Vec::new() }
    }
}

fn closed(open: Open) -> Exception {
    let mut exception = open.exception;
    exception.frames.reverse();
    exception.source = open.member.map(|number| format!("InnerExceptions[{number}]"));
    exception
}

/// The types and messages in some lines, the outermost first, and whether they belong to the trace
/// above.
fn heads(window: &[&str]) -> Option<(Vec<Open>, bool)> {
    if let Some(exception) = tested::head(window) {
        return Some((vec![Open { exception, member: None }], false));
    }
    let starts: Vec<usize> = (0..window.len()).filter(|&at| window[at].trim_start().starts_with("---> ")).collect();
    let marked = starts.first().copied();
    // Upwards from the first one inside it, or from the frames.
    let top = window[..marked.unwrap_or(window.len())].iter().rposition(|line| said(line).is_some());
    let begin = top.or(marked)?;
    let mut heads: Vec<Open> = Vec::new();
    let mut lines = window[begin..].iter().copied().peekable();
    while let Some(line) = lines.next() {
        let mut more = Vec::new();
        while let Some(line) = lines.next_if(|line| !line.trim_start().starts_with("---> ")) {
            more.push(line);
        }
        // Several in one line, as the .NET Framework prints them.
        let line = line.trim_start();
        let parts: Vec<&str> = line.strip_prefix("---> ").unwrap_or(line).split(ARROW).take(MAX_DEPTH).collect();
        for (at, part) in parts.iter().enumerate() {
            let (member, part) = numbered(part);
            let Some((kind, value)) = said(part) else { continue };
            let more = if at + 1 == parts.len() { &more[..] } else { &[] };
            let value = message(std::iter::once(value).chain(more.iter().copied()));
            let exception = Exception { kind: kind.to_owned(), value, ..Exception::default() };
            heads.push(Open { exception, member });
        }
    }
    let goes_on = top.is_none();
    (!heads.is_empty()).then_some((heads, goes_on))
}

/// `(Inner Exception #1) `
fn numbered(text: &str) -> (Option<usize>, &str) {
    let number = text.trim_start().strip_prefix('(').and_then(|rest| rest.split_once(") "));
    let number = number.and_then(|(name, rest)| Some((name.rsplit_once('#')?.1.parse().ok()?, rest)));
    number.map_or((None, text), |(number, rest)| (Some(number), rest))
}

fn said(line: &str) -> Option<(&str, &str)> {
    let line = line.trim_end();
    let found = TYPE.captures(line).or_else(|| DOTTED.captures(line))?;
    Some((found.get(1)?.as_str(), found.get(2).map_or("", |value| value.as_str())))
}

#[derive(PartialEq)]
enum End {
    /// Of an exception inside another.
    Inner,
    /// Of what ran before an `await`.
    Elsewhere,
}

/// `--- End of inner exception stack trace ---`
fn ended(line: &str) -> Option<End> {
    let said = line.trim().trim_end_matches("<---").strip_prefix("---")?.strip_suffix("---")?;
    (said.starts_with(' ') && said.ends_with(' ')).then_some(())?;
    Some(if INNER.iter().any(|word| said.contains(word)) { End::Inner } else { End::Elsewhere })
}

/// What may stand between frames.
fn is_noise(line: &str) -> bool {
    let line = line.trim();
    line.is_empty()
        || line == "<---"
        || line.starts_with("Server stack trace")
        || line.starts_with("Exception rethrown at")
}

pub(super) fn frame(line: &str) -> Option<Frame> {
    let text = line.trim().trim_end_matches("<---");
    if let Some((path, line, call)) = tested::placed(text) {
        return Some(located(call, path, line));
    }
    let unity = text.strip_suffix(')').and_then(|text| text.rsplit_once(" (at "));
    if let Some((call, at)) = unity {
        let (path, line) = place::path_and_line(at)?;
        return Some(located(call.trim_end(), path, line));
    }
    let (word, rest) = text.split_once(' ')?;
    AT.contains(&word).then_some(())?;
    let is_name = |call: &str| {
        let name = call.split(['(', '[', '<']).next().unwrap_or("").trim_end();
        !name.is_empty() && !name.contains([' ', '/', ':', ',', '"'])
    };
    if let Some((call, path, line)) = in_file(rest) {
        return is_name(call).then(|| located(call, path, line));
    }
    // Mono: `[0x00012] in <a07d6bf4>:0`, which is no place.
    let call = rest.split_once(" [0x").map_or(rest, |(call, _)| call);
    // What names no file says by its arguments that it is no Java or JavaScript.
    let (name, arguments) = call.strip_suffix(')')?.split_once('(')?;
    let is_java = [".java", ".kt", ".scala", "Native Method", "Unknown Source", "native", "<anonymous>"];
    let is_dotnet = name.contains('.')
        && is_name(name)
        && !arguments.contains([':', '/', '\\', '"'])
        && !is_java.iter().any(|end| arguments.ends_with(end));
    is_dotnet.then(|| {
        let (module, function) = method(name);
        Frame { module, function: Some(function), ..Frame::default() }
    })
}

/// `Shop.Cart.Total(Int32 x) in C:\src\Cart.cs:line 12`, in any language; `:12` of Mono's.
fn in_file(text: &str) -> Option<(&str, &str, u32)> {
    let text = text.trim_end().trim_end_matches('.');
    let digits = text.len() - text.trim_end_matches(|c: char| c.is_ascii_digit()).len();
    let (before, number) = text.split_at(text.len() - digits);
    let line: u32 = number.parse().ok()?;
    let (rest, word) = before.trim_end().rsplit_once(':')?;
    word.trim().chars().all(char::is_alphabetic).then_some(())?;
    let (call, path) = match rest.split_once(" [0x") {
        Some((call, rest)) => (call, rest.split_once("] in ")?.1),
        None => {
            let at = rest.rfind(") ")?;
            (&rest[..=at], rest[at + 2..].split_once(' ')?.1)
        }
    };
    (!path.starts_with('<') && line > 0 && path.contains('.')).then_some((call, path.trim(), line))
}

fn located(call: &str, path: &str, line: u32) -> Frame {
    let (module, function) = method(call.split('(').next().unwrap_or(call));
    Frame { module, ..place::frame(path, Some(line), None, Some(&function)) }
}

/// Class and method, as they are written: the compiler makes classes of asynchronous methods and of
/// lambdas.
fn method(name: &str) -> (Option<String>, String) {
    let name = name.trim().replace(['+', ':'], ".");
    let mut parts: Vec<&str> = Vec::new();
    for part in dotted(&name) {
        let own = part.strip_prefix('<').and_then(|rest| rest.split_once('>'));
        match own {
            // `<>c`, `<>c__DisplayClass3_0`
            Some(("", _)) => {}
            // `<Total>g__Sum|3_0` is a function of its own within one.
            Some((_, made)) if made.starts_with("g__") => {
                parts.push(made["g__".len()..].split('|').next().unwrap_or(made));
            }
            // `<Total>d__12`, `<Total>b__0`
            Some((method, made)) if !made.is_empty() => parts.push(method.trim_matches(|c| c == '<' || c == '>')),
            _ => parts.push(part),
        }
    }
    let is_state = name.contains(">d__") || name.contains(">d.");
    if is_state && parts.len() > 1 && parts.last() == Some(&"MoveNext") {
        parts.pop();
    }
    let function = parts.pop().unwrap_or("").to_owned();
    let module = parts.join(".");
    ((!module.is_empty()).then_some(module), function)
}

/// The parts of a dotted name; a dot within angle brackets is no end of one, and neither is that of
/// `..ctor`.
fn dotted(name: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut depth) = (0, 0_usize);
    for (at, c) in name.char_indices() {
        match c {
            '<' | '[' => depth += 1,
            '>' | ']' => depth = depth.saturating_sub(1),
            '.' if depth == 0 && at > start => {
                parts.push(&name[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&name[start..]);
    parts
}
