//! Whether GitHub knows the App, and lets it do what it has to.

use super::Doctor;
use crate::services::github_app::{App, install_url};
use crate::services::readiness::{Clocks, of_github};
use crate::services::vitals::Vitals;
use domain::finding::{Finding, missing_events, missing_permissions};
use domain::timestamp::Timestamp;
use github::manifest::Manifest;
use github::{GitHubError, Itself};

/// What its findings are about.
const ABOUT: &str = "GitHub App";

impl Doctor {
    /// What the doctor says of the App, and of where it is installed.
    pub(super) async fn app(&self, vitals: &Vitals, clocks: Clocks) -> Vec<Finding> {
        let now = clocks.now;
        let Some(app) = self.github_app.get() else { return vec![self.no_app()] };
        let itself = app.github.itself().await;
        // A clock that is off is why GitHub refuses us: what it says then tells, too.
        let clock = app.github.clock().map(|theirs| clock(theirs, clocks.machine));
        let itself = match itself {
            Ok(itself) => itself,
            Err(error) => return [silent(&error)].into_iter().chain(clock).collect(),
        };
        let manifest = Manifest::new(self.site.linker.base());
        let mut found = vec![Finding::fine(ABOUT, format!("{} answers: its number and key are right", itself.slug))];
        found.extend(clock);
        found.extend(missing(&itself, &manifest));
        found.push(webhook_secret(&app));
        found.push(sign_in(&app));
        found.extend(self.installations(&app, &itself, &manifest, vitals, now).await);
        found
    }

    fn no_app(&self) -> Finding {
        let todo =
            "Bring the key back (SECRET_KEY, or secret.key in DATA_DIR), or make the App anew on the setup page.";
        match self.github_app.trouble() {
            Some(why) => Finding::failure(ABOUT, why, todo),
            None => Finding::fine(ABOUT, "there is none: issues are written to the outbox directory"),
        }
    }

    async fn installations(
        &self,
        app: &App,
        itself: &Itself,
        manifest: &Manifest,
        vitals: &Vitals,
        now: Timestamp,
    ) -> Vec<Finding> {
        let installations = match app.github.installations().await {
            Ok(installations) => installations,
            Err(error) => {
                return vec![Finding::failure("installations", error.to_string(), "Try again in a moment.")];
            }
        };
        let mut found = Vec::new();
        if installations.is_empty() {
            let todo = format!("Install it: {}.", install_url(&itself.html_url));
            found.push(Finding::warning("installations", "the App is installed nowhere", todo));
        }
        found.push(self.arriving(vitals, !installations.is_empty(), now));
        found.push(super::webhooks::lost(&app.github, now).await);
        for installation in &installations {
            found.extend(super::installation::findings(&self.store, &app.github, installation, manifest, now).await);
        }
        found
    }
}

fn silent(error: &GitHubError) -> Finding {
    let todo = match error {
        // By a clock that is off GitHub is asked by its own time, where its answers say that.
        GitHubError::Unauthorized(_) => {
            "Check APP_ID and the private key; and this machine's clock, if a proxy takes the Date out of GitHub's answers."
        }
        _ if error.is_of_certificate_dates() => {
            "Is this machine's date right? By a clock that is off by months, GitHub's certificate is none: set it by \
             NTP. If it is right, look at whoever answers for GitHub on the way."
        }
        _ => "Look at GITHUB_API_URL, and at the way from here to GitHub.",
    };
    Finding::failure(ABOUT, error.to_string(), todo)
}

fn clock(theirs: Timestamp, machine: Timestamp) -> Finding {
    if let Some(fault) = of_github(theirs, machine) {
        return fault.finding();
    }
    let apart = (machine - theirs).abs().as_secs();
    Finding::fine("clock", format!("this machine's clock differs from GitHub's by {apart} s"))
}

/// What the App is not allowed to do, and what it is not told of.
fn missing(itself: &Itself, manifest: &Manifest) -> Vec<Finding> {
    let todo = format!("Add them in the App's settings on GitHub ({}), under Permissions & events.", itself.html_url);
    let permissions = missing_permissions(&manifest.permissions(), &itself.permissions);
    let events = missing_events(&manifest.events(), &itself.events);
    let mut found = Vec::new();
    if !permissions.is_empty() {
        found.push(Finding::failure(ABOUT, format!("it lacks the permissions {}", permissions.join(", ")), &todo));
    }
    if !events.is_empty() {
        found.push(Finding::failure(ABOUT, format!("it is not told of the events {}", events.join(", ")), &todo));
    }
    found
}

fn webhook_secret(app: &App) -> Finding {
    if app.webhook_secret.is_some() {
        return Finding::fine("webhooks", "there is a secret to check their signatures with");
    }
    Finding::failure(
        "webhooks",
        "WEBHOOK_SECRET is not set: no webhook can be believed",
        "Set the same secret here and in the App's settings on GitHub.",
    )
}

fn sign_in(app: &App) -> Finding {
    if app.sign_in.is_some() {
        return Finding::fine("sign-in", "people can sign in with GitHub");
    }
    Finding::warning(
        "sign-in",
        "people can't sign in with GitHub, only with the admin token",
        "Set GITHUB_CLIENT_ID and GITHUB_CLIENT_SECRET to those of the App.",
    )
}
