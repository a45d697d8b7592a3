//! What the default branch did to a line since a revision that ran: changed or removed it, or
//! deleted or moved its file.

use super::Mirrors;
use super::error::MirrorError;
use super::line_history::squeezed;
use super::read::{blob, commit_id, find_commit, is_plain, text};
use domain::commit::CommitId;
use domain::ids::RepositoryId;
use gix::bstr::ByteSlice;
use std::collections::HashSet;

/// Commits of the default branch that are looked through for the one that changed a line, newest
/// first, without those that merges brought: a release is rarely older than this.
const MOST_SINCE: usize = 2_000;
/// Versions of the file that are read in this search.
const MOST_VERSIONS: usize = 100;
/// Moves of a file that are followed: within the life of a release it has one, if any.
const MOST_MOVES: usize = 5;

/// What the default branch did to a line, and by which commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineSince {
    /// The commit.
    pub commit: CommitId,
    /// What it did.
    pub what: Change,
}

/// What a commit did to a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// There is something else in its place.
    Changed,
    /// There is nothing in its place.
    Removed,
    /// Its file is gone, and nothing is like it.
    Deleted,
    /// Its file is here now, with the line as it was.
    Moved(String),
}

impl Mirrors {
    /// What the default branch did last to a line that ran at `revision`; nothing where it still
    /// has the line in that file, or that was before the revision, or too long ago.
    ///
    /// # Errors
    /// [`MirrorError::NoMirror`], [`MirrorError::Git`], [`MirrorError::Interrupted`].
    pub fn changed_on_head(
        &self,
        id: RepositoryId,
        revision: &CommitId,
        path: &str,
        code: &str,
    ) -> Result<Option<LineSince>, MirrorError> {
        let Some(head) = self.head(id)?.filter(|head| head.commit != *revision) else { return Ok(None) };
        let wanted = squeezed(code);
        if wanted.is_empty() {
            return Ok(None);
        }
        let found = self.ask(id, |repo| {
            let mut walker = self.walker(id, repo)?;
            let mut has = Versions { repo, wanted: &wanted, last: None, read: 0 };
            let (mut path, mut moved) = (path.to_owned(), None);
            for _ in 0..MOST_MOVES {
                if blob(repo, &head.commit, &path)?.is_some() {
                    return Ok(match has.text(&head.commit, &path)? {
                        Some(false) => has.dropped(&head.commit, &path, moved.as_ref())?.or(moved),
                        Some(true) | None => moved,
                    });
                }
                let Some((commit, parent)) = without_file(repo, &head.commit, &path)? else { return Ok(moved) };
                let (Some(after), Some(before)) = (find_commit(repo, &commit)?, find_commit(repo, &parent)?) else {
                    return Ok(moved);
                };
                // What is new there is asked for as what is gone here.
                let to = walker.renamed_from(after.id, before.id, path.as_str())?;
                let to = to.map(|(to, _)| to.to_str_lossy().into_owned()).filter(|to| is_plain(to));
                let Some(to) = to else { return Ok(Some(LineSince { commit, what: Change::Deleted })) };
                path.clone_from(&to);
                moved = Some(LineSince { commit, what: Change::Moved(to) });
            }
            Ok(moved)
        })?;
        let Some(found) = found else { return Ok(None) };
        Ok((!self.contains(id, &found.commit, revision)?).then_some(found))
    }
}

/// The commit after which the default branch has not had a file any more, and the commit before it.
fn without_file(
    repo: &gix::Repository,
    head: &CommitId,
    path: &str,
) -> Result<Option<(CommitId, CommitId)>, MirrorError> {
    let mut at = head.clone();
    for _ in 0..MOST_SINCE {
        let parents = parents_of(repo, &at)?;
        let Some(parent) = parents.first() else { return Ok(None) };
        if blob(repo, parent, path)?.is_none() {
            at = parent.clone();
            continue;
        }
        // What a merge brought was deleted by a commit of the merged branch.
        match parents.get(1) {
            Some(merged) if blob(repo, merged, path)?.is_none() => at = merged.clone(),
            _ => return Ok(Some((at, parent.clone()))),
        }
    }
    Ok(None)
}

fn parents_of(repo: &gix::Repository, at: &CommitId) -> Result<Vec<CommitId>, MirrorError> {
    let commit = find_commit(repo, at)?;
    Ok(commit.map(|commit| commit.parent_ids().map(|it| commit_id(it.detach())).collect()).unwrap_or_default())
}

/// Whether versions of a file hold a line.
struct Versions<'r> {
    repo: &'r gix::Repository,
    wanted: &'r str,
    /// The version that was read last, and what it said.
    last: Option<(gix::ObjectId, bool)>,
    read: usize,
}

impl Versions<'_> {
    /// The commit after which the file has not had the line any more; `moved`: how it came there.
    fn dropped(
        &mut self,
        head: &CommitId,
        path: &str,
        moved: Option<&LineSince>,
    ) -> Result<Option<LineSince>, MirrorError> {
        let mut at = head.clone();
        for _ in 0..MOST_SINCE {
            let parents = parents_of(self.repo, &at)?;
            let Some(parent) = parents.first() else { return Ok(None) };
            match self.text(parent, path)? {
                // It was moved and changed by one commit.
                None if moved.is_some_and(|moved| moved.commit == at) => {
                    return Ok(Some(LineSince { commit: at, what: Change::Changed }));
                }
                None => return Ok(None),
                // What a merge brought was changed by a commit of the merged branch.
                Some(true) => match parents.get(1) {
                    Some(merged) if self.text(merged, path)? == Some(false) => at = merged.clone(),
                    _ => {
                        let what = if self.is_removed(parent, &at, path)? { Change::Removed } else { Change::Changed };
                        return Ok(Some(LineSince { commit: at, what }));
                    }
                },
                Some(false) => at = parent.clone(),
            }
        }
        Ok(None)
    }

    /// Whether the line is gone between two versions and nothing is in its place: what stood around
    /// it stands together now.
    fn is_removed(&self, before: &CommitId, after: &CommitId, path: &str) -> Result<bool, MirrorError> {
        let lines = |commit: &CommitId| -> Result<Vec<String>, MirrorError> {
            let version = blob(self.repo, commit, path)?;
            let text = version.map(|version| text(self.repo, version)).transpose()?.flatten().unwrap_or_default();
            Ok(text.lines().map(squeezed).filter(|line| !line.is_empty()).collect())
        };
        let (before, after) = (lines(before)?, lines(after)?);
        let kept: HashSet<&str> = after.iter().map(String::as_str).collect();
        let Some(at) = before.iter().position(|line| line == self.wanted) else { return Ok(false) };
        let is_kept = |line: &&String| kept.contains(line.as_str());
        let (above, below) = (before[..at].iter().rev().find(is_kept), before[at..].iter().find(is_kept));
        Ok(match (above, below) {
            (Some(above), Some(below)) => after.windows(2).any(|two| two[0] == *above && two[1] == *below),
            (Some(above), None) => after.last() == Some(above),
            (None, Some(below)) => after.first() == Some(below),
            (None, None) => after.is_empty(),
        })
    }

    /// Whether the file at a commit holds the line; nothing where it is not there, or too many were
    /// read.
    fn text(&mut self, commit: &CommitId, path: &str) -> Result<Option<bool>, MirrorError> {
        let Some(version) = blob(self.repo, commit, path)? else { return Ok(None) };
        if let Some((_, known)) = self.last.filter(|(last, _)| *last == version) {
            return Ok(Some(known));
        }
        self.read += 1;
        if self.read > MOST_VERSIONS {
            return Ok(None);
        }
        let Some(text) = text(self.repo, version)? else { return Ok(None) };
        let has = text.lines().any(|line| squeezed(line) == self.wanted);
        self.last = Some((version, has));
        Ok(Some(has))
    }
}
