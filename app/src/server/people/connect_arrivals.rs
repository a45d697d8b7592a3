//! What arrived of an application that is being connected, and what was refused.

use super::line::{place, whose};
use crate::server::ingest::{FINGERPRINTS, Seen, Taken};
use crate::server::urls::Urls;
use domain::commit::CommitId;
use domain::timestamp::Timestamp;
use render::views::{Arrival, RefusalView};
use render::{thousands, when};
use store::fingerprints::FingerprintState;
use store::repositories::RepositoryRow;
use store::tracebacks::LatestReport;
use store::{Store, StoreError};

/// What came since the start of the server, filled up with what the database keeps from before.
///
/// # Errors
/// The database is out of reach.
pub(super) async fn arrivals(
    row: &RepositoryRow,
    seen: &Seen,
    since: Option<Timestamp>,
    store: &Store,
    urls: &Urls,
) -> Result<Vec<Arrival>, StoreError> {
    let mut found: Vec<Arrived> = seen.taken.iter().map(|taken| Arrived::lately(taken, since)).collect();
    for kept in store::tracebacks::latest_of_repository(store, row.repository.id, FINGERPRINTS).await? {
        if !found.iter().any(|arrived| arrived.fingerprint == kept.fingerprint) {
            found.push(Arrived::before(kept, since));
        }
    }
    found.sort_by_key(|arrived| std::cmp::Reverse(arrived.at));
    found.truncate(FINGERPRINTS);
    let mut arrivals = Vec::with_capacity(found.len());
    for arrived in found {
        arrivals.push(arrived.with_outcome(row, store, urls).await?);
    }
    Ok(arrivals)
}

/// Something that arrived, without what became of it.
struct Arrived {
    fingerprint: String,
    at: Timestamp,
    arrival: Arrival,
}

impl Arrived {
    /// Since the start of the server.
    fn lately(taken: &Taken, since: Option<Timestamp>) -> Self {
        let arrival = Arrival {
            when: when(taken.at),
            fresh: since.is_some_and(|since| taken.at >= since),
            exception: taken.exception.clone(),
            client: taken.client.clone(),
            release: taken.release.as_deref().map(release),
            count: Some(thousands(taken.count)),
            outcome: String::new(),
            author: None,
            url: None,
        };
        Self { fingerprint: taken.fingerprint.to_hex(), at: taken.at, arrival }
    }

    /// Before that.
    fn before(kept: LatestReport, since: Option<Timestamp>) -> Self {
        let (report, at) = (kept.report, kept.received_at);
        let arrival = Arrival {
            when: when(at),
            fresh: since.is_some_and(|since| at >= since),
            exception: report.raised().map_or_else(|| "message".to_owned(), |raised| raised.full_name()),
            client: report.sdk,
            release: report.revision.or(report.release).as_deref().map(release),
            count: None,
            outcome: String::new(),
            author: None,
            url: None,
        };
        Self { fingerprint: kept.fingerprint, at, arrival }
    }

    async fn with_outcome(self, row: &RepositoryRow, store: &Store, urls: &Urls) -> Result<Arrival, StoreError> {
        let mut arrival = self.arrival;
        let outcome = match store::fingerprints::state_of(store, row.repository.id, &self.fingerprint).await? {
            Some(FingerprintState::Line(line)) => {
                if let Some(line) = store::lines::by_id(store, line).await? {
                    arrival.outcome = place(&line);
                    arrival.author = line.commit.is_some().then(|| whose(&line));
                    arrival.url = Some(urls.traceback(row, &line));
                }
                return Ok(arrival);
            }
            Some(FingerprintState::Dropped) => {
                "Not counted: ignored_exceptions or third_party_whitelist of the settings leaves it out."
            }
            Some(FingerprintState::Pending) => "Accepted. Its line is being looked for.",
            Some(FingerprintState::Stale) | None => "Accepted. Its line is looked for at the next report like it.",
        };
        Ok(Arrival { outcome: outcome.to_owned(), ..arrival })
    }
}

/// A release for people: of a whole commit its first digits.
fn release(name: &str) -> String {
    CommitId::of_text(name).map_or_else(|| name.to_owned(), |commit| commit.short().to_owned())
}

/// What was refused since the start of the server.
pub(super) fn refusals(seen: &Seen, since: Option<Timestamp>) -> Vec<RefusalView> {
    seen.refused
        .iter()
        .map(|refused| RefusalView {
            when: when(refused.at),
            fresh: since.is_some_and(|since| refused.at >= since),
            count: thousands(refused.count),
            why: refused.why.clone(),
            client: refused.client.clone(),
        })
        .collect()
}
