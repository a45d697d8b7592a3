//! The GitHub App that this server is, once it is one: it can be made while the server runs.

use super::{Failure, Services};
use crate::vault::{Vault, VaultError};
use domain::access::SignIn;
use domain::job::Job;
use github::manifest::exchange;
use github::{GitHub, GitHubError, Settings};
use serde::{Deserialize, Serialize};
use std::sync::{Arc, PoisonError, RwLock};
use store::{Store, StoreError};

/// The fact that a stored App is, and the purpose that it is sealed for.
const FACT: &str = "github_app";

/// An App and its secrets.
#[derive(Clone)]
pub struct App {
    /// The connection to GitHub.
    pub github: GitHub,
    /// What GitHub signs webhooks with; `None`: none can be believed.
    pub webhook_secret: Option<Arc<str>>,
    /// With what it signs people in; `None`: they can't sign in with GitHub.
    pub sign_in: Option<SignIn>,
    /// Where the App came from.
    pub origin: AppSource,
}

/// Where an App came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AppSource {
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

/// The place for an App, shared by all services.
#[derive(Clone, Default)]
pub struct AppSlot {
    held: Arc<RwLock<Held>>,
    /// Held while an App is taken over: its code works once, and browsers ask twice.
    adopting: Arc<tokio::sync::Mutex<()>>,
}

#[derive(Default)]
struct Held {
    app: Option<App>,
    /// As it is stored, to tell when another process has made or forgotten one.
    sealed: String,
    /// Why the stored one can't be used.
    trouble: Option<String>,
}

impl AppSlot {
    /// The App that the configuration names.
    pub fn configured(app: App) -> Self {
        let slot = Self::default();
        slot.hold(Held { app: Some(app), ..Held::default() });
        slot
    }

    /// The App, where there is one.
    pub fn get(&self) -> Option<App> {
        // What is in it is replaced whole, so a panic elsewhere leaves nothing half done.
        self.held.read().unwrap_or_else(PoisonError::into_inner).app.clone()
    }

    /// Why the App that is stored can't be used, where it can't.
    pub fn trouble(&self) -> Option<String> {
        self.held.read().unwrap_or_else(PoisonError::into_inner).trouble.clone()
    }

    /// GitHub, as the App sees it.
    pub fn github(&self) -> Option<GitHub> {
        self.get().map(|app| app.github)
    }

    /// Looks whether the setup page, of this process or another, has made an App or forgotten it. One that can't be used is
    /// as none, and said: reports are taken all the same.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn look(&self, store: &Store, vault: &Vault, api_url: &str) -> Result<(), StoreError> {
        if self.get().is_some_and(|app| app.origin == AppSource::Configuration) {
            return Ok(());
        }
        let sealed = store::meta::by_name(store, FACT).await?.unwrap_or_default();
        if sealed == self.held.read().unwrap_or_else(PoisonError::into_inner).sealed {
            return Ok(());
        }
        let (app, trouble) = match opened(&sealed, vault, api_url) {
            Ok(app) => (app, None),
            Err(error) => {
                tracing::error!(%error, "the GitHub App that is stored can't be used; what is for GitHub waits");
                (None, Some(error.to_string()))
            }
        };
        self.hold(Held { app, sealed, trouble });
        Ok(())
    }

    fn hold(&self, held: Held) {
        *self.held.write().unwrap_or_else(PoisonError::into_inner) = held;
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
            sign_in: Some(SignIn { client_id: self.client_id.clone(), client_secret: self.client_secret.clone() }),
            origin: AppSource::Setup { name: self.name.clone(), html_url: self.html_url.clone() },
        })
    }
}

fn opened(sealed: &str, vault: &Vault, api_url: &str) -> Result<Option<App>, AppError> {
    if sealed.is_empty() {
        return Ok(None);
    }
    let kept: Kept = serde_json::from_str(&vault.open(FACT, sealed)?)?;
    Ok(Some(kept.app(api_url)?))
}

impl Services {
    /// Takes over the App that GitHub made, by the code that it sent the browser back with; answers its page. It is
    /// stored before it is used: GitHub hands its secrets over only once. A second call finds what the first one took.
    ///
    /// # Errors
    /// GitHub does not know the code, or the App can't be stored.
    pub async fn adopt(&self, code: &str, now_ms: i64) -> Result<String, AppError> {
        let _turn = self.app.adopting.lock().await;
        if let Some(AppSource::Setup { html_url, .. }) = self.app.get().map(|app| app.origin) {
            return Ok(html_url);
        }
        // What can't be kept must not be asked for.
        self.vault.seal(FACT, "a try")?;
        let created = exchange(&self.github_api_url, code).await?;
        let kept = Kept {
            id: created.id,
            name: created.name,
            html_url: created.html_url.clone(),
            pem: created.pem,
            webhook_secret: created.webhook_secret,
            client_id: created.client_id,
            client_secret: created.client_secret,
        };
        let sealed = self.vault.seal(FACT, &serde_json::to_string(&kept)?)?;
        store::meta::set(&self.store, FACT, &sealed).await?;
        self.app.look(&self.store, &self.vault, &self.github_api_url).await?;
        tracing::info!(app = %created.slug, "the GitHub App was created");
        store::jobs::enqueue(&self.store, Job::Reconcile, now_ms, now_ms).await?;
        self.wake.notify_one();
        Ok(created.html_url)
    }

    /// Looks whether another process has made an App or forgotten it.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn look_for_app(&self) -> Result<(), Failure> {
        Ok(self.app.look(&self.store, &self.vault, &self.github_api_url).await?)
    }

    /// Forgets the App that the setup page made, as after it was deleted on GitHub. What it watched stays listed, and
    /// its issues wait for another App.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn forget_app(&self) -> Result<(), Failure> {
        store::meta::set(&self.store, FACT, "").await?;
        self.app.look(&self.store, &self.vault, &self.github_api_url).await?;
        tracing::info!("the GitHub App was forgotten");
        Ok(())
    }
}
