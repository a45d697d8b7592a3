//! How long things are kept in each repository, and what a week's report says is gone.

use domain::retention::{Kept, RetentionSettings};
use domain::timestamp::Timestamp;
use std::collections::HashMap;
use store::repositories::RepositoryRow;
use store::retention::Policy;
use store::{Store, StoreError};

/// What is said where other repositories' week is shorter of detail than the server's.
const SOME_KEEP_LESS: &str = "Some repositories keep less, as their settings say.";

/// How long everything is kept: as the server says, and as the repositories' own settings do.
///
/// # Errors
/// The database is out of reach.
pub async fn policy(store: &Store, server: Kept) -> Result<Policy, StoreError> {
    let rows = store::repositories::list(store).await?;
    let is_own = |row: &&RepositoryRow| row.settings.retention != RetentionSettings::default();
    let own: HashMap<_, _> =
        rows.iter().filter(is_own).map(|row| (row.repository.id, server.with(&row.settings.retention))).collect();
    Ok(Policy { server, own })
}

/// What is not there any more of a week's report, in sentences: of one repository, or of several.
///
/// # Errors
/// The database is out of reach.
pub async fn gone_of_week(
    store: &Store,
    server: Kept,
    rows: &[&RepositoryRow],
    week: Timestamp,
    now: Timestamp,
) -> Result<Vec<String>, StoreError> {
    // Where detail ends does the last round say that there was, not the clock.
    let horizon = store::retention::horizon(store).await?.unwrap_or(now);
    let gone = |kept: Kept| kept.boundaries(horizon).of_week(week);
    if let [row] = rows {
        return Ok(gone(server.with(&row.settings.retention)));
    }
    let mut said = gone(server);
    if rows.iter().any(|row| gone(server.with(&row.settings.retention)) != said) {
        said.push(SOME_KEEP_LESS.to_owned());
    }
    Ok(said)
}
