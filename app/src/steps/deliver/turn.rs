//! A turn of an installation's write queue: the most important thing that waits, and at most
//! one write of it.

use super::about;
use super::attempt::DeliveryAttempt;
use super::shadow::hold_back;
use crate::services::alert_content::AlertContent;
use crate::services::github_app::GitHubApp;
use crate::services::installed::Installed;
use crate::services::recipients::Recipients;
use crate::services::{Failure, settle};
use domain::delivery::Channel;
use domain::ids::DeliveryId;
use domain::job::SET_ASIDE_FOR;
use domain::pace::{GAP, Rank, allowed_at};
use domain::timestamp::Timestamp;
use jiff::SignedDuration;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use store::Store;
use store::deliveries::Delivery;
use store::lines::Line;
use store::repositories::RepositoryRow;
use store::writes::{WriteId, WriteTarget};

/// What time it is. A turn asks GitHub before it writes, which takes its time: the moment at which
/// it began is not the moment of its write.
pub(super) type Now<'a> = &'a (dyn Fn() -> Timestamp + Sync);

/// Writes to GitHub: labels, issues, comments and statuses, one write after another.
#[derive(Clone)]
pub struct GitHubWriter {
    /// The rows.
    pub store: Store,
    /// GitHub.
    pub github_app: GitHubApp,
    /// Says whose an issue is.
    pub recipients: Recipients,
    /// Says what alerts say.
    pub content: AlertContent,
    /// Finds out what a repository is called.
    pub installed: Installed,
}

/// The one write that a turn has.
pub(super) struct Turn<'a> {
    store: &'a Store,
    installation: u64,
    pub(super) now: Now<'a>,
    spent: OnceLock<WriteId>,
    refused: AtomicBool,
    failed: AtomicBool,
}

impl<'a> Turn<'a> {
    /// A turn of this installation's.
    fn new(store: &'a Store, installation: u64, now: Now<'a>) -> Self {
        Self {
            store,
            installation,
            now,
            spent: OnceLock::new(),
            refused: AtomicBool::new(false),
            failed: AtomicBool::new(false),
        }
    }

    /// Takes the turn's write, to be called right before each. The second one has to wait for the
    /// next turn: what calls it must then find what it has written already. The answer is when it
    /// was taken.
    ///
    /// # Errors
    /// The write is taken, or the database is out of reach.
    pub(super) async fn take(&self) -> Result<Timestamp, Failure> {
        if self.spent.get().is_some() {
            return Err(self.next());
        }
        let now = (self.now)();
        let id = store::writes::record_write(self.store, self.installation, now).await?;
        // Nobody else takes it: a turn does one thing after another.
        let _ = self.spent.set(id);
        Ok(now)
    }

    /// Whether its write was made.
    pub(super) fn is_spent(&self) -> bool {
        self.spent.get().is_some()
    }

    /// GitHub refuses what is written in the repository.
    pub(super) fn note_refused(&self) {
        self.refused.store(true, Ordering::Relaxed);
    }

    /// Whether it does.
    pub(super) fn is_refused(&self) -> bool {
        self.refused.load(Ordering::Relaxed)
    }

    /// Its write was refused, for whatever reason.
    pub(super) fn note_failed(&self) {
        self.failed.store(true, Ordering::Relaxed);
    }

    /// Whether GitHub took its write.
    pub(super) fn is_taken(&self) -> bool {
        self.is_spent() && !self.failed.load(Ordering::Relaxed)
    }

    /// There is more to write, in another turn.
    pub(super) fn next(&self) -> Failure {
        Failure::Again { at: (self.now)() + GAP }
    }

    /// Notes when the write was answered: the next one keeps its distance from then on.
    async fn end(&self) -> Result<(), Failure> {
        match self.spent.get() {
            Some(&id) => Ok(store::writes::record_answered(self.store, id, (self.now)()).await?),
            None => Ok(()),
        }
    }
}

impl GitHubWriter {
    /// Writes what is most important of all that this installation has to write. The job comes
    /// again as long as anything waits.
    ///
    /// # Errors
    /// There is more ([`Failure::Again`]), or the database is out of reach.
    pub async fn turn(&self, installation: u64, clock: Now<'_>) -> Result<(), Failure> {
        let Some(first) = self.next(installation, clock()).await? else { return Ok(()) };
        let turn = Turn::new(&self.store, installation, clock);
        let written = match first {
            WriteTarget::Look(id) => self.look(&turn, id, clock()).await,
            what => self.write(&turn, what, clock()).await,
        };
        turn.end().await?;
        self.after(installation, written, clock()).await
    }

    /// Leaves what is first in the queue alone for a day, and writes the rest: each attempt to
    /// write it ended the server.
    ///
    /// # Errors
    /// There is more ([`Failure::Again`]), or the database is out of reach.
    pub async fn turn_without_first(&self, installation: u64, now: Timestamp) -> Result<(), Failure> {
        let Some(first) = self.next(installation, now).await? else { return Ok(()) };
        let (store, until) = (&self.store, now + SET_ASIDE_FOR);
        tracing::error!(installation, ?first, %until, "what was to be written first is left alone");
        match first {
            WriteTarget::Delivery(id) => {
                let why = "each attempt to write it ended the server";
                store::deliveries::record_put_off(store, id, why, until).await?;
            }
            WriteTarget::Label(id) => store::repositories::set_labels_due(store, id, until).await?,
            WriteTarget::Status(id) => store::statuses::set_due(store, id, until).await?,
            WriteTarget::Storm(id) => store::storms::set_due(store, id, until).await?,
            WriteTarget::Doubt(id) => store::doubts::set_due(store, id, until).await?,
            WriteTarget::Look(id) => store::repositories::set_look_at(store, id, until, now).await?,
        }
        Err(Failure::Again { at: now })
    }

    /// What is to be written now; nothing where nothing waits.
    async fn next(&self, installation: u64, now: Timestamp) -> Result<Option<WriteTarget>, Failure> {
        let paused_until = store::writes::paused_until(&self.store, installation).await?;
        if paused_until > now {
            return Err(Failure::Again { at: paused_until });
        }
        let Some(first) = store::writes::next(&self.store, installation, now).await? else {
            return match store::writes::next_due_at(&self.store, installation).await? {
                Some(due_at) => Err(Failure::Again { at: due_at.max(now + SignedDuration::from_millis(1)) }),
                None => Ok(None),
            };
        };
        let writes = store::writes::of_last_hour(&self.store, installation, now).await?;
        let allowed_at = allowed_at(&writes, Rank::kept_back(first.rank), now);
        if allowed_at > now { Err(Failure::Again { at: allowed_at }) } else { Ok(Some(first.what)) }
    }

    /// Makes one write.
    pub(super) async fn write(&self, turn: &Turn<'_>, what: WriteTarget, now: Timestamp) -> Result<(), Failure> {
        match what {
            WriteTarget::Delivery(id) => self.delivery(turn, id, now).await,
            WriteTarget::Label(id) => self.label(turn, id, now).await,
            WriteTarget::Status(id) => self.status(turn, id, now).await,
            WriteTarget::Storm(id) => self.storm_issue(turn, id, now).await,
            WriteTarget::Doubt(id) => self.doubt(turn, id, now).await,
            // A look leads to writes, and no write to a look.
            WriteTarget::Look(_) => Ok(()),
        }
    }

    /// What became of something to be written, which goes on in the next turn where the repository
    /// turns out to be called otherwise.
    ///
    /// # Errors
    /// Those that it had; it goes on ([`Failure::Again`]); GitHub or the database is out of reach.
    pub(super) async fn under_new_name<T>(
        &self,
        turn: &Turn<'_>,
        row: &RepositoryRow,
        result: Result<T, Failure>,
    ) -> Result<T, Failure> {
        let Some(github) = self.github_app.github() else { return result };
        if result.as_ref().is_err_and(Failure::is_of_a_name) {
            turn.note_failed();
        }
        self.installed.under_new_name(&github, row, result, (turn.now)() + GAP).await
    }

    /// When the next turn is.
    async fn after(&self, installation: u64, written: Result<(), Failure>, now: Timestamp) -> Result<(), Failure> {
        match written {
            Ok(()) => Err(Failure::Again { at: now }),
            // GitHub named a time: it means all of this installation's writes.
            Err(Failure::Retry { cause, after: Some(after) }) => {
                let until = now + after;
                tracing::warn!(installation, why = %cause, ?after, "GitHub asks not to be written to");
                store::writes::set_pause(&self.store, installation, until, &cause.to_string()).await?;
                Err(Failure::Again { at: until })
            }
            // Where GitHub is out of order, the next one fares no better: a second apart.
            Err(Failure::Retry { .. } | Failure::GiveUp(_)) => Err(Failure::Again { at: now + GAP }),
            Err(other @ (Failure::Again { .. } | Failure::Panicked(_) | Failure::NotOurs)) => Err(other),
        }
    }

    /// Writes an issue or a comment, or a part of it. What failed is due again later; all else goes
    /// on meanwhile.
    async fn delivery(&self, turn: &Turn<'_>, id: DeliveryId, now: Timestamp) -> Result<(), Failure> {
        let Some(delivery) = store::deliveries::claim_attempt(&self.store, id).await? else { return Ok(()) };
        let Some((line, row)) = about(&self.store, &delivery, now).await? else { return Ok(()) };
        if row.is_shadow(now) {
            hold_back(&self.store, &delivery, now).await?;
            return Ok(());
        }
        if is_answered(&line, &delivery) {
            tracing::info!(
                repository = %row.repository.full_name,
                line = line.id.0,
                "whitelisted before its issue was filed: none is"
            );
            return Ok(store::deliveries::withdraw_issue(&self.store, id, line.id).await?);
        }
        self.deliver(turn, &row, &line, &delivery, now).await
    }

    async fn deliver(
        &self,
        turn: &Turn<'_>,
        row: &RepositoryRow,
        line: &Line,
        delivery: &Delivery,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let channel = delivery.what.channel;
        let result = match channel {
            Channel::Issue => self.issue(turn, row, line, delivery, now).await,
            Channel::Comment => self.comment(turn, row, line, delivery, now).await,
            // Only what is written to GitHub waits in the queue.
            other => Err(Failure::give_up(format!("a {} does not go to GitHub", other.as_str()))),
        };
        let result = self.heed(turn, row, line, delivery, result, now).await;
        let result = self.under_new_name(turn, row, result).await;
        let attempt = DeliveryAttempt { store: &self.store, mails: None, row, line, delivery, now };
        let Some(receipt) = settle(&attempt, result, now).await?.done()? else { return Ok(()) };
        store::deliveries::record_sent(&self.store, delivery.id, &receipt, now).await?;
        store::storms::record_line_changed(&self.store, line.id, now).await?;
        if line.issue_missed_at.is_some() {
            store::lines::set_issue_missed(&self.store, line.id, None).await?;
        }
        tracing::info!(repository = %row.repository.full_name, ?channel, receipt, "delivered");
        Ok(())
    }
}

/// Nobody wants an issue for what they have just answered. One that GitHub was asked for may be
/// there: it is looked for, and says so.
fn is_answered(line: &Line, delivery: &Delivery) -> bool {
    delivery.what.channel == Channel::Issue && line.known && line.issue.is_none() && delivery.unanswered_at.is_none()
}
