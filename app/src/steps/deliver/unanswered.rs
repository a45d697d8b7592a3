//! What GitHub was asked to make without saying whether it did: the answer got lost, or this
//! program ended before it came. It is looked for, and made again only once it would be listed.
//! What GitHub does even later is mended (`doubles.rs`).

use crate::services::Failure;
use domain::ids::DeliveryId;
use domain::timestamp::Timestamp;
use github::GitHubError;
use jiff::SignedDuration;
use store::{Store, StoreError};

/// How long GitHub's lists may lack what it has made: a read lags behind a write by seconds, in
/// incidents by minutes. An issue that is filed three minutes later harms nobody; two of them are a
/// promise broken.
const LISTED_AFTER: SignedDuration = SignedDuration::from_mins(3);

/// What was made when it was asked for at `asked_at`, as `look` finds it; `None`: it was not made.
///
/// # Errors
/// It is too early to tell, or GitHub is out of reach.
pub(super) async fn made_earlier<T>(
    asked_at: Option<Timestamp>,
    now: Timestamp,
    look: impl Future<Output = Result<Option<T>, GitHubError>>,
) -> Result<Option<T>, Failure> {
    let Some(asked_at) = asked_at else { return Ok(None) };
    match look.await? {
        // Either way: nothing waits for hours because the clock was set back.
        None if (now - asked_at).abs() < LISTED_AFTER => {
            Err(Failure::retry("GitHub did not say whether it was made, and its list may not show it yet"))
        }
        found => Ok(found),
    }
}

/// Has GitHub make what a delivery is: that it was asked at `asked_at` is recorded before.
///
/// # Errors
/// GitHub's, or the database's.
pub(super) async fn make<T>(
    store: &Store,
    id: DeliveryId,
    asked_at: Timestamp,
    write: impl Future<Output = Result<T, GitHubError>>,
) -> Result<Result<T, GitHubError>, StoreError> {
    store::deliveries::set_unanswered(store, id, Some(asked_at)).await?;
    let made = write.await;
    if made.as_ref().is_err_and(|error| !may_be_done(error)) {
        store::deliveries::set_unanswered(store, id, None).await?;
    }
    Ok(made)
}

/// Whether GitHub may have done what it answered so.
pub(super) fn may_be_done(error: &GitHubError) -> bool {
    matches!(error, GitHubError::Transient { .. } | GitHubError::Unexpected(_))
}
