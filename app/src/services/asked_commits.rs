//! When commits were asked for by their ids in vain, as long as the process lives.

use domain::commit::CommitId;
use domain::ids::RepositoryId;
use domain::timestamp::Timestamp;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Commits that are remembered; with one more, all are forgotten, and asked for again. Reports of a
/// key that name ever other ones are bounded by its budget.
const MOST: usize = 10_000;

/// Commits that were asked for by their ids and did not come: a source that has them not is not to
/// be asked for each report.
#[derive(Clone, Default)]
pub struct AskedCommits(Arc<Mutex<HashMap<(RepositoryId, CommitId), Timestamp>>>);

impl AskedCommits {
    /// When it was asked for last.
    pub fn at(&self, id: RepositoryId, commit: &CommitId) -> Option<Timestamp> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&(id, commit.clone())).copied()
    }

    /// Notes that it was asked for.
    pub fn note(&self, id: RepositoryId, commit: CommitId, now: Timestamp) {
        let mut asked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if asked.len() >= MOST {
            asked.clear();
        }
        asked.insert((id, commit), now);
    }
}
