//! How far a connection is, and since when: seen by what it reads and writes.

use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Instant;

/// What a connection waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// For the next request of a client that was answered.
    Idle = 0,
    /// For the rest of a request's head; also for the first byte of all.
    Head = 1,
    /// For the server: a request is worked on.
    Request = 2,
    /// For the client to take its answer.
    Answer = 3,
    /// For the rest of a request's body, since it was first waited for.
    Body = 4,
}

/// Bits of a state that are its phase.
const PHASE_BITS: u64 = 3;

/// The phase of one connection. Changed by the connection and by who reads its body, read by who
/// looks after all.
#[derive(Debug)]
pub(super) struct Progress {
    began: Instant,
    /// Milliseconds after `began`, and in the [`PHASE_BITS`] lowest bits the phase.
    state: AtomicU64,
}

impl Progress {
    /// Of a connection that begins now.
    pub(super) fn new() -> Self {
        Self { began: Instant::now(), state: AtomicU64::new(Phase::Head as u64) }
    }

    /// Enters a phase.
    pub(super) fn enter(&self, phase: Phase) {
        self.state.store(self.now() << PHASE_BITS | phase as u64, Ordering::Relaxed);
    }

    /// Milliseconds since it began.
    fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX >> PHASE_BITS)
    }

    /// Enters a phase that began at `since`, but only from this one: whoever reads a body may do so
    /// while its request is answered already.
    fn turn(&self, from: Phase, to: Phase, since: u64) {
        let state = self.state.load(Ordering::Relaxed);
        if phase_of(state) == from {
            let then = since << PHASE_BITS | to as u64;
            // Else the connection went on at this moment.
            let _ = self.state.compare_exchange(state, then, Ordering::Relaxed, Ordering::Relaxed);
        }
    }

    /// The phase.
    pub(super) fn phase(&self) -> Phase {
        phase_of(self.state.load(Ordering::Relaxed))
    }

    /// When that began.
    pub(super) fn since(&self) -> Instant {
        self.began + Duration::from_millis(self.state.load(Ordering::Relaxed) >> PHASE_BITS)
    }
}

fn phase_of(state: u64) -> Phase {
    match state & ((1 << PHASE_BITS) - 1) {
        0 => Phase::Idle,
        1 => Phase::Head,
        2 => Phase::Request,
        3 => Phase::Answer,
        _ => Phase::Body,
    }
}

/// A request's body that notes while it is waited for.
#[derive(Debug)]
pub(super) struct WatchedBody {
    body: Incoming,
    progress: Arc<Progress>,
    /// When it was first waited for. A byte now and then does not make it younger.
    since: Option<u64>,
}

impl WatchedBody {
    /// Notes here.
    pub(super) fn new(body: Incoming, progress: Arc<Progress>) -> Self {
        Self { body, progress, since: None }
    }

    fn goes_on(&self) {
        self.progress.turn(Phase::Body, Phase::Request, self.progress.now());
    }
}

impl Body for WatchedBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let read = Pin::new(&mut self.body).poll_frame(context);
        if read.is_ready() {
            self.goes_on();
        } else {
            let now = self.progress.now();
            let since = *self.since.get_or_insert(now);
            self.progress.turn(Phase::Request, Phase::Body, since);
        }
        read
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for WatchedBody {
    fn drop(&mut self) {
        self.goes_on();
    }
}

/// A connection that notes its progress.
#[derive(Debug)]
pub(super) struct WatchedStream {
    stream: TcpStream,
    progress: Arc<Progress>,
}

impl WatchedStream {
    /// Notes here.
    pub(super) fn new(stream: TcpStream, progress: Arc<Progress>) -> Self {
        Self { stream, progress }
    }

    /// An answer that is longer than what is buffered is written on after it was flushed.
    fn writes(&self) {
        if self.progress.phase() == Phase::Idle {
            self.progress.enter(Phase::Answer);
        }
    }
}

impl AsyncRead for WatchedStream {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = into.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, into);
        if into.filled().len() > before && self.progress.phase() == Phase::Idle {
            self.progress.enter(Phase::Head);
        }
        read
    }
}

impl AsyncWrite for WatchedStream {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.writes();
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.writes();
        Pin::new(&mut self.stream).poll_write_vectored(context, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(context);
        // Asked for once nothing is left to be written.
        if flushed.is_ready() && self.progress.phase() == Phase::Answer {
            self.progress.enter(Phase::Idle);
        }
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
