//! The GitHub App that this server is, once it is one: it can be made while the server runs.

use super::{Failure, Rooms};
use crate::domain::job::Job;
use crate::github::manifest::{CreatedApp, exchange};
use crate::github::{GitHub, GitHubError, Settings};
use crate::store::{Store, StoreError};
use crate::vault::{Vault, VaultError};
use serde::{Deserialize, Serialize};
use std::sync::{Arc, PoisonError, RwLock};

/// The fact that a stored App is, and the purpose that it is sealed for.
const FACT: &str = "github_app";

/// An App and its secrets.
#[derive(Clone)]
pub struct App {
    /// The connection to GitHub.
    pub github: GitHub,
    /// What GitHub signs webhooks with; `None`: none can be believed.
    pub webhook_secret: Option<Arc<str>>,
    /// Where the App came from.
    pub origin: Origin,
}

/// Where an App came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The configuration: it wins over what is stored.
    Configuration,
    /// The setup page made it, and it is kept in the database.
    Setup {
        /// Its name.
        name: String,
        /// Its page on GitHub.
        html_url: String,
    },
}

/// The place for an App, shared by all rooms.
#[derive(Clone, Default)]
pub struct AppSlot(Arc<RwLock<Option<App>>>);

impl AppSlot {
    /// A place that is taken, or not yet.
    pub fn new(app: Option<App>) -> Self {
        Self(Arc::new(RwLock::new(app)))
    }

    /// The App, where there is one.
    pub fn get(&self) -> Option<App> {
        // What is in it is replaced whole, so a panic elsewhere leaves nothing half done.
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// GitHub, as the App sees it.
    pub fn github(&self) -> Option<GitHub> {
        self.get().map(|app| app.github)
    }

    fn set(&self, app: Option<App>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = app;
    }
}

/// Why a stored App can't be used.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Its secrets can't be read or kept.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// Its key is none, or GitHub is out of reach.
    #[error(transparent)]
    GitHub(#[from] GitHubError),
    /// What is stored was written by another version.
    #[error("the stored GitHub App: {0}")]
    Content(#[from] serde_json::Error),
}

/// What is kept of an App, sealed.
#[derive(Serialize, Deserialize)]
struct Kept {
    id: u64,
    name: String,
    html_url: String,
    pem: String,
    webhook_secret: Option<String>,
    client_id: String,
    client_secret: String,
}

impl Kept {
    fn app(&self, api_url: &str) -> Result<App, GitHubError> {
        Ok(App {
            github: GitHub::new(Settings::new(api_url, self.id, &self.pem))?,
            webhook_secret: self.webhook_secret.as_deref().map(Into::into),
            origin: Origin::Setup { name: self.name.clone(), html_url: self.html_url.clone() },
        })
    }
}

/// The App that the setup page made, where it made one.
///
/// # Errors
/// It is there, and can't be used.
pub async fn kept(store: &Store, vault: &Vault, api_url: &str) -> Result<Option<App>, AppError> {
    let Some(sealed) = store.fact(FACT).await?.filter(|sealed| !sealed.is_empty()) else { return Ok(None) };
    let kept: Kept = serde_json::from_str(&vault.open(FACT, &sealed)?)?;
    Ok(Some(kept.app(api_url)?))
}

impl Rooms {
    /// Takes over the App that GitHub made, by the code that it sent the browser back with; answers its page. It is
    /// stored before it is used: GitHub hands its secrets over only once.
    ///
    /// # Errors
    /// GitHub does not know the code, or the App can't be stored.
    pub async fn adopt(&self, code: &str, now_ms: i64) -> Result<CreatedApp, AppError> {
        let created = exchange(&self.github_api_url, code).await?;
        let kept = Kept {
            id: created.id,
            name: created.name.clone(),
            html_url: created.html_url.clone(),
            pem: created.pem.clone(),
            webhook_secret: created.webhook_secret.clone(),
            client_id: created.client_id.clone(),
            client_secret: created.client_secret.clone(),
        };
        let sealed = self.vault.seal(FACT, &serde_json::to_string(&kept)?)?;
        self.store.set_fact(FACT, &sealed).await?;
        self.app.set(Some(kept.app(&self.github_api_url)?));
        tracing::info!(app = %created.slug, "the GitHub App was created");
        self.store.enqueue(Job::Reconcile, now_ms, now_ms).await?;
        self.bell.notify_one();
        Ok(created)
    }

    /// Forgets the App that the setup page made, as after it was deleted on GitHub. What it watched stays listed, and
    /// is told of by mail only.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn forget_app(&self) -> Result<(), Failure> {
        self.store.set_fact(FACT, "").await?;
        self.app.set(None);
        tracing::info!("the GitHub App was forgotten");
        Ok(())
    }
}
