//! Where deployments were seen to be in their repository, for reports to come that do not tell.

use crate::columns::{LONGEST_INDEXED, get, indexable};
use crate::{Store, StoreError};
use domain::deployed_root::Root;
use domain::ids::RepositoryId;
use domain::timestamp::{DAY, Timestamp};
use jiff::SignedDuration;
use std::collections::BTreeSet;

/// Rows of one repository: a server has one or two, and where each start of a container has a name
/// of its own, the latest are enough.
pub const MOST_ROWS: usize = 200;

/// Roots of one place that are read.
const MOST_READ: i64 = 20;

/// What was not seen for so long may have been deployed anew.
const REMEMBERED_FOR: SignedDuration = SignedDuration::from_hours(90 * 24);

/// The roots of the first of these places that has any.
pub async fn of_places(
    store: &Store,
    repository: RepositoryId,
    places: &[String],
    now: Timestamp,
) -> Result<Vec<Root>, StoreError> {
    for place in places {
        let rows = sqlx::query(
            "SELECT prefix, folder FROM deployment_roots WHERE repository_id = $1 AND place = $2 AND seen_at_ms > $3
             ORDER BY seen_at_ms DESC, prefix, folder LIMIT $4",
        )
        .bind(repository.0)
        .bind(indexable(place))
        .bind((now - REMEMBERED_FOR).as_millis())
        .bind(MOST_READ)
        .fetch_all(&store.pool)
        .await?;
        if !rows.is_empty() {
            return rows
                .iter()
                .map(|row| Ok(Root { prefix: get(row, "prefix")?, folder: get(row, "folder")? }))
                .collect();
        }
    }
    Ok(Vec::new())
}

/// Remembers the roots that a report of these places has shown; what was seen within a day is not
/// written again.
pub async fn note(
    store: &Store,
    repository: RepositoryId,
    places: &[String],
    roots: &[Root],
    now: Timestamp,
) -> Result<(), StoreError> {
    let short = |root: &&Root| root.prefix.len() + root.folder.len() <= LONGEST_INDEXED;
    let roots: Vec<&Root> = roots.iter().filter(short).collect();
    for place in places {
        let known = seen_within_a_day(store, repository, place, now).await?;
        // In one order, whichever report shows them: two that lock each other's rows would wait
        // for each other.
        let fresh: BTreeSet<&&Root> = roots.iter().filter(|root| !known.contains(**root)).collect();
        if fresh.is_empty() {
            continue;
        }
        let mut tx = store.begin().await?;
        for root in fresh {
            sqlx::query(
                "INSERT INTO deployment_roots (repository_id, place, prefix, folder, seen_at_ms)
                 VALUES ($1, $2, $3, $4, $5)
                 ON CONFLICT (repository_id, place, prefix, folder) DO UPDATE SET seen_at_ms = excluded.seen_at_ms",
            )
            .bind(repository.0)
            .bind(indexable(place))
            .bind(&root.prefix)
            .bind(&root.folder)
            .bind(now.as_millis())
            .execute(tx.conn())
            .await?;
        }
        sqlx::query(
            "DELETE FROM deployment_roots WHERE repository_id = $1 AND seen_at_ms < (
                 SELECT seen_at_ms FROM deployment_roots WHERE repository_id = $1
                 ORDER BY seen_at_ms DESC LIMIT 1 OFFSET $2)",
        )
        .bind(repository.0)
        .bind(i64::try_from(MOST_ROWS).unwrap_or(i64::MAX) - 1)
        .execute(tx.conn())
        .await?;
        tx.commit().await?;
    }
    Ok(())
}

async fn seen_within_a_day(
    store: &Store,
    repository: RepositoryId,
    place: &str,
    now: Timestamp,
) -> Result<BTreeSet<Root>, StoreError> {
    let rows = sqlx::query(
        "SELECT prefix, folder FROM deployment_roots WHERE repository_id = $1 AND place = $2 AND seen_at_ms > $3",
    )
    .bind(repository.0)
    .bind(indexable(place))
    .bind((now - DAY).as_millis())
    .fetch_all(&store.pool)
    .await?;
    rows.iter().map(|row| Ok(Root { prefix: get(row, "prefix")?, folder: get(row, "folder")? })).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repositories::{NewRepository, watch};

    #[tokio::test]
    async fn the_latest_roots_of_a_place_are_remembered() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&format!("sqlite://{}/test.db", folder.path().display())).await.unwrap();
        let mut now = Timestamp::from_seconds(1_000_000_000);
        let new = NewRepository { full_name: "acme/shop".into(), clone_url: "/b".into(), github: None, public: false };
        let (id, _) = watch(&store, &new, now).await.unwrap();
        let root = |folder: &str| Root { prefix: "app".into(), folder: folder.into() };
        let places = ["server web-1".to_owned(), "release 1.0".to_owned()];
        note(&store, id, &places, &[root("a")], now).await.unwrap();
        assert_eq!(of_places(&store, id, &places, now).await.unwrap(), [root("a")]);
        assert_eq!(
            of_places(&store, id, &["server web-2".into(), "release 1.0".into()], now).await.unwrap(),
            [root("a")]
        );
        assert!(of_places(&store, id, &["server web-2".into()], now).await.unwrap().is_empty());
        let long = Root { prefix: "x".repeat(LONGEST_INDEXED + 1), folder: String::new() };
        note(&store, id, &places[..1], &[long], now).await.unwrap();
        for n in 0..MOST_ROWS {
            now += SignedDuration::from_secs(1);
            note(&store, id, &[format!("server pod-{n}")], &[root("b")], now).await.unwrap();
        }
        assert!(of_places(&store, id, &places, now).await.unwrap().is_empty(), "the oldest go first");
        let last = [format!("server pod-{}", MOST_ROWS - 1)];
        assert_eq!(of_places(&store, id, &last, now).await.unwrap(), [root("b")]);
        assert!(of_places(&store, id, &last, now + 2 * REMEMBERED_FOR).await.unwrap().is_empty());
        store.close().await;
    }
}
