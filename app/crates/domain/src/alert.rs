//! What is told of a line: everything that the e-mail and the issue say, gathered before anything
//! is rendered.

use super::blame::Blame;
use super::command::LabelCommand;
use super::commit::CommitId;
use super::counted::counted;
use super::ids::LineId;
use super::names::Login;
use super::pull::Pull;
use super::repository::Repository;
use crate::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

/// The one alert of a line, in the shape that both channels are rendered from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Alert {
    /// The repository that the line is in.
    pub repository: Repository,
    /// Our number of the line.
    pub line: LineId,
    /// Hidden text by which our issue is found again after a crash; unique for each line of each
    /// installation of Flawless.
    pub marker: String,
    /// Where the failing line is, at [`Self::revision`].
    pub place: Place,
    /// The commit that ran: links point there. `None` where git could not say.
    pub revision: Option<CommitId>,
    /// Lines around the culprit at that commit, first line number and texts; empty where the mirror
    /// has no such file.
    pub snippet: Snippet,
    /// `KeyError`, `requests.exceptions.Timeout`.
    pub exception: String,
    /// The exception's message, scrubbed.
    pub message: Option<String>,
    /// Whether the message may be said in an issue: not in a public repository, unless its file
    /// allows it.
    pub message_in_issue: bool,
    /// Who wrote the line. `None` where git could not say.
    pub blame: Option<Blame>,
    /// The pull request that brought the line, where there is one.
    pub pull: Option<Pull>,
    /// The release in which the line first failed, as the client named it.
    pub first_release: Option<String>,
    /// The author's login on GitHub, where known.
    pub author_login: Option<Login>,
    /// Who is told, and why them.
    pub told: Recipient,
    /// Why no line was found, or nobody is known to have written it, and what to do about it, in
    /// plain sentences; empty where somebody is blamed.
    #[serde(default)]
    pub no_line: Vec<String>,
    /// What was looked at, passed over and decided, in plain sentences, in order.
    pub verdict: Vec<String>,
    /// The traceback, own frames marked, scrubbed.
    pub traceback: Vec<TracedException>,
    /// The request, as name and value; scrubbed.
    pub request: Vec<(String, String)>,
    /// User, tags, contexts and the like, as name and value; scrubbed.
    pub additional: Vec<(String, String)>,
    /// How often and where.
    pub counts: Counts,
    /// Occurrences of each of the last days, as [`super::status::Status::days`].
    pub days: Vec<u64>,
    /// Pages to go to.
    pub links: Links,
    /// A header that a rule put on the mail (`email_header`).
    pub header: Option<String>,
    /// Why the line has no issue, where GitHub refuses one for now: a sentence or two.
    pub no_issue: Option<String>,
}

/// A place in a repository's code.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Path from the repository's root (or as the client named the file, where it is in no
    /// repository).
    pub path: String,
    /// Function as the client named it; `?` where unknown.
    pub function: String,
    /// One-based line; 0 where unknown.
    pub line: u32,
    /// Text of the line without its indentation.
    pub code: String,
}

/// Some consecutive lines of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snippet {
    /// One-based number of the first line.
    pub first: u32,
    /// The lines' texts.
    pub lines: Vec<String>,
}

/// Somebody who is told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recipient {
    /// Display name.
    pub name: String,
    /// Address that mail goes to; `None` where there is none.
    pub email: Option<String>,
    /// Login that the issue is assigned to; `None` where there is none that can be assigned.
    pub login: Option<Login>,
    /// Why this person, one sentence.
    pub why: String,
}

/// One exception of the chain, as shown.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TracedException {
    /// Full type name.
    pub name: String,
    /// Its message, scrubbed.
    pub value: Option<String>,
    /// The sentence between this exception and the one before it ("During handling of the above
    /// exception, …").
    pub relation: Option<String>,
    /// Oldest call first.
    pub frames: Vec<TracedFrame>,
}

/// One frame, as shown.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TracedFrame {
    /// Path in the repository for own frames, else as the client named it.
    pub path: String,
    /// One-based line, 0 where unknown.
    pub line: u32,
    /// Function name, `?` where unknown.
    pub function: String,
    /// Text of the line, where known.
    pub code: Option<String>,
    /// Code of the repository.
    pub own: bool,
    /// The frame that got the blame.
    pub culprit: bool,
    /// The line on GitHub, for own frames.
    pub url: Option<String>,
    /// Local variables of own frames: name and representation, scrubbed.
    pub vars: Vec<(String, String)>,
}

/// How often a line failed, and where.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Occurrences ever.
    pub total: u64,
    /// First occurrence.
    pub first_seen_at: Timestamp,
    /// Last occurrence.
    pub last_seen_at: Timestamp,
    /// Servers, most recent first.
    pub servers: Vec<String>,
    /// Releases, most recent first.
    pub releases: Vec<String>,
    /// Environments, most recent first.
    pub environments: Vec<String>,
    /// Full names of exception types seen at this line, most recent first.
    pub exceptions: Vec<String>,
}

/// Addresses of pages, each absolute. `None` where there is no such page.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Links {
    /// The line on GitHub at the revision that ran.
    pub line: Option<String>,
    /// The commit that wrote the line.
    pub commit: Option<String>,
    /// The pull request that brought it.
    pub pull: Option<String>,
    /// The latest occurrence (signed: works without signing in).
    pub occurrence: Option<String>,
    /// The form that says that the line is somebody else's (signed).
    pub not_me: Option<String>,
    /// The form that whitelists the line (signed).
    pub whitelist: Option<String>,
    /// This week's report of the repository.
    pub week: Option<String>,
    /// The issue, once there is one.
    pub issue: Option<String>,
    /// The page that explains why no line was found, at the reason that holds.
    #[serde(default)]
    pub why_no_line: Option<String>,
}

/// What a mail needs beside its line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailContent {
    /// Who gets it, and why.
    pub to: Recipient,
    /// What it begins with.
    pub header: Option<String>,
}

/// What the bot says under an issue. Each is one comment, found again by its own marker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// A label's command was carried out.
    Done {
        /// Which.
        command: LabelCommand,
        /// Where.
        place: Place,
        /// Login of who commanded it.
        by: Login,
    },
    /// A rule ended: the label was taken off or the issue reopened.
    RuleEnded {
        /// Name of the label.
        label: String,
        /// What it covered.
        place: Place,
        /// Login of who ended it.
        by: Login,
    },
    /// The label that commands a rule was deleted in the repository, which takes it off the issue
    /// as well: it is asked whether the rule is to end.
    LabelDeleted {
        /// Name of the label.
        label: String,
        /// What the rule covers.
        place: Place,
    },
    /// Somebody else was assigned: the line is theirs from now on.
    Reassigned {
        /// Login of the new owner.
        to: Login,
        /// Login of who did it.
        by: Login,
    },
    /// Closed without a label: resolved as of this commit.
    Resolved {
        /// The commit that closed it, else the head of the default branch at that time.
        commit: Option<CommitId>,
        /// A person closed it, and not that commit.
        #[serde(default)]
        by_person: bool,
        /// Login of who closed it.
        by: Login,
    },
    /// A report came from a revision that contains the commit at which the line was resolved.
    Regressed {
        /// The release that brought it back, as the client named it.
        release: Option<String>,
        /// The revision that failed.
        revision: Option<CommitId>,
        /// The commit at which it had been resolved.
        resolved: Option<CommitId>,
        /// Occurrences ever.
        total: u64,
    },
    /// An exception of another type was raised at the line.
    NewException {
        /// Its full type name.
        exception: String,
        /// The newest release that the line was seen in, as the client named it.
        release: Option<String>,
    },
    /// The line was edited, and the same exception goes on in the same function: the issue goes on
    /// with the new line.
    CarriedOver {
        /// The line as it was.
        from: Place,
        /// The line as it is.
        to: Place,
        /// The commit that edited it.
        commit: Option<CommitId>,
        /// Who did.
        author: Option<String>,
    },
    /// A label that is no command, but nearly one.
    Refused {
        /// Name of the label.
        label: String,
        /// The command that may be meant.
        meant: String,
        /// Login of who put it there.
        by: Login,
    },
    /// GitHub made the line's issue twice, and this is not the one that goes on.
    Double {
        /// The number of the one that does.
        stays: u64,
    },
    /// A round number of occurrences was reached.
    Count {
        /// Occurrences ever.
        total: u64,
        /// Servers seen.
        servers: Vec<String>,
        /// Releases seen.
        releases: Vec<String>,
    },
}

impl Reply {
    /// Why it is said, in a few words: `ada closed its issue`.
    pub fn reason(&self) -> String {
        match self {
            Self::Done { command, by, .. } => format!("{by} {}", command.spec().deed),
            Self::RuleEnded { by, .. } => format!("{by} ended a rule"),
            Self::Reassigned { by, to } => format!("{by} gave it to {to}"),
            Self::Resolved { by, .. } => format!("{by} closed its issue"),
            Self::Regressed { .. } => "it came back after it was resolved".to_owned(),
            Self::NewException { exception, .. } => format!("it raises {exception} as well"),
            Self::CarriedOver { .. } => "the line was edited".to_owned(),
            Self::Refused { label, by, .. } => format!("{by} added the label {label}, which is no command"),
            Self::LabelDeleted { label, .. } => format!("the label {label} was deleted in the repository"),
            Self::Double { stays } => format!("#{stays} says the same"),
            Self::Count { total, .. } => format!("it happened {}", counted(total, "time", "times")),
        }
    }
}
