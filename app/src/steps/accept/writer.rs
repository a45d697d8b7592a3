//! The writer: all that arrives while one transaction is made durable goes into the next.

use super::{AcceptError, UnderWay};
use crate::services::{Counts, Wake, begin_anew_after, caught};
use std::pin::Pin;
use store::StoreError;
use store::intake::{Admitted, Arrival, WriterMemory};
use tokio::sync::{mpsc, oneshot};

/// Reports of one transaction: at most what is worked off within some 10 ms.
const BATCH: usize = 1024;

/// How often the writer lets others go first before it writes, while that brings more. It waits for
/// no moment and no disk by that: who has work to do does it, and who has none costs microseconds.
const LET_PASS: usize = 2;

/// A report, and who waits until it is durable.
pub(super) struct Waiting {
    pub(super) arrival: Arrival,
    /// Its id, where it has one.
    pub(super) id: Option<UnderWay>,
    pub(super) answer: oneshot::Sender<Result<Admitted, AcceptError>>,
}

/// Writes a batch: [`store::intake::insert_batch`].
pub(super) type Insert = Box<dyn for<'a> FnMut(&'a [Arrival], &'a mut WriterMemory) -> Inserting<'a> + Send>;
type Inserting<'a> = Pin<Box<dyn Future<Output = Result<Vec<Admitted>, StoreError>> + Send + 'a>>;

/// Who is told of what was written.
pub(super) struct Told {
    /// The workers, of a job.
    pub(super) wake: Wake,
    /// Whoever folds, of what was counted.
    pub(super) counts: Counts,
}

/// Writes what has arrived until nothing more can, whatever panics: it is the one task that all
/// reports wait for.
pub(super) async fn write_on(mut queue: mpsc::Receiver<Waiting>, told: Told, mut insert: Insert) {
    while let Err(panic) = caught(write(&mut queue, &told, &mut insert)).await {
        begin_anew_after(&panic, "what writes reports").await;
    }
}

/// Writes what has arrived, again and again: while one transaction is being made durable, the next
/// batch gathers.
async fn write(queue: &mut mpsc::Receiver<Waiting>, told: &Told, insert: &mut Insert) {
    let mut memory = WriterMemory::default();
    let mut waiting = Vec::with_capacity(BATCH);
    while queue.recv_many(&mut waiting, BATCH).await > 0 {
        gather(queue, &mut waiting).await;
        let apart = |Waiting { arrival, id, answer }| (arrival, (id, answer));
        let (batch, answers): (Vec<Arrival>, Vec<_>) = waiting.drain(..).map(apart).unzip();
        let has_news = batch.iter().any(|arrival| arrival.known.is_none());
        // A panic refuses this batch, and no other.
        let inserted = match caught(insert(&batch, &mut memory)).await {
            Ok(inserted) => inserted.map_err(AcceptError::from),
            Err(panic) => Err(AcceptError::Panicked(panic)),
        };
        match inserted {
            Ok(admitted) => {
                for ((id, answer), admitted) in answers.into_iter().zip(admitted) {
                    if let Some(id) = id {
                        id.taken();
                    }
                    // A client that hung up does not wait for its answer; its report is stored all
                    // the same.
                    let _ = answer.send(Ok(admitted));
                }
                told.counts.look();
                if has_news {
                    told.wake.notify_one();
                }
            }
            Err(error) => {
                if let AcceptError::Panicked(panic) = &error {
                    tracing::error!(%panic, reports = answers.len(), "reports could not be stored and were refused");
                    // What was remembered as written may not have been.
                    memory = WriterMemory::default();
                }
                for (id, answer) in answers {
                    // Whoever is told may send it again at once.
                    drop(id);
                    let _ = answer.send(Err(error.clone()));
                }
            }
        }
    }
}

/// Takes those along that are being read just now. A batch costs as much as several reports,
/// and who were answered together send their next ones at about the same time: without this, the
/// first of them is a batch by itself, again and again.
async fn gather(queue: &mut mpsc::Receiver<Waiting>, waiting: &mut Vec<Waiting>) {
    for _ in 0..LET_PASS {
        let before = waiting.len();
        tokio::task::yield_now().await;
        while waiting.len() < BATCH
            && let Ok(next) = queue.try_recv()
        {
            waiting.push(next);
        }
        if waiting.len() == before {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::fingerprint::Fingerprint;
    use domain::ids::{FingerprintId, IngestKeyId, RepositoryId};
    use domain::timestamp::Timestamp;
    use std::sync::{Arc, Mutex};
    use store::Store;
    use store::fingerprints::{FingerprintState, KnownFingerprint};
    use store::intake::Facets;

    /// Panics over the first batch, and takes all others.
    fn panics_first() -> Insert {
        let mut batches = 0;
        Box::new(move |batch, _| {
            batches += 1;
            let (first, count) = (batches == 1, batch.len());
            Box::pin(async move {
                assert!(!first, "a fault of the program");
                Ok(vec![Admitted { known: known(), is_new: false }; count])
            })
        })
    }

    #[tokio::test]
    async fn a_panic_over_one_batch_refuses_it_and_no_other() {
        let (sender, receiver) = mpsc::channel(8);
        let writer = tokio::spawn(write_on(receiver, told().await, panics_first()));
        let send = async || {
            let (answer, answered) = oneshot::channel();
            sender.send(waiting(answer)).await.unwrap();
            answered.await.expect("an answer")
        };
        assert!(matches!(send().await, Err(AcceptError::Panicked(_))));
        assert_eq!(send().await.unwrap().known, known(), "the writer goes on");
        drop(sender);
        writer.await.unwrap();
    }

    /// Sends a report, and has this done once that is handed over.
    async fn send(sender: mpsc::Sender<Waiting>, then: impl FnOnce(mpsc::Sender<Waiting>)) {
        let (answer, answered) = oneshot::channel();
        sender.send(waiting(answer)).await.unwrap();
        then(sender);
        answered.await.expect("an answer").unwrap();
    }

    #[tokio::test]
    async fn who_is_being_read_comes_along_and_nobody_else_is_waited_for() {
        let (sender, receiver) = mpsc::channel(64);
        let batches = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&batches);
        let insert: Insert = Box::new(move |batch, _| {
            seen.lock().unwrap().push(batch.len());
            let admitted = vec![Admitted { known: known(), is_new: false }; batch.len()];
            Box::pin(async move { Ok(admitted) })
        });
        let writer = tokio::spawn(write_on(receiver, told().await, insert));
        // When the first one of each is taken, the second is ready to run, behind the writer.
        let sends_another = |sender| {
            tokio::spawn(send(sender, drop));
        };
        let sending: Vec<_> = (0..8).map(|_| tokio::spawn(send(sender.clone(), sends_another))).collect();
        for one in sending {
            one.await.unwrap();
        }
        send(sender, drop).await;
        writer.await.unwrap();
        assert_eq!(*batches.lock().unwrap(), [16, 1]);
    }

    struct BrokenLog;

    impl tracing::Subscriber for BrokenLog {
        fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
            true
        }

        fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
            tracing::span::Id::from_u64(1)
        }

        fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}

        fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}

        fn event(&self, _: &tracing::Event<'_>) {
            panic!("no log");
        }

        fn enter(&self, _: &tracing::span::Id) {}

        fn exit(&self, _: &tracing::span::Id) {}
    }

    #[tokio::test]
    async fn a_log_that_panics_does_not_end_the_writer() {
        let _log = tracing::subscriber::set_default(BrokenLog);
        // With a single one, tracing asks the log of whichever thread comes by first, and another
        // test's has none.
        let _second = tracing::Dispatch::new(BrokenLog);
        let (sender, receiver) = mpsc::channel(8);
        let writer = tokio::spawn(write_on(receiver, told().await, panics_first()));
        let (answer, answered) = oneshot::channel();
        sender.send(waiting(answer)).await.unwrap();
        assert!(answered.await.is_err(), "whoever waits is told that nothing was stored");
        let (answer, answered) = oneshot::channel();
        sender.send(waiting(answer)).await.unwrap();
        assert_eq!(answered.await.expect("an answer").unwrap().known, known(), "the writer goes on");
        drop(sender);
        writer.await.unwrap();
    }

    async fn told() -> Told {
        let wake = Wake::default();
        let store = Store::open("sqlite::memory:").await.unwrap();
        Told { counts: Counts::new(store, wake.clone()), wake }
    }

    fn known() -> KnownFingerprint {
        KnownFingerprint {
            id: FingerprintId(1),
            state: FingerprintState::Dropped,
            pinned: false,
            code_generation: 0,
            rules_generation: 0,
            recheck_at: None,
        }
    }

    fn waiting(answer: oneshot::Sender<Result<Admitted, AcceptError>>) -> Waiting {
        Waiting { arrival: arrival(), id: None, answer }
    }

    fn arrival() -> Arrival {
        Arrival {
            repository: RepositoryId(1),
            key: IngestKeyId(1),
            fingerprint: Fingerprint([1; 16]),
            code_generation: 0,
            rules_generation: 0,
            count: 1,
            at: Timestamp::UNIX_EPOCH,
            facets: Facets::default(),
            known: None,
            body: None,
        }
    }
}
