//! Reports that wait for a server that is down: one file each, so that they outlive this process and the machine's restart.

use crate::read_all;
use ingest_client::Options;
use ingest_client::printed::{Destination, Sent};
use serde::{Deserialize, Serialize};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Reports that wait at most: an outage of days with a job that fails every few minutes. The oldest make room.
const MOST_REPORTS: usize = 1_000;
/// Their bytes at most: a full disk would be worse than a lost report.
const MOST_BYTES: u64 = 64 << 20;
/// Refused reports that are kept for somebody to look at.
const MOST_REFUSED: usize = 100;
/// One file at most: the head, and as much text as is kept of a command.
const LARGEST_FILE: u64 = 4 << 20;
const ENDING: &str = "report";

/// The first line of a file; the text follows.
#[derive(Debug, Serialize, Deserialize)]
struct Head {
    dsn: String,
    #[serde(default)]
    release: Option<String>,
    #[serde(default)]
    environment: Option<String>,
    #[serde(default)]
    server_name: Option<String>,
}

/// What a flush came to.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Flushed {
    pub(crate) sent: usize,
    /// Still waiting.
    pub(crate) left: usize,
    /// What somebody should know.
    pub(crate) notes: Vec<String>,
}

/// The directory.
#[derive(Debug)]
pub(crate) struct Spool(PathBuf);

impl Spool {
    /// The spool in the directory that is given, else in FLAWLESS_SPOOL, else in the user's state directory.
    pub(crate) fn open(given: Option<&Path>) -> io::Result<Self> {
        let from = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let state = || from("XDG_STATE_HOME").or_else(|| Some(from("HOME")?.join(".local/state")));
        given
            .map(Path::to_owned)
            .or_else(|| from("FLAWLESS_SPOOL"))
            .or_else(|| Some(state()?.join("flawless/spool")))
            .map(Self)
            .ok_or_else(|| io::Error::other("there is no HOME: say where reports may wait, with --spool"))
    }

    /// Keeps a report for later; its file.
    pub(crate) fn put(&self, destination: &Destination, text: &[u8]) -> io::Result<PathBuf> {
        self.make(&self.0)?;
        let known = |name: &str| {
            destination.circumstances().iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone())
        };
        let head = Head {
            dsn: destination.dsn().to_owned(),
            release: known("release"),
            environment: known("environment"),
            server_name: known("server_name"),
        };
        let mut bytes = serde_json::to_vec(&head)?;
        bytes.push(b'\n');
        bytes.extend_from_slice(text);
        let name = unique();
        let unfinished = self.0.join(format!(".{name}"));
        let mut file = private().write(true).create_new(true).open(&unfinished)?;
        file.write_all(&bytes)?;
        // It is there after a power cut, or not at all.
        file.sync_all()?;
        let path = self.0.join(format!("{name}.{ENDING}"));
        fs::rename(&unfinished, &path)?;
        self.make_room()?;
        Ok(path)
    }

    /// Sends what waits, oldest first, until the server does not answer or the time is over. One process does so at a time.
    pub(crate) fn flush(&self, each: Duration, all: Duration) -> io::Result<Flushed> {
        let mut flushed = Flushed::default();
        if !self.0.is_dir() {
            return Ok(flushed);
        }
        let lock = private().write(true).create(true).truncate(false).open(self.0.join("lock"))?;
        match lock.try_lock() {
            Ok(()) => {}
            // Another process is at it: what waits is in good hands.
            Err(TryLockError::WouldBlock) => return Ok(flushed),
            Err(TryLockError::Error(error)) => return Err(error),
        }
        let began = now();
        let waiting = self.waiting()?;
        for (at, path) in waiting.iter().enumerate() {
            if began.elapsed() >= all {
                flushed.left = waiting.len() - at;
                break;
            }
            match self.send(path, each) {
                Sent::Accepted(_) => {
                    fs::remove_file(path)?;
                    flushed.sent += 1;
                }
                Sent::Refused(why) => flushed.notes.push(self.set_aside(path, &why)?),
                Sent::NotNow(_) => {
                    flushed.left = waiting.len() - at;
                    break;
                }
            }
        }
        Ok(flushed)
    }

    fn send(&self, path: &Path, timeout: Duration) -> Sent {
        let bytes = match read_all(path, LARGEST_FILE) {
            Ok(bytes) => bytes,
            Err(error) => return Sent::NotNow(error.to_string()),
        };
        let (head, text) = match bytes.iter().position(|byte| *byte == b'\n') {
            Some(end) => (&bytes[..end], &bytes[end + 1..]),
            None => (&bytes[..], &[][..]),
        };
        let destination = serde_json::from_slice::<Head>(head).map_err(|error| error.to_string()).and_then(|head| {
            let Head { dsn, release, environment, server_name } = head;
            // The revision of then, not of now.
            let options = Options { dsn: Some(dsn), release, environment, server_name };
            Destination::from_options(options).map_err(|error| error.to_string())
        });
        match destination {
            Ok(Some(destination)) => destination.send(text, timeout),
            Ok(None) => Sent::Refused("the file names no DSN".to_owned()),
            Err(why) => Sent::Refused(format!("the file can't be read: {why}")),
        }
    }

    /// What is refused for good must not keep others from leaving.
    fn set_aside(&self, path: &Path, why: &str) -> io::Result<String> {
        let folder = self.0.join("refused");
        self.make(&folder)?;
        let name = path.file_name().unwrap_or_default();
        let aside = folder.join(name);
        fs::rename(path, &aside)?;
        private()
            .write(true)
            .create(true)
            .truncate(true)
            .open(aside.with_extension("why"))?
            .write_all(why.as_bytes())?;
        let mut all = files(&folder, ENDING)?;
        all.sort();
        for old in all.iter().rev().skip(MOST_REFUSED) {
            fs::remove_file(old)?;
            fs::remove_file(old.with_extension("why")).or_else(missing)?;
        }
        Ok(format!("a report of before was set aside as {}: {why}", aside.display()))
    }

    /// The files that wait, oldest first: their names begin with their time.
    fn waiting(&self) -> io::Result<Vec<PathBuf>> {
        let mut waiting = files(&self.0, ENDING)?;
        waiting.sort();
        Ok(waiting)
    }

    fn make_room(&self) -> io::Result<()> {
        let waiting = self.waiting()?;
        let mut bytes = 0;
        for (at, path) in waiting.iter().rev().enumerate() {
            bytes += fs::metadata(path).map_or(0, |data| data.len());
            if at >= MOST_REPORTS || bytes > MOST_BYTES {
                fs::remove_file(path).or_else(missing)?;
            }
        }
        Ok(())
    }

    /// Reports hold code, and their DSN: for their owner only.
    fn make(&self, folder: &Path) -> io::Result<()> {
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(folder)
    }
}

fn private() -> OpenOptions {
    let mut options = File::options();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

fn files(folder: &Path, ending: &str) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let is_hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if !is_hidden && path.extension().is_some_and(|extension| extension == ending) {
            found.push(path);
        }
    }
    Ok(found)
}

fn missing(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) }
}

/// In order of time, and no other process's.
fn unique() -> String {
    static NEXT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    #[allow(clippy::disallowed_methods, reason = "a command has no clock to be given")]
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let next = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    format!("{:020}-{}-{next}", since.as_nanos(), std::process::id())
}

#[allow(clippy::disallowed_methods, reason = "a command has no clock to be given")]
fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn destination() -> Destination {
        let options = Options::with_dsn("http://0123456789abcdef0123456789abcdef@127.0.0.1:9/7").release("v1");
        Destination::from_options(options).unwrap().unwrap()
    }

    #[test]
    fn the_oldest_make_room_and_nobody_else_reads_them() {
        let folder = tempfile::tempdir().unwrap();
        let spool = Spool(folder.path().join("spool"));
        let first = spool.put(&destination(), b"one").unwrap();
        for _ in 0..MOST_REPORTS {
            spool.put(&destination(), b"more").unwrap();
        }
        assert_eq!(spool.waiting().unwrap().len(), MOST_REPORTS);
        assert!(!first.exists());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
            assert_eq!((mode(&spool.0), mode(&spool.waiting().unwrap()[0])), (0o700, 0o600));
        }
    }

    #[test]
    fn a_damaged_file_is_set_aside_and_blocks_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let spool = Spool(folder.path().to_owned());
        fs::write(folder.path().join("0-bad.report"), "no head").unwrap();
        fs::write(folder.path().join(".0-unfinished"), "half").unwrap();
        spool.put(&destination(), b"text").unwrap();
        let flushed = spool.flush(Duration::from_secs(1), Duration::from_secs(5)).unwrap();
        assert_eq!((flushed.sent, flushed.left, flushed.notes.len()), (0, 1, 1));
        assert!(flushed.notes[0].contains("refused"), "{:?}", flushed.notes);
        assert!(folder.path().join("refused/0-bad.why").exists());
    }
}
