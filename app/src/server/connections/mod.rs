//! Connections: accepted, bounded in number and time, and ended in an orderly way.

mod places;
mod progress;

pub(super) use places::Closed;
pub use places::Connections;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use places::Place;
use progress::{Phase, WatchedBody, WatchedStream};
use std::future::Future;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout};

/// Bytes of a request's head, which are held for every connection: the longest addresses, of forms
/// that are filled in by a link, have some ten thousand.
const MAX_HEAD: usize = 32 << 10;
/// How often is looked for connections that take too long.
const SWEEP_EVERY: Duration = Duration::from_secs(1);
/// How often the log says that there are too many: a line for each would fill the disk.
const SAID_EVERY: Duration = Duration::from_secs(60);
/// The pause after the system could not give a connection: it mostly has no descriptor left.
const PAUSE: Duration = Duration::from_millis(100);
/// How long a client may go on with a head, once the server is to stop: it is on its way.
const HEAD_GRACE: Duration = Duration::from_secs(1);
/// How long requests may go on then, which is twice what a slow one takes.
const REQUEST_GRACE: Duration = Duration::from_secs(10);
/// What a connection is answered that there is no place for.
const NO_PLACE: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nConnection: close\r\n\
    Content-Type: text/plain\r\nContent-Length: 28\r\n\r\ntoo many connections at once";

/// Serves until `stop` is done, and then for as long as requests take, which is bounded.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    connections: Arc<Connections>,
    stop: impl Future<Output = ()> + Send,
) {
    let (stopping, told) = watch::channel(false);
    let mut crowd = Crowd::default();
    let mut sweeps = interval(SWEEP_EVERY);
    sweeps.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut stop = pin!(stop);
    loop {
        tokio::select! {
            () = &mut stop => break,
            _ = sweeps.tick() => {
                connections.sweep(Instant::now());
                crowd.say(&connections);
            }
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => match connections.place(peer.ip()) {
                    Some(place) => begin(stream, peer, place, &router, &connections, told.clone()),
                    // What the kernel does not take at once is not worth waiting for.
                    None => drop(stream.try_write(NO_PLACE)),
                },
                Err(error) => crowd.refused_by_system(&error).await,
            },
        }
    }
    drop(listener);
    // Nobody listens where none is open.
    let _ = stopping.send(true);
    end(&connections).await;
}

/// Begins to serve a connection.
fn begin(
    stream: TcpStream,
    peer: SocketAddr,
    place: Place,
    router: &Router,
    connections: &Connections,
    told: watch::Receiver<bool>,
) {
    let id = place.id();
    let task = tokio::spawn(converse(stream, peer, place, router.clone(), told));
    connections.runs(id, task.abort_handle());
}

/// Answers the requests of one connection, one after the other.
async fn converse(stream: TcpStream, peer: SocketAddr, place: Place, router: Router, mut told: watch::Receiver<bool>) {
    let progress = &place.progress;
    let router = TowerToHyperService::new(router);
    let answer = |mut request: hyper::Request<Incoming>| {
        progress.enter(Phase::Request);
        request.extensions_mut().insert(ConnectInfo(peer));
        let answered = router.call(request.map(|body| Body::new(WatchedBody::new(body, Arc::clone(progress)))));
        async {
            let answer = answered.await;
            progress.enter(Phase::Answer);
            answer
        }
    };
    let stream = TokioIo::new(WatchedStream::new(stream, Arc::clone(progress)));
    let connection = http1::Builder::new().max_buf_size(MAX_HEAD).serve_connection(stream, service_fn(answer));
    let mut connection = pin!(connection);
    tokio::select! {
        // A client that went away, or sent what is no HTTP, is none of the log's business.
        _ = connection.as_mut() => return,
        _ = told.changed() => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}

/// Waits for what is under way, but for nobody who makes it wait.
async fn end(connections: &Connections) {
    // Idle ones end by themselves once they are told.
    if timeout(HEAD_GRACE, connections.none_left()).await.is_ok() {
        return;
    }
    connections.close(false);
    if timeout(REQUEST_GRACE, connections.none_left()).await.is_err() {
        let left = connections.close(true);
        tracing::warn!(left, "requests were still under way, and got no answer");
    }
}

/// What the log says of too many connections, and when it last did.
#[derive(Debug, Default)]
struct Crowd {
    said: (u64, u64),
    at: Option<Instant>,
    /// When it last said that the system refuses.
    refused_at: Option<Instant>,
}

impl Crowd {
    /// The system gave no connection.
    async fn refused_by_system(&mut self, error: &std::io::Error) {
        // The client went away before it was its turn.
        let is_client = matches!(
            error.kind(),
            ErrorKind::ConnectionRefused | ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset
        );
        if is_client {
            return;
        }
        if self.refused_at.is_none_or(|at| at.elapsed() >= SAID_EVERY) {
            tracing::error!(%error, "the system gives no connection");
            self.refused_at = Some(Instant::now());
        }
        sleep(PAUSE).await;
    }

    /// Says what was closed and turned away since it last did, once in a while.
    fn say(&mut self, connections: &Connections) {
        let now = (connections.closed(Closed::MadeRoom), connections.closed(Closed::TurnedAway));
        if now == self.said || self.at.is_some_and(|at| at.elapsed() < SAID_EVERY) {
            return;
        }
        let (closed, turned_away) = (now.0 - self.said.0, now.1 - self.said.1);
        let (in_all, of_one) = (connections.bounds().in_all, connections.bounds().of_one);
        tracing::warn!(
            closed,
            turned_away,
            in_all,
            of_one,
            "too many connections: those that waited longest were closed, and new ones turned away; behind a proxy, \
             set TRUSTED_PROXIES"
        );
        (self.said, self.at) = (now, Some(Instant::now()));
    }
}
