//! Deleting all that is known of a repository, counts and all, when somebody asks for it.

use super::watch::REPORTS;
use crate::meta::issues_looked;
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
    sqlx::query("DELETE FROM meta WHERE name = $1").bind(issues_looked(id)).execute(tx.conn()).await?;
    tx.commit().await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repositories::{NewRepository, watch};
    use domain::timestamp::Timestamp;

    const NOW: Timestamp = Timestamp::from_seconds(1_000);

    #[tokio::test]
    async fn the_number_of_a_deleted_repository_is_not_given_again() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&format!("sqlite://{}/test.db", folder.path().display())).await.unwrap();
        let new = NewRepository { full_name: "acme/shop".into(), clone_url: "/b".into(), github: None, public: false };
        for number in 1..4 {
            let (id, _) = watch(&store, &new, NOW).await.unwrap();
            assert_eq!(id, RepositoryId(number));
            delete(&store, id).await.unwrap();
        }
    }
}
