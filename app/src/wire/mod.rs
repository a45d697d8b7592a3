//! From bytes on the wire to reports.

pub mod auth;
pub mod encoding;
mod lenient;
pub mod sentry;
pub mod sentry_event;
mod sentry_report;

/// Why bytes are no report.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// The bytes are not what the protocol says.
    #[error("malformed: {0}")]
    Malformed(String),
    /// More than is taken.
    #[error("too large: at most {limit} bytes {what} are taken")]
    TooLarge {
        /// The limit in bytes.
        limit: usize,
        /// `compressed` or `decompressed`.
        what: &'static str,
    },
    /// A Content-Encoding that nobody here reads.
    #[error("Content-Encoding {0:?} is not known; gzip, deflate, br, zstd and identity are")]
    UnknownEncoding(String),
    /// A text that is no traceback.
    #[error("{0}")]
    Unrecognised(String),
}
