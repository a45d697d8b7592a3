//! What became of the blamed line beside its origin, in sentences: who wrote it before somebody
//! changed a number in it, and whether the default branch has changed it since.

use super::evidence::MirrorCommit;
use domain::blame::Blame;
use domain::culprit::Located;
use domain::pull::number_in;
use mirror::MirrorError;

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
    words.extend(before_edit(at, blame)?);
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

fn before_edit(at: MirrorCommit<'_>, blame: &Blame) -> Result<Option<String>, MirrorError> {
    let Some((before, edit)) = at.mirrors.before_trivial_edit(at.id, blame)? else { return Ok(None) };
    let changed = (&blame.author.name, edit.words());
    Ok((!before.is_by_author_of(blame)).then(|| {
        format!(
            "Look next at who wrote it before: the line was {}'s until {} changed {} in it.",
            before.written_by(),
            changed.0,
            changed.1
        )
    }))
}

fn changed_since(at: MirrorCommit<'_>, found: &Located, branch: &str) -> Result<Option<String>, MirrorError> {
    let Some(commit) = at.mirrors.changed_on_head(at.id, at.commit, &found.path, &found.code)? else {
        return Ok(None);
    };
    let Some(info) = at.mirrors.commit(at.id, &commit)? else { return Ok(None) };
    let pull = number_in(&info.summary).map(|number| format!(", #{number}")).unwrap_or_default();
    Ok(Some(format!(
        "{branch} has changed this line since, in {} by {}{pull}: it may be fixed already.",
        commit.short(),
        info.author.name
    )))
}
