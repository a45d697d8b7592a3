//! What a request brings is read, and what is remembered of it is asked for.

use super::event::{ReadError, ReadEvent, read_event};
use super::parsed::{Measured, MemberReport, Parsed, ParsedReport, Repeat};
use super::printed::read_printed;
use super::{Ingest, IngestError, IngestRequest, Payload, PrintedQuery, STORED_WITHIN};
use crate::random::random_id;
use crate::server::body::INLINE;
use crate::steps::accept::{AcceptError, Begun, IdMark, Occurrence, Recollection, UnderWay};
use domain::fingerprint::Fingerprint;
use domain::group::further_members;
use domain::report::{Member, Report};
use domain::timestamp::Timestamp;
use store::ingest_keys::IngestAuth;
use tokio::time::timeout;
use wire::encoding::decode;
use wire::{sentry, sentry_event};

impl Ingest {
    /// Reads what a request brings, where nobody has to be asked about it: a repeat, or no error.
    /// `None`: [`Self::parse`] is to read it.
    pub(super) fn parse_at_once(&self, request: &IngestRequest) -> Result<Option<Parsed>, IngestError> {
        let IngestRequest { auth, payload, encoding, body, now, .. } = request;
        if matches!(payload, Payload::Printed(..)) {
            return Ok(None);
        }
        let bytes = decode(encoding.as_deref(), body, INLINE)?;
        let (event, id_beside) = match payload {
            Payload::Envelope => {
                let envelope = sentry::envelope(&bytes)?;
                (envelope.event, envelope.event_id)
            }
            Payload::Event | Payload::Printed(..) => (Some(&*bytes), None),
        };
        let Some(event) = event else { return Ok(Some(Parsed::NoError(None))) };
        let mut scratch = String::new();
        let read = match read_event(event, id_beside.as_deref(), &mut scratch)? {
            ReadEvent::NoError(id) => return Ok(Some(Parsed::NoError(Some(id)))),
            ReadEvent::Error(read) => *read,
        };
        let under_way = match self.mark(*auth, &read).map(|mark| self.accept.begin(mark, *now)) {
            Some(Begun::Taken) => return Ok(Some(Parsed::Resent(read.id))),
            // It is waited for what becomes of that one.
            Some(Begun::UnderWay) => return Ok(None),
            Some(Begun::First(under_way)) => Some(under_way),
            None => None,
        };
        let fingerprint = within_folder(*auth, read.fingerprint);
        let remembered = match read.members.is_empty() {
            true => self.accept.recall_at_once(*auth, fingerprint, *now),
            false => None,
        };
        Ok(remembered.map(|recollection| {
            let ReadError { id, occurrence, .. } = read;
            Parsed::Repeat(Repeat { auth: *auth, id, under_way, fingerprint, occurrence, recollection, now: *now })
        }))
    }

    /// Reads what a request brings, as long as it is no more than `most` bytes once it is unpacked.
    pub(super) async fn parse(&self, request: &IngestRequest, most: usize) -> Result<Measured, IngestError> {
        let IngestRequest { auth, payload, encoding, body, now, .. } = request;
        let bytes = decode(encoding.as_deref(), body, most)?;
        let parsed = match payload {
            Payload::Envelope => self.parse_envelope(*auth, &bytes, *now).await,
            Payload::Event => self.parse_event(*auth, &bytes, None, *now).await,
            Payload::Printed(query, client) => self.parse_printed(*auth, &bytes, query, client.as_deref(), *now).await,
        };
        parsed.map(|parsed| Measured { parsed, bytes: bytes.len() })
    }

    pub(super) async fn parse_envelope(
        &self,
        auth: IngestAuth,
        bytes: &[u8],
        now: Timestamp,
    ) -> Result<Parsed, IngestError> {
        let envelope = sentry::envelope(bytes)?;
        match envelope.event {
            Some(event) => self.parse_event(auth, event, envelope.event_id.as_deref(), now).await,
            None => Ok(Parsed::NoError(None)),
        }
    }

    async fn parse_event(
        &self,
        auth: IngestAuth,
        bytes: &[u8],
        id_beside: Option<&str>,
        now: Timestamp,
    ) -> Result<Parsed, IngestError> {
        let mut scratch = String::new();
        match read_event(bytes, id_beside, &mut scratch)? {
            ReadEvent::NoError(id) => Ok(Parsed::NoError(Some(id))),
            ReadEvent::Error(read) => {
                let mut under_way = None;
                if let Some(mark) = self.mark(auth, &read) {
                    let begun = timeout(STORED_WITHIN, self.accept.begin_after_others(mark, now));
                    under_way = begun.await.map_err(|_| IngestError::Stalled)?;
                    if under_way.is_none() {
                        return Ok(Parsed::Resent(read.id));
                    }
                }
                let ReadError { event, id, fingerprint, members, occurrence, .. } = *read;
                self.recalled(auth, (id, under_way), (fingerprint, members), occurrence, || event.into_report(), now)
                    .await
            }
        }
    }

    async fn parse_printed(
        &self,
        auth: IngestAuth,
        bytes: &[u8],
        query: &PrintedQuery,
        client: Option<&str>,
        now: Timestamp,
    ) -> Result<Parsed, IngestError> {
        let (report, occurrence) = read_printed(bytes, query, client)?;
        let fingerprint = sentry_event::fingerprint_of(&report);
        let members = further_members(&report).into_iter().map(|member| {
            let of_member = Report { member: Some(member.clone()), ..report.clone() };
            (member, sentry_event::fingerprint_of(&of_member))
        });
        let members = members.collect();
        self.recalled(auth, (random_id(), None), (fingerprint, members), occurrence, || report, now).await
    }

    /// Makes the whole report only where it is wanted, by itself or for a member of its group.
    async fn recalled(
        &self,
        auth: IngestAuth,
        (id, under_way): (String, Option<UnderWay>),
        (fingerprint, members): (Fingerprint, Vec<(Member, Fingerprint)>),
        occurrence: Occurrence,
        report: impl FnOnce() -> Report,
        now: Timestamp,
    ) -> Result<Parsed, IngestError> {
        let fingerprint = within_folder(auth, fingerprint);
        let recollection = self.accept.recall(auth, fingerprint, now).await?;
        let mut recalled = Vec::new();
        for (member, fingerprint) in members {
            match self.accept.recall(auth, fingerprint, now).await {
                Ok(recollection) => recalled.push((member, fingerprint, recollection)),
                // The group itself was taken: what is left out of it comes with its next report.
                Err(AcceptError::OverBudget { .. }) => break,
                Err(error) => return Err(error.into()),
            }
        }
        let is_wanted = recollection.wants_report || recalled.iter().any(|(_, _, member)| member.wants_report);
        let whole = is_wanted.then(|| Report { event_id: id.clone(), count: occurrence.count, ..report() });
        let of_member = |(member, fingerprint, recollection): (Member, Fingerprint, Recollection)| {
            let whole = whole.as_ref().filter(|_| recollection.wants_report);
            let report = whole.map(|whole| Report { member: Some(member), ..whole.clone() });
            MemberReport { fingerprint, recollection, report }
        };
        let members = recalled.into_iter().map(of_member).collect();
        let report = whole.filter(|_| recollection.wants_report);
        let parsed = ParsedReport { auth, id, under_way, fingerprint, occurrence, recollection, report, members, now };
        Ok(Parsed::Report(Box::new(parsed)))
    }

    /// What the id of an error comes to, where its client chose it.
    fn mark(&self, auth: IngestAuth, read: &ReadError<'_>) -> Option<IdMark> {
        read.is_id_sent.then(|| self.accept.mark(auth.key, &read.id))?
    }
}

/// The fingerprint of a report by this key.
fn within_folder(auth: IngestAuth, fingerprint: Fingerprint) -> Fingerprint {
    auth.folder.map_or(fingerprint, |folder| fingerprint.within(folder))
}
