//! Lines that nobody of a repository was told of.

/// How many lines nobody of a repository was told of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Untold {
    /// All of them.
    pub lines: u64,
    /// Those whose mail went to who runs the server.
    pub to_operator: u64,
}

impl Untold {
    /// Where they went, in a sentence; nothing where all went to nobody.
    pub fn went(self) -> Option<String> {
        const OPERATOR: &str = "to who runs this server (OPERATOR_EMAIL)";
        match (self.lines.saturating_sub(self.to_operator), self.to_operator) {
            (_, 0) => None,
            (0, 1) => Some(format!("It went {OPERATOR}.")),
            (0, _) => Some(format!("They went {OPERATOR}.")),
            (others, theirs) => Some(format!("{theirs} of them went {OPERATOR}; {others} went to nobody.")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_lines_went_is_said_of_those_that_were_mailed() {
        let went = |lines, to_operator| Untold { lines, to_operator }.went().unwrap_or_default();
        assert_eq!(went(13, 8), "8 of them went to who runs this server (OPERATOR_EMAIL); 5 went to nobody.");
        assert_eq!(went(1, 1), "It went to who runs this server (OPERATOR_EMAIL).");
        assert_eq!(went(2, 2), "They went to who runs this server (OPERATOR_EMAIL).");
        assert_eq!(went(5, 0), "");
    }
}
