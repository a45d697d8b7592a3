//! The doctor: looks at everything that can be wrong, once, for the terminal and the page alike.

use super::Services;
use domain::finding::{Finding, missing_events, missing_permissions};
use domain::pace::{MOST_A_MINUTE, MOST_AN_HOUR};
use github::manifest::Manifest;
use github::{GitHub, GitHubError, Installation};
use store::repositories::RepositoryRow;

/// A clock that is off by more than this makes GitHub refuse our signature within the minute.
const MOST_SKEW_MS: i64 = 30_000;
/// A queue whose oldest job waits longer than this has a problem: steps take seconds, back-off at most 15 minutes.
const LATE_MS: i64 = 30 * 60_000;
/// So long after an installation the first webhook has come, where GitHub reaches us.
const FIRST_HOOK_MS: i64 = 10 * 60_000;
/// Failed webhooks are looked for so far back.
const HOOKS_SINCE_MS: i64 = 24 * 3_600_000;
/// A mirror that was not fetched for so long is no longer fresh: it is tried every 15 minutes.
const STALE_MIRROR_MS: i64 = 60 * 60_000;
/// An oldest write that waits longer than this is worth a word: in a storm, writes wait for hours.
const LATE_WRITE_MS: i64 = 60 * 60_000;

/// Looks at everything. What can't be looked at is a finding, too.
pub async fn examine(services: &Services, now_ms: i64) -> Vec<Finding> {
    let mut found = Vec::new();
    found.push(match services.store.ping().await {
        Ok(()) => Finding::fine("database", "it answers"),
        Err(error) => {
            Finding::failure("database", error.to_string(), "Look at DATABASE_URL and at the server behind it.")
        }
    });
    found.push(match services.mailer.check().await {
        Ok(said) => Finding::fine("mail", said),
        Err(error) => Finding::failure("mail", error.to_string(), "Look at SMTP_URL: server, port, tls and password."),
    });
    found.push(address(services));
    work(services, now_ms, &mut found).await;
    app(services, now_ms, &mut found).await;
    repositories(services, now_ms, &mut found).await;
    found
}

/// Whether others can reach us, as far as the address tells.
fn address(services: &Services) -> Finding {
    let base = services.linker.base();
    let host = url::Url::parse(base).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default();
    let is_local = host == "localhost" || host.starts_with("127.") || host == "[::1]" || host == "0.0.0.0";
    if is_local {
        let what =
            format!("{base} is an address of this machine only: GitHub's webhooks and links in mails do not reach it");
        return Finding::warning("address", what, "Set PUBLIC_URL to the address that others reach this server by.");
    }
    if base.starts_with("http:") {
        let what = format!("{base} is not encrypted: keys and sessions can be read on the way");
        return Finding::warning(
            "address",
            what,
            "Put a reverse proxy with TLS before it, and set PUBLIC_URL to https://….",
        );
    }
    Finding::fine("address", base)
}

async fn work(services: &Services, now_ms: i64, found: &mut Vec<Finding>) {
    let broken =
        |error: &dyn std::fmt::Display| Finding::failure("background work", error.to_string(), "Look at the database.");
    match store::jobs::queue_state(&services.store).await {
        Ok(queue) => {
            let age_ms = queue.oldest_ms.map_or(0, |oldest| now_ms - oldest);
            let what = match queue.length {
                0 => "nothing waits".to_owned(),
                length => format!(
                    "{length} jobs wait or run, the oldest for {}; {} of them failed before",
                    minutes(age_ms),
                    queue.failing
                ),
            };
            found.push(if age_ms > LATE_MS && queue.failing > 0 {
                Finding::warning("background work", what, "The server's log says which job fails, and why.")
            } else {
                Finding::fine("background work", what)
            });
        }
        Err(error) => found.push(broken(&error)),
    }
    match store::deliveries::count_pending_and_given_up(&services.store).await {
        Ok((waiting, given_up)) => {
            found.push(Finding::fine(
                "messages",
                format!("{waiting} wait, {given_up} were given up since the beginning"),
            ));
        }
        Err(error) => found.push(broken(&error)),
    }
}

async fn app(services: &Services, now_ms: i64, found: &mut Vec<Finding>) {
    let Some(app) = services.app.get() else {
        found.push(match services.app.trouble() {
            Some(why) => Finding::failure(
                "GitHub App",
                why,
                "Bring the key back (SECRET_KEY, or secret.key in DATA_DIR), or make the App anew on the setup page.",
            ),
            None => Finding::fine("GitHub App", "there is none: issues are written to the outbox directory"),
        });
        return;
    };
    let manifest = Manifest::new(services.linker.base());
    let about = "GitHub App";
    let itself = match app.github.itself(now_ms).await {
        Ok(itself) => itself,
        Err(error) => {
            let todo = match &error {
                GitHubError::Unauthorized(_) => "Check APP_ID and the private key, and this machine's clock.",
                _ => "Look at GITHUB_API_URL, and at the way from here to GitHub.",
            };
            found.push(Finding::failure(about, error.to_string(), todo));
            return;
        }
    };
    found.push(Finding::fine(about, format!("{} answers: its number and key are right", itself.slug)));
    if let Some(skew_ms) = itself.skew_ms {
        let what = format!("this machine's clock differs from GitHub's by {} s", skew_ms.abs() / 1000);
        found.push(if skew_ms.abs() > MOST_SKEW_MS {
            Finding::failure("clock", what, "Set it by NTP: GitHub refuses signatures of another minute.")
        } else {
            Finding::fine("clock", what)
        });
    }
    let settings =
        format!("Add them in the App's settings on GitHub ({}), under Permissions & events.", itself.html_url);
    let permissions = missing_permissions(&manifest.permissions(), &itself.permissions);
    let events = missing_events(&manifest.events(), &itself.events);
    if !permissions.is_empty() {
        found.push(Finding::failure(about, format!("it lacks the permissions {}", permissions.join(", ")), &settings));
    }
    if !events.is_empty() {
        found.push(Finding::failure(about, format!("it is not told of the events {}", events.join(", ")), &settings));
    }
    found.push(if app.webhook_secret.is_some() {
        Finding::fine("webhooks", "there is a secret to check their signatures with")
    } else {
        Finding::failure(
            "webhooks",
            "WEBHOOK_SECRET is not set: no webhook can be believed",
            "Set the same secret here and in the App's settings on GitHub.",
        )
    });
    found.push(if app.sign_in.is_some() {
        Finding::fine("sign-in", "people can sign in with GitHub")
    } else {
        Finding::warning(
            "sign-in",
            "people can't sign in with GitHub, only with the admin token",
            "Set GITHUB_CLIENT_ID and GITHUB_CLIENT_SECRET to those of the App.",
        )
    });
    let installations = match app.github.installations().await {
        Ok(installations) => installations,
        Err(error) => {
            found.push(Finding::failure("installations", error.to_string(), "Try again in a moment."));
            return;
        }
    };
    if installations.is_empty() {
        let todo = format!("Install it: {}/installations/new.", itself.html_url);
        found.push(Finding::warning("installations", "the App is installed nowhere", todo));
    }
    hooks(services, &app.github, !installations.is_empty(), now_ms, found).await;
    for installation in &installations {
        self::installation(services, &app.github, installation, &manifest, now_ms, found).await;
    }
}

/// Whether webhooks arrive.
async fn hooks(services: &Services, github: &GitHub, installed: bool, now_ms: i64, found: &mut Vec<Finding>) {
    let about = "webhooks";
    match store::hooks::last_received_ms(&services.store).await {
        Ok(Some(at)) => found.push(Finding::fine(about, format!("the last one came {} ago", minutes(now_ms - at)))),
        Ok(None) => {
            let first = store::repositories::list(&services.store).await.unwrap_or_default();
            let since = first.iter().filter(|row| row.repository.forge.is_some()).map(|row| row.created_at_ms).min();
            if installed && since.is_some_and(|since| now_ms - since > FIRST_HOOK_MS) {
                let todo = format!(
                    "See that {}/api/github/webhooks can be reached from GitHub, and that it stands in the App's settings.",
                    services.linker.base()
                );
                found.push(Finding::failure(about, "none ever came, though the App is installed", todo));
            } else {
                found.push(Finding::fine(about, "none came yet"));
            }
        }
        Err(error) => found.push(Finding::failure(about, error.to_string(), "Look at the database.")),
    }
    match github.hook_deliveries(now_ms - HOOKS_SINCE_MS).await {
        Ok(tries) => {
            let mut lost: std::collections::BTreeMap<&str, bool> = std::collections::BTreeMap::new();
            for one in &tries {
                *lost.entry(&one.guid).or_default() |= one.is_delivered;
            }
            let (all, failed) = (lost.len(), lost.values().filter(|delivered| !**delivered).count());
            let what = format!("of {all} within a day, {failed} did not arrive");
            found.push(if failed > 0 {
                let todo = "They are asked for again every hour; the App's settings on GitHub show why they failed, under Advanced.";
                Finding::warning(about, what, todo)
            } else {
                Finding::fine(about, what)
            });
        }
        // Not every server that speaks GitHub's language knows of them.
        Err(error) => found.push(Finding::fine(about, format!("which ones were lost can't be asked: {error}"))),
    }
}

async fn installation(
    services: &Services,
    github: &GitHub,
    installation: &Installation,
    manifest: &Manifest,
    now_ms: i64,
    found: &mut Vec<Finding>,
) {
    let about = format!("installation {}", installation.account);
    if installation.suspended {
        let todo = "Unsuspend it on GitHub, in the account's settings under GitHub Apps; what waits is sent then.";
        found.push(Finding::failure(&about, "it is suspended: nothing can be filed or fetched", todo));
        return;
    }
    let missing = missing_permissions(&manifest.permissions(), &installation.permissions);
    if !missing.is_empty() {
        let what = format!("it has not accepted the permissions {}", missing.join(", "));
        let todo =
            "An owner of the account accepts them: GitHub has sent a mail, and asks in the settings under GitHub Apps.";
        found.push(Finding::failure(&about, what, todo));
    }
    let missing = missing_events(&manifest.events(), &installation.events);
    if !missing.is_empty() {
        let what = format!("it does not tell of {}", missing.join(", "));
        found.push(Finding::warning(&about, what, "Add the events to the App; its installations follow."));
    }
    match github.rate_limit(installation.id).await {
        Ok((remaining, limit)) => {
            let what = format!("GitHub answers {remaining} of {limit} more requests this hour");
            found.push(if remaining * 10 < limit {
                Finding::warning(&about, what, "Wait for the hour to end; what waits is sent then.")
            } else {
                Finding::fine(&about, what)
            });
        }
        Err(error) => {
            found.push(Finding::failure(&about, error.to_string(), "Is the App still installed in this account?"));
        }
    }
    let (Ok(budget), Ok(queue)) = (
        store::writes::budget(&services.store, installation.id, now_ms).await,
        store::writes::queue_state(&services.store, installation.id).await,
    ) else {
        return;
    };
    let age_ms = queue.oldest_ms.map_or(0, |oldest| now_ms - oldest);
    let waiting = match queue.length {
        0 => "nothing waits to be written".to_owned(),
        length => format!("{length} issues and comments wait to be written, the oldest for {}", minutes(age_ms)),
    };
    let what = format!(
        "{waiting}; {} of {MOST_A_MINUTE} writes are left this minute, {} of {MOST_AN_HOUR} this hour",
        budget.minute, budget.hour
    );
    found.push(match budget.paused_until_ms {
        Some(until) => {
            let what = format!("GitHub asked not to be written to for another {}; {what}", minutes(until - now_ms));
            Finding::warning(&about, what, "Nothing: it goes on by itself.")
        }
        None if age_ms > LATE_WRITE_MS => {
            Finding::warning(&about, what, "In a storm that is so; else the server's log says what fails.")
        }
        None => Finding::fine(&about, what),
    });
}

async fn repositories(services: &Services, now_ms: i64, found: &mut Vec<Finding>) {
    let rows = match store::repositories::list(&services.store).await {
        Ok(rows) => rows,
        Err(error) => {
            found.push(Finding::failure("repositories", error.to_string(), "Look at the database."));
            return;
        }
    };
    if rows.is_empty() {
        let todo = "Install the App in a repository, or run: app repository add URL.";
        found.push(Finding::warning("repositories", "none is watched yet", todo));
    }
    for row in &rows {
        repository(services, row, now_ms, found);
    }
}

fn repository(services: &Services, row: &RepositoryRow, now_ms: i64, found: &mut Vec<Finding>) {
    let name = &row.repository.full_name;
    let age_ms = now_ms - row.fetched_at_ms;
    found.push(match (&row.fetch_error, services.mirrors.exists(row.repository.id)) {
        (Some(error), _) => {
            let todo = "It is tried again every 15 minutes; reports are blamed as of the last good fetch meanwhile.";
            Finding::failure(name, format!("not fetched: {error}"), todo)
        }
        (None, false) => Finding::fine(name, "not cloned yet; the server does that when it runs"),
        (None, true) if age_ms > STALE_MIRROR_MS => {
            let what = format!("mirrored, but last fetched {} ago", minutes(age_ms));
            Finding::warning(name, what, "The server fetches every 15 minutes while it runs: does it?")
        }
        (None, true) => Finding::fine(name, format!("mirrored, fetched {} ago", minutes(age_ms))),
    });
    if let Some(error) = &row.settings_error {
        let what = format!(".github/flawless.yml is not used: {}", error.replace('\n', "; "));
        found.push(Finding::failure(name, what, "Mend the file and push; the last good one is in force until then."));
    }
    if row.is_shadow(now_ms) {
        found.push(Finding::warning(
            name,
            "shadow mode: nothing is sent",
            "End it on the repository's page, when you trust it.",
        ));
    }
}

/// `3 min`, `2 h`.
fn minutes(ms: i64) -> String {
    match ms.max(0) / 60_000 {
        0 => "less than a minute".to_owned(),
        minutes @ 1..120 => format!("{minutes} min"),
        minutes => format!("{} h", minutes / 60),
    }
}
