//! The weekly report.

use super::Server;
use super::extract::InQuery;
use super::pages::{answer, author, function, issue_link, place, status};
use super::respond::Refused;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::Response;
use domain::access::Right;
use domain::ids::RepositoryId;
use domain::links::query;
use domain::week::{DAY_MS, WEEK_MS, date_ms, week_of};
use render::views::{Link, Toggle, Weekly, WeeklyAuthor, WeeklyLine as LineView};
use render::{thousands, when};
use serde::Deserialize;
use std::collections::HashMap;
use std::sync::Arc;
use store::repositories::RepositoryRow;
use store::weekly::{WeekQuery, WeeklyLine};

/// What is asked for.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Question {
    #[serde(default)]
    repo: String,
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
    State(server): State<Arc<Server>>,
    InQuery(question): InQuery<Question>,
    headers: HeaderMap,
    uri: Uri,
) -> Response {
    answer(&server, &headers, report(&server, question, &headers, &uri).await).await
}

async fn report(server: &Server, question: Question, headers: &HeaderMap, uri: &Uri) -> Result<Response, Refused> {
    let session = server.must_be_signed_in(headers, &server.path_of(uri)).await?;
    let now_ms = server.clock.now_ms();
    let asked_ms = match question.timestamp.trim() {
        "" => now_ms,
        text => text
            .parse::<f64>()
            .ok()
            .filter(|seconds| seconds.abs() < 1e11)
            .map(|seconds| {
                #[allow(clippy::cast_possible_truncation, reason = "the range was checked")]
                let ms = (seconds * 1000.0) as i64;
                ms
            })
            .ok_or_else(|| Refused::Bad(format!("timestamp is {text:?}: it has to be Unix seconds")))?,
    };
    let mut rows = store::repositories::list(&server.services.store).await?;
    rows.retain(|row| server.right_in(&session, row).is_some());
    let only = match question.repo.trim() {
        "" => None,
        name => Some(server.repository_for(&session, name, Right::Read).await?.repository),
    };
    let ask = Asked {
        root: server.root().to_owned(),
        repo: only.as_ref().map(|repository| repository.full_name.clone()),
        week_ms: week_of(asked_ms),
        known: truth(&question.include_known_errors),
        old: truth(&question.include_modified_before_min_date),
    };
    // The admin's report of all is one question; a person's is one for each repository that they may see.
    let of: Vec<Option<RepositoryId>> = match &only {
        Some(repository) => vec![Some(repository.id)],
        None if session.who.is_admin() => vec![None],
        None => rows.iter().map(|row| Some(row.repository.id)).collect(),
    };
    let (mut found, mut all) = (Vec::new(), 0);
    for repository in of {
        let wanted = WeekQuery { repository, week_ms: ask.week_ms, known: ask.known };
        found.extend(store::weekly::lines(&server.services.store, &wanted).await?);
        all += store::weekly::count_lines(&server.services.store, &wanted).await?;
    }
    found.sort_by_key(|line| std::cmp::Reverse(line.count));
    let by_id: HashMap<i64, &RepositoryRow> = rows.iter().map(|row| (row.repository.id.0, row)).collect();
    let shown: Vec<&WeeklyLine> = found.iter().filter(|line| ask.old || !is_old(line, &by_id)).collect();
    let total: u64 = shown.iter().map(|line| line.count).sum();
    let this_week = week_of(now_ms);
    let link = |label: String, repo: Option<String>| {
        let current = repo == ask.repo;
        Link { label, url: Asked { repo, ..ask.clone() }.url(), current }
    };
    let mut repositories = vec![link("All".to_owned(), None)];
    repositories
        .extend(rows.iter().map(|row| link(row.repository.full_name.clone(), Some(row.repository.full_name.clone()))));
    let week = |week_ms| Asked { week_ms, ..ask.clone() }.url();
    let view = Weekly {
        range: range(ask.week_ms),
        previous_url: week(ask.week_ms - WEEK_MS),
        next_url: (ask.week_ms < this_week).then(|| week(ask.week_ms + WEEK_MS)),
        current_url: (ask.week_ms != this_week).then(|| week(this_week)),
        repository: ask.repo.clone(),
        repositories,
        include_known: Toggle { on: ask.known, url: Asked { known: !ask.known, ..ask.clone() }.url() },
        include_old: Toggle { on: ask.old, url: Asked { old: !ask.old, ..ask.clone() }.url() },
        total_errors: thousands(total),
        total_lines: shown.len() as u64,
        authors: leaderboard(&shown, total),
        lines: shown.iter().filter_map(|line| line_view(server, line, &by_id)).collect(),
        left_out: all.saturating_sub(found.len() as u64),
    };
    server.show(Some(&session), StatusCode::OK, &view)
}

/// A page of the report, as an address.
#[derive(Clone, Debug)]
struct Asked {
    root: String,
    repo: Option<String>,
    week_ms: i64,
    known: bool,
    old: bool,
}

impl Asked {
    fn url(&self) -> String {
        let mut fields = Vec::new();
        if let Some(repo) = &self.repo {
            fields.push(("repo", repo.clone()));
        }
        fields.push(("timestamp", (self.week_ms / 1000).to_string()));
        for (name, on) in [("include_known_errors", self.known), ("include_modified_before_min_date", self.old)] {
            if on {
                fields.push((name, "true".to_owned()));
            }
        }
        format!("{}/get_weekly_error_report?{}", self.root, query(&fields))
    }
}

fn truth(text: &str) -> bool {
    matches!(text.to_ascii_lowercase().as_str(), "1" | "true" | "yes" | "on")
}

/// Last changed before the repository's minimum date.
fn is_old(line: &WeeklyLine, rows: &HashMap<i64, &RepositoryRow>) -> bool {
    let minimum = rows
        .get(&line.line.repository.0)
        .and_then(|row| row.settings.report_only_after_minimum_date.as_deref())
        .and_then(date_ms);
    line.line.written_at_ms.zip(minimum).is_some_and(|(written, minimum)| written < minimum)
}

fn leaderboard(lines: &[&WeeklyLine], total: u64) -> Vec<WeeklyAuthor> {
    let mut people: HashMap<String, (u64, u64)> = HashMap::new();
    for line in lines {
        let (errors, count) = people.entry(author(&line.line)).or_default();
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

fn line_view(server: &Server, found: &WeeklyLine, rows: &HashMap<i64, &RepositoryRow>) -> Option<LineView> {
    let line = &found.line;
    let row = rows.get(&line.repository.0)?;
    let message = line.headline.strip_prefix(&line.exception).and_then(|rest| rest.strip_prefix(": "));
    Some(LineView {
        exception: line.exception.clone(),
        message: message.map(str::to_owned),
        repository: row.repository.full_name.clone(),
        place: place(line),
        function: function(line),
        code: line.place.code.clone(),
        author: author(line),
        count: thousands(found.count),
        days: found.days,
        first_seen: when(line.first_seen_ms),
        last_seen: when(line.last_seen_ms),
        status: status(line),
        traceback_url: server.traceback_of(row, line),
        issue: line.issue.and_then(|number| issue_link(row, number)),
    })
}

/// `16 to 22 November 2026`.
fn range(week_ms: i64) -> String {
    let date = |ms: i64| {
        jiff::Timestamp::from_millisecond(ms).map(|at| at.to_zoned(jiff::tz::TimeZone::UTC).date()).unwrap_or_default()
    };
    let (first, last) = (date(week_ms), date(week_ms + WEEK_MS - DAY_MS));
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
        let named = |day: &str| range(week_of(date_ms(day).expect("a date")));
        assert_eq!(named("2026-11-22"), "16 to 22 November 2026");
        assert_eq!(named("2026-12-01"), "30 November to 6 December 2026");
        assert_eq!(named("2027-01-01"), "28 December 2026 to 3 January 2027");
    }
}
