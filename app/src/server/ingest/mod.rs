//! The way in for reports, whoever sends them: admitted, parsed, and handed to [`Accept`].

mod arrivals;
mod event;
mod outcome;
mod over_limit;
mod parsed;
mod printed;
mod rate;
mod reading;

pub(super) use arrivals::{Arrivals, FINGERPRINTS, Seen, Taken};
pub(super) use outcome::{IngestError, IngestOutcome};
pub(super) use over_limit::OverLimit;
pub(super) use printed::PrintedQuery;

use super::body::{INLINE, INLINE_PACKED};
use super::budget::Held;
use super::client::ClientGroup;
use super::turns::{Bounds, Turns};
use crate::clock::Clock;
use crate::steps::accept::{Accept, AcceptError, Entry};
use arrivals::ReportSummary;
use axum::body::Bytes;
use domain::ids::{IngestKeyId, RepositoryId};
use domain::key_limits::DefaultLimits;
use domain::timestamp::Timestamp;
use parsed::{MemberReport, Parsed, ParsedReport, Repeat};
use rate::{OverRate, Rates};
use std::sync::Arc;
use std::time::Duration;
use store::Store;
use store::ingest_keys::{Caller, IngestAuth, Over};
use tokio::runtime::Handle;
use tokio::task::JoinSet;
use tokio::time::timeout;
use wire::WireError;
use wire::encoding::MAX_DECODED;

/// Large reports that are unpacked and read at a time, each of which takes a few times
/// [`MAX_DECODED`] while it is: they are rare, and two keep up with what a line of 1 Gbit brings.
const LARGE_AT_ONCE: usize = 2;

/// How many of them wait. Of one key: the worst of them, of 8 MiB that take 0.1 s each, are read
/// within three seconds. Of all: a key that nobody floods finds a place beside four that are. One
/// that waited for a third of what SDKs do (30 s) is better sent again.
const LARGE: Bounds = Bounds { at_once: LARGE_AT_ONCE, of_lane: 64, in_all: 256, longest: Duration::from_secs(10) };

/// How long a report waits to be durable: longer than the database takes to say itself what is
/// wrong, and not as long as SDKs wait (30 s), so that a disk that stands still is answered, too.
const STORED_WITHIN: Duration = Duration::from_secs(20);

/// The way in for reports.
pub(super) struct Ingest {
    accept: Accept,
    /// What became of the last requests.
    pub(super) arrivals: Arc<Arrivals>,
    clock: Clock,
    rates: Rates,
    /// What was refused because keys brought more than they may.
    pub(super) over_limit: Arc<OverLimit>,
    /// Turns at reading large reports, shared between keys.
    large: Arc<Turns<IngestKeyId>>,
}

/// A report that was admitted.
#[derive(Debug)]
pub(super) struct IngestRequest {
    /// The repository that its key admits it to.
    pub(super) auth: IngestAuth,
    /// What its body holds.
    pub(super) payload: Payload,
    /// How its body is packed.
    pub(super) encoding: Option<String>,
    /// Its body, as it was sent.
    pub(super) body: Bytes,
    /// What the body holds of the budget.
    pub(super) held: Held,
    /// Where it comes from.
    pub(super) client: ClientGroup,
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

impl Ingest {
    /// A way in, by these; with the limits of keys that have none of their own.
    pub(super) fn new(accept: Accept, arrivals: Arc<Arrivals>, store: Store, clock: Clock, all: DefaultLimits) -> Self {
        Self {
            accept,
            arrivals,
            clock,
            rates: Rates::new(all.rate),
            over_limit: Arc::new(OverLimit::new(store, all)),
            large: Arc::new(Turns::new(LARGE)),
        }
    }

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

    /// Checks a key, and takes one of its rate: of a client's request, before its body is read.
    ///
    /// # Errors
    /// As [`Self::enter`], or it sent as much as it may.
    pub(super) async fn admit(
        &self,
        project: RepositoryId,
        key: &str,
        now: Timestamp,
    ) -> Result<IngestAuth, IngestError> {
        let auth = self.enter(project, key, now).await?;
        if let Err(OverRate { after, most }) = self.rates.take(auth.key, auth.limits.rate, now) {
            self.over_limit.note(auth, Over::Rate, now);
            return Err(IngestError::OverRate { after, most });
        }
        Ok(auth)
    }

    /// Whether there is such a project, of a request that shows no key yet.
    ///
    /// # Errors
    /// There is none, or the database is out of reach.
    pub(super) async fn must_be_project(&self, store: &Store, project: RepositoryId) -> Result<(), IngestError> {
        match store::ingest_keys::caller(store, project, "").await.map_err(AcceptError::from)? {
            Caller::NoProject => Err(IngestError::NoProject),
            Caller::Admitted { .. } | Caller::Revoked(_) | Caller::WrongKey => Ok(()),
        }
    }

    /// Takes a report, and waits until it is durable. Its body is given up before; what is kept of
    /// it meanwhile goes on counting among all that is held.
    ///
    /// # Errors
    /// Its bytes are not what they claim to be, or it could not be stored.
    pub(super) async fn take(self: &Arc<Self>, mut request: IngestRequest) -> Result<IngestOutcome, IngestError> {
        // What is not a repeat is boxed: what has the room for it costs each report that goes by.
        let inline = if request.encoding.is_some() { INLINE_PACKED } else { INLINE };
        if request.body.len() > inline {
            return Box::pin(self.take_whole(request)).await;
        }
        request.held.arrived();
        match self.parse_at_once(&request) {
            Ok(Some(Parsed::Repeat(repeat))) => {
                drop(request);
                self.count(repeat).await
            }
            Ok(Some(parsed)) => Box::pin(self.hand_over(parsed)).await,
            Ok(None) | Err(IngestError::Wire(WireError::TooLarge { .. })) => Box::pin(self.take_whole(request)).await,
            Err(error) => Err(error),
        }
    }

    /// Takes a report that is more than counted, or too large to be read at once.
    async fn take_whole(self: &Arc<Self>, request: IngestRequest) -> Result<IngestOutcome, IngestError> {
        let (auth, now) = (request.auth, request.now);
        let taken = async {
            let (parsed, _held) = self.read(request).await?;
            self.hand_over(parsed).await
        };
        let taken = taken.await;
        if matches!(taken, Err(IngestError::Accept(AcceptError::OverBudget { .. }))) {
            self.over_limit.note(auth, Over::Budget, now);
        }
        taken
    }

    /// Reads a request, and what it holds from then on.
    async fn read(self: &Arc<Self>, request: IngestRequest) -> Result<(Parsed, Held), IngestError> {
        let inline = if request.encoding.is_some() { INLINE_PACKED } else { INLINE };
        if request.body.len() > inline {
            return self.parse_large(request).await;
        }
        match self.parse(&request, INLINE).await {
            Err(IngestError::Wire(WireError::TooLarge { .. })) => self.parse_large(request).await,
            parsed => parsed.map(|parsed| parsed.held_by(request.held)),
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
        self.hand_over(self.parse_envelope(auth, bytes, now).await?).await
    }

    /// Reads a large report in a thread that may be kept busy, once it is its turn.
    async fn parse_large(self: &Arc<Self>, mut request: IngestRequest) -> Result<(Parsed, Held), IngestError> {
        // It ends with the work, not with the request: a client that hangs up ends only that one.
        let turn = self.large.take(request.auth.key, request.client).await?;
        // Until now it counts among what its client sends, who must not fill all there is with what
        // waits.
        request.held.arrived();
        if request.encoding.is_some() {
            request.held.add(MAX_DECODED);
        }
        let (ingest, runtime) = (Arc::clone(self), Handle::current());
        // What it asks of the database is asked from there.
        let parse = move || {
            let _turn = turn;
            let parsed = runtime.block_on(ingest.parse(&request, MAX_DECODED));
            parsed.map(|parsed| parsed.held_by(request.held))
        };
        let parsed = tokio::task::spawn_blocking(parse).await;
        parsed.unwrap_or_else(|panic| {
            tracing::error!(%panic, "a report could not be read");
            Err(IngestError::Wire(WireError::Malformed { what: "the report can't be read".to_owned(), at: None }))
        })
    }

    /// Counts a repeat, and waits until that is durable.
    async fn count(&self, repeat: Repeat) -> Result<IngestOutcome, IngestError> {
        let Repeat { auth, id, under_way, fingerprint, occurrence, recollection, now } = repeat;
        let taking = self.accept.take(auth, (fingerprint, recollection), occurrence, None, under_way, now);
        in_time(STORED_WITHIN, taking).await?;
        self.arrivals.repeated(auth.id, fingerprint, now);
        Ok(IngestOutcome::Taken { id, repeat: true })
    }

    /// Hands a report over, and waits until it is durable.
    async fn hand_over(&self, parsed: Parsed) -> Result<IngestOutcome, IngestError> {
        let parsed = match parsed {
            Parsed::Report(parsed) => *parsed,
            Parsed::Repeat(repeat) => return self.count(repeat).await,
            Parsed::NoError(id) => return Ok(IngestOutcome::Ignored(id)),
            Parsed::Resent(id) => return Ok(IngestOutcome::Resent(id)),
        };
        let ParsedReport { auth, id, under_way, fingerprint, occurrence, recollection, report, members, now } = parsed;
        let summary = report.as_ref().map(ReportSummary::of);
        // Of a group, the id is taken once all of it is durable: else a member would be lost by it.
        let (of_one, of_group) = if members.is_empty() { (under_way, None) } else { (None, under_way) };
        in_time(STORED_WITHIN, async {
            // Of a group, all at once: they become durable together.
            let mut beside = JoinSet::new();
            for MemberReport { fingerprint, recollection, report } in members {
                let (accept, occurrence, report) = (self.accept.clone(), occurrence.clone(), report.map(Box::new));
                let member = (fingerprint, recollection);
                beside.spawn(async move { accept.take(auth, member, occurrence, report, None, now).await });
            }
            let report = report.map(Box::new);
            self.accept.take(auth, (fingerprint, recollection), occurrence, report, of_one, now).await?;
            while let Some(taken) = beside.join_next().await {
                taken.map_err(|_| AcceptError::Stopping)??;
            }
            Ok(())
        })
        .await?;
        if let Some(of_group) = of_group {
            of_group.taken();
        }
        let repeat = summary.is_none();
        match summary {
            Some(summary) => self.arrivals.taken(auth.id, fingerprint, summary, now),
            None => self.arrivals.repeated(auth.id, fingerprint, now),
        }
        Ok(IngestOutcome::Taken { id, repeat })
    }
}

/// What is to be stored, unless the database stands still. What it has of it by then, it may store
/// later all the same.
async fn in_time(within: Duration, storing: impl Future<Output = Result<(), AcceptError>>) -> Result<(), IngestError> {
    match timeout(within, storing).await {
        Ok(stored) => Ok(stored?),
        Err(_) => Err(IngestError::Stalled),
    }
}

#[cfg(test)]
mod tests;
