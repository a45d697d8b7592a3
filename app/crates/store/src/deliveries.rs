//! What is to be sent and what was: the rows behind "told once".

use super::lines::unresolve;
use super::succession::carry_over;
use super::{Store, StoreError, get, get_count, signed};
use domain::ids::{DeliveryId, LineId, RepositoryId, StormId};
use domain::job::Job;
use domain::pace::Rank;
use sqlx::any::AnyRow;

/// Where a delivery goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channel {
    /// An e-mail.
    Mail,
    /// The line's issue.
    Issue,
    /// A comment under the line's issue.
    Comment,
}

impl Channel {
    fn as_str(self) -> &'static str {
        match self {
            Self::Mail => "mail",
            Self::Issue => "issue",
            Self::Comment => "comment",
        }
    }

    fn from_stored(text: &str) -> Result<Self, StoreError> {
        [Self::Mail, Self::Issue, Self::Comment].into_iter().find(|channel| channel.as_str() == text).ok_or_else(|| {
            StoreError::Content { what: "deliveries.channel", why: format!("no channel is called {text:?}") }
        })
    }
}

/// Something to be sent once. Channel, purpose and recipient together are unique for a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewDelivery {
    /// Where it goes.
    pub channel: Channel,
    /// `alert`, `count:100`, `regression:1`, …
    pub purpose: String,
    /// Address of a mail, else empty.
    pub recipient: String,
    /// What the channel needs beside the line, JSON.
    pub content: String,
}

/// How deliveries go out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DeliveryMode {
    /// Each by itself, at once.
    #[default]
    Singly,
    /// In a storm: mails are gathered for its fingerprints, issues come after everybody else's.
    Storm(StormId),
    /// Never: they are kept to be shown, because the repository is in shadow mode.
    Shadow,
}

impl DeliveryMode {
    fn state(self, channel: Channel) -> &'static str {
        match (self, channel) {
            (Self::Shadow, _) => "shadow",
            (Self::Storm(_), Channel::Mail) => "gathered",
            _ => "pending",
        }
    }
}

impl NewDelivery {
    /// What it is worth beside others, when not all can be written at once.
    fn rank(&self, mode: DeliveryMode) -> Rank {
        match (mode, self.purpose.split(':').next().unwrap_or_default()) {
            (DeliveryMode::Storm(_), "alert") => Rank::StormLine,
            (_, "alert" | "regression" | "exception") => Rank::News,
            (_, "count") => Rank::Count,
            _ => Rank::Reply,
        }
    }
}

/// A delivery's row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Its number.
    pub id: DeliveryId,
    /// Whose it is.
    pub repository: RepositoryId,
    /// What it is about.
    pub line: LineId,
    /// What is sent.
    pub what: NewDelivery,
    /// Attempts before this one: more than none means that it may have arrived.
    pub attempts: u64,
    /// When it was decided, Unix milliseconds.
    pub created_at_ms: i64,
    /// Sent or given up.
    pub settled: bool,
}

/// What a decision changes of a line, beside what is sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decided {
    /// The total that was decided on.
    pub total: u64,
    /// The total at which to decide again.
    pub next_at: Option<u64>,
    /// A known-error rule covers it.
    pub known: bool,
    /// The line's alert was decided.
    pub alerted: bool,
    /// A mail of the known error was decided.
    pub known_mailed: bool,
    /// The line is back: its resolution ends.
    pub regressed: bool,
    /// The line that it was before somebody edited it, and that line's issue, which is its own from now on.
    pub carried_from: Option<(LineId, u64)>,
}

pub(super) fn read(row: &AnyRow) -> Result<Delivery, StoreError> {
    Ok(Delivery {
        id: DeliveryId(get(row, "id")?),
        repository: RepositoryId(get(row, "repository_id")?),
        line: LineId(get(row, "line_id")?),
        what: NewDelivery {
            channel: Channel::from_stored(&get::<String>(row, "channel")?)?,
            purpose: get(row, "purpose")?,
            recipient: get(row, "recipient")?,
            content: get(row, "content")?,
        },
        attempts: get_count(row, "attempts")?,
        created_at_ms: get(row, "created_at_ms")?,
        settled: get::<String>(row, "state")? != "pending",
    })
}

impl Store {
    /// Writes a decision: what is to be sent with the jobs to send it, and what is known of the line from now on. `false`:
    /// nothing was written, because the issue that it was to carry on changed meanwhile.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn decided(
        &self,
        repository: RepositoryId,
        line: LineId,
        decided: &Decided,
        (send, mode): (&[NewDelivery], DeliveryMode),
        now_ms: i64,
    ) -> Result<bool, StoreError> {
        let mut tx = self.begin().await?;
        if let Some((old, issue)) = decided.carried_from
            && !carry_over(&mut tx, old, issue, line).await?
        {
            return Ok(false);
        }
        sqlx::query(
            "UPDATE lines SET decided_total = $2, next_decide_at = $3,
                 status_wanted = CASE WHEN known <> $4 THEN 1 ELSE status_wanted END, known = $4,
                 alerted_at_ms = CASE WHEN $5 = 1 THEN COALESCE(alerted_at_ms, $7) ELSE alerted_at_ms END,
                 known_mailed_at_ms = CASE WHEN $6 = 1 THEN COALESCE(known_mailed_at_ms, $7) ELSE known_mailed_at_ms END
             WHERE id = $1",
        )
        .bind(line.0)
        .bind(signed(decided.total))
        .bind(decided.next_at.map(signed))
        .bind(i64::from(decided.known))
        .bind(i64::from(decided.alerted))
        .bind(i64::from(decided.known_mailed))
        .bind(now_ms)
        .execute(tx.conn())
        .await?;
        if decided.regressed {
            unresolve(&mut tx, line).await?;
            sqlx::query("UPDATE lines SET regressions = regressions + 1 WHERE id = $1")
                .bind(line.0)
                .execute(tx.conn())
                .await?;
        }
        // Counts that arrived since the total was read may have passed the next threshold already.
        let passed = sqlx::query(
            "UPDATE lines SET next_decide_at = NULL WHERE id = $1 AND next_decide_at IS NOT NULL AND total >= next_decide_at",
        )
        .bind(line.0)
        .execute(tx.conn())
        .await?
        .rows_affected();
        if passed > 0 {
            self.ask(&mut tx, Job::Decide(line), now_ms, now_ms).await?;
        }
        for delivery in send {
            self.insert_delivery(&mut tx, (repository, line), (delivery, mode), now_ms).await?;
        }
        if let DeliveryMode::Storm(storm) = mode {
            self.join_storm(&mut tx, storm, line, now_ms).await?;
            self.ask_for_write(&mut tx, repository, now_ms).await?;
        }
        tx.commit().await?;
        Ok(true)
    }

    /// Asks for a delivery by itself; one of the same purpose that exists already is not sent again.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn deliver(
        &self,
        repository: RepositoryId,
        line: LineId,
        (delivery, mode): (&NewDelivery, DeliveryMode),
        now_ms: i64,
    ) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        self.insert_delivery(&mut tx, (repository, line), (delivery, mode), now_ms).await?;
        tx.commit().await
    }

    async fn insert_delivery(
        &self,
        tx: &mut super::Tx,
        (repository, line): (RepositoryId, LineId),
        (delivery, mode): (&NewDelivery, DeliveryMode),
        now_ms: i64,
    ) -> Result<(), StoreError> {
        let id = DeliveryId(self.ids.next(now_ms));
        let state = mode.state(delivery.channel);
        let storm = if let DeliveryMode::Storm(storm) = mode { Some(storm.0) } else { None };
        let fresh = sqlx::query(
            "INSERT INTO deliveries (id, repository_id, line_id, channel, purpose, recipient, content, state, attempts, created_at_ms,
                 rank, storm_id)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $9, 0, $8, $10, $11)
             ON CONFLICT (line_id, channel, purpose, recipient) DO NOTHING",
        )
        .bind(id.0)
        .bind(repository.0)
        .bind(line.0)
        .bind(delivery.channel.as_str())
        .bind(&delivery.purpose)
        .bind(&delivery.recipient)
        .bind(&delivery.content)
        .bind(now_ms)
        .bind(state)
        .bind(delivery.rank(mode).number())
        .bind(storm)
        .execute(tx.conn())
        .await?
        .rows_affected();
        if fresh == 0 || state != "pending" {
            return Ok(());
        }
        if delivery.channel == Channel::Mail || !self.ask_for_write(tx, repository, now_ms).await? {
            self.ask(tx, Job::Deliver(id), now_ms, now_ms).await?;
        }
        Ok(())
    }

    /// Begins an attempt: counted before anything is sent, so that after a crash it is known that something may have been.
    ///
    /// # Errors
    /// The database is out of reach, or the row can't be read.
    pub async fn begin_delivery(&self, id: DeliveryId) -> Result<Option<Delivery>, StoreError> {
        let row = sqlx::query(
            "SELECT id, repository_id, line_id, channel, purpose, recipient, content, attempts, created_at_ms, state
             FROM deliveries WHERE id = $1",
        )
        .bind(id.0)
        .fetch_optional(&self.pool)
        .await?;
        let Some(delivery) = row.as_ref().map(read).transpose()? else { return Ok(None) };
        if !delivery.settled {
            let mut tx = self.begin().await?;
            let begun =
                sqlx::query("UPDATE deliveries SET attempts = attempts + 1 WHERE id = $1 AND state = 'pending'")
                    .bind(id.0)
                    .execute(tx.conn())
                    .await?
                    .rows_affected();
            tx.commit().await?;
            // A storm that begins at this moment has taken it.
            if begun == 0 {
                return Ok(None);
            }
        }
        Ok(Some(delivery))
    }

    /// Notes that it was sent, and as what.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn delivered(&self, id: DeliveryId, receipt: &str, now_ms: i64) -> Result<(), StoreError> {
        self.settle(
            "UPDATE deliveries SET state = 'sent', receipt = $2, error = NULL, settled_at_ms = $3 WHERE id = $1",
            id,
            receipt,
            now_ms,
        )
        .await
    }

    /// Notes that it will never be sent, and why.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn given_up(&self, id: DeliveryId, why: &str, now_ms: i64) -> Result<(), StoreError> {
        self.settle(
            "UPDATE deliveries SET state = 'given_up', error = $2, settled_at_ms = $3 WHERE id = $1",
            id,
            why,
            now_ms,
        )
        .await
    }

    /// Notes why an attempt failed, and when the next is due.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn delivery_failed(&self, id: DeliveryId, why: &str, due_at_ms: i64) -> Result<(), StoreError> {
        self.settle("UPDATE deliveries SET error = $2, due_at_ms = $3 WHERE id = $1", id, why, due_at_ms).await
    }

    async fn settle(&self, sql: &'static str, id: DeliveryId, text: &str, now_ms: i64) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        sqlx::query(sql).bind(id.0).bind(text).bind(now_ms).execute(tx.conn()).await?;
        tx.commit().await
    }

    /// The deliveries of a line, oldest first: channel, purpose, recipient, state and what is said of it.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn deliveries_of(&self, line: LineId) -> Result<Vec<DeliveryState>, StoreError> {
        let rows = sqlx::query(
            "SELECT channel, purpose, recipient, state, receipt, error FROM deliveries WHERE line_id = $1 ORDER BY id",
        )
        .bind(line.0)
        .fetch_all(&self.pool)
        .await?;
        rows.iter()
            .map(|row| {
                Ok(DeliveryState {
                    channel: Channel::from_stored(&get::<String>(row, "channel")?)?,
                    purpose: get(row, "purpose")?,
                    recipient: get(row, "recipient")?,
                    state: get(row, "state")?,
                    receipt: get(row, "receipt")?,
                    error: get(row, "error")?,
                })
            })
            .collect()
    }

    /// How many deliveries wait, and how many were given up.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn delivery_counts(&self) -> Result<(u64, u64), StoreError> {
        let row = sqlx::query(
            "SELECT CAST(COALESCE(SUM(CASE WHEN state = 'pending' THEN 1 ELSE 0 END), 0) AS BIGINT) AS pending,
                    CAST(COALESCE(SUM(CASE WHEN state = 'given_up' THEN 1 ELSE 0 END), 0) AS BIGINT) AS given_up
             FROM deliveries",
        )
        .fetch_one(&self.pool)
        .await?;
        Ok((get_count(&row, "pending")?, get_count(&row, "given_up")?))
    }
}

/// A delivery as a page shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryState {
    /// Where it goes.
    pub channel: Channel,
    /// Why.
    pub purpose: String,
    /// Address of a mail.
    pub recipient: String,
    /// `pending`, `sent` or `given_up`.
    pub state: String,
    /// What it was sent as.
    pub receipt: Option<String>,
    /// Why it was not.
    pub error: Option<String>,
}
