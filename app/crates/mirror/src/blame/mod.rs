//! Who wrote a line: a question to git's history.

mod credits;
mod effort;
mod guess;
mod history;
mod ignored;
mod layout;
mod reformat;
mod renames;
mod text;
mod touches;
mod walker;

pub use ignored::Ignored;
pub(super) use touches::Touches;
pub use walker::Walker;

use super::Mirrors;
use super::error::MirrorError;
use domain::blame::Blame;
use domain::ids::RepositoryId;
use std::ops::RangeInclusive;
use std::path::Path;

/// Opens a repository that is no mirror of ours, with the memory for objects that a walk wants.
///
/// # Errors
/// [`MirrorError::Git`].
pub fn open(directory: &Path) -> Result<gix::Repository, MirrorError> {
    let mut repo = super::handles::open(directory)?.to_thread_local();
    repo.object_cache_size_if_unset(super::handles::OBJECT_CACHE);
    Ok(repo)
}

impl Mirrors {
    /// The commit that wrote a line of a file as it stands at `commit`, following renames and passing over commits that are
    /// listed in `.git-blame-ignore-revs` or only reformat. `line` counts from 1. `None`: there is no such commit, regular
    /// file or line, the file is too large, or its history is ([`Walker::line`]).
    ///
    /// # Errors
    /// [`MirrorError::NoMirror`], [`MirrorError::Git`], [`MirrorError::Interrupted`].
    pub fn blame(&self, id: RepositoryId, commit: &str, path: &str, line: u32) -> Result<Option<Blame>, MirrorError> {
        Ok(self.blame_lines(id, commit, path, line..=line)?.pop().flatten())
    }

    /// The same for several lines of a file, a function's say: an answer for each, in order, quicker than one by one.
    ///
    /// # Errors
    /// [`MirrorError::NoMirror`], [`MirrorError::Git`], [`MirrorError::Interrupted`].
    pub fn blame_lines(
        &self,
        id: RepositoryId,
        commit: &str,
        path: &str,
        lines: RangeInclusive<u32>,
    ) -> Result<Vec<Option<Blame>>, MirrorError> {
        self.ask(id, |repo| {
            let known = self.inner.touches.get(&id);
            let touches = known.unwrap_or_else(|| self.inner.touches.put(id, 1, Touches::default()));
            Walker::with(repo, Ignored::of_head(repo)?, Some(&self.inner.stop), touches).lines(commit, path, lines)
        })
    }
}
