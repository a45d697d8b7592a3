//! Why bytes from the wire could not be read.

/// Why a body was refused. Each message tells the sender what to change.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// `Content-Encoding` names something else. Answer 415.
    #[error("the Content-Encoding `{0}` is not understood: send gzip, deflate, br, zstd or none")]
    UnknownEncoding(String),
    /// The compressed body can't be unpacked. Answer 400.
    #[error("the {encoding} body can't be unpacked: {problem}")]
    Damaged {
        /// The encoding that was tried.
        encoding: &'static str,
        /// What the unpacker says.
        problem: String,
    },
    /// The body is larger than it may be once unpacked. Answer 413.
    #[error("the body is larger than {limit} bytes once unpacked")]
    TooLarge {
        /// Bytes that it may have.
        limit: usize,
    },
    /// The body is not what it says it is. Answer 400.
    #[error("{place}: {problem}")]
    Malformed {
        /// Where: `envelope header`, `item 2 (event), byte 1044` …
        place: String,
        /// What is wrong there.
        problem: String,
    },
    /// A text in which no traceback was found. Answer 400.
    #[error(
        "no traceback was recognised: send one as Python (`Traceback (most recent call last):`), Node (`    at f (file.js:1:2)`), \
         Ruby (`file.rb:1:in 'f': message (Type)`), Java (`\\tat pkg.Class.f(File.java:1)`), \
         Go (`goroutine 1 [running]:`) or Rust (`thread 'main' panicked at src/main.rs:1:2:`) prints it"
    )]
    NoTraceback,
}

impl WireError {
    /// A body that is not what it says it is.
    pub(super) fn malformed(place: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::Malformed { place: place.into(), problem: problem.into() }
    }
}
