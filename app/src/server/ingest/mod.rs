//! The way in for reports, whoever sends them: admitted, parsed, and handed to [`Accept`].

mod arrivals;
mod outcome;
mod printed;

pub(super) use arrivals::{Arrivals, FINGERPRINTS, Seen, Taken};
pub(super) use outcome::{IngestError, IngestOutcome};
pub(super) use printed::PrintedQuery;

use crate::clock::Clock;
use crate::random::random_id;
use crate::steps::accept::{Accept, Entry, Occurrence};
use arrivals::ReportSummary;
use axum::body::Bytes;
use domain::fingerprint::Fingerprint;
use domain::ids::RepositoryId;
use domain::report::Report;
use domain::timestamp::Timestamp;
use std::sync::Arc;
use store::ingest_keys::IngestAuth;
use wire::{sentry, sentry_event};

/// Occurrences that one report may stand for. Our own client folds what happens within seconds,
/// which stays far below; a browser's key is public, and sums of larger numbers would not fit into
/// the database's integers.
const MOST_OCCURRENCES: u64 = 1_000_000;

/// The way in for reports.
pub(super) struct Ingest {
    /// Makes them durable.
    pub(super) accept: Accept,
    /// What came lately.
    pub(super) arrivals: Arc<Arrivals>,
    /// When it is.
    pub(super) clock: Clock,
}

/// A report that was admitted.
#[derive(Debug)]
pub(super) struct IngestRequest {
    /// The repository that its key admits it to.
    pub(super) auth: IngestAuth,
    /// What its body holds.
    pub(super) payload: Payload,
    /// Its body, unpacked.
    pub(super) body: Bytes,
    /// When it came.
    pub(super) now: Timestamp,
}

/// What a body holds.
#[derive(Debug)]
pub(super) enum Payload {
    /// A Sentry envelope.
    Envelope,
    /// A Sentry event.
    Event,
    /// A traceback as it was printed, with what it can't say of itself, and its client.
    Printed(PrintedQuery, Option<String>),
}

/// A report, and how it is counted. The whole of it is made only where it is wanted.
struct ParsedReport<R> {
    id: String,
    fingerprint: Fingerprint,
    occurrence: Occurrence,
    report: R,
}

impl Ingest {
    /// Now.
    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Checks a key.
    ///
    /// # Errors
    /// It is not one of the project's, or the database is out of reach.
    pub(super) async fn enter(
        &self,
        project: RepositoryId,
        key: &str,
        now: Timestamp,
    ) -> Result<IngestAuth, IngestError> {
        match self.accept.enter(project, key, now).await? {
            Entry::Open(auth) => Ok(auth),
            Entry::Revoked(at) => Err(IngestError::Revoked { at }),
            Entry::WrongKey => Err(IngestError::WrongKey),
            Entry::NoProject => Err(IngestError::NoProject),
        }
    }

    /// Takes a report, and waits until it is durable.
    ///
    /// # Errors
    /// Its bytes are not what they claim to be, or it could not be stored.
    pub(super) async fn take(&self, request: IngestRequest) -> Result<IngestOutcome, IngestError> {
        let IngestRequest { auth, payload, body, now } = request;
        match payload {
            Payload::Envelope => self.take_envelope(auth, &body, now).await,
            Payload::Event => self.take_event(auth, &body, None, now).await,
            Payload::Printed(query, client) => self.take_printed(auth, &body, query, client, now).await,
        }
    }

    /// Takes the event of an envelope.
    ///
    /// # Errors
    /// As [`Self::take`].
    pub(super) async fn take_envelope(
        &self,
        auth: IngestAuth,
        bytes: &[u8],
        now: Timestamp,
    ) -> Result<IngestOutcome, IngestError> {
        let envelope = sentry::envelope(bytes)?;
        match envelope.event {
            Some(event) => self.take_event(auth, event, envelope.event_id.as_deref(), now).await,
            None => Ok(IngestOutcome::Ignored(None)),
        }
    }

    async fn take_event(
        &self,
        auth: IngestAuth,
        bytes: &[u8],
        id_beside: Option<&str>,
        now: Timestamp,
    ) -> Result<IngestOutcome, IngestError> {
        let mut scratch = String::new();
        let event = sentry_event::parse(bytes, &mut scratch)?;
        let id = event.event_id().or_else(|| sentry_event::normal_event_id(id_beside?)).unwrap_or_else(random_id);
        if !event.is_error() {
            return Ok(IngestOutcome::Ignored(Some(id)));
        }
        let occurrence = Occurrence {
            count: event.count(),
            server: event.server_name().to_owned(),
            environment: event.environment().to_owned(),
        };
        let parsed = ParsedReport { id, fingerprint: event.fingerprint(), occurrence, report: || event.into_report() };
        self.hand_over(auth, parsed, now).await
    }

    async fn take_printed(
        &self,
        auth: IngestAuth,
        bytes: &[u8],
        query: PrintedQuery,
        client: Option<String>,
        now: Timestamp,
    ) -> Result<IngestOutcome, IngestError> {
        let mut report = wire::traceback::parse(&String::from_utf8_lossy(bytes))?;
        // Its client, in place of an SDK's name.
        report.sdk = client;
        report.release = query.release;
        report.environment = query.environment;
        report.server_name = query.server_name;
        let occurrence = Occurrence {
            count: query.count,
            server: report.server_name.clone().unwrap_or_default(),
            environment: report.environment.clone().unwrap_or_default(),
        };
        let fingerprint = sentry_event::fingerprint_of(&report);
        let parsed = ParsedReport { id: random_id(), fingerprint, occurrence, report: || report };
        self.hand_over(auth, parsed, now).await
    }

    /// Hands a report over, and waits until it is durable.
    async fn hand_over(
        &self,
        auth: IngestAuth,
        read: ParsedReport<impl FnOnce() -> Report>,
        now: Timestamp,
    ) -> Result<IngestOutcome, IngestError> {
        let ParsedReport { id, fingerprint, mut occurrence, report } = read;
        occurrence.count = occurrence.count.clamp(1, MOST_OCCURRENCES);
        let recollection = self.accept.recall(auth, fingerprint, now).await?;
        let report =
            recollection.wants_report.then(|| Report { event_id: id.clone(), count: occurrence.count, ..report() });
        let summary = report.as_ref().map(ReportSummary::of);
        self.accept.take(auth, fingerprint, recollection, occurrence, report, now).await?;
        let repeat = summary.is_none();
        match summary {
            Some(summary) => self.arrivals.taken(auth.id, fingerprint, summary, now),
            None => self.arrivals.repeated(auth.id, fingerprint, now),
        }
        Ok(IngestOutcome::Taken { id, repeat })
    }
}
