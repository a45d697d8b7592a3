//! Columns: read with their names in the error, and written as both databases take them.

use crate::StoreError;
use domain::commit::CommitId;
use domain::timestamp::Timestamp;
use sha2::{Digest as _, Sha256};
use sqlx::any::AnyRow;
use sqlx::{Any, Row};
use std::borrow::Cow;

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

/// Bytes of a text in an index. PostgreSQL takes 2,704 of all columns of one together, and no index
/// has more than two that others choose.
pub(crate) const LONGEST_INDEXED: usize = 1_000;
/// Bytes of a longer text that are kept; hexadecimal digits of the digest of all of it follow.
const KEPT_OF_LONGER: usize = LONGEST_INDEXED - 64;

/// A text for a column that an index has, also where it is looked for: as it is, or, where it is
/// too long for PostgreSQL's indexes, its beginning and a digest of it, so that two stay two.
pub(crate) fn indexable(text: &str) -> String {
    let text = storable(text);
    if text.len() <= LONGEST_INDEXED {
        return text.into_owned();
    }
    let digest = hex::encode(Sha256::digest(text.as_bytes()));
    format!("{}{digest}", &text[..text.floor_char_boundary(KEPT_OF_LONGER)])
}

/// A text as both databases take it: PostgreSQL refuses the character U+0000, which anybody can
/// send or commit. Done to all that statements are given ([`crate::takeable`]).
pub(crate) fn storable(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { Cow::Owned(text.replace('\0', "\u{fffd}")) } else { Cow::Borrowed(text) }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_long_for_an_index_is_shortened_and_stays_apart() {
        assert_eq!(indexable("src/a\0.py"), "src/a\u{fffd}.py");
        assert_eq!(indexable(&"x".repeat(LONGEST_INDEXED)), "x".repeat(LONGEST_INDEXED));
        let long = |last: char| indexable(&format!("{}{last}", "é".repeat(3_000)));
        for last in ['a', 'b', '\0'] {
            assert!(long(last).len() <= LONGEST_INDEXED && long(last).starts_with("éé"));
        }
        assert_ne!(long('a'), long('b'));
        assert_eq!(long('a'), long('a'));
        // Two of them, two names of ours, and a number or two.
        const { assert!(2 * LONGEST_INDEXED + 2 * 32 + 2 * 8 < 2_704) };
    }
}
