//! Deleting by age: once a day a round over everything that would grow for ever, in pieces that are
//! small transactions, of any process on the database.
//!
//! What a round has come to stands in `meta`, and each piece writes it in its own transaction: a
//! killed process leaves the next one a piece that was done or was not, and two that work at once
//! do not do the same piece twice.
//!
//! A round does not go by the clock alone. A clock that is wrong for an hour, years ahead, would
//! have everything deleted: so the moment that a round takes for now, its *horizon*, is at most
//! [`MOST_AHEAD`] later than that of the round before.

mod lines;
mod rows;
mod tracebacks;

use crate::columns::{from_json, to_json};
use crate::{Store, StoreError, Tx, meta};
use domain::ids::RepositoryId;
use domain::retention::{Boundaries, Kept};
use domain::timestamp::{DAY, Timestamp};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use tracebacks::Sizes;

/// The name in `meta` of what the round has come to.
const ROUND: &str = "retention";

/// How often a round begins.
pub const ROUND_EVERY: SignedDuration = DAY;

/// How much later the horizon of a round is than that of the one before, at most. One day would
/// never make up for a server that was off.
pub const MOST_AHEAD: SignedDuration = SignedDuration::from_hours(48);

/// How long everything is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// By the server's configuration.
    pub server: Kept,
    /// Of repositories whose settings say something of their own.
    pub own: HashMap<RepositoryId, Kept>,
}

impl Policy {
    fn boundaries(&self, repository: RepositoryId, horizon: Timestamp) -> Boundaries {
        self.own.get(&repository).unwrap_or(&self.server).boundaries(horizon)
    }
}

/// What came of a piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece {
    /// There is more to do.
    More,
    /// The round is over, or another process is at it.
    Done,
}

/// What a round is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Phase {
    Lines,
    Fingerprints,
    Deliveries,
    Hooks,
    Rest,
    Over,
}

/// What a round has come to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Round {
    /// When it began, Unix milliseconds.
    began_at_ms: i64,
    /// The moment that it takes for now.
    horizon_ms: i64,
    phase: Phase,
    /// The last row that was looked at, by its id.
    cursor: i64,
    /// Tracebacks by week, of the lines that were looked at.
    #[serde(default)]
    sizes: Sizes,
    /// Tracebacks of earlier weeks go because of the size of all: of those that are not their
    /// line's latest, and of those that are.
    #[serde(default)]
    too_large: Option<[i64; 2]>,
}

impl Round {
    fn horizon(&self) -> Timestamp {
        Timestamp::from_millis(self.horizon_ms)
    }

    /// The first of all, or the one after `self`, which is over.
    fn next(before: Option<&Self>, now: Timestamp) -> Self {
        let horizon = before.map_or(now, |before| now.min(before.horizon() + MOST_AHEAD));
        Self {
            began_at_ms: now.as_millis(),
            horizon_ms: horizon.as_millis(),
            phase: Phase::Lines,
            cursor: 0,
            sizes: Sizes::default(),
            too_large: None,
        }
    }

    /// Whether it is over, and the next one is not due yet.
    fn is_enough(&self, now: Timestamp) -> bool {
        self.phase == Phase::Over && now.is_within(ROUND_EVERY, Timestamp::from_millis(self.began_at_ms))
    }

    /// Goes on with what comes next.
    fn enter(&mut self, phase: Phase) {
        self.phase = phase;
        self.cursor = 0;
    }
}

/// The moment that the current round takes for now, or the last one did; `None`: there was none
/// yet.
pub async fn horizon(store: &Store) -> Result<Option<Timestamp>, StoreError> {
    let value = meta::by_name(store, ROUND).await?;
    Ok(value.as_deref().and_then(read).map(|round| round.horizon()))
}

/// Whether there is a piece to be done.
pub async fn is_due(store: &Store, now: Timestamp) -> Result<bool, StoreError> {
    let before = meta::by_name(store, ROUND).await?.as_deref().and_then(read);
    Ok(before.is_none_or(|round| !round.is_enough(now)))
}

/// Does the next piece of the round: some milliseconds of work.
pub async fn piece(store: &Store, policy: &Policy, now: Timestamp) -> Result<Piece, StoreError> {
    let stored = meta::by_name(store, ROUND).await?;
    let before = stored.as_deref().and_then(read);
    let mut round = match before {
        Some(round) if round.is_enough(now) => return Ok(Piece::Done),
        Some(round) if round.phase != Phase::Over => round,
        before => Round::next(before.as_ref(), now),
    };
    // What is lost in a power failure is done again.
    let mut tx = store.begin_lazily().await?;
    if !take_in(&mut tx, stored.as_deref()).await? {
        return Ok(Piece::Done);
    }
    match round.phase {
        Phase::Lines => lines::piece_in(&mut tx, store.dialect(), policy, &mut round).await?,
        Phase::Fingerprints => rows::fingerprints_in(&mut tx, policy, &mut round).await?,
        Phase::Deliveries => rows::deliveries_in(&mut tx, policy, &mut round).await?,
        Phase::Hooks => rows::hooks_in(&mut tx, &mut round).await?,
        Phase::Rest => rows::rest_in(&mut tx, policy, &mut round).await?,
        Phase::Over => {}
    }
    write_in(&mut tx, &round).await?;
    tx.commit().await?;
    Ok(if round.phase == Phase::Over { Piece::Done } else { Piece::More })
}

/// What an older or newer version wrote counts as nothing.
fn read(value: &str) -> Option<Round> {
    from_json(ROUND, value).ok()
}

/// Takes the round for this transaction. `false`: another process is at it.
async fn take_in(tx: &mut Tx, stored: Option<&str>) -> Result<bool, StoreError> {
    let query = match stored {
        Some(stored) => {
            sqlx::query("UPDATE meta SET value = value WHERE name = $1 AND value = $2").bind(ROUND).bind(stored)
        }
        None => sqlx::query("INSERT INTO meta (name, value) VALUES ($1, '') ON CONFLICT (name) DO NOTHING").bind(ROUND),
    };
    Ok(query.execute(tx.conn()).await?.rows_affected() > 0)
}

async fn write_in(tx: &mut Tx, round: &Round) -> Result<(), StoreError> {
    let value = to_json(ROUND, round)?;
    sqlx::query("UPDATE meta SET value = $2 WHERE name = $1").bind(ROUND).bind(value).execute(tx.conn()).await?;
    Ok(())
}

#[cfg(test)]
mod tests;
