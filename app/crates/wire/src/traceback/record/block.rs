//! Objects of JSON that are printed over several lines: each that holds an exception is put into
//! one.

use std::borrow::Cow;

/// The lines, each such object in one.
pub(in super::super) fn joined(lines: Vec<Cow<'_, str>>) -> Vec<Cow<'_, str>> {
    let mut out: Vec<Cow<'_, str>> = Vec::with_capacity(lines.len());
    let mut rest = lines.into_iter();
    let mut at = 0;
    for (begin, end) in blocks(rest.as_slice()) {
        out.extend(rest.by_ref().take(begin - at));
        let block: Vec<Cow<'_, str>> = rest.by_ref().take(end + 1 - begin).collect();
        at = end + 1;
        let mut line = String::new();
        block.iter().for_each(|part| line.push_str(part.trim()));
        if super::read(&line).is_some() {
            out.push(Cow::Owned(line));
        } else {
            out.extend(block);
        }
    }
    out.extend(rest);
    out
}

/// First and last lines of what is between braces that are indented alike, the outermost ones.
fn blocks(lines: &[Cow<'_, str>]) -> Vec<(usize, usize)> {
    let mut open: Vec<(usize, usize)> = Vec::new();
    let mut found: Vec<(usize, usize)> = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let text = line.trim();
        let indent = line.len() - line.trim_start().len();
        if text.ends_with('{') {
            open.push((indent, at));
        } else if text.starts_with('}') {
            while open.last().is_some_and(|(further, _)| *further > indent) {
                open.pop();
            }
            if let Some((_, begin)) = open.pop_if(|(same, _)| *same == indent) {
                while found.last().is_some_and(|(inner, _)| *inner > begin) {
                    found.pop();
                }
                found.push((begin, at));
            }
        }
    }
    found
}
