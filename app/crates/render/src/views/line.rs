//! What several pages show of a line.

use serde::Serialize;

/// What became of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LineStatus {
    /// Alerted, or to be alerted.
    Open,
    /// Whitelisted by a rule.
    Known,
    /// Its issue was closed.
    Resolved,
}

/// An issue on GitHub.
#[derive(Clone, Debug, Serialize)]
pub struct IssueLink {
    /// `#318`.
    pub label: String,
    /// Its page.
    pub url: String,
}
