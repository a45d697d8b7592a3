//! The GitHub App that this server is, once it is one: it can be made while the server runs.

use super::Wake;
use crate::vault::{Vault, VaultError};
use domain::access::SignIn;
use domain::job::Job;
use domain::repository::{GitHubAddress, Repository};
use domain::secret::Secret;
use domain::timestamp::Timestamp;
use github::manifest::{CreatedApp, exchange};
use github::{GitHub, GitHubError, Settings, TimeSource};
use serde::{Deserialize, Serialize};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};
use std::time::Duration;
use store::{Store, StoreError};

/// The fact that a stored App is, and the purpose that it is sealed for.
const FACT: &str = "github_app";
/// How long GitHub may take to say that it knows the App. A page waits for it, which asks again.
const KNOWN_WITHIN: Duration = Duration::from_secs(5);

/// An App and its secrets.
#[derive(Clone)]
pub struct App {
    /// The connection to GitHub.
    pub github: GitHub,
    /// What GitHub signs webhooks with; `None`: none can be believed.
    pub webhook_secret: Option<Secret>,
    /// With what it signs people in; `None`: they can't sign in with GitHub.
    pub sign_in: Option<SignIn>,
    /// Where the App came from.
    pub origin: AppSource,
}

impl App {
    /// Whether GitHub knows the App by now: it may take moments after one was made. Whatever else
    /// it answers, and where it does not in time, is no.
    pub async fn is_known(&self) -> bool {
        tokio::time::timeout(KNOWN_WITHIN, self.github.itself()).await.is_ok_and(|answer| answer.is_ok())
    }
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

/// How GitHub is asked by an App that is made while the server runs.
#[derive(Clone, Debug)]
pub struct ApiAddress {
    /// The API's address.
    pub url: String,
    /// By whose time.
    pub time: TimeSource,
}

/// GitHub's page on which an App is installed, by the App's own page there.
pub fn install_url(html_url: &str) -> String {
    format!("{html_url}/installations/new")
}

/// The GitHub App of this server, wherever it is needed: it can be made, and forgotten, while the
/// server runs.
#[derive(Clone)]
pub struct GitHubApp(Arc<Inner>);

struct Inner {
    store: Store,
    vault: Vault,
    api: ApiAddress,
    wake: Wake,
    state: RwLock<State>,
    /// Held while an App is taken over: its code works once, and browsers ask twice.
    adopting: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct State {
    app: Option<App>,
    /// As it is stored, to tell when another process has made or forgotten one.
    sealed: String,
    /// Why the stored one can't be used.
    trouble: Option<String>,
}

impl GitHubApp {
    /// The App that the configuration names, else the one that is stored, if any.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn open(
        configured: Option<App>,
        store: Store,
        vault: Vault,
        api: ApiAddress,
        wake: Wake,
    ) -> Result<Self, StoreError> {
        let state = RwLock::new(State { app: configured, ..State::default() });
        let adopting = tokio::sync::Mutex::default();
        let app = Self(Arc::new(Inner { store, vault, api, wake, state, adopting }));
        app.reload().await?;
        Ok(app)
    }

    /// The App, where there is one.
    pub fn get(&self) -> Option<App> {
        self.state().app.clone()
    }

    /// The App; one that another server made a moment ago, too.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn latest(&self) -> Result<Option<App>, StoreError> {
        if self.get().is_none() {
            self.reload().await?;
        }
        Ok(self.get())
    }

    /// Why the App that is stored can't be used, where it can't.
    pub fn trouble(&self) -> Option<String> {
        self.state().trouble.clone()
    }

    /// GitHub, as the App sees it.
    pub fn github(&self) -> Option<GitHub> {
        self.get().map(|app| app.github)
    }

    /// GitHub, with a repository's address there; `None` for a plain repository, and while there
    /// is no App.
    pub fn github_of(&self, repository: &Repository) -> Option<(GitHub, GitHubAddress)> {
        self.github().zip(repository.github_address())
    }

    /// Whether lines of a repository get issues. They go to GitHub, or to the outbox directory
    /// while there is no App at all. A plain repository beside an App has none.
    pub fn has_issues(&self, repository: &Repository) -> bool {
        repository.github.is_some() || self.get().is_none()
    }

    /// Looks whether the setup page, of this process or another, has made an App or forgotten it.
    /// One that can't be used is as none, and said: reports are taken all the same.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn reload(&self) -> Result<(), StoreError> {
        if self.get().is_some_and(|app| app.origin == AppSource::Configuration) {
            return Ok(());
        }
        let sealed = store::meta::by_name(&self.0.store, FACT).await?.unwrap_or_default();
        if sealed == self.state().sealed {
            return Ok(());
        }
        let (app, trouble) = match opened(&sealed, &self.0.vault, &self.0.api) {
            Ok(app) => (app, None),
            Err(error) => {
                tracing::error!(%error, "the GitHub App that is stored can't be used; what is for GitHub waits");
                (None, Some(error.to_string()))
            }
        };
        *self.0.state.write().unwrap_or_else(PoisonError::into_inner) = State { app, sealed, trouble };
        Ok(())
    }

    /// Takes over the App that GitHub made, by the code that it sent the browser back with. It is
    /// stored before it is used: GitHub hands its secrets over only once. A second call finds what
    /// the first one took.
    ///
    /// # Errors
    /// GitHub does not know the code, or the App can't be stored.
    pub async fn adopt(&self, code: &str, now: Timestamp) -> Result<(), AppError> {
        let _turn = self.0.adopting.lock().await;
        if matches!(self.latest().await?.map(|app| app.origin), Some(AppSource::Setup { .. })) {
            return Ok(());
        }
        // What can't be kept must not be asked for.
        self.0.vault.seal(FACT, "a try")?;
        let created = exchange(&self.0.api.url, code).await?;
        let slug = created.slug.clone();
        self.keep(&StoredApp::from(created)).await?;
        tracing::info!(app = %slug, "the GitHub App was created");
        store::jobs::enqueue(&self.0.store, Job::Reconcile, now, now).await?;
        self.0.wake.notify_one();
        Ok(())
    }

    async fn keep(&self, app: &StoredApp) -> Result<(), AppError> {
        let sealed = self.0.vault.seal(FACT, &serde_json::to_string(app)?)?;
        store::meta::set(&self.0.store, FACT, &sealed).await?;
        Ok(self.reload().await?)
    }

    /// Forgets the App that the setup page made, as after it was deleted on GitHub. What it watched
    /// stays listed, and its issues wait for another App.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn forget(&self) -> Result<(), StoreError> {
        store::meta::set(&self.0.store, FACT, "").await?;
        self.reload().await?;
        tracing::info!("the GitHub App was forgotten");
        Ok(())
    }

    fn state(&self) -> RwLockReadGuard<'_, State> {
        // What is in it is replaced whole, so a panic elsewhere leaves nothing half done.
        self.0.state.read().unwrap_or_else(PoisonError::into_inner)
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
struct StoredApp {
    id: u64,
    name: String,
    html_url: String,
    pem: Secret,
    webhook_secret: Option<Secret>,
    client_id: String,
    client_secret: Secret,
}

impl StoredApp {
    fn app(&self, api: &ApiAddress) -> Result<App, GitHubError> {
        Ok(App {
            github: GitHub::new(Settings::new(&api.url, self.id, self.pem.clone(), api.time.clone()))?,
            webhook_secret: self.webhook_secret.clone(),
            sign_in: Some(SignIn { client_id: self.client_id.clone(), client_secret: self.client_secret.clone() }),
            origin: AppSource::Setup { name: self.name.clone(), html_url: self.html_url.clone() },
        })
    }
}

impl From<CreatedApp> for StoredApp {
    fn from(created: CreatedApp) -> Self {
        Self {
            id: created.id,
            name: created.name,
            html_url: created.html_url,
            pem: created.pem,
            webhook_secret: created.webhook_secret,
            client_id: created.client_id,
            client_secret: created.client_secret,
        }
    }
}

fn opened(sealed: &str, vault: &Vault, api: &ApiAddress) -> Result<Option<App>, AppError> {
    if sealed.is_empty() {
        return Ok(None);
    }
    let stored: StoredApp = serde_json::from_str(&vault.open(FACT, sealed)?)?;
    Ok(Some(stored.app(api)?))
}
