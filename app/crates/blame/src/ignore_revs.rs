//! The commits that a repository does not want blamed: `.git-blame-ignore-revs`.

use crate::Error;
use crate::budget::{Abort, answered};
use crate::history::History;
use gix::ObjectId;
use gix::bstr::{BStr, ByteSlice};
use std::collections::HashSet;

/// Where git's users keep the list, and where forges read it too.
const FILE: &str = ".git-blame-ignore-revs";

/// Commits that do not count as having written a line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IgnoreRevs(HashSet<ObjectId>);

impl IgnoreRevs {
    /// Reads a list: one full id in each line, `#` begins a comment, also after an id. What is no
    /// id is passed over.
    pub fn parse(text: &[u8]) -> Self {
        let ids = text.lines().filter_map(|line| {
            let id = line.split(|byte| *byte == b'#').next().unwrap_or_default();
            ObjectId::from_hex(id.trim()).ok()
        });
        ids.collect()
    }

    /// The list in `.git-blame-ignore-revs` of the commit at HEAD; empty where there is none, or it
    /// is larger than [`LARGEST_FILE`](crate::LARGEST_FILE).
    ///
    /// # Errors
    /// [`Error::Git`].
    pub fn of_head(repo: &gix::Repository) -> Result<Self, Error> {
        let Ok(head) = repo.head_id() else { return Ok(Self::default()) };
        let list = read(&mut History::new(repo), head.detach());
        Ok(answered(list)?.flatten().unwrap_or_default())
    }

    /// Whether a commit is on the list.
    pub fn contains(&self, commit: &gix::oid) -> bool {
        self.0.contains(commit)
    }
}

impl FromIterator<ObjectId> for IgnoreRevs {
    fn from_iter<I: IntoIterator<Item = ObjectId>>(commits: I) -> Self {
        Self(commits.into_iter().collect())
    }
}

fn read(history: &mut History<'_>, commit: ObjectId) -> Result<Option<IgnoreRevs>, Abort> {
    let Some(file) = history.file_at(commit, BStr::new(FILE))? else { return Ok(None) };
    Ok(history.text(file.blob)?.map(|text| IgnoreRevs::parse(text.data())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_has_comments_anywhere_and_faults_do_no_harm() {
        let (one, two, three) = ("1".repeat(40), "2".repeat(40), "3".repeat(40));
        let text = format!("# black\n{one}\r\n  {two} # isort\n\nnonsense\n123\n#{three}\n");
        let list = IgnoreRevs::parse(text.as_bytes());
        let id = |hex: &str| ObjectId::from_hex(hex.as_bytes()).unwrap();
        assert!(list.contains(&id(&one)) && list.contains(&id(&two)) && !list.contains(&id(&three)));
        assert_eq!(list.0.len(), 2);
    }
}
