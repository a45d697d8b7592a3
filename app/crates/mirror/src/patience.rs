//! Reading and writing with an end to patience: a server that says nothing holds up nobody for
//! longer than [`SILENCE`], and one that talks without end is not listened to.

use super::progress::Meter;
use rustix::event::{PollFd, PollFlags, poll};
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::Duration;

/// A server that sends nothing for so long has stalled: git's own server sends a keep-alive every 5
/// seconds while it packs (`uploadpack.keepAlive`), so only its start-up must fit.
pub(super) const SILENCE: Duration = Duration::from_secs(60);

/// How often it is looked whether the transfer was called off.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// Bytes written at once: as many as a pipe that takes any takes without waiting (POSIX's
/// `PIPE_BUF`, as Linux has it).
const PIECE: usize = 4096;

/// One end of a socket or pipe that is not waited at for ever.
pub(super) struct Patient<T> {
    end: T,
    meter: Arc<Meter>,
    silence: Duration,
}

impl<T: AsFd> Patient<T> {
    pub(super) fn new(end: T, meter: &Arc<Meter>) -> Self {
        Self { end, meter: Arc::clone(meter), silence: SILENCE }
    }

    /// Waits until `what` can be done without waiting.
    fn wait_for(&self, what: PollFlags) -> io::Result<()> {
        let looks = self.silence.as_millis().div_ceil(LOOK_EVERY.as_millis());
        let slice = i32::try_from(LOOK_EVERY.min(self.silence).as_millis()).unwrap_or(i32::MAX);
        for _ in 0..looks {
            if self.meter.is_called_off() {
                return Err(io::Error::other("it was called off"));
            }
            match poll(&mut [PollFd::new(&self.end, what)], slice) {
                Ok(0) | Err(rustix::io::Errno::INTR) => {}
                // Also at an end or an error, which reading or writing then tells.
                Ok(_) => return Ok(()),
                Err(error) => return Err(error.into()),
            }
        }
        let why = format!("nothing was heard of it for {} seconds", self.silence.as_secs());
        Err(io::Error::new(io::ErrorKind::TimedOut, why))
    }
}

impl<T: AsFd + Read> Read for Patient<T> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.meter.listens()?;
        self.wait_for(PollFlags::IN)?;
        let count = self.end.read(buffer)?;
        self.meter.hear(count);
        Ok(count)
    }
}

impl<T: AsFd + Write> Write for Patient<T> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.wait_for(PollFlags::OUT)?;
        self.end.write(&bytes[..bytes.len().min(PIECE)])
    }

    fn flush(&mut self) -> io::Result<()> {
        self.end.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{TcpListener, TcpStream};

    fn silent() -> (TcpListener, Patient<TcpStream>, Arc<Meter>) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let client = TcpStream::connect(listener.local_addr().expect("its address")).expect("it accepts");
        let meter = Arc::new(Meter::default());
        let patient = Patient { silence: Duration::from_millis(50), ..Patient::new(client, &meter) };
        (listener, patient, meter)
    }

    #[test]
    fn silence_ends_a_read_and_a_full_pipe_a_write() {
        let (_listener, mut patient, _) = silent();
        let error = patient.read(&mut [0; 8]).expect_err("nothing comes");
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        let error = std::iter::repeat_with(|| patient.write(&[0; 1 << 20])).find_map(Result::err);
        assert_eq!(error.expect("nobody reads").kind(), io::ErrorKind::TimedOut);
    }

    #[test]
    fn what_was_called_off_ends_before_its_time() {
        let (_listener, patient, meter) = silent();
        let mut patient = Patient { silence: SILENCE, ..patient };
        meter.call_off();
        assert_eq!(patient.read(&mut [0; 8]).expect_err("it ends").kind(), io::ErrorKind::Other);
    }
}
