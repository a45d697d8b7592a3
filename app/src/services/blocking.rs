//! Git work, which blocks, where blocking is allowed.

use super::Failure;
use mirror::MirrorError;

/// Runs git work in a thread of its own.
///
/// # Errors
/// The work's own, or that it panicked.
pub async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, MirrorError> + Send + 'static,
) -> Result<T, Failure> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => Ok(result?),
        Err(ended) => Err(Failure::ended("git work", ended)),
    }
}
