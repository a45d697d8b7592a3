//! Whether each repository is mirrored, and its settings can be read.

use crate::services::own_routes;
use crate::services::readiness::MirrorsSeen;
use crate::services::refusals::{labels_left_out, why_nothing_is_filed};
use crate::services::repositories::why_unnamed;
use crate::services::vitals::Vitals;
use domain::finding::{Finding, minutes};
use domain::timestamp::Timestamp;
use jiff::SignedDuration;
use mirror::Mirrors;
use store::repositories::RepositoryRow;

/// What findings of all mirrors are about.
const ABOUT: &str = "mirrors";
/// A mirror that was not fetched for so long is no longer fresh: a fetch is due every 15 minutes.
const STALE_MIRROR: SignedDuration = SignedDuration::from_hours(1);

/// What the doctor says of the watched repositories, and of the place where their mirrors are.
pub(super) fn findings(vitals: &Vitals, mirrors: &Mirrors, seen: &MirrorsSeen, now: Timestamp) -> Vec<Finding> {
    let mut found = of_disk(seen);
    match &vitals.repositories {
        Err(error) => found.push(Finding::failure("repositories", error.to_string(), "Look at the database.")),
        Ok(rows) if rows.is_empty() => {
            let todo = "Install the App in a repository, or run: flawless repository add URL.";
            found.push(Finding::warning("repositories", "none is watched yet", todo));
        }
        Ok(rows) => found.extend(rows.iter().flat_map(|row| of_repository(row, mirrors, seen, now))),
    }
    found
}

/// What is wrong with all mirrors.
fn of_disk(seen: &MirrorsSeen) -> Vec<Finding> {
    let mut found = Vec::new();
    if let Some(why) = &seen.unwritable {
        let what = format!("nothing can be written where they are: {why}");
        let todo = "Look at the disk under DATA_DIR, and at whose it is; mirrors stay as they were last fetched, and \
                    mails and issues of the outbox wait, until then.";
        found.push(Finding::failure(ABOUT, what, todo));
    }
    if seen.stuck {
        let todo = "Look at the disk under DATA_DIR, and at the network where it is another machine's.";
        found.push(Finding::failure(ABOUT, "their disk does not answer", todo));
    }
    if seen.unread > 0 {
        let what = format!("{} could not be looked at in time: what is said of them was seen before", seen.unread);
        found.push(Finding::fine(ABOUT, what));
    }
    found
}

fn of_repository(row: &RepositoryRow, mirrors: &Mirrors, seen: &MirrorsSeen, now: Timestamp) -> Vec<Finding> {
    let name = row.repository.full_name.as_str();
    if let Some(why) = why_unnamed(row) {
        let todo = "Install the App there again, and what waits is sent; or be done with it at once: flawless repository remove.";
        return vec![Finding::warning(name, why, todo)];
    }
    let mut found = vec![of_mirror(row, mirrors.exists(row.repository.id), now)];
    found.extend(of_damage(row, seen, now));
    if let (Some(what), Some(refusal)) = (why_nothing_is_filed(row), &row.refusal) {
        let todo = format!("{} Mails go on, and what waits is written once GitHub takes it.", refusal.reason.todo());
        // What somebody wanted so is no failure of the server's.
        found.push(if refusal.reason.is_wanted() {
            Finding::warning(name, what, todo)
        } else {
            Finding::failure(name, what, todo)
        });
    }
    if let Some(what) = labels_left_out(row) {
        found.push(Finding::warning(name, what, "Mend issues.labels in .github/flawless.yml, and push."));
    }
    if let Some(error) = &row.settings_error {
        let what = format!(".github/flawless.yml is not used: {}", error.replace('\n', "; "));
        found.push(Finding::failure(name, what, "Mend the file and push; the last good one is in force until then."));
    }
    if own_routes::hide(&row.repository.full_name) {
        let what = format!("its page can't be opened: /{name} is an address of this server's own");
        let todo = format!(
            "Look at /get_weekly_error_report?repo={name}; links in its mails, and its pages below, such as \
             /{name}/whitelist, work. It has a page again once it is renamed on GitHub."
        );
        found.push(Finding::warning(name, what, todo));
    }
    if row.is_shadow(now) {
        let todo = "End it on the repository's page, when you trust it.";
        found.push(Finding::warning(name, "shadow mode: nothing is sent", todo));
    }
    found
}

/// What is missing in a mirror that is there, beside when it was fetched.
fn of_damage(row: &RepositoryRow, seen: &MirrorsSeen, now: Timestamp) -> Option<Finding> {
    let damage = seen.damaged.get(&row.repository.id)?;
    let when = match row.is_fetch_paused(now) {
        true => "The server clones it anew at the next push or report, or once its pause is over",
        false => "The server clones it anew at the next report or fetch, within 15 minutes",
    };
    let todo = format!(
        "{when}; reports that it can't be read for are told without an author until then. Look at the disk under \
         DATA_DIR if it happens again."
    );
    Some(Finding::failure(row.repository.full_name.as_str(), format!("its mirror is damaged: {damage}"), todo))
}

fn of_mirror(row: &RepositoryRow, exists: bool, now: Timestamp) -> Finding {
    let name = row.repository.full_name.as_str();
    let age = now - row.fetched_at;
    match (&row.fetch_error, exists) {
        (Some(error), exists) => {
            let when = match row.why_unmirrorable(now) {
                Some(_) => {
                    "It is tried again at the next push, by `flawless repository add` with its address, and once a day"
                }
                None => "It is tried again every 15 minutes or sooner",
            };
            let meanwhile = match exists {
                true => "reports are blamed as of the last good fetch meanwhile",
                false => "reports are told without an author meanwhile",
            };
            Finding::failure(name, format!("not fetched: {error}"), format!("{when}; {meanwhile}."))
        }
        (None, false) if row.fetched_at > Timestamp::UNIX_EPOCH => {
            let todo = "The server clones it anew at the next fetch; look whether DATA_DIR is the one that it was.";
            Finding::warning(name, "its mirror is not there any more", todo)
        }
        (None, false) => Finding::fine(name, "not cloned yet; the server does that when it runs"),
        (None, true) if age > STALE_MIRROR => {
            let what = format!("mirrored, but last fetched {} ago", minutes(age));
            Finding::warning(name, what, "The server fetches every 15 minutes while it runs: does it?")
        }
        (None, true) => Finding::fine(name, format!("mirrored, fetched {} ago", minutes(age))),
    }
}
