//! Which paths the commits of each mirror changed, kept in a file beside it: what a process needs
//! to blame its first line as quickly as the next.
//!
//! The file is true whatever becomes of branches, since a commit is its content, and it is looked
//! at by nobody else: where it is missing, damaged or of another version, it is made anew behind
//! everybody's back.

use super::directory::Directory;
use super::handles::open;
use super::largest::Largest;
use super::packs::refuse_damaged;
use super::recent::Recent;
use super::tips;
use blame::ChangedPaths;
use domain::ids::RepositoryId;
use std::collections::VecDeque;
use std::fs::{self, File, TryLockError};
use std::io::{self, Read as _};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// In a mirror's directory: the file.
const FILE: &str = "flawless-changed-paths";

/// Repositories of which it is kept in memory: up to 16 MB each.
const REMEMBERED: NonZeroUsize = NonZeroUsize::new(8).unwrap();

/// So many commits more than the file has are worth writing it anew: looking at fewer takes some 20
/// ms, and a push brings a few.
const WORTH_WRITING: usize = 200;

/// Bytes of decoded objects that are kept while commits are looked at: more are no quicker, as each
/// tree is compared with the one before it.
const OBJECTS: usize = 8 << 20;

/// Rest after some commits, which take about as long: whoever asks something goes first.
const REST: Duration = Duration::from_millis(5);

/// What is known of each mirror, and the thread that brings it up to date while there is something
/// to do.
pub(super) struct PathMemories {
    shared: Arc<Shared>,
}

struct Shared {
    memories: Recent<RepositoryId, ChangedPaths>,
    stop: AtomicBool,
    queue: Mutex<Queue>,
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<(RepositoryId, PathBuf)>,
    is_running: bool,
}

impl PathMemories {
    pub(super) fn new() -> Self {
        let (memories, stop) = (Recent::new(REMEMBERED), AtomicBool::new(false));
        Self { shared: Arc::new(Shared { memories, stop, queue: Mutex::default() }) }
    }

    /// What is known of a mirror, from its file where it was not asked for yet.
    pub(super) fn of(&self, id: RepositoryId, directory: &Directory) -> Arc<ChangedPaths> {
        if let Some(known) = self.shared.memories.get(&id) {
            return known;
        }
        let path = directory.mirror(id);
        let made = self
            .shared
            .memories
            .get_or_make(id, || Ok::<_, std::convert::Infallible>((0, read(&path).unwrap_or_default())));
        let Ok(memory) = made;
        // Its last commits may not be in the file, or none.
        self.catch_up(id, directory);
        memory
    }

    /// Has a mirror's commits looked at that are not known yet, by and by. What is not ours is not
    /// written to.
    pub(super) fn catch_up(&self, id: RepositoryId, directory: &Directory) {
        if directory.is_borrowed(id) || self.shared.stop.load(Ordering::Relaxed) {
            return;
        }
        let mut queue = self.shared.queue();
        if queue.waiting.iter().any(|(waiting, _)| *waiting == id) {
            return;
        }
        queue.waiting.push_back((id, directory.mirror(id)));
        if queue.is_running {
            return;
        }
        let shared = Arc::clone(&self.shared);
        let thread = std::thread::Builder::new().name("changed-paths".to_owned());
        match thread.spawn(move || shared.work()) {
            Ok(_) => queue.is_running = true,
            Err(error) => {
                // Walks look for themselves, and the next fetch tries again.
                queue.waiting.clear();
                tracing::warn!(%error, "no thread to look at which paths commits changed");
            }
        }
    }

    /// Ends what is under way, for good.
    pub(super) fn stop(&self) {
        self.shared.stop.store(true, Ordering::Relaxed);
    }
}

impl Drop for PathMemories {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks at one mirror after the other.
    fn work(&self) {
        loop {
            let (id, path) = {
                let mut queue = self.queue();
                match queue.waiting.pop_front().filter(|_| !self.stop.load(Ordering::Relaxed)) {
                    Some(next) => next,
                    None => {
                        queue.is_running = false;
                        return;
                    }
                }
            };
            let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| self.bring_up_to_date(id, &path)));
            match caught {
                Ok(Ok(())) => {}
                // The mirror may be on its way elsewhere: whoever asks it something says what is
                // wrong.
                Ok(Err(why)) => tracing::debug!(mirror = %path.display(), why, "no index of changed paths"),
                Err(_) => tracing::warn!(mirror = %path.display(), "looking at which paths commits changed panicked"),
            }
        }
    }

    /// Looks at the commits of a mirror that are not known yet, and writes the file if that is
    /// worth it.
    fn bring_up_to_date(&self, id: RepositoryId, path: &Path) -> Result<(), String> {
        let said = |error: &dyn std::error::Error| error.to_string();
        let busy = File::options().create(true).truncate(false).write(true).open(path.join(format!("{FILE}.busy")));
        let busy = busy.map_err(|error| said(&error))?;
        // Another process looks at the same; without locks the file is whole all the same.
        if matches!(busy.try_lock(), Err(TryLockError::WouldBlock)) {
            return Ok(());
        }
        let memory = self.memories.get(&id).unwrap_or_default();
        let mut written = announced(path);
        if written.is_some_and(|written| written > memory.commits()) {
            match read(path) {
                Some(read) => memory.adopt(&read),
                None => written = None,
            }
        }
        let looked = refuse_damaged(path)
            .and_then(|()| open(path, Largest::Read))
            .map_err(|error| said(&error))
            .and_then(|repo| {
                let mut repo = repo.to_thread_local();
                repo.object_cache_size_if_unset(OBJECTS);
                let tips = tips::named(&repo).map_err(|error| said(&error))?;
                let mut go_on = || {
                    std::thread::sleep(REST);
                    !self.stop.load(Ordering::Relaxed) && refuse_damaged(path).is_ok()
                };
                memory.catch_up(&repo, tips, &mut go_on).map_err(|error| said(&error))
            });
        let commits = memory.commits();
        // Fewer than the file has: it was cut.
        let is_worth_it = written.map_or(commits > 0, |written| commits.abs_diff(written) >= WORTH_WRITING);
        if is_worth_it {
            write(path, &memory.to_bytes()).map_err(|error| said(&error))?;
        }
        looked.map(|_| ())
    }
}

/// What the file of a mirror says; `None`: there is none, or it is damaged or of another version.
fn read(path: &Path) -> Option<ChangedPaths> {
    let mut bytes = Vec::new();
    let most = ChangedPaths::MOST_BYTES as u64 + 1;
    File::open(path.join(FILE)).and_then(|file| file.take(most).read_to_end(&mut bytes)).ok()?;
    ChangedPaths::from_bytes(&bytes)
}

/// How many commits the file of a mirror begins by saying that it has.
fn announced(path: &Path) -> Option<usize> {
    let mut beginning = [0; ChangedPaths::BEGINNING];
    File::open(path.join(FILE)).and_then(|mut file| file.read_exact(&mut beginning)).ok()?;
    ChangedPaths::announced(&beginning)
}

/// Puts a file in the place of the one that is there: whoever reads finds one of the two, whole.
/// What a process that was killed left of one, the next start deletes.
fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let new = path.join(format!("{FILE}.{}.lock", std::process::id()));
    fs::write(&new, bytes).and_then(|()| fs::rename(&new, path.join(FILE))).inspect_err(|_| drop(fs::remove_file(&new)))
}

#[cfg(test)]
mod tests;
