//! Holding back what was decided before a shadow began.

use domain::delivery::Purpose;
use domain::timestamp::Timestamp;
use jiff::SignedDuration;
use store::deliveries::Delivery;
use store::{Store, StoreError};

/// How long what shadow mode holds back waits before it is looked at again: for what has to wait
/// for days, that is soon.
pub(super) const SHADOW_AGAIN_AFTER: SignedDuration = SignedDuration::from_mins(15);

/// Holds back what was decided before shadow mode began. An alert that was never tried is kept to
/// be shown, as those that come in shadow mode are: its line is told of when it happens again. All
/// else may be half done, or is said once (a regression): it goes on when shadow mode is over.
/// Answers whether it waits for that.
///
/// # Errors
/// The database is out of reach.
pub(super) async fn hold_back(store: &Store, delivery: &Delivery, now: Timestamp) -> Result<bool, StoreError> {
    if delivery.attempts == 0 && delivery.what.purpose == Purpose::Alert {
        store::shadow::keep_delivery(store, delivery.id).await?;
        return Ok(false);
    }
    let why = "nothing is sent in shadow mode";
    store::deliveries::record_put_off(store, delivery.id, why, now + SHADOW_AGAIN_AFTER).await?;
    Ok(true)
}
