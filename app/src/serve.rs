//! The wiring of a server: services are opened here, handed to each other, and closed.

use crate::clock::Clock;
use crate::config::Config;
use crate::server::{Server, ServerSettings, router};
use crate::steps::accept::Accept;
use crate::steps::app::{App, AppSlot, AppSource};
use crate::steps::{Cooldown, Epoch, Services};
use crate::vault::{Vault, VaultError};
use crate::worker::Worker;
use domain::links::Linker;
use domain::signature::Signer;
use domain::week::DAY_MS;
use email::{MailError, Mailer};
use github::{GitHub, GitHubError, Settings};
use mirror::{MirrorError, Mirrors};
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use store::{Dialect, Store, StoreError};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

/// How long requests and steps that are under way may take once the server is to stop.
const GRACE: Duration = Duration::from_secs(10);

/// Why a server could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
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
    /// HOST or PORT.
    #[error("{host}:{port} can't be listened on: {why}; is another server running there? Set PORT to another")]
    Listen {
        /// Address.
        host: String,
        /// Port.
        port: u16,
        /// What the system says.
        why: std::io::Error,
    },
    /// The system's source of randomness.
    #[error("the system gives no randomness: {0}")]
    Random(#[from] getrandom::Error),
}

/// A server that is open, but does not work or listen yet.
pub struct Flawless {
    /// The services.
    pub services: Services,
    /// The door for reports.
    pub accept: Accept,
    /// The background work.
    pub worker: Worker,
    /// The configuration, with the public address filled in.
    pub config: Config,
    /// Admits to the pages.
    pub admin_token: String,
    /// The token was made at this start, so that nobody knows it yet.
    pub token_is_new: bool,
    /// Where it listens.
    pub address: SocketAddr,
    listener: TcpListener,
    writer: JoinHandle<()>,
    signer: Signer,
    clock: Clock,
}

/// Makes the crypto provider that all TLS uses the process's own. Later calls change nothing.
pub fn install_crypto() {
    // It fails only where one is installed already, which is then this one.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

impl Flawless {
    /// Opens every room and the port.
    ///
    /// # Errors
    /// A room can't be opened; the message names the setting to look at.
    pub async fn open(config: Config, clock: Clock) -> Result<Self, ServeError> {
        let listen = |why| ServeError::Listen { host: config.host.clone(), port: config.port, why };
        let listener = TcpListener::bind((config.host.as_str(), config.port)).await.map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let mut config = config;
        if config.public_url.is_none() {
            config.public_url = Some(format!("http://{address}"));
        }
        let (services, signer) = open_services(&config).await?;
        if services.store.dialect() == Dialect::Sqlite {
            // Nobody else works on this file, so what was being worked on when the last process ended is free.
            store::jobs::release_all(&services.store).await?;
        }
        let fresh = random_hex()?;
        let stored = store::meta::by_name_or_insert(&services.store, "admin_token", &fresh).await?;
        let token_is_new = config.admin_token.is_none() && stored == fresh;
        let admin_token = config.admin_token.clone().unwrap_or(stored);
        let (accept, writer) = Accept::open(services.store.clone(), services.epoch.clone(), Arc::clone(&services.wake));
        let worker = Worker::new(services.clone(), clock.clone());
        Ok(Self {
            services,
            accept,
            worker,
            config,
            admin_token,
            token_is_new,
            address,
            listener,
            writer,
            signer,
            clock,
        })
    }

    /// Serves until `stop` is done, then ends requests and steps in an orderly way. `working` false leaves the background
    /// work to the caller, who drains it.
    pub async fn run(self, working: bool, stop: impl Future<Output = ()> + Send + 'static) {
        let settings = ServerSettings {
            public_url: self.config.public_url.clone().unwrap_or_default(),
            admin_token: self.admin_token,
            signer: self.signer,
            shown: self.config.shown(),
        };
        let router = router(Server::new(self.services.clone(), self.accept, self.clock, settings));
        let tasks = if working { self.worker.start() } else { Vec::new() };
        let served = axum::serve(self.listener, router).with_graceful_shutdown(stop);
        if let Err(error) = served.await {
            tracing::error!(%error, "the server ended");
        }
        self.worker.stop();
        self.services.mirrors.interrupt();
        let ends = async {
            for task in tasks {
                let _ = task.await;
            }
            // The door is closed with the router; its writer works off what has been acknowledged or is about to be.
            let _ = self.writer.await;
        };
        if tokio::time::timeout(GRACE, ends).await.is_err() {
            tracing::warn!("some work was still under way; it is begun anew at the next start");
        }
        self.services.store.close().await;
    }
}

/// Opens the services without a server: for commands.
///
/// # Errors
/// As [`Flawless::open`].
pub async fn open_services(config: &Config) -> Result<(Services, Signer), ServeError> {
    install_crypto();
    let store = Store::open(&config.database_url).await?;
    let secret = store::meta::by_name_or_insert(&store, "signing_secret", &random_hex()?).await?;
    let installation = store::meta::by_name_or_insert(&store, "installation", &random_hex()?[..12]).await?;
    let signer = Signer::new(secret.as_bytes());
    let vault = Vault::new(config.secret_key.as_deref(), &config.data_dir)?;
    let app = match &config.app {
        Some(app) => AppSlot::configured(App {
            github: GitHub::new(Settings::new(&config.github_api_url, app.id, &app.private_key))?,
            webhook_secret: config.webhook_secret.as_deref().map(Into::into),
            sign_in: config.sign_in.clone(),
            origin: AppSource::Configuration,
        }),
        None => AppSlot::default(),
    };
    app.look(&store, &vault, &config.github_api_url).await?;
    let public_url = config.public_url.clone().unwrap_or_else(|| format!("http://{}:{}", config.host, config.port));
    let services = Services {
        store,
        mirrors: Mirrors::open(config.mirrors())?,
        app,
        github_api_url: config.github_api_url.clone(),
        vault,
        mailer: Arc::new(Mailer::new(config.smtp_url.as_deref(), &config.mail_from, &config.outbox())?),
        linker: Linker::new(&public_url, signer.clone()),
        forge_url: config.github_server_url.clone(),
        shadow_ms: i64::from(config.shadow_days) * DAY_MS,
        outbox: config.outbox(),
        installation,
        epoch: Epoch::default(),
        cooldown: Cooldown::default(),
        wake: Arc::new(Notify::new()),
    };
    Ok((services, signer))
}

/// 64 random hexadecimal digits.
fn random_hex() -> Result<String, getrandom::Error> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
