//! Settings in which each key stands with a value that it can have: for telling the keys that there
//! are, and what each takes.

use super::settings::{
    CodePattern, Disowned, EmailSettings, IssueSettings, KnownError, PathMapping, Settings, Watcher,
};
use crate::retention::RetentionSettings;
use crate::scrub::ScrubSettings;
use std::collections::BTreeMap;

/// Stands for any name, where a key's entries are named by who writes the file.
pub const ANY_NAME: &str = "*";

impl Settings {
    /// Settings in which each key stands, with one entry in each list and map.
    pub fn with_every_key() -> Self {
        let (address, day) = (|| "name@example.com".to_owned(), || Some("2025-01-31".to_owned()));
        let pattern = CodePattern { file: text("a.py"), function: some("f"), code: some("x") };
        Self {
            report_only_after_minimum_date: day(),
            only_blame_filepaths_matching: vec![text("a")],
            path_mappings: vec![PathMapping {
                from: text("/srv/"),
                to: text("src/"),
                key_folder: Some(text("services/billing")),
            }],
            own_code: vec![text("vendor/ours")],
            building_blocks: vec![pattern.clone()],
            third_party_whitelist: vec![pattern],
            known_errors: vec![KnownError {
                file: text("a.py"),
                function: some("f"),
                code: some("x"),
                min_alert_threshold: Some(1),
                max_alert_threshold: Some(1),
                alert_every_n_occurrences: Some(1),
                email_recipients: vec![address()],
                email_header: some("x"),
                until: day(),
            }],
            ignored_exceptions: vec![text("KeyError")],
            watchers: vec![Watcher { email: address(), path: text("src"), all_errors: false }],
            disowned: vec![Disowned { email: address(), path: text("src"), designated_email: address() }],
            bots: vec![text("deploy-robot")],
            email: EmailSettings {
                remap: BTreeMap::from([(text(ANY_NAME), address())]),
                default_contact: Some(address()),
                domain: some("example.com"),
                ignore_vcs_domain: false,
            },
            issues: IssueSettings { labels: vec![text("bug")], ..IssueSettings::default() },
            scrub: ScrubSettings {
                names: vec![text("customer")],
                patterns: vec![text("cust_[0-9]{8}")],
                keep: vec![text("session")],
            },
            retention: RetentionSettings {
                hours_weeks: Some(1),
                days_weeks: Some(1),
                tracebacks_weeks: Some(1),
                archive_weeks: Some(1),
            },
            shadow: Some(false),
            ..Self::default()
        }
    }
}

fn text(text: &str) -> String {
    text.to_owned()
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}
