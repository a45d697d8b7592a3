//! A command that failed, whether or not it printed a traceback.

use super::{MAX_TEXT, last_lines, parse, plain};
use domain::report::{COMMAND_KIND, Exception, MAX_VALUE, Report, UNCUT};
use serde_json::Value;

/// Under which name the last lines are told.
const OUTPUT: &str = "output";
/// Lines told of what the command wrote last.
const LINES: usize = 20;

/// Reads what is sent of a command that failed: the command in the first line, below it what it
/// wrote last. The last traceback of that counts; without one, the failure itself does, which has
/// no frames, and so nobody but the default contact.
pub fn parse_failure(text: &(impl AsRef<[u8]> + ?Sized), how: &str) -> Report {
    let text = text.as_ref();
    let end = text.iter().position(|byte| *byte == b'\n').unwrap_or(text.len());
    let (command, output) = (&text[..end], text.get(end + 1..).unwrap_or_default());
    parse(output).unwrap_or_else(|_| failure(&command[..command.len().min(MAX_TEXT + UNCUT)], output, how))
}

fn failure(command: &[u8], output: &[u8], how: &str) -> Report {
    let command = String::from_utf8_lossy(command).trim().to_owned();
    let mut report = Report { level: "error".to_owned(), count: 1, ..Report::default() };
    // What the command wrote differs each time: it is no part of what the failure is known by.
    let value = if command.is_empty() { how.to_owned() } else { format!("{command}: {how}") };
    report.exceptions = vec![Exception {
        kind: COMMAND_KIND.to_owned(),
        value: Some(value),
        handled: Some(false),
        ..Exception::default()
    }];
    report.transaction = Some(command).filter(|command| !command.is_empty());
    let output = plain(output);
    let lines = last_lines(output.trim_end());
    let last = lines[lines.len().saturating_sub(LINES)..].join("\n");
    // Of too much, the end says what went wrong.
    let last = &last[last.ceil_char_boundary(last.len().saturating_sub(MAX_VALUE))..];
    if !last.trim().is_empty() {
        report.additional.insert(OUTPUT.to_owned(), Value::String(last.to_owned()));
    }
    report
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_known_by_its_command_and_its_end() {
        let one = parse_failure("nightly.py --all\n08:15:01 connecting\n08:15:02 no such table\n", "exit status 3");
        assert_eq!(one.headline(), "CommandFailed: nightly.py --all: exit status 3");
        assert_eq!(one.transaction.as_deref(), Some("nightly.py --all"));
        assert_eq!(one.additional["output"], "08:15:01 connecting\n08:15:02 no such table");
        assert!(one.exceptions[0].frames.is_empty());
        let other = parse_failure("nightly.py --all\n09:15:01 connecting\n", "exit status 3");
        assert_eq!(one.exceptions, other.exceptions, "its output is no part of it");
    }

    #[test]
    fn a_traceback_says_more() {
        let text =
            "job.py\nTraceback (most recent call last):\n  File \"job.py\", line 3, in f\n    g()\nKeyError: 'a'\n";
        assert_eq!(parse_failure(text, "exit status 1").headline(), "KeyError: 'a'");
    }

    #[test]
    fn only_the_end_of_long_output_is_told() {
        let text = format!("job\n{}\u{1b}[31mlast\u{1b}[0m\n\n", "é line\n".repeat(200_000));
        let report = parse_failure(&text, "signal 9");
        let told = report.additional["output"].as_str().unwrap();
        assert!(told.len() <= MAX_VALUE && told.ends_with("line\nlast"), "{told}");
        assert_eq!(told.lines().count(), LINES);
        let long = parse_failure(&format!("job\n{}", "é".repeat(10_000)), "signal 9");
        assert!(long.additional["output"].as_str().unwrap().len() <= MAX_VALUE);
        let command = parse_failure(&"x".repeat(1 << 20), "exit status 1");
        assert!(command.headline().len() < MAX_TEXT + UNCUT + 100);
        for empty in ["", "\n", "job", "job\n \n"] {
            assert!(parse_failure(empty, "exit status 1").additional.is_empty(), "{empty:?}");
        }
    }
}
