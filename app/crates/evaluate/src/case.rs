//! A recorded exception with the known culprit, as its file has it.

use serde::Deserialize;
use std::collections::BTreeMap;

/// A case. What is not needed for judging is not read.
#[derive(Debug, Deserialize)]
pub(super) struct Case {
    pub(super) case_id: String,
    /// `owner/name`.
    pub(super) repo: String,
    /// Full id of the commit that ran.
    pub(super) revision: String,
    /// Unix seconds.
    pub(super) event_time: i64,
    pub(super) exception: Raised,
    /// Outermost first.
    pub(super) frames: Vec<CaseFrame>,
    /// The exceptions that this one came from.
    #[serde(default)]
    pub(super) chained: Vec<Chained>,
    #[serde(default)]
    pub(super) functions: Vec<CaseFunction>,
    #[serde(default)]
    pub(super) commits: BTreeMap<String, CaseCommit>,
    pub(super) truth: Option<Truth>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Raised {
    #[serde(rename = "type")]
    pub(super) kind: String,
    #[serde(default)]
    pub(super) module: Option<String>,
    #[serde(default)]
    pub(super) value: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Chained {
    #[serde(rename = "type", default)]
    pub(super) kind: Option<String>,
    #[serde(default)]
    pub(super) value: Option<String>,
    #[serde(default)]
    pub(super) frames: Vec<CaseFrame>,
}

#[derive(Debug, Deserialize)]
pub(super) struct CaseFrame {
    pub(super) filename: String,
    #[serde(default)]
    pub(super) abs_path: Option<String>,
    #[serde(default)]
    pub(super) module: Option<String>,
    #[serde(default)]
    pub(super) function: Option<String>,
    #[serde(default)]
    pub(super) lineno: Option<u32>,
    #[serde(default)]
    pub(super) context_line: Option<String>,
    #[serde(default)]
    pub(super) in_app: bool,
    #[serde(default)]
    pub(super) qualname: Option<String>,
    /// The commit that wrote the line, formatting passed over.
    #[serde(default)]
    pub(super) blame: Option<String>,
    /// The same, formatting counted.
    #[serde(default)]
    pub(super) blame_plain: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct CaseFunction {
    pub(super) path: String,
    pub(super) qualname: String,
    pub(super) start: u32,
    pub(super) end: u32,
}

#[derive(Debug, Deserialize)]
pub(super) struct CaseCommit {
    #[serde(default)]
    pub(super) author_name: Option<String>,
    #[serde(default)]
    pub(super) author_email: String,
    /// Unix seconds, author's and committer's.
    #[serde(default)]
    pub(super) atime: i64,
    #[serde(default)]
    pub(super) ctime: i64,
    #[serde(default)]
    pub(super) subject: Option<String>,
}

/// What the fix says was to blame.
#[derive(Debug, Deserialize)]
pub(super) struct Truth {
    /// Path and qualified name of each function that was changed.
    #[serde(default)]
    pub(super) functions: Vec<(String, String)>,
    #[serde(default)]
    pub(super) szz_commits: Vec<TrueCommit>,
    #[serde(default)]
    pub(super) szz_authors: Vec<TrueAuthor>,
}

#[derive(Debug, Deserialize)]
pub(super) struct TrueCommit {
    pub(super) sha: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct TrueAuthor {
    pub(super) aliases: Vec<String>,
}
