//! The GitHub App that this server is, once it is one: it can be made while the server runs.

use crate::github::GitHub;
use std::sync::{Arc, PoisonError, RwLock};

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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The configuration: it wins over what is stored.
    Configuration,
    /// The setup page made it, and it is kept in the database.
    Setup,
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

    /// Puts an App there, or takes it away. What is under way goes on with the one before.
    pub fn set(&self, app: Option<App>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = app;
    }
}
