//! What test runners of JavaScript print of a test that failed, in the Test Anything Protocol:
//! `not ok 1 - totals`, and a block of YAML below it.

use super::frame::frame;
use crate::traceback::{MESSAGE_LINES, message, place};
use domain::report::{Exception, Frame};

/// Lines of a block: a stack and a difference are in it.
const BLOCK_LINES: usize = 200;

/// What the test is called that this line says has failed: `not ok 1 - totals`.
fn not_ok(line: &str) -> Option<&str> {
    let rest = line.trim_start().strip_prefix("not ok")?;
    (rest.is_empty() || rest.starts_with(' ')).then_some(())?;
    let rest = rest.trim_start().trim_start_matches(|c: char| c.is_ascii_digit()).trim_start();
    Some(rest.strip_prefix("- ").unwrap_or(rest))
}

/// The last test that failed and says where, and the line at which its block ends.
pub(super) fn last(lines: &[&str]) -> Option<(Exception, usize)> {
    // Each line is looked at once: a block ends where the next test begins.
    let mut end = lines.len();
    for at in (0..lines.len()).rev() {
        let Some(name) = not_ok(lines[at]) else { continue };
        let marks = name.to_ascii_lowercase();
        let is_expected = marks.contains("# todo") || marks.contains("# skip");
        let block = &lines[at + 1..end.min(at + 1 + BLOCK_LINES)];
        if !is_expected && let Some((exception, length)) = failed(name, block) {
            return Some((exception, at + 1 + length));
        }
        end = at;
    }
    None
}

/// What the block says, and how many lines it has.
fn failed(name: &str, lines: &[&str]) -> Option<(Exception, usize)> {
    (lines.first()?.trim() == "---").then_some(())?;
    let indent = place::indent(lines[0]);
    let is_end = |line: &str| line.trim() == "..." && place::indent(line) == indent;
    let length = lines.iter().position(|line| is_end(line)).unwrap_or(lines.len());
    let keys = indent_of_keys(&lines[..length], indent)?;
    let mut block = Block::default();
    let mut key = "";
    for line in &lines[1..length] {
        let text = line.trim();
        let own = Some(text).filter(|_| place::indent(line) == keys).and_then(|text| text.split_once(':'));
        match own {
            Some((name, value)) => {
                key = name;
                block.say(name, value.trim());
            }
            None => block.go_on(key, line),
        }
    }
    block.stack.reverse();
    let frames = if block.stack.is_empty() { block.place().into_iter().collect() } else { block.stack };
    if frames.is_empty() || block.is_of_subtests {
        return None;
    }
    let value = message(block.error.iter().map(|line| line.trim_end())).or_else(|| message([name]));
    let kind = match block.kind {
        Some(kind) => kind,
        None if block.is_assertion => "AssertionError".to_owned(),
        None => "Error".to_owned(),
    };
    Some((Exception { kind, value, frames, ..Exception::default() }, length + 1))
}

/// How far in the keys are: as far as the first of them.
fn indent_of_keys(lines: &[&str], indent: usize) -> Option<usize> {
    lines.get(1).map(|line| place::indent(line)).filter(|keys| *keys >= indent)
}

#[derive(Default)]
struct Block {
    kind: Option<String>,
    error: Vec<String>,
    /// Innermost first.
    stack: Vec<Frame>,
    /// Where the assertion stands, which some say beside the stack.
    at: Option<Frame>,
    file: Option<String>,
    line: Option<u32>,
    is_assertion: bool,
    is_of_subtests: bool,
}

impl Block {
    fn say(&mut self, key: &str, value: &str) {
        let plain = value.trim_matches(['\'', '"']);
        match key {
            "name" if !plain.is_empty() => self.kind = Some(plain.to_owned()),
            "error" | "message" if !matches!(value, "" | "|-" | "|" | ">-" | ">") => {
                self.error = vec![plain.to_owned()]
            }
            "failureType" => self.is_of_subtests = plain.starts_with("subtest"),
            "operator" | "compare" => self.is_assertion = true,
            "code" => self.is_assertion |= plain == "ERR_ASSERTION",
            "at" => self.at = call(plain),
            "file" => self.file = Some(plain.to_owned()),
            "line" => self.line = plain.parse().ok(),
            _ => {}
        }
    }

    /// A further line of a key's value.
    fn go_on(&mut self, key: &str, line: &str) {
        let text = line.trim();
        match key {
            "error" | "message" if self.error.len() < MESSAGE_LINES => self.error.push(text.to_owned()),
            "stack" => match call(text.strip_prefix("- ").unwrap_or(text)) {
                Some(frame) => self.stack.push(frame),
                // The error's own words stand above its calls.
                None if self.stack.is_empty() => self.name(text),
                None => {}
            },
            "at" => match text.split_once(':').map(|(name, value)| (name, value.trim().trim_matches(['\'', '"']))) {
                Some(("file" | "fileName", value)) => self.file = Some(value.to_owned()),
                Some(("line" | "lineNumber", value)) => self.line = value.parse().ok(),
                _ => {}
            },
            _ => {}
        }
    }

    fn name(&mut self, text: &str) {
        if let Some((kind, value)) = text.split_once(": ").filter(|(kind, _)| kind.ends_with("Error")) {
            if self.kind.is_none() {
                self.kind = Some(kind.split(" [").next().unwrap_or(kind).to_owned());
            }
            if self.error.is_empty() {
                self.error.push(value.to_owned());
            }
        }
    }

    fn place(&self) -> Option<Frame> {
        let named = self.file.as_deref().map(|path| place::frame(path, self.line, None, None));
        self.at.clone().or(named).filter(|frame| frame.line.is_some())
    }
}

/// A call as these blocks have it, with or without the word before it.
fn call(text: &str) -> Option<Frame> {
    if text.starts_with("at ") { frame(text) } else { frame(&format!("at {text}")) }
        .filter(|frame| frame.line.is_some())
}
