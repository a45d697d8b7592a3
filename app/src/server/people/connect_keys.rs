//! The keys of a repository as the page "Connect an application" shows them: their limits, and what
//! those refused.

use crate::server::ingest::Ingest;
use crate::services::ingest_keys::{limits_words, refused_words};
use domain::ids::RepositoryId;
use domain::key_limits::{DefaultLimits, KeyLimits};
use domain::links::Linker;
use domain::timestamp::{DAY, Timestamp};
use render::views::{KeyView, LimitView};
use render::{thousands, when};
use store::ingest_keys::{KeyRow, RefusedRow};
use store::{Store, StoreError};

/// What is shown of the limits of keys beside their rows.
pub(super) struct LimitsShown {
    /// What holds for keys without limits of their own.
    defaults: DefaultLimits,
    /// What they refused in the last day.
    refused: Vec<RefusedRow>,
}

/// What is shown of the limits of a repository's keys: what this process refused is written first.
///
/// # Errors
/// The database is out of reach.
pub(super) async fn limits_shown(
    store: &Store,
    ingest: &Ingest,
    id: RepositoryId,
    now: Timestamp,
) -> Result<LimitsShown, StoreError> {
    ingest.over_limit.write().await?;
    let refused = store::ingest_keys::of_repository_since(store, id, now - DAY).await?;
    Ok(LimitsShown { defaults: ingest.over_limit.defaults, refused })
}

/// A key; of so many that are in force.
pub(super) fn key_view(linker: &Linker, key: KeyRow, in_force: usize, shown: &LimitsShown) -> KeyView {
    let refused = shown.refused.iter().filter(|row| row.key == key.id);
    let KeyLimits { rate, budget } = key.limits;
    KeyView {
        dsn: linker.dsn(&key.key, key.repository),
        id: key.id.to_string(),
        limits: limits_words(key.limits, shown.defaults),
        rate: limit_view(rate, shown.defaults.rate),
        budget: limit_view(budget, shown.defaults.budget),
        refused: refused.map(|row| refused_words(row.over, &row.refused)).collect(),
        key: key.key,
        label: key.label,
        folder: key.folder,
        made: when(key.created_at),
        used: key.last_used_at.map(when),
        last: key.revoked_at.is_none() && in_force == 1,
        revoked: key.revoked_at.map(when),
    }
}

fn limit_view(own: Option<u32>, default: u32) -> LimitView {
    let default = if default == 0 { "no limit".to_owned() } else { thousands(u64::from(default)) };
    LimitView { own: own.map(|own| thousands(u64::from(own))).unwrap_or_default(), default }
}
