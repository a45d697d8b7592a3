//! What git says of one line: the commit that wrote it, where it stood then, and by whom.

use super::unread_address::is_unread;
use crate::commit::CommitId;
use crate::names::Login;
use crate::timestamp::Timestamp;
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

/// The origin of a line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blame {
    /// The commit that wrote the line as it is.
    pub commit: CommitId,
    /// Path of the file at that commit.
    pub path: String,
    /// One-based line number in that file at that commit.
    pub line: u32,
    /// Who wrote it, after `.mailmap`.
    pub author: Author,
    /// Author date.
    pub authored_at: Timestamp,
    /// First line of the commit message.
    pub summary: String,
    /// Committer date: when the line came to where it is now, after rebases and merges by
    /// GitHub.
    pub committed_at: Timestamp,
    /// Who else wrote the commit, by its `Co-authored-by` trailers and `.mailmap`, without the
    /// author.
    pub co_authors: Vec<Author>,
    /// Commits that changed the line since and were passed over, the newest first.
    pub passed: Vec<PassedCommit>,
}

/// A line that came to where it is within a day of being written needs no second date: clocks and
/// time zones differ.
const SAME_DAY: SignedDuration = SignedDuration::from_hours(24);

impl Blame {
    /// When it was written: the author's date, which says what somebody remembers.
    pub fn written_at(&self) -> Timestamp {
        self.authored_at
    }

    /// Since when it is where it is: the committer's date, which says what was news when. Rows
    /// from before it was kept have the author's.
    pub fn changed_at(&self) -> Timestamp {
        if self.committed_at == Timestamp::UNIX_EPOCH { self.authored_at } else { self.committed_at }
    }

    /// Since when it is where it is, if that is worth a word beside when it was written: it was
    /// rebased, merged or picked later.
    pub fn came_later_at(&self) -> Option<Timestamp> {
        Some(self.changed_at()).filter(|at| *at - self.written_at() >= SAME_DAY)
    }

    /// `Ada Lovelace (a91c3fa, 2026-11-20, Round prices)`, with since when it is there, where that
    /// is later.
    pub fn written_by(&self) -> String {
        let since = self.came_later_at().map(|at| format!(", here since {}", at.date())).unwrap_or_default();
        let (commit, day) = (self.commit.short(), self.written_at().date());
        let name = match (self.author.name.as_str(), self.author.email.as_str()) {
            ("", "") => "somebody whom the commit does not name",
            ("", address) => address,
            (name, _) => name,
        };
        format!("{name} ({commit}, {day}{since}, {})", self.summary)
    }

    /// Whether two lines have one author: by address, or by the same full name.
    pub fn is_by_author_of(&self, other: &Self) -> bool {
        let same = |one: &str, two: &str| !one.trim().is_empty() && one.trim().eq_ignore_ascii_case(two.trim());
        same(&self.author.email, &other.author.email) || same(&self.author.name, &other.author.name)
    }
}

/// A commit that changed a line, but does not count as having written it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PassedCommit {
    /// Its id.
    pub commit: CommitId,
    /// First line of its message.
    pub summary: String,
    /// Why it does not count.
    pub why: PassedWhy,
}

/// Why a commit does not count as having written a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PassedWhy {
    /// The repository's `.git-blame-ignore-revs` names it.
    ListedInIgnoreRevs,
    /// It only laid out the same code anew.
    Reformatted,
}

/// A person as a commit names them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Author {
    /// Display name.
    pub name: String,
    /// E-mail address as written (it is chosen by its writer).
    pub email: String,
}

/// A noreply address of GitHub: `ID+LOGIN@users.noreply.github.com`, in its old form without the
/// id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Noreply {
    /// The account's number, which survives a renamed login.
    pub account: Option<u64>,
    /// The login when the commit was made.
    pub login: Login,
}

impl Author {
    /// The GitHub account that a noreply address names. Mail to such an address goes nowhere and
    /// must never be sent.
    pub fn noreply(&self) -> Option<Noreply> {
        let (local, domain) = self.email.rsplit_once('@')?;
        // GitHub Enterprise Server uses users.noreply.HOST.
        if !domain.to_ascii_lowercase().starts_with("users.noreply.") {
            return None;
        }
        Some(match local.split_once('+') {
            Some((id, login)) if id.parse::<u64>().is_ok() => Noreply { account: id.parse().ok(), login: login.into() },
            _ => Noreply { account: None, login: local.into() },
        })
    }

    /// The address, if mail sent to it can arrive and is read: it is one, and no machine's.
    pub fn deliverable_email(&self) -> Option<&str> {
        let email = self.email.trim();
        (!is_unread(email)).then_some(email)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn author(email: &str) -> Author {
        Author { name: "Ada".to_owned(), email: email.to_owned() }
    }

    #[test]
    fn noreply_addresses_name_the_account_and_get_no_mail() {
        let new = author("583231+octocat@users.noreply.github.com");
        assert_eq!(new.noreply(), Some(Noreply { account: Some(583_231), login: "octocat".into() }));
        assert_eq!(new.deliverable_email(), None);
        let old = author("octocat@users.noreply.github.com");
        assert_eq!(old.noreply(), Some(Noreply { account: None, login: "octocat".into() }));
        assert_eq!(author("ada@example.com").noreply(), None);
    }

    #[test]
    fn when_it_was_written_and_since_when_it_is_there_are_both_said_where_they_differ() {
        let mut blame = Blame {
            commit: CommitId::new("a".repeat(40)),
            path: "a.py".into(),
            line: 1,
            author: author("ada@example.com"),
            authored_at: Timestamp::from_date("2026-11-20").expect("a day"),
            summary: "Round prices".into(),
            committed_at: Timestamp::from_date("2026-11-20").expect("a day"),
            co_authors: Vec::new(),
            passed: Vec::new(),
        };
        assert_eq!(blame.written_by(), "Ada (aaaaaaa, 2026-11-20, Round prices)");
        blame.committed_at = Timestamp::from_date("2026-12-02").expect("a day");
        assert_eq!(blame.written_by(), "Ada (aaaaaaa, 2026-11-20, here since 2026-12-02, Round prices)");
        blame.committed_at = Timestamp::UNIX_EPOCH;
        assert_eq!((blame.changed_at(), blame.came_later_at()), (blame.authored_at, None));
    }

    #[test]
    fn any_real_domain_receives_mail() {
        // Flawless 0.4.5 never mailed to a top-level domain of more than four letters.
        assert_eq!(author("ada@example.engineering").deliverable_email(), Some("ada@example.engineering"));
        assert_eq!(author("noreply@github.com").deliverable_email(), None);
        for bad in ["", "ada", "@x.com", "ada@", "a b@x.com", "a@x.com,b@x.com", "x@[127.0.0.1]", "a@b.c\0"] {
            assert_eq!(author(bad).deliverable_email(), None, "{bad}");
        }
    }
}
