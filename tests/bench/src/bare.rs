//! A handler that decompresses and reads the event and does nothing else: what the protocol alone
//! costs; and the same with each batch synced to the disk before it is answered: what is left for
//! a server that acknowledges nothing that can be lost.

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use std::os::unix::fs::FileExt as _;
use std::sync::mpsc;
use tokio::sync::oneshot;
use wire::encoding::{MAX_BODY, MAX_DECODED, decode};
use wire::{sentry, sentry_event};

/// Set to make this program the bare handler.
pub(crate) const ROLE: &str = "FLAWLESS_BENCH_ROLE";

/// The bare handler.
pub(crate) const BARE: &str = "bare";
/// The one that syncs.
pub(crate) const SYNCING: &str = "syncing";

/// What is written of a batch: a page, as a database has them.
const PAGE: usize = 4096;
/// Pages that are written in turns, so that the file does not grow.
const PAGES: u64 = 1000;

/// Who waits until what came in is on the disk; `None`: nobody does.
type Synced = Option<mpsc::Sender<oneshot::Sender<()>>>;

/// Serves until killed; prints where, as the server does.
pub(crate) fn serve(role: &str) {
    let synced = (role == SYNCING).then(sync_batches);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        println!("{}{}", crate::process::SAYS, listener.local_addr().unwrap().port());
        let router = Router::new().route("/api/{project}/envelope/", post(take)).with_state(synced);
        axum::serve(listener, router).await.unwrap();
    });
}

/// Syncs what has come in, again and again: while one batch is synced, the next one gathers.
fn sync_batches() -> mpsc::Sender<oneshot::Sender<()>> {
    let (sender, receiver) = mpsc::channel::<oneshot::Sender<()>>();
    // Beside the program, as the server's database is: other folders may be of memory only.
    let file = tempfile::tempfile_in(std::env::current_exe().unwrap().parent().unwrap()).unwrap();
    file.set_len(PAGES * PAGE as u64).unwrap();
    std::thread::spawn(move || {
        let mut page = 0;
        while let Ok(first) = receiver.recv() {
            let batch: Vec<oneshot::Sender<()>> = std::iter::once(first).chain(receiver.try_iter()).collect();
            file.write_all_at(&[1; PAGE], page * PAGE as u64).unwrap();
            file.sync_data().unwrap();
            page = (page + 1) % PAGES;
            for answer in batch {
                let _ = answer.send(());
            }
        }
    });
    sender
}

async fn take(State(synced): State<Synced>, headers: HeaderMap, body: Body) -> (StatusCode, String) {
    let body = axum::body::to_bytes(body, MAX_BODY).await.unwrap();
    let encoding = headers.get("content-encoding").and_then(|value| value.to_str().ok());
    let bytes = decode(encoding, &body, MAX_DECODED).unwrap();
    let envelope = sentry::envelope(&bytes).unwrap();
    let mut scratch = String::new();
    let event = sentry_event::parse(envelope.event.unwrap(), &mut scratch).unwrap();
    if let Some(synced) = synced {
        let (answer, answered) = oneshot::channel();
        synced.send(answer).unwrap();
        answered.await.unwrap();
    }
    (StatusCode::OK, format!("{{\"id\":\"{}\"}}", event.event_id().unwrap()))
}
