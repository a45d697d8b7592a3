//! How reports are taken in.

use super::*;
use crate::config::Config;
use crate::server::budget::{Budget, Sender};
use crate::server::client::ClientGroup;
use crate::wiring::Handles;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::Path;
use store::repositories::NewRepository;

const NO_LIMITS: DefaultLimits = DefaultLimits { rate: 0, budget: 0 };

/// A way in, and a key.
struct Opened {
    handles: Handles,
    ingest: Arc<Ingest>,
    auth: IngestAuth,
    clock: Clock,
}

async fn open(folder: &Path) -> Opened {
    let settings = BTreeMap::from([("DATA_DIR".to_owned(), folder.display().to_string())]);
    let clock = Clock::fixed(Timestamp::from_seconds(1_000));
    let (handles, _) = Handles::open(&Config::from_parts(None, settings).unwrap(), &clock).await.unwrap();
    let url = "https://git.example/shop".to_owned();
    let new = NewRepository { full_name: "acme/shop".into(), clone_url: url, github: None, public: false };
    let project = handles.repositories().watch(&new, clock.now()).await.unwrap();
    let key = store::ingest_keys::in_force(&handles.store, project).await.unwrap().remove(0);
    let (accept, _writer) = handles.accept();
    let ingest = Arc::new(Ingest::new(accept, Arc::default(), handles.store.clone(), clock.clone(), NO_LIMITS));
    let auth = ingest.enter(project, &key, clock.now()).await.unwrap();
    Opened { handles, ingest, auth, clock }
}

#[tokio::test]
async fn a_large_report_waits_for_its_turn_and_a_small_one_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let Opened { ingest, auth, clock, .. } = open(folder.path()).await;
    let client = ClientGroup(IpAddr::from([192, 0, 2, 1]));
    let take = async |encoding: Option<&str>, body: Vec<u8>| {
        let held = Arc::<Budget>::default().open(Sender::Stranger(client));
        let (payload, now, encoding) = (Payload::Envelope, clock.now(), encoding.map(str::to_owned));
        let body = Bytes::from(body);
        ingest.take(IngestRequest { auth, payload, encoding, body, held, client, now }).await
    };
    let session = |length: usize| format!("{{}}\n{{\"type\":\"session\"}}\n{}\n", " ".repeat(length)).into_bytes();
    let of_another = IngestKeyId(auth.key.0 + 1);
    let mut turns = Vec::new();
    for _ in 0..LARGE_AT_ONCE {
        turns.push(ingest.large.take(of_another, client).await.unwrap());
    }
    assert!(matches!(take(None, session(1_000)).await, Ok(IngestOutcome::Ignored(None))));
    // Empty blocks of deflate, of which nothing comes out.
    let empty = [[0, 0, 0, 0xff, 0xff].repeat(INLINE_PACKED / 5 + 1), vec![1, 0, 0, 0xff, 0xff]].concat();
    let mut packed = std::pin::pin!(take(Some("deflate"), empty));
    assert!(timeout(Duration::from_millis(100), &mut packed).await.is_err(), "it takes long, too");
    let mut large = std::pin::pin!(take(None, session(INLINE)));
    assert!(timeout(Duration::from_millis(100), &mut large).await.is_err(), "others are being read");
    drop(turns);
    let taken = timeout(Duration::from_secs(10), large).await.expect("it is its turn");
    assert!(matches!(taken, Ok(IngestOutcome::Ignored(None))));
    assert!(matches!(timeout(Duration::from_secs(10), packed).await, Ok(Err(IngestError::Wire(_)))));
}

#[tokio::test]
async fn a_database_that_stands_still_is_answered_within_the_time_that_clients_wait() {
    let never = in_time(Duration::from_millis(20), std::future::pending()).await;
    assert!(matches!(never, Err(IngestError::Stalled)), "{never:?}");
    assert!(in_time(STORED_WITHIN, std::future::ready(Ok(()))).await.is_ok());
    assert!(STORED_WITHIN < Duration::from_secs(30), "as long as SDKs wait");
}

#[tokio::test]
async fn what_waits_for_the_database_counts_among_what_is_held() {
    let folder = tempfile::tempdir().unwrap();
    let opened = open(folder.path()).await;
    let Opened { handles, ingest, auth, .. } = &opened;
    let budget = Arc::<Budget>::default();
    let client = ClientGroup(IpAddr::from([192, 0, 2, 1]));
    let take = async |id: &str| {
        let body =
            format!("{{\"event_id\":\"{id}\",\"exception\":[{{\"type\":\"E\"}}],\"x\":\"{}\"}}", "x".repeat(5_000));
        let mut held = budget.open(Sender::Known(client));
        held.grow(body.len()).unwrap();
        let (payload, now, body) = (Payload::Event, opened.clock.now(), Bytes::from(body));
        ingest.take(IngestRequest { auth: *auth, payload, encoding: None, body, held, client, now }).await
    };
    // Somebody else has the turn to write, and keeps it.
    let writing = handles.store.begin().await.unwrap();
    let id = "a".repeat(32);
    let mut first = std::pin::pin!(take(&id));
    assert!(timeout(Duration::from_millis(100), &mut first).await.is_err(), "it waits");
    assert!(budget.held() > 5_000, "{}", budget.held());
    // Not durable yet: one that comes meanwhile is not answered as if it were.
    let mut second = std::pin::pin!(take(&id));
    assert!(timeout(Duration::from_millis(100), &mut second).await.is_err(), "it waits, too");
    drop(writing);
    let (first, second) = tokio::join!(first, second);
    assert!(matches!((first, second), (Ok(IngestOutcome::Taken { .. }), Ok(IngestOutcome::Resent(_)))));
    assert!(matches!(take(&id).await, Ok(IngestOutcome::Resent(again)) if again == id));
    assert_eq!(budget.held(), 0);
    // A repeat holds next to nothing while it waits.
    let writing = handles.store.begin().await.unwrap();
    let other = "b".repeat(32);
    let mut repeat = std::pin::pin!(take(&other));
    assert!(timeout(Duration::from_millis(100), &mut repeat).await.is_err(), "it waits");
    assert_eq!(budget.held(), 0);
    drop(writing);
    assert!(matches!(repeat.await, Ok(IngestOutcome::Taken { repeat: true, .. })));
    // Whoever hangs up may send it again: it is stored for all that, and counts once.
    let writing = handles.store.begin().await.unwrap();
    let given_up = "c".repeat(32);
    assert!(timeout(Duration::from_millis(100), take(&given_up)).await.is_err(), "it waits");
    let mut again = std::pin::pin!(take(&given_up));
    assert!(timeout(Duration::from_millis(100), &mut again).await.is_err(), "it is not known what becomes of that one");
    drop(writing);
    assert!(matches!(again.await, Ok(IngestOutcome::Resent(_))));
}

#[tokio::test]
async fn the_id_of_a_group_is_taken_with_all_its_members() {
    let folder = tempfile::tempdir().unwrap();
    let Opened { ingest, auth, clock, .. } = open(folder.path()).await;
    let client = ClientGroup(IpAddr::from([192, 0, 2, 1]));
    let member = |name: &str, id: u32| {
        let frame = format!("{{\"filename\":\"{name}.py\",\"function\":\"f\",\"lineno\":1}}");
        let mechanism = format!("{{\"type\":\"chained\",\"exception_id\":{id},\"parent_id\":0}}");
        format!("{{\"type\":\"{name}\",\"mechanism\":{mechanism},\"stacktrace\":{{\"frames\":[{frame}]}}}}")
    };
    let group = "{\"type\":\"ExceptionGroup\",\"mechanism\":{\"type\":\"generic\",\"exception_id\":0,\"is_exception_group\":true}}";
    let body = format!(
        "{{\"event_id\":\"{}\",\"platform\":\"python\",\"exception\":{{\"values\":[{},{},{group}]}}}}",
        "d".repeat(32),
        member("B", 2),
        member("A", 1)
    );
    let envelope = format!("{{}}\n{{\"type\":\"event\"}}\n{body}\n");
    let parsed = ingest.parse_envelope(auth, envelope.as_bytes(), clock.now()).await;
    assert!(matches!(parsed, Ok(Parsed::Report(report)) if report.members.len() == 1), "a group of two");
    let take = async || {
        let held = Arc::<Budget>::default().open(Sender::Known(client));
        let (payload, now, body) = (Payload::Event, clock.now(), Bytes::from(body.clone()));
        ingest.take(IngestRequest { auth, payload, encoding: None, body, held, client, now }).await
    };
    assert!(matches!(take().await, Ok(IngestOutcome::Taken { .. })));
    assert!(matches!(take().await, Ok(IngestOutcome::Resent(_))));
}
