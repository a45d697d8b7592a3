//! Whether the database can be written: that it answers says nothing of a full disk, a file that
//! went read-only, or a server that became another's standby.

use crate::services::{log_store_error, log_trouble};
use domain::timestamp::Timestamp;
use std::time::Duration;
use store::{Store, StoreError, Trouble};
use tokio::task::JoinError;
use tokio::time::timeout;

/// How long a write may take: half a second more than a connection is waited for, so that it is
/// said where none comes. Clients of reports wait for five seconds.
const WITHIN: Duration = Duration::from_millis(2500);

/// For how long a write that the disk did not take counts, though another was made since: on a full
/// disk SQLite finds room for some, where it has just emptied its log.
const REFUSED_LATELY: Duration = Duration::from_secs(5);

/// Why reports can't be taken.
pub struct Down {
    /// A sentence for anybody.
    pub words: String,
    /// What the database said.
    pub why: String,
    /// What to do.
    pub todo: String,
}

/// Tries a write. `None`: it was made, as were those of others.
pub(super) async fn write(store: &Store, now: Timestamp) -> Option<Down> {
    match timeout(WITHIN, store::trial::write(store, now)).await {
        Ok(Ok(())) => store.refused_within(REFUSED_LATELY).map(Down::lately),
        Ok(Err(error)) => {
            log_store_error(store, &error, "not ready: a trial write failed");
            Some(Down::failed(&error))
        }
        Err(_) => {
            let down = Down::slow();
            log_trouble(store, Trouble::Busy, &down.why, "not ready: a trial write did not come to its end");
            Some(down)
        }
    }
}

impl Down {
    fn failed(error: &StoreError) -> Self {
        let trouble = error.trouble();
        let todo = trouble.map(|trouble| format!("{}.", trouble.todo()));
        Self {
            words: trouble.map_or("The database can't be written.", |trouble| trouble.words()).to_owned(),
            why: error.to_string(),
            todo: todo.unwrap_or_else(|| "Look at DATABASE_URL and at the server behind it.".to_owned()),
        }
    }

    fn lately(trouble: Trouble) -> Self {
        Self {
            words: trouble.words().to_owned(),
            why: format!("some writes fail, the latest within {} s", REFUSED_LATELY.as_secs()),
            todo: format!("{}.", trouble.todo()),
        }
    }

    fn slow() -> Self {
        let why = format!("a write to the database takes longer than {} s", WITHIN.as_secs_f32());
        Self {
            words: format!("A write to the database takes longer than {} s.", WITHIN.as_secs_f32()),
            why,
            todo: "Look for what holds its rows or its file, and whether its disk keeps up.".to_owned(),
        }
    }

    /// A fault of ours.
    pub(super) fn panicked(ended: &JoinError) -> Self {
        let why = format!("the look at it ended: {ended}");
        Self {
            words: "The server could not look at itself.".to_owned(),
            why,
            todo: "Report it with what the server's log says.".to_owned(),
        }
    }
}
