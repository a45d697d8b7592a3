//! What the routes work with, and how a handler gets its part of it.

use super::budget::Budget;
use super::connections::Connections;
use super::ingest::{Arrivals, Ingest};
use super::meters::Meters;
use super::page_handles::PageHandles;
use super::page_room::PageRoom;
use super::session::SessionCookies;
use super::settings::ServerSettings;
use super::urls::Urls;
use crate::clock::Clock;
use crate::services::alert_content::AlertContent;
use crate::services::doctor::Doctor;
use crate::services::github_app::GitHubApp;
use crate::services::readiness::{Clocks, Readiness};
use crate::services::recipients::Recipients;
use crate::services::rules::RuleBook;
use crate::services::shadow::ShadowMode;
use crate::services::{Counts, Epoch, Wake};
use crate::steps::accept::Accept;
use axum::extract::{FromRef, FromRequestParts};
use axum::http::request::Parts as RequestParts;
use domain::retention::Kept;
use domain::timestamp::Timestamp;
use mirror::Mirrors;
use std::convert::Infallible;
use std::sync::Arc;
use store::{Side, Store};

/// The state of all routes. A handler names the parts that it uses: `State(store): State<Store>`.
#[derive(Clone)]
pub struct Server(Arc<Parts>);

struct Parts {
    page_handles: PageHandles,
    ingest: Arc<Ingest>,
    clock: Clock,
    settings: Arc<ServerSettings>,
    sessions: SessionCookies,
    urls: Urls,
    meters: Arc<Meters>,
    arrivals: Arc<Arrivals>,
    budget: Arc<Budget>,
    page_room: Arc<PageRoom>,
    connections: Arc<Connections>,
}

impl Server {
    /// The connections by which it is reached.
    pub fn connections(&self) -> Arc<Connections> {
        Arc::clone(&self.0.connections)
    }

    /// A server of these services.
    pub fn new(page_handles: PageHandles, accept: Accept, clock: Clock, settings: ServerSettings) -> Self {
        let connections = Arc::new(Connections::new(settings.descriptors, settings.trusted_proxies.clone()));
        let settings = Arc::new(settings);
        let arrivals = Arc::<Arrivals>::default();
        let store = page_handles.store.on_behalf_of(Side::Reports);
        let key_limits = settings.key_limits;
        let urls = Urls::new(&settings.public_url, page_handles.linker.clone());
        Self(Arc::new(Parts {
            sessions: SessionCookies::new(
                page_handles.sessions.clone(),
                clock.clone(),
                Arc::clone(&settings),
                urls.root(),
            ),
            urls,
            page_handles,
            ingest: Arc::new(Ingest::new(accept, Arc::clone(&arrivals), store, clock.clone(), key_limits)),
            clock,
            settings,
            meters: Arc::default(),
            arrivals,
            budget: Arc::default(),
            page_room: Arc::default(),
            connections,
        }))
    }
}

/// One row for each part that a handler may name.
macro_rules! parts {
    ($($part:ty: $($field:ident).+;)*) => {$(
        impl FromRef<Server> for $part {
            fn from_ref(server: &Server) -> Self {
                server.0.$($field).+.clone()
            }
        }
    )*};
}

parts! {
    Store: page_handles.store;
    Mirrors: page_handles.mirrors;
    GitHubApp: page_handles.github_app;
    Epoch: page_handles.epoch;
    Wake: page_handles.wake;
    Counts: page_handles.counts;
    RuleBook: page_handles.rules;
    ShadowMode: page_handles.shadow_mode;
    AlertContent: page_handles.alert_content;
    Recipients: page_handles.recipients;
    Doctor: page_handles.doctor;
    Readiness: page_handles.readiness;
    Kept: page_handles.kept;
    Arc<Ingest>: ingest;
    Clock: clock;
    Arc<ServerSettings>: settings;
    SessionCookies: sessions;
    Urls: urls;
    Arc<Meters>: meters;
    Arc<Arrivals>: arrivals;
    Arc<Budget>: budget;
    Arc<PageRoom>: page_room;
    Arc<Connections>: connections;
}

/// Address of GitHub for people, `https://github.com`.
#[derive(Clone, Debug)]
pub(super) struct GitHubUrl(pub(super) String);

impl FromRef<Server> for GitHubUrl {
    fn from_ref(server: &Server) -> Self {
        Self(server.0.page_handles.github_url.to_string())
    }
}

/// When a request is worked on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Now(pub(super) Timestamp);

impl FromRequestParts<Server> for Now {
    type Rejection = Infallible;

    async fn from_request_parts(_: &mut RequestParts, server: &Server) -> Result<Self, Infallible> {
        Ok(Self(server.0.clock.now()))
    }
}

/// What time it is then, by all clocks.
#[derive(Clone, Copy, Debug)]
pub(super) struct AllClocks(pub(super) Clocks);

impl FromRequestParts<Server> for AllClocks {
    type Rejection = Infallible;

    async fn from_request_parts(_: &mut RequestParts, server: &Server) -> Result<Self, Infallible> {
        Ok(Self(Clocks { now: server.0.clock.now(), machine: server.0.clock.machine() }))
    }
}
