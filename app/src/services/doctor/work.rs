//! Whether jobs are done and messages are sent.

use super::minutes;
use crate::services::vitals::{Vitals, is_late};
use domain::finding::Finding;
use domain::timestamp::Timestamp;
use jiff::SignedDuration;
use store::StoreError;
use store::jobs::QueueState;

/// What the doctor says of the background work.
pub(super) fn findings(vitals: &Vitals, now: Timestamp) -> [Finding; 2] {
    let queue = vitals.queue.as_ref().map_or_else(broken, |queue| of_queue(queue, now));
    let messages = vitals.messages.as_ref().map_or_else(broken, |(waiting, given_up)| {
        Finding::fine("messages", format!("{waiting} wait, {given_up} were given up since the beginning"))
    });
    [queue, messages]
}

fn of_queue(queue: &QueueState, now: Timestamp) -> Finding {
    let age = queue.oldest_at.map_or(SignedDuration::ZERO, |oldest| now - oldest);
    let (length, failing) = (queue.length, queue.failing);
    let what = match length {
        0 => "nothing waits".to_owned(),
        _ => {
            format!("{length} jobs wait or run, the oldest for {}; {failing} of them failed before", minutes(age))
        }
    };
    if is_late(queue, now) {
        return Finding::warning("background work", what, "The server's log says which job fails, and why.");
    }
    Finding::fine("background work", what)
}

fn broken(error: &StoreError) -> Finding {
    Finding::failure("background work", error.to_string(), "Look at the database.")
}
