//! What became of the blamed line beside its origin: who wrote it before somebody changed a number
//! in it, and, in sentences, whether it was brought back or the default branch has changed it
//! since.

use super::evidence::MirrorCommit;
use domain::blame::Blame;
use domain::culprit::Located;
use domain::pull::number_in;
use domain::trivial_edit::TrivialEdit;
use mirror::{Change, MirrorError};

/// The sentences about a line; `branch`: the default branch, if what ran may be older than it.
///
/// # Errors
/// The mirror can't be read.
pub(super) fn history(
    at: MirrorCommit<'_>,
    found: &Located,
    blame: &Blame,
    branch: Option<&str>,
) -> Result<Vec<String>, MirrorError> {
    let mut words = Vec::new();
    words.extend(brought_back(at, blame)?);
    if let Some(branch) = branch {
        words.extend(changed_since(at, found, branch)?);
    }
    Ok(words)
}

fn brought_back(at: MirrorCommit<'_>, blame: &Blame) -> Result<Option<String>, MirrorError> {
    let Some((first, info)) = at.mirrors.brought_back(at.id, &blame.commit)? else { return Ok(None) };
    let day = info.authored_at.date();
    Ok(Some(format!(
        "It was reverted and brought back: {} wrote it first ({}, {day}, {}), and it is here again since {}.",
        info.author.name,
        first.short(),
        info.summary,
        blame.changed_at().date()
    )))
}

/// Who wrote the line before a trivial edit by somebody else, and what that changed.
///
/// # Errors
/// The mirror can't be read.
pub(super) fn before_edit(at: MirrorCommit<'_>, blame: &Blame) -> Result<Option<(Blame, TrivialEdit)>, MirrorError> {
    let found = at.mirrors.before_trivial_edit(at.id, blame)?;
    Ok(found.filter(|(before, _)| !before.is_by_author_of(blame)))
}

fn changed_since(at: MirrorCommit<'_>, found: &Located, branch: &str) -> Result<Option<String>, MirrorError> {
    let Some(since) = at.mirrors.changed_on_head(at.id, at.commit, &found.path, &found.code)? else {
        return Ok(None);
    };
    let Some(info) = at.mirrors.commit(at.id, &since.commit)? else { return Ok(None) };
    let pull = number_in(&info.summary).map(|number| format!(", #{number}")).unwrap_or_default();
    let by = format!("in {} by {}{pull}", since.commit.short(), info.author.name);
    Ok(Some(match since.what {
        Change::Changed => format!("{branch} has changed this line since, {by}: it may be fixed already."),
        Change::Removed => format!("{branch} has removed this line since, {by}: it may be fixed already."),
        Change::Deleted => format!("{branch} has deleted this file since, {by}: it may be fixed already."),
        Change::Moved(to) => format!("{branch} has moved this file since, to {to}, {by}."),
    }))
}
