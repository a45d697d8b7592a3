//! Tracebacks that are indented as a whole.

use regex::Regex;
use std::borrow::Cow;
use std::sync::LazyLock;

/// What is indented by more is not by somebody who pasted it.
const MOST_INDENTED: usize = 12;

/// How those begin whose languages tell lines apart by their indentation.
static BEGINNING: LazyLock<Regex> = LazyLock::new(|| {
    let pattern = r"^([ \t]+)(?:Traceback \(most recent call last\):|panic: |fatal error: |goroutine \d+ \[|thread '.*panicked at |Fatal Python error|SIG[A-Z]+: )";
    Regex::new(pattern).expect("a constant pattern compiles")
});

/// In a table, whose last column has the text, the lines below the first are indented as far.
fn column(line: &str, next: Option<&str>) -> Option<usize> {
    let before = &line[..line.find("Traceback (most recent call last)").filter(|at| *at > 0)?];
    let next = next?;
    let width = before.chars().count();
    let indent = next.len() - next.trim_start_matches(' ').len();
    (indent == width + 2 && !before.trim().is_empty() && width > MOST_INDENTED).then_some(width)
}

/// Takes off a beginning's indentation from it and from all below that are indented as far.
pub(super) fn taken_off(lines: Vec<Cow<'_, str>>) -> Vec<Cow<'_, str>> {
    let mut indentation: Option<String> = None;
    let mut out = Vec::with_capacity(lines.len());
    let mut lines = lines.into_iter().peekable();
    while let Some(line) = lines.next() {
        if let Some(column) = column(&line, lines.peek().map(AsRef::as_ref)) {
            indentation = Some(" ".repeat(column));
            out.push(line);
            continue;
        }
        if let Some(found) = BEGINNING.captures(&line).and_then(|found| found.get(1))
            && indentation.as_ref().is_none_or(|all| !found.as_str().starts_with(all.as_str()))
        {
            indentation = Some(found.as_str().to_owned());
        }
        let rest = indentation.as_deref().map(|all| line.strip_prefix(all));
        match rest {
            Some(Some(rest)) => {
                let rest = super::from(&line, rest);
                out.push(rest);
                continue;
            }
            Some(None) if !line.trim().is_empty() => indentation = None,
            _ => {}
        }
        out.push(line);
    }
    out
}
