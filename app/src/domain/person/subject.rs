//! The line that somebody is looked for.

use crate::domain::attribution::Attribution;
use crate::domain::blame::{Author, Blame};
use std::ops::RangeInclusive;

/// The line that somebody is looked for.
#[derive(Debug, Default)]
pub struct Subject<'a> {
    /// The commit that wrote it.
    pub commit: Option<&'a str>,
    /// Who wrote it, by the commit.
    pub author: Option<&'a Author>,
    /// Its file, at [`Self::revision`].
    pub path: &'a str,
    /// The commit that ran.
    pub revision: Option<&'a str>,
    /// The lines of its function at that commit, where they are known.
    pub function: Option<RangeInclusive<u32>>,
    /// When it failed, Unix milliseconds.
    pub failed_at_ms: i64,
}

impl<'a> Subject<'a> {
    /// The line of an attribution.
    pub fn of(found: &'a Attribution, failed_at_ms: i64) -> Self {
        let blame: Option<&Blame> = found.blame.as_ref();
        Self {
            commit: blame.map(|blame| blame.commit.as_str()),
            author: blame.map(|blame| &blame.author),
            path: if found.culprit.is_some() { &found.place.path } else { "" },
            revision: found.revision.as_deref(),
            function: found.function_lines.clone(),
            failed_at_ms,
        }
    }
}
