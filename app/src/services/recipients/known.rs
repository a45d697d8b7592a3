//! Whether somebody has to do with a repository already, so that a mail's reader may name them.

use super::Recipients;
use super::github_lookup::GitHubLookup;
use crate::services::{Failure, blocking};
use domain::blame::Author;
use domain::handover::Successor;
use domain::names::Login;
use domain::person::GONE_AFTER;
use domain::timestamp::{HOUR, Timestamp};
use store::repositories::RepositoryRow;

/// Logins of a repository that GitHub is asked about within an hour, before whoever has a link
/// can't make it ask for more: an installation of the App has 5,000 requests in that time, which
/// alerts need.
const MOST_ASKED: u64 = 60;

impl Recipients {
    /// Whether somebody is known in a repository: wrote one of its lines that failed (a line that
    /// only a fork has is none), was told of one, is named in its settings, committed to it in the
    /// last year of its history (by `.mailmap`), or can be assigned its issues on GitHub. Nobody is
    /// known.
    ///
    /// # Errors
    /// The database is out of reach. What the mirror or GitHub can't say is not known.
    pub async fn knows(&self, row: &RepositoryRow, who: &Successor, now: Timestamp) -> Result<bool, Failure> {
        match who {
            Successor { login: Some(login), .. } => self.knows_login(row, login, now).await,
            Successor { email: Some(email), .. } => self.knows_address(row, email, now).await,
            Successor { login: None, email: None } => Ok(false),
        }
    }

    async fn knows_address(&self, row: &RepositoryRow, email: &str, now: Timestamp) -> Result<bool, Failure> {
        let is_known = row.settings.names_address(email)
            || store::lines::is_address_known(&self.store, row.repository.id, email).await?
            || self.has_committed(row, email, now).await;
        Ok(is_known)
    }

    async fn has_committed(&self, row: &RepositoryRow, email: &str, now: Timestamp) -> bool {
        let (mirrors, id) = (self.mirror_sync.mirrors.clone(), row.repository.id);
        if !mirrors.exists(id) {
            return false;
        }
        let author = Author { name: String::new(), email: email.to_owned() };
        let asked = blocking(move || {
            // The year that candidates are looked for in, too, which is remembered.
            let newest_at = mirrors.newest_commit_at(id)?.unwrap_or(now);
            mirrors.last_commit_of(id, &author, newest_at.min(now) - GONE_AFTER)
        });
        match asked.await {
            Ok(last) => last.is_some(),
            Err(failure) => {
                tracing::warn!(repository = %row.repository.full_name, %failure, "who commits can't be read in the mirror");
                false
            }
        }
    }

    async fn knows_login(&self, row: &RepositoryRow, login: &Login, now: Timestamp) -> Result<bool, Failure> {
        let id = row.repository.id;
        if store::lines::is_login_known(&self.store, id, login).await? {
            return Ok(true);
        }
        if store::look_ups::count_since(&self.store, id, "assignable ", now - HOUR).await? >= MOST_ASKED {
            return Ok(false);
        }
        Ok(GitHubLookup::new(self, row, now).is_assignable(login).await? == Some(true))
    }
}
