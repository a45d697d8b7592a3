//! What became of the last requests of each project, for somebody who connects an application and
//! waits for its first report.

use super::outcome::{IngestError, IngestOutcome};
use domain::fingerprint::Fingerprint;
use domain::ids::RepositoryId;
use domain::report::Report;
use domain::scrub::{Rules, scrub_text};
use domain::test_report::TEST_EXCEPTION;
use domain::timestamp::Timestamp;
use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use store::Store;
use store::ingest_keys::Caller;

/// Fingerprints remembered for a project: more than a person looks through to find their own.
pub(in crate::server) const FINGERPRINTS: usize = 10;
/// Kinds of refusal remembered for a project, for the same reason.
const REFUSALS: usize = 10;
/// Projects remembered, some 10 KB each at most: who waits for a report has sent one lately.
const PROJECTS: usize = 500;
/// Characters kept of a name or reason: what a line of a page shows.
const LONGEST: usize = 300;

/// The last requests of each project, since the start of this process.
#[derive(Debug, Default)]
pub(in crate::server) struct Arrivals(Mutex<HashMap<RepositoryId, Seen>>);

/// What became of a project's last requests, the latest first.
#[derive(Clone, Debug, Default)]
pub(in crate::server) struct Seen {
    /// Reports that were taken, one entry for each fingerprint.
    pub(in crate::server) taken: VecDeque<Taken>,
    /// Requests that were refused, one entry for each reason and client.
    pub(in crate::server) refused: VecDeque<Refused>,
    /// How many requests had no error in them, and when the last of them came.
    pub(in crate::server) without_error: Option<(u64, Timestamp)>,
    last_at: Timestamp,
}

/// A report that was taken.
#[derive(Clone, Debug)]
pub(in crate::server) struct Taken {
    /// When the last one of its fingerprint came.
    pub(in crate::server) at: Timestamp,
    /// Requests with this fingerprint.
    pub(in crate::server) count: u64,
    /// Its fingerprint.
    pub(in crate::server) fingerprint: Fingerprint,
    /// Type of its exception.
    pub(in crate::server) exception: String,
    /// Client and version.
    pub(in crate::server) client: Option<String>,
    /// What it calls its release.
    pub(in crate::server) release: Option<String>,
}

/// A request that was refused.
#[derive(Clone, Debug)]
pub(in crate::server) struct Refused {
    /// When the last one came.
    pub(in crate::server) at: Timestamp,
    /// How many came.
    pub(in crate::server) count: u64,
    /// Why, in words.
    pub(in crate::server) why: String,
    /// Client, as far as it says.
    pub(in crate::server) client: Option<String>,
}

/// What is remembered of a report: nothing that is known to be a secret.
#[derive(Clone, Debug)]
pub(in crate::server) struct ReportSummary {
    exception: String,
    client: Option<String>,
    release: Option<String>,
}

impl ReportSummary {
    /// Of this report.
    pub(in crate::server) fn of(report: &Report) -> Self {
        Self {
            exception: report.exception_name().map_or_else(|| "message".to_owned(), |name| cut(&name)),
            client: report.sdk.as_deref().map(cut),
            release: report.revision.as_ref().or(report.release.as_ref()).map(|text| cut(text)),
        }
    }
}

impl Arrivals {
    /// What is remembered of a project.
    pub(in crate::server) fn of(&self, project: RepositoryId) -> Seen {
        self.lock().get(&project).cloned().unwrap_or_default()
    }

    /// Remembers a report that was taken whole.
    pub(in crate::server) fn taken(
        &self,
        project: RepositoryId,
        fingerprint: Fingerprint,
        summary: ReportSummary,
        at: Timestamp,
    ) {
        let ReportSummary { exception, client, release } = summary;
        if exception == TEST_EXCEPTION {
            // Ours: the page shows it by itself.
            return;
        }
        let fresh = Taken { at, count: 1, fingerprint, exception, client, release };
        self.within(project, at, |seen| {
            let before = seen
                .taken
                .iter()
                .position(|entry| entry.fingerprint == fingerprint)
                .and_then(|at| seen.taken.remove(at));
            let count = before.map_or(1, |before| before.count + 1);
            seen.taken.push_front(Taken { count, ..fresh });
            seen.taken.truncate(FINGERPRINTS);
        });
    }

    /// Counts a report whose fingerprint is known.
    pub(in crate::server) fn repeated(&self, project: RepositoryId, fingerprint: Fingerprint, at: Timestamp) {
        if let Some(seen) = self.lock().get_mut(&project)
            && let Some(entry) = seen.taken.iter_mut().find(|entry| entry.fingerprint == fingerprint)
        {
            (entry.count, entry.at, seen.last_at) = (entry.count + 1, at, at);
        }
    }

    fn refused(&self, project: RepositoryId, why: &str, client: Option<&str>, at: Timestamp) {
        // What is remembered as it was sent had nothing to be taken out: of a flood, one is looked
        // at.
        if self.refused_again(project, why, client, at) {
            return;
        }
        let (why, client) = (cut(why), client.map(cut));
        self.within(project, at, |seen| {
            let same = |entry: &Refused| entry.why == why && entry.client == client;
            let before = seen.refused.iter().position(same).and_then(|at| seen.refused.remove(at));
            let count = before.map_or(1, |before| before.count + 1);
            seen.refused.push_front(Refused { at, count, why, client });
            seen.refused.truncate(REFUSALS);
        });
    }

    /// Counts what is remembered in these very words already; `false`: it is not.
    fn refused_again(&self, project: RepositoryId, why: &str, client: Option<&str>, at: Timestamp) -> bool {
        let mut projects = self.lock();
        let Some(seen) = projects.get_mut(&project) else { return false };
        let same = |entry: &Refused| entry.why == why && entry.client.as_deref() == client;
        let before = seen.refused.iter().position(same).and_then(|at| seen.refused.remove(at));
        let Some(before) = before else { return false };
        seen.refused.push_front(Refused { at, count: before.count + 1, ..before });
        seen.last_at = at;
        true
    }

    fn without_error(&self, project: RepositoryId, at: Timestamp) {
        self.within(project, at, |seen| {
            seen.without_error = Some((seen.without_error.map_or(1, |(count, _)| count + 1), at));
        });
    }

    fn knows(&self, project: RepositoryId) -> bool {
        self.lock().contains_key(&project)
    }

    fn within(&self, project: RepositoryId, at: Timestamp, note: impl FnOnce(&mut Seen)) {
        let mut projects = self.lock();
        if projects.len() >= PROJECTS && !projects.contains_key(&project) {
            let quietest = projects.iter().min_by_key(|(_, seen)| seen.last_at).map(|(id, _)| *id);
            quietest.and_then(|id| projects.remove(&id));
        }
        let seen = projects.entry(project).or_default();
        seen.last_at = at;
        note(seen);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<RepositoryId, Seen>> {
        // Nothing under this lock can panic half-way, so a poisoned one holds what it should.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Arrivals {
    /// Remembers what became of a request, where there is such a project.
    pub(in crate::server) async fn remember(
        &self,
        store: &Store,
        project: RepositoryId,
        result: &Result<IngestOutcome, IngestError>,
        client: impl FnOnce() -> Option<String>,
        now: Timestamp,
    ) {
        match result {
            // Noted where the report is at hand.
            Ok(IngestOutcome::Taken { .. } | IngestOutcome::Resent(_)) => {}
            Ok(IngestOutcome::Ignored(_)) => self.without_error(project, now),
            Err(IngestError::NoProject | IngestError::Method) => {}
            Err(error) if self.is_worth_it(store, project).await => {
                self.refused(project, &error.detail(), client().as_deref(), now);
            }
            Err(_) => {}
        }
    }

    /// Strangers may name any number; only projects that exist are worth the memory.
    async fn is_worth_it(&self, store: &Store, project: RepositoryId) -> bool {
        self.knows(project)
            || store::ingest_keys::caller(store, project, "").await.is_ok_and(|caller| caller != Caller::NoProject)
    }
}

/// As much of a text as a line of a page shows, without secrets: names are chosen by clients, and
/// a refusal quotes what they sent.
fn cut(text: &str) -> String {
    scrub_text(text, Rules::built_in()).chars().take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::steps::accept::AcceptError;
    use domain::report::Exception;
    use jiff::SignedDuration;

    fn report(kind: &str) -> ReportSummary {
        let exception = Exception { kind: kind.to_owned(), ..Exception::default() };
        ReportSummary::of(&Report { exceptions: vec![exception], ..Report::default() })
    }

    #[test]
    fn our_own_words_are_not_taken_for_secrets() {
        use IngestError::{Busy, Method, NoKey, NoProject, OverRate, Slow, Stalled, WrongKey};
        let over_rate = OverRate { after: SignedDuration::ZERO, most: 60_000 };
        let over_budget = AcceptError::OverBudget { after: SignedDuration::ZERO }.into();
        for error in [NoKey, WrongKey, NoProject, Slow, Busy, Stalled, Method, over_rate, over_budget] {
            let words = error.detail();
            assert_eq!(cut(&words), words);
        }
    }

    #[test]
    fn the_latest_fingerprints_are_remembered_once_each() {
        let arrivals = Arrivals::default();
        let project = RepositoryId(1);
        let fingerprint = |n: u8| Fingerprint([n; 16]);
        for n in 0..=FINGERPRINTS {
            let n = u8::try_from(n).expect("a few");
            arrivals.taken(project, fingerprint(n), report("E"), Timestamp::from_millis(i64::from(n)));
        }
        arrivals.taken(project, fingerprint(1), report("E"), Timestamp::from_millis(100));
        arrivals.repeated(project, fingerprint(1), Timestamp::from_millis(101));
        arrivals.taken(project, fingerprint(99), report(TEST_EXCEPTION), Timestamp::from_millis(102));
        let seen = arrivals.of(project);
        assert_eq!(seen.taken.len(), FINGERPRINTS);
        assert_eq!(
            (seen.taken[0].fingerprint, seen.taken[0].count, seen.taken[0].at),
            (fingerprint(1), 3, Timestamp::from_millis(101))
        );
        assert!(seen.taken.iter().all(|entry| entry.fingerprint != fingerprint(0)), "the oldest goes first");
    }

    #[test]
    fn a_client_that_is_named_by_a_secret_is_counted_without_it() {
        let (arrivals, project) = (Arrivals::default(), RepositoryId(1));
        for n in 0..3 {
            for client in ["curl/8", "password=hunter2hunter2"] {
                arrivals.refused(project, "the key", Some(client), Timestamp::from_millis(n));
            }
        }
        let seen: Vec<(String, u64)> = arrivals
            .of(project)
            .refused
            .into_iter()
            .map(|entry| (entry.client.unwrap_or_default(), entry.count))
            .collect();
        assert_eq!(seen, [("password=[Filtered]".to_owned(), 3), ("curl/8".to_owned(), 3)]);
    }

    #[test]
    fn a_flood_of_refusals_takes_no_room() {
        let arrivals = Arrivals::default();
        for n in 0..1_000 {
            let at = Timestamp::from_millis(n);
            arrivals.refused(RepositoryId(1), "the key", None, at);
            arrivals.refused(RepositoryId(1), &format!("broken at byte {n}"), None, at);
            arrivals.without_error(RepositoryId(n), at);
        }
        let seen = arrivals.of(RepositoryId(1));
        assert_eq!(seen.refused.len(), REFUSALS);
        assert_eq!(seen.refused.iter().find(|entry| entry.why == "the key").map(|entry| entry.count), Some(1_000));
        assert_eq!(arrivals.lock().len(), PROJECTS);
    }
}
