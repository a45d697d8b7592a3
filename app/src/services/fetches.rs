//! How many mirrors are brought up to date at once, and how long one may take, and how many mails
//! are sent at once: git servers and mail servers that say nothing must not keep all else waiting.

use super::Failure;
use domain::ids::RepositoryId;
use domain::timestamp::Timestamp;
use jiff::SignedDuration;
use mirror::{MirrorError, Mirrors, Progress};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

/// Clones and fetches at once.
pub const FETCHES_AT_ONCE: usize = 2;
/// Mails at once: a mail server is one, and what is too much for two is too much for it.
pub const MAILS_AT_ONCE: usize = 2;
/// Both together: fewer than there are workers, so that there is always one for what waits for
/// neither.
pub const WAITING_AT_ONCE: usize = 3;
/// How long a fetch may take: a first clone of 20 GB at a megabyte a second.
const FETCH_AT_MOST: Duration = Duration::from_hours(6);
/// How long a fetch may go on without an object: a server that packs a large repository for the
/// first time takes minutes before its first.
const WITHOUT_PROGRESS: Duration = Duration::from_mins(15);
/// How long one waits for a place which a worker may hold that only looks whether a mail waits.
const LOOKING: Duration = Duration::from_secs(1);
/// How often it is looked how far a fetch is, and the log says it.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// The fetches of one process, and the places of its mails beside them.
#[derive(Clone)]
pub struct Fetches {
    places: Arc<Semaphore>,
    mails: Arc<Semaphore>,
    /// Of fetches and mails together.
    waiting: Arc<Semaphore>,
    patience: Patience,
    /// Fetches that go on in their threads.
    running: Arc<Mutex<HashMap<RepositoryId, Running>>>,
}

impl Default for Fetches {
    fn default() -> Self {
        let places = |number| Arc::new(Semaphore::new(number));
        Self {
            places: places(FETCHES_AT_ONCE),
            mails: places(MAILS_AT_ONCE),
            waiting: places(WAITING_AT_ONCE),
            patience: PATIENCE,
            running: Arc::default(),
        }
    }
}

/// The place of a job that sends mails; it ends with this.
pub struct MailPlace {
    _mail: OwnedSemaphorePermit,
    _waiting: OwnedSemaphorePermit,
}

/// A fetch that was begun.
#[derive(Debug)]
struct Running {
    /// It goes on for as long as its thread has this.
    alive: Weak<()>,
    /// Nobody waits for it any more.
    is_given_up: bool,
}

/// How long one may take.
#[derive(Clone, Copy)]
struct Patience {
    at_most: Duration,
    without_progress: Duration,
    look_every: Duration,
}

const PATIENCE: Patience =
    Patience { at_most: FETCH_AT_MOST, without_progress: WITHOUT_PROGRESS, look_every: LOOK_EVERY };

/// It is not its turn yet; nothing is wrong.
#[derive(Debug, thiserror::Error)]
enum NotYet {
    #[error("other repositories are being fetched, or mails sent: it comes after them")]
    NoPlace,
    #[error("it is being fetched already")]
    UnderWay,
}

/// Whether a fetch was not begun because others are under way.
pub fn is_for_later(failure: &Failure) -> bool {
    matches!(failure, Failure::Retry { cause, .. } if cause.is::<NotYet>())
}

/// Whether a fetch was not begun because one of the same repository is under way.
pub fn is_under_way(failure: &Failure) -> bool {
    let cause = match failure {
        Failure::Retry { cause, .. } => cause.downcast_ref::<NotYet>(),
        _ => None,
    };
    matches!(cause, Some(NotYet::UnderWay))
}

/// When what waited so long is looked at again where other repositories are being fetched: a crowd
/// of them must not ask all the time.
pub fn turn_after(waited: SignedDuration) -> SignedDuration {
    (waited / 2).clamp(SignedDuration::from_secs(5), SignedDuration::from_mins(2))
}

/// What becomes of a job whose fetch was not begun: nothing failed, and it runs once more then.
pub fn after_others(failure: Failure, at: Timestamp) -> Failure {
    if is_for_later(&failure) { Failure::Again { at } } else { failure }
}

impl Fetches {
    /// Whether as many are under way as may be.
    pub fn are_full(&self) -> bool {
        self.places.available_permits() == 0 || self.waiting.available_permits() == 0
    }

    /// A place for a job that sends mails, if there is one.
    pub fn mail_place(&self) -> Option<MailPlace> {
        let mail = Arc::clone(&self.mails).try_acquire_owned().ok()?;
        let waiting = Arc::clone(&self.waiting).try_acquire_owned().ok()?;
        Some(MailPlace { _mail: mail, _waiting: waiting })
    }

    /// Clones or fetches a repository in a thread of its own, if there is a place. `seen` is told
    /// how far it is.
    ///
    /// # Errors
    /// There is no place, or it is being fetched ([`is_for_later`]); an earlier one hangs, it takes
    /// too long, or it panicked. Inside: the work's own.
    pub async fn run<T: Send + 'static>(
        &self,
        mirrors: &Mirrors,
        id: RepositoryId,
        work: impl FnOnce(&Mirrors) -> Result<T, MirrorError> + Send + 'static,
        seen: impl Fn(&Progress),
    ) -> Result<Result<T, MirrorError>, Failure> {
        let Ok(_place) = self.places.try_acquire() else { return Err(Failure::retry(NotYet::NoPlace)) };
        let Ok(Ok(_waiting)) = tokio::time::timeout(LOOKING, self.waiting.acquire()).await else {
            return Err(Failure::retry(NotYet::NoPlace));
        };
        let (running, theirs) = (self.begin(id)?, mirrors.clone());
        let mut work = tokio::task::spawn_blocking(move || {
            let _running = running;
            work(&theirs)
        });
        let mut unwaited = Unwaited { fetches: self, mirrors, id, is_over: false };
        let begun_at = Instant::now();
        let (mut last, mut moved_at) = (None, begun_at);
        loop {
            if let Ok(done) = tokio::time::timeout(self.patience.look_every, &mut work).await {
                unwaited.is_over = true;
                return done.map_err(|ended| Failure::ended("git work", ended));
            }
            let progress = mirrors.progress(id);
            progress.iter().for_each(&seen);
            if progress != last {
                (last, moved_at) = (progress, Instant::now());
            }
            if moved_at.elapsed() >= self.patience.without_progress || begun_at.elapsed() >= self.patience.at_most {
                let minutes = begun_at.elapsed().as_secs() / 60;
                return Err(Failure::retry(format!("its fetch was given up after {minutes} minutes")));
            }
        }
    }

    /// Begins one of this repository, unless one goes on: a second would wait for it, and hold a
    /// place meanwhile that another repository needs.
    fn begin(&self, id: RepositoryId) -> Result<Arc<()>, Failure> {
        let mut running = self.running();
        match running.get(&id) {
            Some(Running { is_given_up: true, .. }) => Err(Failure::retry(
                "an earlier fetch of it still waits for its server, or for the disk: it is tried again once that ended",
            )),
            Some(Running { is_given_up: false, .. }) => Err(Failure::retry(NotYet::UnderWay)),
            None => {
                let begun = Arc::new(());
                running.insert(id, Running { alive: Arc::downgrade(&begun), is_given_up: false });
                Ok(begun)
            }
        }
    }

    fn give_up(&self, id: RepositoryId) {
        if let Some(running) = self.running().get_mut(&id) {
            running.is_given_up = true;
        }
    }

    /// Those that still go on.
    fn running(&self) -> MutexGuard<'_, HashMap<RepositoryId, Running>> {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.retain(|_, running| running.alive.strong_count() > 0);
        running
    }
}

/// Calls a fetch off that nobody waits for any more: its thread would go on beside the next ones.
struct Unwaited<'a> {
    fetches: &'a Fetches,
    mirrors: &'a Mirrors,
    id: RepositoryId,
    is_over: bool,
}

impl Drop for Unwaited<'_> {
    fn drop(&mut self) {
        if !self.is_over {
            self.mirrors.call_off(self.id);
            self.fetches.give_up(self.id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    const ID: RepositoryId = RepositoryId(1);

    fn mirrors() -> (tempfile::TempDir, Mirrors) {
        let folder = tempfile::tempdir().expect("a folder");
        let mirrors = Mirrors::open(folder.path().join("mirrors")).expect("mirrors");
        (folder, mirrors)
    }

    /// Work that ends when the sender is dropped.
    fn endless() -> (mpsc::Sender<()>, impl FnOnce(&Mirrors) -> Result<(), MirrorError> + Send) {
        let (hold, held) = mpsc::channel::<()>();
        let work = move |_: &Mirrors| {
            let _ = held.recv();
            Ok(())
        };
        (hold, work)
    }

    #[tokio::test]
    async fn more_than_the_places_come_later() {
        let ((_folder, mirrors), fetches) = (mirrors(), Fetches::default());
        let mut running = Vec::new();
        for id in 1..=FETCHES_AT_ONCE {
            assert!(!fetches.are_full());
            let ((hold, work), fetches, mirrors) = (endless(), fetches.clone(), mirrors.clone());
            let id = RepositoryId(i64::try_from(id).expect("small"));
            running.push((hold, tokio::spawn(async move { fetches.run(&mirrors, id, work, |_| {}).await })));
            tokio::task::yield_now().await;
        }
        assert!(fetches.are_full());
        let refused = fetches.run(&mirrors, RepositoryId(99), |_| Ok(()), |_| {}).await;
        assert!(refused.is_err_and(|failure| is_for_later(&failure)));
        for (hold, task) in running {
            drop(hold);
            task.await.expect("no panic").expect("a place").expect("it went well");
        }
        fetches.run(&mirrors, RepositoryId(99), |_| Ok(()), |_| {}).await.expect("a place").expect("it went well");
    }

    #[tokio::test]
    async fn mails_have_two_places_and_with_fetches_three() {
        let ((_folder, mirrors), fetches) = (mirrors(), Fetches::default());
        let mails = [fetches.mail_place(), fetches.mail_place()];
        assert!(mails.iter().all(Option::is_some) && fetches.mail_place().is_none());
        assert!(!fetches.are_full(), "one place is left for a fetch");
        let (hold, work) = endless();
        let running = tokio::spawn({
            let (fetches, mirrors) = (fetches.clone(), mirrors.clone());
            async move { fetches.run(&mirrors, ID, work, |_| {}).await }
        });
        tokio::task::yield_now().await;
        assert!(fetches.are_full());
        let refused = fetches.run(&mirrors, RepositoryId(2), |_| Ok(()), |_| {}).await;
        assert!(refused.is_err_and(|failure| is_for_later(&failure)));
        drop(mails);
        assert!(!fetches.are_full());
        drop(hold);
        running.await.expect("no panic").expect("a place").expect("it went well");
    }

    #[tokio::test]
    async fn one_repository_takes_one_place() {
        let ((_folder, mirrors), fetches) = (mirrors(), Fetches::default());
        let (hold, work) = endless();
        let first = tokio::spawn({
            let (fetches, mirrors) = (fetches.clone(), mirrors.clone());
            async move { fetches.run(&mirrors, ID, work, |_| {}).await }
        });
        tokio::task::yield_now().await;
        let second = fetches.run(&mirrors, ID, |_| Ok(()), |_| {}).await;
        assert!(second.is_err_and(|failure| is_for_later(&failure) && failure.to_string().contains("already")));
        fetches.run(&mirrors, RepositoryId(2), |_| Ok(()), |_| {}).await.expect("another has a place").expect("well");
        drop(hold);
        first.await.expect("no panic").expect("a place").expect("it went well");
        fetches.run(&mirrors, ID, |_| Ok(()), |_| {}).await.expect("it is its turn").expect("well");
    }

    #[tokio::test]
    async fn one_whose_job_is_lost_is_called_off_and_no_second_runs_beside_it() {
        let ((_folder, mirrors), fetches) = (mirrors(), Fetches::default());
        let (hold, work) = endless();
        let lost = tokio::spawn({
            let (fetches, mirrors) = (fetches.clone(), mirrors.clone());
            async move { fetches.run(&mirrors, ID, work, |_| {}).await }
        });
        tokio::task::yield_now().await;
        lost.abort();
        assert!(lost.await.is_err_and(|error| error.is_cancelled()));
        let again = fetches.run(&mirrors, ID, |_| Ok(()), |_| {}).await;
        assert!(
            again.is_err_and(|failure| !is_for_later(&failure) && failure.to_string().contains("an earlier fetch"))
        );
        drop(hold);
        while !fetches.running().is_empty() {
            std::thread::yield_now();
        }
        fetches.run(&mirrors, ID, |_| Ok(()), |_| {}).await.expect("it goes on").expect("well");
    }

    #[tokio::test]
    async fn one_that_hangs_is_given_up_and_not_begun_again_until_it_ends() {
        let (_folder, mirrors) = mirrors();
        let (soon, short) = (Duration::from_millis(50), Duration::from_millis(5));
        let patience = Patience { without_progress: soon, look_every: short, ..PATIENCE };
        let fetches = Fetches { patience, ..Fetches::default() };
        let (hold, work) = endless();
        let given_up = fetches.run(&mirrors, ID, work, |_| {}).await;
        assert!(given_up.is_err_and(|failure| failure.to_string().contains("given up after")));
        assert!(!fetches.are_full(), "it holds no place");
        let again = fetches.run(&mirrors, ID, |_| Ok(()), |_| {}).await;
        assert!(again.is_err_and(|failure| failure.to_string().contains("an earlier fetch")));
        fetches.run(&mirrors, RepositoryId(2), |_| Ok(()), |_| {}).await.expect("others go on").expect("well");
        drop(hold);
        while !fetches.running().is_empty() {
            std::thread::yield_now();
        }
        fetches.run(&mirrors, ID, |_| Ok(()), |_| {}).await.expect("it goes on").expect("well");
    }
}
