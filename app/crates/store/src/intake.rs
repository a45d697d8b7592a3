//! The hot path's one transaction: what arrived within a few milliseconds, folded and committed together.

use super::facets::{add_facet, facet};
use super::{Store, StoreError, Tx, get, signed};
use domain::ids::{FingerprintId, LineId, ReportId, RepositoryId};
use domain::job::Job;
use domain::week::{HOUR_MS, week_of};
use sqlx::AssertSqlSafe;
use std::collections::{BTreeMap, HashMap, HashSet};

/// Facets known to be stored, so that a repeat writes none. Forgotten all at once when there are more.
const REMEMBERED_FACETS: usize = 100_000;
/// Rows of one statement: a few sizes, so that few statements are prepared.
const CHUNKS: [usize; 4] = [64, 16, 4, 1];

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
    pub known: Option<Known>,
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

/// What is known of a fingerprint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// Its row.
    pub id: FingerprintId,
    /// Its line, or what else it came to.
    pub state: State,
    /// Whether pushes do not concern it.
    pub pinned: bool,
    /// See [`Arrival::code_generation`].
    pub code_generation: i64,
    /// See [`Arrival::code_generation`].
    pub rules_generation: i64,
    /// Attribute again from then on, Unix milliseconds.
    pub recheck_at_ms: Option<i64>,
}

/// What a fingerprint came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It waits to be attributed.
    Pending,
    /// Reports with this fingerprint are about this line.
    Line(LineId),
    /// Reports with this fingerprint are not counted.
    Dropped,
    /// It has to be attributed anew.
    Stale,
}

impl State {
    /// From what is stored.
    pub(super) fn from_stored(state: &str, line: Option<LineId>) -> Self {
        match (state, line) {
            ("line", Some(line)) => Self::Line(line),
            ("dropped", _) => Self::Dropped,
            ("pending", _) => Self::Pending,
            _ => Self::Stale,
        }
    }
}

impl Known {
    /// Whether what is known still holds for a report that comes in now.
    pub fn holds(&self, code_generation: i64, rules_generation: i64, now_ms: i64) -> bool {
        match self.state {
            State::Stale => false,
            // Attribution will look at the code and the rules as they are when it runs.
            State::Pending => true,
            State::Line(_) | State::Dropped => {
                self.rules_generation == rules_generation
                    && (self.pinned || self.code_generation == code_generation)
                    && self.recheck_at_ms.is_none_or(|at| now_ms < at)
            }
        }
    }
}

/// What the writer remembers from one transaction to the next.
#[derive(Debug, Default)]
pub struct Memory {
    facets: HashSet<(i64, u64)>,
}

impl Memory {
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
struct Fold {
    hours: BTreeMap<i64, u64>,
    count: u64,
    last_ms: i64,
    facets: HashSet<(&'static str, String)>,
    traceback: Option<(FingerprintId, i64, Vec<u8>)>,
}

impl Store {
    /// Takes a batch of arrivals in one durable transaction. Answers, in the same order, what is now known of each fingerprint.
    ///
    /// # Errors
    /// The database is out of reach; nothing of the batch was taken.
    pub async fn take(&self, batch: &mut [Arrival], memory: &mut Memory) -> Result<Vec<Known>, StoreError> {
        let mut tx = self.begin().await?;
        let mut known: Vec<Option<Known>> = vec![None; batch.len()];
        let mut folds: BTreeMap<LineId, Fold> = BTreeMap::new();
        let mut pending: BTreeMap<(FingerprintId, i64, Facets), (u64, i64)> = BTreeMap::new();
        let mut looked_up: HashMap<(RepositoryId, String), Known> = HashMap::new();
        // In one order in every process: two that lock the same fingerprints crosswise would wait for each other for ever.
        let mut order: Vec<(usize, &mut Arrival)> = batch.iter_mut().enumerate().collect();
        order.sort_by(|(_, a), (_, b)| (a.repository, &a.fingerprint).cmp(&(b.repository, &b.fingerprint)));
        for (index, arrival) in order {
            let found = match arrival.known {
                Some(found @ Known { state: State::Line(_) | State::Dropped, .. }) => found,
                // A fingerprint that was pending when it was last heard of may have got its line since.
                _ => {
                    let key = (arrival.repository, arrival.fingerprint.clone());
                    match looked_up.get(&key) {
                        Some(found) => *found,
                        None => {
                            let found = self.admit(&mut tx, arrival).await?;
                            looked_up.insert(key, found);
                            found
                        }
                    }
                }
            };
            known[index] = Some(found);
            match found.state {
                State::Line(line) => fold(folds.entry(line).or_default(), arrival, found.id),
                State::Pending | State::Stale => {
                    let key = (found.id, arrival.at_ms / HOUR_MS * HOUR_MS, arrival.facets.clone());
                    let (count, last) = pending.entry(key).or_default();
                    *count = count.saturating_add(arrival.count);
                    *last = arrival.at_ms.max(*last);
                }
                State::Dropped => {}
            }
        }
        for ((fingerprint, hour, facets), (count, last)) in pending {
            hold(&mut tx, fingerprint, hour, &facets, count, last).await?;
        }
        self.count(&mut tx, &folds, memory).await?;
        tx.commit().await?;
        Ok(known.into_iter().map(|known| known.expect("every arrival was looked at")).collect())
    }

    /// Looks a fingerprint up under the write lock; one never seen before, or void, gets its report and its job.
    async fn admit(&self, tx: &mut Tx, arrival: &mut Arrival) -> Result<Known, StoreError> {
        let fresh = FingerprintId(self.ids.next(arrival.at_ms));
        let row = sqlx::query(
            "INSERT INTO fingerprints (id, repository_id, fingerprint, state, pinned, code_generation, rules_generation, last_seen_ms)
             VALUES ($1, $2, $3, 'pending', 0, 0, 0, $4)
             ON CONFLICT (repository_id, fingerprint) DO UPDATE SET last_seen_ms = excluded.last_seen_ms
             RETURNING id, state, line_id, pinned, code_generation, rules_generation, recheck_at_ms",
        )
        .bind(fresh.0)
        .bind(arrival.repository.0)
        .bind(&arrival.fingerprint)
        .bind(arrival.at_ms)
        .fetch_one(tx.conn())
        .await?;
        let state: String = get(&row, "state")?;
        let mut found = Known {
            id: FingerprintId(get(&row, "id")?),
            state: State::from_stored(&state, get::<Option<i64>>(&row, "line_id")?.map(LineId)),
            pinned: get::<i64>(&row, "pinned")? != 0,
            code_generation: get(&row, "code_generation")?,
            rules_generation: get(&row, "rules_generation")?,
            recheck_at_ms: get(&row, "recheck_at_ms")?,
        };
        let void = !found.holds(arrival.code_generation, arrival.rules_generation, arrival.at_ms);
        if found.id == fresh || void {
            let Some(body) = arrival.body.take() else {
                // The caller believed it pending; this answer tells it better, and the next report comes whole.
                if found.id == fresh {
                    // Its row was deleted meanwhile: without this it would wait for a report that nobody has.
                    sqlx::query("UPDATE fingerprints SET state = 'stale' WHERE id = $1")
                        .bind(fresh.0)
                        .execute(tx.conn())
                        .await?;
                    found.state = State::Stale;
                }
                return Ok(found);
            };
            if void {
                sqlx::query("UPDATE fingerprints SET state = 'pending' WHERE id = $1")
                    .bind(found.id.0)
                    .execute(tx.conn())
                    .await?;
            }
            let report = ReportId(self.ids.next(arrival.at_ms));
            sqlx::query(
                "INSERT INTO reports (id, repository_id, fingerprint_id, received_at_ms, body) VALUES ($1, $2, $3, $4, $5)",
            )
            .bind(report.0)
            .bind(arrival.repository.0)
            .bind(found.id.0)
            .bind(arrival.at_ms)
            .bind(body)
            .execute(tx.conn())
            .await?;
            self.ask(tx, Job::Attribute(report), arrival.at_ms, arrival.at_ms).await?;
            found.state = State::Pending;
        }
        Ok(found)
    }

    /// Adds what was folded to the lines, and asks for a decision where a count reached the one that was waited for.
    async fn count(&self, tx: &mut Tx, folds: &BTreeMap<LineId, Fold>, memory: &mut Memory) -> Result<(), StoreError> {
        let totals: Vec<[i64; 3]> =
            folds.iter().map(|(line, fold)| [line.0, signed(fold.count), fold.last_ms]).collect();
        for (due, at_ms) in add_totals(tx, &totals).await? {
            self.ask(tx, Job::Decide(due), at_ms, at_ms).await?;
        }
        let hours: Vec<[i64; 3]> = folds
            .iter()
            .flat_map(|(line, fold)| fold.hours.iter().map(|(hour, count)| [line.0, *hour, signed(*count)]))
            .collect();
        add_hours(tx, &hours).await?;
        for (line, fold) in folds {
            for (kind, value) in &fold.facets {
                if memory.is_news(*line, kind, value, fold.last_ms) {
                    add_facet(tx, *line, kind, value, fold.last_ms).await?;
                }
            }
            if let Some((fingerprint, at_ms, body)) = &fold.traceback {
                put_traceback(tx, *line, *fingerprint, *at_ms, body).await?;
            }
        }
        Ok(())
    }
}

fn fold(fold: &mut Fold, arrival: &mut Arrival, fingerprint: FingerprintId) {
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

async fn hold(
    tx: &mut Tx,
    fingerprint: FingerprintId,
    hour_ms: i64,
    facets: &Facets,
    count: u64,
    last_ms: i64,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO pending_occurrences (fingerprint_id, hour_ms, server, environment, occurrences, last_seen_ms) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (fingerprint_id, hour_ms, server, environment) DO UPDATE SET
             occurrences = pending_occurrences.occurrences + excluded.occurrences, last_seen_ms = excluded.last_seen_ms",
    )
    .bind(fingerprint.0)
    .bind(hour_ms)
    .bind(facet(&facets.server))
    .bind(facet(&facets.environment))
    .bind(signed(count))
    .bind(last_ms)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// `(line, count, last)` rows; answers the lines whose count reached the one at which to decide, with the moment.
pub(super) async fn add_totals(tx: &mut Tx, rows: &[[i64; 3]]) -> Result<Vec<(LineId, i64)>, StoreError> {
    let mut due = Vec::new();
    for chunk in chunks(rows) {
        let sql = format!(
            "WITH fresh (id, n, last) AS (VALUES {}) UPDATE lines SET total = total + fresh.n,
                 last_seen_ms = CASE WHEN fresh.last > lines.last_seen_ms THEN fresh.last ELSE lines.last_seen_ms END
             FROM fresh WHERE lines.id = fresh.id RETURNING lines.id AS line, lines.total AS total, lines.next_decide_at AS next",
            values(chunk.len())
        );
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for value in chunk.iter().flatten() {
            query = query.bind(*value);
        }
        for row in query.fetch_all(tx.conn()).await? {
            let line: i64 = get(&row, "line")?;
            if get::<Option<i64>>(&row, "next")?
                .is_some_and(|next| get::<i64>(&row, "total").is_ok_and(|total| total >= next))
            {
                let last = chunk.iter().find(|row| row[0] == line).map_or(0, |row| row[2]);
                due.push((LineId(line), last));
            }
        }
    }
    for (line, _) in &due {
        sqlx::query("UPDATE lines SET next_decide_at = NULL WHERE id = $1").bind(line.0).execute(tx.conn()).await?;
    }
    Ok(due)
}

/// `(line, hour, count)` rows.
pub(super) async fn add_hours(tx: &mut Tx, rows: &[[i64; 3]]) -> Result<(), StoreError> {
    for chunk in chunks(rows) {
        let sql = format!(
            "INSERT INTO line_hours (line_id, hour_ms, occurrences) VALUES {}
             ON CONFLICT (line_id, hour_ms) DO UPDATE SET occurrences = line_hours.occurrences + excluded.occurrences",
            values(chunk.len())
        );
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for value in chunk.iter().flatten() {
            query = query.bind(*value);
        }
        query.execute(tx.conn()).await?;
    }
    Ok(())
}

pub(super) async fn put_traceback(
    tx: &mut Tx,
    line: LineId,
    fingerprint: FingerprintId,
    at_ms: i64,
    body: &[u8],
) -> Result<(), StoreError> {
    sqlx::query(
        // A fingerprint whose repository was given up a moment ago is gone: it must not take the whole batch with it.
        "INSERT INTO tracebacks (line_id, week_ms, fingerprint_id, received_at_ms, body)
         SELECT $1, $2, id, $4, $5 FROM fingerprints WHERE id = $3
         ON CONFLICT (line_id, week_ms) DO UPDATE SET
             fingerprint_id = excluded.fingerprint_id, received_at_ms = excluded.received_at_ms, body = excluded.body",
    )
    .bind(line.0)
    .bind(week_of(at_ms))
    .bind(fingerprint.0)
    .bind(at_ms)
    .bind(body.to_vec())
    .execute(tx.conn())
    .await?;
    Ok(())
}

fn chunks(mut rows: &[[i64; 3]]) -> impl Iterator<Item = &[[i64; 3]]> {
    std::iter::from_fn(move || {
        let size = CHUNKS.into_iter().find(|&size| size <= rows.len())?;
        let (chunk, rest) = rows.split_at(size);
        rows = rest;
        Some(chunk)
    })
}

/// `($1, $2, $3), ($4, …)`.
fn values(rows: usize) -> String {
    (0..rows)
        .map(|row| format!("(${}, ${}, ${})", row * 3 + 1, row * 3 + 2, row * 3 + 3))
        .collect::<Vec<_>>()
        .join(", ")
}
