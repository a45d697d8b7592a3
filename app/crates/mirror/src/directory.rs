//! The mirrors' directory on disk: names, locks between processes, and what an interrupted run left
//! behind.

use super::error::MirrorError;
use domain::ids::RepositoryId;
use std::collections::HashMap;
use std::fs::{self, File, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// In the names of directories that are not (or no longer) mirrors.
const TEMPORARY: &str = ".tmp-";

/// Written to see whether anything can be: an empty file would fit on a full disk.
const TRIAL: [u8; 4096] = [0; 4096];

/// How long to wait before looking again whether another process is done with a mirror.
const LOCK_POLL: Duration = Duration::from_millis(50);

/// The directory that holds all mirrors.
pub(super) struct Directory {
    root: PathBuf,
    temporaries: AtomicU64,
    /// Repositories that stand elsewhere and are only read.
    borrowed: Mutex<HashMap<RepositoryId, PathBuf>>,
    /// Held, shared, for as long as this process may write here: see [`Directory::open`].
    _presence: File,
}

impl Directory {
    /// Creates the directory if there is none. Deletes what a killed process left, unless another
    /// process is at work here (`flawless check` beside the server): then it might be that one's.
    ///
    /// # Errors
    /// [`MirrorError::Disk`].
    pub(super) fn open(root: PathBuf) -> Result<Self, MirrorError> {
        let failed =
            |error: io::Error| MirrorError::disk(format!("opening the mirrors' directory {}", root.display()), &error);
        fs::create_dir_all(&root).map_err(failed)?;
        let presence = lock_file(&root.join(".presence")).map_err(failed)?;
        match presence.try_lock() {
            Err(TryLockError::WouldBlock) => {}
            // Some network file systems have no locks; then one process is assumed.
            Ok(()) | Err(TryLockError::Error(_)) => sweep(&root).map_err(failed)?,
        }
        // Downgrading a held lock is not atomic everywhere, so it is given back first. Nothing of
        // ours is here yet.
        let _ = presence.unlock();
        let _ = presence.lock_shared();
        Ok(Self { root, temporaries: AtomicU64::new(0), borrowed: Mutex::default(), _presence: presence })
    }

    /// Where a repository's mirror is.
    pub(super) fn mirror(&self, id: RepositoryId) -> PathBuf {
        let borrowed = self.borrowed.lock().unwrap_or_else(PoisonError::into_inner);
        borrowed.get(&id).cloned().unwrap_or_else(|| self.root.join(format!("{id}.git")))
    }

    /// The mirrors that are here, in order.
    ///
    /// # Errors
    /// [`MirrorError::Disk`].
    pub(super) fn ids(&self) -> Result<Vec<RepositoryId>, MirrorError> {
        let failed = |error: io::Error| {
            MirrorError::disk(format!("reading the mirrors' directory {}", self.root.display()), &error)
        };
        let mut ids = Vec::new();
        for entry in fs::read_dir(&self.root).map_err(failed)? {
            let name = entry.map_err(failed)?.file_name();
            let id = name.to_str().and_then(|name| name.strip_suffix(".git")).and_then(|id| id.parse().ok());
            ids.extend(id.map(RepositoryId));
        }
        ids.sort_unstable();
        Ok(ids)
    }

    /// Writes a file here and takes it away again.
    ///
    /// # Errors
    /// [`MirrorError::Disk`].
    pub(super) fn try_to_write(&self) -> Result<(), MirrorError> {
        let path = self.root.join(format!(".trial-{}", std::process::id()));
        let written = File::create(&path).and_then(|mut file| file.write_all(&TRIAL).and_then(|()| file.sync_all()));
        // It may be there, and hold a part.
        let deleted = fs::remove_file(&path);
        written.and(deleted).map_err(|error| MirrorError::disk(format!("writing to {}", self.root.display()), &error))
    }

    /// Has a repository read where it stands.
    pub(super) fn borrow(&self, id: RepositoryId, path: PathBuf) {
        self.borrowed.lock().unwrap_or_else(PoisonError::into_inner).insert(id, path);
    }

    /// Whether a repository is only read.
    pub(super) fn is_borrowed(&self, id: RepositoryId) -> bool {
        self.borrowed.lock().unwrap_or_else(PoisonError::into_inner).contains_key(&id)
    }

    /// A new name beside the mirrors, which the next start deletes if we don't.
    pub(super) fn temporary(&self, id: RepositoryId) -> PathBuf {
        let number = self.temporaries.fetch_add(1, Ordering::Relaxed);
        self.root.join(format!("{id}.git{TEMPORARY}{}-{number}", std::process::id()))
    }

    /// Waits until no other process writes this mirror; the lock ends when the file is dropped.
    ///
    /// # Errors
    /// [`MirrorError::Disk`], [`MirrorError::Interrupted`].
    pub(super) fn lock(&self, id: RepositoryId, stop: &AtomicBool) -> Result<File, MirrorError> {
        let path = self.root.join(format!("{id}.busy"));
        let file =
            lock_file(&path).map_err(|error| MirrorError::disk(format!("locking {}", path.display()), &error))?;
        while let Err(TryLockError::WouldBlock) = file.try_lock() {
            if stop.load(Ordering::Relaxed) {
                return Err(MirrorError::Interrupted);
            }
            std::thread::sleep(LOCK_POLL);
        }
        Ok(file)
    }

    /// The same lock, if nobody holds it.
    ///
    /// # Errors
    /// [`MirrorError::Disk`].
    pub(super) fn try_lock(&self, id: RepositoryId) -> Result<Option<File>, MirrorError> {
        let path = self.root.join(format!("{id}.busy"));
        let file =
            lock_file(&path).map_err(|error| MirrorError::disk(format!("locking {}", path.display()), &error))?;
        let is_held = matches!(file.try_lock(), Err(TryLockError::WouldBlock));
        Ok((!is_held).then_some(file))
    }

    /// Puts a clone in the place of a mirror, if there is one, and then takes that away.
    ///
    /// # Errors
    /// [`MirrorError::Disk`]: the mirror is as it was.
    pub(super) fn replace(&self, id: RepositoryId, clone: &Path) -> Result<(), MirrorError> {
        let (path, grave) = (self.mirror(id), self.temporary(id));
        let failed = |error: io::Error| MirrorError::disk(format!("moving a clone to {}", path.display()), &error);
        let had_one = match fs::rename(&path, &grave) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => false,
            moved => moved.map(|()| true).map_err(failed)?,
        };
        if let Err(error) = fs::rename(clone, &path) {
            let _ = fs::rename(&grave, &path);
            return Err(failed(error));
        }
        if had_one && let Err(error) = fs::remove_dir_all(&grave) {
            tracing::warn!(path = %grave.display(), %error, "what was there before a clone could not be deleted");
        }
        Ok(())
    }

    /// Takes a mirror away: it is out of the way at once, however long deleting takes.
    ///
    /// # Errors
    /// [`MirrorError::Disk`].
    pub(super) fn discard(&self, id: RepositoryId) -> Result<(), MirrorError> {
        let (path, grave) = (self.mirror(id), self.temporary(id));
        match fs::rename(&path, &grave) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            moved => moved.and_then(|()| fs::remove_dir_all(&grave)),
        }
        .map_err(|error| MirrorError::disk(format!("deleting the mirror {}", path.display()), &error))
    }
}

fn lock_file(path: &Path) -> io::Result<File> {
    File::options().create(true).truncate(false).write(true).open(path)
}

/// Deletes half-made clones, half-received packs and locks whose holder is gone: git refuses to
/// clone into a directory that is not empty, and a stale lock makes every fetch fail. What can't be
/// deleted stays, as it concerns one mirror and not the others.
fn sweep(root: &Path) -> io::Result<()> {
    for entry in fs::read_dir(root)? {
        let path = entry?.path();
        if path.is_dir()
            && let Err(error) = sweep_one(&path)
        {
            tracing::warn!(path = %path.display(), %error, "what an interrupted run left could not be deleted");
        }
    }
    Ok(())
}

fn sweep_one(path: &Path) -> io::Result<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    if name.contains(TEMPORARY) {
        tracing::info!(path = %path.display(), "deleting what an interrupted clone left");
        fs::remove_dir_all(path)?;
    } else if name.ends_with(".git") {
        delete_files(&path.join("objects/pack"), false, &|name| name.starts_with(".tmp"))?;
        delete_files(&path.join("refs"), true, &|name| name.ends_with(".lock"))?;
        delete_files(path, false, &|name| name.ends_with(".lock"))?;
    }
    Ok(())
}

fn delete_files(directory: &Path, nested: bool, which: &dyn Fn(&str) -> bool) -> io::Result<()> {
    let entries = match fs::read_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            if nested {
                delete_files(&entry.path(), true, which)?;
            }
        } else if which(&entry.file_name().to_string_lossy()) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}
