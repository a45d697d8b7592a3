//! Commits that are asked for by their ids, noted before anything of them arrives: gix puts what
//! was received in its place first, and only then the ref that says by which id it came. Who asks
//! between the two, or after a process that ended there, must not take them for a branch's.

use super::error::MirrorError;
use super::fetch::PINNED;
use gix::refs::transaction::PreviousValue;
use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

/// In a mirror's directory: an id for each line.
const NOTE: &str = "flawless-wanted";

/// What is noted; to be asked before the refs are, as a note is dropped once its ref is there.
pub(super) fn noted(path: &Path) -> Vec<gix::ObjectId> {
    let noted = fs::read_to_string(path.join(NOTE)).unwrap_or_default();
    noted.lines().filter_map(|id| gix::ObjectId::from_hex(id.as_bytes()).ok()).collect()
}

/// Notes a commit that is about to be asked for, so that it outlives the process.
///
/// # Errors
/// [`MirrorError::Disk`].
pub(super) fn note(path: &Path, id: gix::ObjectId) -> Result<(), MirrorError> {
    let file = path.join(NOTE);
    let written = fs::File::options().create(true).append(true).open(&file);
    written
        .and_then(|mut note| note.write_all(format!("{id}\n").as_bytes()).and_then(|()| note.sync_all()))
        .map_err(|error| MirrorError::disk(format!("writing {}", file.display()), &error))
}

/// Gives each commit that was noted and is here its ref, and drops the notes. Whoever holds the
/// mirror's lock may do so; what it finds was left by a process that ended, or is its own.
///
/// # Errors
/// [`MirrorError::Disk`], [`MirrorError::Git`]: the notes stay.
pub(super) fn settle(repo: &gix::Repository, path: &Path) -> Result<(), MirrorError> {
    let failed = |error: gix::Error| MirrorError::git("noting which commits came by their ids", &error);
    for id in noted(path).into_iter().filter(|id| repo.has_object(*id)) {
        let name = format!("{PINNED}{id}");
        if repo.try_find_reference(&name).map_err(failed)?.is_none() {
            repo.reference(name, id, PreviousValue::Any, "asked for by its id").map_err(failed)?;
        }
    }
    let file = path.join(NOTE);
    match fs::remove_file(&file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(MirrorError::disk(format!("deleting {}", file.display()), &error))
        }
        _ => Ok(()),
    }
}
