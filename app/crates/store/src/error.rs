//! Why the database could not do what was asked.

use sqlx::migrate::MigrateError;

/// Why the database could not do what was asked. Every function of this crate may fail so: the
/// database is out of reach, or a row holds what this version can't read. A transaction that failed
/// changed nothing.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// `DATABASE_URL` is not understood.
    #[error(
        "DATABASE_URL {url:?} is not understood: {why}; write sqlite:///path/to/file.db or postgres://user@host/name"
    )]
    Url {
        /// The URL without its password.
        url: String,
        /// What is wrong.
        why: String,
    },
    /// The tables could not be brought up to date.
    #[error("the database's tables could not be brought up to date: {source}{}", way_out(source))]
    Migrate {
        /// Why.
        #[from]
        source: MigrateError,
    },
    /// A statement failed.
    #[error("database: {0}")]
    Sql(#[from] sqlx::Error),
    /// The job in whose name something was to be written is another worker's by now.
    #[error("the job is another worker's by now, so nothing was written")]
    LeaseLost,
    /// A row holds what this version can't read.
    #[error("the database holds {what} that this version cannot read: {source}")]
    Content {
        /// Which column.
        what: &'static str,
        /// What is wrong.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// What to do where a database was made by another program than this one.
fn way_out(error: &MigrateError) -> &'static str {
    match error {
        MigrateError::VersionMismatch(_) | MigrateError::VersionMissing(_) => {
            "; it was made by another version: run that one, or begin with an empty DATA_DIR or database"
        }
        _ => "",
    }
}

impl StoreError {
    /// A column (or what it is made of) that can't be read or written, and why: an error, or a
    /// sentence.
    pub(crate) fn content(what: &'static str, why: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Content { what, source: why.into() }
    }
}
