//! The hot path's one transaction: what arrived within a few milliseconds, folded and committed together.

mod admission;

use crate::columns::signed;
use crate::fingerprints::{FingerprintState, KnownFingerprint};
use crate::lines;
use crate::tracebacks;
use crate::{Store, StoreError, Tx, jobs};
use admission::{add_pending_in, look_up_or_insert};
use domain::ids::{FingerprintId, LineId, RepositoryId};
use domain::job::Job;
use domain::week::HOUR_MS;
use std::collections::{BTreeMap, HashMap, HashSet};

/// Facets known to be stored, so that a repeat writes none. Forgotten all at once when there are more.
const REMEMBERED_FACETS: usize = 100_000;

/// One report at the door, already parsed.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// Whose it is.
    pub repository: RepositoryId,
    /// Its fingerprint, hexadecimal.
    pub fingerprint: String,
    /// The generations in force when it came in.
    pub code_generation: i64,
    /// See [`Self::code_generation`].
    pub rules_generation: i64,
    /// How many occurrences it stands for.
    pub count: u64,
    /// When it came in, Unix milliseconds.
    pub at_ms: i64,
    /// Names of the machine, environment and release.
    pub facets: Facets,
    /// What is known of the fingerprint, from an earlier answer of this store.
    pub known: Option<KnownFingerprint>,
    /// The packed report. Always there when nothing is known of the fingerprint; for a known one, the latest traceback.
    pub body: Option<Vec<u8>>,
}

/// Where an occurrence happened.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Facets {
    /// Host name; empty where unknown.
    pub server: String,
    /// Environment; empty where unknown.
    pub environment: String,
}

/// What the writer remembers from one transaction to the next.
#[derive(Debug, Default)]
pub struct WrittenFacets {
    facets: HashSet<(i64, u64)>,
}

impl WrittenFacets {
    /// Whether this facet is to be written now: new to this process, or not refreshed within the hour.
    fn is_news(&mut self, line: LineId, kind: &'static str, value: &str, at_ms: i64) -> bool {
        use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
        if self.facets.len() >= REMEMBERED_FACETS {
            self.facets.clear();
        }
        let hash = BuildHasherDefault::<DefaultHasher>::new().hash_one((kind, value, at_ms / HOUR_MS));
        self.facets.insert((line.0, hash))
    }
}

/// What one transaction counts of a line.
#[derive(Debug, Default)]
struct LineCounts {
    hours: BTreeMap<i64, u64>,
    count: u64,
    last_ms: i64,
    facets: HashSet<(&'static str, String)>,
    traceback: Option<(FingerprintId, i64, Vec<u8>)>,
}

/// Takes a batch of arrivals in one durable transaction. Answers, in the same order, what is now known of each fingerprint.
///
/// # Errors
/// The database is out of reach; nothing of the batch was taken.
pub async fn insert_batch(
    store: &Store,
    batch: &mut [Arrival],
    memory: &mut WrittenFacets,
) -> Result<Vec<KnownFingerprint>, StoreError> {
    let mut tx = store.begin().await?;
    let mut known: Vec<Option<KnownFingerprint>> = vec![None; batch.len()];
    let mut folds: BTreeMap<LineId, LineCounts> = BTreeMap::new();
    let mut pending: BTreeMap<(FingerprintId, i64, Facets), (u64, i64)> = BTreeMap::new();
    let mut looked_up: HashMap<(RepositoryId, String), KnownFingerprint> = HashMap::new();
    // In one order in every process: two that lock the same fingerprints crosswise would wait for each other for ever.
    let mut order: Vec<(usize, &mut Arrival)> = batch.iter_mut().enumerate().collect();
    order.sort_by(|(_, a), (_, b)| (a.repository, &a.fingerprint).cmp(&(b.repository, &b.fingerprint)));
    for (index, arrival) in order {
        let found = match arrival.known {
            Some(found @ KnownFingerprint { state: FingerprintState::Line(_) | FingerprintState::Dropped, .. }) => {
                found
            }
            // A fingerprint that was pending when it was last heard of may have got its line since.
            _ => {
                let key = (arrival.repository, arrival.fingerprint.clone());
                match looked_up.get(&key) {
                    Some(found) => *found,
                    None => {
                        let found = look_up_or_insert(&mut tx, arrival).await?;
                        looked_up.insert(key, found);
                        found
                    }
                }
            }
        };
        known[index] = Some(found);
        match found.state {
            FingerprintState::Line(line) => fold(folds.entry(line).or_default(), arrival, found.id),
            FingerprintState::Pending | FingerprintState::Stale => {
                let key = (found.id, arrival.at_ms / HOUR_MS * HOUR_MS, arrival.facets.clone());
                let (count, last) = pending.entry(key).or_default();
                *count = count.saturating_add(arrival.count);
                *last = arrival.at_ms.max(*last);
            }
            FingerprintState::Dropped => {}
        }
    }
    for ((fingerprint, hour, facets), (count, last)) in pending {
        add_pending_in(&mut tx, fingerprint, hour, &facets, count, last).await?;
    }
    add_counts(&mut tx, &folds, memory).await?;
    tx.commit().await?;
    Ok(known.into_iter().map(|known| known.expect("every arrival was looked at")).collect())
}

fn fold(fold: &mut LineCounts, arrival: &mut Arrival, fingerprint: FingerprintId) {
    let hour = fold.hours.entry(arrival.at_ms / HOUR_MS * HOUR_MS).or_default();
    *hour = hour.saturating_add(arrival.count);
    fold.count = fold.count.saturating_add(arrival.count);
    fold.last_ms = fold.last_ms.max(arrival.at_ms);
    for (kind, value) in [("server", &arrival.facets.server), ("environment", &arrival.facets.environment)] {
        if !value.is_empty() && !fold.facets.contains(&(kind, value.clone())) {
            fold.facets.insert((kind, value.clone()));
        }
    }
    if let Some(body) = arrival.body.take() {
        fold.traceback = Some((fingerprint, arrival.at_ms, body));
    }
}

/// Adds what was folded to the lines, and asks for a decision where a count reached the one that was waited for.
async fn add_counts(
    tx: &mut Tx,
    folds: &BTreeMap<LineId, LineCounts>,
    memory: &mut WrittenFacets,
) -> Result<(), StoreError> {
    let totals: Vec<[i64; 3]> = folds.iter().map(|(line, fold)| [line.0, signed(fold.count), fold.last_ms]).collect();
    for (due, at_ms) in lines::add_totals_in(tx, &totals).await? {
        jobs::enqueue_in(tx, Job::Decide(due), at_ms, at_ms).await?;
    }
    let hours: Vec<[i64; 3]> = folds
        .iter()
        .flat_map(|(line, fold)| fold.hours.iter().map(|(hour, count)| [line.0, *hour, signed(*count)]))
        .collect();
    lines::add_hours_in(tx, &hours).await?;
    for (line, fold) in folds {
        for (kind, value) in &fold.facets {
            if memory.is_news(*line, kind, value, fold.last_ms) {
                lines::add_facet_in(tx, *line, kind, value, fold.last_ms).await?;
            }
        }
        if let Some((fingerprint, at_ms, body)) = &fold.traceback {
            tracebacks::upsert_in(tx, *line, *fingerprint, *at_ms, body).await?;
        }
    }
    Ok(())
}
