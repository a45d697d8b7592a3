//! What is counted of requests, for machines to read.

use super::ingest::{IngestError, IngestOutcome};
use std::array;
use std::sync::atomic::{AtomicU64, Ordering};

/// Reasons of [`IngestError::reason`], each a series from the start: one that appears with its
/// first event is no rate.
const REASONS: [&str; 11] = [
    "malformed",
    "too_large",
    "encoding",
    "key",
    "rate",
    "budget",
    "project",
    "interrupted",
    "busy",
    "unavailable",
    "method",
];

/// What was counted since the start.
#[derive(Debug, Default)]
pub(super) struct Meters {
    new: AtomicU64,
    repeated: AtomicU64,
    resent: AtomicU64,
    ignored: AtomicU64,
    refused: [AtomicU64; REASONS.len()],
    /// Webhooks by what became of them: stored, seen before, ignored, refused.
    webhooks: [AtomicU64; HOOK_RESULTS.len()],
}

/// Places in [`Meters::webhooks`], named as the metrics name them.
const HOOK_RESULTS: [&str; 4] = ["stored", "repeated", "ignored", "refused"];

impl Meters {
    /// Counts what became of a report.
    pub(super) fn count(&self, result: &Result<IngestOutcome, IngestError>) {
        let counter = match result {
            Ok(IngestOutcome::Taken { repeat: false, .. }) => &self.new,
            Ok(IngestOutcome::Taken { repeat: true, .. }) => &self.repeated,
            Ok(IngestOutcome::Resent(_)) => &self.resent,
            Ok(IngestOutcome::Ignored(_)) => &self.ignored,
            Err(error) => {
                let at = REASONS.iter().position(|reason| *reason == error.reason()).unwrap_or(0);
                &self.refused[at]
            }
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a webhook.
    pub(super) fn hook(&self, result: &str) {
        let at = HOOK_RESULTS.iter().position(|name| *name == result).unwrap_or(0);
        self.webhooks[at].fetch_add(1, Ordering::Relaxed);
    }

    /// What was counted by now.
    pub(super) fn read(&self) -> Counted {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Counted {
            new: read(&self.new),
            repeated: read(&self.repeated),
            resent: read(&self.resent),
            ignored: read(&self.ignored),
            refused: array::from_fn(|at| (REASONS[at], read(&self.refused[at]))),
            webhooks: array::from_fn(|at| (HOOK_RESULTS[at], read(&self.webhooks[at]))),
        }
    }
}

/// How many requests there were since the start.
#[derive(Clone, Copy, Debug)]
pub(super) struct Counted {
    /// Reports that were stored.
    pub(super) new: u64,
    /// Reports of a fingerprint that was known, and only counted.
    pub(super) repeated: u64,
    /// Reports whose id was taken before: not counted once more.
    pub(super) resent: u64,
    /// Requests without an error in them.
    pub(super) ignored: u64,
    /// Refused ones, by reason.
    pub(super) refused: [(&'static str, u64); REASONS.len()],
    /// Webhooks, by what became of them.
    pub(super) webhooks: [(&'static str, u64); HOOK_RESULTS.len()],
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::steps::accept::AcceptError;
    use wire::WireError;

    #[test]
    fn each_refusal_is_counted_under_its_reason() {
        let errors = [
            IngestError::Query("count".into()),
            IngestError::Wire(WireError::TooLarge { limit: 1 }),
            IngestError::Wire(WireError::UnknownEncoding("lzma".into())),
            IngestError::NoKey,
            IngestError::NoProject,
            IngestError::Slow,
            IngestError::Busy,
            IngestError::Accept(AcceptError::Stopping),
            IngestError::Accept(AcceptError::OverBudget { after: jiff::SignedDuration::ZERO }),
            IngestError::OverRate { after: jiff::SignedDuration::ZERO, most: 1 },
            IngestError::Method,
        ];
        let meters = Meters::default();
        for error in errors {
            assert!(REASONS.contains(&error.reason()), "{} is no series", error.reason());
            meters.count(&Err(error));
        }
        assert!(meters.refused.iter().all(|counter| counter.load(Ordering::Relaxed) == 1));
    }
}
