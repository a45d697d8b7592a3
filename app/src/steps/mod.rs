//! The steps from a report to an alert, each from row to row.

pub mod accept;
mod alert_content;
pub mod app;
pub mod attribute;
pub mod decide;
pub mod deliver;
pub mod doctor;
mod ingest_keys;
mod mirror_sync;
mod recipients;
pub mod reconcile;
pub mod refresh;
mod repositories;
pub mod shadow;
pub mod sign_in;
mod test_report;
pub mod webhook;
pub mod whitelist;

use crate::vault::Vault;
use app::AppSlot;
use domain::links::Linker;
use email::Mailer;
use github::GitHubError;
use mirror::{MirrorError, Mirrors};
use render::RenderError;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use store::{Store, StoreError};
use tokio::sync::Notify;

/// The services that the steps work with, opened by `serve` and shared by all.
#[derive(Clone)]
pub struct Services {
    /// The database.
    pub store: Store,
    /// The mirrors.
    pub mirrors: Mirrors,
    /// The GitHub App; while there is none, issues are written to the outbox directory.
    pub app: AppSlot,
    /// Address of GitHub's API.
    pub github_api_url: String,
    /// Keeps the App's secrets.
    pub vault: Vault,
    /// The mailer.
    pub mailer: Arc<Mailer>,
    /// Addresses of our own pages.
    pub linker: Linker,
    /// The forge's address for people and git, `https://github.com`.
    pub forge_url: String,
    /// How long a repository that is new here is in shadow mode, milliseconds; 0: it is not.
    pub shadow_ms: i64,
    /// Where issues go while no App is configured.
    pub outbox: PathBuf,
    /// Tells this installation's issues from another's.
    pub installation: String,
    /// What the memories of this process are worth.
    pub epoch: Epoch,
    /// Until when GitHub is not asked about people.
    pub cooldown: Cooldown,
    /// Rings when there is a job.
    pub wake: Arc<Notify>,
}

/// Goes up when rules, code or resolutions change: what a memory of this process said before has to be looked up again.
#[derive(Clone, Debug, Default)]
pub struct Epoch(Arc<AtomicU64>);

impl Epoch {
    /// The epoch now.
    pub fn now(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }

    /// Begins another one.
    pub fn turn(&self) {
        self.0.fetch_add(1, Ordering::AcqRel);
    }
}

/// Until when GitHub is not asked about people, because it let an alert wait in vain: many alerts would wait one after another.
#[derive(Clone, Debug, Default)]
pub struct Cooldown(Arc<AtomicI64>);

impl Cooldown {
    /// Milliseconds that are left of it.
    fn left_ms(&self, now_ms: i64) -> i64 {
        (self.0.load(Ordering::Acquire) - now_ms).max(0)
    }

    /// Begins it.
    fn until(&self, at_ms: i64) {
        self.0.store(at_ms, Ordering::Release);
    }
}

/// How long what a shadow holds back waits before it is looked at again: for what has to wait for days, that is soon.
const SHADOW_AGAIN_AFTER_MS: i64 = 15 * 60_000;

/// Why a step did not get to its end.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// It may go well later.
    #[error("{why}")]
    Retry {
        /// What is wrong.
        why: String,
        /// The server's own word on when, milliseconds from now.
        after_ms: Option<i64>,
    },
    /// It will never go well.
    #[error("{0}")]
    GiveUp(String),
    /// Nothing failed: there is more to do, from that moment on.
    #[error("there is more to do")]
    Again {
        /// Unix milliseconds.
        at_ms: i64,
    },
}

impl Failure {
    /// To be tried again, when the usual pause is over.
    pub fn retry(why: impl ToString) -> Self {
        Self::Retry { why: why.to_string(), after_ms: None }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Content { .. } => Self::GiveUp(error.to_string()),
            _ => Self::retry(error),
        }
    }
}

impl From<RenderError> for Failure {
    fn from(error: RenderError) -> Self {
        Self::GiveUp(error.to_string())
    }
}

impl From<MirrorError> for Failure {
    fn from(error: MirrorError) -> Self {
        Self::retry(error)
    }
}

impl From<GitHubError> for Failure {
    fn from(error: GitHubError) -> Self {
        // A new name arrives by webhook, or with the next reconciliation: then the same request goes to the right place.
        if error.is_permanent() && !matches!(error, GitHubError::Moved { .. }) {
            Self::GiveUp(error.to_string())
        } else {
            let after_ms = error.retry_after().and_then(|pause| i64::try_from(pause).ok());
            Self::Retry { after_ms, why: error.to_string() }
        }
    }
}

/// Runs git work, which blocks, where blocking is allowed.
///
/// # Errors
/// The work's own, or that it panicked.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, MirrorError> + Send + 'static,
) -> Result<T, Failure> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => Ok(result?),
        Err(panic) => Err(Failure::retry(format!("git work ended in a panic: {panic}"))),
    }
}
