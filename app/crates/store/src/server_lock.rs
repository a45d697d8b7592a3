//! One server on one SQLite file: a lock that ends with its process, however that ends.

use crate::StoreError;
use crate::dialect::named;
use crate::open::refused_file;
use crate::private::{beside, make_private_file, open_options};
use domain::url_text::without_secrets;
use std::fs::{File, TryLockError};
use std::io::{Read as _, Write as _};

/// Held by the server that works on a SQLite file, until it is dropped or the process ends. The
/// commands of the terminal do not take it: they work beside a server. Several servers may work on
/// one PostgreSQL, where there is nothing to be held.
#[derive(Debug)]
pub struct ServerLock {
    file: Option<File>,
}

impl ServerLock {
    /// Takes the lock of the database that this URL names.
    ///
    /// # Errors
    /// Another server has it, or its file can't be made.
    pub fn take(url: &str) -> Result<Self, StoreError> {
        let Some(database) = named(url)?.file else { return Ok(Self { file: None }) };
        let failed = |why: std::io::Error| StoreError::Open {
            database: database.display().to_string(),
            why: why.to_string(),
            todo: "see that its folder exists, that its disk has space, and that this user may write there".to_owned(),
        };
        make_private_file(&database).map_err(|why| refused_file(&without_secrets(url), &database, &why))?;
        // Whichever way it is named. A file of its own: SQLite's locks on the database would be
        // lost as soon as this process closed it once more (https://sqlite.org/howtocorrupt.html).
        let database = database.canonicalize().map_err(failed)?;
        let mut file = open_options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(beside(&database, "-server"))
            .map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                // Who it is only helps to find them.
                let _ = file.read_to_string(&mut holder);
                let by = match holder.trim() {
                    "" => String::new(),
                    id => format!(" (process {id})"),
                };
                return Err(StoreError::InUse { file: database.display().to_string(), by });
            }
            Err(TryLockError::Error(why)) => return Err(failed(why)),
        }
        // The same.
        let _ = file.set_len(0).and_then(|()| write!(file, "{}", std::process::id()));
        Ok(Self { file: Some(file) })
    }
}

impl Drop for ServerLock {
    fn drop(&mut self) {
        if let Some(file) = &self.file {
            // Closing it is not enough at once: a program that is just being started from here has
            // it open for a moment as well.
            let _ = file.unlock();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_server_is_refused_in_words_and_the_lock_ends_with_its_holder() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}/a.db", folder.path().display());
        let first = ServerLock::take(&url).unwrap();
        let refused = ServerLock::take(&url).unwrap_err().to_string();
        assert!(refused.contains("another Flawless server already works on"), "{refused}");
        assert!(refused.contains(&format!("(process {})", std::process::id())), "{refused}");
        // By another way to the same file.
        std::os::unix::fs::symlink(folder.path().join("a.db"), folder.path().join("b.db")).unwrap();
        assert!(ServerLock::take(&format!("sqlite://{}/b.db", folder.path().display())).is_err());
        drop(first);
        ServerLock::take(&url).unwrap();
        assert!(ServerLock::take("postgres://ada@db/flawless").is_ok());
    }
}
