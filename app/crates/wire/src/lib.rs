//! From bytes on the wire to reports.

pub mod auth;
pub mod encoding;
mod fingerprint_frame;
mod groups;
mod kept;
mod lenient;
mod limits;
mod named_place;
mod native;
mod php_functions;
mod quoted;
mod repair;
mod ruby_methods;
pub mod sentry;
pub mod sentry_event;
mod sentry_fields;
mod sentry_frames;
mod sentry_members;
mod sentry_report;
pub mod traceback;
mod value;

/// Why bytes from a client are not a report.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// The bytes break the format that they claim to be in.
    #[error("{what}{}", at.map(|at| format!(" (at byte {at})")).unwrap_or_default())]
    Malformed {
        /// What is wrong, and where as the format counts (item, line, column).
        what: String,
        /// Offset in the decompressed body, where it is known.
        at: Option<usize>,
    },
    /// Longer than allowed, before or after decompression.
    #[error("the report is larger than {limit} bytes: send fewer or shorter local variables, or the end of a log")]
    TooLarge {
        /// The limit that was passed, in bytes.
        limit: usize,
    },
    /// `Content-Encoding` names a compression that is not read here.
    #[error("Content-Encoding `{0}` is not supported: use gzip, deflate, br, zstd or none")]
    UnknownEncoding(String),
    /// Text in which no traceback of a known language was found.
    #[error("no traceback was recognised: {0}")]
    Unrecognised(String),
}

impl WireError {
    /// Malformed, at no known offset.
    pub(crate) fn malformed(what: impl Into<String>) -> Self {
        Self::Malformed { what: what.into(), at: None }
    }

    /// Malformed at this offset of the decompressed body.
    pub(crate) fn malformed_at(what: impl Into<String>, at: usize) -> Self {
        Self::Malformed { what: what.into(), at: Some(at) }
    }
}
