//! Telling the workers of this process that there is a job.

use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;

/// Wakes workers that sleep because there was nothing to do.
#[derive(Clone, Debug, Default)]
pub struct Wake(Arc<Notify>);

impl Wake {
    /// There is a job: one worker looks.
    pub fn notify_one(&self) {
        self.0.notify_one();
    }

    /// Every worker that sleeps looks, as when all are to stop.
    pub fn notify_all(&self) {
        self.0.notify_waiters();
    }

    /// Sleeps until there is a job, but no longer than this.
    pub async fn sleep(&self, longest: Duration) {
        // Who wakes by itself looks as well: another process on the same database may have put a
        // job there.
        let _ = tokio::time::timeout(longest, self.0.notified()).await;
    }
}
