//! What is read of an event: by what it is counted, and where it is an error at all.

use crate::random::random_id;
use crate::steps::accept::Occurrence;
use domain::fingerprint::Fingerprint;
use domain::report::{MOST_OCCURRENCES, Member};
use wire::WireError;
use wire::sentry_event::{self, Event};

/// What is read of an event before anybody is asked about it.
pub(super) enum ReadEvent<'a> {
    /// No error: its id.
    NoError(String),
    /// An error.
    Error(Box<ReadError<'a>>),
}

/// An error, by what it is counted.
pub(super) struct ReadError<'a> {
    /// The whole of it.
    pub(super) event: Event<'a>,
    /// Its id.
    pub(super) id: String,
    /// The client chose the id; else it is made up here.
    pub(super) is_id_sent: bool,
    /// Its fingerprint, by whichever key.
    pub(super) fingerprint: Fingerprint,
    /// Further members of the group that it is.
    pub(super) members: Vec<(Member, Fingerprint)>,
    /// What is counted of it.
    pub(super) occurrence: Occurrence,
}

/// Reads an event; `scratch` takes a repaired copy, and `id_beside` is its id where it has none.
///
/// # Errors
/// As [`sentry_event::parse`].
pub(super) fn read_event<'a>(
    bytes: &'a [u8],
    id_beside: Option<&str>,
    scratch: &'a mut String,
) -> Result<ReadEvent<'a>, WireError> {
    let event = sentry_event::parse(bytes, scratch)?;
    let sent = event.event_id().or_else(|| sentry_event::normal_event_id(id_beside?));
    let is_id_sent = sent.is_some();
    let id = sent.unwrap_or_else(random_id);
    if !event.is_error() {
        return Ok(ReadEvent::NoError(id));
    }
    let batched = event.batched();
    let occurrence = Occurrence {
        count: batched.count.clamp(1, MOST_OCCURRENCES),
        server: event.server_name().to_owned(),
        environment: event.environment().to_owned(),
    };
    let fingerprint = event.fingerprint(&batched);
    let members = event.members(&batched);
    Ok(ReadEvent::Error(Box::new(ReadError { event, id, is_id_sent, fingerprint, members, occurrence })))
}
