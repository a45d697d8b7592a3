//! Connecting an application: DSN and snippets, a test report, what arrived, and the keys.

use super::repository::MirrorView;
use crate::View;
use serde::Serialize;

/// `GET /{owner}/{repo}/connect`.
#[derive(Clone, Debug, Serialize)]
pub struct Connect {
    /// `owner/name`.
    pub name: String,
    /// The repository's page.
    pub repository_url: String,
    /// This page, without its query.
    pub here: String,
    /// The secret that forms carry.
    pub csrf: String,
    /// The DSN for the snippets; `None`: every key is revoked.
    pub dsn: Option<Dsn>,
    /// Its mirror.
    pub mirror: MirrorView,
    /// The latest test report.
    pub test: Option<TestReportView>,
    /// The last reports, the newest first.
    pub arrivals: Vec<Arrival>,
    /// The last requests that were refused, the newest first.
    pub refusals: Vec<RefusalView>,
    /// How many requests had no error in them, and when the last of them came.
    pub without_error: Option<(String, String)>,
    /// Where the page is loaded again after some seconds, because something is awaited.
    pub again: Option<Again>,
    /// The reader waits for a report to arrive.
    pub watching: bool,
    /// A page that waits for a report.
    pub watch_url: String,
    /// Its keys, those in force first.
    pub keys: Vec<KeyView>,
    /// Folders that a key can be for, where the repository has several that are deployed by
    /// themselves.
    pub folders: Vec<String>,
    /// What has just been done, or could not be.
    pub notice: Option<String>,
}

/// A DSN and its parts.
#[derive(Clone, Debug, Serialize)]
pub struct Dsn {
    /// The whole.
    pub text: String,
    /// The key, for `Authorization: Bearer`.
    pub key: String,
    /// What a person calls the key.
    pub label: Option<String>,
    /// `POST` address for printed tracebacks.
    pub traceback_url: String,
}

/// Loading the page again.
#[derive(Clone, Debug, Serialize)]
pub struct Again {
    /// After so many seconds.
    pub seconds: u32,
    /// What is loaded.
    pub url: String,
}

/// A test report and what it came to.
#[derive(Clone, Debug, Serialize)]
pub struct TestReportView {
    /// When it was accepted.
    pub sent: String,
    /// `waiting`, `slow` or `arrived`.
    pub state: &'static str,
    /// When it was worked out.
    pub settled: Option<String>,
    /// `shop/cart.py:42`; `None`: no line was blamed.
    pub place: Option<String>,
    /// Text of the line.
    pub code: String,
    /// The line on GitHub.
    pub line_url: Option<String>,
    /// Who wrote it: name, address, day and commit.
    pub author: Option<String>,
    /// What was looked at, passed over and decided.
    pub verdict: Vec<String>,
    /// The page that says why no line was blamed, or nobody for it.
    pub why_url: Option<String>,
    /// Who would get a mail, and why.
    pub mails: Vec<(String, String)>,
    /// Mail goes out.
    pub mail_open: bool,
    /// How mail goes out, or why not.
    pub mail_text: String,
    /// What issue would be filed, in a sentence.
    pub issue: String,
    /// What is in the way of the issue.
    pub issue_trouble: Option<String>,
    /// Why nobody would be told at the first such report.
    pub silent: Option<String>,
    /// Nor would anybody at a later one.
    pub is_never_told: bool,
}

/// a fingerprint that arrived.
#[derive(Clone, Debug, Serialize)]
pub struct Arrival {
    /// When the last one came.
    pub when: String,
    /// It came while the reader was waiting.
    pub fresh: bool,
    /// Type of its exception.
    pub exception: String,
    /// `sentry.python/2.75.0`.
    pub client: Option<String>,
    /// What it calls its release.
    pub release: Option<String>,
    /// Requests with this fingerprint since the start of the server; `None`: from before that.
    pub count: Option<String>,
    /// What it came to, in words: a place, or why there is none.
    pub outcome: String,
    /// Whose line it is.
    pub author: Option<String>,
    /// Its traceback.
    pub url: Option<String>,
}

/// A kind of request that was refused.
#[derive(Clone, Debug, Serialize)]
pub struct RefusalView {
    /// When the last one came.
    pub when: String,
    /// It came while the reader was waiting.
    pub fresh: bool,
    /// How many came.
    pub count: String,
    /// Why, in words.
    pub why: String,
    /// Who sent it, as far as it says.
    pub client: Option<String>,
}

/// A limit of a key.
#[derive(Clone, Debug, Serialize)]
pub struct LimitView {
    /// Its own; empty: the server's configuration says it.
    pub own: String,
    /// What that says.
    pub default: String,
}

/// A key.
#[derive(Clone, Debug, Serialize)]
pub struct KeyView {
    /// By which its fields are told apart.
    pub id: String,
    /// How much it may bring, in words.
    pub limits: String,
    /// Requests a minute.
    pub rate: LimitView,
    /// Kinds of errors that were never seen before, at once.
    pub budget: LimitView,
    /// What was refused lately because it brought more, in sentences.
    pub refused: Vec<String>,
    /// The key.
    pub key: String,
    /// What a person calls it.
    pub label: Option<String>,
    /// The folder of the repository that it is for.
    pub folder: Option<String>,
    /// Its DSN.
    pub dsn: String,
    /// When it was made.
    pub made: String,
    /// When it was last used.
    pub used: Option<String>,
    /// When it was revoked.
    pub revoked: Option<String>,
    /// It is the last one in force.
    pub last: bool,
}

impl View for Connect {
    const TEMPLATE: &'static str = "pages/connect.html";
    const SECTION: &'static str = "repositories";

    fn title(&self) -> String {
        format!("Connect an application to {}", self.name)
    }

    fn sample() -> Self {
        let key = "0123456789abcdef0123456789abcdef";
        let dsn = format!("https://{key}@flawless.example.com/7");
        let limit = |own: &str, default: &str| LimitView { own: own.to_owned(), default: default.to_owned() };
        let key_view = |label: Option<&str>, used: Option<&str>, revoked: Option<&str>| KeyView {
            id: "1700000000000123".to_owned(),
            limits: "5,000 requests a minute, 1,000 new kinds of errors at once".to_owned(),
            rate: limit("5,000", "60,000"),
            budget: limit("", "1,000"),
            refused: label
                .map(|_| "1,204 requests in the last 24 hours, because it sent more".to_owned())
                .into_iter()
                .collect(),
            key: key.to_owned(),
            label: label.map(str::to_owned),
            folder: label.map(|_| "services/billing".to_owned()),
            dsn: dsn.clone(),
            made: "2026-10-01 09:00 UTC".to_owned(),
            used: used.map(str::to_owned),
            revoked: revoked.map(str::to_owned),
            last: revoked.is_none(),
        };
        Self {
            name: "acme/shop".to_owned(),
            repository_url: "/acme/shop".to_owned(),
            here: "/acme/shop/connect".to_owned(),
            csrf: "4f1c".to_owned(),
            dsn: Some(Dsn {
                text: dsn.clone(),
                key: key.to_owned(),
                label: Some("web".to_owned()),
                traceback_url: "https://flawless.example.com/api/7/traceback".to_owned(),
            }),
            mirror: MirrorView::Fetched { at: "2026-11-22 11:30 UTC".to_owned(), head: Some("5d41402".to_owned()) },
            test: Some(TestReportView {
                sent: "2026-11-22 11:31 UTC".to_owned(),
                state: "arrived",
                settled: Some("2026-11-22 11:31 UTC".to_owned()),
                place: Some("shop/cart.py:3".to_owned()),
                code: "PRICES = {'apple': 120}".to_owned(),
                line_url: Some("https://github.com/acme/shop/blob/5d41402/shop/cart.py#L3".to_owned()),
                author: Some("Ada Lovelace <ada@example.com> in 5d41402 (2026-01-05)".to_owned()),
                verdict: vec!["The report comes from commit 5d41402.".to_owned()],
                why_url: Some("/why_no_line#text-differs".to_owned()),
                mails: vec![("ada@example.com".to_owned(), "You wrote this line.".to_owned())],
                mail_open: true,
                mail_text: "smtp.example.com takes mail from flawless@example.com".to_owned(),
                issue: "An issue on GitHub, assigned to ada.".to_owned(),
                issue_trouble: Some("GitHub knows no account of Ada Lovelace".to_owned()),
                silent: Some("fewer occurrences than the threshold".to_owned()),
                is_never_told: false,
            }),
            arrivals: vec![Arrival {
                when: "2026-11-22 11:31 UTC".to_owned(),
                fresh: true,
                exception: "ZeroDivisionError".to_owned(),
                client: Some("sentry.python/2.75.0".to_owned()),
                release: Some("5d41402".to_owned()),
                count: Some("1".to_owned()),
                outcome: "shop/cart.py:42".to_owned(),
                author: Some("Ada Lovelace".to_owned()),
                url: Some("/view_traceback?line=12".to_owned()),
            }],
            refusals: vec![RefusalView {
                when: "2026-11-22 11:20 UTC".to_owned(),
                fresh: false,
                count: "3".to_owned(),
                why: "the key is not one of this project's keys".to_owned(),
                client: Some("sentry.javascript.node/11.12.0".to_owned()),
            }],
            without_error: Some(("12".to_owned(), "2026-11-22 11:19 UTC".to_owned())),
            again: Some(Again { seconds: 2, url: "/acme/shop/connect?look=1795347062#test".to_owned() }),
            watching: false,
            watch_url: "/acme/shop/connect?watch=1795347060#arrivals".to_owned(),
            keys: vec![
                key_view(Some("web"), Some("2026-11-22 11:31 UTC"), None),
                key_view(None, None, Some("2026-11-01 08:00 UTC")),
            ],
            folders: vec!["services/billing".to_owned(), "services/orders".to_owned()],
            notice: Some("The key was made.".to_owned()),
        }
    }
}
