//! How large the database is, and how long what is in it stays.

use crate::services::vitals::Vitals;
use domain::finding::Finding;
use domain::retention::Kept;

/// What the doctor says of it.
pub(super) fn finding(vitals: &Vitals, kept: &Kept) -> Finding {
    let size = match &vitals.size {
        Ok(size) => size,
        Err(error) => return Finding::failure("what is kept", error.to_string(), "Look at the database."),
    };
    let free = size.free.map(|free| format!(", {} of them free", mib(free))).unwrap_or_default();
    let what = format!("the database has {}{free}; kept: {}", mib(size.bytes), kept.told());
    if size.shrinks {
        return Finding::fine("what is kept", what);
    }
    let todo = "The file was made by an older version, and never becomes smaller: stop the server and run \
                sqlite3 FILE 'PRAGMA auto_vacuum = 2; VACUUM' once.";
    Finding::warning("what is kept", what, todo)
}

/// `1.5 MiB`.
fn mib(bytes: u64) -> String {
    let tenths = (bytes * 10) >> 20;
    format!("{}.{} MiB", tenths / 10, tenths % 10)
}
