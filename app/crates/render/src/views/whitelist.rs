//! The whitelist of a repository: its rules, where each came from, and what it has silenced.

use super::line::IssueLink;
use crate::View;
use serde::Serialize;

/// `GET /{owner}/{repo}/whitelist`.
#[derive(Clone, Debug, Serialize)]
pub struct Whitelist {
    /// `owner/name`.
    pub repository: String,
    /// Its page.
    pub repository_url: String,
    /// The form for a new entry.
    pub add_url: String,
    /// Where the forms that end an entry are posted to.
    pub end_action: String,
    /// The secret that forms carry.
    pub csrf: String,
    /// The reader may change it.
    pub may_edit: bool,
    /// Path of the settings file in the repository.
    pub settings_path: String,
    /// The settings file on GitHub.
    pub settings_url: Option<String>,
    /// What is in force, latest first; the file's entries last.
    pub entries: Vec<WhitelistEntry>,
    /// How many come after those.
    pub more: usize,
    /// The page with the next of them.
    pub more_url: String,
    /// The page with the first ones, where this is another.
    pub first_url: Option<String>,
    /// What the file has dropped without counting: types of exceptions, and code that tracebacks
    /// pass through.
    pub dropped: Vec<String>,
    /// What ended, latest first.
    pub ended: Vec<EndedEntry>,
}

/// A rule in force.
#[derive(Clone, Debug, Serialize)]
pub struct WhitelistEntry {
    /// Our number of it; `None`: it is in the repository's file, and changed there.
    pub id: Option<i64>,
    /// What it does and covers.
    pub covers: Covers,
    /// When somebody is told after all, a sentence for each threshold, recipient and header.
    pub terms: Vec<String>,
    /// `label known-error, by ada`.
    pub origin: String,
    /// When it was made; `None`: not known.
    pub when: Option<String>,
    /// Who changed it last, and when.
    pub edited: Option<String>,
    /// The issue that it was made on.
    pub issue: Option<IssueLink>,
    /// What it has silenced; `None`: it silences nothing, as library code.
    pub silenced: Option<Silenced>,
    /// The code that it names is not there any more: in which way.
    pub gone: Option<String>,
    /// The form that changes it.
    pub edit_url: Option<String>,
    /// What follows from ending it.
    pub end_note: String,
}

/// What a rule does, and to which code.
#[derive(Clone, Debug, Serialize)]
pub struct Covers {
    /// `Known error` or `Library code`.
    pub what: String,
    /// File.
    pub file: String,
    /// Function; `None`: the whole file.
    pub function: Option<String>,
    /// Text of the line; `None`: the whole function.
    pub code: Option<String>,
}

/// What a rule kept from being told.
#[derive(Clone, Debug, Serialize)]
pub struct Silenced {
    /// Occurrences, with separators.
    pub occurrences: String,
    /// Counted since the rule was made; else ever.
    pub since_made: bool,
    /// The lines, as place and address of the latest traceback.
    pub lines: Vec<(String, String)>,
    /// Lines that are not listed.
    pub more: usize,
}

/// A rule that ended.
#[derive(Clone, Debug, Serialize)]
pub struct EndedEntry {
    /// What it did and covered.
    pub covers: Covers,
    /// `label known-error, by ada`.
    pub origin: String,
    /// When it was made.
    pub made: String,
    /// Who ended it.
    pub ended_by: String,
    /// When.
    pub ended: String,
}

impl View for Whitelist {
    const TEMPLATE: &'static str = "pages/whitelist.html";
    const SECTION: &'static str = "repositories";

    fn title(&self) -> String {
        format!("Whitelist of {}", self.repository)
    }

    fn sample() -> Self {
        let covers = |what: &str, file: &str, function: Option<&str>, code: Option<&str>| Covers {
            what: what.to_owned(),
            file: file.to_owned(),
            function: function.map(str::to_owned),
            code: code.map(str::to_owned),
        };
        let entry = WhitelistEntry {
            id: Some(12),
            covers: covers("Known error", "shop/cart.py", Some("total"), Some("amount += PRICES[sku]")),
            terms: vec!["It is told once, at 1,000 occurrences.".to_owned()],
            origin: "label known-error, by ada".to_owned(),
            when: Some("2026-11-02 15:20 UTC".to_owned()),
            edited: Some("grace, 2026-11-03 10:00 UTC".to_owned()),
            issue: Some(IssueLink {
                label: "#318".to_owned(),
                url: "https://github.com/acme/shop/issues/318".to_owned(),
            }),
            silenced: Some(Silenced {
                occurrences: "1,204".to_owned(),
                since_made: true,
                lines: vec![("shop/cart.py:9".to_owned(), "/view_traceback?line=1".to_owned())],
                more: 3,
            }),
            gone: Some("This line is not in the default branch any more.".to_owned()),
            edit_url: Some("/rules/edit?rule=12".to_owned()),
            end_note: "The label stays on its issue, which the next report opens again.".to_owned(),
        };
        let of_file = WhitelistEntry {
            id: None,
            covers: covers("Library code", "shop/db.py", None, None),
            terms: Vec::new(),
            origin: ".github/flawless.yml".to_owned(),
            when: None,
            edited: None,
            issue: None,
            silenced: None,
            gone: None,
            edit_url: None,
            ..entry.clone()
        };
        Self {
            repository: "acme/shop".to_owned(),
            repository_url: "/acme/shop".to_owned(),
            add_url: "/add_known_error?repo=acme%2Fshop".to_owned(),
            end_action: "/rules/end".to_owned(),
            may_edit: true,
            csrf: "4f1c".to_owned(),
            settings_path: ".github/flawless.yml".to_owned(),
            settings_url: Some("https://github.com/acme/shop/blob/main/.github/flawless.yml".to_owned()),
            entries: vec![entry, of_file],
            more: 12,
            more_url: "/acme/shop/whitelist?from=400".to_owned(),
            first_url: Some("/acme/shop/whitelist".to_owned()),
            dropped: vec!["exceptions of the type ConnectionResetError".to_owned()],
            ended: vec![EndedEntry {
                covers: covers("Known error", "shop/rates.py", Some("refresh"), None),
                origin: "page, by admin".to_owned(),
                made: "2026-10-01 09:00 UTC".to_owned(),
                ended_by: "grace".to_owned(),
                ended: "2026-10-09 09:00 UTC".to_owned(),
            }],
        }
    }
}
