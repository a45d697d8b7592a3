//! Which job a worker takes next, and beside whom.

use super::*;
use crate::config::Config;
use crate::wiring::Handles;
use std::collections::BTreeMap;

/// A worker, its database, and a folder for both.
async fn worker() -> (tempfile::TempDir, Store, Worker, Timestamp) {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().display().to_string();
    let settings = BTreeMap::from([("DATA_DIR".to_owned(), data)]);
    let clock = Clock::fixed(Timestamp::from_seconds(1_000));
    let (handles, _) = Handles::open(&Config::from_parts(None, settings).unwrap(), &clock).await.unwrap();
    (folder, handles.store.clone(), handles.worker(clock.clone()), clock.now())
}

/// A job that ran when the process ended.
async fn suspect(store: &Store, now: Timestamp) {
    store::jobs::enqueue(store, Job::Reconcile, now, now).await.unwrap();
    store::jobs::claim(store, Among::Ordinary, LEASE, now).await.unwrap().expect("a job");
    store::jobs::release_all(store).await.unwrap();
}

#[tokio::test]
async fn what_killed_before_is_taken_alone_as_soon_as_the_others_are_done() {
    let (_folder, store, worker, now) = worker().await;
    suspect(&store, now).await;
    let other = worker.held.shared().await;
    assert!(worker.next(Waiting::No).await.unwrap().is_none(), "another job is under way");
    let (next, ()) = tokio::join!(worker.next(Waiting::ForAMoment), async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        drop(other);
    });
    let next = next.unwrap().expect("the others ended meanwhile");
    let [claim] = next.claims.as_slice() else { panic!("{:?}", next.claims) };
    assert_eq!((claim.job, claim.deaths), (Job::Reconcile, 1));
    assert!(matches!(next.place, Place::Alone { .. }), "and nobody begins beside it");
}

#[tokio::test]
async fn a_job_whose_end_could_not_be_written_is_put_back_without_blame() {
    let (_folder, store, worker, now) = worker().await;
    store::jobs::enqueue(&store, Job::Reconcile, now, now).await.unwrap();
    let mut next = worker.next(Waiting::No).await.unwrap().expect("a job");
    let claim = next.claims.pop().expect("a job");
    worker.held.begin(&claim);
    drop(next);
    assert!(worker.next(Waiting::No).await.unwrap().is_none(), "it is under way");
    // The database was away just then.
    worker.held.end(claim, false);
    let again = worker.next(Waiting::No).await.unwrap().expect("the same").claims.pop().expect("a job");
    assert_eq!((again.job, again.deaths, again.attempts), (Job::Reconcile, 0, 2));
}
