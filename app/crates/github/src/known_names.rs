//! What repositories are called, as GitHub said a moment ago when it was asked for their names.

use domain::names::RepositoryName;
use domain::timestamp::Timestamp;
use jiff::SignedDuration;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Repositories that are remembered at one time, with some hundred bytes each; more are not in use
/// within a minute.
const MOST: usize = 10_000;

/// The names, by GitHub's numbers.
#[derive(Default)]
pub(super) struct KnownNames(Mutex<HashMap<u64, KnownName>>);

struct KnownName {
    /// As it was asked for.
    asked: RepositoryName,
    /// As GitHub calls it.
    now: RepositoryName,
    at: Timestamp,
}

impl KnownNames {
    /// What the repository with this number is called, where it was asked for by this name not
    /// longer ago than that.
    pub(super) fn of(
        &self,
        id: u64,
        asked: &RepositoryName,
        within: SignedDuration,
        now: Timestamp,
    ) -> Option<RepositoryName> {
        let names = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = names.get(&id).filter(|known| known.asked == *asked && now.is_within(within, known.at))?;
        Some(known.now.clone())
    }

    /// Remembers what GitHub said.
    pub(super) fn record(&self, id: u64, asked: &RepositoryName, called: &RepositoryName, at: Timestamp) {
        // A panic while it was held leaves the map whole.
        let mut names = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if names.len() >= MOST && !names.contains_key(&id) {
            names.clear();
        }
        names.insert(id, KnownName { asked: asked.clone(), now: called.clone(), at });
    }

    /// Forgets what was said of a repository.
    pub(super) fn forget(&self, id: u64) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_known_for_a_while_and_only_as_it_was_asked_for() {
        let names = KnownNames::default();
        let at = Timestamp::from_seconds;
        let (shop, store) = (RepositoryName::new("acme/shop"), RepositoryName::new("acme/store"));
        names.record(7, &shop, &store, at(100));
        let minute = SignedDuration::from_mins(1);
        assert_eq!(names.of(7, &shop, minute, at(130)), Some(store.clone()));
        assert_eq!(names.of(7, &shop, minute, at(200)), None, "too long ago");
        assert_eq!(names.of(7, &shop, minute, at(50)), None, "the clock was set back");
        assert_eq!(names.of(7, &store, minute, at(130)), None);
        assert_eq!(names.of(8, &shop, minute, at(130)), None);
        for id in 0..2 * u64::try_from(MOST).expect("a number") {
            names.record(id, &shop, &shop, at(130));
        }
        assert!(names.0.lock().expect("it is whole").len() <= MOST);
    }
}
