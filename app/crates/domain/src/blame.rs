//! What git says of one line: the commit that wrote it, where it stood then, and by whom.

use super::address::is_address;
use crate::commit::CommitId;
use crate::names::Login;
use crate::timestamp::Timestamp;
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

    /// The address, if mail sent to it can arrive: it is one, and no noreply address.
    pub fn deliverable_email(&self) -> Option<&str> {
        let email = self.email.trim();
        let (local, domain) = email.rsplit_once('@')?;
        let usable = is_address(email)
            && !domain.to_ascii_lowercase().contains("noreply")
            && !matches!(local.to_ascii_lowercase().as_str(), "noreply" | "no-reply");
        usable.then_some(email)
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
    fn any_real_domain_receives_mail() {
        // Flawless 0.4.5 never mailed to a top-level domain of more than four letters.
        assert_eq!(author("ada@example.engineering").deliverable_email(), Some("ada@example.engineering"));
        assert_eq!(author("noreply@github.com").deliverable_email(), None);
        for bad in ["", "ada", "@x.com", "ada@", "a b@x.com", "a@x.com,b@x.com", "x@[127.0.0.1]", "a@b.c\0"] {
            assert_eq!(author(bad).deliverable_email(), None, "{bad}");
        }
    }
}
