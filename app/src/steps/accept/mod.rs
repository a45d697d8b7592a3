//! The hot path: a report is answered when it is durable, and a repeat costs a share of one
//! transaction.

mod budget;
mod recent;
mod taken_ids;
mod writer;

use crate::services::{Counts, Epoch, Panic, RulesOf, ScrubRules, Wake, log_store_error};
use budget::Budgets;
use domain::buckets::Taken;
use domain::fingerprint::Fingerprint;
use domain::ids::{IngestKeyId, RepositoryId};
use domain::report::Report;
use domain::scrub::{Rules, scrub_and_cut, scrub_name};
use domain::timestamp::Timestamp;
use jiff::SignedDuration;
use recent::Recent;
use std::borrow::Cow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use store::fingerprints::KnownFingerprint;
use store::ingest_keys::{Caller, IngestAuth, USE_NOTED_EVERY};
use store::intake::{Admitted, Arrival, Facets};
use store::pack::pack;
use store::{Store, StoreError};
use taken_ids::TakenIds;
pub use taken_ids::{Begun, IdMark, UnderWay};
use tokio::sync::{mpsc, oneshot};
use writer::{Insert, Told, Waiting, write_on};

/// Reports that wait for the writer. A request beyond waits for its turn: SDKs lose what is
/// refused.
const QUEUE: usize = 4096;
/// Fingerprints remembered in each half of the memory, about 100 bytes each.
const REMEMBERED_FINGERPRINTS: usize = 50_000;
/// Keys remembered in each half of the memory.
const REMEMBERED_AUTHS: usize = 10_000;
/// How often a line's latest traceback is renewed: the first report of a fingerprint after this is
/// taken whole, which costs a hundred times what a repeat does. What another process changed (a key
/// revoked, a rule made) turns the epoch within a second, and holds no later than after this.
const MEMORY_LIFE: SignedDuration = SignedDuration::from_mins(1);

/// The intake of reports.
#[derive(Clone)]
pub struct Accept {
    store: Store,
    queue: mpsc::Sender<Waiting>,
    /// By key, too: another key's first report of a fingerprint is looked up, so that what came by
    /// one key alone is known.
    fingerprints: Arc<Mutex<Recent<(IngestKeyId, Fingerprint), Remembered>>>,
    budgets: Arc<Budgets>,
    auths: Arc<Mutex<IngestAuths>>,
    scrub_rules: ScrubRules,
    ids: Arc<TakenIds>,
    epoch: Epoch,
}

type IngestAuths = Recent<(RepositoryId, String), (IngestAuth, Stamp)>;

/// When something was remembered.
#[derive(Clone, Copy, Debug)]
struct Stamp {
    epoch: u64,
    at: Timestamp,
}

#[derive(Clone, Copy, Debug)]
struct Remembered {
    known: KnownFingerprint,
    stamp: Stamp,
}

/// Who may come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    /// The key is one of the project's.
    Open(IngestAuth),
    /// The key was one of the project's until then.
    Revoked(Timestamp),
    /// There is such a project, but the key is not one of its keys.
    WrongKey,
    /// There is no such project.
    NoProject,
}

/// What is already known of a report's fingerprint.
#[derive(Clone, Copy, Debug)]
pub struct Recollection {
    known: Option<KnownFingerprint>,
    /// The whole report is wanted; otherwise it is only counted.
    pub wants_report: bool,
    /// What was taken of the key's budget for it.
    charge: Option<Taken>,
}

/// What is counted of a report.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Occurrence {
    /// How many occurrences it stands for, at least 1.
    pub count: u64,
    /// Host name; empty where unknown.
    pub server: String,
    /// Environment; empty where unknown.
    pub environment: String,
}

/// Why a report was not taken.
#[derive(Clone, Debug, thiserror::Error)]
pub enum AcceptError {
    /// The database could not take it.
    #[error("the report could not be stored: {0}")]
    Store(#[source] Arc<StoreError>),
    /// The key brought more kinds of errors that were never seen before than its budget has.
    #[error("the key brought too many kinds of errors that were never seen before; what was seen before is counted")]
    OverBudget {
        /// Until the budget has grown by one.
        after: SignedDuration,
    },
    /// The server panicked over it, or over one that was to be stored with it.
    #[error("the report could not be stored: the server made a mistake, which its log names")]
    Panicked(#[source] Panic),
    /// The server is stopping.
    #[error("the server is stopping")]
    Stopping,
}

impl From<StoreError> for AcceptError {
    fn from(error: StoreError) -> Self {
        Self::Store(Arc::new(error))
    }
}

impl Accept {
    /// Begins to accept reports, of which each key without a budget of its own may bring so many
    /// new kinds. The writer ends when the last clone of what this returns is dropped, after it has
    /// worked off its queue.
    pub fn open(
        store: Store,
        epoch: Epoch,
        wake: Wake,
        counts: Counts,
        key_budget: u32,
    ) -> (Self, tokio::task::JoinHandle<()>) {
        let (sender, receiver) = mpsc::channel(QUEUE);
        let accept = Self {
            store: store.clone(),
            queue: sender,
            fingerprints: Arc::new(Mutex::new(Recent::new(REMEMBERED_FINGERPRINTS))),
            budgets: Arc::new(Budgets::new(key_budget)),
            auths: Arc::new(Mutex::new(Recent::new(REMEMBERED_AUTHS))),
            scrub_rules: ScrubRules::default(),
            ids: Arc::new(TakenIds::new()),
            epoch,
        };
        let insert: Insert = Box::new(move |batch, memory| {
            let store = store.clone();
            Box::pin(async move {
                store::intake::insert_batch(&store, batch, memory).await.inspect_err(|error| {
                    log_store_error(&store, error, "reports could not be stored and were refused");
                })
            })
        });
        let writer = tokio::spawn(write_on(receiver, Told { wake, counts }, insert));
        (accept, writer)
    }

    /// Checks a key.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn enter(&self, project: RepositoryId, key: &str, now: Timestamp) -> Result<Entry, AcceptError> {
        let stamp = Stamp { epoch: self.epoch.now(), at: now };
        let name = (project, key.to_owned());
        if let Some((auth, remembered)) = lock(&self.auths).get(&name)
            && remembered.fresh(stamp)
        {
            return Ok(Entry::Open(auth));
        }
        // Boxed: what has the room for it costs each report whose key is remembered.
        let asked = Box::pin(store::ingest_keys::caller(&self.store, project, key)).await;
        let caller = asked.inspect_err(|error| {
            log_store_error(&self.store, error, "a key could not be checked, and a report was refused");
        });
        Ok(match caller? {
            Caller::Admitted { auth, last_used_at } => {
                lock(&self.auths).put(name, (auth, stamp));
                if last_used_at.is_none_or(|at| !now.is_within(USE_NOTED_EVERY, at))
                    && let Err(error) = Box::pin(store::ingest_keys::record_use(&self.store, key, now)).await
                {
                    // Only the last use that a page shows is older for it.
                    tracing::warn!(%error, "the use of a key could not be noted");
                }
                Entry::Open(auth)
            }
            Caller::Revoked(at) => Entry::Revoked(at),
            Caller::WrongKey => Entry::WrongKey,
            Caller::NoProject => Entry::NoProject,
        })
    }

    /// What is remembered of a report's fingerprint. What is not is charged to the key's budget,
    /// until it turns out to be known.
    ///
    /// # Errors
    /// The fingerprint is new, and the budget is used up; or the database is out of reach.
    pub async fn recall(
        &self,
        auth: IngestAuth,
        fingerprint: Fingerprint,
        now: Timestamp,
    ) -> Result<Recollection, AcceptError> {
        if let Some(remembered) = self.recall_at_once(auth, fingerprint, now) {
            return Ok(remembered);
        }
        let charged = self.budgets.take(auth.key, auth.limits.budget, now);
        if let Err(after) = charged
            && store::fingerprints::state_of(&self.store, auth.id, &fingerprint.to_hex()).await?.is_none()
        {
            return Err(AcceptError::OverBudget { after });
        }
        Ok(Recollection { known: None, wants_report: true, charge: charged.ok() })
    }

    /// What is remembered of a report's fingerprint, where anything is.
    pub fn recall_at_once(&self, auth: IngestAuth, fingerprint: Fingerprint, now: Timestamp) -> Option<Recollection> {
        let known = self.remembered(auth, fingerprint, now)?;
        Some(Recollection { known: Some(known), wants_report: false, charge: None })
    }

    fn remembered(&self, auth: IngestAuth, fingerprint: Fingerprint, now: Timestamp) -> Option<KnownFingerprint> {
        let stamp = Stamp { epoch: self.epoch.now(), at: now };
        let remembered = lock(&self.fingerprints).get(&(auth.key, fingerprint))?;
        let holds = remembered.known.holds(auth.code_generation, auth.rules_generation, now);
        (remembered.stamp.fresh(stamp) && holds).then_some(remembered.known)
    }

    /// What the id of a report comes to, 32 digits that its client chose; `None`: it says nothing.
    pub fn mark(&self, key: IngestKeyId, id: &str) -> Option<IdMark> {
        self.ids.mark(key, id)
    }

    /// Begins a report with this id, unless one was taken or is under way.
    pub fn begin(&self, mark: IdMark, now: Timestamp) -> Begun {
        self.ids.begin(mark, now)
    }

    /// The same once none with this id is under way. `None`: one was taken.
    pub async fn begin_after_others(&self, mark: IdMark, now: Timestamp) -> Option<UnderWay> {
        self.ids.begin_after_others(mark, now).await
    }

    /// Takes a report; returns when it is durable. `report` where
    /// [`Recollection::wants_report`] asked for it. Its id is taken once it is, also where nobody
    /// waits for it any more.
    ///
    /// # Errors
    /// The database could not take it.
    pub async fn take(
        &self,
        auth: IngestAuth,
        (fingerprint, recollection): (Fingerprint, Recollection),
        occurrence: Occurrence,
        report: Option<Box<Report>>,
        id: Option<UnderWay>,
        now: Timestamp,
    ) -> Result<(), AcceptError> {
        let epoch = self.epoch.now();
        let mut charge = recollection.charge;
        let count = occurrence.count.max(1);
        let admitted = async {
            let (body, rules) = match report {
                // Boxed: what has the room for it costs each repeat.
                Some(report) => Box::pin(self.without_secrets(auth, report)).await?,
                // Its first report brought the rules along.
                None => (None, self.scrub_rules.remembered(auth.id)),
            };
            let facets = facets_of(occurrence, &rules);
            if let (Some(charge), Some(body)) = (&mut charge, &body) {
                *charge = self.budgets.take_for(auth.key, *charge, body.len(), now);
            }
            let arrival = Arrival {
                repository: auth.id,
                key: auth.key,
                fingerprint,
                code_generation: auth.code_generation,
                rules_generation: auth.rules_generation,
                count,
                at: now,
                facets,
                known: recollection.known,
                body,
            };
            self.write(arrival, id).await
        };
        let admitted = admitted.await;
        // What could not be stored is nothing new either: an outage must not use a budget up. Who
        // hangs up before is not here any more, and pays.
        if let Some(charge) = charge
            && !admitted.as_ref().is_ok_and(|admitted| admitted.is_new)
        {
            self.budgets.give_back(auth.key, charge);
        }
        let known = admitted?.known;
        let is_news = recollection.known.is_none_or(|before| before != known);
        if is_news {
            let stamp = Stamp { epoch, at: now };
            lock(&self.fingerprints).put((auth.key, fingerprint), Remembered { known, stamp });
        }
        Ok(())
    }

    /// What is stored of a report: secrets are taken out before anything is written, by these
    /// rules.
    async fn without_secrets(
        &self,
        auth: IngestAuth,
        report: Box<Report>,
    ) -> Result<(Option<Vec<u8>>, RulesOf), AcceptError> {
        let rules = self.scrub_rules.current(&self.store, auth).await?;
        let body = scrubbed(auth.id, report, rules.clone()).await?;
        Ok((Some(body), rules))
    }

    /// Hands it to the writer, and waits until it is durable.
    async fn write(&self, arrival: Arrival, id: Option<UnderWay>) -> Result<Admitted, AcceptError> {
        let (answer, receiver) = oneshot::channel();
        self.queue.send(Waiting { arrival, id, answer }).await.map_err(|_| AcceptError::Stopping)?;
        receiver.await.map_err(|_| AcceptError::Stopping)?
    }
}

impl Stamp {
    fn fresh(self, now: Self) -> bool {
        self.epoch == now.epoch && now.at.is_within(MEMORY_LIFE, self.at)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing under these locks can panic half-way, so a poisoned one holds what it should.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What is counted of a report, without secrets: of that, too, they are taken out before it is
/// written.
fn facets_of(occurrence: Occurrence, rules: &Rules) -> Facets {
    let hidden = |name: String| match scrub_name(&name, rules) {
        Cow::Owned(hidden) => hidden,
        Cow::Borrowed(_) => name,
    };
    Facets { server: hidden(occurrence.server), environment: hidden(occurrence.environment) }
}

/// A report without its secrets, packed. Large ones, and the patterns of some settings, take longer
/// than others on this thread should wait.
async fn scrubbed(repository: RepositoryId, mut report: Box<Report>, rules: RulesOf) -> Result<Vec<u8>, AcceptError> {
    let work = move || (scrub_and_cut(&mut report, &rules), pack("reports.body", &*report));
    let (is_whole, packed) = match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(ended) => match ended.try_into_panic() {
            Ok(payload) => std::panic::resume_unwind(payload),
            Err(_) => return Err(AcceptError::Stopping),
        },
    };
    if !is_whole {
        tracing::warn!(
            %repository,
            "the scrub.patterns of the settings take too much on a report, so texts of it were hidden; \
             write patterns that do not read on to the end of a text, as .* does"
        );
    }
    Ok(packed?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::key_limits::KeyLimits;

    #[tokio::test]
    async fn what_could_not_be_stored_is_given_back_to_the_budget() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&format!("sqlite://{}/test.db", folder.path().display())).await.unwrap();
        let (epoch, wake) = (Epoch::default(), Wake::default());
        let counts = Counts::new(store.clone(), wake.clone());
        let (mut accept, _writer) = Accept::open(store, epoch, wake, counts, 1);
        let (queue, mut waiting) = mpsc::channel(QUEUE);
        accept.queue = queue;
        let auth = IngestAuth {
            id: RepositoryId(1),
            key: IngestKeyId(1),
            folder: None,
            limits: KeyLimits::default(),
            code_generation: 0,
            rules_generation: 0,
        };
        let refuses = async {
            while let Some(Waiting { answer, .. }) = waiting.recv().await {
                let full: Box<dyn std::error::Error + Send + Sync> = "the disk is full".into();
                let _ = answer.send(Err(StoreError::from(sqlx::Error::Configuration(full)).into()));
            }
        };
        let sends = async {
            for _ in 0..3 {
                let now = Timestamp::from_seconds(1_000_000);
                let fingerprint = Fingerprint([1; 16]);
                let recollection = accept.recall(auth, fingerprint, now).await.expect("the budget is whole");
                let taken =
                    accept.take(auth, (fingerprint, recollection), Occurrence::default(), None, None, now).await;
                assert!(matches!(taken, Err(AcceptError::Store(_))), "{taken:?}");
            }
        };
        tokio::select! {
            () = refuses => unreachable!("the queue is open"),
            () = sends => {}
        }
    }
}
