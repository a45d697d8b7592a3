//! Errors as Erlang's shell and EUnit print them: calls in words.

use super::{Found, reason};
use crate::traceback::{MESSAGE_LINES, message, place};
use domain::report::{Exception, Frame};

/// What Erlang calls an error, by what its shell says of it.
const SAID: &[(&str, &str)] = &[
    ("bad argument", "badarg"),
    ("no match of right hand side", "badmatch"),
    ("no function clause matching", "function_clause"),
    ("no case clause matching", "case_clause"),
    ("undefined function", "undef"),
    ("arithmetic expression", "badarith"),
    ("no true branch", "if_clause"),
    ("bad key", "badkey"),
    ("no such key", "badkey"),
    ("bad function", "badfun"),
    ("no try clause", "try_clause"),
];
/// `in function  shop:total/1 (src/shop.erl, line 3)`, and callers below it.
pub(super) fn last(lines: &[&str]) -> Found {
    let mut found = None;
    let mut at = 0;
    while at < lines.len() {
        let begins =
            |line: &str| ["in function ", "in operator ", "in call from "].iter().find_map(|mark| call(line, mark));
        let Some(first) = begins(lines[at]) else {
            at += 1;
            continue;
        };
        let above = &lines[at.saturating_sub(MESSAGE_LINES)..at];
        let mut frames = vec![first];
        at += 1;
        while let Some(line) = lines.get(at) {
            match call(line, "in call from ") {
                Some(frame) => frames.push(frame),
                // With which arguments.
                None if line.trim_start_matches(['*', ' ']).starts_with("called as ") => {}
                None => break,
            }
            at += 1;
        }
        frames.reverse();
        let above_said = above.iter().rposition(|line| line.contains("exception "));
        let (above, head, said) = match above_said {
            Some(head) => (above, head, above[head].split_once("exception ").map_or("", |(_, said)| said)),
            // EUnit says it below the calls: `**error:badarith`.
            None => match lines.get(at).and_then(|line| line.trim_start().strip_prefix("**")) {
                Some(said) => (below(lines, at), 0, said),
                None => continue,
            },
        };
        let (class, said) = said.split_once(':').map_or(("error", ""), |(class, said)| (class, said.trim_start()));
        let kind = SAID.iter().find(|(begin, _)| said.contains(begin)).map(|(_, kind)| *kind);
        let kind = kind.or_else(|| assertion(said)).or_else(|| reason(said)).unwrap_or(class).to_owned();
        let value = message(std::iter::once(said).chain(above[head + 1..].iter().map(|line| line.trim())));
        found = Some((Exception { kind, value, frames, ..Exception::default() }, at));
    }
    found
}

fn call(line: &str, mark: &str) -> Option<Frame> {
    let line = line.trim_start().trim_start_matches("** ").trim_start_matches("::").trim_start();
    let rest = line.strip_prefix(mark)?.trim();
    let (name, place) = rest.split_once(" (").map_or((rest, None), |(name, place)| (name, place.strip_suffix(')')));
    let (module, function) = name.trim().split_once(':').unwrap_or(("", name.trim()));
    let located = place.and_then(|place| place.rsplit_once(", line "));
    let located = located.and_then(|(path, line)| Some((path, line.parse().ok()?)));
    let frame = match located {
        Some((path, line)) => place::frame(path, Some(line), None, Some(function)),
        None => Frame { function: Some(function.to_owned()), ..Frame::default() },
    };
    Some(Frame { module: (!module.is_empty()).then(|| module.to_owned()), ..frame })
}

/// The lines of what EUnit says.
fn below<'a, 'b>(lines: &'b [&'a str], at: usize) -> &'b [&'a str] {
    let is_over = |line: &&str| line.trim().is_empty() || line.trim_start().starts_with("output:");
    let length = lines[at..].iter().take(MESSAGE_LINES).take_while(|line| !is_over(line)).count();
    &lines[at..at + length]
}

/// What EUnit calls an assertion that did not hold: `{assertEqual,[{module,shop_tests},…`.
fn assertion(said: &str) -> Option<&str> {
    let name = said.strip_prefix('{')?.split(',').next()?;
    name.starts_with("assert").then_some(name).filter(|name| name.chars().all(|c| c.is_alphanumeric() || c == '_'))
}
