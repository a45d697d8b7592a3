//! The watched repositories, and one of them with how to send reports to it.

use super::line::{IssueLink, LineStatus};
use crate::View;
use serde::Serialize;

/// `GET /`.
#[derive(Clone, Debug, Serialize)]
pub struct Repositories {
    /// Those that the reader may see, by name.
    pub repositories: Vec<RepositoryRow>,
    /// Page on which the App is installed into more repositories; `None` where there is no App.
    pub install_url: Option<String>,
}

/// A repository of the list.
#[derive(Clone, Debug, Serialize)]
pub struct RepositoryRow {
    /// `owner/name`.
    pub name: String,
    /// Its page here.
    pub url: String,
    /// The page that connects an application.
    pub connect_url: String,
    /// The reader may do that.
    pub may_connect: bool,
    /// Open lines.
    pub open_lines: u64,
    /// When the last report came; `None`: none yet.
    pub last_report: Option<String>,
    /// Its mirror.
    pub mirror: MirrorView,
}

/// The state of a mirror.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum MirrorView {
    /// Being cloned for the first time.
    Cloning {
        /// How far, where known: `41 %`, `120 MB`.
        progress: Option<String>,
    },
    /// Up to date as of then.
    Fetched {
        /// When.
        at: String,
        /// First digits of the head of the default branch.
        head: Option<String>,
    },
    /// The last fetch failed. Reports are still taken; lines are blamed as of the last good fetch.
    Failed {
        /// What went wrong, and what to do.
        error: String,
        /// The last good fetch; `None`: never.
        last_good: Option<String>,
    },
}

/// `GET /{owner}/{repo}`.
#[derive(Clone, Debug, Serialize)]
pub struct RepositoryPage {
    /// `owner/name`.
    pub name: String,
    /// Its default branch.
    pub default_branch: Option<String>,
    /// Its other pages, here and on GitHub.
    pub pages: Vec<PageLink>,
    /// Its DSNs, one for each key in force.
    pub dsns: Vec<KeyDsn>,
    /// The page that connects an application.
    pub connect_url: String,
    /// Its mirror.
    pub mirror: MirrorView,
    /// Path of the settings file in the repository.
    pub settings_path: String,
    /// What is wrong with the settings file; then the last good one is in force.
    pub settings_errors: Vec<SettingsError>,
    /// Open lines, latest first.
    pub lines: Vec<OpenLine>,
    /// GitHub takes no issues or comments there now.
    pub refusal: Option<NothingFiled>,
    /// Open lines that nobody was told of.
    pub untold: Option<Untold>,
    /// Lines of a storm that have no issues yet.
    pub waiting: Option<WaitingIssues>,
    /// The page of its shadow mode.
    pub shadow_url: String,
    /// It is in shadow mode: nothing is sent.
    pub shadow: bool,
    /// The reader may connect applications: sees the keys.
    pub may_connect: bool,
}

/// That GitHub takes no issues or comments in a repository.
#[derive(Clone, Debug, Serialize)]
pub struct NothingFiled {
    /// What is so, since when and why, one sentence without its end.
    pub what: String,
    /// What to do.
    pub todo: String,
    /// Issues and comments that wait for it, with separators.
    pub waiting: String,
}

/// Open lines that nobody was told of.
#[derive(Clone, Debug, Serialize)]
pub struct Untold {
    /// How many, with separators.
    pub count: String,
    /// It is a single one.
    pub is_one: bool,
    /// The latest of them, each with its page.
    pub lines: Vec<UntoldLine>,
    /// How many others there are, with separators.
    pub more: Option<String>,
    /// The settings name a default contact by now.
    pub has_default_contact: bool,
    /// Path of the settings file in the repository.
    pub settings_path: String,
    /// Where their mails went instead, in a sentence.
    pub went: Option<String>,
}

/// A line that nobody was told of.
#[derive(Clone, Debug, Serialize)]
pub struct UntoldLine {
    /// Type of the latest exception.
    pub exception: String,
    /// Where it is.
    pub page: PageLink,
}

/// The DSN of a key.
#[derive(Clone, Debug, Serialize)]
pub struct KeyDsn {
    /// The DSN.
    pub dsn: String,
    /// What the key is called.
    pub label: Option<String>,
    /// The folder that it is for.
    pub folder: Option<String>,
}

/// Lines of a storm that is told of by one issue: their own wait.
#[derive(Clone, Debug, Serialize)]
pub struct WaitingIssues {
    /// How many, with separators.
    pub lines: String,
    /// Where the form goes.
    pub action: String,
    /// The secret of the reader's forms.
    pub csrf: String,
    /// The reader may have them filed.
    pub may_file: bool,
}

/// A page to go to.
#[derive(Clone, Debug, Serialize)]
pub struct PageLink {
    /// What is there.
    pub label: String,
    /// Where it is.
    pub url: String,
}

impl PageLink {
    /// A page of this name.
    pub fn new(label: &str, url: impl Into<String>) -> Self {
        Self { label: label.to_owned(), url: url.into() }
    }
}

/// A fault in the settings file.
#[derive(Clone, Debug, Serialize)]
pub struct SettingsError {
    /// One-based line, where known.
    pub line: Option<u32>,
    /// What is wrong, and what to do.
    pub text: String,
}

/// An open line of a repository.
#[derive(Clone, Debug, Serialize)]
pub struct OpenLine {
    /// Type of the latest exception.
    pub exception: String,
    /// `shop/cart.py:42`.
    pub place: String,
    /// Its function, where known.
    pub function: Option<String>,
    /// Text of the line.
    pub code: String,
    /// Who it belongs to.
    pub author: String,
    /// Occurrences ever, with separators.
    pub count: String,
    /// Latest occurrence.
    pub last_seen: String,
    /// What became of it.
    pub status: LineStatus,
    /// Its latest traceback.
    pub traceback_url: String,
    /// Its issue, once there is one.
    pub issue: Option<IssueLink>,
}

impl View for Repositories {
    const TEMPLATE: &'static str = "pages/repositories.html";
    const SECTION: &'static str = "repositories";

    fn title(&self) -> String {
        "Repositories".to_owned()
    }

    fn sample() -> Self {
        let row = |name: &str, open_lines, last_report: Option<&str>, mirror| RepositoryRow {
            name: name.to_owned(),
            url: format!("/{name}"),
            connect_url: format!("/{name}/connect"),
            may_connect: true,
            open_lines,
            last_report: last_report.map(str::to_owned),
            mirror,
        };
        let failed = MirrorView::Failed {
            error: "GitHub says that the repository does not exist. Was the App removed from it?".to_owned(),
            last_good: Some("2026-11-20 04:10 UTC".to_owned()),
        };
        Self {
            repositories: vec![
                row("acme/shop", 7, Some("2026-11-22 11:31 UTC"), fetched()),
                row("acme/worker", 0, None, MirrorView::Cloning { progress: Some("41 %".to_owned()) }),
                row("acme/legacy-billing-frontend", 1, Some("2026-10-02 09:00 UTC"), failed),
            ],
            install_url: Some("https://github.com/apps/flawless/installations/new".to_owned()),
        }
    }
}

impl View for RepositoryPage {
    const TEMPLATE: &'static str = "pages/repository.html";
    const SECTION: &'static str = "repositories";

    fn title(&self) -> String {
        self.name.clone()
    }

    fn sample() -> Self {
        let key = "0123456789abcdef0123456789abcdef";
        let issue =
            || Some(IssueLink { label: "#318".to_owned(), url: "https://github.com/acme/shop/issues/318".to_owned() });
        Self {
            name: "acme/shop".to_owned(),
            default_branch: Some("main".to_owned()),
            pages: vec![
                PageLink::new("Report of this week", "/get_weekly_error_report?repo=acme%2Fshop"),
                PageLink::new("Whitelist", "/acme/shop/whitelist"),
                PageLink::new("On GitHub", "https://github.com/acme/shop"),
            ],
            dsns: vec![KeyDsn {
                dsn: format!("https://{key}@flawless.example.com/7"),
                label: Some("worker".to_owned()),
                folder: Some("services/worker".to_owned()),
            }],
            connect_url: "/acme/shop/connect".to_owned(),
            mirror: fetched(),
            settings_path: ".github/flawless.yml".to_owned(),
            settings_errors: vec![SettingsError {
                line: Some(4),
                text: "unknown key report_eror_threshold; did you mean report_error_threshold?".to_owned(),
            }],
            lines: vec![OpenLine {
                exception: "KeyError".to_owned(),
                place: "shop/cart.py:42".to_owned(),
                function: Some("total".to_owned()),
                code: "price = self.prices[sku]".to_owned(),
                author: "Ada Lovelace".to_owned(),
                count: "1,204".to_owned(),
                last_seen: "2026-11-22 11:31 UTC".to_owned(),
                status: LineStatus::Open,
                traceback_url: "/view_traceback?line=12".to_owned(),
                issue: issue(),
            }],
            refusal: Some(NothingFiled {
                what: "GitHub takes no issues or comments of this repository since 2026-11-22 11:31 UTC, because it is archived: \
                       a new issue was refused"
                    .to_owned(),
                todo: "Unarchive it on GitHub, or uninstall the App there.".to_owned(),
                waiting: "3".to_owned(),
            }),
            untold: Some(Untold {
                count: "12".to_owned(),
                is_one: false,
                lines: vec![
                    UntoldLine {
                        exception: "RuntimeError".to_owned(),
                        page: PageLink::new(
                            "/srv/venv/lib/python3.12/site-packages/flask/app.py:1511",
                            "/view_traceback?line=13",
                        ),
                    },
                    UntoldLine {
                        exception: "KeyError".to_owned(),
                        page: PageLink::new("shop/legacy.py:7", "/view_traceback?line=14"),
                    },
                ],
                more: Some("10".to_owned()),
                has_default_contact: false,
                settings_path: ".github/flawless.yml".to_owned(),
                went: Some("8 of them went to who runs this server (OPERATOR_EMAIL); 4 went to nobody.".to_owned()),
            }),
            waiting: Some(WaitingIssues {
                lines: "1,204".to_owned(),
                action: "/acme/shop/storm".to_owned(),
                csrf: "c5f".to_owned(),
                may_file: true,
            }),
            shadow_url: "/acme/shop/shadow".to_owned(),
            shadow: true,
            may_connect: true,
        }
    }
}

fn fetched() -> MirrorView {
    MirrorView::Fetched { at: "2026-11-22 11:30 UTC".to_owned(), head: Some("5d41402".to_owned()) }
}
