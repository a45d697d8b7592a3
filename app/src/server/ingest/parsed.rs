//! What was read of a request, before it is handed over.

use crate::server::budget::Held;
use crate::steps::accept::{Occurrence, Recollection, UnderWay};
use domain::fingerprint::Fingerprint;
use domain::report::Report;
use domain::timestamp::Timestamp;
use store::ingest_keys::IngestAuth;

/// What was read of a request.
#[expect(clippy::large_enum_variant, reason = "the largest is what nearly all are, and a box would cost each")]
pub(super) enum Parsed {
    /// No error: the id of the event, if there is one.
    NoError(Option<String>),
    /// Taken before, by its id.
    Resent(String),
    /// A report that is only counted, which nearly all are: what is read of others takes room that
    /// these do without.
    Repeat(Repeat),
    /// A report.
    Report(Box<ParsedReport>),
}

/// A report whose fingerprint is remembered.
pub(super) struct Repeat {
    pub(super) auth: IngestAuth,
    pub(super) id: String,
    /// The id, where the client chose it.
    pub(super) under_way: Option<UnderWay>,
    pub(super) fingerprint: Fingerprint,
    pub(super) occurrence: Occurrence,
    pub(super) recollection: Recollection,
    pub(super) now: Timestamp,
}

/// A report, and how it is counted.
pub(super) struct ParsedReport {
    pub(super) auth: IngestAuth,
    pub(super) id: String,
    /// The id, where the client chose it.
    pub(super) under_way: Option<UnderWay>,
    pub(super) fingerprint: Fingerprint,
    pub(super) occurrence: Occurrence,
    pub(super) recollection: Recollection,
    /// The whole of it, where it is wanted.
    pub(super) report: Option<Report>,
    /// Further members of the group that it is.
    pub(super) members: Vec<MemberReport>,
    pub(super) now: Timestamp,
}

/// A member of a group, as a report of its own.
pub(super) struct MemberReport {
    pub(super) fingerprint: Fingerprint,
    pub(super) recollection: Recollection,
    /// The whole of it, where it is wanted.
    pub(super) report: Option<Report>,
}

/// What was read, and of how many bytes once they were unpacked.
pub(super) struct Measured {
    pub(super) parsed: Parsed,
    pub(super) bytes: usize,
}

impl Measured {
    /// With what it holds from now on: each whole report is about as large as what it was read
    /// from, and waits for the database; all else is next to nothing.
    pub(super) fn held_by(self, mut held: Held) -> (Parsed, Held) {
        let reports = match &self.parsed {
            Parsed::Report(parsed) => parsed.whole_reports(),
            Parsed::NoError(_) | Parsed::Resent(_) | Parsed::Repeat(_) => 0,
        };
        held.keep(self.bytes * reports);
        (self.parsed, held)
    }
}

impl ParsedReport {
    /// How many reports it brings along, beside their counts.
    fn whole_reports(&self) -> usize {
        let of_members = self.members.iter().filter(|member| member.report.is_some());
        usize::from(self.report.is_some()) + of_members.count()
    }
}
