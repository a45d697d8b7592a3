//! A watched repository: where it is, who gave it to us, how it is linked to.

use super::commit::CommitId;
use super::ids::RepositoryId;
use super::names::RepositoryName;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A repository whose exceptions are watched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repository {
    /// Our number, also the PROJECT of its DSN.
    pub id: RepositoryId,
    /// `owner/name` on GitHub; for a plain git repository a name made from its URL in the same
    /// form.
    pub full_name: RepositoryName,
    /// Where it is cloned from: an https URL without credentials, any other git URL, or a local
    /// path.
    pub clone_url: String,
    /// GitHub's side of it; `None` for a plain git repository, which has the e-mail channel
    /// only.
    pub github: Option<GitHubRepository>,
    /// Visible to the public: then exception messages stay out of issues.
    pub public: bool,
    /// The default branch, as last fetched.
    pub default_branch: Option<String>,
    /// The commit at the head of the default branch, as last fetched.
    pub head: Option<CommitId>,
}

/// How GitHub knows a repository.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GitHubRepository {
    /// GitHub's number: names change, this does not.
    pub id: u64,
    /// The installation of our App that sees the repository.
    pub installation: u64,
    /// Page of the repository, `https://github.com/owner/name`.
    pub html_url: String,
}

/// By what a repository is asked for on GitHub: by name, as GitHub documents it, though a name can
/// be another repository's by now. The number says which one is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GitHubAddress {
    /// The installation of our App that asks.
    pub installation: u64,
    /// GitHub's number of the repository.
    pub id: u64,
    /// `owner/name`, as last heard.
    pub name: RepositoryName,
}

impl fmt::Display for GitHubAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.name.fmt(f)
    }
}

impl Repository {
    /// By what it is asked for on GitHub; `None` for a plain git repository.
    pub fn github_address(&self) -> Option<GitHubAddress> {
        let on_github = self.github.as_ref()?;
        let (installation, id) = (on_github.installation, on_github.id);
        Some(GitHubAddress { installation, id, name: self.full_name.clone() })
    }

    /// Page of a line at a commit on GitHub.
    pub fn line_url(&self, commit: &CommitId, path: &str, line: u32) -> Option<String> {
        let on_github = self.github.as_ref()?;
        Some(format!("{}/blob/{commit}/{}#L{line}", on_github.html_url, encode_path(path)))
    }

    /// Page of a commit on GitHub.
    pub fn commit_url(&self, commit: &CommitId) -> Option<String> {
        Some(format!("{}/commit/{commit}", self.github.as_ref()?.html_url))
    }

    /// Page of a pull request on GitHub.
    pub fn pull_url(&self, number: u64) -> Option<String> {
        Some(format!("{}/pull/{number}", self.github.as_ref()?.html_url))
    }

    /// Page of an issue on GitHub.
    pub fn issue_url(&self, number: u64) -> Option<String> {
        Some(format!("{}/issues/{number}", self.github.as_ref()?.html_url))
    }
}

/// Percent-encodes what has a meaning in a URL's path; slashes stay.
fn encode_path(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' | b'~' | b'+' | b'@' => {
                out.push(char::from(byte));
            }
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::encode_path;

    #[test]
    fn paths_with_spaces_and_signs_make_links_that_work() {
        assert_eq!(encode_path("src/a b#c?.py"), "src/a%20b%23c%3F.py");
    }
}
