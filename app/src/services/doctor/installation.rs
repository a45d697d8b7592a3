//! Whether the App may do its work in an account, and what waits to be written there.

use domain::finding::{Finding, minutes, missing_events, missing_permissions};
use domain::pace::{MOST_A_MINUTE, MOST_AN_HOUR};
use domain::timestamp::Timestamp;
use github::manifest::Manifest;
use github::{GitHub, Installation};
use jiff::SignedDuration;
use store::Store;

/// An oldest write that waits longer than this is worth a warning: in a storm, writes wait for
/// hours.
const LATE_WRITE: SignedDuration = SignedDuration::from_hours(1);

/// What the doctor says of an installation.
pub(super) async fn findings(
    store: &Store,
    github: &GitHub,
    installation: &Installation,
    manifest: &Manifest,
    now: Timestamp,
) -> Vec<Finding> {
    let about = format!("installation {}", installation.account);
    if installation.suspended {
        let todo = "Unsuspend it on GitHub, in the account's settings under GitHub Apps; what waits is sent then.";
        return vec![Finding::failure(&about, "it is suspended: nothing can be filed or fetched", todo)];
    }
    let mut found = missing(&about, installation, manifest);
    found.push(reading(&about, github, installation.id).await);
    found.extend(writing(&about, store, installation.id, now).await);
    found
}

/// What the account has not granted.
fn missing(about: &str, installation: &Installation, manifest: &Manifest) -> Vec<Finding> {
    let mut found = Vec::new();
    let permissions = missing_permissions(&manifest.permissions(), &installation.permissions);
    if !permissions.is_empty() {
        let what = format!("it has not accepted the permissions {}", permissions.join(", "));
        let todo =
            "An owner of the account accepts them: GitHub has sent a mail, and asks in the settings under GitHub Apps.";
        found.push(Finding::failure(about, what, todo));
    }
    let events = missing_events(&manifest.events(), &installation.events);
    if !events.is_empty() {
        let what = format!("it does not tell of {}", events.join(", "));
        found.push(Finding::warning(about, what, "Add the events to the App; its installations follow."));
    }
    found
}

/// How many more requests GitHub answers.
async fn reading(about: &str, github: &GitHub, installation: u64) -> Finding {
    match github.rate_limit(installation).await {
        Ok((remaining, limit)) => {
            let what = format!("GitHub answers {remaining} of {limit} more requests this hour");
            if remaining * 10 < limit {
                return Finding::warning(about, what, "Wait for the hour to end; what waits is sent then.");
            }
            Finding::fine(about, what)
        }
        Err(error) => Finding::failure(about, error.to_string(), "Is the App still installed in this account?"),
    }
}

/// What waits to be written, and how much may be; nothing where the database does not say.
async fn writing(about: &str, store: &Store, installation: u64, now: Timestamp) -> Option<Finding> {
    let budget = store::writes::budget(store, installation, now).await.ok()?;
    let queue = store::writes::queue_state(store, installation).await.ok()?;
    let age = queue.oldest_at.map_or(SignedDuration::ZERO, |oldest| now - oldest);
    let waiting = match queue.length {
        0 => "nothing waits to be written".to_owned(),
        1 => format!("1 issue or comment waits to be written, for {}", minutes(age)),
        length => format!("{length} issues and comments wait to be written, the oldest for {}", minutes(age)),
    };
    let what = format!(
        "{waiting}; {} of {MOST_A_MINUTE} writes are left this minute, {} of {MOST_AN_HOUR} this hour",
        budget.minute, budget.hour
    );
    Some(match budget.paused_until {
        Some(until) => {
            let what = format!("GitHub asked not to be written to for another {}; {what}", minutes(until - now));
            Finding::warning(about, what, "Nothing: it goes on by itself.")
        }
        None if age > LATE_WRITE => {
            Finding::warning(about, what, "In a storm that is so; else the server's log says what fails.")
        }
        None => Finding::fine(about, what),
    })
}
