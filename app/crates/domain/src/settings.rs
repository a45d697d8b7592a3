//! What a repository's `.github/flawless.yml` can say: each key with its type, its default and what
//! is wrong with a value. Reading the file is `mirror::settings`.

use super::address::fault_of_address;
use super::alert::Place;
use super::command::LabelCommand;
use super::path_expression::anchored;
use super::retention::RetentionSettings;
use super::scrub::ScrubSettings;
use super::setting_sizes::too_much;
use super::storm::{MOST_MINUTES, StormSettings};
use crate::timestamp::{DAY, Timestamp};
use serde::{Deserialize, Serialize};

pub use super::email_settings::EmailSettings;
pub use super::issue_settings::{COMMENT_AT, IssueSettings};

/// Where a repository keeps its settings.
pub const SETTINGS_FILE: &str = ".github/flawless.yml";

/// Directory names under which a frame is somebody else's package, unless the file says otherwise.
pub const RUNTIME_DIRECTORIES: [&str; 6] =
    ["site-packages", "dist-packages", "node_modules", ".cargo/registry", "vendor/bundle", "pkg/mod"];

/// Characters of a label's name that GitHub takes.
pub const LONGEST_LABEL: usize = 50;

/// Labels that a new issue can have beside ours: GitHub takes 100.
pub const MOST_LABELS: usize = 99;

/// A repository's settings; each has the default that an absent file means.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// `YYYY-MM-DD`: a line last changed before this causes no alert.
    pub report_only_after_minimum_date: Option<String>,
    /// Occurrences of a line before its alert.
    pub report_error_threshold: u64,
    /// Regular expressions, anchored at the start, on repository paths; empty: all.
    pub only_blame_filepaths_matching: Vec<String>,
    /// Where deployed paths are in the repository.
    pub path_mappings: Vec<PathMapping>,
    /// Directories whose content is somebody else's package.
    pub report_runtime_package_directory_names: Vec<String>,
    /// Files and folders that are the repository's own, though they are called as vendored code is,
    /// or say that they are generated.
    pub own_code: Vec<String>,
    /// Library code of the repository: its caller is blamed.
    pub building_blocks: Vec<CodePattern>,
    /// A traceback that passes here is dropped.
    pub third_party_whitelist: Vec<CodePattern>,
    /// Errors that are counted but not alerted.
    pub known_errors: Vec<KnownError>,
    /// Full dotted exception types that are dropped.
    pub ignored_exceptions: Vec<String>,
    /// People who are told as well.
    pub watchers: Vec<Watcher>,
    /// People who are no longer told of a path.
    pub disowned: Vec<Disowned>,
    /// Who else is a program: names, logins or addresses of authors who are not told.
    pub bots: Vec<String>,
    /// How addresses are made.
    pub email: EmailSettings,
    /// What issues are like.
    pub issues: IssueSettings,
    /// What else is hidden in reports, and what is not.
    pub scrub: ScrubSettings,
    /// When many new lines are told of as one.
    pub storm: StormSettings,
    /// How long counts and tracebacks are kept, where less than the server keeps them.
    pub retention: RetentionSettings,
    /// Nothing is sent, all is shown (`true`), or everything is sent (`false`), whatever the
    /// server's default.
    pub shadow: Option<bool>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            report_only_after_minimum_date: None,
            report_error_threshold: 1,
            only_blame_filepaths_matching: Vec::new(),
            path_mappings: Vec::new(),
            report_runtime_package_directory_names: RUNTIME_DIRECTORIES.map(str::to_owned).to_vec(),
            own_code: Vec::new(),
            building_blocks: Vec::new(),
            third_party_whitelist: Vec::new(),
            known_errors: Vec::new(),
            ignored_exceptions: Vec::new(),
            watchers: Vec::new(),
            disowned: Vec::new(),
            bots: Vec::new(),
            email: EmailSettings::default(),
            issues: IssueSettings::default(),
            scrub: ScrubSettings::default(),
            storm: StormSettings::default(),
            retention: RetentionSettings::default(),
            shadow: None,
        }
    }
}

/// A value of the right type that can't be meant so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingFault {
    /// `known_errors[1].code`.
    pub key: String,
    /// What is wrong, and what to do.
    pub text: String,
}

/// What was found wrong so far.
#[derive(Default)]
struct Faults(Vec<SettingFault>);

impl Faults {
    fn push(&mut self, key: impl Into<String>, text: impl Into<String>) {
        self.0.push(SettingFault { key: key.into(), text: text.into() });
    }

    /// Looks at each entry of a list: `known_errors[0]`, `known_errors[1]` …
    fn each<T>(&mut self, name: &str, entries: &[T], check: fn(&T, &str, &mut Self)) {
        for (index, entry) in entries.iter().enumerate() {
            check(entry, &format!("{name}[{index}]"), self);
        }
    }

    /// The same for a list of texts.
    fn each_text(&mut self, name: &str, entries: &[String], check: fn(&str, &str, &mut Self)) {
        for (index, entry) in entries.iter().enumerate() {
            check(entry, &format!("{name}[{index}]"), self);
        }
    }

    /// A day that is none.
    fn day(&mut self, key: &str, day: Option<&String>) {
        if let Some(day) = day.filter(|day| Timestamp::from_date(day).is_none()) {
            self.push(key, format!("{day:?} is no date; write it as 2025-01-31"));
        }
    }

    /// An address that no mail can be sent to, as far as its look tells.
    fn address(&mut self, key: &str, address: &str) {
        if let Some(text) = fault_of_address(address) {
            self.push(key, text);
        }
    }
}

impl Settings {
    /// Whether they have somebody with this address told of anything.
    pub fn names_address(&self, address: &str) -> bool {
        let watchers = self.watchers.iter().map(|it| &it.email);
        let designated = self.disowned.iter().map(|it| &it.designated_email);
        let of_known_errors = self.known_errors.iter().flat_map(|it| &it.email_recipients);
        let of_all = self.email.remap.values().chain(&self.email.default_contact);
        watchers.chain(designated).chain(of_known_errors).chain(of_all).any(|it| it.eq_ignore_ascii_case(address))
    }

    /// What is wrong with the values: what their types can't say.
    pub fn faults(&self) -> Vec<SettingFault> {
        let mut faults = Faults::default();
        for (key, text) in too_much(&serde_json::to_value(self).unwrap_or_default()) {
            faults.push(key, text);
        }
        // What is too much is not looked at more closely.
        if !faults.0.is_empty() {
            return faults.0;
        }
        faults.day("report_only_after_minimum_date", self.report_only_after_minimum_date.as_ref());
        faults.each_text("only_blame_filepaths_matching", &self.only_blame_filepaths_matching, check_expression);
        faults.each("path_mappings", &self.path_mappings, PathMapping::check);
        faults.each("building_blocks", &self.building_blocks, CodePattern::check);
        faults.each("third_party_whitelist", &self.third_party_whitelist, CodePattern::check);
        faults.each("known_errors", &self.known_errors, KnownError::check);
        faults.each("watchers", &self.watchers, Watcher::check);
        faults.each("disowned", &self.disowned, Disowned::check);
        let packages = &self.report_runtime_package_directory_names;
        faults.each_text("report_runtime_package_directory_names", packages, check_name);
        faults.each_text("own_code", &self.own_code, check_name);
        faults.each_text("ignored_exceptions", &self.ignored_exceptions, check_name);
        faults.each_text("bots", &self.bots, check_name);
        faults.each_text("issues.labels", &self.issues.labels, check_label);
        if self.issues.labels.len() > MOST_LABELS {
            faults.push(
                "issues.labels",
                format!("it has more than {MOST_LABELS} labels; GitHub takes no more on an issue"),
            );
        }
        for (key, text) in self.email.faults() {
            faults.push(format!("email.{key}"), text);
        }
        for (key, text) in self.scrub.faults() {
            faults.push(format!("scrub.{key}"), text);
        }
        if !(1..=MOST_MINUTES).contains(&self.storm.minutes) {
            faults.push("storm.minutes", format!("it has to be from 1 to {MOST_MINUTES}"));
        }
        for (key, text) in self.retention.faults() {
            faults.push(format!("retention.{key}"), text);
        }
        faults.0
    }
}

fn check_expression(expression: &str, at: &str, faults: &mut Faults) {
    if let Err(error) = anchored(expression) {
        faults.push(at, format!("{expression:?} is no regular expression: {error}"));
    }
}

fn check_name(name: &str, at: &str, faults: &mut Faults) {
    if name.trim_matches(['/', ' ']).is_empty() {
        faults.push(at, "it is empty; write a name, or take the entry away");
    }
}

/// As GitHub takes labels: with another one no issue could be filed. One that commands something
/// would be taken for a person's word when we set it ourselves.
fn check_label(label: &str, at: &str, faults: &mut Faults) {
    if LabelCommand::from_label(label).is_some() {
        faults.push(at, format!("{label:?} is a command that people give; new issues can't have it from the start"));
    }
    if let Some(meant) = LabelCommand::nearly(label) {
        faults.push(
            at,
            format!("{label:?} is nearly the command {meant:?}: who sees it takes it for that; write another"),
        );
    }
    if label.trim().is_empty() || label.chars().count() > LONGEST_LABEL {
        faults.push(at, format!("{label:?} is no label; GitHub takes 1 to {LONGEST_LABEL} characters"));
    }
}

/// `{from: /srv/app/, to: src/}`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PathMapping {
    /// Prefix of the deployed path.
    pub from: String,
    /// What stands in its place in the repository.
    pub to: String,
    /// Only for reports by keys for this folder of the repository; left out: for all.
    #[serde(default)]
    pub key_folder: Option<String>,
}

impl PathMapping {
    fn check(&self, at: &str, faults: &mut Faults) {
        if self.from.trim().is_empty() {
            faults.push(format!("{at}.from"), "it is empty; write what deployed paths begin with, as /srv/app/");
        }
    }
}

/// A piece of code: a file, a function of it, a text in that.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CodePattern {
    /// Path in the repository (or the end of the path, for code outside it).
    pub file: String,
    /// Function name; left out: the whole file.
    #[serde(default)]
    pub function: Option<String>,
    /// Text of the line or a part of it; left out: the whole function.
    #[serde(default)]
    pub code: Option<String>,
}

impl CodePattern {
    /// What this covers, as a place around a line.
    pub fn place(self, line: u32) -> Place {
        let Self { file, function, code } = self;
        Place { path: file, function: function.unwrap_or_default(), line, code: code.unwrap_or_default() }
    }

    fn check(&self, at: &str, faults: &mut Faults) {
        let blank = |text: &Option<String>| text.as_ref().is_some_and(|text| text.trim().is_empty());
        if self.file.trim().is_empty() {
            faults.push(format!("{at}.file"), "it is empty; write the file's path in the repository");
        }
        if blank(&self.function) {
            faults.push(format!("{at}.function"), "it is empty; leave the key out to mean the whole file");
        }
        if blank(&self.code) {
            faults.push(format!("{at}.code"), "it is empty; leave the key out to mean the whole function");
        }
    }
}

/// Whether a last day (`YYYY-MM-DD`, UTC), where there is one, is over.
pub(super) fn is_over(until: Option<&str>, now: Timestamp) -> bool {
    until.and_then(Timestamp::from_date).is_some_and(|last_day| now >= last_day + DAY)
}

/// An error that is counted, and alerted only as its thresholds say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KnownError {
    /// Path in the repository.
    pub file: String,
    /// Function name; left out: the whole file.
    #[serde(default)]
    pub function: Option<String>,
    /// Text of the line or a part of it; left out: the whole function.
    #[serde(default)]
    pub code: Option<String>,
    /// A mail once this many occurrences were counted.
    #[serde(default)]
    pub min_alert_threshold: Option<u64>,
    /// No mail once there were more than this many.
    #[serde(default)]
    pub max_alert_threshold: Option<u64>,
    /// A mail at every multiple of this.
    #[serde(default)]
    pub alert_every_n_occurrences: Option<u64>,
    /// Also told.
    #[serde(default)]
    pub email_recipients: Vec<String>,
    /// First words of the mail.
    #[serde(default)]
    pub email_header: Option<String>,
    /// `YYYY-MM-DD`: the last day (UTC) on which this holds.
    #[serde(default)]
    pub until: Option<String>,
}

impl KnownError {
    /// Whether its last day is over.
    pub fn is_over(&self, now: Timestamp) -> bool {
        is_over(self.until.as_deref(), now)
    }

    /// The code that it covers.
    pub fn pattern(&self) -> CodePattern {
        CodePattern { file: self.file.clone(), function: self.function.clone(), code: self.code.clone() }
    }

    fn check(&self, at: &str, faults: &mut Faults) {
        self.pattern().check(at, faults);
        if self.alert_every_n_occurrences == Some(0) {
            faults.push(format!("{at}.alert_every_n_occurrences"), "it has to be 1 or more, or be left out");
        }
        faults.day(&format!("{at}.until"), self.until.as_ref());
        let address = |address: &str, at: &str, faults: &mut Faults| faults.address(at, address);
        faults.each_text(&format!("{at}.email_recipients"), &self.email_recipients, address);
    }
}

/// Somebody who is told of errors in a path.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Watcher {
    /// Their address.
    pub email: String,
    /// File or directory.
    pub path: String,
    /// Also when a traceback only passes through the path.
    #[serde(default)]
    pub all_errors: bool,
}

impl Watcher {
    fn check(&self, at: &str, faults: &mut Faults) {
        faults.address(&format!("{at}.email"), &self.email);
    }
}

/// Somebody who is no longer told of errors in a path.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Disowned {
    /// Their address.
    pub email: String,
    /// File or directory.
    pub path: String,
    /// Who is told instead.
    pub designated_email: String,
}

impl Disowned {
    fn check(&self, at: &str, faults: &mut Faults) {
        faults.address(&format!("{at}.email"), &self.email);
        faults.address(&format!("{at}.designated_email"), &self.designated_email);
    }
}
