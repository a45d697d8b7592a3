//! Whether this server does its work: a write is tried, and it is looked for what else stops it, as
//! often as is useful and no oftener, whoever asks.

mod clocks;
mod jobs;
mod mirrors;
mod trial;

pub use clocks::{Clocks, of_github};
pub use jobs::Waits;
pub use mirrors::MirrorsSeen;
pub use trial::Down;

use super::github_app::GitHubApp;
use super::{Crew, log_store_error};
use clocks::ClockFault;
use domain::finding::Finding;
use domain::timestamp::Timestamp;
use jiff::SignedDuration;
use mirror::Mirrors;
use mirrors::MirrorRound;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use store::Store;

/// How long an answer is given again: strangers may ask, and each new one costs a write. Those who
/// direct traffic ask every few seconds.
const KEPT: SignedDuration = SignedDuration::from_secs(5);
/// The same where reports can't be taken: who is back is to have traffic again soon.
const KEPT_DOWN: SignedDuration = SignedDuration::from_secs(1);
/// How long rows that say what else is wrong are waited for: the answer is worth more without them.
const READ_WITHIN: Duration = Duration::from_secs(1);
/// How long mirrors are read for one answer; the next one goes on with the next of them, as there
/// may be thousands.
const SLICE: Duration = Duration::from_millis(250);
/// How long they are read where somebody wants to know of all.
const WHOLE: Duration = Duration::from_secs(10);

/// Looks at what stops a server. All clones share what was seen last.
#[derive(Clone)]
pub struct Readiness {
    store: Store,
    github_app: GitHubApp,
    mirrors: MirrorRound,
    crew: Crew,
    latest: Arc<Mutex<Option<Latest>>>,
    /// Held by who looks; the others wait for what they see.
    looking: Arc<tokio::sync::Mutex<()>>,
}

/// What was seen, and when.
type Latest = (Timestamp, Arc<Seen>);

/// What was seen.
pub struct Seen {
    /// Why reports can't be taken: traffic had better go elsewhere. All else leaves a server of
    /// use.
    pub down: Option<Down>,
    /// Jobs that wait, run or are held for too long. `None`: the database did not say.
    pub waits: Option<Waits>,
    /// Workers that do not run.
    crew: Option<Finding>,
    /// What is wrong with the clock by the database.
    clocks: Vec<ClockFault>,
    /// What is wrong with it by GitHub's.
    github_clock: Option<ClockFault>,
    /// The mirrors.
    pub mirrors: MirrorsSeen,
}

impl Readiness {
    /// Has seen nothing yet.
    pub fn new(store: Store, mirrors: Mirrors, github_app: GitHubApp, crew: Crew) -> Self {
        let mirrors = MirrorRound::new(mirrors);
        Self { store, github_app, mirrors, crew, latest: Arc::default(), looking: Arc::default() }
    }

    /// What was seen within the last seconds.
    pub async fn recent(&self, clocks: Clocks) -> Arc<Seen> {
        if let Some(seen) = self.kept(clocks.now) {
            return seen;
        }
        // In a task of its own: whoever asks and does not wait for the answer must not have the
        // next one begin anew.
        let this = self.clone();
        let looked = tokio::spawn(async move {
            let _looking = this.looking.lock().await;
            if let Some(seen) = this.kept(clocks.now) {
                return seen;
            }
            let seen = Arc::new(this.look(clocks, SLICE).await);
            *this.latest.lock().unwrap_or_else(PoisonError::into_inner) = Some((clocks.now, Arc::clone(&seen)));
            seen
        });
        match looked.await {
            Ok(seen) => seen,
            Err(ended) => Arc::new(Seen::unseen(Down::panicked(&ended))),
        }
    }

    /// Looks anew, at all mirrors as far as there is time for them: for somebody who has asked what
    /// is wrong.
    pub async fn examine(&self, clocks: Clocks) -> Seen {
        self.look(clocks, WHOLE).await
    }

    fn kept(&self, now: Timestamp) -> Option<Arc<Seen>> {
        let latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, seen) = latest.as_ref()?;
        let life = if seen.down.is_some() { KEPT_DOWN } else { KEPT };
        now.is_within(life, *at).then(|| Arc::clone(seen))
    }

    async fn look(&self, clocks: Clocks, reading: Duration) -> Seen {
        let rows = async {
            if let Some(down) = trial::write(&self.store, clocks.now).await {
                return (Some(down), None, Vec::new());
            }
            let waits = jobs::waits(&self.store, clocks.now);
            let faults = clocks::of_database(&self.store, clocks);
            let (waits, faults) =
                tokio::join!(tokio::time::timeout(READ_WITHIN, waits), tokio::time::timeout(READ_WITHIN, faults));
            (None, self.said(waits), self.said(faults).unwrap_or_default())
        };
        // Before anything is waited for: this machine's clock was read a moment ago.
        let theirs = self.github_app.get().and_then(|app| app.github.clock());
        let github_clock = theirs.and_then(|theirs| of_github(theirs, clocks.machine));
        let ((down, waits, faults), mirrors) = tokio::join!(rows, self.mirrors.look(reading));
        Seen { down, waits, crew: self.crew.finding(), clocks: faults, github_clock, mirrors }
    }

    /// What the database said, if it did in time.
    fn said<T, E>(&self, answer: Result<Result<T, store::StoreError>, E>) -> Option<T> {
        match answer.ok()? {
            Ok(said) => Some(said),
            Err(error) => {
                log_store_error(&self.store, &error, "what waits could not be looked at");
                None
            }
        }
    }
}

impl Seen {
    fn unseen(down: Down) -> Self {
        let mirrors = MirrorsSeen::default();
        Self { down: Some(down), waits: None, crew: None, clocks: Vec::new(), github_clock: None, mirrors }
    }

    /// What is wrong beside, a sentence each, for anybody: no repository is named.
    pub fn warnings(&self) -> Vec<String> {
        let findings = self.work().into_iter().chain(self.time()).chain(self.github_time());
        findings.map(|finding| format!("{}: {}", finding.about, finding.what)).chain(self.mirrors.warnings()).collect()
    }

    /// What is wrong with the background work.
    pub fn work(&self) -> Vec<Finding> {
        self.crew.iter().cloned().chain(self.waits.iter().flat_map(Waits::findings)).collect()
    }

    /// What is wrong with the clock by the database.
    pub fn time(&self) -> Vec<Finding> {
        self.clocks.iter().map(ClockFault::finding).collect()
    }

    /// What is wrong with it by GitHub's latest answer.
    pub fn github_time(&self) -> Option<Finding> {
        self.github_clock.as_ref().map(ClockFault::finding)
    }
}
