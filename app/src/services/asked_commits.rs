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
pub struct AskedCommits(Arc<Mutex<HashMap<(RepositoryId, CommitId), Asked>>>);

/// When a commit was asked for.
#[derive(Clone, Copy, Debug)]
pub struct Asked {
    /// When.
    pub at: Timestamp,
    /// The source said that it does not have it, or does not give it away. Else nobody knows.
    pub is_answered: bool,
}

impl AskedCommits {
    /// When it was asked for last.
    pub fn last(&self, id: RepositoryId, commit: &CommitId) -> Option<Asked> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&(id, commit.clone())).copied()
    }

    /// Notes that it was asked for.
    pub fn note(&self, id: RepositoryId, commit: CommitId, asked: Asked) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MOST {
            all.clear();
        }
        all.insert((id, commit), asked);
    }
}
