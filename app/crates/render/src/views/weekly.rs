//! The report of a week: who has how many errors, and which lines failed.

use super::line::{IssueLink, LineStatus};
use crate::View;
use serde::Serialize;

/// `GET /get_weekly_error_report`.
#[derive(Clone, Debug, Serialize)]
pub struct Weekly {
    /// `16 to 22 November 2026`.
    pub range: String,
    /// The week before.
    pub previous_url: String,
    /// The week after; `None` in the current week.
    pub next_url: Option<String>,
    /// The current week; `None` when it is shown.
    pub current_url: Option<String>,
    /// `owner/name` of the one repository shown; `None`: all that the reader may see.
    pub repository: Option<String>,
    /// "All" and each repository, as filters.
    pub repositories: Vec<Link>,
    /// Whether known errors are included.
    pub include_known: Toggle,
    /// Whether lines are included that were last changed before the minimum date.
    pub include_old: Toggle,
    /// Occurrences of the lines shown, with separators.
    pub total_errors: String,
    /// Number of lines shown.
    pub total_lines: u64,
    /// The leaderboard, most errors first.
    pub authors: Vec<WeeklyAuthor>,
    /// The lines, most errors first.
    pub lines: Vec<WeeklyLine>,
    /// Lines of the week beyond those that are read; what a switch hides is not counted.
    pub left_out: u64,
    /// What is not kept any more of so old a week, in sentences.
    pub gone: Vec<String>,
}

/// A link among some of which one is where the reader is.
#[derive(Clone, Debug, Serialize)]
pub struct Link {
    /// What it says.
    pub label: String,
    /// Where it leads.
    pub url: String,
    /// This is what is shown now.
    pub current: bool,
}

/// A switch that is a link to the page with it turned.
#[derive(Clone, Debug, Serialize)]
pub struct Toggle {
    /// On now.
    pub on: bool,
    /// The page with the switch turned.
    pub url: String,
}

/// A person of the leaderboard.
#[derive(Clone, Debug, Serialize)]
pub struct WeeklyAuthor {
    /// Display name.
    pub name: String,
    /// Occurrences at their lines, with separators.
    pub errors: String,
    /// Their failing lines.
    pub lines: u64,
    /// Their share of all errors, 0 to 100.
    pub share: u8,
}

/// A line of the report.
#[derive(Clone, Debug, Serialize)]
pub struct WeeklyLine {
    /// Type of the latest exception.
    pub exception: String,
    /// First line of its message.
    pub message: Option<String>,
    /// `owner/name`.
    pub repository: String,
    /// `shop/cart.py:42`.
    pub place: String,
    /// Its function, where known.
    pub function: Option<String>,
    /// Text of the line, without indentation.
    pub code: String,
    /// Who it belongs to.
    pub author: String,
    /// Occurrences in the week, with separators.
    pub count: String,
    /// Occurrences from Monday to Sunday.
    pub days: [u64; 7],
    /// First occurrence ever.
    pub first_seen: String,
    /// Latest occurrence.
    pub last_seen: String,
    /// What became of it.
    pub status: LineStatus,
    /// Its latest traceback.
    pub traceback_url: String,
    /// Its issue, once there is one.
    pub issue: Option<IssueLink>,
}

impl View for Weekly {
    const TEMPLATE: &'static str = "pages/weekly.html";
    const SECTION: &'static str = "weekly";

    fn title(&self) -> String {
        match &self.repository {
            Some(repository) => format!("{repository}: errors of {}", self.range),
            None => format!("Errors of {}", self.range),
        }
    }

    fn sample() -> Self {
        let url = |query: &str| format!("/get_weekly_error_report?{query}");
        let link = |label: &str, query: &str, current| Link { label: label.to_owned(), url: url(query), current };
        let author = |name: &str, errors: &str, lines, share| WeeklyAuthor {
            name: name.to_owned(),
            errors: errors.to_owned(),
            lines,
            share,
        };
        Self {
            range: "16 to 22 November 2026".to_owned(),
            previous_url: url("timestamp=1794700800"),
            next_url: Some(url("timestamp=1795910400")),
            current_url: Some(url("")),
            repository: None,
            repositories: vec![
                link("All repositories", "", true),
                link("acme/shop", "repo=acme%2Fshop", false),
                link("acme/worker", "repo=acme%2Fworker", false),
            ],
            include_known: Toggle { on: false, url: url("include_known_errors=true") },
            include_old: Toggle { on: true, url: url("include_modified_before_min_date=false") },
            total_errors: "1,640".to_owned(),
            total_lines: 3,
            authors: vec![
                author("Ada Lovelace", "1,204", 1, 73),
                author("Grace Hopper", "431", 1, 26),
                author("Linus van Pelt-Reichenbach", "5", 1, 1),
            ],
            lines: lines(),
            left_out: 12,
            gone: vec![
                "Before 2026-11-30 errors are counted by the day only.".to_owned(),
                "Tracebacks are kept since 2026-11-30; of older ones the latest of a line.".to_owned(),
            ],
        }
    }
}

fn lines() -> Vec<WeeklyLine> {
    let cart = WeeklyLine {
        exception: "KeyError".to_owned(),
        message: Some("'sku-1042'".to_owned()),
        repository: "acme/shop".to_owned(),
        place: "shop/cart.py:42".to_owned(),
        function: Some("total".to_owned()),
        code: "price = self.prices[sku]".to_owned(),
        author: "Ada Lovelace".to_owned(),
        count: "1,204".to_owned(),
        days: [0, 12, 400, 380, 210, 160, 42],
        first_seen: "2026-11-17 08:02 UTC".to_owned(),
        last_seen: "2026-11-22 11:31 UTC".to_owned(),
        status: LineStatus::Open,
        traceback_url: "/view_traceback?line=12".to_owned(),
        issue: Some(IssueLink { label: "#318".to_owned(), url: "https://github.com/acme/shop/issues/318".to_owned() }),
    };
    let worker = WeeklyLine {
        exception: "requests.exceptions.ConnectionError".to_owned(),
        message: Some("HTTPConnectionPool(host='rates.example.com', port=80): Max retries exceeded".to_owned()),
        repository: "acme/worker".to_owned(),
        place: "worker/tasks/exchange_rates.py:118".to_owned(),
        function: Some("RatesClient.refresh_all_currencies".to_owned()),
        code: "response = self.session.get(f\"{self.base_url}/latest\", params=params, timeout=TIMEOUT)".to_owned(),
        author: "Grace Hopper".to_owned(),
        count: "431".to_owned(),
        days: [70, 66, 61, 58, 64, 57, 55],
        status: LineStatus::Known,
        issue: None,
        ..cart.clone()
    };
    let views = WeeklyLine {
        exception: "ZeroDivisionError".to_owned(),
        message: None,
        place: "shop/views.py:88".to_owned(),
        function: None,
        code: "return total / count".to_owned(),
        author: "Linus van Pelt-Reichenbach".to_owned(),
        count: "5".to_owned(),
        days: [0, 0, 0, 5, 0, 0, 0],
        status: LineStatus::Resolved,
        ..cart.clone()
    };
    vec![cart, worker, views]
}
