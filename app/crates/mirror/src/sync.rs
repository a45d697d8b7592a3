//! Cloning and fetching: one at a time for each repository, and one for all who asked meanwhile.

use super::clone_source::{Address, Source};
use super::connection::open_options;
use super::consolidate::consolidate;
use super::error::MirrorError;
use super::fetch::{Fetch, Fetched};
use super::handles::{Opened, open};
use super::head::{Head, head};
use super::health::Standing;
use super::largest::Largest;
use super::packs::{Look, look, note_packs};
use super::progress::{Meter, Progress};
use super::{Inner, Mirrors, unreached, wanted};
use domain::commit::CommitId;
use domain::ids::RepositoryId;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, TryLockError};

/// What a synchronisation found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Synced {
    /// The default branch now; `None` for a repository without commits.
    pub head: Option<Head>,
    /// Whether any branch, tag or the default branch is another than before.
    pub changed: bool,
    /// Whether there was no mirror before.
    pub cloned: bool,
}

/// What is known of one repository's mirror while the process runs.
#[derive(Default)]
pub(super) struct Slot {
    /// Fetches begun so far.
    begun: AtomicU64,
    /// Held while fetching; says how the last one ended.
    last: Mutex<Option<Ended>>,
    meter: Mutex<Option<Arc<Meter>>>,
    pub(super) opened: Mutex<Option<Opened>>,
    /// A question failed by what the mirror's files hold.
    pub(super) suspected: AtomicBool,
    /// It was cloned anew though its files were as they had been written; see
    /// [`RENEWED_FOR`](super::health::RENEWED_FOR).
    pub(super) renewed: AtomicBool,
    generation: AtomicU64,
}

/// A fetch that is over.
struct Ended {
    number: u64,
    url: String,
    result: Result<Synced, MirrorError>,
}

impl Slot {
    pub(super) fn progress(&self) -> Option<Progress> {
        self.meter.lock().unwrap_or_else(PoisonError::into_inner).as_ref()?.read()
    }

    /// Has the clone or fetch that runs end as soon as it can.
    pub(super) fn call_off(&self) {
        if let Some(meter) = self.meter.lock().unwrap_or_else(PoisonError::into_inner).as_ref() {
            meter.call_off();
        }
    }

    pub(super) fn next_generation(&self) -> u64 {
        self.generation.fetch_add(1, Ordering::Relaxed)
    }
}

impl Mirrors {
    /// Clones the repository if there is no mirror of it, else fetches. One at a time for each
    /// repository: who comes while one is under way waits, and all who waited share the next one's
    /// result.
    ///
    /// # Errors
    /// See [`MirrorError`]; the mirror is as before, or as if the fetch had been done.
    pub fn sync(&self, source: &Source) -> Result<Synced, MirrorError> {
        let address = Address::parse(source)?;
        if let Some(lack) = source.shortfall() {
            return Err(lack);
        }
        let slot = self.inner.slot(source.id);
        let begun_before = slot.begun.load(Ordering::SeqCst);
        let mut last = slot.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(ended) = last.as_ref().filter(|ended| ended.number > begun_before && ended.url == address.text) {
            // Refused credentials may have been the other caller's only.
            if !matches!(ended.result, Err(MirrorError::Unauthorized { .. })) {
                return ended.result.clone();
            }
        }
        let number = slot.begun.fetch_add(1, Ordering::SeqCst) + 1;
        let result = self.inner.with_meter(&slot, |meter| self.inner.clone_or_fetch(source.id, &address, meter));
        *last = Some(Ended { number, url: address.text, result: result.clone() });
        result
    }

    /// Fetches one commit that no branch or tag reaches (a deployed one that a forced push removed)
    /// and keeps it from then on. `false`: the source does not have it.
    ///
    /// # Errors
    /// See [`MirrorError`]; also where such commits take more than a mirror has room for.
    pub fn fetch_commit(&self, source: &Source, commit: &CommitId) -> Result<bool, MirrorError> {
        let Ok(id) = gix::ObjectId::from_hex(commit.as_str().as_bytes()) else { return Ok(false) };
        if self.ask(source.id, |repo| Ok(repo.find_commit(id).is_ok()))? {
            return Ok(true);
        }
        let address = Address::parse(source)?;
        let slot = self.inner.slot(source.id);
        let _one_at_a_time = slot.last.lock().unwrap_or_else(PoisonError::into_inner);
        self.inner.with_meter(&slot, |meter| {
            let _busy = self.inner.directory.lock(source.id, meter.called_off())?;
            let path = self.inner.directory.mirror(source.id);
            // What is not as it was written is not noted as if it were: the next fetch looks at it.
            let is_noted = look(&path) == Look::Same;
            let repo = open(&path, Largest::Received)?.to_thread_local();
            wanted::settle(&repo, &path)?;
            // A fetch that was under way may have brought it, with a branch.
            if repo.find_commit(id).is_ok() {
                return Ok(true);
            }
            meter.receive_at_most(unreached::left(&path, &address.shown)?);
            wanted::note(&path, id)?;
            let fetched = Fetch { address: &address, meter }.commit(&repo, id);
            unreached::note(&path, meter.received())?;
            wanted::settle(&repo, &path)?;
            let fetched = fetched?;
            if is_noted {
                note_packs(&path)?;
            }
            Ok(fetched)
        })
    }

    /// The default branch as last fetched; `None` for a repository without commits.
    ///
    /// # Errors
    /// [`MirrorError::NoMirror`], [`MirrorError::Git`].
    pub fn head(&self, id: RepositoryId) -> Result<Option<Head>, MirrorError> {
        self.ask(id, head)
    }

    /// Deletes a mirror, if there is one, unless somebody fetches it: that is called off. Whether
    /// it is gone.
    ///
    /// # Errors
    /// [`MirrorError::Disk`].
    pub fn remove(&self, id: RepositoryId) -> Result<bool, MirrorError> {
        let slot = self.inner.slot(id);
        let mut last = match slot.last.try_lock() {
            Ok(last) => last,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => {
                slot.call_off();
                return Ok(false);
            }
        };
        let Some(_busy) = self.inner.directory.try_lock(id)? else { return Ok(false) };
        self.inner.forget_handles(id);
        *last = None;
        self.inner.directory.discard(id)?;
        Ok(true)
    }
}

impl Inner {
    /// What is known of a repository's mirror.
    pub(super) fn slot(&self, id: RepositoryId) -> Arc<Slot> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(slots.entry(id).or_default())
    }

    fn with_meter<T>(
        &self,
        slot: &Slot,
        work: impl FnOnce(&Arc<Meter>) -> Result<T, MirrorError>,
    ) -> Result<T, MirrorError> {
        let meter = Arc::new(Meter::default());
        *slot.meter.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&meter));
        // Asked after it can be called off: whoever stops all either sees it or is seen here.
        let result = if self.stop.load(Ordering::SeqCst) { Err(MirrorError::Interrupted) } else { work(&meter) };
        *slot.meter.lock().unwrap_or_else(PoisonError::into_inner) = None;
        result
    }

    fn clone_or_fetch(&self, id: RepositoryId, address: &Address, meter: &Arc<Meter>) -> Result<Synced, MirrorError> {
        let _busy = self.directory.lock(id, meter.called_off())?;
        let path = self.directory.mirror(id);
        let fetch = Fetch { address, meter };
        let standing = self.standing(id, &path)?;
        let (cloned, lacks) = (!matches!(standing, Standing::Whole(_)), matches!(standing, Standing::Lacking));
        let changed = match standing {
            Standing::Whole(repo) => {
                let repo = repo.to_thread_local();
                // Before a branch brings the same.
                wanted::settle(&repo, &path)?;
                match fetch.everything(&repo, false) {
                    Ok(Fetched::NotFrom(why)) => {
                        tracing::warn!(
                            mirror = %path.display(),
                            why,
                            "a commit in the mirror can't be read: cloning anew, as no fetch can begin from it"
                        );
                        self.clone_into_place(id, &fetch).map(|()| true)
                    }
                    fetched => {
                        if let Err(error) = consolidate(&repo, meter.called_off()) {
                            // The fetch itself is done and the packs are as they were: the next
                            // fetch tries again.
                            tracing::warn!(%error, "packs were not joined");
                        }
                        fetched.map(|fetched| matches!(fetched, Fetched::Done(true)))
                    }
                }
            }
            Standing::Damaged | Standing::Lacking => self.clone_into_place(id, &fetch).map(|()| true),
        };
        // Also after a failure: the pack may have arrived before it.
        self.forget_handles(id);
        // What is damaged is no less so after a clone that failed.
        if path.exists() && (!cloned || changed.is_ok()) {
            note_packs(&path)?;
        }
        let changed = changed?;
        if changed {
            self.changed_paths.catch_up(id, &self.directory);
        }
        if lacks {
            self.slot(id).renewed.store(true, Ordering::SeqCst);
        }
        let repo = open(&path, Largest::Received)?.to_thread_local();
        Ok(Synced { head: head(&repo)?, changed, cloned })
    }

    /// Clones beside the mirror's place, then moves it there: whoever reads finds a whole mirror or
    /// none. One that is damaged stays until then, as most of it can mostly be read.
    fn clone_into_place(&self, id: RepositoryId, fetch: &Fetch<'_>) -> Result<(), MirrorError> {
        let temporary = self.directory.temporary(id);
        let cloned = gix::ThreadSafeRepository::init_opts(
            &temporary,
            gix::create::Kind::Bare,
            gix::create::Options::default(),
            open_options(Largest::Received),
        )
        .map_err(|error| MirrorError::git(format!("creating {}", temporary.display()), &error))
        .and_then(|repo| fetch.everything(&repo.to_thread_local(), true))
        .and_then(|_| self.directory.replace(id, &temporary))
        .inspect(|()| self.slot(id).suspected.store(false, Ordering::SeqCst));
        if cloned.is_err() {
            // The next start deletes it otherwise.
            let _ = std::fs::remove_dir_all(&temporary);
        }
        cloned
    }
}
