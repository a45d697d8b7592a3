//! What was refused because a key brought more than it may: counts by hour, never one by one.

use crate::columns::{get, get_count, get_time};
use crate::{Store, StoreError};
use domain::ids::{IngestKeyId, RepositoryId};
use domain::timestamp::Timestamp;
use jiff::SignedDuration;

/// How long the counts are kept. Pages show those of a day.
const KEPT: SignedDuration = SignedDuration::from_hours(7 * 24);

/// What a key brought too much of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Over {
    /// Requests a minute.
    Rate,
    /// Kinds of errors that were never seen before.
    Budget,
}

impl Over {
    /// As a row has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rate => "rate",
            Self::Budget => "budget",
        }
    }

    fn of(name: &str) -> Result<Self, StoreError> {
        match name {
            "rate" => Ok(Self::Rate),
            "budget" => Ok(Self::Budget),
            _ => Err(StoreError::content("key_refusals.reason", format!("there is no reason {name:?}"))),
        }
    }
}

/// How often something was refused, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused {
    /// At least 1.
    pub count: u64,
    /// The first time.
    pub first_at: Timestamp,
    /// The last time.
    pub last_at: Timestamp,
}

impl Refused {
    /// Both together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            count: self.count.saturating_add(other.count),
            first_at: self.first_at.min(other.first_at),
            last_at: self.last_at.max(other.last_at),
        }
    }
}

/// What was refused of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefusedRow {
    /// The key.
    pub key: IngestKeyId,
    /// Why.
    pub over: Over,
    /// How often.
    pub refused: Refused,
}

/// Adds what was refused since the last time; each counts for the hour of its last one. What a key
/// that is gone brought is left out.
pub async fn record_refusals(store: &Store, rows: &[RefusedRow], now: Timestamp) -> Result<(), StoreError> {
    let mut tx = store.begin_lazily().await?;
    for RefusedRow { key, over, refused } in rows {
        sqlx::query(
            "INSERT INTO key_refusals (key_id, hour_ms, reason, refused, first_at_ms, last_at_ms)
             SELECT id, CAST($2 AS BIGINT), CAST($3 AS TEXT), CAST($4 AS BIGINT), CAST($5 AS BIGINT), CAST($6 AS BIGINT)
             FROM ingest_keys WHERE id = $1
             ON CONFLICT (key_id, hour_ms, reason) DO UPDATE SET refused = key_refusals.refused + excluded.refused,
                 first_at_ms = CASE WHEN excluded.first_at_ms < key_refusals.first_at_ms
                     THEN excluded.first_at_ms ELSE key_refusals.first_at_ms END,
                 last_at_ms = CASE WHEN excluded.last_at_ms > key_refusals.last_at_ms
                     THEN excluded.last_at_ms ELSE key_refusals.last_at_ms END",
        )
        .bind(key.0)
        .bind(refused.last_at.hour().as_millis())
        .bind(over.name())
        .bind(i64::try_from(refused.count).unwrap_or(i64::MAX))
        .bind(refused.first_at.as_millis())
        .bind(refused.last_at.as_millis())
        .execute(tx.conn())
        .await?;
    }
    sqlx::query("DELETE FROM key_refusals WHERE hour_ms < $1")
        .bind((now - KEPT).as_millis())
        .execute(tx.conn())
        .await?;
    tx.commit().await
}

/// What was refused of a repository's keys in the hours since a moment, one row for each key and
/// reason.
pub async fn of_repository_since(
    store: &Store,
    id: RepositoryId,
    since: Timestamp,
) -> Result<Vec<RefusedRow>, StoreError> {
    let rows = sqlx::query(
        "SELECT r.key_id, r.reason, CAST(SUM(r.refused) AS BIGINT) AS refused, MIN(r.first_at_ms) AS first_at_ms,
             MAX(r.last_at_ms) AS last_at_ms
         FROM key_refusals r JOIN ingest_keys k ON k.id = r.key_id
         WHERE k.repository_id = $1 AND r.last_at_ms >= $2 GROUP BY r.key_id, r.reason ORDER BY r.key_id, r.reason",
    )
    .bind(id.0)
    .bind(since.as_millis())
    .fetch_all(&store.pool)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(RefusedRow {
                key: IngestKeyId(get(row, "key_id")?),
                over: Over::of(&get::<String>(row, "reason")?)?,
                refused: Refused {
                    count: get_count(row, "refused")?,
                    first_at: get_time(row, "first_at_ms")?,
                    last_at: get_time(row, "last_at_ms")?,
                },
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repositories::{NewRepository, delete, watch};
    use domain::timestamp::HOUR;

    const NOW: Timestamp = Timestamp::from_seconds(1_000_000);

    #[tokio::test]
    async fn what_was_refused_is_added_up_and_forgotten_in_time() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&format!("sqlite://{}/test.db", folder.path().display())).await.unwrap();
        let new = NewRepository { full_name: "acme/shop".into(), clone_url: "/b".into(), github: None, public: false };
        let (id, _) = watch(&store, &new, NOW).await.unwrap();
        let key = crate::ingest_keys::of_repository(&store, id).await.unwrap()[0].id;
        let row =
            |over, count, first_at, last_at| RefusedRow { key, over, refused: Refused { count, first_at, last_at } };
        let later = NOW + HOUR;
        let gone = RefusedRow { key: IngestKeyId(1), ..row(Over::Rate, 9, NOW, NOW) };
        let first = [row(Over::Rate, 3, NOW, NOW), row(Over::Budget, 1, NOW, NOW), gone];
        record_refusals(&store, &first, NOW).await.unwrap();
        record_refusals(&store, &[row(Over::Rate, 4, later, later)], later).await.unwrap();
        record_refusals(&store, &[row(Over::Rate, 5, NOW, later)], later).await.unwrap();
        let all = of_repository_since(&store, id, NOW).await.unwrap();
        assert_eq!(all, [row(Over::Budget, 1, NOW, NOW), row(Over::Rate, 12, NOW, later)]);
        let newer = of_repository_since(&store, id, later).await.unwrap();
        assert_eq!(newer, [row(Over::Rate, 9, NOW, later)], "what ended before is none of them");
        record_refusals(&store, &[], later + KEPT + HOUR).await.unwrap();
        assert_eq!(of_repository_since(&store, id, NOW).await.unwrap(), []);
        record_refusals(&store, &first, NOW).await.unwrap();
        delete(&store, id).await.unwrap();
        assert_eq!(of_repository_since(&store, id, NOW).await.unwrap(), []);
    }
}
