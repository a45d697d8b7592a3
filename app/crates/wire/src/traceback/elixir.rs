//! Elixir's and Erlang's errors: as they are raised, as Logger reports them, and Erlang's terms.

mod shell;
mod tested;

use super::{MAX_TEXT, MESSAGE_LINES, message, place};
use domain::report::{Exception, Frame};

/// Applications that come with the languages.
const THEIR_OWN: &[&str] =
    &["elixir", "stdlib", "kernel", "erts", "ex_unit", "mix", "iex", "eex", "logger", "compiler", "crypto", "ssl"];
/// What Erlang calls an error, in terms: a reason stands before its stack.
const REASONS: &[&str] = &[
    "badarg",
    "badmatch",
    "function_clause",
    "case_clause",
    "undef",
    "badarith",
    "if_clause",
    "badkey",
    "badfun",
    "try_clause",
    "timeout",
    "noproc",
    "nocatch",
    "badmap",
    "badrecord",
    "badarity",
];
/// Lines that a function's arguments take in a term.
const TERM_LINES: usize = 12;
/// Bytes before a place in which its function is looked for: arguments are printed with it.
const CALL_BYTES: usize = 2_000;
/// Bytes between a file's name and its line.
const PLACE_BYTES: usize = 24;
/// Lines between a message without marks and its stack.
const ODD_LINES: usize = 4;
/// Lines that end a message.
const ENDS: &[&str] = &["code:", "stacktrace:", "left:", "arguments:", "Stacktrace:"];

/// An exception, and the line at which its stack ends.
type Found = Option<(Exception, usize)>;

/// The exception of the last stack; empty where there is none.
pub(super) fn parse(lines: &[&str]) -> Vec<Exception> {
    let found = better(lines, elixir(lines), better(lines, shell::last(lines), terms(lines)));
    let found = match (tested::last(lines), found) {
        (Some(failed), Some(found)) if failed.1 < found.1 => Some(found),
        (failed, found) => failed.or(found),
    };
    found.map(|(exception, _)| exception).into_iter().collect()
}

/// Of what one report says twice, what says more; else what comes later.
fn better(lines: &[&str], one: Found, other: Found) -> Found {
    let (Some((first, ends)), Some((second, other_ends))) = (&one, &other) else { return one.or(other) };
    let (begin, end) = (*ends.min(other_ends), *ends.max(other_ends));
    // One report has no empty line within.
    let is_second = if lines[begin..end.min(lines.len())].iter().all(|line| !line.trim().is_empty()) {
        second.frames.len() > first.frames.len()
    } else {
        other_ends > ends
    };
    if is_second { other } else { one }
}

/// `** (KeyError) text`, and `(shop 0.1.0) lib/shop/cart.ex:3: Shop.Cart.total/1` below it.
fn elixir(lines: &[&str]) -> Found {
    let mut found = None;
    let mut head: Option<usize> = None;
    let mut at = 0;
    while at < lines.len() {
        if let Some((kind, said)) = raised(lines[at]) {
            if kind != "EXIT" {
                head = Some(at);
            }
            if let Some(frame) = named_place(kind, said) {
                let exception = Exception {
                    kind: kind.to_owned(),
                    value: message([said]),
                    frames: vec![frame],
                    ..Exception::default()
                };
                found = Some((exception, at));
            }
        }
        let Some(first) = call(lines[at]) else {
            at += 1;
            continue;
        };
        let mut frames = vec![first];
        let above = &lines[..at];
        at += 1;
        while let Some(frame) = lines.get(at).and_then(|line| call(line)) {
            frames.push(frame);
            at += 1;
        }
        frames.reverse();
        // Two processes may write into one line: then a call's is a headline, too.
        let head = head.take().filter(|&head| head < above.len() && above.len() - head <= MESSAGE_LINES * 2);
        let exception = match head.and_then(|head| Some((raised(above[head])?, head))) {
            Some(((kind, said), head)) => {
                let more = above[head + 1..].iter().copied().take_while(|line| !is_end(line));
                let value = message(std::iter::once(said).chain(more.map(str::trim)));
                frames.extend(named_place(kind, said));
                Exception { kind: kind.to_owned(), value, frames, ..Exception::default() }
            }
            // Only where an application is named: anything may be `a.ex:3: f`.
            None if frames.iter().filter(|frame| frame.module.is_some()).count() > 1 => {
                let near = above.iter().rev().take(ODD_LINES).find_map(|line| named(line));
                let (kind, said) = near.unwrap_or(("Exception", ""));
                Exception { kind: kind.to_owned(), value: message([said]), frames, ..Exception::default() }
            }
            None => continue,
        };
        found = Some((exception, at));
    }
    found
}

/// The same without its marks: `KeyError: text`.
fn named(line: &str) -> Option<(&str, &str)> {
    let (kind, said) = line.trim().split_once(' ')?;
    let kind = kind.trim_end_matches(':').trim_matches(['(', ')']);
    let is_kind = kind.ends_with("Error") && kind.chars().all(|c| c.is_alphanumeric() || c == '.');
    is_kind.then_some((kind, said))
}

/// Type and message of `** (KeyError) text`.
fn raised(line: &str) -> Option<(&str, &str)> {
    let (_, rest) = line.split_once("** (")?;
    let (kind, said) = rest.split_once(')')?;
    let is_kind = kind.starts_with(|c: char| c.is_ascii_alphabetic())
        && (kind.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.')) || kind.starts_with("EXIT from"));
    is_kind.then_some((kind.split(' ').next().unwrap_or(kind), said.trim_start()))
}

/// The place of what could not be compiled: `lib/shop.ex:3: …`, `… found on lib/shop.ex:3:5:`.
fn named_place(kind: &str, said: &str) -> Option<Frame> {
    let names = ["CompileError", "SyntaxError", "TokenMissingError", "MismatchedDelimiterError", "EEx.SyntaxError"];
    names.contains(&kind).then_some(())?;
    let said =
        [" found on ", " missing on "].iter().find_map(|mark| said.split_once(mark)).map_or(said, |(_, place)| place);
    let (place, _) = said.split_once(": ").or_else(|| Some((said.strip_suffix(':')?, "")))?;
    let (path, line, column) = match place::path_line_and_column(place) {
        Some((path, line, column)) => (path, line, Some(column)),
        None => place::path_and_line(place).map(|(path, line)| (path, line, None))?,
    };
    is_source(path).then(|| place::frame(path, Some(line), column, None))
}

fn is_end(line: &str) -> bool {
    let line = line.trim();
    line.is_empty() || ENDS.iter().any(|end| line.starts_with(end))
}

fn is_source(path: &str) -> bool {
    [".ex", ".exs", ".erl", ".eex", ".heex", ".leex", ".xrl", ".yrl", ".hrl", ".sface"]
        .iter()
        .any(|end| path.ends_with(end))
        && !path.contains([' ', '"'])
}

/// `(shop 0.1.0) lib/shop/cart.ex:3: Shop.Cart.total/1`; other clients have ` in ` for the colon.
fn call(line: &str) -> Option<Frame> {
    let text = line.trim();
    let text = text.strip_prefix("│ ").unwrap_or(text);
    let (app, rest) = match text.strip_prefix('(') {
        Some(rest) => {
            let (app, rest) = rest.split_once(") ")?;
            (app.split(' ').next(), rest)
        }
        None => (None, text),
    };
    let split = rest.split_once(": ").or_else(|| rest.split_once(" in ")).filter(|(place, _)| !place.contains(' '));
    if let Some((path, number, function)) = split.and_then(|(place, function)| {
        let (path, number) = place::path_and_line(place)?;
        Some((path, number, function))
    }) {
        is_source(path).then_some(())?;
        let (module, function) = function_of(function);
        let is_theirs = app.is_some_and(|app| THEIR_OWN.contains(&app));
        return Some(Frame {
            module,
            in_app: is_theirs.then_some(false),
            application: app.map(str::to_owned),
            ..place::frame(path, Some(number), None, Some(&function))
        });
    }
    // A function of the virtual machine: `:erlang.map_get(…)`, `(shop 0.1.0) Shop.run/1`.
    let is_call = (app.is_some() || rest.starts_with(":erlang."))
        && rest.contains('.')
        && rest.ends_with(|c: char| c.is_ascii_digit() || c == ')')
        && rest.contains(['/', '('])
        && !rest.split(['/', '(']).next().unwrap_or("").contains(' ');
    is_call.then(|| {
        let (module, function) = function_of(rest);
        Frame { module, function: Some(function), in_app: Some(false), ..Frame::default() }
    })
}

/// Module and function of `Shop.Cart.total/1`, `anonymous fn/2 in Shop.Cart.total/1`, or with
/// arguments in the place of their number.
fn function_of(text: &str) -> (Option<String>, String) {
    let own = text.split_once(" in ").map_or(text, |(_, own)| own);
    let end = own.find(['(', '/']).unwrap_or(own.len());
    match own[..end].rsplit_once('.') {
        Some((module, _)) if !module.is_empty() => {
            let own = if own[end..].starts_with('(') { &own[..end] } else { own };
            (Some(module.trim_start_matches(':').to_owned()), own[module.len() + 1..].to_owned())
        }
        _ => (None, own.to_owned()),
    }
}

/// Terms, wherever their lines are broken: `{shop,total,1,[{file,"src/shop.erl"},{line,3}]}`, and
/// Elixir's `{Shop, :total, 1, [file: ~c"lib/shop.ex", line: 3]}`.
fn terms(lines: &[&str]) -> Found {
    let is_term = |line: &&str| line.contains("{file,") || line.contains("[file: ");
    let last = lines.iter().rposition(is_term)?;
    // Back over the lines of the same stack.
    let mut first = last;
    let mut gap = 0;
    for at in (0..last).rev() {
        if is_term(&lines[at]) {
            first = at;
            gap = 0;
        } else {
            gap += 1;
        }
        if gap > TERM_LINES || lines[at].trim().is_empty() {
            break;
        }
    }
    let above = lines[..first].iter().rev().take(TERM_LINES).take_while(|line| !line.trim().is_empty());
    let begin = first - above.count();
    let end = lines.len().min(last + ODD_LINES);
    let text: String = lines[begin..end].iter().flat_map(|line| [line.trim(), " "]).collect();
    let mut frames = Vec::new();
    let mut start = None;
    let mut at = 0;
    while let Some(found) = next_place(&text, at) {
        let (opens, path, line, end) = found;
        let from = text.floor_char_boundary(at.max(opens.saturating_sub(CALL_BYTES)));
        if let Some((module, function, begins)) = term_call(&text[from..opens]) {
            let is_first = text[..from + begins].trim_end().ends_with('[');
            if is_first || start.is_none() {
                frames.clear();
                start = Some(from + begins);
            }
            frames.push(Frame { module: Some(module), ..place::frame(path, Some(line), None, Some(&function)) });
        }
        at = end;
    }
    frames.reverse();
    let before = &text[..start?];
    let tail = &before[before.floor_char_boundary(before.len().saturating_sub(CALL_BYTES))..];
    let kind = reason(tail).unwrap_or("error").to_owned();
    Some((Exception { kind, frames, ..Exception::default() }, last))
}

/// The reason that stands last in a text.
fn reason(text: &str) -> Option<&'static str> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let found = REASONS.iter().filter_map(|reason| {
        let at = text.rfind(reason)?;
        let is_whole = !text[..at].ends_with(is_word) && !text[at + reason.len()..].starts_with(is_word);
        is_whole.then_some((at, *reason))
    });
    found.max().map(|(_, reason)| reason)
}

/// The next `[{file,"…"},{line,3}]`: where it opens, path, line, and where it ends.
fn next_place(text: &str, from: usize) -> Option<(usize, &str, u32, usize)> {
    let mut from = from;
    loop {
        let at = from + text[from..].find("file")?;
        from = at + "file".len();
        let (before, rest) = (&text[..at], &text[from..]);
        let is_erlang = before.ends_with('{') && rest.starts_with(',');
        let is_elixir = before.ends_with('[') && rest.starts_with(": ");
        if !is_erlang && !is_elixir {
            continue;
        }
        let opens = at - 1;
        let rest = rest.trim_start_matches([',', ':', ' ']).trim_start_matches("~c");
        let Some(rest) = rest.strip_prefix(['"', '\'']) else { continue };
        let Some(end) = rest[..rest.floor_char_boundary(MAX_TEXT)].find(['"', '\'']) else { continue };
        let path = &rest[..end];
        let after = &rest[end + 1..];
        let Some(line) = after[..after.floor_char_boundary(PLACE_BYTES)].find("line") else { continue };
        let number = after[line + "line".len()..].trim_start_matches([',', ':', ' ']);
        let digits = number.find(|c: char| !c.is_ascii_digit()).unwrap_or(number.len());
        let Ok(line) = number[..digits].parse() else { continue };
        return Some((opens, path, line, text.len() - number.len() + digits));
    }
}

/// Module and function of the term that ends here, and where it begins: `{shop,total,1,[`.
fn term_call(text: &str) -> Option<(String, String, usize)> {
    let text = text.trim_end_matches(['[', ' ', ',']);
    let names = if text.ends_with(']') {
        // Arguments in the place of their number.
        let mut depth = 0_usize;
        let open = text.char_indices().rev().find(|(_, c)| {
            depth = match c {
                ']' => depth + 1,
                '[' => depth.saturating_sub(1),
                _ => depth,
            };
            depth == 0
        });
        &text[..open?.0]
    } else {
        text.trim_end_matches(|c: char| c.is_ascii_digit())
    };
    let names = names.trim_end_matches([' ', ',']);
    let open = names.rfind('{')?;
    let (module, function) = names[open + 1..].split_once(',')?;
    let clean = |name: &str| name.trim().trim_start_matches(':').trim_matches('\'').to_owned();
    let is_name = |name: &str| !name.is_empty() && name.len() <= 255 && !name.contains(['"', ']', '}']);
    let (module, function) = (clean(module), clean(function));
    (is_name(&module) && is_name(&function)).then_some((module, function, open))
}
