//! Columns: read with their names in the error, and written as both databases take them.

use crate::StoreError;
use domain::commit::CommitId;
use domain::timestamp::Timestamp;
use sqlx::any::AnyRow;
use sqlx::{Any, Row};

/// Reads one column, naming it where it can't be read.
pub(crate) fn get<'r, T>(row: &'r AnyRow, column: &'static str) -> Result<T, StoreError>
where
    T: sqlx::Decode<'r, Any> + sqlx::Type<Any>,
{
    row.try_get(column).map_err(|error| StoreError::content(column, error))
}

/// Counts and the like, which are never negative.
pub(crate) fn get_count(row: &AnyRow, column: &'static str) -> Result<u64, StoreError> {
    Ok(u64::try_from(get::<i64>(row, column)?).unwrap_or(0))
}

pub(crate) fn from_json<T: serde::de::DeserializeOwned>(what: &'static str, text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|error| StoreError::content(what, error))
}

pub(crate) fn to_json<T: serde::Serialize>(what: &'static str, value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::content(what, error))
}

/// A text as both databases take it: PostgreSQL refuses the character U+0000, which clients do
/// send.
pub(crate) fn storable(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

pub(crate) fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// A moment, stored in Unix milliseconds.
pub(crate) fn get_time(row: &AnyRow, column: &'static str) -> Result<Timestamp, StoreError> {
    Ok(Timestamp::from_millis(get(row, column)?))
}

/// A moment that may be missing.
pub(crate) fn get_time_opt(row: &AnyRow, column: &'static str) -> Result<Option<Timestamp>, StoreError> {
    Ok(get::<Option<i64>>(row, column)?.map(Timestamp::from_millis))
}

/// A commit that may be missing.
pub(crate) fn get_commit_opt(row: &AnyRow, column: &'static str) -> Result<Option<CommitId>, StoreError> {
    Ok(get::<Option<String>>(row, column)?.map(CommitId::new))
}
