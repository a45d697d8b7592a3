//! How far a connection is, and since when: seen by what it reads and writes.

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
    /// For the server: a request is worked on, which includes its body.
    Request = 2,
    /// For the client to take its answer.
    Answer = 3,
}

/// The phase of one connection. Changed by the connection alone, read by who looks after all.
#[derive(Debug)]
pub(super) struct Progress {
    began: Instant,
    /// Milliseconds after `began`, and in the two lowest bits the phase.
    state: AtomicU64,
}

impl Progress {
    /// Of a connection that begins now.
    pub(super) fn new() -> Self {
        Self { began: Instant::now(), state: AtomicU64::new(Phase::Head as u64) }
    }

    /// Enters a phase.
    pub(super) fn enter(&self, phase: Phase) {
        let at = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX >> 2);
        self.state.store(at << 2 | phase as u64, Ordering::Relaxed);
    }

    /// The phase.
    pub(super) fn phase(&self) -> Phase {
        match self.state.load(Ordering::Relaxed) & 3 {
            0 => Phase::Idle,
            1 => Phase::Head,
            2 => Phase::Request,
            _ => Phase::Answer,
        }
    }

    /// When that began.
    pub(super) fn since(&self) -> Instant {
        self.began + Duration::from_millis(self.state.load(Ordering::Relaxed) >> 2)
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
