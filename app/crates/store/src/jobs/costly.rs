//! Reports that take long to attribute, and lines that take long to decide about: those of other
//! repositories go before the next of the same.

use crate::{Dialect, Store, StoreError};
use domain::ids::RepositoryId;
use domain::timestamp::Timestamp;
use jiff::SignedDuration;
use sqlx::AssertSqlSafe;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// What takes longer is costly: ten times what a report or a decision usually takes. A key is
/// public, and whoever writes to a repository chooses what its reports lead to: without this, what
/// one repository brings within a minute could keep all others waiting for an hour.
const COSTLY: Duration = Duration::from_millis(500);

/// Repositories that are remembered; those whose time is over are forgotten first.
const REMEMBERED: usize = 1_000;

/// Until when the time lies that the costly jobs of each repository took: the turns of those that
/// come now are later.
#[derive(Debug, Default)]
pub(crate) struct Costs(Mutex<HashMap<RepositoryId, Timestamp>>);

impl Costs {
    fn note(&self, repository: RepositoryId, took: SignedDuration, now: Timestamp) {
        let mut until = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if until.len() >= REMEMBERED {
            until.retain(|_, at| *at > now);
        }
        if until.len() >= REMEMBERED {
            until.clear();
        }
        let at = until.entry(repository).or_insert(now);
        *at = (*at).max(now) + took;
    }

    /// The turn of a job of this repository that would have it then.
    pub(crate) fn turn(&self, repository: RepositoryId, turn: Timestamp) -> Timestamp {
        let until = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        until.get(&repository).map_or(turn, |at| turn.max(*at))
    }
}

/// Lets all others go before the reports of a repository that wait, and its decisions, by as much
/// as one of them took, where that was much.
///
/// # Errors
/// The database is out of reach, or the job in whose name this is written is another's by now.
pub async fn let_others_go_first(
    store: &Store,
    repository: RepositoryId,
    took: Duration,
    now: Timestamp,
) -> Result<(), StoreError> {
    if took < COSTLY {
        return Ok(());
    }
    let took = SignedDuration::try_from(took).unwrap_or(SignedDuration::MAX);
    store.costs.note(repository, took, now);
    // What was claimed with it and will be put back lets others go first as well. What somebody is
    // about to change is left as it is, for it is only about who is first.
    let lock = if store.dialect == Dialect::Postgres { " FOR UPDATE SKIP LOCKED" } else { "" };
    let sql = format!(
        "UPDATE jobs SET turn_ms = turn_ms + $1 WHERE id IN (
             SELECT id FROM jobs WHERE (
                 (kind = 'attribute' AND subject IN (SELECT r.id FROM reports r WHERE r.repository_id = $2))
                 OR (kind = 'decide' AND EXISTS (
                     SELECT 1 FROM lines l WHERE l.id = jobs.subject AND l.repository_id = $2))){lock})"
    );
    let mut tx = store.begin_lazily().await?;
    sqlx::query(AssertSqlSafe(sql))
        .bind(i64::try_from(took.as_millis()).unwrap_or(i64::MAX))
        .bind(repository.0)
        .execute(tx.conn())
        .await?;
    tx.commit().await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_took_long_is_behind_by_as_much_until_that_is_over() {
        let (costs, one, other) = (Costs::default(), RepositoryId(1), RepositoryId(2));
        let now = Timestamp::from_seconds(1_000);
        let second = SignedDuration::from_secs(1);
        for _ in 0..3 {
            costs.note(one, second * 2, now);
        }
        assert_eq!((costs.turn(one, now), costs.turn(other, now)), (now + second * 6, now));
        let later = now + second * 60;
        assert_eq!(costs.turn(one, later), later);
        costs.note(one, second, later);
        assert_eq!(costs.turn(one, later), later + second, "it is not made up for by a pause");
        for number in 0..2 * REMEMBERED {
            costs.note(RepositoryId(i64::try_from(number).unwrap()), second, later);
        }
        assert!(costs.0.lock().unwrap().len() <= REMEMBERED);
    }
}
