//! A stream of the command, passed on byte for byte while its end is kept.

use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// Bytes kept of a stream, from its end: as much as the server looks at.
pub(super) const TAIL_BYTES: usize = 1 << 20;

/// Bytes passed on at once: what a pipe holds on Linux.
const CHUNK_BYTES: usize = 64 << 10;

/// How long a reader that is behind gets, where its end of the pipe does not wait by itself.
const PAUSE: Duration = Duration::from_millis(5);

/// The last [`TAIL_BYTES`] of a stream.
#[derive(Debug, Default)]
pub(super) struct Tail(Vec<u8>);

impl Tail {
    /// Adds what came.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
        // Seldom, so that the end is not moved for every line.
        if self.0.len() > 2 * TAIL_BYTES {
            self.cut();
        }
    }

    /// What is kept; nothing is kept after.
    pub(super) fn take(&mut self) -> Vec<u8> {
        self.cut();
        std::mem::take(&mut self.0)
    }

    fn cut(&mut self) {
        self.0.drain(..self.0.len().saturating_sub(TAIL_BYTES));
    }
}

/// A tail that is still growing.
#[derive(Clone, Debug, Default)]
pub(super) struct Growing(Arc<Flow>);

#[derive(Debug, Default)]
struct Flow {
    tail: Mutex<Tail>,
    /// Bytes that came.
    came: AtomicU64,
    /// What came is being written: whoever reads it may be slow.
    is_writing: AtomicBool,
}

impl Growing {
    /// What has come so far.
    pub(super) fn take(&self) -> Vec<u8> {
        self.0.tail.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Bytes that have come so far, and whether some of them wait for their reader.
    pub(super) fn progress(&self) -> (u64, bool) {
        (self.0.came.load(Ordering::Acquire), self.0.is_writing.load(Ordering::Acquire))
    }

    fn push(&self, bytes: &[u8]) {
        self.0.is_writing.store(true, Ordering::Release);
        self.0.came.fetch_add(bytes.len() as u64, Ordering::AcqRel);
        self.0.tail.lock().unwrap_or_else(PoisonError::into_inner).push(bytes);
    }
}

/// Passes a stream on in a thread of its own, and calls `end` once it is over.
pub(super) fn pass_on(
    mut from: impl Read + Send + 'static,
    mut to: File,
    end: impl FnOnce() + Send + 'static,
) -> std::io::Result<Growing> {
    let tail = Growing::default();
    let kept = tail.clone();
    thread::Builder::new().name("flawless-pass".into()).spawn(move || {
        let mut chunk = vec![0; CHUNK_BYTES];
        loop {
            let read = match from.read(&mut chunk) {
                Ok(0) => break,
                Ok(read) => &chunk[..read],
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(_) => break,
            };
            kept.push(read);
            // Nobody reads any more. The command learns it as it would without us: its own next
            // write fails.
            let written = write_all(&mut to, read);
            kept.0.is_writing.store(false, Ordering::Release);
            if written.is_err() {
                break;
            }
        }
        drop(from);
        end();
    })?;
    Ok(tail)
}

/// `write_all`, also where whoever started us made the stream return instead of wait, as Node does
/// with its own.
fn write_all(to: &mut File, mut bytes: &[u8]) -> std::io::Result<()> {
    while !bytes.is_empty() {
        match to.write(bytes) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(written) => bytes = &bytes[written..],
            Err(error) if error.kind() == ErrorKind::WouldBlock => thread::sleep(PAUSE),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_long_stream_is_kept() {
        let mut tail = Tail::default();
        let mut all = Vec::new();
        for number in 0..400_000 {
            let line = format!("line {number}\n");
            tail.push(line.as_bytes());
            all.extend_from_slice(line.as_bytes());
        }
        assert!(tail.0.len() <= 2 * TAIL_BYTES);
        assert_eq!(tail.take(), all[all.len() - TAIL_BYTES..]);
        tail.push(b"short");
        assert_eq!(tail.take(), b"short");
    }
}
