//! How much of an alert is said, so that what is sent fits where it goes.

use domain::visible::{clip, line, visible};

/// Limits on the parts of one text, in characters and entries. A text is made in full, and with
/// less where it got too long.
#[derive(Clone, Copy, Debug)]
pub(super) struct Detail {
    /// Exceptions of a chain; the middle ones give way.
    pub exceptions: usize,
    /// Outermost calls of a traceback.
    pub head: usize,
    /// Innermost calls: those before the failure say most.
    pub tail: usize,
    /// Characters of an exception's message.
    pub message: usize,
    /// Lines of an exception's message.
    pub message_lines: usize,
    /// Frames whose local variables are said.
    pub frames_with_vars: usize,
    /// Local variables of one frame; also lines of the request, and of additional information.
    pub pairs: usize,
    /// Characters of a value.
    pub value: usize,
    /// Characters of a line of code, a path or a name.
    pub code: usize,
    /// Sentences of the verdict.
    pub sentences: usize,
    /// Servers, releases, environments, exception types, each.
    pub names: usize,
}

/// From full to least. Each step cuts a text to about a third. `least` is what still fits when
/// every field is hostile.
pub(super) const DETAILS: [Detail; 4] = [
    Detail {
        exceptions: 10,
        head: 10,
        tail: 30,
        message: 4_000,
        message_lines: 40,
        frames_with_vars: 8,
        pairs: 50,
        value: 500,
        code: 300,
        sentences: 30,
        names: 12,
    },
    Detail {
        exceptions: 6,
        head: 5,
        tail: 15,
        message: 2_000,
        message_lines: 20,
        frames_with_vars: 4,
        pairs: 25,
        value: 250,
        code: 240,
        sentences: 20,
        names: 8,
    },
    Detail {
        exceptions: 4,
        head: 3,
        tail: 8,
        message: 800,
        message_lines: 10,
        frames_with_vars: 2,
        pairs: 12,
        value: 120,
        code: 160,
        sentences: 10,
        names: 5,
    },
    Detail {
        exceptions: 3,
        head: 1,
        tail: 4,
        message: 400,
        message_lines: 5,
        frames_with_vars: 1,
        pairs: 6,
        value: 80,
        code: 100,
        sentences: 5,
        names: 3,
    },
];

impl Detail {
    /// A short text (path, name, line of code) in one line: cut at its end.
    pub(super) fn code(&self, text: &str) -> String {
        clip(&line(text.trim_end()), self.code)
    }

    /// A variable's representation.
    pub(super) fn value(&self, text: &str) -> String {
        clip(visible(text).trim_end(), self.value)
    }

    /// An exception's message, which may have several lines. `None` where nothing is said.
    pub(super) fn message(&self, text: Option<&str>) -> Option<String> {
        let text = clip(visible(text?).trim(), self.message);
        if text.is_empty() {
            return None;
        }
        let mut lines: Vec<&str> = text.lines().take(self.message_lines + 1).collect();
        if lines.len() > self.message_lines {
            lines[self.message_lines] = "…";
        }
        Some(lines.join("\n"))
    }

    /// Names of a list, with how many more there are.
    pub(super) fn names(&self, names: &[String]) -> Option<String> {
        if names.is_empty() {
            return None;
        }
        let mut shown: Vec<String> = names.iter().take(self.names).map(|name| self.code(name)).collect();
        if let Some(more @ 1..) = names.len().checked_sub(self.names) {
            shown.push(format!("and {more} more"));
        }
        Some(shown.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_messages_end_with_a_sign() {
        let detail = DETAILS[3];
        assert_eq!(detail.message(Some(" \n")), None);
        assert_eq!(detail.message(Some("a\r\nb\n")).as_deref(), Some("a\nb"));
        assert_eq!(detail.message(Some("1\n2\n3\n4\n5\n6\n7")).as_deref(), Some("1\n2\n3\n4\n5\n…"));
        assert_eq!(detail.message(Some(&"x".repeat(500))).map(|text| text.chars().count()), Some(400));
    }

    #[test]
    fn long_lists_say_how_many_are_left() {
        let names: Vec<String> = (1..=5).map(|n| format!("web-{n}")).collect();
        assert_eq!(DETAILS[3].names(&names).as_deref(), Some("web-1, web-2, web-3, and 2 more"));
        assert_eq!(DETAILS[3].names(&names[..3]).as_deref(), Some("web-1, web-2, web-3"));
        assert_eq!(DETAILS[3].names(&[]), None);
    }
}
