//! Attributing several reports at once: what they share is read once, and what came of them is
//! written in one transaction. A deployment that fails at a thousand lines is told of within
//! seconds.

use super::{Attribute, as_analyzed, places_of};
use crate::services::fetches::{after_others, turn_after};
use crate::services::{Ended, Failure, first_failed};
use domain::deployed_root::Root;
use domain::ids::{ReportId, RepositoryId};
use domain::rule::Rules;
use domain::timestamp::Timestamp;
use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;
use store::attributions::AttributionOutcome;
use store::reports::StoredReport;
use store::repositories::RepositoryRow;
use tokio::time::Instant;

/// How long reports are looked up before what came of them is written. The others are put back, so
/// that those of other repositories can go first, and nobody's alert waits for all.
const AT_MOST: Duration = Duration::from_millis(100);

/// What reports of one batch share.
#[derive(Default)]
struct Shared {
    repositories: HashMap<RepositoryId, Arc<(RepositoryRow, Arc<Rules>)>>,
    /// What the mirrors are known to have.
    ready: HashSet<(RepositoryId, Vec<String>)>,
    roots: BTreeMap<(RepositoryId, Vec<String>), Vec<Root>>,
    /// What was noted of deployments.
    noted: BTreeSet<(RepositoryId, Vec<String>, Vec<Root>)>,
}

/// A report that was looked up, with what is to be written.
struct LookedUp {
    index: usize,
    stored: StoredReport,
    outcome: AttributionOutcome,
}

/// How far one report of a batch came.
enum Reached {
    /// It was looked up.
    Analyzed(Box<(StoredReport, super::ReportAnalysis)>),
    /// It takes more: it is a test, its mirror is to be brought up to date, or not to be read.
    More,
}

impl Attribute {
    /// Attributes reports, as many of them as are ready and can be looked up in a moment; of the
    /// first that takes more, it is said ([`Ended::TakesLonger`]). What came of each.
    pub async fn attribute_all(&self, ids: &[ReportId], now: Timestamp) -> Vec<Ended> {
        let mut ended: Vec<Ended> = ids.iter().map(|_| Ended::NotBegun).collect();
        let found = match store::reports::by_ids(&self.store, ids).await {
            Ok(found) => found,
            Err(error) => return first_failed(ended, error.into()),
        };
        let index_of = |id: ReportId| ids.iter().position(|one| *one == id);
        let there: HashSet<ReportId> = found.read.iter().map(|(id, _)| *id).chain(found.left).collect();
        for (id, end) in ids.iter().zip(&mut ended) {
            // It was attributed already.
            if !there.contains(id) {
                *end = Ended::Over(Ok(()));
            }
        }
        let (begun_at, mut shared, mut analyzed) = (Instant::now(), Shared::default(), Vec::new());
        for (id, stored) in found.read {
            let Some(index) = index_of(id) else { continue };
            let reached = match stored {
                Ok(stored) => self.look_up(&mut shared, stored, now).await,
                Err(error) => Err(error.into()),
            };
            match reached {
                Ok(Reached::Analyzed(one)) => analyzed.push((index, *one)),
                Ok(Reached::More) => {
                    if analyzed.is_empty() {
                        ended[index] = Ended::TakesLonger;
                    }
                    break;
                }
                Err(failure) => ended[index] = Ended::Over(Err(failure)),
            }
            if begun_at.elapsed() >= AT_MOST {
                break;
            }
        }
        self.write(&shared, analyzed, &mut ended, now).await;
        ended
    }

    /// Looks one report up, where that is done in a moment.
    async fn look_up(&self, shared: &mut Shared, stored: StoredReport, now: Timestamp) -> Result<Reached, Failure> {
        let id = stored.repository;
        let known = match shared.repositories.entry(id) {
            Entry::Occupied(known) => Arc::clone(known.get()),
            Entry::Vacant(unknown) => {
                let row = store::repositories::by_id(&self.store, id).await?;
                let Some(row) = row.filter(|row| row.removed_at.is_none()) else { return Ok(Reached::More) };
                let rules = self.rules(&row, now).await?;
                Arc::clone(unknown.insert(Arc::new((row, rules))))
            }
        };
        let (row, rules) = &*known;
        let is_left_alone = stored.plain_until.is_some_and(|until| now < until);
        if is_left_alone || self.is_test(&stored).await? {
            return Ok(Reached::More);
        }
        let ready = self.is_mirror_ready(row, &stored, &mut shared.ready, now).await;
        if !ready.map_err(|failure| after_others(failure, now + turn_after(now - stored.received_at)))? {
            return Ok(Reached::More);
        }
        let places = places_of(&stored);
        let at = (id, places);
        if !shared.roots.contains_key(&at) {
            shared.roots.insert(at.clone(), self.roots(&stored).await?);
        }
        let roots = shared.roots[&at].clone();
        let analyzed = self.analyze_as_of_now(row, &stored, rules, (None, roots), now).await?;
        let (id, places) = at;
        let noted = (id, places, analyzed.shown.clone());
        if !analyzed.shown.is_empty() && !shared.noted.contains(&noted) {
            store::deployment_roots::note(&self.store, id, &noted.1, &analyzed.shown, now).await?;
            // The next one goes by what this one has shown.
            shared.roots.retain(|(of, _), _| *of != id);
            shared.noted.insert(noted);
        }
        Ok(Reached::Analyzed(Box::new((as_analyzed(stored, &analyzed), analyzed))))
    }

    /// Writes down what came of those that were looked up.
    async fn write(
        &self,
        shared: &Shared,
        analyzed: Vec<(usize, (StoredReport, super::ReportAnalysis))>,
        ended: &mut [Ended],
        now: Timestamp,
    ) {
        let name =
            |stored: &StoredReport, it: &super::ReportAnalysis| (stored.repository, it.attribution.identity.key());
        let names: Vec<(RepositoryId, String)> = analyzed.iter().map(|(_, (stored, it))| name(stored, it)).collect();
        let resolutions = store::lines::resolutions_by_identity(&self.store, &names).await;
        let mut looked_up = Vec::new();
        for ((index, (stored, analyzed)), name) in analyzed.into_iter().zip(names) {
            let outcome = match (&resolutions, shared.repositories.get(&stored.repository)) {
                (Ok(resolutions), Some(known)) => {
                    self.outcome(&known.0, &stored, analyzed, resolutions.get(&name)).await
                }
                (Err(error), _) => Err(Failure::retry(error.to_string())),
                (_, None) => Err(Failure::retry("its repository was not read")),
            };
            match outcome {
                Ok(outcome) => looked_up.push(LookedUp { index, stored, outcome }),
                Err(failure) => ended[index] = Ended::Over(Err(failure)),
            }
        }
        let all: Vec<&LookedUp> = looked_up.iter().collect();
        match self.record(&all, now).await {
            Ok(()) => all.iter().for_each(|one| ended[one.index] = Ended::Over(Ok(()))),
            Err(Failure::NotOurs) => all.iter().for_each(|one| ended[one.index] = Ended::Over(Err(Failure::NotOurs))),
            // One of them may be what can't be written.
            Err(failure) if all.len() > 1 => {
                tracing::warn!(%failure, reports = all.len(), "what came of reports could not be written at once");
                for one in all {
                    ended[one.index] = Ended::Over(self.record(&[one], now).await);
                }
            }
            Err(failure) => {
                if let Some(only) = all.first() {
                    ended[only.index] = Ended::Over(Err(failure));
                }
            }
        }
    }

    async fn record(&self, looked_up: &[&LookedUp], now: Timestamp) -> Result<(), Failure> {
        if looked_up.is_empty() {
            return Ok(());
        }
        let all: Vec<(&StoredReport, &AttributionOutcome)> =
            looked_up.iter().map(|one| (&one.stored, &one.outcome)).collect();
        store::attributions::record(&self.store, &all, now).await?;
        Ok(())
    }
}
