//! The two databases: which one a URL names, and how its connections are set up.

use crate::StoreError;
use domain::url_text::without_secrets;
use percent_encoding::percent_decode_str;
use std::path::{Path, PathBuf};

macro_rules! busy_timeout {
    () => {
        "PRAGMA busy_timeout = 4000"
    };
}

/// How long each connection to SQLite waits for others, as it is told first.
pub(crate) const BUSY_TIMEOUT: &str = busy_timeout!();

/// Which database it is, for the few places where that matters (connection settings and locks,
/// never SQL texts).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// A file.
    Sqlite,
    /// A server.
    Postgres,
}

impl Dialect {
    /// What each connection is told first.
    ///
    /// SQLite: WAL lets pages read while reports are written; FULL makes a commit mean that the
    /// disk has it. Another process that holds the file, such as a command, is waited for no longer
    /// than a client waits for its answer.
    ///
    /// PostgreSQL: a process that stops in the middle of a transaction (a frozen container, a
    /// machine that is suspended) loses it after 1.5 s, so that nobody waits for its rows for
    /// longer; who waits for a row gives up after 2 s and answers, or tries again. Together they
    /// stay below the 5 s within which clients have their answer. 30 s are more than any statement
    /// of ours takes on a database that is worked on.
    pub(crate) fn session(self) -> &'static str {
        match self {
            Self::Sqlite => {
                concat!(
                    busy_timeout!(),
                    "; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
                     PRAGMA foreign_keys = ON"
                )
            }
            Self::Postgres => {
                "SET idle_in_transaction_session_timeout = '1500ms'; SET lock_timeout = '2s';
                 SET statement_timeout = '30s'"
            }
        }
    }

    /// What a connection for migrations is told first: one of a large database may take long, and
    /// another process that is at it is waited for.
    pub(crate) fn migration_session(self) -> &'static str {
        match self {
            Self::Sqlite => {
                "PRAGMA busy_timeout = 60000; PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
                 PRAGMA foreign_keys = ON"
            }
            Self::Postgres => {
                "SET idle_in_transaction_session_timeout = '60s'; SET lock_timeout = '10min'; SET statement_timeout = 0"
            }
        }
    }
}

/// What a URL names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Named {
    /// The database.
    pub(crate) dialect: Dialect,
    /// The URL as sqlx wants it: a SQLite file is to be created where there is none.
    pub(crate) url: String,
    /// SQLite's file; none of a database in memory.
    pub(crate) file: Option<PathBuf>,
}

/// Reads a URL.
pub(crate) fn named(url: &str) -> Result<Named, StoreError> {
    if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        return Ok(Named { dialect: Dialect::Postgres, url: url.to_owned(), file: None });
    }
    let Some(path) = url.strip_prefix("sqlite:") else {
        let why = "it begins with neither sqlite: nor postgres:".to_owned();
        return Err(StoreError::Url { url: without_secrets(url), why });
    };
    let written = path.trim_start_matches("//").split('?').next().unwrap_or_default();
    let in_memory = written.is_empty() || written == ":memory:" || path.contains("mode=memory");
    // As sqlx reads it: a name may have what means something else in a URL.
    let file = percent_decode_str(written).decode_utf8().map_err(|_| {
        let why = "its file is not UTF-8 once %XX is read".to_owned();
        StoreError::Url { url: without_secrets(url), why }
    })?;
    let url = if path.contains('?') { url.to_owned() } else { format!("{url}?mode=rwc") };
    Ok(Named { dialect: Dialect::Sqlite, url, file: (!in_memory).then(|| Path::new(&*file).to_owned()) })
}

/// The file of a database that is one, by its URL.
pub fn database_file(url: &str) -> Option<PathBuf> {
    named(url).ok()?.file
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_stay_out_of_messages() {
        let wrong = named("mysql://ada:secret@db?password=secret").map(|_| ()).unwrap_err();
        assert!(matches!(&wrong, StoreError::Url { url, .. } if url == "mysql://…@db?password=…"), "{wrong}");
    }

    #[test]
    fn a_sqlite_url_names_a_file() {
        let file = |url| named(url).unwrap().file.map(|file| file.display().to_string());
        assert_eq!(file("sqlite:///srv/a.db").as_deref(), Some("/srv/a.db"));
        assert_eq!(file("sqlite://data/a.db?mode=rwc").as_deref(), Some("data/a.db"));
        assert_eq!(file("sqlite:a.db").as_deref(), Some("a.db"));
        assert_eq!(file("sqlite:///srv/a%25%3Fb%23.db").as_deref(), Some("/srv/a%?b#.db"));
        assert!(named("sqlite://%ff.db").is_err());
        assert_eq!(file("sqlite::memory:"), None);
    }
}
