//! The latest report of a line, and what it was attributed to.

use domain::attribution::Attribution;
use domain::ids::LineId;
use domain::timestamp::Timestamp;
use store::tracebacks::Traceback;
use store::{Store, StoreError};

/// What is kept of a line's latest report.
#[derive(Clone, Debug, Default)]
pub struct LatestReport {
    /// The report; `None` where none is kept (any more).
    pub traceback: Option<Traceback>,
    /// What it was attributed to.
    pub attribution: Option<Attribution>,
}

/// The latest report of a line.
///
/// # Errors
/// The database is out of reach, or a row can't be read.
pub async fn latest_report(store: &Store, line: LineId) -> Result<LatestReport, StoreError> {
    latest_report_before(store, line, Timestamp::MAX).await
}

/// The latest report of a line that came before a moment.
///
/// # Errors
/// The database is out of reach, or a row can't be read.
pub async fn latest_report_before(store: &Store, line: LineId, before: Timestamp) -> Result<LatestReport, StoreError> {
    let latest = store::tracebacks::latest_of_line(store, line, before).await?;
    Ok(match latest {
        Some((traceback, attribution)) => LatestReport { traceback: Some(traceback), attribution },
        None => LatestReport::default(),
    })
}
