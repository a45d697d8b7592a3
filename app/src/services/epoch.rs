//! What the memories of this process are worth.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Goes up when rules, code or resolutions change: what a memory of this process said before has to
/// be looked up again.
#[derive(Clone, Debug, Default)]
pub struct Epoch(Arc<AtomicU64>);

impl Epoch {
    /// The epoch now.
    pub fn now(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }

    /// Begins another one.
    pub fn turn(&self) {
        self.0.fetch_add(1, Ordering::AcqRel);
    }
}
