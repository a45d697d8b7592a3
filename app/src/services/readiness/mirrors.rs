//! Whether the mirrors can be read: one after another, a little at a time.

use domain::ids::RepositoryId;
use mirror::{MirrorError, Mirrors};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// How much longer than for the reading itself is waited for it: the last mirror may take so long.
const MERCY: Duration = Duration::from_millis(750);
/// A look that takes longer than this has met a disk that does not answer.
const STUCK: Duration = Duration::from_secs(30);

/// What was seen of the mirrors.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MirrorsSeen {
    /// What is wrong with those that are damaged.
    pub damaged: BTreeMap<RepositoryId, String>,
    /// How many could not be looked at this time: their state is that of the last look.
    pub unread: usize,
    /// Why nothing can be written where they are.
    pub unwritable: Option<String>,
    /// The disk does not answer.
    pub stuck: bool,
}

impl MirrorsSeen {
    /// What is wrong, a sentence each, for anybody.
    pub(super) fn warnings(&self) -> Vec<String> {
        let damaged = match self.damaged.len() {
            0 => None,
            1 => Some("mirrors: 1 is damaged".to_owned()),
            more => Some(format!("mirrors: {more} are damaged")),
        };
        let unwritable = self.unwritable.is_some().then(|| "mirrors: DATA_DIR can't be written".to_owned());
        let stuck = self.stuck.then(|| "mirrors: the disk of DATA_DIR does not answer".to_owned());
        damaged.into_iter().chain(unwritable).chain(stuck).collect()
    }
}

/// A round through the mirrors, which goes on where it was left.
#[derive(Clone)]
pub(super) struct MirrorRound {
    mirrors: Mirrors,
    /// What was seen so far.
    seen: Arc<Mutex<MirrorsSeen>>,
    /// The one that was looked at last. Held by who looks: at most one thread waits for a disk.
    last: Arc<tokio::sync::Mutex<Option<RepositoryId>>>,
    /// Since when somebody looks.
    since: Arc<Mutex<Option<Instant>>>,
}

impl MirrorRound {
    pub(super) fn new(mirrors: Mirrors) -> Self {
        Self { mirrors, seen: Arc::default(), last: Arc::default(), since: Arc::default() }
    }

    /// Looks at some more mirrors, for about so long, and says what is known of all.
    pub(super) async fn look(&self, reading: Duration) -> MirrorsSeen {
        let looked = async {
            let mut last = Arc::clone(&self.last).lock_owned().await;
            let this = self.clone();
            let work = move || {
                *lock(&this.since) = Some(Instant::now());
                *last = this.go_on(*last, reading);
                *lock(&this.since) = None;
            };
            // One that panicked is begun anew by the next.
            let _ = tokio::task::spawn_blocking(work).await;
        };
        // What takes longer goes on, and is known the next time.
        let _ = timeout(reading + MERCY, looked).await;
        let stuck = lock(&self.since).is_some_and(|since| since.elapsed() > STUCK);
        MirrorsSeen { stuck, ..lock(&self.seen).clone() }
    }

    /// Looks at those first that were damaged, for half of the time, then at the ones after `last`,
    /// until it is time or all were looked at; which was the last.
    fn go_on(&self, last: Option<RepositoryId>, reading: Duration) -> Option<RepositoryId> {
        let begun = Instant::now();
        let unwritable = self.mirrors.try_to_write().err();
        let (ids, unlisted) = match self.mirrors.ids() {
            Ok(ids) => (ids, None),
            Err(error) => (Vec::new(), Some(error)),
        };
        let mut damaged = lock(&self.seen).damaged.clone();
        damaged.retain(|id, _| ids.binary_search(id).is_ok());
        for id in damaged.keys().copied().collect::<Vec<_>>() {
            if begun.elapsed() < reading / 2 {
                self.note(&mut damaged, id);
            }
        }
        let (before, after) = ids.split_at(ids.partition_point(|id| Some(*id) <= last));
        let (mut last, mut read) = (last, 0);
        for id in after.iter().chain(before) {
            if begun.elapsed() >= reading {
                break;
            }
            self.note(&mut damaged, *id);
            (last, read) = (Some(*id), read + 1);
        }
        let unwritable = unwritable.or(unlisted).map(|error| error.to_string());
        *lock(&self.seen) = MirrorsSeen { damaged, unread: ids.len() - read, unwritable, stuck: false };
        last
    }

    fn note(&self, damaged: &mut BTreeMap<RepositoryId, String>, id: RepositoryId) {
        let what = match self.mirrors.damage(id) {
            Ok(what) => what,
            Err(MirrorError::Interrupted) => None,
            Err(error) => Some(error.to_string()),
        };
        match what {
            Some(what) => damaged.insert(id, what),
            None => damaged.remove(&id),
        };
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing under these locks can panic half-way, so a poisoned one holds what it should.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
