//! One exception that a client sent, in the product's own terms whatever protocol it came by.

use crate::lasting_name::is_of_a_template;
use crate::timestamp::Timestamp;
use crate::type_name;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// Bytes kept of a name, path or line of code: longer ones are minified bundles and generated
/// names.
pub const MAX_TEXT: usize = 1_000;

/// Bytes kept of an exception's message: those with a whole SQL statement or response in them are
/// of use up to here.
pub const MAX_MESSAGE: usize = 8_000;

/// Bytes kept of one text in a variable, a header or additional information. Clients no longer cut
/// them: one local variable can be 2 MB.
pub const MAX_VALUE: usize = 1_000;

/// Bytes of a text beyond what is kept of it, up to which it is read until it is scrubbed: what
/// tells a secret may stand behind it, as the host does behind a URL's password. Nothing that
/// scrubbing looks for behind a secret is farther from it.
pub const UNCUT: usize = 1_000;

/// Kind of the exception that stands for a report without one: its message.
pub const MESSAGE_KIND: &str = "Message";

/// Kind of the exception that stands for a command which failed without a traceback.
pub const COMMAND_KIND: &str = "CommandFailed";

/// One exception report (the Sentry protocol calls it an *event*).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// 32 lower-case hexadecimal digits, chosen by the client (or by us where it sent none).
    pub event_id: String,
    /// When it happened by the client's clock.
    pub timestamp: Option<Timestamp>,
    /// The language that the frames are written in.
    pub platform: Platform,
    /// `fatal`, `error`, `warning`, `info` or `debug`; `error` where the client left it out.
    pub level: String,
    /// The deployed release: a commit, a tag, `name@version` or anything else.
    pub release: Option<String>,
    /// The `revision` tag, where the application sets one: the commit that is running.
    pub revision: Option<String>,
    /// `production`, `staging` …
    pub environment: Option<String>,
    /// Host name of the failing machine.
    pub server_name: Option<String>,
    /// Route or task in which it happened.
    pub transaction: Option<String>,
    /// Name of the logger that reported it.
    pub logger: Option<String>,
    /// Client and its version, `sentry.python/2.75.0`.
    pub sdk: Option<String>,
    /// Text of a report that carries no exception.
    pub message: Option<String>,
    /// Causes first, the exception that was raised last (the Sentry protocol's order).
    pub exceptions: Vec<Exception>,
    /// Which exception of the group this report is about; `None`: what was raised, as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member: Option<Member>,
    /// Members of a group that were sent and are not among [`Self::exceptions`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_out: Option<LeftOut>,
    /// The HTTP request that was being served.
    pub request: Option<Request>,
    /// `user`, `tags`, `extra` and the application's own contexts, under these names: additional
    /// information for the reader.
    pub additional: BTreeMap<String, Value>,
    /// How many occurrences this report stands for: clients batch repeats. At least 1.
    pub count: u64,
    /// The client's own threshold for an alert, where it sent one.
    pub error_threshold: Option<u64>,
}

/// Most occurrences that a report may stand for, and that it may ask to be waited for before an
/// alert. Our own client folds what happens within seconds, which stays far below; a browser's key
/// is public, and sums of larger numbers would not fit into the database's integers.
pub const MOST_OCCURRENCES: u64 = 1_000_000;

/// The language of a report's frames.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Platform {
    /// CPython, PyPy.
    Python,
    /// A browser: frames name bundles by URL.
    Javascript,
    /// Node.js: frames name absolute paths.
    Node,
    /// Ruby.
    Ruby,
    /// The JVM: frames name classes and base names.
    Java,
    /// Go.
    Go,
    /// Rust and other native code: frames name what was compiled in.
    Native,
    /// Anything else.
    #[default]
    Other,
}

/// One exception of a group, by its place among the group's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Its number, from 1 on.
    pub number: u32,
    /// How many there are.
    pub of: u32,
    /// There may be more: what was sent is not known to the last.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub at_least: bool,
    /// Type of the group.
    pub group: String,
}

/// Members of a group that a report has no room for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// How many, as far as is known.
    pub members: u32,
    /// There are no others.
    pub is_exact: bool,
}

/// One exception of a chain or group.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Exception {
    /// Type name as the client sent it: `KeyError`, `TypeError`, `panic`.
    pub kind: String,
    /// Module of the type: `builtins`, `requests.exceptions`.
    pub module: Option<String>,
    /// The exception's message.
    pub value: Option<String>,
    /// `false`: nothing in the application caught it.
    pub handled: Option<bool>,
    /// The client's number of this exception within a group.
    pub id: Option<u32>,
    /// The number of the exception that this one belongs to.
    pub parent: Option<u32>,
    /// How the parent holds it: `__cause__`, `exceptions[0]` …
    pub source: Option<String>,
    /// A group (Python's `ExceptionGroup`, JavaScript's `AggregateError`): the failing lines are
    /// its members'.
    pub is_group: bool,
    /// Oldest call first, the raising frame last.
    pub frames: Vec<Frame>,
}

impl Exception {
    /// The type as people of its language call it: `KeyError`, `requests.exceptions.Timeout`,
    /// `ActiveRecord::RecordNotFound`, `System.AggregateException`.
    pub fn full_name(&self) -> String {
        match self.module.as_deref() {
            Some("builtins" | "exceptions" | "__main__" | "__mp_main__") => {
                type_name::readable(&self.kind).into_owned()
            }
            _ => self.dotted_name(),
        }
    }

    /// The same with Python's builtins named in full.
    pub fn dotted_name(&self) -> String {
        type_name::whole(self.module.as_deref(), &self.kind)
    }
}

/// One level of a traceback.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Frame {
    /// As the client names it: relative to an import root, absolute, a URL or a base name.
    pub filename: Option<String>,
    /// Absolute path on the failing machine (or as compiled in).
    pub abs_path: Option<String>,
    /// `shop.pricing`.
    pub module: Option<String>,
    /// `discount`, `Order.parse`, `shop_worker::pricing::discount`.
    pub function: Option<String>,
    /// One-based line number in the deployed file.
    pub line: Option<u32>,
    /// One-based column.
    pub column: Option<u32>,
    /// Text of the line, as deployed.
    pub context_line: Option<String>,
    /// The lines before it.
    pub pre_context: Vec<String>,
    /// The lines after it.
    pub post_context: Vec<String>,
    /// Local variables: name to representation.
    pub vars: BTreeMap<String, Value>,
    /// The application that the file belongs to, where traces say it: Elixir's `(shop 0.1.0)`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub application: Option<String>,
    /// The client's guess whether this is the application's own code: a hint only (it is wrong in
    /// many recordings).
    pub in_app: Option<bool>,
    /// No call: the place that the exception itself names (a template's or configuration's line).
    /// It counts only where it is in the repository.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_named: bool,
}

/// What clients write where a file's name should be.
pub(crate) const NO_FILES: &[&str] =
    &["Unknown Source", "Native Method", "Unknown", "unknown", "<unknown>", "??", "???", "native", "null", "undefined"];

/// What R8 and ProGuard call every file.
pub(crate) fn is_name_of_r8(name: &str) -> bool {
    matches!(name, "SourceFile" | "Proguard" | "PG") || name.starts_with("r8-map-id-")
}

/// ` in total`, after a place; nothing where the function is unknown.
pub fn within(function: &str) -> String {
    if matches!(function, "" | "?") { String::new() } else { format!(" in {function}") }
}

impl Frame {
    /// The most telling path of the frame: the absolute one, else the file name.
    pub fn path(&self) -> Option<&str> {
        self.abs_path.as_deref().or(self.filename.as_deref()).filter(|path| !path.is_empty())
    }

    /// What people and rules call the frame's file: its path; where the client knows none, or
    /// R8's name for all of them, the module (`Shop.Cart` of a .NET program without line tables,
    /// `a.b.c`, by which `retrace` finds the class), which tells two functions of one name apart;
    /// `?` where neither is known.
    pub fn place_name(&self) -> &str {
        let path = self.path().filter(|path| !NO_FILES.contains(path) && !is_name_of_r8(path));
        path.or(self.module.as_deref().filter(|module| !module.is_empty())).or(self.path()).unwrap_or("?")
    }

    /// Function name for people and for matching, `?` where it is unknown, or a template's that no
    /// restart keeps.
    pub fn function_name(&self) -> &str {
        self.function.as_deref().filter(|name| !name.is_empty() && !is_of_a_template(name)).unwrap_or("?")
    }
}

/// The HTTP request during which the exception was raised.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// Full URL.
    pub url: Option<String>,
    /// `GET`, `POST` …
    pub method: Option<String>,
    /// Query string as sent.
    pub query: Option<String>,
    /// Header names and values.
    pub headers: BTreeMap<String, String>,
    /// Body, parsed where the client parsed it.
    pub data: Option<Value>,
}

impl Report {
    /// The exception that was raised, the last of the chain.
    pub fn raised(&self) -> Option<&Exception> {
        self.exceptions.last()
    }
}
