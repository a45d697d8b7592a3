//! The line that somebody is looked for.

use crate::attribution::Attribution;
use crate::blame::{Author, Blame};
use crate::commit::CommitId;
use crate::timestamp::Timestamp;
use std::ops::RangeInclusive;

/// The line that somebody is looked for.
#[derive(Debug, Default)]
pub struct BlamedLine<'a> {
    /// The commit that wrote it.
    pub commit: Option<&'a CommitId>,
    /// Who wrote it, by the commit.
    pub author: Option<&'a Author>,
    /// Its file, at [`Self::revision`].
    pub path: &'a str,
    /// The commit that ran.
    pub revision: Option<&'a CommitId>,
    /// The lines of its function at that commit, where they are known.
    pub function: Option<RangeInclusive<u32>>,
    /// When it failed.
    pub failed_at: Timestamp,
    /// When it first failed: handovers hold for lines that are newer.
    pub first_failed_at: Timestamp,
    /// What its author did, where it is not the failing line: the words that follow a name.
    pub role: Option<String>,
    /// It, or the commit that ran, came from no branch or tag: whoever they name may be anybody.
    pub is_stray: bool,
    /// Addresses that mails about it did not get to, though they may be good for others.
    pub unreached: &'a [String],
}

impl<'a> BlamedLine<'a> {
    /// The line of an attribution: the first suspect's, which mostly is the failing one.
    pub fn of(found: &'a Attribution, failed_at: Timestamp) -> Self {
        let other = found.suspects.first().filter(|suspect| suspect.blame.is_some());
        if let Some((suspect, role)) = other.and_then(|suspect| Some((suspect, suspect.role()?))) {
            let blame: Option<&Blame> = suspect.blame.as_ref();
            return Self {
                commit: blame.map(|blame| &blame.commit),
                author: blame.map(|blame| &blame.author),
                path: &suspect.path,
                revision: found.revision.as_ref(),
                function: suspect.function_lines.map(|(start, end)| start..=end),
                failed_at,
                first_failed_at: failed_at,
                is_stray: found.is_stray,
                unreached: &[],
                role: Some(role),
            };
        }
        let blame: Option<&Blame> = found.blame.as_ref();
        Self {
            commit: blame.map(|blame| &blame.commit),
            author: blame.map(|blame| &blame.author),
            path: if found.culprit.is_some() { &found.place.path } else { "" },
            revision: found.revision.as_ref(),
            function: found.function_lines.clone(),
            failed_at,
            first_failed_at: failed_at,
            is_stray: found.is_stray,
            unreached: &[],
            role: None,
        }
    }
}
