//! The doctor: looks at everything that can be wrong, once, for the terminal and the page alike.

mod app;
mod installation;
mod repositories;
mod webhooks;
mod work;

use super::Site;
use super::github_app::GitHubApp;
use super::vitals::Vitals;
use domain::finding::Finding;
use domain::timestamp::Timestamp;
use email::Mailer;
use jiff::SignedDuration;
use mirror::Mirrors;
use std::sync::Arc;
use store::Store;

/// Looks at all that this server works with.
#[derive(Clone)]
pub struct Doctor {
    /// The database.
    pub store: Store,
    /// The mirrors.
    pub mirrors: Mirrors,
    /// The mail server.
    pub mailer: Arc<Mailer>,
    /// GitHub.
    pub github_app: GitHubApp,
    /// Our own address.
    pub site: Site,
}

impl Doctor {
    /// Looks at everything. What can't be looked at is a finding, too.
    pub async fn examine(&self, now: Timestamp) -> Vec<Finding> {
        let vitals = Vitals::read(&self.store, now).await;
        let mut found = vec![self.database().await, self.mail().await, address(&self.site)];
        found.extend(work::findings(&vitals, now));
        found.extend(self.app(&vitals, now).await);
        found.extend(repositories::findings(&vitals, &self.mirrors, now).await);
        found
    }

    async fn database(&self) -> Finding {
        match self.store.ping().await {
            Ok(()) => Finding::fine("database", "it answers"),
            Err(error) => {
                Finding::failure("database", error.to_string(), "Look at DATABASE_URL and at the server behind it.")
            }
        }
    }

    async fn mail(&self) -> Finding {
        match self.mailer.check().await {
            Ok(said) => Finding::fine("mail", said),
            Err(error) => {
                Finding::failure("mail", error.to_string(), "Look at SMTP_URL: server, port, tls and password.")
            }
        }
    }
}

/// Whether others can reach us, as far as the address tells.
fn address(site: &Site) -> Finding {
    let base = site.linker.base();
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

/// `3 min`, `2 h`.
fn minutes(duration: SignedDuration) -> String {
    match duration.as_mins() {
        ..1 => "less than a minute".to_owned(),
        minutes @ 1..120 => format!("{minutes} min"),
        minutes => format!("{} h", minutes / 60),
    }
}
