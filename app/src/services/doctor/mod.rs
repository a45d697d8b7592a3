//! The doctor: looks at everything that can be wrong, once, for the terminal and the page alike.

mod app;
mod installation;
mod repositories;
mod size;
mod untold;
mod webhooks;
mod work;

use super::Site;
use super::github_app::GitHubApp;
use super::readiness::{Clocks, Down, Readiness};
use super::vitals::Vitals;
use domain::finding::Finding;
use domain::retention::Kept;
use email::Mailer;
use mirror::Mirrors;
use std::sync::Arc;
use store::Store;

/// What is said of the database.
pub const DATABASE: &str = "database";

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
    /// What stops a server.
    pub readiness: Readiness,
    /// How long what was counted and kept stays.
    pub kept: Kept,
}

impl Doctor {
    /// Looks at everything. What can't be looked at is a finding, too.
    pub async fn examine(&self, clocks: Clocks) -> Vec<Finding> {
        let now = clocks.now;
        let seen = self.readiness.examine(clocks).await;
        let vitals = Vitals::read(&self.store, now).await;
        let mut found = vec![database(seen.down.as_ref()), self.mail().await, address(&self.site)];
        found.push(size::finding(&vitals, &self.kept));
        found.extend(work::findings(&vitals, now));
        found.extend(seen.work());
        found.extend(seen.time());
        found.extend(self.app(&vitals, clocks).await);
        found.extend(repositories::findings(&vitals, &self.mirrors, &seen.mirrors, now));
        let untold = store::lines::count_untold(&self.store).await;
        found.extend(untold::findings(&untold, &vitals, &self.site));
        found
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

fn database(down: Option<&Down>) -> Finding {
    match down {
        None => Finding::fine(DATABASE, "it answers, and can be written"),
        Some(down) => Finding::failure(DATABASE, &down.why, &down.todo),
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
