//! The wiring: what the program works with is opened here, and each part is given the handles that
//! it uses.

mod steps;

use crate::clock::Clock;
use crate::config::Config;
use crate::data_dir::{self, DataDirError, NoData};
use crate::random::random_secret;
use crate::server::{PageHandles, Server, ServerSettings};
use crate::services::alert_content::AlertContent;
use crate::services::doctor::Doctor;
use crate::services::fetches::Fetches;
use crate::services::github_app::{ApiAddress, App, AppSource, GitHubApp};
use crate::services::mirror_sync::MirrorSync;
use crate::services::readiness::Readiness;
use crate::services::recipients::{Cooldown, Recipients};
use crate::services::repositories::Repositories;
use crate::services::rules::RuleBook;
use crate::services::sessions::Sessions;
use crate::services::shadow::ShadowMode;
use crate::services::{AskedCommits, Counts, Crew, Epoch, Site, Wake};
use crate::steps::accept::Accept;
use crate::steps::retain::Retain;
use crate::steps::webhook::IssueAnswers;
use crate::vault::{KEY_FILE, Vault, VaultError};
use crate::worker::{Hands, Upkeep, Worker};
use domain::links::Linker;
use domain::retention::Kept;
use domain::signature::Signer;
use email::{MailError, Mailer, Outbox};
use github::{GitHub, GitHubError, Settings, TimeSource};
use jiff::SignedDuration;
use mirror::{MirrorError, Mirrors};
use std::sync::Arc;
use store::{Side, Store, StoreError};

/// Why something could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// DATA_DIR.
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    /// DATA_DIR, or DATABASE_URL.
    #[error(transparent)]
    NoData(#[from] NoData),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The directory of mirrors.
    #[error("mirrors: {0}")]
    Mirror(#[from] MirrorError),
    /// SMTP_URL or MAIL_FROM.
    #[error("mail: {0}")]
    Mail(#[from] MailError),
    /// APP_ID or PRIVATE_KEY.
    #[error("GitHub App: {0}")]
    GitHub(#[from] GitHubError),
    /// SECRET_KEY.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The system's source of randomness.
    #[error("the system gives no randomness: {0}")]
    Random(#[from] getrandom::Error),
}

/// What is open. Only where the program is put together is it known whole: each part gets of it
/// what it uses.
#[derive(Clone)]
pub struct Handles {
    /// The database.
    pub store: Store,
    /// The mirrors.
    pub mirrors: Mirrors,
    /// The GitHub App; while there is none, issues are written to the outbox directory.
    pub github_app: GitHubApp,
    /// Where we are, and how we are told from others.
    pub site: Site,
    /// Wakes the workers.
    pub wake: Wake,
    /// Keeps counts up to date.
    pub counts: Counts,
    epoch: Epoch,
    crew: Crew,
    cooldown: Cooldown,
    asked: AskedCommits,
    answers: IssueAnswers,
    fetches: Fetches,
    mailer: Arc<Mailer>,
    vault: Vault,
    /// The directory of what is not sent anywhere.
    pub outbox: Outbox,
    readiness: Readiness,
    shadow_for: SignedDuration,
    key_budget: u32,
    /// How long what was counted and kept stays.
    pub kept: Kept,
}

/// Makes the crypto provider that all TLS uses the process's own. Later calls change nothing.
pub fn install_crypto() {
    // It fails only where one is installed already, which is then this one.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

impl Handles {
    /// Opens everything but the port. The signer signs links, cookies and forms; the clock says by
    /// which time GitHub is asked.
    ///
    /// # Errors
    /// Something can't be opened; the message names the setting to look at.
    pub async fn open(config: &Config, clock: &Clock) -> Result<(Self, Signer), OpenError> {
        install_crypto();
        prepare_data_dir(config)?;
        let store = Store::open(&config.database_url).await?;
        store::moving::refuse_if_moved(&store).await?;
        let secret = store::meta::by_name_or_insert(&store, "signing_secret", &random_secret()?).await?;
        let signer = Signer::new(secret.as_bytes());
        let (vault, wake) = (Vault::new(config.secret_key.as_ref(), &config.data_dir)?, Wake::default());
        let clock = clock.clone();
        let time = TimeSource::new(move || clock.now());
        let app = configured_app(config, &time)?;
        let address = ApiAddress { url: config.github_api_url.clone(), time };
        let github_app = GitHubApp::open(app, store.clone(), vault.clone(), address, wake.clone()).await?;
        let (mirrors, crew) = (Mirrors::open(config.mirrors())?, Crew::default());
        let handles = Self {
            readiness: Readiness::new(store.clone(), mirrors.clone(), github_app.clone(), crew.clone()),
            mirrors,
            github_app,
            site: site(config, &store, &signer).await?,
            counts: Counts::new(store.clone(), wake.clone()),
            wake,
            epoch: Epoch::default(),
            crew,
            cooldown: Cooldown::default(),
            asked: AskedCommits::default(),
            answers: IssueAnswers::default(),
            fetches: Fetches::default(),
            mailer: Arc::new(Mailer::new(config.smtp_url.as_deref(), &config.mail_from, &config.outbox())?),
            vault,
            outbox: Outbox::new(&config.outbox()),
            shadow_for: SignedDuration::from_hours(i64::from(config.shadow_days) * 24),
            key_budget: config.key_limits.budget,
            kept: config.kept,
            store,
        };
        Ok((handles, signer))
    }

    /// Opens what a server has kept, and makes none of it: a command that is run in another folder
    /// would otherwise find an empty database there.
    ///
    /// # Errors
    /// There is nothing of a server, or something can't be opened.
    pub async fn open_existing(config: &Config, clock: &Clock) -> Result<Self, OpenError> {
        find_data(config)?;
        Ok(Self::open(config, clock).await?.0)
    }

    /// Takes reports in.
    pub fn accept(&self) -> (Accept, tokio::task::JoinHandle<()>) {
        let store = self.store.on_behalf_of(Side::Reports);
        Accept::open(store, self.epoch.clone(), self.wake.clone(), self.counts.clone(), self.key_budget)
    }

    /// The background work, by this clock.
    pub fn worker(&self, clock: Clock) -> Worker {
        let work = Self { store: self.store.on_behalf_of(Side::Work), ..self.clone() };
        let upkeep = Upkeep {
            github_app: work.github_app.clone(),
            rules: work.rules(),
            shadow_mode: work.shadow_mode(),
            epoch: work.epoch.clone(),
            mirror_sync: work.mirror_sync(),
            counts: work.counts.through(work.store.clone()),
            retain: Retain::new(work.store.clone(), work.outbox.clone(), work.kept),
        };
        let (store, wake, crew) = (work.store.clone(), work.wake.clone(), work.crew.clone());
        let fetches = work.fetches.clone();
        let steps = Arc::new(move |store| Self { store, ..work.clone() }.steps());
        Worker::new(store, wake, clock, steps, upkeep, Hands { crew, fetches })
    }

    /// The HTTP side.
    pub fn server(&self, accept: Accept, clock: Clock, settings: ServerSettings) -> Server {
        let services = PageHandles {
            store: self.store.clone(),
            mirrors: self.mirrors.clone(),
            linker: self.site.linker.clone(),
            github_url: Arc::clone(&self.site.github_url),
            github_app: self.github_app.clone(),
            epoch: self.epoch.clone(),
            wake: self.wake.clone(),
            counts: self.counts.clone(),
            sessions: self.sessions(),
            rules: self.rules(),
            shadow_mode: self.shadow_mode(),
            alert_content: self.alert_content(),
            recipients: self.recipients(),
            doctor: self.doctor(),
            readiness: self.readiness.clone(),
            kept: self.kept,
        };
        Server::new(services, accept, clock, settings)
    }

    /// Begins and ends to watch repositories.
    pub fn repositories(&self) -> Repositories {
        Repositories {
            store: self.store.clone(),
            mirrors: self.mirrors.clone(),
            github_url: Arc::clone(&self.site.github_url),
            shadow_for: self.shadow_for,
            epoch: self.epoch.clone(),
            wake: self.wake.clone(),
        }
    }

    /// Makes, changes and ends rules.
    pub fn rules(&self) -> RuleBook {
        RuleBook {
            store: self.store.clone(),
            epoch: self.epoch.clone(),
            counts: self.counts.through(self.store.clone()),
        }
    }

    /// Begins and ends shadows.
    pub fn shadow_mode(&self) -> ShadowMode {
        ShadowMode { store: self.store.clone(), epoch: self.epoch.clone(), wake: self.wake.clone() }
    }

    /// Looks at everything that can be wrong.
    pub fn doctor(&self) -> Doctor {
        Doctor {
            store: self.store.clone(),
            mirrors: self.mirrors.clone(),
            mailer: Arc::clone(&self.mailer),
            github_app: self.github_app.clone(),
            site: self.site.clone(),
            readiness: self.readiness.clone(),
            kept: self.kept,
        }
    }

    /// What the memories of this process are worth.
    pub fn epoch(&self) -> &Epoch {
        &self.epoch
    }

    fn sessions(&self) -> Sessions {
        Sessions {
            store: self.store.clone(),
            github_app: self.github_app.clone(),
            vault: self.vault.clone(),
            github_url: Arc::clone(&self.site.github_url),
            out_of_reach_at: Arc::default(),
        }
    }

    fn alert_content(&self) -> AlertContent {
        AlertContent { store: self.store.clone(), site: self.site.clone() }
    }

    fn recipients(&self) -> Recipients {
        Recipients {
            store: self.store.clone(),
            mirror_sync: self.mirror_sync(),
            github_app: self.github_app.clone(),
            cooldown: self.cooldown.clone(),
            operator: self.site.operator.clone(),
        }
    }

    fn mirror_sync(&self) -> MirrorSync {
        MirrorSync {
            store: self.store.clone(),
            mirrors: self.mirrors.clone(),
            fetches: self.fetches.clone(),
            asked: self.asked.clone(),
            github_app: self.github_app.clone(),
            epoch: self.epoch.clone(),
        }
    }
}

/// Sees that DATA_DIR can be used, before something in it is what fails.
pub(crate) fn prepare_data_dir(config: &Config) -> Result<(), DataDirError> {
    let (mirrors, outbox) = (config.mirrors(), config.outbox());
    data_dir::prepare(&config.data_dir, &[&mirrors, &outbox], &[&config.data_dir.join(KEY_FILE)])
}

/// Sees that a server has kept data where the configuration says.
pub(crate) fn find_data(config: &Config) -> Result<(), NoData> {
    data_dir::find(&config.data_dir, store::database_file(&config.database_url).as_deref())
}

/// The App that the configuration names.
fn configured_app(config: &Config, time: &TimeSource) -> Result<Option<App>, GitHubError> {
    let Some(app) = &config.app else { return Ok(None) };
    let settings = Settings::new(&config.github_api_url, app.id, app.private_key.clone(), time.clone());
    Ok(Some(App {
        github: GitHub::new(settings)?,
        webhook_secret: config.webhook_secret.clone(),
        sign_in: config.sign_in.clone(),
        origin: AppSource::Configuration,
    }))
}

async fn site(config: &Config, store: &Store, signer: &Signer) -> Result<Site, OpenError> {
    Ok(Site {
        linker: Linker::new(&config.address(), signer.clone()),
        installation: store::meta::by_name_or_insert(store, "installation", &random_secret()?[..12]).await?.into(),
        github_url: config.github_server_url.as_str().into(),
        operator: config.operator_email.as_deref().map(Into::into),
    })
}
