//! A connection to a mail server that says only so much at a time, and is heard line by line.

use lettre::transport::smtp::client::AsyncTokioStream;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What a server may send before it is written to again: more than lettre takes for an answer,
/// certificates with it. lettre holds a line whole before it looks at its length, so one without an
/// end would take all memory.
const MOST_SAID: usize = 256 << 10;
/// Bytes that are read at once; answers are shorter.
const READ: usize = 4 << 10;

/// A stream whose other side says no more than [`MOST_SAID`] between two words of ours, and which
/// gives away no more than a line at a time.
///
/// Whoever reads ahead has read what stands behind the answer to STARTTLS before the connection is
/// encrypted, and takes it for an answer of the encrypted server, though anybody on the way may
/// have written it (response injection, as of CVE-2011-0411). So it stays here, where it disturbs
/// the encryption's beginning.
#[derive(Debug)]
pub(super) struct Bounded<S> {
    stream: S,
    peer: SocketAddr,
    said: usize,
    /// Read, and not given away yet.
    unread: Vec<u8>,
}

impl<S> Bounded<S> {
    pub(super) fn new(stream: S, peer: SocketAddr) -> Self {
        Self { stream, peer, said: 0, unread: Vec::new() }
    }

    /// Gives away what was read, to the end of a line.
    fn give(&mut self, to: &mut ReadBuf<'_>) {
        let line = self.unread.iter().position(|byte| *byte == b'\n').map_or(self.unread.len(), |end| end + 1);
        let given = line.min(to.remaining());
        to.put_slice(&self.unread[..given]);
        self.unread.drain(..given);
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Bounded<S> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, to: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.unread.is_empty() {
            let mut space = [0; READ];
            let mut read = ReadBuf::new(&mut space);
            ready!(Pin::new(&mut self.stream).poll_read(context, &mut read))?;
            self.unread.extend_from_slice(read.filled());
            self.said += read.filled().len();
            if self.said > MOST_SAID {
                let why = format!("it says more than {} KiB at once", MOST_SAID >> 10);
                return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, why)));
            }
        }
        self.give(to);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Bounded<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, from: &[u8]) -> Poll<io::Result<usize>> {
        self.said = 0;
        Pin::new(&mut self.stream).poll_write(context, from)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

impl<S: AsyncRead + AsyncWrite + Send + Sync + Unpin + std::fmt::Debug> AsyncTokioStream for Bounded<S> {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.peer)
    }
}
