//! Deleting all that is known of a repository, counts and all, when somebody asks for it.

use super::watch::REPORTS;
use crate::{Store, StoreError};
use domain::ids::RepositoryId;

/// All but the reports, in an order in which nothing refers to what is gone.
const THE_REST: [&str; 17] = [
    "DELETE FROM test_reports WHERE repository_id = $1",
    "DELETE FROM jobs WHERE kind = 'deliver' AND subject IN (SELECT id FROM deliveries WHERE repository_id = $1)",
    "DELETE FROM jobs WHERE kind = 'decide' AND subject IN (SELECT id FROM lines WHERE repository_id = $1)",
    "DELETE FROM jobs WHERE kind = 'storm' AND subject IN (SELECT id FROM storms WHERE repository_id = $1)",
    "DELETE FROM jobs WHERE kind = 'fetch' AND subject = $1",
    "DELETE FROM deliveries WHERE repository_id = $1",
    "DELETE FROM storms WHERE repository_id = $1",
    "DELETE FROM rule_baselines WHERE rule_id IN (SELECT id FROM rules WHERE repository_id = $1)",
    "DELETE FROM rules WHERE repository_id = $1",
    "DELETE FROM line_hours WHERE line_id IN (SELECT id FROM lines WHERE repository_id = $1)",
    "DELETE FROM line_facets WHERE line_id IN (SELECT id FROM lines WHERE repository_id = $1)",
    "DELETE FROM lines WHERE repository_id = $1",
    "DELETE FROM handovers WHERE repository_id = $1",
    "DELETE FROM look_ups WHERE repository_id = $1",
    "DELETE FROM ingest_keys WHERE repository_id = $1",
    "DELETE FROM former_names WHERE repository_id = $1",
    "DELETE FROM repositories WHERE id = $1",
];

/// Deletes everything of a repository. Its number is not used again; its keys are refused.
pub async fn delete(store: &Store, id: RepositoryId) -> Result<(), StoreError> {
    let mut tx = store.begin().await?;
    for sql in REPORTS.iter().chain(&THE_REST) {
        sqlx::query(*sql).bind(id.0).execute(tx.conn()).await?;
    }
    tx.commit().await
}
