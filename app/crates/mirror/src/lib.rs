//! Local mirrors of the watched repositories, by gix.
//!
//! Everything here blocks: callers wrap it in `spawn_blocking`. No `git` program is needed, except
//! for repositories on this machine (a path or `file://` URL), which gix reads through
//! `git upload-pack`, and `ssh` for ssh URLs. The process must have a rustls crypto provider
//! installed before the first clone over http(s).

mod attributes;
mod changed_paths;
mod checkout;
mod clone_source;
mod commit_walk;
mod connection;
mod consolidate;
mod directory;
mod error;
mod fetch;
mod handles;
mod head;
mod health;
mod largest;
mod last_sync;
mod line_blame;
mod line_history;
mod line_since;
mod lines;
mod package_folders;
mod packs;
mod paths;
mod patience;
mod people;
mod progress;
mod read;
mod real_address;
mod recent;
mod revision;
mod search;
pub mod settings;
mod settings_shape;
mod settings_tree;
mod settings_words;
mod source_text;
mod storage;
mod stray;
mod sync;
mod tips;
mod transport;
mod tree_links;
mod unreached;
mod wanted;
mod web;

pub use checkout::{Checkout, checkout_around};
pub use clone_source::Source;
pub use error::MirrorError;
pub use head::Head;
pub use last_sync::LastSync;
pub use line_since::{Change, LineSince};
pub use paths::{Candidate, PathStanding, Search};
pub use people::{Active, Provenance};
pub use progress::Progress;
pub use read::{CommitInfo, HeadFile};
pub use revision::full_id;
pub use storage::Storage;
pub use sync::Synced;

use changed_paths::PathMemories;
use directory::Directory;
use domain::blame::Blame;
use domain::ids::RepositoryId;
use handles::Idle;
use line_blame::Question;
use lines::TextKey;
use paths::TreeIndex;
use recent::Recent;
use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use sync::Slot;

/// Texts of files that are kept, in bytes in all: frames of one traceback mostly share their files
/// with the next.
const TEXTS: NonZeroUsize = NonZeroUsize::new(32 << 20).unwrap();

/// Paths of trees that are kept, in paths in all: about 100 bytes each.
const TREE_PATHS: NonZeroUsize = NonZeroUsize::new(500_000).unwrap();

/// Answers about lines that are kept, in bytes in all: an answer has some hundred.
const ANSWERS: NonZeroUsize = NonZeroUsize::new(2 << 20).unwrap();

/// All mirrors. Cheap to clone; every clone is the same mirrors.
#[derive(Clone)]
pub struct Mirrors {
    inner: Arc<Inner>,
}

struct Inner {
    directory: Directory,
    slots: Mutex<HashMap<RepositoryId, Arc<Slot>>>,
    idle: Mutex<Vec<Idle>>,
    /// Set once, when the server shuts down.
    stop: AtomicBool,
    /// By blob id, so a file that did not change between two commits is there once, and how its
    /// bytes were read.
    texts: Recent<TextKey, Vec<String>>,
    /// Which paths the commits of each mirror changed.
    changed_paths: PathMemories,
    /// What was answered about lines.
    answers: Recent<Question, Vec<Blame>>,
    /// By root tree id.
    trees: Recent<gix::ObjectId, TreeIndex>,
    /// Who was there in the last year.
    years: people::Years,
}

impl Mirrors {
    /// The mirrors under `root`, which is created if need be. What an interrupted run left there is
    /// deleted, unless another process has the directory open too.
    ///
    /// # Errors
    /// [`MirrorError::Disk`].
    pub fn open(root: PathBuf) -> Result<Self, MirrorError> {
        let inner = Inner {
            directory: Directory::open(root)?,
            slots: Mutex::default(),
            idle: Mutex::default(),
            stop: AtomicBool::new(false),
            texts: Recent::new(TEXTS),
            changed_paths: PathMemories::new(),
            answers: Recent::new(ANSWERS),
            trees: Recent::new(TREE_PATHS),
            years: Recent::new(people::REMEMBERED),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Has a git directory that is not ours read in the place of a mirror: `flawless blame` in a
    /// checkout, `cargo run -p evaluate`. It is never written to, as nothing of these commands
    /// fetches.
    pub fn borrow(&self, id: RepositoryId, git_directory: PathBuf) {
        self.inner.directory.borrow(id, git_directory);
    }

    /// Whether there is a mirror to ask. A clone under way does not count.
    pub fn exists(&self, id: RepositoryId) -> bool {
        self.inner.directory.mirror(id).join("HEAD").is_file()
    }

    /// The mirrors that are on the disk, in order.
    ///
    /// # Errors
    /// [`MirrorError::Disk`].
    pub fn ids(&self) -> Result<Vec<RepositoryId>, MirrorError> {
        self.inner.directory.ids()
    }

    /// Writes a file beside the mirrors and takes it away again: whether anything can be written
    /// there.
    ///
    /// # Errors
    /// [`MirrorError::Disk`].
    pub fn try_to_write(&self) -> Result<(), MirrorError> {
        self.inner.directory.try_to_write()
    }

    /// How far a running clone or fetch of this repository has come; `None` while there is none.
    pub fn progress(&self, id: RepositoryId) -> Option<Progress> {
        self.inner.slots.lock().unwrap_or_else(PoisonError::into_inner).get(&id)?.progress()
    }

    /// Has the clone or fetch of a repository that runs, if there is one, end as soon as it can:
    /// for who does not wait for it any more.
    pub fn call_off(&self, id: RepositoryId) {
        self.inner.slot(id).call_off();
    }

    /// Stops all that runs and refuses all clones and fetches from now on: for a shutdown. A
    /// transfer ends within some 30 ms, one by git or ssh within 250 ms; one over http whose server
    /// has stalled only when its time is up (60 seconds), so the caller should not wait for ever.
    pub fn interrupt(&self) {
        self.inner.stop.store(true, Ordering::SeqCst);
        self.inner.changed_paths.stop();
        self.inner.slots.lock().unwrap_or_else(PoisonError::into_inner).values().for_each(|slot| slot.call_off());
    }
}
