//! What became of a report on its way in.

use crate::server::body::BodyError;
use crate::server::turns::NoTurn;
use crate::steps::accept::AcceptError;
use domain::counted::counted;
use domain::timestamp::Timestamp;
use jiff::SignedDuration;
use render::{thousands, when};
use store::Trouble;
use wire::WireError;
use wire::encoding::MAX_BODY;

/// How long a client whose key has brought as much as it may sends no errors at least, in seconds:
/// long enough that a flood is none any more, and not longer, because what was seen before is not
/// sent either.
const SHORTEST_BACK_OFF_S: i64 = 10;

/// What who sends too much can do.
const RAISE: &str = "After the time that Retry-After says, more is taken; what the key may bring is set on the \
                     repository's page \"Connect an application\"";

/// What became of a request.
#[derive(Debug)]
pub(in crate::server) enum IngestOutcome {
    /// The report is durable.
    Taken {
        /// Its id.
        id: String,
        /// Its fingerprint was known: it was counted.
        repeat: bool,
    },
    /// A report of this id was taken within a day already: it is not counted once more.
    Resent(String),
    /// There was no error in it, so that nothing is kept; the id of the event that it had.
    Ignored(Option<String>),
}

/// Why a report is refused.
#[derive(Debug)]
pub(in crate::server) enum IngestError {
    /// Its bytes.
    Wire(WireError),
    /// A parameter of the address.
    Query(String),
    /// It shows no key.
    NoKey,
    /// The key was revoked.
    Revoked {
        /// When.
        at: Timestamp,
    },
    /// The key is another project's, or nobody's.
    WrongKey,
    /// There is no such project.
    NoProject,
    /// The body did not come to its end.
    Interrupted(String),
    /// The body took too long.
    Slow,
    /// Too many bytes are in flight, or too many large reports wait to be read.
    Busy,
    /// The key sent as many requests as it may.
    OverRate {
        /// Until it may send one more.
        after: SignedDuration,
        /// How many it may send in a minute.
        most: u32,
    },
    /// It could not be stored.
    Accept(AcceptError),
    /// It was not stored in time: the database stands still.
    Stalled,
    /// Not a POST.
    Method,
}

impl From<WireError> for IngestError {
    fn from(error: WireError) -> Self {
        Self::Wire(error)
    }
}

impl From<BodyError> for IngestError {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::TooLarge => Self::Wire(WireError::TooLarge { limit: MAX_BODY }),
            BodyError::CutOff(why) => Self::Interrupted(why),
            BodyError::Slow => Self::Slow,
            BodyError::NoRoom => Self::Busy,
        }
    }
}

impl From<NoTurn> for IngestError {
    fn from(NoTurn: NoTurn) -> Self {
        Self::Busy
    }
}

impl From<AcceptError> for IngestError {
    fn from(error: AcceptError) -> Self {
        Self::Accept(error)
    }
}

impl IngestError {
    /// Name of the reason, as the metrics have it.
    pub(in crate::server) fn reason(&self) -> &'static str {
        match self {
            Self::Wire(WireError::TooLarge { .. }) => "too_large",
            Self::Wire(WireError::UnknownEncoding(_)) => "encoding",
            Self::Wire(_) | Self::Query(_) => "malformed",
            Self::NoKey | Self::WrongKey | Self::Revoked { .. } => "key",
            Self::NoProject => "project",
            Self::Interrupted(_) | Self::Slow => "interrupted",
            Self::Busy => "busy",
            Self::Accept(AcceptError::OverBudget { .. }) => "budget",
            Self::OverRate { .. } => "rate",
            Self::Accept(_) | Self::Stalled => "unavailable",
            Self::Method => "method",
        }
    }

    /// For how many seconds the client is to send no errors.
    pub(in crate::server) fn back_off_s(&self) -> Option<i64> {
        match self {
            Self::OverRate { after, .. } => Some((after.as_secs() + 1).max(SHORTEST_BACK_OFF_S)),
            // However long it is until there is one more: clients would keep back what is known for
            // as long, which costs nothing.
            Self::Accept(AcceptError::OverBudget { .. }) => Some(SHORTEST_BACK_OFF_S),
            _ => None,
        }
    }

    /// The reason in words.
    pub(in crate::server) fn detail(&self) -> String {
        match self {
            Self::Wire(error) => error.to_string(),
            Self::Query(what) => what.clone(),
            Self::NoKey => "the request names no key: sentry_key in the query, X-Sentry-Auth, the header Authorization (Bearer, then the key), key in a traceback's query, or a DSN in the envelope's header".to_owned(),
            Self::Revoked { at } => format!(
                "the key was revoked on {}: the repository's page \"Connect an application\" has those in force",
                when(*at)
            ),
            Self::WrongKey => "the key is not one of this project's keys".to_owned(),
            Self::NoProject => "there is no such project: the number at the end of the DSN belongs here".to_owned(),
            Self::Interrupted(why) => format!("the body could not be read: {why}"),
            Self::Slow => "the body took too long to arrive".to_owned(),
            Self::Busy => "too many reports arrive at once: send it again in a few seconds".to_owned(),
            // What exactly is wrong with the database is the operator's business, and is in the
            // log.
            Self::Accept(AcceptError::Store(error)) => {
                let what = error.trouble().map_or("The server's log says why.", Trouble::words);
                format!("the report could not be stored, send it again in a moment. {what}")
            }
            Self::Accept(error @ AcceptError::OverBudget { .. }) => format!("{error}. {RAISE}"),
            Self::OverRate { most, .. } => format!(
                "the key sent more than the {} a minute that it may send: send less, as by sampling. {RAISE}",
                counted(thousands(u64::from(*most)), "request", "requests")
            ),
            Self::Accept(error @ (AcceptError::Stopping | AcceptError::Panicked(_))) => error.to_string(),
            Self::Stalled => {
                "the report was not stored in time: the server's disk or database stands still. Send it again in a moment"
                    .to_owned()
            }
            Self::Method => "reports are sent by POST".to_owned(),
        }
    }
}
