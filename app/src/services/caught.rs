//! Panics, caught where what panicked must not end more than itself.

use std::any::Any;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

/// The pause before what panicked begins anew: a fault that stays must not keep a core busy.
const BEGIN_ANEW_AFTER: Duration = Duration::from_millis(500);

/// What was panicked with, as text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Panic(String);

impl Panic {
    /// From what a thread or task ended with.
    pub fn of(payload: &(dyn Any + Send)) -> Self {
        let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
        Self(text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_else(|| "of no text".to_owned()))
    }
}

/// Does something in this task; its panic becomes an error. What was being changed when it panicked
/// may be half done: the caller makes it anew.
///
/// # Errors
/// It panicked.
pub async fn caught<F: Future>(work: F) -> Result<F::Output, Panic> {
    let mut work = pin!(work);
    std::future::poll_fn(move |cx| match catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(cx))) {
        Ok(Poll::Pending) => Poll::Pending,
        Ok(Poll::Ready(done)) => Poll::Ready(Ok(done)),
        Err(payload) => Poll::Ready(Err(Panic::of(&*payload))),
    })
    .await
}

/// Says of background work that panicked that it begins anew, which the caller has it do after
/// this.
pub async fn begin_anew_after(panic: &Panic, what: &str) {
    // It may be the log that panics, and must not end what logs.
    let _ = caught(async { tracing::error!(%panic, "{what} panicked, and begins anew") }).await;
    tokio::time::sleep(BEGIN_ANEW_AFTER).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_is_an_error_of_whoever_caught_it() {
        assert_eq!(caught(async { 1 }).await, Ok(1));
        let panicked = caught(async {
            tokio::task::yield_now().await;
            panic!("no number")
        });
        assert_eq!(panicked.await, Err::<(), _>(Panic("no number".to_owned())));
        let formatted = caught(async { panic!("{} apples", 2) });
        assert_eq!(formatted.await, Err::<(), _>(Panic("2 apples".to_owned())));
    }
}
