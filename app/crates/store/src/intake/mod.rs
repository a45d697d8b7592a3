//! The hot path's one transaction: what arrived within a few milliseconds, appended to the journal
//! and committed together.

mod admission;
mod memory;
mod pending;

use crate::fingerprints::{FingerprintState, KnownFingerprint};
use crate::journal::{self, Counted};
use crate::lines::SeenFacet;
use crate::tracebacks::Kept;
use crate::{Store, StoreError, Tx, lines, tracebacks};
use admission::look_up_or_insert_in;
use domain::fingerprint::Fingerprint;
use domain::ids::{FingerprintId, IngestKeyId, LineId, RepositoryId};
use domain::timestamp::Timestamp;
pub use memory::WriterMemory;
use pending::Pending;
use std::collections::{BTreeMap, HashMap};
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
    /// Its fingerprint.
    pub fingerprint: Fingerprint,
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

/// What came of an arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Admitted {
    /// What is known of its fingerprint now.
    pub known: KnownFingerprint,
    /// The fingerprint was never seen before.
    pub is_new: bool,
}

/// Inserts a batch of arrivals durably; where it fails, nothing of the batch was inserted. Answers,
/// in the same order, what is now known of each fingerprint.
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
        let (error, changed_nothing) = match try_batch(store, batch, memory).await {
            Ok(admitted) => return Ok(admitted),
            Err(failed) => failed,
        };
        // What was remembered as written was not.
        memory.forget_facets();
        if !(changed_nothing && error.may_pass() && begun_at.elapsed() < TRIED_FOR) {
            return Err(error);
        }
        sleep(TRIED_AGAIN_AFTER).await;
    }
}

/// Writes a batch. Where it fails: whether nothing was changed for sure. What may have been written
/// would count twice if it were tried again.
async fn try_batch(
    store: &Store,
    batch: &[Arrival],
    memory: &mut WriterMemory,
) -> Result<Vec<Admitted>, (StoreError, bool)> {
    memory.costs = Arc::clone(&store.costs);
    let repeats = Repeats::of(batch, memory);
    if let Some(repeats) = &repeats
        && repeats.news.is_empty()
    {
        journal::append(store, &repeats.counted, batch[0].at).await?;
        return Ok(batch.iter().filter_map(settled).map(|known| Admitted { known, is_new: false }).collect());
    }
    let written = write_in_full(store, batch, repeats, memory).await;
    let (admitted, tx) = written.map_err(|error| (error, true))?;
    tx.commit().await.map_err(|error| (error, false))?;
    Ok(admitted)
}

/// A batch of which all is known: only counts and names are written.
struct Repeats<'a> {
    counted: Counted,
    news: News<'a>,
}

impl<'a> Repeats<'a> {
    /// `None` where something is to be looked up, or a report brings its traceback.
    fn of(batch: &'a [Arrival], memory: &mut WriterMemory) -> Option<Self> {
        if batch.iter().any(|arrival| arrival.body.is_some() || settled(arrival).is_none()) {
            return None;
        }
        let (mut counted, mut news) = (Counted::default(), News::default());
        for arrival in batch {
            if let Some(FingerprintState::Line(line)) = arrival.known.map(|known| known.state) {
                counted.add(line, arrival.at, arrival.count);
                news.add(line, arrival, memory);
            }
        }
        Some(Self { counted, news })
    }
}

/// Writes a batch in a transaction; it counts once that is committed.
async fn write_in_full(
    store: &Store,
    batch: &[Arrival],
    repeats: Option<Repeats<'_>>,
    memory: &mut WriterMemory,
) -> Result<(Vec<Admitted>, Tx), StoreError> {
    let mut tx = store.begin().await?;
    let mut admitted: Vec<Option<Admitted>> = vec![None; batch.len()];
    let mut folded = Folded::default();
    let mut looked_up = HashMap::new();
    // In one order in every process: two that lock the same fingerprints crosswise would wait for
    // each other for ever.
    let mut order: Vec<(usize, &Arrival)> = batch.iter().enumerate().collect();
    order.sort_by_key(|(_, arrival)| (arrival.repository, arrival.fingerprint));
    for (index, arrival) in order {
        let found = match settled(arrival) {
            Some(known) => Admitted { known, is_new: false },
            None => look_up_once_in(&mut tx, arrival, &mut looked_up, memory).await?,
        };
        admitted[index] = Some(found);
        folded.add(arrival, found.known);
    }
    folded.pending.insert_in(&mut tx).await?;
    let (counted, news) = match repeats {
        Some(repeats) => (repeats.counted, repeats.news),
        None => folded.counted(memory),
    };
    news.insert_in(&mut tx).await?;
    let kept: Vec<Kept<'_>> = folded
        .tracebacks
        .iter()
        .map(|(line, (fingerprint, at, body))| Kept { line: *line, fingerprint: *fingerprint, at: *at, body })
        .collect();
    tracebacks::upsert_all_in(&mut tx, &kept).await?;
    journal::append_in(&mut tx, &counted, batch[0].at).await?;
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
    looked_up: &mut HashMap<(IngestKeyId, Fingerprint), KnownFingerprint>,
    memory: &mut WriterMemory,
) -> Result<Admitted, StoreError> {
    let name = (arrival.key, arrival.fingerprint);
    if let Some(found) = looked_up.get(&name) {
        return Ok(Admitted { known: *found, is_new: false });
    }
    let found = look_up_or_insert_in(tx, arrival, memory).await?;
    looked_up.insert(name, found.known);
    Ok(found)
}

/// What one transaction writes beside what it looks up.
#[derive(Debug, Default)]
struct Folded<'a> {
    /// Arrivals of a line.
    of_lines: Vec<(LineId, &'a Arrival)>,
    /// The latest traceback of each line, in the order of lines.
    tracebacks: BTreeMap<LineId, (FingerprintId, Timestamp, &'a [u8])>,
    pending: Pending,
}

impl<'a> Folded<'a> {
    fn add(&mut self, arrival: &'a Arrival, found: KnownFingerprint) {
        match found.state {
            FingerprintState::Line(line) => {
                self.of_lines.push((line, arrival));
                if let Some(body) = arrival.body.as_deref() {
                    self.tracebacks.insert(line, (found.id, arrival.at, body));
                }
            }
            FingerprintState::Pending | FingerprintState::Stale => self.pending.add(found.id, arrival),
            FingerprintState::Dropped => {}
        }
    }

    /// What is counted of lines, and names of theirs that are not known to be stored.
    fn counted(&self, memory: &mut WriterMemory) -> (Counted, News<'a>) {
        let (mut counted, mut news) = (Counted::default(), News::default());
        for (line, arrival) in &self.of_lines {
            counted.add(*line, arrival.at, arrival.count);
            news.add(*line, arrival, memory);
        }
        (counted, news)
    }
}

/// Names of machines and environments that are to be written: new to this process, or not seen
/// within the hour.
#[derive(Debug, Default)]
struct News<'a>(BTreeMap<(LineId, &'static str, &'a str), Timestamp>);

impl<'a> News<'a> {
    fn add(&mut self, line: LineId, arrival: &'a Arrival, memory: &mut WriterMemory) {
        for (kind, value) in
            [("server", arrival.facets.server.as_str()), ("environment", arrival.facets.environment.as_str())]
        {
            if !value.is_empty() && memory.is_news(line, kind, value, arrival.at) {
                self.0.insert((line, kind, value), arrival.at);
            }
        }
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    async fn insert_in(&self, tx: &mut Tx) -> Result<(), StoreError> {
        let seen = self.0.iter().map(|((line, kind, value), at)| SeenFacet {
            line: *line,
            kind,
            value: lines::facet(value),
            first: *at,
            last: *at,
        });
        lines::add_facets_in(tx, seen).await
    }
}
