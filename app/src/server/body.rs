//! Bodies that programs send: how long they may be, and how long they may take.

use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, FailedToBufferBody};
use axum::extract::{FromRequest, Request};
use std::time::Duration;

/// How long a body may take: the SDKs themselves give up after 30 seconds. A client that sends a
/// byte now and then would hold its connection for ever.
const BODY_TIME: Duration = Duration::from_secs(30);

/// Why there is no body.
#[derive(Debug)]
pub(super) enum BodyError {
    /// It is longer than the routes' `DefaultBodyLimit`.
    TooLarge,
    /// It did not come to its end.
    CutOff(String),
    /// It took too long.
    Slow,
}

/// The body of a request, whole and in time.
///
/// # Errors
/// It is too long, too slow, or breaks off.
pub(super) async fn read(request: Request) -> Result<Bytes, BodyError> {
    match tokio::time::timeout(BODY_TIME, Bytes::from_request(request, &())).await {
        Ok(read) => Ok(read?),
        Err(_) => Err(BodyError::Slow),
    }
}

impl From<BytesRejection> for BodyError {
    fn from(rejection: BytesRejection) -> Self {
        match rejection {
            BytesRejection::FailedToBufferBody(FailedToBufferBody::LengthLimitError(_)) => Self::TooLarge,
            other => {
                let text = other.body_text();
                Self::CutOff(text.trim_start_matches("Failed to buffer the request body: ").to_owned())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What axum takes where no layer says otherwise.
    const DEFAULT_LIMIT: usize = 2 << 20;

    #[tokio::test]
    async fn a_body_that_is_too_long_is_told_from_others() {
        let of_length = async |length: usize| read(Request::new(vec![b'x'; length].into())).await;
        assert_eq!(of_length(DEFAULT_LIMIT).await.expect("a body").len(), DEFAULT_LIMIT);
        assert!(matches!(of_length(DEFAULT_LIMIT + 1).await, Err(BodyError::TooLarge)));
    }
}
