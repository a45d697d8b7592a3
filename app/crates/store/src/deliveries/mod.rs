//! What is to be sent and what was: the rows behind "told once".

mod sending;

use crate::columns::{get, get_count, get_time, get_time_opt};
use crate::{Store, StoreError};
use domain::delivery::{Channel, DeliveryState, MAIL_LEFT_ALONE_FOR, Purpose};
use domain::ids::{DeliveryId, LineId, RepositoryId};
use domain::timestamp::Timestamp;
use jiff::SignedDuration;
pub(crate) use sending::{Insertion, insert_all_in, insert_in};
pub use sending::{
    claim_attempt, count_lost_answer, insert, record_failed, record_given_up, record_put_off, record_sent,
    set_unanswered, withdraw_issue,
};
use sqlx::AssertSqlSafe;
use sqlx::any::AnyRow;

/// Something to be sent once. Channel, purpose and recipient together are unique for a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewDelivery {
    /// Where it goes.
    pub channel: Channel,
    /// What for.
    pub purpose: Purpose,
    /// Address of a mail, else empty.
    pub recipient: String,
    /// What the channel needs beside the line, JSON.
    pub content: String,
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
    /// Attempts before this one: more than none means that a mail may have arrived.
    pub attempts: u64,
    /// When an attempt failed first; `None`: none did.
    pub failing_since: Option<Timestamp>,
    /// When it was due; the epoch before the first attempt.
    pub due_at: Timestamp,
    /// How often a mail server was sent the mail and did not say whether it took it.
    pub lost_answers: u64,
    /// When GitHub was last asked to make it without saying since whether it did; `None`: it did
    /// not make it yet.
    pub unanswered_at: Option<Timestamp>,
    /// When it was decided.
    pub created_at: Timestamp,
    /// What became of it.
    pub state: DeliveryState,
}

impl Delivery {
    /// For how long it was tried in vain; no time where it was left alone meanwhile.
    pub fn failing_for(&self, now: Timestamp) -> SignedDuration {
        let since = self.failing_since.filter(|_| self.due_at >= now - MAIL_LEFT_ALONE_FOR);
        since.map_or(SignedDuration::ZERO, |since| now - since)
    }
}

/// A delivery as a page shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryRow {
    /// Where it goes.
    pub channel: Channel,
    /// What for.
    pub purpose: Purpose,
    /// Address of a mail.
    pub recipient: String,
    /// What became of it.
    pub state: DeliveryState,
    /// What it was sent as.
    pub receipt: Option<String>,
    /// Why it was not.
    pub error: Option<String>,
}

/// The columns of a [`Delivery`], for [`read`].
pub(crate) const COLUMNS: &str = "id, repository_id, line_id, channel, purpose, subject, recipient, content, attempts, failing_since_ms, \
     due_at_ms, lost_answers, unanswered_at_ms, created_at_ms, state";

/// What an attempt that failed at `$4` makes of the moment of the first; `$5` is so long before it
/// that one which was due earlier was left alone.
pub(crate) const FAILING_SINCE: &str =
    "failing_since_ms = CASE WHEN failing_since_ms IS NULL OR due_at_ms < CAST($5 AS BIGINT)
     THEN CAST($4 AS BIGINT) ELSE failing_since_ms END";

pub(crate) fn read(row: &AnyRow) -> Result<Delivery, StoreError> {
    Ok(Delivery {
        id: DeliveryId(get(row, "id")?),
        repository: RepositoryId(get(row, "repository_id")?),
        line: LineId(get(row, "line_id")?),
        what: NewDelivery {
            channel: read_channel(row)?,
            purpose: read_purpose(row)?,
            recipient: get(row, "recipient")?,
            content: get(row, "content")?,
        },
        attempts: get_count(row, "attempts")?,
        failing_since: get_time_opt(row, "failing_since_ms")?,
        due_at: get_time(row, "due_at_ms")?,
        lost_answers: get_count(row, "lost_answers")?,
        unanswered_at: get_time_opt(row, "unanswered_at_ms")?,
        created_at: get_time(row, "created_at_ms")?,
        state: read_state(row)?,
    })
}

fn read_channel(row: &AnyRow) -> Result<Channel, StoreError> {
    let text: String = get(row, "channel")?;
    Channel::from_stored(&text)
        .ok_or_else(|| StoreError::content("deliveries.channel", format!("no channel is called {text:?}")))
}

fn read_state(row: &AnyRow) -> Result<DeliveryState, StoreError> {
    let text: String = get(row, "state")?;
    DeliveryState::from_stored(&text)
        .ok_or_else(|| StoreError::content("deliveries.state", format!("no state is called {text:?}")))
}

/// What a delivery is for, from its two columns.
pub(crate) fn read_purpose(row: &AnyRow) -> Result<Purpose, StoreError> {
    let (kind, subject): (String, String) = (get(row, "purpose")?, get(row, "subject")?);
    Purpose::from_parts(&kind, &subject)
        .ok_or_else(|| StoreError::content("deliveries.purpose", format!("nothing is sent for {kind:?} {subject:?}")))
}

/// The deliveries of a line, oldest first.
pub async fn of_line(store: &Store, line: LineId) -> Result<Vec<DeliveryRow>, StoreError> {
    let rows = sqlx::query(
        "SELECT channel, purpose, subject, recipient, state, receipt, error FROM deliveries WHERE line_id = $1 ORDER BY id",
    )
    .bind(line.0)
    .fetch_all(&store.pool)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(DeliveryRow {
                channel: read_channel(row)?,
                purpose: read_purpose(row)?,
                recipient: get(row, "recipient")?,
                state: read_state(row)?,
                receipt: get(row, "receipt")?,
                error: get(row, "error")?,
            })
        })
        .collect()
}

/// What waits to be sent, and what was not, in figures.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outstanding {
    /// Deliveries that wait to be sent by themselves.
    pub waiting: u64,
    /// Deliveries that were given up.
    pub given_up: u64,
    /// Mails that were tried and could not be sent yet.
    pub failing: Option<FailingMails>,
}

/// Mails that were tried and could not be sent yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailingMails {
    /// How many.
    pub count: u64,
    /// Since when the first of them.
    pub since: Timestamp,
    /// Why the one that was tried last.
    pub why: String,
}

/// What waits to be sent, and what was not.
pub async fn outstanding(store: &Store) -> Result<Outstanding, StoreError> {
    let (waiting, given_up) = count_pending_and_given_up(store).await?;
    Ok(Outstanding { waiting, given_up, failing: failing_mails(store).await? })
}

async fn failing_mails(store: &Store) -> Result<Option<FailingMails>, StoreError> {
    let of_them =
        "FROM deliveries WHERE state IN ('pending', 'gathered') AND channel = 'mail' AND failing_since_ms > 0";
    let counted =
        sqlx::query(AssertSqlSafe(format!("SELECT COUNT(*) AS mails, MIN(failing_since_ms) AS since {of_them}")))
            .fetch_one(&store.pool)
            .await?;
    // What is due last was tried last: the pauses grow.
    let latest = format!("SELECT error {of_them} ORDER BY due_at_ms DESC, id DESC LIMIT 1");
    let latest = sqlx::query(AssertSqlSafe(latest)).fetch_optional(&store.pool).await?;
    let (Some(latest), Some(since)) = (latest, get_time_opt(&counted, "since")?) else { return Ok(None) };
    let why: Option<String> = get(&latest, "error")?;
    Ok(Some(FailingMails { count: get_count(&counted, "mails")?, since, why: why.unwrap_or_default() }))
}

/// How many deliveries wait to be sent by themselves, and how many were given up.
pub async fn count_pending_and_given_up(store: &Store) -> Result<(u64, u64), StoreError> {
    let row = sqlx::query(
        "SELECT CAST(COALESCE(SUM(CASE WHEN state = 'pending' THEN 1 ELSE 0 END), 0) AS BIGINT) AS pending,
                CAST(COALESCE(SUM(CASE WHEN state = 'given_up' THEN 1 ELSE 0 END), 0) AS BIGINT) AS given_up
         FROM deliveries",
    )
    .fetch_one(&store.pool)
    .await?;
    Ok((get_count(&row, "pending")?, get_count(&row, "given_up")?))
}

/// Whether an issue or a comment waits to be written in a repository.
pub async fn waits_on_github(store: &Store, repository: RepositoryId) -> Result<bool, StoreError> {
    let row = sqlx::query(
        "SELECT id FROM deliveries
         WHERE repository_id = $1 AND state = 'pending' AND channel IN ('issue', 'comment') LIMIT 1",
    )
    .bind(repository.0)
    .fetch_optional(&store.pool)
    .await?;
    Ok(row.is_some())
}

/// Whether the issue of a line is still to be filed.
pub async fn is_issue_pending(store: &Store, line: LineId) -> Result<bool, StoreError> {
    let sql = "SELECT id FROM deliveries WHERE line_id = $1 AND channel = 'issue' AND state IN ('pending', 'gathered') LIMIT 1";
    Ok(sqlx::query(sql).bind(line.0).fetch_optional(&store.pool).await?.is_some())
}

/// A delivery.
pub async fn by_id(store: &Store, id: DeliveryId) -> Result<Option<Delivery>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM deliveries WHERE id = $1");
    let row = sqlx::query(AssertSqlSafe(sql)).bind(id.0).fetch_optional(&store.pool).await?;
    row.as_ref().map(read).transpose()
}

/// Whether an issue or a comment of a line is still to be written.
pub async fn is_writing_pending(store: &Store, line: LineId) -> Result<bool, StoreError> {
    let sql = "SELECT id FROM deliveries
         WHERE line_id = $1 AND channel IN ('issue', 'comment') AND state = 'pending' LIMIT 1";
    Ok(sqlx::query(sql).bind(line.0).fetch_optional(&store.pool).await?.is_some())
}

/// Whether the comment that opens the issue of a line again is still to be written.
pub async fn is_reopening_pending(store: &Store, line: LineId) -> Result<bool, StoreError> {
    let row = sqlx::query(
        "SELECT id FROM deliveries WHERE line_id = $1 AND channel = 'comment' AND state = 'pending'
             AND purpose = 'regression' LIMIT 1",
    )
    .bind(line.0)
    .fetch_optional(&store.pool)
    .await?;
    Ok(row.is_some())
}
