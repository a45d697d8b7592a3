//! What ends a question without an answer.

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Git's objects could not be read: the repository is damaged, or a partial clone lacks some.
    #[error("{what}")]
    Git {
        /// What was being done, `reading the commit 1f0c…` say.
        what: String,
        /// What gix said to it.
        #[source]
        source: gix::Error,
    },
    /// Somebody set the flag of [`Walker::with_interrupt`](crate::Walker::with_interrupt).
    #[error("interrupted")]
    Interrupted,
}

impl Error {
    /// For `map_err`: `what` is worded where something failed, and only then.
    pub(crate) fn git<W: Into<String>>(what: impl FnOnce() -> W) -> impl FnOnce(gix::Error) -> Self {
        |source| Self::Git { what: what().into(), source }
    }
}
