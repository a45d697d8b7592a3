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
/// How long clients may go on, once the server is to stop.
const GRACE: Grace = Grace { head: Duration::from_secs(1), request: Duration::from_secs(10) };
/// What a connection is answered that there is no place for.
const NO_PLACE: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nConnection: close\r\n\
    Content-Type: text/plain\r\nContent-Length: 28\r\n\r\ntoo many connections at once";

/// How long what is under way may go on.
#[derive(Clone, Copy, Debug)]
struct Grace {
    /// With a head: it is on its way.
    head: Duration,
    /// With a request, after that: twice what a slow one takes.
    request: Duration,
}

/// Serves until `stop` is done, and then for as long as requests take, which is bounded.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    connections: Arc<Connections>,
    stop: impl Future<Output = ()> + Send,
) {
    serve_with(listener, router, connections, stop, GRACE).await;
}

async fn serve_with(
    listener: TcpListener,
    router: Router,
    connections: Arc<Connections>,
    stop: impl Future<Output = ()> + Send,
    grace: Grace,
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
    end(&connections, grace).await;
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
async fn end(connections: &Connections, grace: Grace) {
    // Idle ones end by themselves once they are told.
    if timeout(grace.head, connections.none_left()).await.is_ok() {
        return;
    }
    connections.close(false);
    if timeout(grace.request, connections.none_left()).await.is_err() {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client_address::TrustedProxies;
    use axum::routing::get;
    use std::future::pending;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::sync::{mpsc, oneshot};
    use tokio::task::JoinHandle;

    /// Waited for in vain, or not: what is to come comes within milliseconds.
    const PATIENCE: Duration = Duration::from_secs(10);
    /// Longer than anything here.
    const LONG: Duration = Duration::from_mins(10);
    /// Over at once.
    const SHORT: Duration = Duration::from_millis(1);

    const REQUEST: &str = "GET / HTTP/1.1\r\nhost: x\r\n\r\n";

    /// A server of this test's own.
    struct Served {
        address: SocketAddr,
        connections: Arc<Connections>,
        stop: oneshot::Sender<()>,
        task: JoinHandle<()>,
        /// Told of each request that will have no answer.
        begun: mpsc::Receiver<()>,
    }

    impl Served {
        async fn start(descriptors: u64, grace: Grace) -> Self {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            let connections = Arc::new(Connections::new(descriptors, TrustedProxies::parse("").unwrap()));
            let (begins, begun) = mpsc::channel(1);
            let endless = get(async move || {
                begins.send(()).await.unwrap();
                pending::<&'static str>().await
            });
            let router = Router::new().route("/", get("well")).route("/endless", endless);
            let (stop, stopped) = oneshot::channel::<()>();
            let stopped = async { stopped.await.unwrap_or_default() };
            let task = tokio::spawn(serve_with(listener, router, Arc::clone(&connections), stopped, grace));
            Self { address, connections, stop, task, begun }
        }

        async fn send(&self, text: &str) -> TcpStream {
            let mut stream = TcpStream::connect(self.address).await.unwrap();
            stream.write_all(text.as_bytes()).await.unwrap();
            stream
        }

        /// A connection whose request is worked on.
        async fn send_endless(&mut self) -> TcpStream {
            let stream = self.send("GET /endless HTTP/1.1\r\nhost: x\r\n\r\n").await;
            timeout(PATIENCE, self.begun.recv()).await.expect("it is begun").unwrap();
            stream
        }

        /// Stops it, and waits until it has ended.
        async fn end(self) {
            self.stop.send(()).unwrap();
            timeout(PATIENCE, self.task).await.expect("it ends").unwrap();
        }
    }

    /// What comes next; empty: the connection ended.
    async fn answer(stream: &mut TcpStream) -> String {
        let mut bytes = vec![0; 4 << 10];
        let read = timeout(PATIENCE, stream.read(&mut bytes)).await.expect("an answer, or an end");
        String::from_utf8_lossy(&bytes[..read.unwrap_or(0)]).into_owned()
    }

    #[tokio::test]
    async fn a_head_that_is_too_long_is_refused() {
        let served = Served::start(64, GRACE).await;
        let head = |length: usize| format!("GET / HTTP/1.1\r\nhost: x\r\nx: {}\r\n\r\n", "a".repeat(length));
        let long = answer(&mut served.send(&head(MAX_HEAD - 1_000)).await).await;
        assert!(long.starts_with("HTTP/1.1 200 "), "{long}");
        let longer = answer(&mut served.send(&head(2 * MAX_HEAD)).await).await;
        assert!(longer.starts_with("HTTP/1.1 431 "), "{longer}");
    }

    #[tokio::test]
    async fn who_has_no_place_is_told_so() {
        // One connection in all.
        let mut served = Served::start(2, GRACE).await;
        let _first = served.send_endless().await;
        let refused = answer(&mut served.send("").await).await;
        assert!(refused.starts_with("HTTP/1.1 503 ") && refused.ends_with("too many connections at once"), "{refused}");
    }

    #[tokio::test]
    async fn whoever_is_idle_is_told_that_it_ends() {
        let served = Served::start(64, Grace { head: LONG, request: LONG }).await;
        let mut idle = served.send(REQUEST).await;
        assert!(answer(&mut idle).await.starts_with("HTTP/1.1 200 "));
        served.end().await;
        assert_eq!(answer(&mut idle).await, "");
    }

    #[tokio::test]
    async fn a_head_that_does_not_come_keeps_no_server_from_ending() {
        let served = Served::start(64, Grace { head: SHORT, request: LONG }).await;
        let mut late = served.send("GET / HTTP/1.1\r\nhost:").await;
        let begins = async {
            while served.connections.count() == 0 {
                sleep(SHORT).await;
            }
        };
        timeout(PATIENCE, begins).await.expect("it is accepted");
        served.end().await;
        assert_eq!(answer(&mut late).await, "");
    }

    #[tokio::test]
    async fn a_request_without_end_keeps_no_server_from_ending() {
        let mut served = Served::start(64, Grace { head: SHORT, request: SHORT }).await;
        let mut endless = served.send_endless().await;
        served.end().await;
        assert_eq!(answer(&mut endless).await, "");
    }
}
