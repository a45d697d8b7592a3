//! What became of a line beside its origin: what it was before a trivial edit, and whether the
//! default branch has changed it since.

use super::Mirrors;
use super::error::MirrorError;
use super::read::{CommitInfo, blob, commit_id, find_commit, text};
use domain::blame::Blame;
use domain::commit::CommitId;
use domain::ids::RepositoryId;
use domain::trivial_edit::TrivialEdit;
use gix::bstr::ByteSlice;

/// Commits of the default branch that are looked through for the one that changed a line, newest
/// first, without those that merges brought: a release is rarely older than this.
const MOST_SINCE: usize = 2_000;
/// Versions of the file that are read in this search.
const MOST_VERSIONS: usize = 100;
/// Lines up and down in which a line's version before is looked for: an edit of one literal leaves
/// it where it was, but what the same commit did above it.
const REACH: usize = 100;

impl Mirrors {
    /// What a line was before the commit that is blamed for it changed one literal or operator of
    /// it, and what that was; nothing where the commit did more to it.
    ///
    /// # Errors
    /// [`MirrorError::NoMirror`], [`MirrorError::Git`], [`MirrorError::Interrupted`].
    pub fn before_trivial_edit(
        &self,
        id: RepositoryId,
        blame: &Blame,
    ) -> Result<Option<(Blame, TrivialEdit)>, MirrorError> {
        let parent = self.ask(id, |repo| {
            let commit = find_commit(repo, &blame.commit)?;
            Ok(commit.and_then(|commit| commit.parent_ids().next()).map(|parent| commit_id(parent.detach())))
        })?;
        let Some(parent) = parent else { return Ok(None) };
        let after = self.lines(id, &blame.commit, &blame.path)?;
        let before = self.lines(id, &parent, &blame.path)?;
        let (Some(after), Some(before)) = (after, before) else { return Ok(None) };
        let Some(at) = (blame.line as usize).checked_sub(1) else { return Ok(None) };
        let Some(line) = after.get(at) else { return Ok(None) };
        let near = (0..=REACH).flat_map(|away| [at.checked_sub(away), at.checked_add(away)]).flatten();
        for place in near {
            let Some(old) = before.get(place) else { continue };
            let Some(edit) = TrivialEdit::between(old, line) else { continue };
            // What still stands is another line of the same form.
            if count(&after, old) >= count(&before, old) {
                continue;
            }
            let number = u32::try_from(place + 1).unwrap_or(u32::MAX);
            let origin = self.blame(id, &parent, &blame.path, number)?;
            return Ok(origin.map(|origin| (origin, edit)));
        }
        Ok(None)
    }

    /// What a commit brought back that was reverted before it, by the words that git writes into
    /// both commits.
    ///
    /// # Errors
    /// [`MirrorError::NoMirror`], [`MirrorError::Git`].
    pub fn brought_back(
        &self,
        id: RepositoryId,
        commit: &CommitId,
    ) -> Result<Option<(CommitId, CommitInfo)>, MirrorError> {
        let reverted = |commit: &CommitId| {
            self.ask(id, |repo| {
                let message = find_commit(repo, commit)?.map(|it| it.message_raw_sloppy().to_str_lossy().into_owned());
                Ok(message.and_then(|message| reverted_by(&message)))
            })
        };
        let Some(first) = reverted(commit)?.map(|it| reverted(&it)).transpose()?.flatten() else { return Ok(None) };
        Ok(self.commit(id, &first)?.map(|info| (first, info)))
    }

    /// The commit of the default branch after which it has not had the text of a line any more
    /// that ran at `revision`; nothing where it still has it, or that was before the revision, or
    /// too long ago.
    ///
    /// # Errors
    /// [`MirrorError::NoMirror`], [`MirrorError::Git`].
    pub fn changed_on_head(
        &self,
        id: RepositoryId,
        revision: &CommitId,
        path: &str,
        code: &str,
    ) -> Result<Option<CommitId>, MirrorError> {
        let Some(head) = self.head(id)?.filter(|head| head.commit != *revision) else { return Ok(None) };
        let wanted = squeezed(code);
        if wanted.is_empty() {
            return Ok(None);
        }
        let found = self.ask(id, |repo| {
            let mut has = Versions { repo, wanted: &wanted, last: None, read: 0 };
            let mut at = head.commit.clone();
            // A file that is gone was renamed, maybe: whether its line went is not known.
            if blob(repo, &at, path)?.is_none() || has.text(&at, path)? != Some(false) {
                return Ok(None);
            }
            for _ in 0..MOST_SINCE {
                let Some(commit) = find_commit(repo, &at)? else { return Ok(None) };
                let parents: Vec<CommitId> = commit.parent_ids().map(|it| commit_id(it.detach())).collect();
                let Some(parent) = parents.first() else { return Ok(None) };
                match has.text(parent, path)? {
                    None => return Ok(None),
                    // What a merge brought was changed by a commit of the merged branch.
                    Some(true) => match parents.get(1) {
                        Some(merged) if has.text(merged, path)? == Some(false) => at = merged.clone(),
                        _ => return Ok(Some(at)),
                    },
                    Some(false) => at = parent.clone(),
                }
            }
            Ok(None)
        })?;
        let Some(found) = found else { return Ok(None) };
        Ok((!self.contains(id, &found, revision)?).then_some(found))
    }
}

/// The commit that another one reverts, by what `git revert` writes.
fn reverted_by(message: &str) -> Option<CommitId> {
    let (_, rest) = message.split_once("This reverts commit ")?;
    CommitId::of_text(rest.get(..CommitId::DIGITS)?)
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

/// How often a line stands in a file.
fn count(lines: &[String], line: &str) -> usize {
    let wanted = squeezed(line);
    lines.iter().filter(|it| squeezed(it) == wanted).count()
}

/// A line without its white space.
fn squeezed(line: &str) -> String {
    line.split_whitespace().collect()
}
