//! The pull request that brought a line.

use super::blame::Author;
use super::event::HookAccount;
use crate::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

/// A merged pull request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pull {
    /// Its number.
    pub number: u64,
    /// Its title; empty where only git was asked.
    pub title: String,
    /// Its page.
    pub url: String,
    /// When it was merged; `None` where only git was asked.
    pub merged_at: Option<Timestamp>,
    /// Who opened it; `None` where only git was asked, or the account is deleted.
    pub author: Option<HookAccount>,
}

/// Whether a commit is a whole pull request, squashed or merged on GitHub's pages, and which:
/// GitHub made the commit, and its subject says so in GitHub's words.
pub fn whole_pull(committer: &Author, subject: &str) -> Option<u64> {
    let (local, domain) = committer.email.trim().rsplit_once('@')?;
    // GitHub Enterprise Server commits as noreply@HOST.
    let is_github = local.eq_ignore_ascii_case("noreply")
        && (domain.eq_ignore_ascii_case("github.com") || committer.name.starts_with("GitHub"));
    if is_github { number_in(subject) } else { None }
}

/// The pull request that a subject names in GitHub's words: `Add up carts (#12)`,
/// `Merge pull request #12 from …`.
pub fn number_in(subject: &str) -> Option<u64> {
    let subject = subject.trim();
    let digits = match subject.strip_prefix("Merge pull request #") {
        Some(rest) => rest.split(|c: char| !c.is_ascii_digit()).next()?,
        None => subject.strip_suffix(')')?.rsplit_once("(#")?.1,
    };
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|number| is_number && *number > 0)
}

/// The title in the subject of a squashed pull request: what stands before its number.
pub fn title_in(subject: &str) -> Option<&str> {
    let (title, _) = subject.trim().strip_suffix(')')?.rsplit_once("(#")?;
    Some(title.trim()).filter(|title| !title.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn by(name: &str, email: &str) -> Author {
        Author { name: name.into(), email: email.into() }
    }

    #[test]
    fn githubs_own_commits_name_their_pull_request() {
        for (subject, expected) in [
            ("Add up carts (#12)", Some(12)),
            ("Merge pull request #7 from ada/carts", Some(7)),
            ("Revert \"Add up carts (#12)\" (#13)", Some(13)),
            ("Add up carts", None),
            ("Fixes #12", None),
            ("See (#12) for more", None),
            ("Odd (#)", None),
            ("Odd (#12a)", None),
            ("Odd (#+12)", None),
            ("Merge pull request #", None),
        ] {
            assert_eq!(whole_pull(&by("GitHub", "noreply@github.com"), subject), expected, "{subject}");
        }
        let squash = "Add up carts (#12)";
        assert_eq!(whole_pull(&by("GitHub Enterprise", "noreply@git.acme.example"), squash), Some(12));
        assert_eq!(whole_pull(&by("Ada", "ada@example.com"), squash), None, "written by hand");
        assert_eq!(whole_pull(&by("Gitea", "noreply@git.acme.example"), squash), None);
        assert_eq!(title_in("Add up carts (#12)"), Some("Add up carts"));
        assert_eq!(title_in("Merge pull request #7 from ada/carts"), None);
    }
}
