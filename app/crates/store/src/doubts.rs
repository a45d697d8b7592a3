//! What GitHub may have made twice, and is looked at again later.

use crate::columns::{get, get_count};
use crate::transaction::execute;
use crate::{Store, StoreError, jobs};
use domain::double::Doubted;
use domain::ids::{DoubtId, LineId, RepositoryId};
use domain::job::Job;
use domain::timestamp::Timestamp;

/// Something that GitHub may have made twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Doubt {
    /// Its number.
    pub id: DoubtId,
    /// Where it is.
    pub repository: RepositoryId,
    /// What.
    pub what: Doubted,
    /// How often it was looked at since it was asked for last.
    pub looks: u64,
}

/// Records that GitHub did not say whether it made this, and that it is looked for it at `due_at`.
/// What was in doubt before is so anew.
pub async fn record(
    store: &Store,
    repository: RepositoryId,
    what: Doubted,
    due_at: Timestamp,
    now: Timestamp,
) -> Result<(), StoreError> {
    let (kind, subject) = what.parts();
    let statement = sqlx::query(
        "INSERT INTO doubts (id, repository_id, kind, subject, looks, due_at_ms) VALUES ($1, $2, $3, $4, 0, $5)
         ON CONFLICT (kind, subject) DO UPDATE SET looks = 0, due_at_ms = excluded.due_at_ms",
    )
    .bind(store.ids.next(now))
    .bind(repository.0)
    .bind(kind)
    .bind(subject)
    .bind(due_at.as_millis());
    execute(store, statement).await
}

/// A doubt.
pub async fn by_id(store: &Store, id: DoubtId) -> Result<Option<Doubt>, StoreError> {
    let row = sqlx::query("SELECT id, repository_id, kind, subject, looks FROM doubts WHERE id = $1")
        .bind(id.0)
        .fetch_optional(&store.pool)
        .await?;
    let Some(row) = row else { return Ok(None) };
    let kind: String = get(&row, "kind")?;
    let what = Doubted::from_parts(&kind, get(&row, "subject")?)
        .ok_or_else(|| StoreError::content("doubts.kind", format!("nothing in doubt is a {kind:?}")))?;
    let (id, repository) = (DoubtId(get(&row, "id")?), RepositoryId(get(&row, "repository_id")?));
    Ok(Some(Doubt { id, repository, what, looks: get_count(&row, "looks")? }))
}

/// Leaves it alone until then.
pub async fn set_due(store: &Store, id: DoubtId, due_at: Timestamp) -> Result<(), StoreError> {
    let statement = sqlx::query("UPDATE doubts SET due_at_ms = $2 WHERE id = $1").bind(id.0).bind(due_at.as_millis());
    execute(store, statement).await
}

/// Records that it was looked at once more, and when it is next; `None`: there is no doubt any
/// more.
pub async fn record_looked(store: &Store, id: DoubtId, due_at: Option<Timestamp>) -> Result<(), StoreError> {
    let statement = match due_at {
        Some(due_at) => sqlx::query("UPDATE doubts SET looks = looks + 1, due_at_ms = $2 WHERE id = $1")
            .bind(id.0)
            .bind(due_at.as_millis()),
        None => sqlx::query("DELETE FROM doubts WHERE id = $1").bind(id.0),
    };
    execute(store, statement).await
}

/// Whether the issue of a line may be there twice.
pub async fn is_issue_in_doubt(store: &Store, line: LineId) -> Result<bool, StoreError> {
    let row = sqlx::query(
        "SELECT u.id AS id FROM doubts u JOIN deliveries d ON d.id = u.subject
         WHERE u.kind = 'delivery' AND d.line_id = $1 AND d.channel = 'issue' LIMIT 1",
    )
    .bind(line.0)
    .fetch_optional(&store.pool)
    .await?;
    Ok(row.is_some())
}

/// Asks for a turn of each queue of writes that has something to look at.
pub async fn enqueue_due(store: &Store, now: Timestamp) -> Result<(), StoreError> {
    let rows = sqlx::query(
        "SELECT DISTINCT r.installation AS installation FROM repositories r JOIN doubts u ON u.repository_id = r.id
         WHERE r.installation IS NOT NULL AND r.removed_at_ms IS NULL AND r.suspended_at_ms IS NULL
             AND r.unnamed_since_ms IS NULL AND r.refused_since_ms IS NULL AND u.due_at_ms <= $1",
    )
    .bind(now.as_millis())
    .fetch_all(&store.pool)
    .await?;
    for row in &rows {
        let installation = get::<i64>(row, "installation")?.cast_unsigned();
        jobs::enqueue(store, Job::Write(installation), now, now).await?;
    }
    Ok(())
}
