//! How much work one question may cost, and what ends it early.

use crate::MirrorError;
use std::cell::Cell;
use std::sync::atomic::{AtomicBool, Ordering};

/// What one line may cost, in units of about a microsecond of one core: half a minute. The slowest of 6,600 lines of three large
/// repositories took two seconds. Work is counted, not time: so a line gets the same answer on a busy machine, and
/// with it the same identity.
pub(super) const PATIENCE: u64 = 30_000_000;

/// Looking up a commit or tree and reading what is asked for in it.
pub(super) const LOOK_UP: u64 = 5;

/// Bytes of a file that are read and split into lines in one unit.
const READ_IN_A_UNIT: usize = 200;

/// Bytes of two files that are compared in one unit.
const COMPARED_IN_A_UNIT: usize = 50;

/// How many pairs of lines a diff may look at in one unit.
const DIFFED_IN_A_UNIT: f64 = 170.0;

/// Why a walk ended before it came to an answer.
pub(super) enum Cut {
    /// It cost more than [`PATIENCE`].
    Exhausted,
    /// Git failed, or somebody stopped it.
    Failed(MirrorError),
}

impl From<MirrorError> for Cut {
    fn from(error: MirrorError) -> Self {
        Self::Failed(error)
    }
}

/// What is left of the patience with one question.
pub(super) struct Effort<'a> {
    left: Cell<u64>,
    stop: Option<&'a AtomicBool>,
}

impl<'a> Effort<'a> {
    pub(super) fn new(stop: Option<&'a AtomicBool>) -> Self {
        Self { left: Cell::new(PATIENCE), stop }
    }

    /// Begins the next question.
    pub(super) fn renew(&self) {
        self.left.set(PATIENCE);
    }

    /// Takes this much work, unless it is too much or somebody stopped the walk.
    pub(super) fn spend(&self, units: u64) -> Result<(), Cut> {
        if self.stop.is_some_and(|stop| stop.load(Ordering::Relaxed)) {
            return Err(MirrorError::Interrupted.into());
        }
        let left = self.left.get().checked_sub(units).ok_or(Cut::Exhausted)?;
        self.left.set(left);
        Ok(())
    }

    /// Takes the work of reading so many bytes.
    pub(super) fn spend_reading(&self, bytes: usize) -> Result<(), Cut> {
        self.spend(LOOK_UP + (bytes / READ_IN_A_UNIT) as u64)
    }

    /// Takes the work that comparing so many differing lines may be. It grows with their number to the power of 1.5, at which
    /// the diff gives up looking for the shortest: 2,000,000 lines of a few kinds, shuffled, took 17 seconds.
    pub(super) fn spend_diffing(&self, lines: u32) -> Result<(), Cut> {
        self.spend((f64::from(lines).powf(1.5) / DIFFED_IN_A_UNIT) as u64)
    }

    /// Takes the work of comparing so many bytes.
    pub(super) fn spend_comparing(&self, bytes: usize) -> Result<(), Cut> {
        self.spend(1 + (bytes / COMPARED_IN_A_UNIT) as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patience_ends_and_so_does_a_stopped_walk() {
        let stop = AtomicBool::new(false);
        let effort = Effort::new(Some(&stop));
        assert!(effort.spend(PATIENCE - 1).is_ok() && effort.spend_reading(0).is_err());
        assert!(matches!(effort.spend(2), Err(Cut::Exhausted)));
        effort.renew();
        assert!(effort.spend_comparing(1 << 20).is_ok() && effort.spend_diffing(2_000_000).is_ok());
        assert!(effort.spend_diffing(2_000_000).is_err(), "a second one is too much");
        stop.store(true, Ordering::Relaxed);
        assert!(matches!(effort.spend(1), Err(Cut::Failed(MirrorError::Interrupted))));
    }
}
