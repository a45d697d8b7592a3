//! What a repository's `.github/flawless.yml` can say, typed; reading the file is `mirror::settings`.

use super::storm::StormSettings;
use super::week::date_ms;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A day of 24 hours, as UTC has them.
const DAY_MS: i64 = 24 * 3_600_000;

/// Directory names under which a frame is somebody else's package, unless the file says otherwise.
pub const RUNTIME_DIRECTORIES: [&str; 6] =
    ["site-packages", "dist-packages", "node_modules", ".cargo/registry", "vendor/bundle", "pkg/mod"];

/// The counts at which an issue gets a comment, unless the file says otherwise: rare enough never to be noise.
pub const COMMENT_AT: [u64; 4] = [10, 100, 1000, 10_000];

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
    /// How addresses are made.
    pub email: EmailSettings,
    /// What issues are like.
    pub issues: IssueSettings,
    /// When many new lines are told of as one.
    pub storm: StormSettings,
    /// Nothing is sent, all is shown (`true`), or everything is sent (`false`), whatever the server's default.
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
            building_blocks: Vec::new(),
            third_party_whitelist: Vec::new(),
            known_errors: Vec::new(),
            ignored_exceptions: Vec::new(),
            watchers: Vec::new(),
            disowned: Vec::new(),
            email: EmailSettings::default(),
            issues: IssueSettings::default(),
            storm: StormSettings::default(),
            shadow: None,
        }
    }
}

/// `{from: /srv/app/, to: src/}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PathMapping {
    /// Prefix of the deployed path.
    pub from: String,
    /// What stands in its place in the repository.
    pub to: String,
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
    pub fn is_over(&self, now_ms: i64) -> bool {
        self.until.as_deref().and_then(date_ms).is_some_and(|last_ms| now_ms >= last_ms + DAY_MS)
    }

    /// The code that it covers.
    pub fn pattern(&self) -> CodePattern {
        CodePattern { file: self.file.clone(), function: self.function.clone(), code: self.code.clone() }
    }
}

/// Somebody who is told of errors in a path.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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

/// Somebody who is no longer told of errors in a path.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Disowned {
    /// Their address.
    pub email: String,
    /// File or directory.
    pub path: String,
    /// Who is told instead.
    pub designated_email: String,
}

/// How addresses are made from commits.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EmailSettings {
    /// Full address, or local part, to the address to be used.
    pub remap: BTreeMap<String, String>,
    /// Told of what can't be blamed, once.
    pub default_contact: Option<String>,
    /// The company's domain.
    pub domain: Option<String>,
    /// Put `domain` in place of the domain that the commit has.
    pub ignore_vcs_domain: bool,
}

/// What issues are like.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct IssueSettings {
    /// Labels of a new issue, beside ours.
    pub labels: Vec<String>,
    /// Whether the author is assigned.
    pub assign: bool,
    /// Counts at which a comment is made.
    pub comment_at: Vec<u64>,
    /// Whether exception messages are shown in a public repository's issues: they carry data.
    pub message_in_public: bool,
}

impl Default for IssueSettings {
    fn default() -> Self {
        Self { labels: Vec::new(), assign: true, comment_at: COMMENT_AT.to_vec(), message_in_public: false }
    }
}
