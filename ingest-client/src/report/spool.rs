//! Reports that could not be sent yet, a file each, until the server is there again.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::parcel::Parcel;

/// Reports that may wait. A server that is down over a weekend is behind after these, and no disk
/// is full.
pub(super) const MAX_REPORTS: usize = 200;

/// Bytes that waiting reports may take together; one is 1 MiB and a little at most.
pub(super) const MAX_BYTES: u64 = 32 << 20;

/// Refused reports that are kept for a person to look at.
const MAX_REFUSED: usize = 20;

/// After so long, a file that was begun and not finished is nobody's any more.
const ABANDONED_MS: u128 = 24 * 60 * 60 * 1000;

/// What the names of files end in: waiting, refused for good, why, not finished.
const WAITING: &str = "report";
const REFUSED: &str = "refused";
const REASON: &str = "reason";
const UNFINISHED: &str = "tmp";

/// A directory of waiting reports.
#[derive(Debug)]
pub(super) struct Spool(PathBuf);

/// Holding it, no other process sends from the spool.
#[derive(Debug)]
pub(super) struct Turn(#[expect(dead_code, reason = "closing the file gives the turn back")] File);

impl Spool {
    /// The spool in this directory, which need not be there.
    pub(super) fn at(directory: PathBuf) -> Self {
        Self(directory)
    }

    /// Where it is.
    pub(super) fn directory(&self) -> &Path {
        &self.0
    }

    /// Keeps a report; returns its file, and how many of the oldest were dropped to make room.
    pub(super) fn add(&self, parcel: &Parcel, now_ms: u128) -> io::Result<(PathBuf, usize)> {
        // The reports hold what a program said as it failed, and the key: for nobody else on the
        // machine.
        DirBuilder::new().recursive(true).mode(0o700).create(&self.0)?;
        // Names sort by time. The second half keeps processes apart that write at the same moment.
        let name = format!("{now_ms:015}-{:016x}", RandomState::new().build_hasher().finish());
        let path = self.write(&name, WAITING, &parcel.to_bytes())?;
        Ok((path, self.make_room()?))
    }

    /// The reports that wait, oldest first.
    pub(super) fn waiting(&self) -> io::Result<Vec<PathBuf>> {
        self.files(WAITING)
    }

    /// The turn to send; none while another process has it, or where there is no spool.
    pub(super) fn turn(&self) -> io::Result<Option<Turn>> {
        let mut options = OpenOptions::new();
        let lock = match options.create(true).truncate(false).write(true).mode(0o600).open(self.0.join("lock")) {
            Ok(lock) => lock,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        match lock.try_lock() {
            Ok(()) => Ok(Some(Turn(lock))),
            Err(fs::TryLockError::WouldBlock) => Ok(None),
            Err(fs::TryLockError::Error(error)) => Err(error),
        }
    }

    /// Puts a report aside that the server will never take, with the reason beside it.
    pub(super) fn set_aside(&self, path: &Path, reason: &str) -> io::Result<PathBuf> {
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        self.write(&name, REASON, format!("{reason}\n").as_bytes())?;
        let aside = path.with_extension(REFUSED);
        fs::rename(path, &aside)?;
        let refused = self.files(REFUSED)?;
        for oldest in refused.iter().take(refused.len().saturating_sub(MAX_REFUSED)) {
            remove(oldest)?;
            remove(&oldest.with_extension(REASON))?;
        }
        Ok(aside)
    }

    /// Removes what processes left behind that were ended while they wrote.
    pub(super) fn tidy(&self, now_ms: u128) -> io::Result<()> {
        for path in self.files(UNFINISHED)? {
            let name = path.file_stem().unwrap_or_default().to_string_lossy();
            let begun = name.split('-').next().and_then(|ms| ms.parse::<u128>().ok());
            if begun.is_some_and(|begun| begun + ABANDONED_MS < now_ms) {
                remove(&path)?;
            }
        }
        Ok(())
    }

    /// Writes a file whole or not at all, and onto the disk.
    fn write(&self, name: &str, ending: &str, bytes: &[u8]) -> io::Result<PathBuf> {
        let unfinished = self.0.join(format!("{name}.{UNFINISHED}"));
        let path = self.0.join(format!("{name}.{ending}"));
        let written =
            OpenOptions::new().create_new(true).write(true).mode(0o600).open(&unfinished).and_then(|mut file| {
                file.write_all(bytes)?;
                file.sync_all()?;
                fs::rename(&unfinished, &path)?;
                File::open(&self.0)?.sync_all()
            });
        if written.is_err() {
            let _ = fs::remove_file(&unfinished);
        }
        written.map(|()| path)
    }

    /// Drops the oldest reports over the limits; how many.
    fn make_room(&self) -> io::Result<usize> {
        let waiting = self.waiting()?;
        // Sent by another process in this moment: it takes no room.
        let size = |path: &PathBuf| path.metadata().map_or(0, |known| known.len());
        let sizes: Vec<u64> = waiting.iter().map(size).collect();
        let (mut count, mut bytes) = (sizes.len(), sizes.iter().sum::<u64>());
        let mut dropped = 0;
        for (path, size) in waiting.iter().zip(sizes) {
            if count <= MAX_REPORTS && bytes <= MAX_BYTES {
                break;
            }
            remove(path)?;
            count -= 1;
            bytes -= size;
            dropped += 1;
        }
        Ok(dropped)
    }

    /// Files with this ending, by name; none where there is no spool yet.
    fn files(&self, ending: &str) -> io::Result<Vec<PathBuf>> {
        let entries = match fs::read_dir(&self.0) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let paths = entries.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<Vec<_>>>()?;
        let mut paths: Vec<_> =
            paths.into_iter().filter(|path| path.extension().is_some_and(|known| known == ending)).collect();
        paths.sort();
        Ok(paths)
    }
}

/// Removes a file that may be gone already.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    fs::remove_file(path).or_else(|error| if error.kind() == ErrorKind::NotFound { Ok(()) } else { Err(error) })
}

#[cfg(test)]
mod tests {
    use super::super::parcel::Circumstances;
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn parcel(text: &[u8]) -> Parcel {
        let dsn = "http://0123456789abcdef0123456789abcdef@127.0.0.1:1/7".parse().unwrap();
        Parcel::new(dsn, &Circumstances::default(), text.to_vec())
    }

    fn spool() -> (tempfile::TempDir, Spool) {
        let home = tempfile::tempdir().unwrap();
        let spool = Spool::at(home.path().join("state/spool"));
        (home, spool)
    }

    fn mode(path: &Path) -> u32 {
        path.metadata().unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn a_kept_report_is_whole_and_for_nobody_else() {
        let (_home, spool) = spool();
        assert_eq!(spool.waiting().unwrap(), Vec::<PathBuf>::new());
        assert!(spool.turn().unwrap().is_none(), "there is no spool, and asking makes none");
        assert!(!spool.directory().exists());
        let (path, dropped) = spool.add(&parcel(b"text"), 1000).unwrap();
        assert_eq!((mode(&path), mode(spool.directory()), dropped), (0o600, 0o700, 0));
        assert_eq!(Parcel::from_bytes(&fs::read(&path).unwrap()), Some(parcel(b"text")));
        assert_eq!(fs::read_dir(spool.directory()).unwrap().count(), 1, "nothing unfinished is left");
    }

    #[test]
    fn the_oldest_are_dropped_beyond_the_number_and_beyond_the_bytes() {
        let (_home, spool) = spool();
        let (first, _) = spool.add(&parcel(b"first"), 1).unwrap();
        for number in 2..=MAX_REPORTS {
            assert_eq!(spool.add(&parcel(b"more"), number as u128).unwrap().1, 0);
        }
        assert!(first.exists());
        assert_eq!(spool.add(&parcel(b"one too many"), 1000).unwrap().1, 1);
        assert!(!first.exists());
        assert_eq!(spool.waiting().unwrap().len(), MAX_REPORTS);
        for number in 0..MAX_BYTES >> 20 {
            spool.add(&parcel(&vec![b'x'; 1 << 20]), 2000 + u128::from(number)).unwrap();
        }
        let bytes: u64 = spool.waiting().unwrap().iter().map(|path| path.metadata().unwrap().len()).sum();
        assert!(bytes <= MAX_BYTES && bytes > MAX_BYTES - (2 << 20), "{bytes}");
    }

    #[test]
    fn one_process_at_a_time_has_the_turn() {
        let (_home, spool) = spool();
        spool.add(&parcel(b"text"), 1).unwrap();
        let turn = spool.turn().unwrap();
        assert!(turn.is_some());
        assert!(spool.turn().unwrap().is_none());
        drop(turn);
        assert!(spool.turn().unwrap().is_some());
    }

    #[test]
    fn what_is_refused_stands_aside_with_its_reason_and_not_for_ever() {
        let (_home, spool) = spool();
        let mut aside = Vec::new();
        for number in 0..=MAX_REFUSED as u128 {
            let (path, _) = spool.add(&parcel(b"text"), number).unwrap();
            aside.push(spool.set_aside(&path, "HTTP 403: no").unwrap());
        }
        assert_eq!(spool.waiting().unwrap().len(), 0);
        assert!(!aside[0].exists() && !aside[0].with_extension(REASON).exists());
        assert!(aside[1].exists() && mode(&aside[1]) == 0o600);
        assert_eq!(fs::read_to_string(aside[1].with_extension(REASON)).unwrap(), "HTTP 403: no\n");
    }

    #[test]
    fn what_was_begun_a_day_ago_is_removed() {
        let (_home, spool) = spool();
        spool.add(&parcel(b"text"), 1).unwrap();
        let (old, new) = (spool.0.join("000000000001000-1.tmp"), spool.0.join(format!("{ABANDONED_MS:015}-2.tmp")));
        fs::write(&old, "").unwrap();
        fs::write(&new, "").unwrap();
        spool.tidy(ABANDONED_MS + 1001).unwrap();
        assert!(!old.exists() && new.exists());
        assert_eq!(spool.waiting().unwrap().len(), 1);
    }
}
