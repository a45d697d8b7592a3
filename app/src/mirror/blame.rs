//! Who wrote a line: one question to git's history.

use super::Mirrors;
use super::error::MirrorError;
use super::read::{blob, describe, find_commit};
use crate::domain::blame::Blame;
use crate::domain::ids::RepositoryId;
use gix::repository::blame_file;

/// Most pairs of deleted and added files that one commit's renames are looked for in. At 1000 one line of twisted took 14
/// seconds; at 300 the answers were the same for 500 lines of five repositories.
const RENAME_LIMIT: usize = 300;

impl Mirrors {
    /// The commit that wrote a line of a file as it stands at `commit`, following renames. `line` counts from 1. `None`: there
    /// is no such commit, regular file or line, or gix lost the line on the way, which happens where two unrelated histories
    /// were merged (its blame then has no entry).
    ///
    /// # Errors
    /// [`MirrorError::NoMirror`], [`MirrorError::Git`].
    pub fn blame(&self, id: RepositoryId, commit: &str, path: &str, line: u32) -> Result<Option<Blame>, MirrorError> {
        if line == 0 {
            return Ok(None);
        }
        self.ask(id, |repo| {
            let Some(at) = blob(repo, commit, path)?.and(find_commit(repo, commit)?) else { return Ok(None) };
            let failed = |error: gix::Error| MirrorError::git(format!("blaming {path}:{line} at {commit}"), &error);
            let options = blame_file::Options {
                ranges: gix::blame::BlameRanges::from_one_based_inclusive_range(line..=line).map_err(failed)?,
                rewrites: Some(gix::diff::Rewrites { limit: RENAME_LIMIT, ..Default::default() }),
                ..Default::default()
            };
            let outcome = repo.blame_file(path.into(), at.id, options).map_err(failed)?;
            let Some(entry) = outcome.entries.first() else { return Ok(None) };
            let origin = repo.find_commit(entry.commit_id).map_err(failed)?;
            let described = describe(repo, &origin);
            Ok(Some(Blame {
                commit: origin.id.to_string(),
                path: entry.source_file_name.as_ref().map_or_else(|| path.to_owned(), ToString::to_string),
                line: entry.start_in_source_file + 1,
                author: described.author,
                author_time_ms: described.author_time_ms,
                summary: described.summary,
                committed_at_ms: origin.time().map_or(0, |time| time.seconds.saturating_mul(1000)),
                co_authors: Vec::new(),
                passed: Vec::new(),
            }))
        })
    }
}
