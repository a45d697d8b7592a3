//! The identity of a blamed line, by which one alert is told from another.

use super::blame::Blame;
use super::commit::CommitId;
use super::fingerprint::FingerprintBuilder;
use serde::{Deserialize, Serialize};

/// What makes two reports be about the same line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Identity {
    /// Where git says that the line was written: survives edits elsewhere, renames and moves of the
    /// file.
    Origin {
        /// The commit that wrote it.
        commit: CommitId,
        /// Path at that commit.
        path: String,
        /// One-based line at that commit.
        line: u32,
    },
    /// Where git can't say: the text in its function.
    Text {
        /// Path in the repository, or as the client named the file.
        path: String,
        /// Function name.
        function: String,
        /// Text with its white space squeezed.
        code: String,
    },
}

impl Identity {
    /// The identity that a blame gives.
    pub fn of_blame(blame: &Blame) -> Self {
        Self::Origin { commit: blame.commit.clone(), path: blame.path.clone(), line: blame.line }
    }

    /// The fallback identity.
    pub fn of_text(path: &str, function: &str, code: &str) -> Self {
        Self::Text { path: path.to_owned(), function: function.to_owned(), code: squeeze(code) }
    }

    /// One short text for each identity, the value of a unique index. Hashed, because paths and
    /// code have no limit.
    pub fn key(&self) -> String {
        match self {
            Self::Origin { commit, path, line } => {
                let mut hash = FingerprintBuilder::new(Some("origin"), Some(commit.as_str()));
                hash.frame(Some(path), None, None, Some(*line), None);
                format!("o{}", hash.finish().to_hex())
            }
            Self::Text { path, function, code } => {
                let mut hash = FingerprintBuilder::new(Some("text"), None);
                hash.frame(Some(path), None, Some(function), None, Some(code));
                format!("t{}", hash.finish().to_hex())
            }
        }
    }
}

/// Leaves one blank for each run of white space, none at the ends.
pub fn squeeze(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_identity_ignores_white_space_only() {
        let a = Identity::of_text("a.py", "f", "  x =  1");
        assert_eq!(a.key(), Identity::of_text("a.py", "f", "x = 1\n").key());
        assert_ne!(a.key(), Identity::of_text("a.py", "g", "x = 1").key());
        assert_ne!(a.key(), Identity::of_text("a.py", "f", "x = 2").key());
    }
}
