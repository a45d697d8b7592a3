//! Gathering what an alert says from the rows, for a mail, an issue or a page.

use super::{LatestReport, Site, latest_report};
use domain::alert::{Alert, Links, Place, Recipient};
use domain::attribution::Attribution;
use domain::links::LinkedLine;
use domain::presentation::{additional, request, traceback};
use domain::refusal::Refusal;
use domain::repository::Repository;
use domain::timestamp::Timestamp;
use store::lines::Line;
use store::repositories::RepositoryRow;
use store::{Store, StoreError};

/// What was decided about the line, then about who is told, unless a person decided that.
fn verdict(line: &Line, found: Option<&Attribution>) -> Vec<String> {
    let mut words = found.map(|found| found.verdict.clone()).unwrap_or_default();
    if let Some(told) = line.told.as_ref().filter(|_| !line.is_reassigned()) {
        words.extend(told.person.sentences());
    }
    words
}

/// Gathers what alerts say.
#[derive(Clone)]
pub struct AlertContent {
    /// The rows.
    pub store: Store,
    /// Addresses, and what issues are found by.
    pub site: Site,
}

impl AlertContent {
    /// The alert of a line for somebody, as its latest report has it.
    ///
    /// # Errors
    /// The database is out of reach, or a row can't be read.
    pub async fn latest(
        &self,
        row: &RepositoryRow,
        line: &Line,
        told: Recipient,
        now: Timestamp,
    ) -> Result<Alert, StoreError> {
        let latest = latest_report(&self.store, line.id).await?;
        self.of_report(row, line, latest, told, now).await
    }

    /// The alert of a line for somebody, with one of its reports.
    ///
    /// # Errors
    /// The database is out of reach, or a row can't be read.
    pub async fn of_report(
        &self,
        row: &RepositoryRow,
        line: &Line,
        latest: LatestReport,
        told: Recipient,
        now: Timestamp,
    ) -> Result<Alert, StoreError> {
        let found = latest.attribution;
        let report = latest.traceback.map(|traceback| traceback.report).unwrap_or_default();
        let repository = &row.repository;
        let place = found.as_ref().map_or_else(|| line.place.clone(), |found| found.place.clone());
        let revision = found.as_ref().and_then(|found| found.revision.clone());
        let links = self.links(row, line, &place, found.as_ref(), now);
        let (counts, days) = store::lines::counts_and_days(&self.store, line).await?;
        let message = match report.raised() {
            Some(raised) => raised.value.clone(),
            None => report.message.clone(),
        };
        Ok(Alert {
            repository: repository.clone(),
            line: line.id,
            marker: self.site.marker(line.id),
            snippet: found.as_ref().map(|found| found.snippet.clone()).unwrap_or_default(),
            revision,
            exception: line.exception.clone(),
            message: message.filter(|message| !message.is_empty()),
            message_in_issue: !repository.public || row.settings.issues.message_in_public,
            blame: found.as_ref().and_then(|found| found.blame.clone()),
            author_login: line.author_login.clone(),
            told,
            pull: line.told.as_ref().and_then(|told| told.pull.clone()),
            first_release: store::lines::first_release(&self.store, line.id).await?,
            no_line: found.as_ref().map(Attribution::why_no_line).unwrap_or_default(),
            verdict: verdict(line, found.as_ref()),
            traceback: traceback(repository, &report, found.as_ref()),
            request: request(&report),
            additional: additional(&report),
            counts,
            days,
            links,
            header: None,
            no_issue: no_issue(row, line),
            place,
        })
    }

    fn links(
        &self,
        row: &RepositoryRow,
        line: &Line,
        place: &Place,
        found: Option<&Attribution>,
        now: Timestamp,
    ) -> Links {
        let (repository, linker) = (&row.repository, &self.site.linker);
        let blame = found.and_then(|found| found.blame.as_ref());
        let linked = LinkedLine { repository, id: line.id, place };
        let pull = line.told.as_ref().and_then(|told| Some(told.pull.as_ref()?.url.clone()));
        Links {
            line: found.and_then(|found| line_url(repository, place, found)),
            commit: blame.and_then(|blame| repository.commit_url(&blame.commit)),
            pull: pull.filter(|url| !url.is_empty()),
            occurrence: Some(linker.traceback(linked, line.last_seen_at, Some(now))),
            not_me: line.author_email.as_ref().map(|_| linker.not_me(linked, Some(now))),
            whitelist: Some(linker.whitelist(linked, Some(now))),
            week: Some(linker.week(Some(&repository.full_name), line.last_seen_at)),
            issue: line.issue.and_then(|number| repository.issue_url(number)),
            why_no_line: found.and_then(|found| Some(linker.why_no_line(found.no_line.first()?.reason))),
        }
    }
}

/// Why the line has no issue, where GitHub takes none in its repository now.
fn no_issue(row: &RepositoryRow, line: &Line) -> Option<String> {
    let is_without = line.issue.is_none() && !line.known;
    row.refusal.as_ref().filter(|_| is_without).map(Refusal::no_issue)
}

/// The line on GitHub, where it is one of the repository's.
fn line_url(repository: &Repository, place: &Place, found: &Attribution) -> Option<String> {
    let commit = found.revision.as_ref().filter(|_| found.culprit.is_some() && place.line > 0)?;
    repository.line_url(commit, &place.path, place.line)
}
