//! Storms: begun, joined, told of and ended.

use super::deliveries::{Delivery, read as read_delivery};
use super::{Store, StoreError, Tx, from_json, get, get_count, signed};
use domain::alert::Place;
use domain::ids::{LineId, RepositoryId, StormId};
use domain::job::Job;
use domain::pace::Rank;
use domain::person::Told;
use domain::storm::{Storm, StormLine};
use sqlx::any::AnyRow;

/// How long mails wait for the storm's other lines, the first time: a minute is what a burst takes to be worked out, and
/// nobody minds another one.
const FIRST_MAIL_AFTER_MS: i64 = 2 * 60_000;
/// How long they wait in a storm that goes on: one mail an hour, however many lines break.
const NEXT_MAIL_AFTER_MS: i64 = 60 * 60_000;

const COLUMNS: &str =
    "id, repository_id, began_at_ms, last_line_at_ms, ended_at_ms, issue_number, attempts, mails_at_ms";

fn read(row: &AnyRow) -> Result<Storm, StoreError> {
    Ok(Storm {
        id: StormId(get(row, "id")?),
        repository: RepositoryId(get(row, "repository_id")?),
        began_at_ms: get(row, "began_at_ms")?,
        last_line_at_ms: get(row, "last_line_at_ms")?,
        ended_at_ms: get(row, "ended_at_ms")?,
        issue: get::<Option<i64>>(row, "issue_number")?.map(i64::unsigned_abs),
        attempts: get_count(row, "attempts")?,
        mails_at_ms: get(row, "mails_at_ms")?,
    })
}

impl Store {
    /// The storm that a repository is in.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn open_storm(&self, repository: RepositoryId) -> Result<Option<StormId>, StoreError> {
        let row = sqlx::query("SELECT id FROM storms WHERE repository_id = $1 AND ended_at_ms IS NULL")
            .bind(repository.0)
            .fetch_optional(&self.pool)
            .await?;
        row.as_ref().map(|row| Ok(StormId(get(row, "id")?))).transpose()
    }

    /// How many lines of a repository were told of since then.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn lines_alerted_since(&self, repository: RepositoryId, since_ms: i64) -> Result<u64, StoreError> {
        let row = sqlx::query("SELECT COUNT(*) AS lines FROM lines WHERE repository_id = $1 AND alerted_at_ms > $2")
            .bind(repository.0)
            .bind(since_ms)
            .fetch_one(&self.pool)
            .await?;
        get_count(&row, "lines")
    }

    /// Begins a storm with the lines that were told of since `since_ms`: those of their mails and issues that are not sent
    /// yet are sent as the storm's. Where another worker began it first, that one's is the storm.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn begin_storm(
        &self,
        repository: RepositoryId,
        since_ms: i64,
        now_ms: i64,
    ) -> Result<StormId, StoreError> {
        let mut tx = self.begin().await?;
        let id = self.ids.next(now_ms);
        let begun = sqlx::query(
            "INSERT INTO storms (id, repository_id, began_at_ms, last_line_at_ms, attempts, changed_at_ms, written_at_ms, due_at_ms,
                 mails_sent)
             SELECT CAST($1 AS BIGINT), CAST($2 AS BIGINT), CAST(COALESCE(MIN(alerted_at_ms), $3) AS BIGINT),
                 CAST($3 AS BIGINT), 0, CAST($3 AS BIGINT), 0, 0, 0
             FROM lines WHERE repository_id = $2 AND alerted_at_ms > $4
             ON CONFLICT DO NOTHING",
        )
        .bind(id)
        .bind(repository.0)
        .bind(now_ms)
        .bind(since_ms)
        .execute(tx.conn())
        .await?
        .rows_affected();
        if begun == 0 {
            let row = sqlx::query("SELECT id FROM storms WHERE repository_id = $1 AND ended_at_ms IS NULL")
                .bind(repository.0)
                .fetch_one(tx.conn())
                .await?;
            return Ok(StormId(get(&row, "id")?));
        }
        sqlx::query("UPDATE lines SET storm_id = $1 WHERE repository_id = $2 AND alerted_at_ms > $3")
            .bind(id)
            .bind(repository.0)
            .bind(since_ms)
            .execute(tx.conn())
            .await?;
        // What no attempt was made at is the storm's: a worker that begins one at this moment finds it changed.
        let gathered = sqlx::query(
            "UPDATE deliveries SET state = 'gathered', storm_id = $1
             WHERE state = 'pending' AND channel = 'mail' AND purpose = 'alert' AND attempts = 0
                 AND line_id IN (SELECT id FROM lines WHERE storm_id = $1)",
        )
        .bind(id)
        .execute(tx.conn())
        .await?
        .rows_affected();
        sqlx::query(
            "UPDATE deliveries SET rank = $2, storm_id = $1
             WHERE state = 'pending' AND channel = 'issue' AND purpose = 'alert'
                 AND line_id IN (SELECT id FROM lines WHERE storm_id = $1)",
        )
        .bind(id)
        .bind(Rank::StormLine.number())
        .execute(tx.conn())
        .await?;
        let id = StormId(id);
        if gathered > 0 {
            self.mails_wait(&mut tx, id, now_ms).await?;
        }
        // It must end, too, where the line that began it never joins it.
        self.ask(&mut tx, Job::Storm(id), now_ms, now_ms).await?;
        tx.commit().await?;
        Ok(id)
    }

    /// Notes that a line became part of a storm, whose mails now wait.
    pub(super) async fn join_storm(
        &self,
        tx: &mut Tx,
        storm: StormId,
        line: LineId,
        now_ms: i64,
    ) -> Result<(), StoreError> {
        sqlx::query("UPDATE lines SET storm_id = $2 WHERE id = $1")
            .bind(line.0)
            .bind(storm.0)
            .execute(tx.conn())
            .await?;
        sqlx::query("UPDATE storms SET last_line_at_ms = $2, changed_at_ms = $2 WHERE id = $1")
            .bind(storm.0)
            .bind(now_ms)
            .execute(tx.conn())
            .await?;
        self.mails_wait(tx, storm, now_ms).await
    }

    async fn mails_wait(&self, tx: &mut Tx, storm: StormId, now_ms: i64) -> Result<(), StoreError> {
        let row = sqlx::query(
            "UPDATE storms SET mails_at_ms = COALESCE(mails_at_ms, CAST($2 AS BIGINT) + CASE WHEN mails_sent = 0
                 THEN CAST($3 AS BIGINT) ELSE CAST($4 AS BIGINT) END) WHERE id = $1 RETURNING mails_at_ms",
        )
        .bind(storm.0)
        .bind(now_ms)
        .bind(FIRST_MAIL_AFTER_MS)
        .bind(NEXT_MAIL_AFTER_MS)
        .fetch_one(tx.conn())
        .await?;
        self.ask(tx, Job::Storm(storm), get(&row, "mails_at_ms")?, now_ms).await
    }

    /// A storm.
    ///
    /// # Errors
    /// The database is out of reach, or the row can't be read.
    pub async fn storm(&self, id: StormId) -> Result<Option<Storm>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM storms WHERE id = $1");
        let row = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(id.0).fetch_optional(&self.pool).await?;
        row.as_ref().map(read).transpose()
    }

    /// The storms of a repository, latest first.
    ///
    /// # Errors
    /// The database is out of reach, or a row can't be read.
    pub async fn storms_of(&self, repository: RepositoryId, most: usize) -> Result<Vec<Storm>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM storms WHERE repository_id = $1 ORDER BY id DESC LIMIT $2");
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(repository.0)
            .bind(i64::try_from(most).unwrap_or(i64::MAX))
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(read).collect()
    }

    /// The lines of a storm, in the order in which they were found.
    ///
    /// # Errors
    /// The database is out of reach, or a row can't be read.
    pub async fn lines_of_storm(&self, id: StormId) -> Result<Vec<(LineId, StormLine)>, StoreError> {
        let rows = sqlx::query(
            "SELECT id, path, function_name, line_number, code, exception, headline, author_name, author_login, owner_login, told, total,
                 issue_number, last_seen_ms FROM lines WHERE storm_id = $1 ORDER BY id",
        )
        .bind(id.0)
        .fetch_all(&self.pool)
        .await?;
        rows.iter()
            .map(|row| {
                let told: Option<Told> =
                    get::<Option<String>>(row, "told")?.map(|text| from_json("lines.told", &text)).transpose()?;
                let told = told.map(|told| told.person.name().to_owned());
                let whose: [Option<String>; 4] =
                    [get(row, "owner_login")?, told, get(row, "author_name")?, get(row, "author_login")?];
                Ok((
                    LineId(get(row, "id")?),
                    StormLine {
                        place: Place {
                            path: get(row, "path")?,
                            function: get(row, "function_name")?,
                            line: u32::try_from(get::<i64>(row, "line_number")?).unwrap_or(0),
                            code: get(row, "code")?,
                        },
                        exception: get(row, "exception")?,
                        headline: get(row, "headline")?,
                        author: whose.into_iter().flatten().find(|name| !name.is_empty()),
                        total: get_count(row, "total")?,
                        issue: get::<Option<i64>>(row, "issue_number")?.map(i64::unsigned_abs),
                        last_seen_ms: get(row, "last_seen_ms")?,
                    },
                ))
            })
            .collect()
    }

    /// The mails of a storm that were gathered and not sent, by recipient; each with the moment from which it may be tried
    /// again, Unix milliseconds, 0 where it was not tried.
    ///
    /// # Errors
    /// The database is out of reach, or a row can't be read.
    pub async fn gathered(&self, id: StormId) -> Result<Vec<(Delivery, i64)>, StoreError> {
        let rows = sqlx::query(
            "SELECT id, repository_id, line_id, channel, purpose, recipient, content, attempts, created_at_ms, state, due_at_ms
             FROM deliveries WHERE storm_id = $1 AND state = 'gathered' ORDER BY recipient, id",
        )
        .bind(id.0)
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(|row| Ok((read_delivery(row)?, get(row, "due_at_ms")?))).collect()
    }

    /// Notes that one recipient's gathered mails could not be sent, and when they may be tried again.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn storm_mail_failed(&self, mails: &[&Delivery], why: &str, due_ms: i64) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        for mail in mails {
            sqlx::query("UPDATE deliveries SET attempts = attempts + 1, error = $2, due_at_ms = $3 WHERE id = $1")
                .bind(mail.id.0)
                .bind(why)
                .bind(due_ms)
                .execute(tx.conn())
                .await?;
        }
        tx.commit().await
    }

    /// Notes that one recipient's gathered mails went out as one (or, with `error`, never will).
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn storm_mail_settled(
        &self,
        mails: &[&Delivery],
        result: Result<&str, &str>,
        now_ms: i64,
    ) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        for mail in mails {
            sqlx::query("UPDATE deliveries SET state = $2, receipt = $3, error = $4, settled_at_ms = $5 WHERE id = $1")
                .bind(mail.id.0)
                .bind(if result.is_ok() { "sent" } else { "given_up" })
                .bind(result.ok())
                .bind(result.err())
                .bind(now_ms)
                .execute(tx.conn())
                .await?;
        }
        tx.commit().await
    }

    /// Notes that the mails which waited were sent, or tried. Those that came meanwhile wait for the next time, and where
    /// there are none, the next line sets it.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn storm_mails_sent(&self, id: StormId, now_ms: i64) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        // First the lock: a line that joins at this moment is seen by the second statement, or sees what that one wrote.
        sqlx::query("UPDATE storms SET mails_sent = mails_sent + 1 WHERE id = $1")
            .bind(id.0)
            .execute(tx.conn())
            .await?;
        sqlx::query(
            "UPDATE storms SET mails_at_ms = CASE WHEN EXISTS (
                 SELECT 1 FROM deliveries WHERE storm_id = $1 AND state = 'gathered' AND due_at_ms = 0)
                 THEN CAST($2 AS BIGINT) ELSE NULL END WHERE id = $1",
        )
        .bind(id.0)
        .bind(now_ms + NEXT_MAIL_AFTER_MS)
        .execute(tx.conn())
        .await?;
        tx.commit().await
    }

    /// Ends a storm: the next new lines are told of one by one again.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn end_storm(&self, id: StormId, repository: RepositoryId, now_ms: i64) -> Result<(), StoreError> {
        let sql = "UPDATE storms SET ended_at_ms = $2, changed_at_ms = $2, due_at_ms = 0 WHERE id = $1 AND ended_at_ms IS NULL";
        self.change_storm(sql, id, Some(now_ms)).await?;
        let mut tx = self.begin().await?;
        self.ask_for_write(&mut tx, repository, now_ms).await?;
        tx.commit().await
    }

    /// Counts an attempt to file a storm's issue.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn begin_storm_issue(&self, id: StormId) -> Result<(), StoreError> {
        self.change_storm("UPDATE storms SET attempts = attempts + 1 WHERE id = $1", id, None).await
    }

    /// Notes the storm's issue.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn set_storm_issue(&self, id: StormId, issue: u64) -> Result<(), StoreError> {
        let sql = "UPDATE storms SET issue_number = $2 WHERE id = $1";
        self.change_storm(sql, id, Some(signed(issue))).await
    }

    /// Notes that the storm's issue says what was known at `as_of_ms`, and is left alone until `due_ms`.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn storm_written(&self, id: StormId, as_of_ms: i64, due_ms: i64) -> Result<(), StoreError> {
        self.change_storm("UPDATE storms SET written_at_ms = $2 WHERE id = $1", id, Some(as_of_ms)).await?;
        self.storm_due(id, due_ms).await
    }

    /// Leaves the storm's issue alone until then.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn storm_due(&self, id: StormId, due_ms: i64) -> Result<(), StoreError> {
        self.change_storm("UPDATE storms SET due_at_ms = $2 WHERE id = $1", id, Some(due_ms)).await
    }

    /// Notes that the issue of the storm which a line is in, if any, should say something else now.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn storm_of_line_changed(&self, line: LineId, now_ms: i64) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        sqlx::query(
            "UPDATE storms SET changed_at_ms = $2 WHERE id = (SELECT storm_id FROM lines WHERE id = $1)
                 AND issue_number IS NOT NULL AND written_at_ms < $2",
        )
        .bind(line.0)
        .bind(now_ms)
        .execute(tx.conn())
        .await?;
        tx.commit().await
    }

    async fn change_storm(&self, sql: &'static str, id: StormId, value: Option<i64>) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        let query = sqlx::query(sql).bind(id.0);
        match value {
            Some(value) => query.bind(value).execute(tx.conn()).await?,
            None => query.execute(tx.conn()).await?,
        };
        tx.commit().await
    }
}
