//! The two databases: which one a URL names, and how its connections are set up.

use crate::StoreError;
use std::path::Path;

/// Which database it is, for the few places where that matters (connection settings and locks,
/// never SQL texts).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// A file.
    Sqlite,
    /// A server.
    Postgres,
}

/// WAL lets pages read while reports are written; FULL makes a commit mean that the disk has it.
pub(crate) const SQLITE_PRAGMAS: [&str; 5] = [
    "PRAGMA busy_timeout = 10000",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA cache_size = -8000",
];

/// The dialect of a URL, and the URL as sqlx wants it (a SQLite file is to be created where there
/// is none).
pub(crate) fn dialect_of(url: &str) -> Result<(Dialect, String), StoreError> {
    if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        return Ok((Dialect::Postgres, url.to_owned()));
    }
    if let Some(path) = url.strip_prefix("sqlite:") {
        let file = path.trim_start_matches("//").split('?').next().unwrap_or_default();
        if let Some(folder) = Path::new(file).parent() {
            std::fs::create_dir_all(folder)
                .map_err(|error| StoreError::Url { url: url.to_owned(), why: error.to_string() })?;
        }
        let url = if path.contains('?') { url.to_owned() } else { format!("{url}?mode=rwc") };
        return Ok((Dialect::Sqlite, url));
    }
    Err(StoreError::Url { url: without_password(url), why: "it begins with neither sqlite: nor postgres:".to_owned() })
}

pub(crate) fn without_password(url: &str) -> String {
    match (url.find("://"), url.rfind('@')) {
        (Some(scheme), Some(at)) if scheme < at => format!("{}://…{}", &url[..scheme], &url[at..]),
        _ => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_stay_out_of_messages() {
        assert_eq!(without_password("postgres://ada:secret@db/flawless"), "postgres://…@db/flawless");
        assert!(matches!(dialect_of("mysql://x"), Err(StoreError::Url { .. })));
    }
}
