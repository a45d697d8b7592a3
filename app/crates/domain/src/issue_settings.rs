//! `issues:` in a repository's settings: what the issues are like.

use serde::{Deserialize, Serialize};

/// The counts at which an issue gets a comment, unless the file says otherwise: rare enough never
/// to be noise.
pub const COMMENT_AT: [u64; 4] = [10, 100, 1000, 10_000];

/// What issues are like.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct IssueSettings {
    /// Labels of a new issue, beside ours.
    pub labels: Vec<String>,
    /// Whether the author is assigned.
    pub assign: bool,
    /// Counts at which a comment is made.
    pub comment_at: Vec<u64>,
    /// Whether exception messages are shown in a public repository's issues: they carry data.
    pub message_in_public: bool,
}

impl Default for IssueSettings {
    fn default() -> Self {
        Self { labels: Vec::new(), assign: true, comment_at: COMMENT_AT.to_vec(), message_in_public: false }
    }
}
