//! What the log says of a database that is in trouble: once a minute what it is and what to do, not
//! once for each request and job that fails for it.

use std::fmt::Display;
use store::{Store, StoreError, Trouble};

/// Logs that something could not be done.
pub fn log_store_error(store: &Store, error: &StoreError, what: &str) {
    match error.trouble() {
        Some(trouble) => log_trouble(store, trouble, error, what),
        None => tracing::error!(%error, "{what}"),
    }
}

/// Logs that something could not be done because of this trouble, where it was not logged lately.
pub fn log_trouble(store: &Store, trouble: Trouble, error: &dyn Display, what: &str) {
    if let Some(more) = store.to_be_logged(trouble) {
        tracing::error!(%error, todo = trouble.todo(), not_logged_before = more, "{what}");
    }
}
