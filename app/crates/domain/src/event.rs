//! What GitHub can tell us, reduced to what we act on: a closed set.

use crate::names::{Login, RepositoryName};
use crate::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

/// One webhook delivery, parsed. Everything else that GitHub sends is [`Event::Ignored`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// Commits arrived at a ref: a stamp for the mirror, never replayed.
    Push {
        /// The repository, with its current name.
        repository: HookRepository,
        /// `refs/heads/main`.
        git_ref: String,
    },
    /// Something was done to an issue.
    Issue {
        /// The repository, with its current name.
        repository: HookRepository,
        /// What was done.
        action: IssueAction,
        /// The issue, as it is after the action.
        issue: HookIssue,
        /// Who did it.
        sender: HookAccount,
    },
    /// Our App was installed, and these repositories are visible to it; also after `unsuspend`.
    Installed {
        /// The installation.
        installation: u64,
        /// Visible repositories, as far as the payload names them.
        repositories: Vec<HookRepository>,
    },
    /// The App lost these repositories.
    RepositoriesRemoved {
        /// The installation.
        installation: u64,
        /// Repositories that it no longer sees.
        repositories: Vec<HookRepository>,
    },
    /// The App was uninstalled.
    Uninstalled {
        /// The installation.
        installation: u64,
    },
    /// The App may do nothing until unsuspended.
    Suspended {
        /// The installation.
        installation: u64,
    },
    /// A repository was renamed, transferred, made private or public, archived or unarchived, or
    /// has a new default branch.
    RepositoryChanged {
        /// The repository as it is now.
        repository: HookRepository,
    },
    /// A repository was deleted.
    RepositoryDeleted {
        /// The repository as it was.
        repository: HookRepository,
    },
    /// Nothing that we act on.
    Ignored,
}

/// What was done to an issue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IssueAction {
    /// Closed, with whatever labels it bears.
    Closed,
    /// Opened again.
    Reopened,
    /// This label was put on it.
    Labeled(String),
    /// This label was taken off.
    Unlabeled(String),
    /// This person was assigned.
    Assigned(HookAccount),
    /// This person was unassigned.
    Unassigned(HookAccount),
    /// Its title or text was edited.
    Edited,
    /// Deleted or moved to another repository: there is no issue of ours any more.
    Gone,
}

/// A repository as a webhook names it. Lean: GitHub's own deliveries break their schemas, so all
/// but these is ignored.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HookRepository {
    /// GitHub's number, which survives renames.
    pub id: u64,
    /// `owner/name` now.
    pub full_name: RepositoryName,
    /// Whether it is private; `None` where the payload does not say.
    pub private: Option<bool>,
    /// The installation through which the webhook came, where the payload says.
    pub installation: Option<u64>,
}

/// An account as a webhook names it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HookAccount {
    /// GitHub's number.
    pub id: u64,
    /// Login now.
    pub login: Login,
    /// `User`, `Bot` or `Organization`.
    pub kind: String,
}

impl HookAccount {
    /// Somebody, of whom only what they did is known.
    pub fn unknown(called: &str) -> Self {
        Self { id: 0, login: called.into(), kind: "User".to_owned() }
    }

    /// Whether nothing is known of who it is, nor when it was done: a look at GitHub found it so.
    pub fn is_unknown(&self) -> bool {
        self.id == 0
    }
}

/// An issue as a webhook names it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HookIssue {
    /// Its number in the repository.
    pub number: u64,
    /// Whether it is open.
    pub open: bool,
    /// Names of its labels.
    pub labels: Vec<String>,
    /// Who is assigned.
    pub assignees: Vec<HookAccount>,
    /// `pull_request` present: not an issue at all.
    pub is_pull_request: bool,
    /// When it changed last, by GitHub's clock and to the second; `None` where that is not said.
    #[serde(default)]
    pub updated_at: Option<Timestamp>,
    /// When it was closed, in the same way; `None` where it is open.
    #[serde(default)]
    pub closed_at: Option<Timestamp>,
}
