//! How this server's own work goes, for the doctor and for the page of its health.

use domain::counted::counted;
use domain::finding::minutes;
use domain::timestamp::Timestamp;
use jiff::SignedDuration;
use store::deliveries::{FailingMails, Outstanding};
use store::jobs::{QueueState, SetAside};
use store::repositories::RepositoryRow;
use store::size::Size;
use store::{Store, StoreError};

/// A queue whose oldest job waits longer than this has a problem: steps take seconds, back-off at
/// most 15 minutes.
const LATE: SignedDuration = SignedDuration::from_mins(30);

/// Jobs that are named one by one.
const NAMED: u32 = 5;

/// What the rows say of this server's work; each by itself, for one that can't be read says nothing
/// of the others.
pub struct Vitals {
    /// The jobs that wait or run.
    pub queue: Result<QueueState, StoreError>,
    /// The latest of the jobs that are set aside.
    pub set_aside: Result<Vec<SetAside>, StoreError>,
    /// How many kinds of reports are not looked up in their repositories, because that ended the
    /// server.
    pub plain: Result<u64, StoreError>,
    /// How many lines are decided about without their repositories, for the same reason.
    pub plain_lines: Result<u64, StoreError>,
    /// What messages wait, and what became of those that could not be sent.
    pub messages: Result<Outstanding, StoreError>,
    /// The watched repositories, with what went wrong with their mirrors.
    pub repositories: Result<Vec<RepositoryRow>, StoreError>,
    /// When the last webhook came.
    pub last_hook_at: Result<Option<Timestamp>, StoreError>,
    /// How large the database is.
    pub size: Result<Size, StoreError>,
}

impl Vitals {
    /// Reads them.
    pub async fn read(store: &Store, now: Timestamp) -> Self {
        Self {
            queue: store::jobs::queue_state(store).await,
            set_aside: store::jobs::list_set_aside(store, NAMED).await,
            plain: store::reports::count_plain(store, now).await,
            plain_lines: store::lines::count_plain(store, now).await,
            messages: store::deliveries::outstanding(store).await,
            repositories: store::repositories::list(store).await,
            last_hook_at: store::hooks::last_received_at(store).await,
            size: store::size::size(store).await,
        }
    }
}

/// Whether jobs fail and wait for so long that somebody should look.
pub fn is_late(queue: &QueueState, now: Timestamp) -> bool {
    queue.failing > 0 && queue.oldest_at.is_some_and(|oldest_at| now - oldest_at > LATE)
}

/// What is said of mails that could not be sent yet, in the words of who did not take them.
pub fn of_failing(mails: &FailingMails, now: Timestamp) -> String {
    let count = counted(mails.count, "mail is tried again", "mails are tried again");
    format!("{count}, for {}: {}", minutes(now - mails.since), mails.why)
}
