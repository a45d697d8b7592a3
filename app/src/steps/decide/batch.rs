//! Deciding about several lines at once: what they share is read once, and what is decided is
//! written in one transaction.

use super::{About, Decide, Reached};
use crate::services::repositories::UNNAMED_AGAIN_AFTER;
use crate::services::{Ended, Failure, first_failed};
use domain::attribution::Attribution;
use domain::ids::{FingerprintId, LineId, RepositoryId};
use domain::job::{Manner, PLAIN_FOR};
use domain::rule::Rules;
use domain::timestamp::Timestamp;
use std::collections::{HashMap, HashSet};
use std::time::Duration;
use store::StoreError;
use store::decisions::Decision;
use store::lines::Line;
use store::repositories::RepositoryRow;
use tokio::time::Instant;

/// How long lines are decided about before that is written; the others are put back. Who is asked
/// for on GitHub, or looked for in a long history, keeps those of other repositories waiting.
const AT_MOST: Duration = Duration::from_millis(100);

/// What lines of one batch share, and what was read of each.
struct Shared {
    lines: HashMap<LineId, Line>,
    revoked: HashSet<LineId>,
    latest: HashMap<LineId, FingerprintId>,
    attributions: HashMap<FingerprintId, Attribution>,
    repositories: HashMap<RepositoryId, (RepositoryRow, Rules)>,
}

impl Shared {
    async fn read(decide: &Decide, ids: &[LineId], now: Timestamp) -> Result<Self, StoreError> {
        let store = &decide.store;
        let lines = store::lines::by_ids(store, ids).await?;
        let latest = store::tracebacks::latest_fingerprints(store, ids).await?;
        let fingerprints: Vec<FingerprintId> = latest.values().copied().collect();
        let mut shared = Self {
            revoked: store::ingest_keys::of_revoked_keys(store, ids).await?,
            attributions: store::attributions::of_fingerprints(store, &fingerprints).await?,
            latest,
            repositories: HashMap::new(),
            lines,
        };
        let of: HashSet<RepositoryId> = shared.lines.values().map(|line| line.repository).collect();
        for id in of {
            if let Some(row) = store::repositories::by_id(store, id).await? {
                let rules = store::rules::of_repository(store, id, row.settings.clone(), now).await?;
                shared.repositories.insert(id, (row, rules));
            }
        }
        Ok(shared)
    }
}

/// Decisions that are not written yet, each with its place among those that were asked for.
#[derive(Default)]
struct Unwritten {
    decisions: Vec<(usize, Decision)>,
    /// New lines among them.
    alerted: HashMap<RepositoryId, u64>,
}

impl Decide {
    /// Decides about lines, as many of them as it takes a moment for. What came of each.
    pub async fn decide_all(&self, ids: &[LineId], now: Timestamp) -> Vec<Ended> {
        self.decide_as(ids, Manner::Whole, now).await
    }

    pub(super) async fn decide_as(&self, ids: &[LineId], manner: Manner, now: Timestamp) -> Vec<Ended> {
        let mut ended: Vec<Ended> = ids.iter().map(|_| Ended::NotBegun).collect();
        let shared = match Shared::read(self, ids, now).await {
            Ok(shared) => shared,
            Err(error) => return first_failed(ended, error.into()),
        };
        let (begun_at, mut unwritten) = (Instant::now(), Unwritten::default());
        for (index, id) in ids.iter().enumerate() {
            let mut reached = self.decide_one(&shared, *id, manner, &unwritten, now).await;
            if let Ok(Some(Reached::AfterOthers)) = reached {
                self.write(std::mem::take(&mut unwritten), &mut ended, now).await;
                reached = self.decide_one(&shared, *id, manner, &unwritten, now).await;
            }
            match reached {
                Ok(Some(Reached::Decided(decision))) => {
                    if decision.decided.alerted {
                        *unwritten.alerted.entry(decision.repository).or_default() += 1;
                    }
                    unwritten.decisions.push((index, *decision));
                }
                // Nothing is before it any more.
                Ok(Some(Reached::AfterOthers)) => ended[index] = Ended::Over(Err(Failure::Again { at: now })),
                Ok(None) => ended[index] = Ended::Over(Ok(())),
                Err(failure) => ended[index] = Ended::Over(Err(failure)),
            }
            if begun_at.elapsed() >= AT_MOST {
                break;
            }
        }
        self.write(unwritten, &mut ended, now).await;
        ended
    }

    /// What is decided of one line; `None`: nothing is to be.
    async fn decide_one(
        &self,
        shared: &Shared,
        id: LineId,
        manner: Manner,
        unwritten: &Unwritten,
        now: Timestamp,
    ) -> Result<Option<Reached>, Failure> {
        let Some(line) = shared.lines.get(&id) else { return Ok(None) };
        let Some((row, rules)) = shared.repositories.get(&line.repository) else { return Ok(None) };
        if row.removed_at.is_some() {
            return Ok(None);
        }
        if row.unnamed_since.is_some() {
            return Err(Failure::Again { at: now + UNNAMED_AGAIN_AFTER });
        }
        if shared.revoked.contains(&id) {
            tracing::debug!(line = id.0, "it came by keys that are revoked: counted, not told");
            store::lines::decide_at_next(&self.store, id).await?;
            return Ok(None);
        }
        let about = About {
            row,
            line,
            rules,
            attribution: shared.latest.get(&id).and_then(|fingerprint| shared.attributions.get(fingerprint)),
            plain_until: if manner == Manner::Lesser { Some(now + PLAIN_FOR) } else { line.plain_until(now) },
            unwritten: unwritten.alerted.get(&line.repository).copied().unwrap_or(0),
        };
        self.decide_line(&about, now).await.map(Some)
    }

    /// Writes decisions; where that fails, each by itself, for one of them may be what can't be
    /// written.
    async fn write(&self, unwritten: Unwritten, ended: &mut [Ended], now: Timestamp) {
        let (indices, decisions): (Vec<usize>, Vec<Decision>) = unwritten.decisions.into_iter().unzip();
        if decisions.is_empty() {
            return;
        }
        let results: Vec<Result<bool, Failure>> = match store::decisions::record(&self.store, &decisions, now)
            .await
            .map_err(Failure::from)
        {
            Ok(written) => written.into_iter().map(Ok).collect(),
            Err(Failure::NotOurs) => decisions.iter().map(|_| Err(Failure::NotOurs)).collect(),
            Err(failure) if decisions.len() == 1 => vec![Err(failure)],
            Err(failure) => {
                tracing::warn!(%failure, lines = decisions.len(), "what was decided of lines could not be written at once");
                let mut results = Vec::new();
                for one in &decisions {
                    let written = store::decisions::record(&self.store, std::slice::from_ref(one), now).await;
                    results.push(written.map(|written| written == [true]).map_err(Failure::from));
                }
                results
            }
        };
        for (index, result) in indices.into_iter().zip(results) {
            ended[index] = Ended::Over(match result {
                Ok(true) => Ok(()),
                Ok(false) => Err(Failure::retry(
                    "the line that it was edited from changed at the same moment, or the storm that it was to join ended",
                )),
                Err(failure) => Err(failure),
            });
        }
        self.wake.notify_one();
    }
}
