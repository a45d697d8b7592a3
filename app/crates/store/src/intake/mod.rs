//! The hot path's one transaction: what arrived within a few milliseconds, folded and committed
//! together.

mod admission;
mod memory;
mod pending;

use crate::columns::signed;
use crate::fingerprints::{FingerprintState, KnownFingerprint};
use crate::{Store, StoreError, Tx, jobs, lines, tracebacks};
use admission::look_up_or_insert_in;
use domain::ids::{FingerprintId, IngestKeyId, LineId, RepositoryId};
use domain::timestamp::Timestamp;
pub use memory::WriterMemory;
use pending::Pending;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// For how long a batch is begun anew. With the two seconds that its last attempt may wait for a
/// row, clients have their answer within five.
const TRIED_FOR: Duration = Duration::from_millis(2500);
/// The pause before that.
const TRIED_AGAIN_AFTER: Duration = Duration::from_millis(100);

/// One report that arrived, already parsed.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// Whose it is.
    pub repository: RepositoryId,
    /// The key by which it came.
    pub key: IngestKeyId,
    /// Its fingerprint, hexadecimal.
    pub fingerprint: String,
    /// The generations in force when it came in.
    pub code_generation: i64,
    /// See [`Self::code_generation`].
    pub rules_generation: i64,
    /// How many occurrences it stands for.
    pub count: u64,
    /// When it came in.
    pub at: Timestamp,
    /// Names of the machine and environment.
    pub facets: Facets,
    /// What is known of the fingerprint, from an earlier answer of this store.
    pub known: Option<KnownFingerprint>,
    /// The packed report. Always there when nothing is known of the fingerprint; for a known one,
    /// the latest traceback.
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

/// What one transaction counts of a line.
#[derive(Debug, Default)]
struct LineCounts<'a> {
    hours: BTreeMap<Timestamp, u64>,
    count: u64,
    last_at: Timestamp,
    facets: HashSet<(&'static str, String)>,
    traceback: Option<(FingerprintId, Timestamp, &'a [u8])>,
}

/// What came of an arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Admitted {
    /// What is known of its fingerprint now.
    pub known: KnownFingerprint,
    /// The fingerprint was never seen before.
    pub is_new: bool,
}

/// Inserts a batch of arrivals in one durable transaction; where it fails, nothing of the batch was
/// inserted. Answers, in the same order, what is now known of each fingerprint.
///
/// Where another process holds what it needs, or the database is away for a moment, it is tried
/// again for as long as clients can wait: what they are refused, most of them lose.
pub async fn insert_batch(
    store: &Store,
    batch: &[Arrival],
    memory: &mut WriterMemory,
) -> Result<Vec<Admitted>, StoreError> {
    let begun_at = Instant::now();
    loop {
        let failed = match try_batch(store, batch, memory).await {
            Ok((admitted, tx)) => match tx.commit().await {
                Ok(()) => return Ok(admitted),
                // It may have been committed: tried again, it would count twice.
                Err(error) => (error, false),
            },
            Err(error) => (error, true),
        };
        // What was remembered as written was not.
        memory.forget_facets();
        let (error, changed_nothing) = failed;
        if !(changed_nothing && error.may_pass() && begun_at.elapsed() < TRIED_FOR) {
            return Err(error);
        }
        sleep(TRIED_AGAIN_AFTER).await;
    }
}

/// Writes a batch; it counts once the transaction is committed.
async fn try_batch(
    store: &Store,
    batch: &[Arrival],
    memory: &mut WriterMemory,
) -> Result<(Vec<Admitted>, Tx), StoreError> {
    memory.costs = Arc::clone(&store.costs);
    let mut tx = store.begin().await?;
    let mut admitted: Vec<Option<Admitted>> = vec![None; batch.len()];
    let mut folded = Folded::default();
    let mut looked_up = HashMap::new();
    // In one order in every process: two that lock the same fingerprints crosswise would wait for
    // each other for ever.
    let mut order: Vec<(usize, &Arrival)> = batch.iter().enumerate().collect();
    order.sort_by(|(_, a), (_, b)| (a.repository, &a.fingerprint).cmp(&(b.repository, &b.fingerprint)));
    for (index, arrival) in order {
        let found = match settled(arrival) {
            Some(known) => Admitted { known, is_new: false },
            None => look_up_once_in(&mut tx, arrival, &mut looked_up, memory).await?,
        };
        admitted[index] = Some(found);
        folded.add(arrival, found.known);
    }
    folded.pending.insert_in(&mut tx).await?;
    add_counts_in(&mut tx, &folded.lines, memory).await?;
    Ok((admitted.into_iter().map(|it| it.expect("every arrival was looked at")).collect(), tx))
}

/// What an arrival's fingerprint came to, if it is known to have come to something. One that was
/// pending when it was last looked up may have got its line since.
fn settled(arrival: &Arrival) -> Option<KnownFingerprint> {
    arrival.known.filter(|known| matches!(known.state, FingerprintState::Line(_) | FingerprintState::Dropped))
}

/// Looks a fingerprint up, once in a batch for each key by which it came.
async fn look_up_once_in(
    tx: &mut Tx,
    arrival: &Arrival,
    looked_up: &mut HashMap<(IngestKeyId, String), KnownFingerprint>,
    memory: &mut WriterMemory,
) -> Result<Admitted, StoreError> {
    let name = (arrival.key, arrival.fingerprint.clone());
    if let Some(found) = looked_up.get(&name) {
        return Ok(Admitted { known: *found, is_new: false });
    }
    let found = look_up_or_insert_in(tx, arrival, memory).await?;
    looked_up.insert(name, found.known);
    Ok(found)
}

/// What one transaction counts.
#[derive(Debug, Default)]
struct Folded<'a> {
    lines: BTreeMap<LineId, LineCounts<'a>>,
    pending: Pending,
}

impl<'a> Folded<'a> {
    fn add(&mut self, arrival: &'a Arrival, found: KnownFingerprint) {
        match found.state {
            FingerprintState::Line(line) => fold(self.lines.entry(line).or_default(), arrival, found.id),
            FingerprintState::Pending | FingerprintState::Stale => self.pending.add(found.id, arrival),
            FingerprintState::Dropped => {}
        }
    }
}

/// Adds an arrival to what is counted of its line.
fn fold<'a>(fold: &mut LineCounts<'a>, arrival: &'a Arrival, fingerprint: FingerprintId) {
    let hour = fold.hours.entry(arrival.at.hour()).or_default();
    *hour = hour.saturating_add(arrival.count);
    fold.count = fold.count.saturating_add(arrival.count);
    fold.last_at = fold.last_at.max(arrival.at);
    for (kind, value) in [("server", &arrival.facets.server), ("environment", &arrival.facets.environment)] {
        if !value.is_empty() && !fold.facets.contains(&(kind, value.clone())) {
            fold.facets.insert((kind, value.clone()));
        }
    }
    if let Some(body) = arrival.body.as_deref() {
        fold.traceback = Some((fingerprint, arrival.at, body));
    }
}

/// Adds what was folded to the lines, and asks for a decision where a count reached the one that
/// was waited for.
async fn add_counts_in(
    tx: &mut Tx,
    counted: &BTreeMap<LineId, LineCounts<'_>>,
    memory: &mut WriterMemory,
) -> Result<(), StoreError> {
    let totals: Vec<[i64; 3]> =
        counted.iter().map(|(line, counts)| [line.0, signed(counts.count), counts.last_at.as_millis()]).collect();
    for (due, repository, at) in lines::add_totals_in(tx, &totals).await? {
        jobs::enqueue_decision_in(tx, &memory.costs, (due, repository), at).await?;
    }
    let hours: Vec<[i64; 3]> = counted
        .iter()
        .flat_map(|(line, counts)| counts.hours.iter().map(|(hour, count)| [line.0, hour.as_millis(), signed(*count)]))
        .collect();
    lines::add_hours_in(tx, &hours).await?;
    for (line, counts) in counted {
        for (kind, value) in &counts.facets {
            if memory.is_news(*line, kind, value, counts.last_at) {
                lines::add_facet_in(tx, *line, kind, value, counts.last_at).await?;
            }
        }
        if let Some((fingerprint, at, body)) = &counts.traceback {
            tracebacks::upsert_in(tx, *line, *fingerprint, *at, body).await?;
        }
    }
    Ok(())
}
