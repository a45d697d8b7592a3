//! Open repositories: shared per mirror, and warm handles on them that keep their object cache.

use super::connection::open_options;
use super::error::MirrorError;
use super::largest::Largest;
use super::packs::refuse_damaged;
use super::{Inner, Mirrors};
use blame::OBJECT_CACHE;
use domain::ids::RepositoryId;
use std::path::Path;
use std::sync::PoisonError;
use std::time::SystemTime;

/// Warm handles kept in all, so that their caches of [`OBJECT_CACHE`] bytes together stay below 128
/// MB.
const WARM: usize = 2;

/// An open store, with what tells whether the directory was replaced under it by another process.
pub(super) struct Opened {
    repo: gix::ThreadSafeRepository,
    stamp: Option<(SystemTime, u64)>,
    generation: u64,
}

/// A handle that waits for its next question.
pub(super) struct Idle {
    id: RepositoryId,
    generation: u64,
    repo: gix::Repository,
}

impl Mirrors {
    /// Asks a mirror something, with a warm handle if there is one.
    ///
    /// # Errors
    /// [`MirrorError::NoMirror`], [`MirrorError::Git`], and what `question` returns.
    pub(super) fn ask<T>(
        &self,
        id: RepositoryId,
        question: impl FnOnce(&gix::Repository) -> Result<T, MirrorError>,
    ) -> Result<T, MirrorError> {
        let mut watch = Watch { mirrors: &self.inner, id, went_well: false };
        let asked = self.inner.handle(id).and_then(|(generation, repo)| {
            let answer = question(&repo);
            self.inner.give_back(Idle { id, generation, repo });
            answer
        });
        watch.went_well = !matches!(asked, Err(MirrorError::Git { .. }));
        asked
    }
}

/// Suspects a mirror whose reading failed, or ended in a panic.
struct Watch<'a> {
    mirrors: &'a Inner,
    id: RepositoryId,
    went_well: bool,
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        if !self.went_well {
            self.mirrors.suspect(self.id);
        }
    }
}

impl Inner {
    fn handle(&self, id: RepositoryId) -> Result<(u64, gix::Repository), MirrorError> {
        let slot = self.slot(id);
        let path = self.directory.mirror(id);
        let stamp = stamp(&path);
        if stamp.is_none() {
            return Err(MirrorError::NoMirror(id));
        }
        refuse_damaged(&path).inspect_err(|_| self.forget_handles(id))?;
        let mut opened = slot.opened.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(open) = opened.as_ref().filter(|open| open.stamp == stamp) {
            let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
            let warm = idle.iter().position(|idle| idle.id == id && idle.generation == open.generation);
            if let Some(warm) = warm {
                let warm = idle.remove(warm);
                return Ok((warm.generation, warm.repo));
            }
        } else {
            let generation = slot.next_generation();
            *opened = Some(Opened { repo: open(&path, Largest::Read)?, stamp, generation });
        }
        let Some(open) = opened.as_ref() else { return Err(MirrorError::NoMirror(id)) };
        let mut repo = open.repo.to_thread_local();
        repo.object_cache_size_if_unset(OBJECT_CACHE);
        Ok((open.generation, repo))
    }

    fn give_back(&self, handle: Idle) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.push(handle);
        if idle.len() > WARM {
            idle.remove(0);
        }
    }

    /// Makes the next question open the store anew: after a fetch, because a store that grows pack
    /// by pack breaks.
    pub(super) fn forget_handles(&self, id: RepositoryId) {
        *self.slot(id).opened.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).retain(|idle| idle.id != id);
    }
}

/// Opens a mirror, to be asked something or to be fetched into.
pub(super) fn open(path: &Path, largest: Largest) -> Result<gix::ThreadSafeRepository, MirrorError> {
    gix::ThreadSafeRepository::open_opts(path, open_options(largest))
        .map_err(|error| MirrorError::git(format!("opening the mirror {}", path.display()), &error))
}

/// Time and size of the mirror's configuration file, which is written once, when it is cloned. A
/// repository that is not ours may have none.
fn stamp(path: &Path) -> Option<(SystemTime, u64)> {
    let file = std::fs::metadata(path.join("config")).or_else(|_| std::fs::metadata(path.join("HEAD"))).ok()?;
    Some((file.modified().ok()?, file.len()))
}
