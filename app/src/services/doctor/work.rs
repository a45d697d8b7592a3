//! Whether jobs are done and messages are sent.

use crate::services::vitals::{Vitals, is_late, of_failing};
use domain::counted::counted;
use domain::delivery::MAIL_TRIED_FOR;
use domain::finding::{Finding, minutes};
use domain::job::MOST_DEATHS;
use domain::timestamp::{DAY, Timestamp};
use jiff::SignedDuration;
use store::StoreError;
use store::deliveries::Outstanding;
use store::jobs::QueueState;

/// What to do about work that takes the server with it.
const WHAT_TO_DO: &str =
    "Update the server; if that does not help, report it with what its log says before each start.";

/// Mails that can't be sent for longer do not get out: it is more than a server that is restarted,
/// or one that has whom it does not know come again (greylisting).
const PATIENCE_WITH_MAIL: SignedDuration = SignedDuration::from_mins(30);

/// What the doctor says of the background work.
pub(super) fn findings(vitals: &Vitals, now: Timestamp) -> Vec<Finding> {
    let queue = vitals.queue.as_ref().map_or_else(broken, |queue| of_queue(queue, now));
    let messages = vitals.messages.as_ref().map_or_else(broken, |messages| of_messages(messages, now));
    [queue, messages].into_iter().chain(set_aside(vitals)).chain(plain(vitals)).chain(plain_lines(vitals)).collect()
}

fn of_messages(messages: &Outstanding, now: Timestamp) -> Finding {
    let counts = format!("{} wait, {} were given up since the beginning", messages.waiting, messages.given_up);
    let Some(failing) = &messages.failing else { return Finding::fine("messages", counts) };
    let what = format!("{}; {counts}", of_failing(failing, now));
    let todo = format!(
        "If it refuses this server or its sender, look at SMTP_URL and MAIL_FROM, and ask who runs it to let them in. \
         Each is tried again for {} days, then somebody else is told.",
        MAIL_TRIED_FOR.as_hours() / DAY.as_hours()
    );
    // Some servers let everybody wait for some minutes first.
    match now - failing.since {
        age if age > PATIENCE_WITH_MAIL => Finding::failure("messages", what, todo),
        _ => Finding::warning("messages", what, todo),
    }
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

/// Lines of which somebody hears with less, for the same reason.
fn plain_lines(vitals: &Vitals) -> Option<Finding> {
    let count = vitals.plain_lines.as_ref().ok().filter(|count| **count > 0)?;
    let what = format!(
        "for {} nobody is looked for in the repository: that ended the server or panicked each of {MOST_DEATHS} times",
        counted(count, "line", "lines")
    );
    Some(Finding::warning("lines told of with less", what, WHAT_TO_DO))
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
