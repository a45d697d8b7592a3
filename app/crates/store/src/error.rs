//! Why the database could not do what was asked.

use sqlx::error::DatabaseError;
use sqlx::migrate::MigrateError;
use std::fmt::Display;

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
    /// It can't be opened.
    #[error("the database {database} can't be opened: {why}; {todo}")]
    Open {
        /// The URL without its password.
        database: String,
        /// What is wrong.
        why: String,
        /// What to do.
        todo: String,
    },
    /// Another server works on the same file.
    #[error(
        "another Flawless server already works on {file}{by}: two would send every mail twice. Stop that one, or give this one a DATA_DIR or DATABASE_URL of its own (several servers may share one PostgreSQL)"
    )]
    InUse {
        /// The database's file.
        file: String,
        /// `" (process 12)"`, where that is known.
        by: String,
    },
    /// What it held was moved to another one.
    #[error(
        "what this database held was moved to {to}: set DATABASE_URL to that one. To go on with this file as it was then, run `flawless move-to --take-back`"
    )]
    MovedAway {
        /// Where to and when, without a password.
        to: String,
    },
    /// It can't be moved.
    #[error("nothing was moved: {why}")]
    Unmovable {
        /// Why, and what to do.
        why: String,
    },
    /// The tables could not be brought up to date.
    #[error("the database's tables could not be brought up to date: {source}{}", way_out(source))]
    Migrate {
        /// Why.
        #[from]
        source: MigrateError,
    },
    /// It is out of reach.
    #[error("the database does not answer: {why}")]
    Away {
        /// What is known of it.
        why: String,
    },
    /// It has too much to do.
    #[error("the database is busy: {why}")]
    Busy {
        /// What was waited for in vain.
        why: String,
    },
    /// Its file is not where it was opened.
    #[error("the database's file {file} was deleted or moved away, so nothing is written to it")]
    Gone {
        /// Where it was.
        file: String,
    },
    /// A statement failed.
    #[error("database: {0}")]
    Sql(#[source] sqlx::Error),
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

/// What is wrong with the database itself, whatever was asked of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Trouble {
    /// It does not answer.
    Away,
    /// Others keep it busy, or hold what was asked for.
    Busy,
    /// Its disk is full.
    Full,
    /// It can't be written.
    ReadOnly,
    /// Its disk fails.
    Disk,
    /// What is on the disk is no database any more.
    Damaged,
    /// Its file is not where it was opened.
    Gone,
}

impl Trouble {
    /// What an error of a statement says of the database; `None`: it was the statement.
    pub(crate) fn of_sql(error: &sqlx::Error) -> Option<Self> {
        match error {
            sqlx::Error::Database(error) => Self::of_code(&error.code()?),
            sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::WorkerCrashed => Some(Self::Away),
            _ => None,
        }
    }

    /// SQLite's result codes are numbers (<https://sqlite.org/rescode.html>), the low byte of which
    /// says what kind it is; PostgreSQL's have five characters
    /// (<https://www.postgresql.org/docs/current/errcodes-appendix.html>).
    fn of_code(code: &str) -> Option<Self> {
        if code.len() == 5 {
            return match code {
                "53100" => Some(Self::Full),
                "25006" => Some(Self::ReadOnly),
                "58030" => Some(Self::Disk),
                "XX001" | "XX002" => Some(Self::Damaged),
                // A lock or statement that took too long, a deadlock, an idle transaction.
                "55P03" | "57014" | "40P01" | "40001" | "25P03" | "53200" | "53300" => Some(Self::Busy),
                "57P01" | "57P02" | "57P03" | "57P05" => Some(Self::Away),
                other => other.starts_with("08").then_some(Self::Away),
            };
        }
        match code.parse::<u32>().ok()? & 0xff {
            5 | 6 => Some(Self::Busy),
            8 => Some(Self::ReadOnly),
            10 | 14 => Some(Self::Disk),
            11 | 26 => Some(Self::Damaged),
            13 => Some(Self::Full),
            _ => None,
        }
    }

    /// What is wrong with the database where an error, or one behind it, is a [`StoreError`].
    pub fn behind(error: &(dyn std::error::Error + 'static)) -> Option<Self> {
        let chain = std::iter::successors(Some(error), |error| error.source());
        chain.filter_map(|error| error.downcast_ref::<StoreError>()).find_map(StoreError::trouble)
    }

    /// What it is and what to do, for who runs the server.
    pub fn todo(self) -> &'static str {
        match self {
            Self::Away => "see that it runs and can be reached; work goes on by itself once it answers",
            Self::Busy => "if it stays, look for what holds or slows it down; work goes on by itself",
            Self::Full => "its disk is full: free some space, and work goes on by itself",
            Self::ReadOnly => "it can't be written: look at the permissions of its file and folder, and at its disk",
            Self::Disk => "its disk fails to read or write: look at the system's log and the disk's health",
            Self::Damaged => {
                "its file is damaged: stop the server, and put a backup in its place or save what can be read (sqlite3 FILE .recover)"
            }
            Self::Gone => {
                "its file was deleted or moved away: move it back, and work goes on by itself; or stop the server, put a backup in its place, and start again"
            }
        }
    }

    /// What it is, for who asks the server for something.
    pub fn words(self) -> &'static str {
        match self {
            Self::Away => "The database does not answer.",
            Self::Busy => "The database is busy.",
            Self::Full => "The disk of the database is full.",
            Self::ReadOnly => "The database can't be written.",
            Self::Disk => "The disk of the database fails.",
            Self::Damaged => "The database is damaged.",
            Self::Gone => "The file of the database is gone.",
        }
    }
}

/// What to do where a database was made by another program than this one.
fn way_out(error: &MigrateError) -> &'static str {
    match error {
        MigrateError::VersionMismatch(_) | MigrateError::VersionMissing(_) => {
            "; it was made by another version: run that one, or begin with an empty DATA_DIR or database"
        }
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => match Trouble::of_sql(error) {
            Some(Trouble::Full) => "; free some space on its disk, and start again",
            Some(Trouble::Damaged) => {
                "; the file is damaged: put a backup in its place, save what can be read (sqlite3 FILE .recover), or take it away to begin anew"
            }
            Some(Trouble::ReadOnly) => "; see that its file and folder can be written",
            Some(Trouble::Busy) => "; another process holds it: start again once that is done",
            _ => "",
        },
        _ => "",
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match error {
            // One of ours, on its way through a statement.
            sqlx::Error::AnyDriverError(inner) => match inner.downcast::<Self>() {
                Ok(ours) => *ours,
                Err(other) => Self::Sql(sqlx::Error::AnyDriverError(other)),
            },
            other => Self::Sql(other),
        }
    }
}

impl StoreError {
    /// A column (or what it is made of) that can't be read or written, and why: an error, or a
    /// sentence.
    pub(crate) fn content(what: &'static str, why: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Content { what, source: why.into() }
    }

    pub(crate) fn away(why: impl Display) -> Self {
        Self::Away { why: why.to_string() }
    }

    pub(crate) fn busy(why: impl Display) -> Self {
        Self::Busy { why: why.to_string() }
    }

    /// As sqlx's statements return it.
    pub(crate) fn into_sql(self) -> sqlx::Error {
        match self {
            Self::Sql(error) => error,
            other => sqlx::Error::AnyDriverError(Box::new(other)),
        }
    }

    /// What is wrong with the database itself; `None`: it is the statement or the row.
    pub fn trouble(&self) -> Option<Trouble> {
        match self {
            Self::Away { .. } => Some(Trouble::Away),
            Self::Busy { .. } => Some(Trouble::Busy),
            Self::Gone { .. } => Some(Trouble::Gone),
            Self::Sql(error) => Trouble::of_sql(error),
            Self::Migrate { source: MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) } => {
                Trouble::of_sql(error)
            }
            Self::Url { .. }
            | Self::Open { .. }
            | Self::InUse { .. }
            | Self::MovedAway { .. }
            | Self::Unmovable { .. }
            | Self::Migrate { .. }
            | Self::LeaseLost
            | Self::Content { .. } => None,
        }
    }

    /// The same may go well when it is tried again at once, or a little later: somebody else held
    /// what was asked for, or the database was away.
    pub(crate) fn may_pass(&self) -> bool {
        matches!(self.trouble(), Some(Trouble::Away | Trouble::Busy))
    }
}

/// The code that a database gave with an error.
pub(crate) fn code_of(error: &sqlx::Error) -> Option<String> {
    error.as_database_error().and_then(DatabaseError::code).map(|code| code.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_databases_say_what_is_wrong_by_codes() {
        for (code, trouble) in [
            ("13", Some(Trouble::Full)),
            ("11", Some(Trouble::Damaged)),
            ("26", Some(Trouble::Damaged)),
            ("1032", Some(Trouble::ReadOnly)),
            ("4874", Some(Trouble::Disk)),
            ("517", Some(Trouble::Busy)),
            ("2067", None),
            ("53100", Some(Trouble::Full)),
            ("55P03", Some(Trouble::Busy)),
            ("57P01", Some(Trouble::Away)),
            ("08006", Some(Trouble::Away)),
            ("23505", None),
        ] {
            assert_eq!(Trouble::of_code(code), trouble, "{code}");
        }
    }

    #[test]
    fn an_error_of_ours_comes_through_a_statement_as_it_is() {
        let through = StoreError::from(StoreError::away("no route to host").into_sql());
        assert_eq!(through.to_string(), "the database does not answer: no route to host");
        assert_eq!(through.trouble(), Some(Trouble::Away));
    }
}
