//! Whether jobs are done and messages are sent.

use crate::services::vitals::{Vitals, is_late};
use domain::counted::counted;
use domain::finding::{Finding, minutes};
use domain::job::MOST_DEATHS;
use domain::timestamp::Timestamp;
use jiff::SignedDuration;
use store::StoreError;
use store::jobs::QueueState;

/// What to do about work that takes the server with it.
const WHAT_TO_DO: &str =
    "Update the server; if that does not help, report it with what its log says before each start.";

/// What the doctor says of the background work.
pub(super) fn findings(vitals: &Vitals, now: Timestamp) -> Vec<Finding> {
    let queue = vitals.queue.as_ref().map_or_else(broken, |queue| of_queue(queue, now));
    let messages = vitals.messages.as_ref().map_or_else(broken, |(waiting, given_up)| {
        Finding::fine("messages", format!("{waiting} wait, {given_up} were given up since the beginning"))
    });
    [queue, messages].into_iter().chain(set_aside(vitals)).chain(plain(vitals)).collect()
}

/// Jobs that took the server with them.
fn set_aside(vitals: &Vitals) -> Option<Finding> {
    let jobs = match &vitals.set_aside {
        Ok(jobs) if jobs.is_empty() => return None,
        Ok(jobs) => jobs,
        Err(error) => return Some(broken(error)),
    };
    let named: Vec<String> = jobs
        .iter()
        .map(|one| {
            let (kind, id) = one.job.parts();
            format!("{} ({kind} {id}, since {}, again at {}): {}", one.job.what(), one.since, one.run_at, one.why)
        })
        .collect();
    let count = vitals.queue.as_ref().map_or(jobs.len() as u64, |queue| queue.set_aside);
    let what = format!(
        "{} ended the server or panicked each of {MOST_DEATHS} times, and {} tried once a day: {}",
        counted(count, "job", "jobs"),
        if count == 1 { "is" } else { "are" },
        named.join("; ")
    );
    Some(Finding::failure("jobs set aside", what, WHAT_TO_DO))
}

/// Reports that are told with less, so that they do not end the server.
fn plain(vitals: &Vitals) -> Option<Finding> {
    let count = vitals.plain.as_ref().ok().filter(|count| **count > 0)?;
    let what = format!(
        "{} text alone: looking them up in the repository ended the server or panicked each of {MOST_DEATHS} times",
        counted(count, "kind of reports is told by its", "kinds of reports are told by their")
    );
    Some(Finding::warning("reports told with less", what, WHAT_TO_DO))
}

fn of_queue(queue: &QueueState, now: Timestamp) -> Finding {
    let age = queue.oldest_at.map_or(SignedDuration::ZERO, |oldest| now - oldest);
    let (length, failing) = (queue.length, queue.failing);
    let what = match length {
        0 => "nothing waits".to_owned(),
        1 => format!("1 job waits or runs, for {}; {failing} of them failed before", minutes(age)),
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
