//! The queue of writes to GitHub, one for each installation: what waits, what was written lately, and pauses.

use super::status::stale;
use super::{Store, StoreError, Tx, get, get_count};
use domain::ids::{DeliveryId, LineId, RepositoryId, StormId};
use domain::job::Job;
use domain::pace::{Budget, HOUR_MS, Rank};

/// Something that is to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waiting {
    /// An issue or a comment.
    Delivery(DeliveryId),
    /// The issue of a storm: to be filed, or brought up to date.
    Storm(StormId),
    /// A label that the repository lacks.
    Label(RepositoryId),
    /// The status block of a line's issue.
    Status(LineId),
}

/// A write that was noted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WriteId(i64);

/// What waits first, and of which rank it is ([`Rank::number`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct First {
    /// What.
    pub what: Waiting,
    /// Its rank.
    pub rank: i64,
}

/// An installation's queue in figures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WriteQueue {
    /// Issues and comments that wait and can be written.
    pub length: u64,
    /// When the oldest of them was decided, Unix milliseconds.
    pub oldest_ms: Option<i64>,
}

/// Of repositories that can be written to.
const WRITABLE: &str = "r.installation = $1 AND r.removed_at_ms IS NULL AND r.suspended_at_ms IS NULL";
/// What one installation's writer does.
const OURS: &str = "d.state = 'pending' AND d.channel IN ('issue', 'comment')";
/// The comments of one issue are read in the order in which they were decided, so a later one waits for an earlier one.
const IN_TURN: &str = "(d.channel = 'issue' OR NOT EXISTS (SELECT 1 FROM deliveries o WHERE o.line_id = d.line_id
    AND o.channel = 'comment' AND o.state = 'pending' AND o.id < d.id))";
/// A storm whose issue lacks something. One that was given up was "written" at the end of time.
const STALE: &str = "((s.issue_number IS NULL AND s.written_at_ms = 0) OR s.changed_at_ms > s.written_at_ms)";

/// A repository whose labels are still to be made.
const UNLABELLED: &str = "r.labelled_at_ms = 0";

impl Store {
    /// What this installation writes next, of all that is due.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn first_write(&self, installation: u64, now_ms: i64) -> Result<Option<First>, StoreError> {
        let sql = format!(
            "SELECT d.id AS id, d.rank AS rank FROM deliveries d JOIN repositories r ON r.id = d.repository_id
             WHERE {WRITABLE} AND {OURS} AND {IN_TURN} AND d.due_at_ms <= $2 ORDER BY d.rank, d.created_at_ms, d.id LIMIT 1"
        );
        let delivery = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(installation.cast_signed())
            .bind(now_ms)
            .fetch_optional(&self.pool)
            .await?;
        let sql = format!(
            "SELECT s.id AS id, CASE WHEN s.issue_number IS NULL THEN {} ELSE {} END AS rank
             FROM storms s JOIN repositories r ON r.id = s.repository_id
             WHERE {WRITABLE} AND {STALE} AND s.due_at_ms <= $2 ORDER BY rank, s.id LIMIT 1",
            Rank::Storm.number(),
            Rank::StormUpdate.number()
        );
        let storm = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(installation.cast_signed())
            .bind(now_ms)
            .fetch_optional(&self.pool)
            .await?;
        let sql = format!(
            "SELECT r.id AS id FROM repositories r WHERE {WRITABLE} AND {UNLABELLED} AND r.labels_due_at_ms <= $2 ORDER BY r.id LIMIT 1"
        );
        let label = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(installation.cast_signed())
            .bind(now_ms)
            .fetch_optional(&self.pool)
            .await?;
        let mut waiting = Vec::new();
        if let Some(row) = label {
            waiting.push(First { what: Waiting::Label(RepositoryId(get(&row, "id")?)), rank: Rank::Label.number() });
        }
        if let Some(row) = storm {
            waiting.push(First { what: Waiting::Storm(StormId(get(&row, "id")?)), rank: get(&row, "rank")? });
        }
        if let Some(row) = delivery {
            waiting.push(First { what: Waiting::Delivery(DeliveryId(get(&row, "id")?)), rank: get(&row, "rank")? });
        }
        if waiting.is_empty() {
            let sql = format!(
                "SELECT l.id AS id FROM lines l JOIN repositories r ON r.id = l.repository_id
                 WHERE {WRITABLE} AND {} ORDER BY l.status_wanted DESC, l.status_at_ms, l.id LIMIT 1",
                stale()
            );
            let status = sqlx::query(sqlx::AssertSqlSafe(sql))
                .bind(installation.cast_signed())
                .bind(now_ms)
                .fetch_optional(&self.pool)
                .await?;
            if let Some(row) = status {
                waiting.push(First { what: Waiting::Status(LineId(get(&row, "id")?)), rank: Rank::Status.number() });
            }
        }
        Ok(waiting.into_iter().min_by_key(|first| first.rank))
    }

    /// When something of this installation is due that is not due yet, Unix milliseconds; `None`: nothing waits.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn next_write_due(&self, installation: u64) -> Result<Option<i64>, StoreError> {
        let sql = format!(
            "SELECT MIN(due) AS due FROM (
                 SELECT d.due_at_ms AS due FROM deliveries d JOIN repositories r ON r.id = d.repository_id
                 WHERE {WRITABLE} AND {OURS} AND {IN_TURN}
                 UNION ALL
                 SELECT s.due_at_ms AS due FROM storms s JOIN repositories r ON r.id = s.repository_id
                 WHERE {WRITABLE} AND {STALE}
                 UNION ALL
                 SELECT r.labels_due_at_ms AS due FROM repositories r WHERE {WRITABLE} AND {UNLABELLED}) AS waiting"
        );
        let row = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(installation.cast_signed()).fetch_one(&self.pool).await?;
        get(&row, "due")
    }

    /// When this installation wrote within the last hour, Unix milliseconds.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn writes_of(&self, installation: u64, now_ms: i64) -> Result<Vec<i64>, StoreError> {
        let rows = sqlx::query("SELECT at_ms FROM writes WHERE installation = $1 AND at_ms > $2")
            .bind(installation.cast_signed())
            .bind(now_ms - HOUR_MS)
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(|row| get(row, "at_ms")).collect()
    }

    /// Notes a write that is about to be made: counted though its answer may get lost.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn note_write(&self, installation: u64, now_ms: i64) -> Result<WriteId, StoreError> {
        let id = self.ids.next(now_ms);
        let mut tx = self.begin().await?;
        sqlx::query("DELETE FROM writes WHERE installation = $1 AND at_ms <= $2")
            .bind(installation.cast_signed())
            .bind(now_ms - HOUR_MS)
            .execute(tx.conn())
            .await?;
        sqlx::query("INSERT INTO writes (id, installation, at_ms) VALUES ($1, $2, $3)")
            .bind(id)
            .bind(installation.cast_signed())
            .bind(now_ms)
            .execute(tx.conn())
            .await?;
        tx.commit().await?;
        Ok(WriteId(id))
    }

    /// Notes when a write was answered, which is when it counts from.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn write_answered(&self, id: WriteId, now_ms: i64) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        sqlx::query("UPDATE writes SET at_ms = $2 WHERE id = $1 AND at_ms < $2")
            .bind(id.0)
            .bind(now_ms)
            .execute(tx.conn())
            .await?;
        tx.commit().await
    }

    /// Takes back the issue of a line that was whitelisted before anybody tried to file it. Once the rule ends, the line is told
    /// of when it happens again.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn withdraw_issue(&self, id: DeliveryId, line: LineId) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        sqlx::query("DELETE FROM deliveries WHERE id = $1 AND state = 'pending'").bind(id.0).execute(tx.conn()).await?;
        sqlx::query(
            "UPDATE lines SET alerted_at_ms = NULL, next_decide_at = total + 1 WHERE id = $1 AND issue_number IS NULL",
        )
        .bind(line.0)
        .execute(tx.conn())
        .await?;
        tx.commit().await
    }

    /// Leaves a repository's labels alone until then.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn labels_due(&self, id: RepositoryId, due_ms: i64) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        sqlx::query("UPDATE repositories SET labels_due_at_ms = $2 WHERE id = $1")
            .bind(id.0)
            .bind(due_ms)
            .execute(tx.conn())
            .await?;
        tx.commit().await
    }

    /// Until when this installation is not to be written to, Unix milliseconds; 0: it may be.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn paused_until(&self, installation: u64) -> Result<i64, StoreError> {
        let row = sqlx::query("SELECT until_ms FROM write_pauses WHERE installation = $1")
            .bind(installation.cast_signed())
            .fetch_optional(&self.pool)
            .await?;
        row.as_ref().map_or(Ok(0), |row| get(row, "until_ms"))
    }

    /// Leaves this installation alone until then.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn pause_writes(&self, installation: u64, until_ms: i64, why: &str) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        sqlx::query(
            "INSERT INTO write_pauses (installation, until_ms, why) VALUES ($1, $2, $3)
             ON CONFLICT (installation) DO UPDATE SET until_ms = excluded.until_ms, why = excluded.why",
        )
        .bind(installation.cast_signed())
        .bind(until_ms)
        .bind(why)
        .execute(tx.conn())
        .await?;
        tx.commit().await
    }

    /// What is left of this installation's budget.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn write_budget(&self, installation: u64, now_ms: i64) -> Result<Budget, StoreError> {
        let writes = self.writes_of(installation, now_ms).await?;
        Ok(Budget::after(&writes, self.paused_until(installation).await?, now_ms))
    }

    /// This installation's queue in figures.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn write_queue(&self, installation: u64) -> Result<WriteQueue, StoreError> {
        let sql = format!(
            "SELECT COUNT(*) AS length, MIN(d.created_at_ms) AS oldest
             FROM deliveries d JOIN repositories r ON r.id = d.repository_id WHERE {WRITABLE} AND {OURS}"
        );
        let row = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(installation.cast_signed()).fetch_one(&self.pool).await?;
        Ok(WriteQueue { length: get_count(&row, "length")?, oldest_ms: get(&row, "oldest")? })
    }

    /// The installation whose queue a repository's issues go through; `None`: it is not on GitHub.
    pub(super) async fn installation_of(tx: &mut Tx, repository: RepositoryId) -> Result<Option<u64>, StoreError> {
        let row = sqlx::query("SELECT installation FROM repositories WHERE id = $1")
            .bind(repository.0)
            .fetch_optional(tx.conn())
            .await?;
        Ok(row
            .as_ref()
            .map(|row| get::<Option<i64>>(row, "installation"))
            .transpose()?
            .flatten()
            .map(i64::cast_unsigned))
    }

    /// Asks for a turn of the queue that a repository's issues go through, if it has one.
    pub(super) async fn ask_for_write(
        &self,
        tx: &mut Tx,
        repository: RepositoryId,
        now_ms: i64,
    ) -> Result<bool, StoreError> {
        match Self::installation_of(tx, repository).await? {
            Some(installation) => self.ask(tx, Job::Write(installation), now_ms, now_ms).await.map(|()| true),
            None => Ok(false),
        }
    }
}
