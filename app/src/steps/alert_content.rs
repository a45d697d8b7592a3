//! Gathering what an alert says from the rows, and on which terms it is told, for a mail, an issue or a page.

use super::{Failure, Services};
use domain::alert::{Alert, Links, Recipient};
use domain::attribution::Attribution;
use domain::decision::Terms;
use domain::presentation::{additional, request, traceback};
use domain::week::date_ms;
use store::lines::Line;
use store::repositories::RepositoryRow;
use store::tracebacks::Traceback;

/// What was decided about the line, then about who is told, unless a person decided that.
fn verdict(line: &Line, found: Option<&Attribution>) -> Vec<String> {
    let mut words = found.map(|found| found.verdict.clone()).unwrap_or_default();
    if let Some(told) = line.told.as_ref().filter(|_| !line.is_reassigned()) {
        words.extend(told.person.sentences());
    }
    words
}

impl Services {
    /// The alert of a line for somebody, with the traceback given (the latest one, mostly).
    ///
    /// # Errors
    /// The database is out of reach, or a row can't be read.
    pub async fn alert(
        &self,
        row: &RepositoryRow,
        line: &Line,
        latest: Option<Traceback>,
        told: Recipient,
        now_ms: i64,
    ) -> Result<Alert, Failure> {
        let found: Option<Attribution> = match &latest {
            Some(latest) => store::attributions::of_fingerprint(&self.store, latest.fingerprint).await?,
            None => None,
        };
        let report = latest.map(|latest| latest.report).unwrap_or_default();
        let repository = &row.repository;
        let place = found.as_ref().map_or_else(|| line.place.clone(), |found| found.place.clone());
        let revision = found.as_ref().and_then(|found| found.revision.clone());
        let blame = found.as_ref().and_then(|found| found.blame.clone());
        let own = found.as_ref().is_some_and(|found| found.culprit.is_some());
        let links = Links {
            line: revision
                .as_deref()
                .filter(|_| own && place.line > 0)
                .and_then(|commit| repository.line_url(commit, &place.path, place.line)),
            commit: blame.as_ref().and_then(|blame| repository.commit_url(&blame.commit)),
            pull: line
                .told
                .as_ref()
                .and_then(|told| Some(told.pull.as_ref()?.url.clone()))
                .filter(|url| !url.is_empty()),
            occurrence: Some(self.linker.traceback(&repository.full_name, &place, line.last_seen_ms, Some(now_ms))),
            not_me: line.author_email.as_ref().map(|_| self.linker.not_me(&repository.full_name, &place, Some(now_ms))),
            whitelist: Some(self.linker.whitelist(&repository.full_name, &place, Some(now_ms))),
            week: Some(self.linker.week(Some(&repository.full_name), line.last_seen_ms)),
            issue: line.issue.and_then(|number| repository.issue_url(number)),
        };
        let message = match report.raised() {
            Some(raised) => raised.value.clone(),
            None => report.message.clone(),
        };
        Ok(Alert {
            repository: repository.clone(),
            line: line.id,
            marker: self.marker(line),
            snippet: found.as_ref().map(|found| found.snippet.clone()).unwrap_or_default(),
            revision,
            exception: line.exception.clone(),
            message: message.filter(|message| !message.is_empty()),
            message_in_issue: !repository.public || row.settings.issues.message_in_public,
            blame,
            author_login: line.author_login.clone(),
            told,
            pull: line.told.as_ref().and_then(|told| told.pull.clone()),
            first_release: store::lines::first_release(&self.store, line.id).await?,
            verdict: verdict(line, found.as_ref()),
            traceback: traceback(repository, &report, found.as_ref()),
            request: request(&report),
            additional: additional(&report),
            counts: store::lines::counts(&self.store, line).await?,
            days: store::lines::count_by_day(&self.store, line).await?,
            links,
            header: None,
            place,
        })
    }

    /// The repository's word on alerts.
    pub(super) fn terms(row: &RepositoryRow) -> Terms {
        Terms {
            threshold: row.settings.report_error_threshold,
            minimum_date_ms: row.settings.report_only_after_minimum_date.as_deref().and_then(date_ms),
            comment_at: row.settings.issues.comment_at.clone(),
        }
    }

    /// Issues go to GitHub, or to the outbox directory while there is no App at all. A plain repository beside an App has none.
    pub(super) fn has_issues(&self, row: &RepositoryRow) -> bool {
        row.repository.forge.is_some() || self.app.get().is_none()
    }

    /// Hidden text by which a line's issue is found again: no other installation of Flawless writes the same.
    pub(super) fn marker(&self, line: &Line) -> String {
        format!("flawless:{}:{}", self.installation, line.id)
    }
}
