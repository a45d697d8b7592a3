//! The default branch of a mirror.

use super::error::MirrorError;
use super::read::commit_id;
use domain::commit::CommitId;

/// The default branch of a mirror.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Its short name, `main`; `None` where the source's HEAD is a bare commit.
    pub branch: Option<String>,
    /// The commit it is at.
    pub commit: CommitId,
}

/// The default branch of an open mirror.
pub(super) fn head(repo: &gix::Repository) -> Result<Option<Head>, MirrorError> {
    let failed = |error: gix::Error| MirrorError::git("reading HEAD", &error);
    let mut head = repo.head().map_err(failed)?;
    let branch = head.referent_name().map(|name| name.shorten().to_string());
    if head.is_unborn() {
        return Ok(None);
    }
    let commit = commit_id(head.peel_to_commit().map_err(failed)?.id);
    Ok(Some(Head { branch, commit }))
}
