//! The commits that a repository does not want blamed: `.git-blame-ignore-revs`.

use super::effort::{Cut, Effort};
use super::history::History;
use crate::MirrorError;
use gix::ObjectId;
use gix::bstr::{BStr, ByteSlice};
use std::collections::HashSet;
use std::sync::Arc;

/// Where git's users keep the list, and where the forge reads it too.
const FILE: &str = ".git-blame-ignore-revs";

/// Commits that do not count as having written a line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ignored(HashSet<ObjectId>);

impl Ignored {
    /// Reads a list: one full id in each line, `#` begins a comment, also after an id. What is no id is passed over.
    pub fn parse(text: &[u8]) -> Self {
        let ids = text.lines().filter_map(|line| {
            let id = line.split(|byte| *byte == b'#').next().unwrap_or_default();
            ObjectId::from_hex(id.trim()).ok()
        });
        Self(ids.collect())
    }

    /// The list in `.git-blame-ignore-revs` of the commit at HEAD, which in a mirror is the default branch's; empty where
    /// there is none.
    ///
    /// # Errors
    /// [`MirrorError::Git`].
    pub fn of_head(repo: &gix::Repository) -> Result<Self, MirrorError> {
        let Ok(head) = repo.head_id() else { return Ok(Self::default()) };
        let mut history = History::new(repo, Effort::new(None), Arc::default());
        let mut read = || {
            let Some(place) = history.place(head.detach(), BStr::new(FILE))? else { return Ok(Self::default()) };
            Ok(history.text(place.blob)?.map(|text| Self::parse(text.data())).unwrap_or_default())
        };
        read().or_else(|cut| match cut {
            Cut::Exhausted => Ok(Self::default()),
            Cut::Failed(error) => Err(error),
        })
    }

    /// Whether a commit is on the list.
    pub(super) fn has(&self, commit: &gix::oid) -> bool {
        self.0.contains(commit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_has_comments_anywhere_and_faults_do_no_harm() {
        let (one, two, three) = ("1".repeat(40), "2".repeat(40), "3".repeat(40));
        let list = Ignored::parse(format!("# black\n{one}\r\n  {two} # isort\n\nnonsense\n123\n#{three}\n").as_bytes());
        let id = |hex: &str| ObjectId::from_hex(hex.as_bytes()).unwrap();
        assert!(list.has(&id(&one)) && list.has(&id(&two)) && !list.has(&id(&three)));
        assert_eq!(list.0.len(), 2);
    }
}
