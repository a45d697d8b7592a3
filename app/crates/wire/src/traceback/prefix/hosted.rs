//! What hosts of functions put around a stack: Azure's `Exception: …` and `Stack: …`.

use std::borrow::Cow;

const EXCEPTION: &str = "Exception: ";
const STACK: &str = "Stack: ";

/// The lines, each such stack as its language prints it.
pub(super) fn as_printed(lines: Vec<Cow<'_, str>>) -> Vec<Cow<'_, str>> {
    if !lines.iter().any(|line| line.starts_with(STACK)) {
        return lines;
    }
    let mut out: Vec<Cow<'_, str>> = Vec::with_capacity(lines.len() + 1);
    let mut raised: Option<String> = None;
    // Whether the calls of a Python function are read, whose exception is printed below them.
    let mut is_within = false;
    for line in lines {
        let above = out.last().filter(|_| line.starts_with(STACK));
        let said = above.and_then(|above| above.rsplit_once(EXCEPTION)).map(|(_, said)| said.to_owned());
        if let Some(said) = said {
            let stack = line[STACK.len()..].to_owned();
            out.pop();
            if stack.trim_start().starts_with("File \"") {
                out.push(Cow::Borrowed("Traceback (most recent call last):"));
                raised = Some(said);
                is_within = true;
            }
            out.push(Cow::Owned(stack));
            continue;
        }
        if is_within && !line.starts_with(' ') {
            out.extend(raised.take().map(Cow::Owned));
            out.push(Cow::Borrowed(""));
            is_within = false;
        }
        out.push(line);
    }
    out.extend(raised.map(Cow::Owned));
    out
}
