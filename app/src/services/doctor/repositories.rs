//! Whether each repository is mirrored, and its settings can be read.

use super::minutes;
use crate::services::blocking;
use crate::services::vitals::Vitals;
use domain::finding::Finding;
use domain::timestamp::Timestamp;
use jiff::SignedDuration;
use mirror::Mirrors;
use store::repositories::RepositoryRow;

/// A mirror that was not fetched for so long is no longer fresh: a fetch is due every 15 minutes.
const STALE_MIRROR: SignedDuration = SignedDuration::from_hours(1);

/// What the doctor says of the watched repositories.
pub(super) async fn findings(vitals: &Vitals, mirrors: &Mirrors, now: Timestamp) -> Vec<Finding> {
    match &vitals.repositories {
        Err(error) => vec![Finding::failure("repositories", error.to_string(), "Look at the database.")],
        Ok(rows) if rows.is_empty() => {
            let todo = "Install the App in a repository, or run: flawless repository add URL.";
            vec![Finding::warning("repositories", "none is watched yet", todo)]
        }
        Ok(rows) => {
            let mut found = Vec::new();
            for row in rows {
                found.extend(of_repository(row, mirrors, now).await);
            }
            found
        }
    }
}

async fn of_repository(row: &RepositoryRow, mirrors: &Mirrors, now: Timestamp) -> Vec<Finding> {
    let name = row.repository.full_name.as_str();
    let mut found = vec![of_mirror(row, mirrors.exists(row.repository.id), now)];
    found.extend(of_damage(row, mirrors).await);
    if let Some(error) = &row.settings_error {
        let what = format!(".github/flawless.yml is not used: {}", error.replace('\n', "; "));
        found.push(Finding::failure(name, what, "Mend the file and push; the last good one is in force until then."));
    }
    if row.is_shadow(now) {
        let todo = "End it on the repository's page, when you trust it.";
        found.push(Finding::warning(name, "shadow mode: nothing is sent", todo));
    }
    found
}

/// What is missing in a mirror that is there, beside when it was fetched.
async fn of_damage(row: &RepositoryRow, mirrors: &Mirrors) -> Option<Finding> {
    let name = row.repository.full_name.as_str();
    let (mirrors, id) = (mirrors.clone(), row.repository.id);
    let what = match blocking(move || mirrors.damage(id)).await {
        Ok(damage) => format!("its mirror is damaged: {}", damage?),
        Err(failure) => format!("its mirror can't be read: {failure}"),
    };
    let todo = "The server clones it anew at the next report or fetch, within 15 minutes; look at the disk under \
                DATA_DIR if it happens again.";
    Some(Finding::failure(name, what, todo))
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
