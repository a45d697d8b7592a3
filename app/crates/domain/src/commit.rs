//! The id of a commit, which is not any text that may name one: a release, a tag, a branch.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Digits that are shown of one: as many as git and GitHub show.
const SHOWN_DIGITS: usize = 7;

/// The id of a commit: all of its 40 hexadecimal digits, in lower case.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CommitId(String);

impl CommitId {
    /// Digits of a whole id, a SHA-1.
    pub const DIGITS: usize = 40;

    /// An id as git, GitHub or our own rows have it: nothing is checked.
    pub fn new(id: impl Into<String>) -> Self {
        Self(id.into())
    }

    /// A text of anybody's, if it is a whole id and nothing else.
    pub fn of_text(text: &str) -> Option<Self> {
        let is_whole = text.len() == Self::DIGITS && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_whole.then(|| Self(text.to_ascii_lowercase()))
    }

    /// The whole id.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its first seven digits, as people know commits.
    pub fn short(&self) -> &str {
        self.0.get(..SHOWN_DIGITS).unwrap_or(&self.0)
    }
}

impl PartialEq<str> for CommitId {
    fn eq(&self, other: &str) -> bool {
        self.0 == other
    }
}

impl PartialEq<&str> for CommitId {
    fn eq(&self, other: &&str) -> bool {
        self.0 == *other
    }
}

impl fmt::Debug for CommitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl fmt::Display for CommitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl From<CommitId> for String {
    fn from(id: CommitId) -> Self {
        id.0
    }
}

#[cfg(test)]
mod tests {
    use super::CommitId;

    #[test]
    fn only_a_whole_id_is_one() {
        let digits = "3F1C9A7d".repeat(5);
        let id = CommitId::of_text(&digits).expect("40 digits");
        assert_eq!((id.as_str(), id.short()), (digits.to_lowercase().as_str(), "3f1c9a7"));
        assert_eq!(serde_json::to_string(&id).expect("json"), format!("\"{id}\""));
        for text in ["", "3f1c9a7", "v1.4.2", &digits.replace('d', "g"), &"0".repeat(64)] {
            assert_eq!(CommitId::of_text(text), None, "{text}");
        }
    }
}
