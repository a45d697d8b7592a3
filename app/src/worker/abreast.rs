//! Keeping abreast: of what was counted, and of what other processes on the same database changed.

use super::Worker;
use crate::services::{begin_anew_after, caught};
use std::sync::atomic::Ordering;
use std::time::Duration;

/// How often it is looked whether another process changed what this one remembers: people expect
/// that a rule or a revoked key holds when they look again.
const ABREAST_EVERY: Duration = Duration::from_millis(500);

impl Worker {
    /// Keeps counts up to date until [`Self::stop`], whatever panics.
    pub(super) async fn keep_counts_on(self) {
        // What the last process appended, and did not get to fold.
        self.upkeep.counts.look();
        let keep = async || {
            while !self.stopping.load(Ordering::Acquire) {
                self.upkeep.counts.keep(|| self.clock.now()).await;
            }
        };
        while let Err(panic) = caught(keep()).await {
            begin_anew_after(&panic, "what keeps counts").await;
        }
    }

    /// Voids what this process remembers whenever another one changed what that goes by, until
    /// [`Self::stop`], whatever panics.
    pub(super) async fn keep_abreast_on(self) {
        let keep = async || {
            let mut known = None;
            while !self.stopping.load(Ordering::Acquire) {
                // Where the database does not answer, nothing is remembered for longer than usual.
                if let Ok(stamp) = store::stamp::now(&self.store).await
                    && known.as_ref() != Some(&stamp)
                {
                    self.upkeep.epoch.turn();
                    known = Some(stamp);
                }
                tokio::time::sleep(ABREAST_EVERY).await;
            }
        };
        while let Err(panic) = caught(keep()).await {
            begin_anew_after(&panic, "what keeps abreast of other processes").await;
        }
    }
}
