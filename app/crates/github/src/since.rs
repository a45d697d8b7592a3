//! What time it is on GitHub, and from when on it is asked for what came since a moment of ours.

use super::client::GitHub;
use super::error::GitHubError;
use super::route;
use domain::timestamp::Timestamp;
use jiff::SignedDuration;

/// Looks for something of ours start this much earlier than asked: what it was noted by need not
/// have been the clock of now.
const CLOCK_SLACK: SignedDuration = SignedDuration::from_mins(10);

/// What is looked for that was noted by a clock which was put right since is not older than this:
/// longer, nothing waits for GitHub's answer.
const SET_BACK_BY: SignedDuration = SignedDuration::from_hours(3 * 24);

impl GitHub {
    /// What GitHub's clock says, by its latest answer, to the second; asks it nothing. `None`:
    /// nothing was heard of it for an hour.
    pub fn clock(&self) -> Option<Timestamp> {
        self.inner.time.now()
    }

    /// A moment of ours from which on something is looked for on GitHub, where times are GitHub's:
    /// the earlier one of what both clocks make of it. By a clock that is ahead, nothing would be
    /// found; what is looked for from too early on takes longer, and is found all the same.
    ///
    /// A moment that is still to come was noted by a clock that was ahead, and was put right since:
    /// it is not known when that was, and looked for from [`SET_BACK_BY`] ago on.
    pub(super) fn earliest(&self, ours: Timestamp) -> Timestamp {
        let now = self.inner.ours.now();
        self.inner.time.earliest(if ours > now { now - SET_BACK_BY } else { ours })
    }

    /// `since` as GitHub takes it, `YYYY-MM-DDTHH:MM:SSZ`, [`CLOCK_SLACK`] earlier.
    ///
    /// # Errors
    /// No calendar has the moment, or the installation has no token: with none, nothing was heard
    /// of GitHub's clock either.
    pub(super) async fn since_parameter(&self, installation: u64, ours: Timestamp) -> Result<String, GitHubError> {
        self.token(installation).await?;
        let earlier = (self.earliest(ours) - CLOCK_SLACK).max(Timestamp::UNIX_EPOCH);
        jiff::Timestamp::from_second(earlier.as_seconds())
            .map(|at| route::encode(&at.to_string()))
            .map_err(|error| GitHubError::Argument(error.to_string()))
    }
}
