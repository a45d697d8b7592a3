//! The weekly report.

use super::line::{function, issue_link, place, short, status, whose};
use crate::server::page::Page;
use crate::server::page_error::PageError;
use crate::server::query::Query;
use crate::server::repository::find;
use crate::server::session::Session;
use crate::server::state::Now;
use crate::server::urls::Urls;
use crate::server::visitor::SignedIn;
use crate::services::kept::gone_of_week;
use axum::extract::State;
use domain::access::Right;
use domain::decision::Terms;
use domain::ids::RepositoryId;
use domain::links::query;
use domain::names::RepositoryName;
use domain::retention::Kept;
use domain::timestamp::{DAY, Timestamp, WEEK};
use render::views::{Link, Toggle, Weekly, WeeklyAuthor, WeeklyLine};
use render::{thousands, when};
use serde::Deserialize;
use std::collections::HashMap;
use store::repositories::RepositoryRow;
use store::weekly::{LINES_PER_REPORT, LineInWeek, WeekQuery};
use store::{Store, StoreError};

/// What is asked for.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct WeeklyQuery {
    #[serde(default)]
    repo: RepositoryName,
    /// Unix seconds; any moment of the week.
    #[serde(default)]
    timestamp: String,
    #[serde(default)]
    include_known_errors: String,
    #[serde(default)]
    include_modified_before_min_date: String,
}

/// `GET /get_weekly_error_report`.
pub(super) async fn weekly(
    State(store): State<Store>,
    State(urls): State<Urls>,
    State(kept): State<Kept>,
    Now(now): Now,
    SignedIn(session): SignedIn,
    Query(query): Query<WeeklyQuery>,
) -> Result<Page<Weekly>, PageError> {
    let at = moment(query.timestamp.trim(), now)?;
    let mut rows = store::repositories::list(&store).await?;
    rows.retain(|row| session.right_in(row).is_some());
    let only = match query.repo.as_str().trim() {
        "" => None,
        _ => Some(find(&store, &session, &query.repo, Right::Read).await?),
    };
    let report = WeeklyReport {
        urls: urls.clone(),
        repo: only.as_ref().map(|row| row.repository.full_name.clone()),
        week: at.week(),
        known: truth(&query.include_known_errors),
        old: truth(&query.include_modified_before_min_date),
    };
    let of = asked_of(&session, only.as_ref(), &rows);
    let (found, all) = lines(&store, of, &report).await?;
    let shown: Vec<&RepositoryRow> = only.as_ref().map_or_else(|| rows.iter().collect(), |row| vec![row]);
    let mut view = report.view(&found, all, &rows, now.week());
    view.gone = gone_of_week(&store, kept, &shown, report.week, now).await?;
    Ok(Page(Some(session), view))
}

/// The moment of a timestamp: now where there is none.
fn moment(timestamp: &str, now: Timestamp) -> Result<Timestamp, PageError> {
    if timestamp.is_empty() {
        return Ok(now);
    }
    let seconds = timestamp.parse::<f64>().ok().filter(|seconds| seconds.abs() < 1e11);
    let seconds = seconds
        .ok_or_else(|| PageError::BadRequest(format!("timestamp is {timestamp:?}: it has to be Unix seconds")))?;
    #[expect(clippy::cast_possible_truncation, reason = "the range was checked")]
    let millis = (seconds * 1000.0) as i64;
    Ok(Timestamp::from_millis(millis))
}

/// Of which repositories is asked: the admin's report of all is one question; a person's is one for
/// each repository that they may see.
fn asked_of(session: &Session, only: Option<&RepositoryRow>, rows: &[RepositoryRow]) -> Vec<Option<RepositoryId>> {
    match only {
        Some(row) => vec![Some(row.repository.id)],
        None if session.who.is_admin() => vec![None],
        None => rows.iter().map(|row| Some(row.repository.id)).collect(),
    }
}

/// The lines of the week, the most frequent first, and how many there are beside those that are
/// read.
async fn lines(
    store: &Store,
    of: Vec<Option<RepositoryId>>,
    report: &WeeklyReport,
) -> Result<(Vec<LineInWeek>, u64), StoreError> {
    let (mut found, mut all) = (Vec::new(), 0);
    for repository in of {
        let wanted = WeekQuery { repository, week: report.week, known: report.known };
        found.extend(store::weekly::lines(store, &wanted).await?);
        all += store::weekly::count_lines(store, &wanted).await?;
        found.sort_by_key(|line| std::cmp::Reverse(line.count));
        // Those of all repositories together: what is left out has fewer errors than what is shown.
        found.truncate(usize::try_from(LINES_PER_REPORT).unwrap_or(usize::MAX));
    }
    Ok((found, all))
}

/// A page of the report: which it is says its address.
#[derive(Clone, Debug)]
struct WeeklyReport {
    urls: Urls,
    repo: Option<RepositoryName>,
    week: Timestamp,
    known: bool,
    old: bool,
}

impl WeeklyReport {
    /// Its address.
    fn url(&self) -> String {
        let mut fields = Vec::new();
        if let Some(repo) = &self.repo {
            fields.push(("repo", repo.to_string()));
        }
        fields.push(("timestamp", self.week.as_seconds().to_string()));
        for (name, on) in [("include_known_errors", self.known), ("include_modified_before_min_date", self.old)] {
            if on {
                fields.push((name, "true".to_owned()));
            }
        }
        self.urls.page(&format!("/get_weekly_error_report?{}", query(&fields)))
    }

    /// The address of another week.
    fn week_url(&self, week: Timestamp) -> String {
        Self { week, ..self.clone() }.url()
    }

    /// The link to the report of a repository, or of all.
    fn link(&self, label: &str, repo: Option<RepositoryName>) -> Link {
        let current = repo == self.repo;
        Link { label: label.to_owned(), url: Self { repo, ..self.clone() }.url(), current }
    }

    fn view(&self, found: &[LineInWeek], all: u64, rows: &[RepositoryRow], this_week: Timestamp) -> Weekly {
        let by_id: HashMap<i64, &RepositoryRow> = rows.iter().map(|row| (row.repository.id.0, row)).collect();
        let shown: Vec<&LineInWeek> = found.iter().filter(|line| self.old || !is_old(line, &by_id)).collect();
        let total: u64 = shown.iter().map(|line| line.count).sum();
        let names = rows.iter().map(|row| &row.repository.full_name);
        let links = names.map(|name| self.link(name.as_str(), Some(name.clone())));
        Weekly {
            range: range(self.week),
            previous_url: self.week_url(self.week - WEEK),
            next_url: (self.week < this_week).then(|| self.week_url(self.week + WEEK)),
            current_url: (self.week != this_week).then(|| self.week_url(this_week)),
            repository: self.repo.clone().map(String::from),
            repositories: std::iter::once(self.link("All", None)).chain(links).collect(),
            include_known: Toggle { on: self.known, url: Self { known: !self.known, ..self.clone() }.url() },
            include_old: Toggle { on: self.old, url: Self { old: !self.old, ..self.clone() }.url() },
            total_errors: thousands(total),
            total_lines: shown.len() as u64,
            authors: leaderboard(&shown, total),
            lines: shown.iter().filter_map(|line| line_view(&self.urls, line, &by_id)).collect(),
            left_out: all.saturating_sub(found.len() as u64),
            gone: Vec::new(),
        }
    }
}

fn truth(text: &str) -> bool {
    matches!(text.to_ascii_lowercase().as_str(), "1" | "true" | "yes" | "on")
}

/// Last changed before the repository's minimum date.
fn is_old(found: &LineInWeek, rows: &HashMap<i64, &RepositoryRow>) -> bool {
    let row = rows.get(&found.line.repository.0);
    row.is_some_and(|row| Terms::of(&row.settings).is_too_old(found.line.written_at))
}

fn leaderboard(lines: &[&LineInWeek], total: u64) -> Vec<WeeklyAuthor> {
    let mut people: HashMap<String, (u64, u64)> = HashMap::new();
    for line in lines {
        let (errors, count) = people.entry(whose(&line.line)).or_default();
        *errors += line.count;
        *count += 1;
    }
    let mut people: Vec<(String, (u64, u64))> = people.into_iter().collect();
    people.sort_by(|a, b| b.1.0.cmp(&a.1.0).then_with(|| a.0.cmp(&b.0)));
    people
        .into_iter()
        .map(|(name, (errors, lines))| WeeklyAuthor {
            name,
            errors: thousands(errors),
            lines,
            share: u8::try_from((errors * 100).checked_div(total).unwrap_or(0)).unwrap_or(100),
        })
        .collect()
}

fn line_view(urls: &Urls, found: &LineInWeek, rows: &HashMap<i64, &RepositoryRow>) -> Option<WeeklyLine> {
    let line = &found.line;
    let row = rows.get(&line.repository.0)?;
    let message = line.headline.strip_prefix(&line.exception).and_then(|rest| rest.strip_prefix(": "));
    Some(WeeklyLine {
        exception: short(&line.exception),
        message: message.map(short),
        repository: row.repository.full_name.to_string(),
        place: place(line),
        function: function(line),
        code: short(&line.place.code),
        author: whose(line),
        count: thousands(found.count),
        days: found.days,
        first_seen: when(line.first_seen_at),
        last_seen: when(line.last_seen_at),
        status: status(line),
        traceback_url: urls.traceback(row, line),
        issue: line.issue.and_then(|number| issue_link(row, number)),
    })
}

/// `16 to 22 November 2026`.
fn range(week: Timestamp) -> String {
    let date = |at: Timestamp| {
        jiff::Timestamp::from_millisecond(at.as_millis())
            .map(|at| at.to_zoned(jiff::tz::TimeZone::UTC).date())
            .unwrap_or_default()
    };
    let (first, last) = (date(week), date(week + WEEK - DAY));
    let end = last.strftime("%-d %B %Y");
    if first.month() == last.month() {
        format!("{} to {end}", first.day())
    } else if first.year() == last.year() {
        format!("{} to {end}", first.strftime("%-d %B"))
    } else {
        format!("{} to {end}", first.strftime("%-d %B %Y"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weeks_are_named_as_people_name_them() {
        let named = |day: &str| range(Timestamp::from_date(day).expect("a date").week());
        assert_eq!(named("2026-11-22"), "16 to 22 November 2026");
        assert_eq!(named("2026-12-01"), "30 November to 6 December 2026");
        assert_eq!(named("2027-01-01"), "28 December 2026 to 3 January 2027");
    }
}
