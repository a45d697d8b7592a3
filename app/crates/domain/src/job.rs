//! Background work: a closed set of jobs, each naming the row that it is about, each safe to run
//! twice.

use super::ids::{DeliveryId, HookId, LineId, ReportId, RepositoryId, StormId};
use super::timestamp::{DAY, WEEK};
use jiff::SignedDuration;

/// One unit of background work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Job {
    /// Find the culprit line and its author for a stored report.
    Attribute(ReportId),
    /// Look at a line's counts and decide who is told.
    Decide(LineId),
    /// Send one e-mail, or write one issue or comment into the outbox.
    Deliver(DeliveryId),
    /// Write to GitHub what this installation has to write, one write after another.
    Write(u64),
    /// Send the mails of a storm, and end it once it is quiet.
    Storm(StormId),
    /// Act on a stored webhook delivery.
    Webhook(HookId),
    /// Bring a mirror up to date and read the repository's settings.
    Fetch(RepositoryId),
    /// Compare our repositories with what GitHub says is installed.
    Reconcile,
    /// Ask GitHub for webhooks that did not arrive, some at a time.
    Redeliver,
}

/// Attempts that a job may panic in, or not be outlived in by its process: once may be chance, for
/// others ran beside it; twice, alone, may be an operator who ended the process just then.
pub const MOST_DEATHS: u32 = 3;
/// How long a job is left alone that died as often: by then another version may run, or what it is
/// about may be another.
pub const SET_ASIDE_FOR: SignedDuration = DAY;
/// How long what a job was about is not looked up in its repository, once that ended the server as
/// often: by then another version may run, or the code be another.
pub const PLAIN_FOR: SignedDuration = WEEK;

/// How a job is to be run, after so many deaths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// As always.
    Whole,
    /// Without what presumably kills: a report is told, and who hears of it chosen, without looking
    /// at the repository; a queue of writes goes on without what is first in it.
    Lesser,
    /// Not at all, for [`SET_ASIDE_FOR`].
    NotNow,
}

impl Manner {
    /// What is to be done after these deaths.
    pub fn after(job: Job, deaths: u32) -> Self {
        let has_lesser = matches!(job, Job::Attribute(_) | Job::Decide(_) | Job::Write(_));
        match deaths {
            _ if deaths < MOST_DEATHS => Self::Whole,
            MOST_DEATHS if has_lesser => Self::Lesser,
            _ => Self::NotNow,
        }
    }
}

impl Job {
    /// What it does, in words.
    pub fn what(self) -> &'static str {
        match self {
            Self::Attribute(_) => "looking a report up in its repository",
            Self::Decide(_) => "deciding who is told of a line",
            Self::Deliver(_) => "sending a message",
            Self::Write(_) => "writing to GitHub",
            Self::Storm(_) => "sending the mails of a storm",
            Self::Webhook(_) => "acting on a webhook",
            Self::Fetch(_) => "bringing a mirror up to date",
            Self::Reconcile => "comparing with GitHub what is installed",
            Self::Redeliver => "asking GitHub for lost webhooks",
        }
    }

    /// Name and subject, as stored.
    pub fn parts(self) -> (&'static str, i64) {
        match self {
            Self::Attribute(id) => ("attribute", id.0),
            Self::Decide(id) => ("decide", id.0),
            Self::Deliver(id) => ("deliver", id.0),
            Self::Write(installation) => ("write", installation.cast_signed()),
            Self::Storm(id) => ("storm", id.0),
            Self::Webhook(id) => ("webhook", id.0),
            Self::Fetch(id) => ("fetch", id.0),
            Self::Reconcile => ("reconcile", 0),
            Self::Redeliver => ("redeliver", 0),
        }
    }

    /// From what is stored; `None` for a name that this version does not know.
    pub fn from_parts(kind: &str, subject: i64) -> Option<Self> {
        Some(match kind {
            "attribute" => Self::Attribute(ReportId(subject)),
            "decide" => Self::Decide(LineId(subject)),
            "deliver" => Self::Deliver(DeliveryId(subject)),
            "write" => Self::Write(subject.cast_unsigned()),
            "storm" => Self::Storm(StormId(subject)),
            "webhook" => Self::Webhook(HookId(subject)),
            "fetch" => Self::Fetch(RepositoryId(subject)),
            "reconcile" => Self::Reconcile,
            "redeliver" => Self::Redeliver,
            _ => return None,
        })
    }
}

/// Whether jobs of this name are done several at a time where several wait: those of a deployment
/// that fails at a thousand lines.
pub fn is_batched(kind: &str) -> bool {
    matches!(Job::from_parts(kind, 0), Some(Job::Attribute(_) | Job::Decide(_)))
}

/// The first pause after a failed step, doubled each time: most outages are over within seconds.
const FIRST_PAUSE: SignedDuration = SignedDuration::from_secs(2);
/// The longest pause: an outage of hours is noticed to be over within a quarter of an hour.
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_mins(15);

/// How long to wait before attempt number `attempts + 1`; a server's own Retry-After wins where
/// longer.
pub fn back_off(attempts: u32, retry_after: Option<SignedDuration>) -> SignedDuration {
    let doubled = FIRST_PAUSE.saturating_mul(1 << attempts.saturating_sub(1).min(20));
    doubled.min(LONGEST_PAUSE).max(retry_after.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jobs_survive_being_stored() {
        for job in [
            Job::Attribute(ReportId(1)),
            Job::Decide(LineId(2)),
            Job::Deliver(DeliveryId(3)),
            Job::Write(7),
            Job::Storm(StormId(6)),
            Job::Webhook(HookId(4)),
            Job::Fetch(RepositoryId(5)),
            Job::Reconcile,
            Job::Redeliver,
        ] {
            let (kind, subject) = job.parts();
            assert_eq!(Job::from_parts(kind, subject), Some(job));
        }
        assert_eq!(Job::from_parts("dance", 1), None);
    }

    #[test]
    fn three_deaths_are_enough() {
        let (report, mail) = (Job::Attribute(ReportId(1)), Job::Deliver(DeliveryId(1)));
        assert_eq!(
            [0, 2, 3, 4].map(|n| Manner::after(mail, n)),
            [Manner::Whole, Manner::Whole, Manner::NotNow, Manner::NotNow]
        );
        assert_eq!([2, 3, 4].map(|n| Manner::after(report, n)), [Manner::Whole, Manner::Lesser, Manner::NotNow]);
    }

    #[test]
    fn pauses_double_up_to_a_quarter_of_an_hour_and_honour_retry_after() {
        assert_eq!([1, 2, 3].map(|n| back_off(n, None)), [2, 4, 8].map(SignedDuration::from_secs));
        assert_eq!(back_off(60, None), SignedDuration::from_mins(15));
        assert_eq!(back_off(1, Some(SignedDuration::from_mins(1))), SignedDuration::from_mins(1));
    }
}
