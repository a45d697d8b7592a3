//! Blamed lines: what is known of each, its issue, and whether it is resolved.

mod changes;
mod counts;
mod find;
mod issue;
mod people;
mod tally;
mod untold;

use crate::StoreError;
use crate::columns::{from_json, get, get_commit_opt, get_count, get_time, get_time_opt};
pub use changes::{
    AsOf, decide_at_next, move_issue, record_issue_gone, resolve_for_now, set_author_login, set_issue,
    set_issue_missed, set_known, set_owner, set_told, unresolve,
};
pub(crate) use changes::{carry_issue_in, record_regression_told_in};
pub use counts::{
    count_alerted_since, count_open, count_plain, counts, counts_and_days, exceptions_since_alert, first_release,
};
use domain::alert::Place;
use domain::blame::Author;
use domain::commit::CommitId;
use domain::ids::{LineId, RepositoryId};
use domain::names::Login;
use domain::person::ChosenRecipient;
use domain::rule::CodeAt;
use domain::timestamp::Timestamp;
pub use find::{
    Resolution, alike_with_issue, by_id, by_ids, by_issue, by_place, of_path, of_repository, of_storm, predecessor,
    resolutions_by_identity,
};
pub use issue::{
    ActedOn, CarriedOut, CommandReply, acted_on, assigned_at, changed_at, give_once, is_next_closing, is_replied_to,
    record_acted_on, record_assigned_at, record_assignees, record_assignment, record_edited, resolve_once,
};
pub use people::{is_address_known, is_login_known};
use sqlx::any::AnyRow;
pub(crate) use tally::{
    Addition, FACETS_PER_KIND, SeenFacet, add_facets_in, add_hours_in, add_totals_in, facet, lock_all_in,
};
pub use untold::{count_untold, count_untold_of, untold};

/// A blamed line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Our number.
    pub id: LineId,
    /// Whose it is.
    pub repository: RepositoryId,
    /// Where it was last seen.
    pub place: Place,
    /// Full name of the exception type last seen.
    pub exception: String,
    /// Exception and message in one line.
    pub headline: String,
    /// The commit that wrote it.
    pub commit: Option<CommitId>,
    /// Author date.
    pub written_at: Option<Timestamp>,
    /// It was once found in a revision that no branch or tag reached then: whose place and text it
    /// has may be anybody's.
    pub is_stray: bool,
    /// It is vendored or generated code, and nothing of the repository called it when it was seen
    /// last.
    pub not_ours: bool,
    /// Who wrote it, by the commit.
    pub author_name: Option<String>,
    /// Their address, by the commit.
    pub author_email: Option<String>,
    /// Their login, as GitHub said.
    pub author_login: Option<Login>,
    /// Whose it is since a person assigned it.
    pub owner_login: Option<Login>,
    /// Occurrences ever.
    pub total: u64,
    /// The total at the last decision.
    pub decided_total: u64,
    /// The smallest of the thresholds that its reports named.
    pub error_threshold: Option<u64>,
    /// A report of it named none.
    pub threshold_by_settings: bool,
    /// First occurrence.
    pub first_seen_at: Timestamp,
    /// Last occurrence.
    pub last_seen_at: Timestamp,
    /// Its alert was decided.
    pub alerted: bool,
    /// A known-error rule covers it.
    pub known: bool,
    /// A mail of the known error was decided.
    pub known_mailed: bool,
    /// It is decided about without the mirror until then.
    pub plain_until: Option<Timestamp>,
    /// Its issue.
    pub issue: Option<u64>,
    /// When GitHub said for the first time that the issue is not there; `None`: it is, as far as is
    /// known.
    pub issue_missed_at: Option<Timestamp>,
    /// Closed without a label then.
    pub resolved_at: Option<Timestamp>,
    /// The commit that closed its issue, else the head of the default branch at that time.
    pub resolved_commit: Option<CommitId>,
    /// It came back, and nobody was told yet.
    pub regressed: bool,
    /// The revision that brought it back.
    pub regressed_revision: Option<CommitId>,
    /// The release that brought it back.
    pub regressed_release: Option<String>,
    /// How often it came back.
    pub regressions: u64,
    /// Who is told of it, once that was decided.
    pub told: Option<ChosenRecipient>,
}

impl Line {
    /// Until when it is decided about without the mirror; `None`: the mirror is asked.
    pub fn plain_until(&self, now: Timestamp) -> Option<Timestamp> {
        self.plain_until.filter(|until| now < *until)
    }

    /// A person gave it to somebody who was not told of it before.
    pub fn is_reassigned(&self) -> bool {
        let Some(owner) = &self.owner_login else { return false };
        let ours = match &self.told {
            Some(told) if !told.person.is_author() => told.person.who.as_ref().and_then(|who| who.login.as_ref()),
            _ => self.logins().next(),
        };
        ours != Some(owner)
    }

    /// Whose it is: `@login` of whom a person gave it to, else the name of who wrote it.
    pub fn whose(&self) -> Option<String> {
        let owner = self.owner_login.as_ref().map(|login| format!("@{login}"));
        owner.or_else(|| self.author_name.clone()).filter(|name| !name.is_empty())
    }

    /// Who wrote it, by the commit.
    pub fn author(&self) -> Option<Author> {
        let email = self.author_email.clone()?;
        Some(Author { name: self.author_name.clone().unwrap_or_default(), email })
    }

    /// Logins of whom we would assign by ourselves: who is told, and the author.
    pub fn logins(&self) -> impl Iterator<Item = &Login> {
        let told = self.told.as_ref().and_then(|told| told.person.who.as_ref()?.login.as_ref());
        told.into_iter().chain(&self.author_login)
    }

    /// Its code, as rules see it.
    pub fn code_at(&self) -> CodeAt<'_> {
        let place = &self.place;
        CodeAt { path: &place.path, inside: true, function: &place.function, code: &place.code }
    }
}

pub(crate) const COLUMNS: &str = "id, repository_id, path, function_name, line_number, code, exception, headline, commit_id,
    written_at_ms, is_stray, not_ours, author_name, author_email, author_login, owner_login, total, decided_total, error_threshold, threshold_by_settings, first_seen_ms,
    last_seen_ms, alerted_at_ms, known, known_mailed_at_ms, plain_until_ms, issue_number, issue_missed_at_ms, resolved_at_ms, resolved_commit, regressed_at_ms,
    regressed_revision, regressed_release, regressions, told";

pub(crate) fn read(row: &AnyRow) -> Result<Line, StoreError> {
    Ok(Line {
        id: LineId(get(row, "id")?),
        repository: RepositoryId(get(row, "repository_id")?),
        place: Place {
            path: get(row, "path")?,
            function: get(row, "function_name")?,
            line: u32::try_from(get::<i64>(row, "line_number")?).unwrap_or(0),
            code: get(row, "code")?,
        },
        exception: get(row, "exception")?,
        headline: get(row, "headline")?,
        commit: get_commit_opt(row, "commit_id")?,
        written_at: get_time_opt(row, "written_at_ms")?,
        is_stray: get::<i64>(row, "is_stray")? != 0,
        not_ours: get::<i64>(row, "not_ours")? != 0,
        author_name: get(row, "author_name")?,
        author_email: get(row, "author_email")?,
        author_login: get::<Option<String>>(row, "author_login")?.map(Login::from),
        owner_login: get::<Option<String>>(row, "owner_login")?.map(Login::from),
        total: get_count(row, "total")?,
        decided_total: get_count(row, "decided_total")?,
        error_threshold: get::<Option<i64>>(row, "error_threshold")?.map(i64::unsigned_abs),
        threshold_by_settings: get::<i64>(row, "threshold_by_settings")? != 0,
        first_seen_at: get_time(row, "first_seen_ms")?,
        last_seen_at: get_time(row, "last_seen_ms")?,
        alerted: get_time_opt(row, "alerted_at_ms")?.is_some(),
        known: get::<i64>(row, "known")? != 0,
        known_mailed: get_time_opt(row, "known_mailed_at_ms")?.is_some(),
        plain_until: get_time_opt(row, "plain_until_ms")?,
        issue: get::<Option<i64>>(row, "issue_number")?.map(i64::unsigned_abs),
        issue_missed_at: get_time_opt(row, "issue_missed_at_ms")?,
        resolved_at: get_time_opt(row, "resolved_at_ms")?,
        resolved_commit: get_commit_opt(row, "resolved_commit")?,
        regressed: get_time_opt(row, "regressed_at_ms")?.is_some(),
        regressed_revision: get_commit_opt(row, "regressed_revision")?,
        regressed_release: get(row, "regressed_release")?,
        regressions: get_count(row, "regressions")?,
        told: get::<Option<String>>(row, "told")?.map(|text| from_json("lines.told", &text)).transpose()?,
    })
}
