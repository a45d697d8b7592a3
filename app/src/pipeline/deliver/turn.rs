//! A turn of an installation's queue of writes: the most important thing that waits, and at most one write of it.

use super::{forge, labels, status, storm};
use crate::domain::ids::DeliveryId;
use crate::domain::job::back_off_ms;
use crate::domain::pace::{GAP_MS, Rank, allowed_at};
use crate::pipeline::{Failure, Rooms};
use crate::store::deliveries::Channel;
use crate::store::writes::Waiting;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::time::Instant;

/// The one write that a turn has.
pub(super) struct Turn<'a> {
    rooms: &'a Rooms,
    installation: u64,
    now_ms: i64,
    /// Asking before writing takes time: the write is noted as of when it is made.
    began: Instant,
    spent: AtomicBool,
}

impl<'a> Turn<'a> {
    /// A turn of this installation's.
    pub(super) fn new(rooms: &'a Rooms, installation: u64, now_ms: i64) -> Self {
        Self { rooms, installation, now_ms, began: Instant::now(), spent: AtomicBool::new(false) }
    }

    /// Takes the turn's write, to be called right before each. The second one has to wait for the next turn: what calls it
    /// must then find what it has written already.
    ///
    /// # Errors
    /// The write is taken, or the database is out of reach.
    pub(super) async fn take(&self) -> Result<(), Failure> {
        if self.spent.swap(true, Ordering::AcqRel) {
            return Err(Failure::Again { at_ms: self.now_ms + GAP_MS });
        }
        let at_ms = self.now_ms + i64::try_from(self.began.elapsed().as_millis()).unwrap_or(0);
        Ok(self.rooms.store.note_write(self.installation, at_ms).await?)
    }
}

/// Writes what is most important of all that this installation has to write. The job comes again as long as anything waits.
///
/// # Errors
/// There is more ([`Failure::Again`]), or the database is out of reach.
pub async fn turn(rooms: &Rooms, installation: u64, now_ms: i64) -> Result<(), Failure> {
    let paused_ms = rooms.store.paused_until(installation).await?;
    if paused_ms > now_ms {
        return Err(Failure::Again { at_ms: paused_ms });
    }
    let Some(first) = rooms.store.first_write(installation, now_ms).await? else {
        return match rooms.store.next_write_due(installation).await? {
            Some(due_ms) => Err(Failure::Again { at_ms: due_ms.max(now_ms + 1) }),
            None => Ok(()),
        };
    };
    let writes = rooms.store.writes_of(installation, now_ms).await?;
    let allowed_ms = allowed_at(&writes, Rank::kept_back(first.rank), now_ms);
    if allowed_ms > now_ms {
        return Err(Failure::Again { at_ms: allowed_ms });
    }
    let turn = Turn::new(rooms, installation, now_ms);
    let failed = match first.what {
        Waiting::Delivery(id) => delivery(rooms, &turn, id, now_ms).await,
        Waiting::Label(id) => labels::label(rooms, &turn, id, now_ms).await,
        Waiting::Status(id) => status::status(rooms, &turn, id, now_ms).await,
        Waiting::Storm(id) => storm::issue(rooms, &turn, id, now_ms).await,
    };
    match failed {
        Ok(()) => Err(Failure::Again { at_ms: now_ms }),
        // GitHub named a time: it means all of this installation's writes.
        Err(Failure::Retry { why, after_ms: Some(after_ms) }) => {
            let until_ms = now_ms + after_ms;
            tracing::warn!(installation, why, after_ms, "GitHub asks not to be written to");
            rooms.store.pause_writes(installation, until_ms, &why).await?;
            Err(Failure::Again { at_ms: until_ms })
        }
        // Where GitHub is out of order, the next one fares no better: a second apart, no crowd knocks at its door.
        Err(Failure::Retry { .. } | Failure::GiveUp(_)) => Err(Failure::Again { at_ms: now_ms + GAP_MS }),
        Err(again @ Failure::Again { .. }) => Err(again),
    }
}

/// Writes an issue or a comment, or a part of it. What failed is due again later; all else goes on meanwhile.
async fn delivery(rooms: &Rooms, turn: &Turn<'_>, id: DeliveryId, now_ms: i64) -> Result<(), Failure> {
    let Some(delivery) = rooms.store.begin_delivery(id).await? else { return Ok(()) };
    let (Some(line), Some(row)) =
        (rooms.store.line(delivery.line).await?, rooms.store.repository(delivery.repository).await?)
    else {
        return Ok(rooms.store.given_up(id, "its line is not there any more", now_ms).await?);
    };
    if row.is_shadow(now_ms) {
        return rooms.hold_back(&delivery, now_ms).await.map(|_| ());
    }
    let name = &row.repository.full_name;
    let channel = delivery.what.channel;
    // Nobody wants an issue for what they have just answered. One that was tried may be there: it is looked for, and says so.
    if channel == Channel::Issue && line.known && line.issue.is_none() && delivery.attempts == 0 {
        tracing::info!(repository = %name, line = line.id.0, "whitelisted before its issue was filed: none is");
        return Ok(rooms.store.withdraw_issue(id, line.id).await?);
    }
    let result = match channel {
        Channel::Issue => forge::issue(rooms, turn, &row, &line, &delivery, now_ms).await,
        Channel::Comment => forge::comment(rooms, turn, &row, &line, &delivery, now_ms).await,
        Channel::Mail => Err(Failure::GiveUp("a mail does not go to GitHub".to_owned())),
    };
    match result {
        Ok(receipt) => {
            rooms.store.delivered(id, &receipt, now_ms).await?;
            rooms.store.storm_of_line_changed(line.id, now_ms).await?;
            tracing::info!(repository = %name, ?channel, receipt, "delivered");
            Ok(())
        }
        Err(Failure::GiveUp(why)) => {
            tracing::warn!(repository = %name, ?channel, why, "a delivery was given up");
            Ok(rooms.store.given_up(id, &why, now_ms).await?)
        }
        Err(Failure::Retry { why, after_ms }) => {
            let attempts = u32::try_from(delivery.attempts + 1).unwrap_or(u32::MAX);
            let due_ms = now_ms + back_off_ms(attempts, after_ms);
            tracing::warn!(repository = %name, ?channel, attempts, why, "a delivery failed and will be tried again");
            rooms.store.delivery_failed(id, &why, due_ms).await?;
            Err(Failure::Retry { why, after_ms })
        }
        Err(again @ Failure::Again { .. }) => Err(again),
    }
}
