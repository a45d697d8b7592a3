//! Whether SQLite's file is still where it was opened. It can be deleted or moved away, alone or
//! with its folder, and goes on to be written as long as it is open; nobody ever finds it again.

use crate::StoreError;
use crate::outage::ANSWERS_WITHIN;
use std::fs::Metadata;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// How often it is looked at, by who begins to write: what is acknowledged in between is lost, and
/// a look costs each batch of reports some microseconds.
const LOOKED_AT_EVERY: Duration = Duration::from_secs(1);

/// Where a file is that is open.
#[derive(Debug)]
pub(crate) struct Whereabouts {
    file: PathBuf,
    identity: Identity,
    latest: Mutex<Latest>,
}

/// What was seen.
#[derive(Clone, Copy, Debug)]
struct Latest {
    at: Instant,
    gone: bool,
}

/// By what a file is told from others: its device and inode, as SQLite's own locks tell it
/// (<https://sqlite.org/src/file/src/os_unix.c>, `fileHasMoved`).
type Identity = (u64, u64);

impl Whereabouts {
    /// Of a file that was just opened.
    pub(crate) fn of(file: &Path) -> io::Result<Self> {
        let file = std::path::absolute(file)?;
        let identity = identity(&std::fs::metadata(&file)?);
        Ok(Self { file, identity, latest: Mutex::new(Latest { at: Instant::now(), gone: false }) })
    }

    /// Whether what is written now will be found again.
    pub(crate) async fn prove(&self) -> Result<(), StoreError> {
        let now = Instant::now();
        let mut latest = *self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        if now.duration_since(latest.at) >= LOOKED_AT_EVERY {
            latest = Latest { at: now, gone: self.is_gone().await };
            *self.latest.lock().unwrap_or_else(PoisonError::into_inner) = latest;
        }
        if latest.gone { Err(StoreError::Gone { file: self.file.display().to_string() }) } else { Ok(()) }
    }

    async fn is_gone(&self) -> bool {
        match timeout(ANSWERS_WITHIN, tokio::fs::metadata(&self.file)).await {
            Ok(Ok(found)) => identity(&found) != self.identity,
            Ok(Err(error)) => matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory),
            // A disk that does not answer says nothing of it, and fails what is written by itself.
            Err(_) => false,
        }
    }
}

#[cfg(unix)]
fn identity(file: &Metadata) -> Identity {
    use std::os::unix::fs::MetadataExt as _;
    (file.dev(), file.ino())
}

/// Elsewhere a file that is open can't be deleted.
#[cfg(not(unix))]
fn identity(_: &Metadata) -> Identity {
    (0, 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Store, Trouble, trial};
    use domain::timestamp::Timestamp;

    const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

    /// What comes of a write once it is looked again.
    async fn written(store: &Store) -> Result<(), Option<Trouble>> {
        tokio::time::sleep(LOOKED_AT_EVERY).await;
        trial::write(store, NOW).await.map_err(|error| error.trouble())
    }

    #[tokio::test]
    async fn nothing_is_written_to_a_file_that_nobody_will_find() {
        let folder = tempfile::tempdir().unwrap();
        let (home, away) = (folder.path().join("home"), folder.path().join("away"));
        std::fs::create_dir(&home).unwrap();
        let file = home.join("test.db");
        let store = Store::open(&format!("sqlite://{}", file.display())).await.unwrap();
        assert_eq!(written(&store).await, Ok(()));
        std::fs::rename(&home, &away).unwrap();
        assert_eq!(written(&store).await, Err(Some(Trouble::Gone)), "its folder was moved");
        std::fs::rename(&away, &home).unwrap();
        assert_eq!(written(&store).await, Ok(()), "it is back");
        std::fs::copy(&file, folder.path().join("copy")).unwrap();
        std::fs::rename(folder.path().join("copy"), &file).unwrap();
        assert_eq!(written(&store).await, Err(Some(Trouble::Gone)), "another one is in its place");
        std::fs::remove_file(&file).unwrap();
        assert_eq!(written(&store).await, Err(Some(Trouble::Gone)), "it was deleted");
    }
}
