//! One thing that stands before the lines of a log: a time, a host, a container, a tag, a level, a
//! quote's mark.

use regex::Regex;
use std::sync::LazyLock;

/// What an element is of. Lines of one stream have the same one with the same text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A point in time, however it is written; all are alike.
    Time,
    /// Host and unit, behind a time.
    Host,
    /// Container runtimes' name of the output.
    Output,
    /// A name and a bar.
    Bar,
    /// Something in brackets.
    Tag,
    /// How bad it is, and who says so.
    Level,
    /// A name behind one of the others.
    Name,
    /// What is between two others.
    Dash,
    /// Mark of a quote or a comment.
    Quote,
}

/// An element, found at the beginning of a line.
#[derive(Clone, Copy, Debug)]
pub(super) struct Element<'a> {
    pub(super) kind: Kind,
    /// What tells streams apart.
    pub(super) key: &'a str,
    pub(super) rest: &'a str,
    /// The line goes on in the next one of its stream.
    pub(super) is_cut: bool,
}

/// How far into a line a stream's key may stand behind something else.
const KEY_WITHIN: usize = 300;
/// Shorter keys mean nothing within a line.
const SHORTEST_KEY: usize = 5;

const KINDS: [Kind; 9] =
    [Kind::Time, Kind::Output, Kind::Bar, Kind::Level, Kind::Tag, Kind::Host, Kind::Name, Kind::Dash, Kind::Quote];

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a constant pattern compiles")
}

/// With a date before or without, in many orders; `[   12.345678]` of a kernel; an epoch's
/// seconds. One space behind it is its own.
static TIME: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^(?:\x{feff}|<[0-9]{1,3}>(?:1 )?)?[\[(]?(?:[A-Z][a-z]{2},? )?(?:[0-9]{4}[-/.][0-9]{2}[-/.][0-9]{2}(?:[Tt _:]|, )|[0-9]{2}[-/.][0-9]{2}(?:[-/.][0-9]{2,4})?(?:[ T]|, )|[0-9]{4} |\p{L}{3,4}\.? {1,2}[0-9]{1,2}(?:,? [0-9]{4})?,? |[0-9]{1,2}[-/ ][A-Z][a-z]{2}[-/ ][0-9]{4}[: ]|[0-9]{1,2}月 {1,2}[0-9]{1,2} )?[0-9]{1,2}:[0-9]{2}:[0-9]{2}(?:[.,:][0-9]{1,9})?(?: ?(?:Z|UTC|GMT|[A-Z]{2,3}T|[AP]M|[+-][0-9]{2}:?[0-9]{2}))?(?: [0-9]{4})?[\])]?(?:[:,]? |[:,]?$|\t)",
    )
});
static SECONDS: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"^(?:\[ *[0-9]{1,10}\.[0-9]{3,9}\]|[0-9]{10}(?:\.[0-9]{1,9})?) "));
/// `[2026-11-20T03:00:07.123456 #4211] `
static TIME_WITHIN: LazyLock<Regex> = LazyLock::new(|| pattern(r"[0-9]:[0-9]{2}:[0-9]{2}"));
static HOST: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^((?:[0-9A-Za-z_.-]+ )?[0-9A-Za-z_./@()-]+\[[^\]\s]*\]|[0-9A-Za-z_.-]+ [0-9A-Za-z_./@()-]+):(?: |$)|^([0-9A-Za-z_.-]+ app/[0-9A-Za-z_.-]+) |^([0-9A-Za-z_.-]+ [0-9A-Za-z_./-]+ [0-9A-Za-z_.-]+ [0-9A-Za-z_.-]+ (?:-|\[[^\]]*\]))(?: \x{feff}?|$)|^(app\[[0-9A-Za-z_]+\] [0-9A-Za-z_]+ \[[0-9A-Za-z_]+\]) ?",
    )
});
/// CRI's, with the mark of a part; GitLab's.
static OUTPUT: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"^(stdout|stderr) ([FP])(?: |$)|^([0-9]{2}[OE])(?:\+| |$)|^(stdout|stderr):? "));
/// `web-1  | `, `0|app  | `, `job<TAB>step<TAB>` of a run's log.
static BAR: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^((?:[0-9]+\|)?[0-9A-Za-z_](?:[0-9A-Za-z_.@/-]*[0-9A-Za-z_])?) *[|│](?: |$)|^([^\t]+\t[^\t]+\t)[0-9]{4}-[0-9]{2}-",
    )
});
static TAG: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^(\[[^\[\]]+\])(?::? |:?$|\t)|^(##\[[0-9A-Za-z_]{1,20}\])|^(<[^<>\s]+>) |^(#[0-9]+) [0-9]+\.[0-9]+(?: |$)",
    )
});
static LEVEL: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^([DIWEFAU], \[[^\]]+\] +[A-Z]+ -- [^:]*:) |^((?:DEBUG|INFO|WARNING|ERROR|CRITICAL):[0-9A-Za-z_.]+:)|^((?:DEBUG|DEBG|INFO|WARN|WARNING|ERROR|ERR|CRIT|FATAL|CRITICAL|SEVERE|TRACE|NOTICE):?)(?: [0-9]+ ---)?(?:\t|\s*$| (?:-{1,3} )?)|^([VDIWEF]/[^(]+\( *[0-9]+\):) ?|^( *[0-9]+ +[0-9]+ [VDIWEF] [^:]+:) ?|^([0-9]+-[0-9]+ +\S+ +\S+ +[VDIWEF]) {1,2}|^([IWEF][0-9]{4} [0-9:.]+ +[0-9]+ [0-9A-Za-z_./-]+:[0-9]+\]) |^(npm (?:ERR!|error|warn)) ?",
    )
});
static NAME: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"^([0-9A-Za-z_.$@/:-]*[0-9A-Za-z_.$@/](?:\[[^\]]*\])?(?: {1,40}- | {0,40}: ))|^([0-9A-Za-z_.$@/-]+:$)")
});
static QUOTE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"^[ \t]{0,8}(>)(?: ?)|^[ \t]{0,8}(#|//+|\*|--|;+|!|%|REM|[│┃║])(?: |$|(?:\t))|^(\|)(?: |$)")
});
/// What supervisor writes before each part of a program's output.
static CHUNK: LazyLock<Regex> = LazyLock::new(|| pattern(r"^[0-9:., -]+ DEBG '[^']+' std(?:out|err) output:$"));

/// The first element of a line, behind one of that kind.
pub(super) fn first(line: &str, before: Option<Kind>) -> Option<Element<'_>> {
    KINDS.into_iter().filter(|kind| fits(*kind, before)).find_map(|kind| of_kind(line, kind))
}

/// A host stands behind a time, a dash behind anything.
fn fits(kind: Kind, before: Option<Kind>) -> bool {
    match kind {
        Kind::Host => before == Some(Kind::Time),
        Kind::Dash => before.is_some(),
        _ => true,
    }
}

/// The element of that kind at the beginning of a line.
pub(super) fn of_kind(line: &str, kind: Kind) -> Option<Element<'_>> {
    let element = |key, rest| Some(Element { kind, key, rest, is_cut: false });
    let matched = |pattern: &Regex| {
        let found = pattern.captures(line)?;
        let key = found.iter().skip(1).flatten().next().map_or("", |key| key.as_str());
        Some((key, found.get(0)?.end()))
    };
    match kind {
        Kind::Time => {
            if let Some((_, end)) = matched(&TIME).or_else(|| matched(&SECONDS)) {
                return element("", &line[end..]);
            }
            let (key, end) = matched(&TAG)?;
            if TIME_WITHIN.is_match(key) { element("", &line[end..]) } else { None }
        }
        Kind::Tag => {
            let (key, end) = matched(&TAG)?;
            if TIME_WITHIN.is_match(key) { None } else { element(key, &line[end..]) }
        }
        Kind::Output => {
            let found = OUTPUT.captures(line)?;
            let key = found.get(1).or(found.get(3)).or(found.get(4))?.as_str();
            let rest = &line[found.get(0)?.end()..];
            let is_cut = found.get(2).is_some_and(|part| part.as_str() == "P");
            Some(Element { kind, key, rest, is_cut })
        }
        Kind::Bar => {
            let found = BAR.captures(line)?;
            match found.get(2) {
                Some(job) => element(job.as_str(), &line[job.end()..]),
                None => element(found.get(1)?.as_str(), &line[found.get(0)?.end()..]),
            }
        }
        Kind::Name => {
            let (key, end) = matched(&NAME)?;
            let name = key.trim_end_matches([' ', '-', ':']);
            let is_type =
                ["Error", "Exception", "Warning", "Interrupt", "rror", "by"].iter().any(|end| name.ends_with(end));
            if is_type { None } else { element(key, &line[end..]) }
        }
        Kind::Dash => ["- ", "– ", "| "].iter().find_map(|dash| element("", line.strip_prefix(dash)?)),
        Kind::Host => matched(&HOST).and_then(|(key, end)| element(key, &line[end..])),
        Kind::Level => matched(&LEVEL).and_then(|(key, end)| element(key, &line[end..])),
        Kind::Quote => matched(&QUOTE).and_then(|(key, end)| element(key, &line[end..])),
    }
}

/// Whether nothing of what follows can belong to such an element that ended in a space before
/// something else.
pub(super) fn ends_before(kind: Kind, rest: &str) -> bool {
    rest.bytes().next().is_some_and(|next| match kind {
        // A zone, a year.
        Kind::Time => next.is_ascii_lowercase() || matches!(next, b' ' | b'['),
        // Dashes, a process's number, a second space.
        Kind::Level => next.is_ascii_alphabetic(),
        // A byte order mark.
        _ => next.is_ascii(),
    })
}

/// What follows a stream's key that stands further in the line.
pub(super) fn within<'a>(line: &'a str, key: &str) -> Option<&'a str> {
    if key.len() < SHORTEST_KEY {
        return None;
    }
    let mut end = line.len().min(KEY_WITHIN);
    while !line.is_char_boundary(end) {
        end -= 1;
    }
    let at = line[..end].find(key)?;
    let rest = &line[at + key.len()..];
    Some(rest.strip_prefix(' ').unwrap_or(rest))
}

/// Whether the line is a log's own, between parts of what a program wrote.
pub(super) fn is_chunk(line: &str) -> bool {
    line.ends_with(" output:") && CHUNK.is_match(line)
}
