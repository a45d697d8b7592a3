//! An installation's token, as GitHub mints it.

use super::answer::Answer;
use super::error::GitHubError;
use domain::timestamp::Timestamp;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::Instant;

/// A token is not used in its last minutes, so that a long fetch started with it can finish.
const TOKEN_MARGIN: Duration = Duration::from_secs(5 * 60);
/// How long installation tokens live, by GitHub's documentation; believed where an answer names no
/// time.
const TOKEN_LIFE: Duration = Duration::from_secs(60 * 60);

/// A token, and what it is good for.
pub(super) struct Token {
    pub(super) secret: String,
    /// By the monotonic clock, so that this machine's date may be wrong.
    pub(super) fresh_until: Instant,
    /// Whether it may write issues; `None` where GitHub does not say what it may.
    pub(super) writes_issues: Option<bool>,
}

#[derive(Deserialize)]
struct TokenAnswer {
    token: String,
    #[serde(default)]
    expires_at: Option<String>,
    #[serde(default)]
    permissions: Option<BTreeMap<String, String>>,
}

impl Token {
    /// The token in an answer that was accepted.
    pub(super) fn of(answer: &Answer) -> Result<Self, GitHubError> {
        let minted: TokenAnswer = answer.json("the token")?;
        let expires = minted.expires_at.as_deref().and_then(|at| at.parse::<jiff::Timestamp>().ok());
        // Both times are GitHub's, so that our clock does not matter; a date after the end of what
        // was made just now is none of GitHub's.
        let life = expires.zip(answer.date()).map(|(end, now)| Timestamp::from(end) - now);
        let life =
            life.filter(|life| life.is_positive()).map_or(TOKEN_LIFE, |life| life.unsigned_abs().min(TOKEN_LIFE));
        let granted = minted.permissions.as_ref();
        Ok(Self {
            writes_issues: granted.map(|it| it.get("issues").is_some_and(|level| level == "write")),
            secret: minted.token,
            fresh_until: Instant::now() + life.saturating_sub(TOKEN_MARGIN),
        })
    }
}
