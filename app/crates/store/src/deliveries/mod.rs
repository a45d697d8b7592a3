//! What is to be sent and what was: the rows behind "told once".

mod sending;

use crate::columns::{get, get_count, get_time};
use crate::{Store, StoreError};
use domain::ids::{DeliveryId, LineId, RepositoryId, StormId};
use domain::pace::Rank;
use domain::timestamp::Timestamp;
pub(crate) use sending::insert_in;
pub use sending::{claim_attempt, insert, record_failed, record_given_up, record_sent, withdraw_issue};
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
        [Self::Mail, Self::Issue, Self::Comment]
            .into_iter()
            .find(|channel| channel.as_str() == text)
            .ok_or_else(|| StoreError::content("deliveries.channel", format!("no channel is called {text:?}")))
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

/// How deliveries go out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DeliveryMode {
    /// Each by itself, at once.
    #[default]
    Singly,
    /// In a storm: mails are gathered for one that tells of all, issues come after everybody
    /// else's.
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
    /// When it was decided.
    pub created_at: Timestamp,
    /// It does not wait to be sent by itself: it was sent or given up, or is gathered or kept in
    /// shadow.
    pub settled: bool,
}

/// A delivery as a page shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryRow {
    /// Where it goes.
    pub channel: Channel,
    /// Why.
    pub purpose: String,
    /// Address of a mail.
    pub recipient: String,
    /// `pending`, `gathered`, `shadow`, `sent` or `given_up`.
    pub state: String,
    /// What it was sent as.
    pub receipt: Option<String>,
    /// Why it was not.
    pub error: Option<String>,
}

pub(crate) fn read(row: &AnyRow) -> Result<Delivery, StoreError> {
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
        created_at: get_time(row, "created_at_ms")?,
        settled: get::<String>(row, "state")? != "pending",
    })
}

/// The deliveries of a line, oldest first.
pub async fn of_line(store: &Store, line: LineId) -> Result<Vec<DeliveryRow>, StoreError> {
    let rows = sqlx::query(
        "SELECT channel, purpose, recipient, state, receipt, error FROM deliveries WHERE line_id = $1 ORDER BY id",
    )
    .bind(line.0)
    .fetch_all(&store.pool)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(DeliveryRow {
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

/// Whether the comment that opens the issue of a line again is still to be written.
pub async fn is_reopening_pending(store: &Store, line: LineId) -> Result<bool, StoreError> {
    let row = sqlx::query(
        "SELECT id FROM deliveries WHERE line_id = $1 AND channel = 'comment' AND state = 'pending'
             AND purpose LIKE 'regression:%' LIMIT 1",
    )
    .bind(line.0)
    .fetch_optional(&store.pool)
    .await?;
    Ok(row.is_some())
}
