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
}
