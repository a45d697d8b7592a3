//! What the pages work with.

use crate::services::alert_content::AlertContent;
use crate::services::doctor::Doctor;
use crate::services::github_app::GitHubApp;
use crate::services::readiness::Readiness;
use crate::services::recipients::Recipients;
use crate::services::rules::RuleBook;
use crate::services::sessions::Sessions;
use crate::services::shadow::ShadowMode;
use crate::services::{Counts, Epoch, Wake};
use domain::links::Linker;
use domain::retention::Kept;
use mirror::Mirrors;
use std::sync::Arc;
use store::Store;

/// The handles of all pages: each takes those that it uses.
pub struct PageHandles {
    /// The rows.
    pub store: Store,
    /// The mirrors.
    pub mirrors: Mirrors,
    /// Addresses of our own pages.
    pub linker: Linker,
    /// GitHub's address for people.
    pub github_url: Arc<str>,
    /// The GitHub App, to be made and forgotten.
    pub github_app: GitHubApp,
    /// To be turned when a key is revoked.
    pub epoch: Epoch,
    /// A webhook waits for a worker.
    pub wake: Wake,
    /// Brought up to date for each page.
    pub counts: Counts,
    /// Who is signed in.
    pub sessions: Sessions,
    /// Makes, changes and ends rules.
    pub rules: RuleBook,
    /// Begins and ends shadows.
    pub shadow_mode: ShadowMode,
    /// Says what alerts say.
    pub alert_content: AlertContent,
    /// Knows who has to do with a repository.
    pub recipients: Recipients,
    /// Looks at everything.
    pub doctor: Doctor,
    /// Looks at what stops a server, for machines.
    pub readiness: Readiness,
    /// How long what was counted and kept stays.
    pub kept: Kept,
}
