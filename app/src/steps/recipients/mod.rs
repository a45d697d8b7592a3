//! Finding who is told of a line, which deciding, delivering and test reports need.

mod candidates;
mod github_lookup;
mod handover;
mod mails;

use super::{Failure, Services};
use candidates::Candidates;
use domain::attribution::Attribution;
use domain::blame::Author;
use domain::person::{Subject, Told};
use github::GitHubError;
use github_lookup::GitHubLookup;
use store::lines::Line;
use store::repositories::RepositoryRow;

impl Services {
    /// Who is told of a line and which pull request brought it, with why GitHub could not say it all, where it could not.
    ///
    /// # Errors
    /// The database is out of reach. GitHub and the mirror never are a reason.
    pub(super) async fn look_for_person(
        &self,
        row: &RepositoryRow,
        subject: &Subject<'_>,
        now_ms: i64,
    ) -> Result<(Told, Option<GitHubError>), Failure> {
        let lookup = GitHubLookup::new(self, row, now_ms);
        let mut told = Candidates::new(self, row, subject, &lookup).await.gather().await?;
        told.person.role.clone_from(&subject.role);
        let can_ask = lookup.can_ask();
        let failure = lookup.into_failure();
        told.is_complete = can_ask && failure.is_none();
        Ok((told, failure))
    }

    /// The same for a line that is known, and noted with it. Nobody is looked for where a person gave it to somebody.
    ///
    /// # Errors
    /// The database is out of reach.
    pub(super) async fn look_for_person_of(
        &self,
        row: &RepositoryRow,
        line: &Line,
        found: Option<&Attribution>,
        now_ms: i64,
    ) -> Result<(Told, Option<GitHubError>), Failure> {
        let by_row = line.author();
        let subject = subject_of(line, by_row.as_ref(), found);
        let (told, failure) = self.look_for_person(row, &subject, now_ms).await?;
        store::lines::set_told(&self.store, line.id, &told).await?;
        if let Some(author) = subject.author.filter(|_| subject.role.is_none() && line.author_login.is_none())
            && let Some(known) = store::accounts::by_email(&self.store, &author.email, i64::MIN).await?
            && let Some(login) = known.login
        {
            store::lines::set_author_login(&self.store, line.id, &login).await?;
        }
        Ok((told, failure))
    }
}

/// The line that somebody is looked for, as its row and its latest fingerprint have it.
fn subject_of<'a>(line: &'a Line, by_row: Option<&'a Author>, found: Option<&'a Attribution>) -> Subject<'a> {
    let subject = match found {
        // The line's own row names who wrote it, whatever its latest fingerprint was blamed on.
        Some(found) if found.blame.is_some() || by_row.is_none() => Subject::of(found, line.last_seen_ms),
        _ => Subject {
            commit: line.commit.as_deref(),
            author: by_row,
            path: &line.place.path,
            failed_at_ms: line.last_seen_ms,
            ..Subject::default()
        },
    };
    Subject { first_failed_ms: line.first_seen_ms, ..subject }
}
