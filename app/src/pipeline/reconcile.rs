//! Comparing the repositories that we watch with those that GitHub says are installed: webhooks get lost.

use super::{Failure, Rooms};
use crate::domain::repository::Forge;
use crate::store::repositories::NewRepository;
use std::collections::HashSet;

/// How often GitHub is asked.
pub const RECONCILE_EVERY_MS: i64 = 60 * 60_000;

/// Watches what is installed, and stops watching what is not any more.
///
/// # Errors
/// GitHub or the database is out of reach: to be tried again.
pub async fn reconcile(rooms: &Rooms, now_ms: i64) -> Result<(), Failure> {
    let Some(github) = rooms.app.github() else { return Ok(()) };
    let mut seen: HashSet<u64> = HashSet::new();
    for installation in github.installations().await? {
        if installation.suspended {
            rooms.store.suspend(installation.id, now_ms).await?;
            for row in rooms.store.repositories().await? {
                if let Some(forge) = row.repository.forge.filter(|forge| forge.installation == installation.id) {
                    seen.insert(forge.id);
                }
            }
            continue;
        }
        for found in github.repositories(installation.id).await? {
            seen.insert(found.id);
            let html_url = format!("{}/{}", rooms.forge_url, found.full_name);
            let new = NewRepository {
                clone_url: format!("{html_url}.git"),
                full_name: found.full_name,
                forge: Some(Forge { id: found.id, installation: installation.id, html_url }),
                public: !found.private,
            };
            rooms.watch(&new, now_ms).await?;
        }
    }
    for row in rooms.store.repositories().await? {
        if row.repository.forge.as_ref().is_some_and(|forge| !seen.contains(&forge.id)) {
            rooms.unwatch(&row, now_ms).await?;
        }
    }
    Ok(())
}
