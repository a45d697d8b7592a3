//! A server: opened, run until it is to stop, and closed.

use crate::clock::Clock;
use crate::config::Config;
use crate::random::random_secret;
use crate::server::{ServerSettings, connections, router};
use crate::services::admin_token::{self, AdminToken, TokenOrigin};
use crate::steps::accept::Accept;
pub use crate::wiring::install_crypto;
use crate::wiring::{Handles, OpenError, prepare_data_dir};
use crate::worker::Worker;
use domain::signature::Signer;
use std::future::Future;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Duration;
use store::{Dialect, ServerLock, StoreError};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// How long steps that are under way may take once the requests have ended ([`connections`] gives
/// those 11 seconds): process managers kill after 30 as a rule.
const GRACE: Duration = Duration::from_secs(10);

/// How long the database may take to close after that.
const CLOSING: Duration = Duration::from_secs(3);

/// Descriptors asked of the system: some times what connections, the database and mirrors use.
const DESCRIPTORS: u64 = 65_536;

/// Descriptors that a process has where the system does not say how many.
const FEWEST_DESCRIPTORS: u64 = 256;

/// Why a server could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What it works with.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// HOST or PORT.
    #[error("{host}:{port} can't be listened on: {why}{}", what_to_do(why))]
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

/// What to do where an address can't be listened on.
fn what_to_do(why: &std::io::Error) -> &'static str {
    match why.kind() {
        ErrorKind::AddrInUse => "; is another server running there? Set PORT to another",
        ErrorKind::PermissionDenied => "; ports below 1024 are the system's: set PORT to a higher one",
        ErrorKind::AddrNotAvailable => "; set HOST to an address of this machine",
        _ => "; set HOST to an address of this machine, and PORT to a free one",
    }
}

/// A server that is open, but does not work or listen yet.
pub struct Flawless {
    /// What is open.
    pub handles: Handles,
    /// The intake of reports.
    pub accept: Accept,
    /// The background work.
    pub worker: Worker,
    /// The configuration, with the public address filled in.
    pub config: Config,
    /// Admits to the pages.
    pub admin_token: AdminToken,
    /// Where it listens.
    pub address: SocketAddr,
    listener: TcpListener,
    /// Of the database's file; held as long as this runs.
    lock: ServerLock,
    writer: JoinHandle<()>,
    signer: Signer,
    clock: Clock,
}

impl Flawless {
    /// Opens what it works with, and the port.
    ///
    /// # Errors
    /// Something can't be opened; the message names the setting to look at.
    pub async fn open(config: Config, clock: Clock) -> Result<Self, ServeError> {
        let listen = |why| ServeError::Listen { host: config.host.clone(), port: config.port, why };
        let listener = TcpListener::bind((config.host.as_str(), config.port)).await.map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let mut config = config;
        if config.public_url.is_none() {
            config.public_url = Some(format!("http://{address}"));
        }
        prepare_data_dir(&config).map_err(OpenError::from)?;
        // Before anything is changed in it.
        let lock = ServerLock::take(&config.database_url)?;
        let (handles, signer) = Handles::open(&config, &clock).await?;
        if handles.store.dialect() == Dialect::Sqlite {
            // Nobody else works on this file, so what was being worked on when the last process
            // ended is free.
            let cut_off = store::jobs::release_all(&handles.store).await?;
            if cut_off > 0 {
                tracing::warn!(
                    cut_off,
                    "jobs ran when the last process ended: each is tried by itself, after all others"
                );
            }
        }
        match handles.outbox.sweep().await {
            Ok(0) => {}
            Ok(swept) => tracing::info!(swept, "files that were left unfinished in the outbox were deleted"),
            Err(error) => tracing::warn!(%error, "what was left unfinished in the outbox could not be deleted"),
        }
        if let Some(theirs) = store::clock::of_server(&handles.store).await? {
            clock.follow(theirs);
        }
        let admin_token = admin_token::at_start(&handles.store, config.admin_token.clone(), &random_secret()?).await?;
        if admin_token.origin == TokenOrigin::MadeInPlace {
            tracing::warn!(
                "ADMIN_TOKEN was set at an earlier start, and is not any more: the token that was made and printed once \
                 opens the pages; to choose one, set ADMIN_TOKEN"
            );
        }
        let (accept, writer) = handles.accept();
        let worker = handles.worker(clock.clone());
        Ok(Self { handles, accept, worker, config, admin_token, address, listener, lock, writer, signer, clock })
    }

    /// Serves until `stop` is done, then ends requests and steps in an orderly way. `working` false
    /// leaves the background work to the caller, who drains it.
    pub async fn run(self, working: bool, stop: impl Future<Output = ()> + Send + 'static) {
        let settings = ServerSettings {
            public_url: self.config.public_url.clone().unwrap_or_default(),
            admin_token: self.admin_token.token,
            token_origin: self.admin_token.origin,
            metrics_token: self.config.metrics_token.clone(),
            trusted_proxies: self.config.trusted_proxies.clone(),
            descriptors: descriptors(),
            key_limits: self.config.key_limits,
            signer: self.signer,
            shown: self.config.shown(),
        };
        let now = self.clock.clone();
        let server = self.handles.server(self.accept, self.clock, settings);
        let connections = server.connections();
        let tasks = if working { self.worker.start() } else { Vec::new() };
        let worker = self.worker.clone();
        let stopping = async {
            stop.await;
            // Steps and requests end side by side.
            worker.stop();
        };
        connections::serve(self.listener, router(server), connections, stopping).await;
        self.handles.mirrors.interrupt();
        let ends = async {
            for task in tasks {
                let _ = task.await;
            }
            // The intake is closed with the router; its writer works off what has been acknowledged
            // or is about to be.
            let _ = self.writer.await;
            let counts = &self.handles.counts;
            if let Err(error) = counts.bring_up_to_date(now.now()).await {
                tracing::warn!(%error, "counts wait in the journal, and are added at the next start");
            }
        };
        if tokio::time::timeout(GRACE, ends).await.is_err() {
            tracing::warn!("some work was still under way; it is begun anew at the next start");
            if let Err(error) = self.worker.put_back().await {
                tracing::warn!(%error, "it could not be put back");
            }
        }
        if tokio::time::timeout(CLOSING, self.handles.store.close()).await.is_err() {
            tracing::warn!("the database was still asked, and is left to itself");
        }
        drop(self.lock);
    }
}

/// Files and connections that the process may have open, raised as far as the system lets it:
/// 1,024, which is the usual beginning, would be used up by clients alone.
fn descriptors() -> u64 {
    rlimit::increase_nofile_limit(DESCRIPTORS).unwrap_or_else(|error| {
        tracing::warn!(%error, "the number of open files can't be raised");
        FEWEST_DESCRIPTORS
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rlimit::Resource;

    #[test]
    fn the_process_may_open_as_many_files_as_the_system_lets_it() {
        let (_, hard) = Resource::NOFILE.get().unwrap();
        let most = hard.min(DESCRIPTORS);
        Resource::NOFILE.set(most - 1, hard).unwrap();
        assert_eq!(descriptors(), most);
        assert_eq!(Resource::NOFILE.get().unwrap(), (most, hard));
    }
}
