//! What became of a line beside its origin: what it was before a trivial edit, and what it brought
//! back.

use super::Mirrors;
use super::error::MirrorError;
use super::read::{CommitInfo, commit_id, find_commit};
use domain::blame::Blame;
use domain::commit::CommitId;
use domain::ids::RepositoryId;
use domain::trivial_edit::TrivialEdit;
use gix::bstr::ByteSlice;

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
            let Some(edit) = TrivialEdit::between(old, line, &blame.path) else { continue };
            // What still stands is another line of the same form.
            if count(&after, old) >= count(&before, old) {
                continue;
            }
            let number = u32::try_from(place + 1).unwrap_or(u32::MAX);
            let Some(origin) = self.blame(id, &parent, &blame.path, number)? else { return Ok(None) };
            // The last commit of a shallow checkout has all that is older.
            let is_cut_off = self.is_cut_off_at(id, &origin.commit)?;
            return Ok((!is_cut_off).then_some((origin, edit)));
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
}

/// The commit that another one reverts, by what `git revert` writes.
fn reverted_by(message: &str) -> Option<CommitId> {
    let (_, rest) = message.split_once("This reverts commit ")?;
    CommitId::of_text(rest.get(..CommitId::DIGITS)?)
}

/// How often a line stands in a file.
fn count(lines: &[String], line: &str) -> usize {
    let wanted = squeezed(line);
    lines.iter().filter(|it| squeezed(it) == wanted).count()
}

/// A line without its white space.
pub(super) fn squeezed(line: &str) -> String {
    line.split_whitespace().collect()
}
