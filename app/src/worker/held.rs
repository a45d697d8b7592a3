//! The jobs that this process is at, and the room that one which killed before has for itself.

use crate::services::fetches::MailPlace;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use store::jobs::Claim;
use store::{Store, StoreError};
use tokio::sync::{OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock};
use tokio::time::Instant;

/// How long a job that killed before waits for the others to end, while nobody begins another one.
const WAIT_FOR_ROOM: Duration = Duration::from_secs(1);
/// How often it does so: a clone that takes minutes must not hold up everybody else meanwhile.
const WAIT_AGAIN_AFTER: Duration = Duration::from_secs(10);

/// How long after it was looked in vain for jobs that killed before it is looked for them again:
/// they are rare, and workers that find nothing else look all the time.
const LOOK_AGAIN_AFTER: Duration = Duration::from_millis(250);

/// A job's place among the others; it ends with this.
pub(super) enum Place {
    /// Beside others.
    Shared {
        _room: OwnedRwLockReadGuard<()>,
        /// Among those that send mails, where it is one.
        _mail: Option<MailPlace>,
    },
    /// Nothing else runs.
    Alone { _room: OwnedRwLockWriteGuard<()> },
}

impl Place {
    /// The place of one that has this one, too.
    pub(super) fn among_mails(self, mail: Option<MailPlace>) -> Self {
        match self {
            Self::Shared { _room, .. } => Self::Shared { _room, _mail: mail },
            alone @ Self::Alone { .. } => alone,
        }
    }

    /// What is left of it once the room is given back: who sends mails goes on to be among those.
    pub(super) fn without_room(self) -> Option<MailPlace> {
        match self {
            Self::Shared { _mail, .. } => _mail,
            Self::Alone { .. } => None,
        }
    }
}

/// What this process is at.
#[derive(Default)]
pub(super) struct Held {
    room: Arc<RwLock<()>>,
    /// When room for one alone was waited for last.
    waited_at: Mutex<Option<Instant>>,
    /// When it was looked in vain for one that killed before.
    looked_at: Mutex<Option<Instant>>,
    running: Mutex<Vec<Claim>>,
    /// Those whose end could not be written: they are put back as soon as the database answers, for
    /// it was not they who failed.
    unsettled: Mutex<Vec<Claim>>,
}

impl Held {
    /// Whether it is time to look for a job that killed before.
    pub(super) fn may_look(&self) -> bool {
        lock(&self.looked_at).is_none_or(|at| at.elapsed() >= LOOK_AGAIN_AFTER)
    }

    /// There is, or is not, such a job.
    pub(super) fn looked(&self, is_there: bool) {
        *lock(&self.looked_at) = (!is_there).then(Instant::now);
    }

    /// A place beside others.
    pub(super) async fn shared(&self) -> Place {
        Place::Shared { _room: Arc::clone(&self.room).read_owned().await, _mail: None }
    }

    /// A place alone, if nothing runs.
    pub(super) fn alone(&self) -> Option<Place> {
        Arc::clone(&self.room).try_write_owned().ok().map(|room| Place::Alone { _room: room })
    }

    /// A place alone, for which the others are held up, now and then and for a moment.
    pub(super) async fn alone_soon(&self) -> Option<Place> {
        {
            let mut waited_at = lock(&self.waited_at);
            if waited_at.is_some_and(|at| at.elapsed() < WAIT_AGAIN_AFTER) {
                return None;
            }
            *waited_at = Some(Instant::now());
        }
        let room = tokio::time::timeout(WAIT_FOR_ROOM, Arc::clone(&self.room).write_owned()).await.ok()?;
        Some(Place::Alone { _room: room })
    }

    /// A job is begun.
    pub(super) fn begin(&self, claim: &Claim) {
        lock(&self.running).push(claim.clone());
    }

    /// It ended, and that is written or not.
    pub(super) fn end(&self, claim: Claim, is_written: bool) {
        lock(&self.running).retain(|one| one.id != claim.id);
        if !is_written {
            lock(&self.unsettled).push(claim);
        }
    }

    /// Puts back what ended without that being written.
    ///
    /// # Errors
    /// The database is out of reach: the next call tries it again.
    pub(super) async fn put_back_unsettled(&self, store: &Store) -> Result<(), StoreError> {
        loop {
            let Some(claim) = lock(&self.unsettled).last().cloned() else { return Ok(()) };
            store::jobs::put_back(store, &claim).await?;
            lock(&self.unsettled).retain(|one| *one != claim);
        }
    }

    /// Puts back all that is under way: the server ends in an orderly way.
    ///
    /// # Errors
    /// The database is out of reach.
    pub(super) async fn put_back_all(&self, store: &Store) -> Result<(), StoreError> {
        let running = std::mem::take(&mut *lock(&self.running));
        lock(&self.unsettled).extend(running);
        self.put_back_unsettled(store).await
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing under these locks can panic half-way, so a poisoned one holds what it should.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_killed_before_runs_beside_nothing_and_the_others_wait_for_it() {
        let held = Arc::new(Held::default());
        let other = held.shared().await;
        let second = held.shared().await;
        assert!(held.alone().is_none() && held.alone_soon().await.is_none(), "others run");
        drop((other, second));
        let alone = held.alone().expect("nothing runs");
        let waiting = {
            let held = Arc::clone(&held);
            tokio::spawn(async move { held.shared().await })
        };
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert!(!waiting.is_finished(), "nobody begins beside it");
        drop(alone);
        waiting.await.expect("it goes on");
    }
}
