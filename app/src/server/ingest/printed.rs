//! What a printed traceback, from curl, cron or anything else, can't say of itself.

use super::outcome::IngestError;
use crate::steps::accept::Occurrence;
use domain::report::{MOST_OCCURRENCES, Report};
use wire::{WireError, auth};

/// Characters kept of a parameter: as much as of the same field of an SDK's event.
const LONGEST: usize = 200;

/// The query of a printed traceback.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::server) struct PrintedQuery {
    /// What was deployed.
    pub(in crate::server) release: Option<String>,
    /// Where it was deployed.
    pub(in crate::server) environment: Option<String>,
    /// The host.
    pub(in crate::server) server_name: Option<String>,
    /// How often it happened.
    pub(in crate::server) count: u64,
    /// How a command ended whose failure counts without a traceback. Then the body's first line is
    /// the command.
    pub(in crate::server) failed: Option<String>,
    key: Option<String>,
}

impl PrintedQuery {
    /// Reads the query. A name that is not known is none of our business; a count that is no number
    /// would be lost in silence.
    ///
    /// # Errors
    /// The count is no number, or 0.
    pub(in crate::server) fn read(query: &str) -> Result<Self, IngestError> {
        let mut read = Self { count: 1, ..Self::default() };
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            let text = Some(value.trim().chars().take(LONGEST).collect::<String>()).filter(|text| !text.is_empty());
            match name.as_ref() {
                "release" => read.release = text,
                "environment" => read.environment = text,
                "server_name" => read.server_name = text,
                "failed" => read.failed = text,
                auth::KEY => read.key = text,
                "count" => read.count = count(&value)?,
                _ => {}
            }
        }
        Ok(read)
    }

    /// The key, where it stands in the query.
    pub(in crate::server) fn key(&self) -> Option<auth::Credentials> {
        self.key.as_deref().and_then(|key| auth::from_authorization(&format!("Bearer {key}")))
    }
}

fn count(text: &str) -> Result<u64, IngestError> {
    let count = text.trim().parse().ok().filter(|count| *count > 0);
    count.ok_or_else(|| {
        IngestError::Query("count has to be a whole number, 1 or more: how often it happened".to_owned())
    })
}

/// Reads a traceback as it was printed, with what its address says of it; and what is counted of
/// it.
///
/// # Errors
/// No traceback is recognised in it.
pub(super) fn read_printed(
    bytes: &[u8],
    query: &PrintedQuery,
    client: Option<&str>,
) -> Result<(Report, Occurrence), WireError> {
    let mut report = match &query.failed {
        Some(how) => wire::traceback::parse_failure(bytes, how),
        None => wire::traceback::parse(bytes)?,
    };
    // Its client, in place of an SDK's name.
    report.sdk = client.map(str::to_owned);
    report.release = query.release.clone();
    report.environment = query.environment.clone();
    report.server_name = query.server_name.clone();
    let occurrence = Occurrence {
        count: query.count.clamp(1, MOST_OCCURRENCES),
        server: report.server_name.clone().unwrap_or_default(),
        environment: report.environment.clone().unwrap_or_default(),
    };
    Ok((report, occurrence))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn circumstances_are_read_from_the_query() {
        let read = PrintedQuery::read("release=v1.2%2B3&environment=+&server_name=web-1&count=7&other=x").unwrap();
        assert_eq!(read.release.as_deref(), Some("v1.2+3"));
        assert_eq!((read.environment, read.server_name.as_deref(), read.count), (None, Some("web-1"), 7));
        assert_eq!(PrintedQuery::read("failed=exit+status+3").unwrap().failed.as_deref(), Some("exit status 3"));
        assert_eq!(PrintedQuery::read("").unwrap(), PrintedQuery { count: 1, ..PrintedQuery::default() });
        let long = PrintedQuery::read(&format!("release={}", "é".repeat(LONGEST + 5))).unwrap();
        assert_eq!(long.release.map(|text| text.chars().count()), Some(LONGEST));
        for bad in ["count=many", "count=-1", "count=0", "count="] {
            assert!(PrintedQuery::read(bad).is_err(), "{bad}");
        }
    }
}
