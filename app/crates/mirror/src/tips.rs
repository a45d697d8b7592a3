//! Where the branches of a mirror end, as far as that can be read.

use super::Mirrors;
use super::commit_walk::readable as readable_commit;
use super::error::MirrorError;
use blame::CommitWords;
use domain::ids::RepositoryId;
use domain::timestamp::Timestamp;

/// Commits that can't be read and are passed over before a walk begins: tools that made such ones
/// made few.
const MOST_UNREADABLE: usize = 1_000;

impl Mirrors {
    /// When the newest commit on any branch was made; `None` where there is no commit.
    ///
    /// # Errors
    /// [`MirrorError::NoMirror`], [`MirrorError::Git`].
    pub fn newest_commit_at(&self, id: RepositoryId) -> Result<Option<Timestamp>, MirrorError> {
        self.ask(id, |repo| {
            let failed = |error: gix::Error| MirrorError::git("reading the branches", &error);
            let mut newest = None;
            for tip in branches(repo).map_err(failed)? {
                let commit = readable_commit(repo, tip).map_err(failed)?;
                let seconds = commit.map(|commit| CommitWords::commit_seconds(&commit.data));
                newest = newest.max(seconds.map(Timestamp::from_seconds));
            }
            Ok(newest)
        })
    }
}

/// The commits that branches point to, in the order of the branches' names.
pub(super) fn branches(repo: &gix::Repository) -> Result<Vec<gix::ObjectId>, gix::Error> {
    let mut tips = Vec::new();
    for reference in repo.references()?.local_branches()? {
        let mut reference = reference?;
        // One that points nowhere has nobody's commits.
        if let Ok(id) = reference.peel_to_id() {
            tips.push(id.detach());
        }
    }
    tips.dedup();
    Ok(tips)
}

/// The commits that branches, tags and HEAD lead to: all that was pushed to the source and is still
/// to be had by a name.
pub(super) fn named(repo: &gix::Repository) -> Result<Vec<gix::ObjectId>, gix::Error> {
    let mut tips = branches(repo)?;
    for reference in repo.references()?.tags()? {
        // A tag may be of a file, and one may be too large to be read: neither leads to a commit.
        tips.extend(reference?.peel_to_commit().ok().map(|commit| commit.id));
    }
    tips.extend(repo.head_id().ok().map(|id| id.detach()));
    tips.sort_unstable();
    tips.dedup();
    Ok(tips)
}

/// The commits that [`branches`] or [`named`] found, but for each whose committer can't be read its
/// parents: a walk by time does not begin at such a one.
pub(super) fn readable(repo: &gix::Repository, mut tips: Vec<gix::ObjectId>) -> Result<Vec<gix::ObjectId>, gix::Error> {
    let mut readable = Vec::new();
    let mut left = MOST_UNREADABLE;
    while let Some(tip) = tips.pop() {
        let Some(commit) = readable_commit(repo, tip)? else { continue };
        if commit.time().is_ok() {
            readable.push(tip);
        } else if left > 0 {
            left -= 1;
            tips.extend(commit.parent_ids().map(|id| id.detach()));
        }
    }
    Ok(readable)
}
