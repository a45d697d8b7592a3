//! A turn of an installation's queue of writes: the most important thing that waits, and at most one write of it.

use super::{forge, labels, status, storm};
use crate::steps::{Failure, Services};
use domain::ids::DeliveryId;
use domain::job::back_off_ms;
use domain::pace::{GAP_MS, Rank, allowed_at};
use std::sync::OnceLock;
use store::deliveries::Channel;
use store::writes::{WriteId, WriteTarget};

/// What time it is. A turn asks GitHub before it writes, which takes its time: the moment at which it began is not the
/// moment of its write.
pub(super) type Now<'a> = &'a (dyn Fn() -> i64 + Sync);

/// The one write that a turn has.
pub(super) struct Turn<'a> {
    services: &'a Services,
    installation: u64,
    now: Now<'a>,
    spent: OnceLock<WriteId>,
}

impl<'a> Turn<'a> {
    /// A turn of this installation's.
    pub(super) fn new(services: &'a Services, installation: u64, now: Now<'a>) -> Self {
        Self { services, installation, now, spent: OnceLock::new() }
    }

    /// Takes the turn's write, to be called right before each. The second one has to wait for the next turn: what calls it
    /// must then find what it has written already.
    ///
    /// # Errors
    /// The write is taken, or the database is out of reach.
    pub(super) async fn take(&self) -> Result<(), Failure> {
        if self.spent.get().is_some() {
            return Err(Failure::Again { at_ms: (self.now)() + GAP_MS });
        }
        let id = store::writes::claim_attempt(&self.services.store, self.installation, (self.now)()).await?;
        // Nobody else takes it: a turn does one thing after another.
        let _ = self.spent.set(id);
        Ok(())
    }

    /// Notes when the write was answered: the next one keeps its distance from then on.
    async fn end(&self) -> Result<(), Failure> {
        match self.spent.get() {
            Some(&id) => Ok(store::writes::record_answered(&self.services.store, id, (self.now)()).await?),
            None => Ok(()),
        }
    }
}

/// Writes what is most important of all that this installation has to write. The job comes again as long as anything waits.
///
/// # Errors
/// There is more ([`Failure::Again`]), or the database is out of reach.
pub async fn turn(services: &Services, installation: u64, now: Now<'_>) -> Result<(), Failure> {
    let now_ms = now();
    let paused_ms = store::writes::paused_until(&services.store, installation).await?;
    if paused_ms > now_ms {
        return Err(Failure::Again { at_ms: paused_ms });
    }
    let Some(first) = store::writes::next(&services.store, installation, now_ms).await? else {
        return match store::writes::next_due_ms(&services.store, installation).await? {
            Some(due_ms) => Err(Failure::Again { at_ms: due_ms.max(now_ms + 1) }),
            None => Ok(()),
        };
    };
    let writes = store::writes::of_last_hour(&services.store, installation, now_ms).await?;
    let allowed_ms = allowed_at(&writes, Rank::kept_back(first.rank), now_ms);
    if allowed_ms > now_ms {
        return Err(Failure::Again { at_ms: allowed_ms });
    }
    let turn = Turn::new(services, installation, now);
    let failed = match first.what {
        WriteTarget::Delivery(id) => delivery(services, &turn, id, now_ms).await,
        WriteTarget::Label(id) => labels::label(services, &turn, id, now_ms).await,
        WriteTarget::Status(id) => status::status(services, &turn, id, now_ms).await,
        WriteTarget::Storm(id) => storm::issue(services, &turn, id, now_ms).await,
    };
    turn.end().await?;
    let now_ms = now();
    match failed {
        Ok(()) => Err(Failure::Again { at_ms: now_ms }),
        // GitHub named a time: it means all of this installation's writes.
        Err(Failure::Retry { why, after_ms: Some(after_ms) }) => {
            let until_ms = now_ms + after_ms;
            tracing::warn!(installation, why, after_ms, "GitHub asks not to be written to");
            store::writes::set_pause(&services.store, installation, until_ms, &why).await?;
            Err(Failure::Again { at_ms: until_ms })
        }
        // Where GitHub is out of order, the next one fares no better: a second apart, no crowd knocks at its door.
        Err(Failure::Retry { .. } | Failure::GiveUp(_)) => Err(Failure::Again { at_ms: now_ms + GAP_MS }),
        Err(again @ Failure::Again { .. }) => Err(again),
    }
}

/// Writes an issue or a comment, or a part of it. What failed is due again later; all else goes on meanwhile.
async fn delivery(services: &Services, turn: &Turn<'_>, id: DeliveryId, now_ms: i64) -> Result<(), Failure> {
    let Some(delivery) = store::deliveries::claim_attempt(&services.store, id).await? else { return Ok(()) };
    let (Some(line), Some(row)) = (
        store::lines::by_id(&services.store, delivery.line).await?,
        store::repositories::by_id(&services.store, delivery.repository).await?,
    ) else {
        return Ok(
            store::deliveries::record_given_up(&services.store, id, "its line is not there any more", now_ms).await?
        );
    };
    if row.is_shadow(now_ms) {
        return services.hold_back(&delivery, now_ms).await.map(|_| ());
    }
    let name = &row.repository.full_name;
    let channel = delivery.what.channel;
    // Nobody wants an issue for what they have just answered. One that was tried may be there: it is looked for, and says so.
    if channel == Channel::Issue && line.known && line.issue.is_none() && delivery.attempts == 0 {
        tracing::info!(repository = %name, line = line.id.0, "whitelisted before its issue was filed: none is");
        return Ok(store::deliveries::withdraw_issue(&services.store, id, line.id).await?);
    }
    let result = match channel {
        Channel::Issue => forge::issue(services, turn, &row, &line, &delivery, now_ms).await,
        Channel::Comment => forge::comment(services, turn, &row, &line, &delivery, now_ms).await,
        Channel::Mail => Err(Failure::GiveUp("a mail does not go to GitHub".to_owned())),
    };
    match result {
        Ok(receipt) => {
            store::deliveries::record_sent(&services.store, id, &receipt, now_ms).await?;
            store::storms::record_line_changed(&services.store, line.id, now_ms).await?;
            tracing::info!(repository = %name, ?channel, receipt, "delivered");
            Ok(())
        }
        Err(Failure::GiveUp(why)) => {
            tracing::warn!(repository = %name, ?channel, why, "a delivery was given up");
            Ok(store::deliveries::record_given_up(&services.store, id, &why, now_ms).await?)
        }
        Err(Failure::Retry { why, after_ms }) => {
            let attempts = u32::try_from(delivery.attempts + 1).unwrap_or(u32::MAX);
            let due_ms = now_ms + back_off_ms(attempts, after_ms);
            tracing::warn!(repository = %name, ?channel, attempts, why, "a delivery failed and will be tried again");
            store::deliveries::record_failed(&services.store, id, &why, due_ms).await?;
            Err(Failure::Retry { why, after_ms })
        }
        Err(again @ Failure::Again { .. }) => Err(again),
    }
}
