//! Until when GitHub asked not to be asked: whoever goes on all the same is kept out for longer.

use super::error::GitHubError;
use domain::timestamp::Timestamp;
use jiff::SignedDuration;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// The pauses of the App (`None`) and of its installations, each of which has limits of its own.
#[derive(Default)]
pub(super) struct Pauses(Mutex<HashMap<Option<u64>, Pause>>);

struct Pause {
    since: Timestamp,
    /// No longer than an answer is believed.
    lasts: SignedDuration,
    /// What GitHub said.
    message: String,
}

impl Pauses {
    /// What who asks is to be told without asking GitHub.
    pub(super) fn check(&self, who: Option<u64>, now: Timestamp) -> Result<(), GitHubError> {
        // A panic while it was held leaves the map whole.
        let mut pauses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(pause) = pauses.get(&who) else { return Ok(()) };
        // Over; or the clock was set back meanwhile, and only GitHub knows how much is left.
        if !now.is_within(pause.lasts, pause.since) {
            pauses.remove(&who);
            return Ok(());
        }
        let retry_after = pause.lasts - (now - pause.since);
        Err(GitHubError::RateLimited { retry_after, message: pause.message.clone() })
    }

    /// Heeds what GitHub answered at that moment.
    pub(super) fn heed(&self, who: Option<u64>, error: &GitHubError, now: Timestamp) {
        let GitHubError::RateLimited { retry_after, message } = error else { return };
        let mut pauses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Of two answers that come at once the longer pause counts.
        if pauses.get(&who).is_some_and(|known| known.since + known.lasts > now + *retry_after) {
            return;
        }
        pauses.insert(who, Pause { since: now, lasts: *retry_after, message: message.clone() });
    }
}
