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
mod walker;

pub use ignored::Ignored;
pub use walker::Walker;

use super::Mirrors;
use super::error::MirrorError;
use crate::domain::blame::Blame;
use crate::domain::ids::RepositoryId;
use std::collections::BTreeMap;
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
        self.ask(id, |repo| {
            Walker::stopped_by(repo, Ignored::of_head(repo)?, Some(&self.inner.stop)).line(commit, path, line)
        })
    }

    /// The same for several lines of a file, by their numbers; those that git can't tell are left out.
    ///
    /// # Errors
    /// As [`Self::blame`].
    pub fn blame_lines(
        &self,
        id: RepositoryId,
        commit: &str,
        path: &str,
        lines: RangeInclusive<u32>,
    ) -> Result<BTreeMap<u32, Blame>, MirrorError> {
        self.ask(id, |repo| {
            let mut walker = Walker::stopped_by(repo, Ignored::of_head(repo)?, Some(&self.inner.stop));
            let found = walker.lines(commit, path, lines.clone())?;
            Ok(lines.zip(found).filter_map(|(line, blame)| Some((line, blame?))).collect())
        })
    }
}
