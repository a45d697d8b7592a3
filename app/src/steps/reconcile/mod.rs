//! Comparing what we know with what GitHub says: the repositories that are installed, and the
//! webhooks that got lost.

mod issues;

use crate::services::github_app::GitHubApp;
use crate::services::installed::{Among, Installed};
use crate::services::{Failure, Wake};
use domain::command::labels;
use domain::job::Job;
use domain::repository::GitHubAddress;
use domain::timestamp::{HOUR, Timestamp};
use github::{GitHub, HookDelivery};
use jiff::SignedDuration;
use std::collections::{BTreeMap, HashSet};
use store::Store;
use store::repositories::RepositoryRow;

/// How often GitHub is asked.
pub const RECONCILE_EVERY: SignedDuration = HOUR;

/// GitHub can deliver again what is not older than three days
/// (<https://docs.github.com/en/webhooks/testing-and-troubleshooting-webhooks/redelivering-webhooks>).
const REDELIVERABLE: SignedDuration = SignedDuration::from_hours(3 * 24);
/// What was delivered a moment ago may still be under way.
const UNDER_WAY: SignedDuration = SignedDuration::from_mins(1);
/// Tries of one webhook after which it is given up: what we refuse five times we refuse for ever.
const MOST_TRIES: usize = 5;
/// Webhooks asked for again at one time. Each is five of the 900 points that GitHub allows in a
/// minute, takes a worker a third of a second, and comes back to this server, which has other work.
const AT_A_TIME: usize = 40;
/// When the next ones are asked for: the 2,000 that are looked through at most take under an hour.
const NEXT_AFTER: SignedDuration = SignedDuration::from_mins(1);
/// How long one that was asked for again is not asked for once more: what is refused now is so in a
/// minute. Shorter than the hour between two looks, so that each of them asks.
const ASKED_AGAIN_AFTER: SignedDuration = SignedDuration::from_mins(50);
/// What is acted on; all else may stay lost.
const HEEDED: [&str; 5] = ["installation", "installation_repositories", "issues", "push", "repository"];
/// The fact that says until when deliveries were looked through.
const LOOKED_UNTIL: &str = "deliveries_looked_until_ms";
/// The fact that says up to which try lost webhooks were asked for in this round: one that GitHub
/// refuses does not come first again.
const ASKED_UP_TO: &str = "deliveries_asked_up_to";

/// Compares what is here with what GitHub says.
#[derive(Clone)]
pub struct Reconcile {
    /// The rows.
    pub store: Store,
    /// GitHub.
    pub github_app: GitHubApp,
    /// What is installed, as GitHub says.
    pub installed: Installed,
    /// What is found waits for a worker.
    pub wake: Wake,
}

impl Reconcile {
    /// Watches what is installed, and stops watching what is not any more; has lost webhooks asked
    /// for, and looks for what none told.
    ///
    /// # Errors
    /// GitHub or the database is out of reach: to be tried again.
    pub async fn reconcile(&self, now: Timestamp) -> Result<(), Failure> {
        let Some(github) = self.github_app.github() else { return Ok(()) };
        // What fails keeps nothing else from being looked at, and is tried again.
        let mut failed = self.installed.compare(&github, Among::All, now).await.err();
        store::jobs::enqueue_if_none(&self.store, Job::Redeliver, now).await?;
        let mut unread: HashSet<u64> = HashSet::new();
        for row in store::repositories::list(&self.store).await? {
            let Some(address) =
                row.repository.github_address().filter(|it| row.is_served() && !unread.contains(&it.installation))
            else {
                continue;
            };
            let Err(failure) = self.of_repository(&github, &row, &address, now).await else { continue };
            tracing::warn!(repository = %row.repository.full_name, %failure, "not compared");
            // One repository that can't be looked at keeps no other from it.
            if !matches!(failure, Failure::GiveUp(_)) {
                unread.insert(address.installation);
                failed.get_or_insert(failure);
            }
        }
        failed.map_or(Ok(()), Err)
    }

    async fn of_repository(
        &self,
        github: &GitHub,
        row: &RepositoryRow,
        address: &GitHubAddress,
        now: Timestamp,
    ) -> Result<(), Failure> {
        self.issues(github, row, address, now).await?;
        self.labels(github, row, address, now).await
    }

    /// Has labels made again that somebody deleted: without its label a command can't be given.
    async fn labels(
        &self,
        github: &GitHub,
        row: &RepositoryRow,
        address: &GitHubAddress,
        now: Timestamp,
    ) -> Result<(), Failure> {
        if row.labelled_at == Timestamp::UNIX_EPOCH || row.is_shadow(now) {
            return Ok(());
        }
        if !github.missing_labels(address, &labels()).await?.is_empty() {
            store::repositories::record_labelled(&self.store, row.repository.id, Timestamp::UNIX_EPOCH).await?;
            store::jobs::enqueue(&self.store, Job::Write(address.installation), now, now).await?;
        }
        Ok(())
    }

    /// Asks for the webhooks again that never arrived: GitHub does not repeat them by itself. Those
    /// that arrived under the same id meanwhile change nothing.
    ///
    /// # Errors
    /// There are more ([`Failure::Again`]); GitHub or the database is out of reach.
    pub async fn redeliver(&self, now: Timestamp) -> Result<(), Failure> {
        let Some(github) = self.github_app.github() else { return Ok(()) };
        let looked_at = store::meta::by_name(&self.store, LOOKED_UNTIL)
            .await?
            .and_then(|text| text.parse().ok())
            .map_or(Timestamp::UNIX_EPOCH, Timestamp::from_millis);
        // Later than now: the clock was set back meanwhile.
        let since = looked_at.min(now).max(now - REDELIVERABLE);
        let tries = match github.hook_deliveries(since).await {
            Ok(tries) => tries,
            // A server that is not GitHub's own may not know of them: then what is lost stays lost,
            // as it does without asking.
            Err(error) if error.is_permanent() => {
                tracing::info!(%error, "lost webhooks can't be asked for");
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        };
        let lost = self.lost(&tries).await?;
        let theirs = github.clock().unwrap_or(now);
        let are_more = self.ask_again(&github, &lost, theirs).await?;
        if lost.is_empty() {
            // Not later than GitHub has it: our clock may be ahead, and put right later.
            let until = theirs.min(now) - UNDER_WAY;
            store::meta::set(&self.store, LOOKED_UNTIL, &until.as_millis().to_string()).await?;
        }
        if are_more { Err(Failure::Again { at: now + NEXT_AFTER }) } else { Ok(()) }
    }

    /// The tries of each webhook that never arrived, in the order in which they happened.
    async fn lost<'a>(&self, tries: &'a [HookDelivery]) -> Result<Vec<Vec<&'a HookDelivery>>, Failure> {
        let mut all: BTreeMap<&str, Vec<&HookDelivery>> = BTreeMap::new();
        for delivery in tries.iter().filter(|delivery| HEEDED.contains(&delivery.event.as_str())) {
            all.entry(&delivery.guid).or_default().push(delivery);
        }
        let mut lost = Vec::new();
        for (guid, tries) in all {
            if !tries.iter().any(|delivery| delivery.is_delivered) && !store::hooks::exists(&self.store, guid).await? {
                lost.push(tries);
            }
        }
        lost.sort_by_key(|tries| tries.iter().map(|delivery| delivery.id).min());
        Ok(lost)
    }

    /// Asks for the latest try of each webhook that was not tried too often, nor asked for lately;
    /// whether there are more than at one time.
    async fn ask_again(
        &self,
        github: &GitHub,
        lost: &[Vec<&HookDelivery>],
        theirs: Timestamp,
    ) -> Result<bool, Failure> {
        let up_to = store::meta::by_name(&self.store, ASKED_UP_TO).await?.and_then(|text| text.parse().ok());
        let after: u64 = up_to.unwrap_or_default();
        // The latest stands first.
        let is_due = |latest: &&HookDelivery, tries: usize| {
            let was_asked_for = tries > 1 && theirs.is_within(ASKED_AGAIN_AFTER, latest.at);
            tries < MOST_TRIES && !was_asked_for && latest.id > after
        };
        let mut due: Vec<&HookDelivery> = lost
            .iter()
            .map(|tries| (tries[0], tries.len()))
            .filter(|(it, n)| is_due(it, *n))
            .map(|(it, _)| it)
            .collect();
        due.sort_by_key(|latest| latest.id);
        let are_more = due.len() > AT_A_TIME;
        due.truncate(AT_A_TIME);
        for latest in &due {
            match github.redeliver(latest.id).await {
                Ok(()) => {}
                Err(error) if error.is_permanent() => {
                    tracing::warn!(guid = latest.guid, %error, "a lost webhook can't be had again");
                }
                Err(error) => return Err(error.into()),
            }
        }
        if !due.is_empty() {
            tracing::info!(asked = due.len(), are_more, "asked GitHub for webhooks that did not arrive");
        }
        let up_to = due.last().filter(|_| are_more).map_or(0, |latest| latest.id);
        store::meta::set(&self.store, ASKED_UP_TO, &up_to.to_string()).await?;
        Ok(are_more)
    }
}
