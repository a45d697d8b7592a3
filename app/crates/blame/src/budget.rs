//! How much work one question may cost, and what ends it early.

use crate::Error;
use std::cell::Cell;
use std::sync::atomic::{AtomicBool, Ordering};

/// What one line may cost unless [`Walker::with_work_limit`](crate::Walker::with_work_limit) says
/// otherwise, in units of about a microsecond of one core: half a minute.
///
/// The slowest of 6,600 lines of three large repositories took two seconds. Work is counted, not
/// time: so a line gets the same answer on a busy machine.
pub const DEFAULT_WORK_LIMIT: u64 = 30_000_000;

/// Looking up a commit or tree and reading what is asked for in it.
pub(crate) const LOOK_UP: u64 = 5;

/// Bytes of a file that are read and split into lines in one unit.
const BYTES_READ_PER_UNIT: usize = 200;

/// Bytes of a commit or tree that are read in one unit, most of them being known from before.
const BYTES_LOOKED_AT_PER_UNIT: usize = 1_000;

/// Bytes of two files that are compared in one unit.
const BYTES_COMPARED_PER_UNIT: usize = 50;

/// How many pairs of lines a diff may look at in one unit.
const PAIRS_DIFFED_PER_UNIT: f64 = 170.0;

/// Why a walk ended before it came to an answer.
pub(crate) enum Abort {
    /// It cost more than it may.
    BudgetSpent,
    /// Git failed, or somebody interrupted it.
    Failed(Error),
}

impl From<Error> for Abort {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// A walk that cost too much has no answer; what failed is an error.
pub(crate) fn answered<T>(result: Result<T, Abort>) -> Result<Option<T>, Error> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(Abort::BudgetSpent) => Ok(None),
        Err(Abort::Failed(error)) => Err(error),
    }
}

/// The work that one question may still cost.
pub(crate) struct Budget<'a> {
    limit: u64,
    left: Cell<u64>,
    /// What all questions of one kind may still cost together.
    left_together: Cell<u64>,
    interrupt: Option<&'a AtomicBool>,
}

impl Default for Budget<'_> {
    fn default() -> Self {
        Self {
            limit: DEFAULT_WORK_LIMIT,
            left: Cell::new(DEFAULT_WORK_LIMIT),
            left_together: Cell::new(u64::MAX),
            interrupt: None,
        }
    }
}

impl<'a> Budget<'a> {
    /// Gives each question this many units.
    pub(crate) fn set_limit(&mut self, units: u64) {
        self.limit = units;
        self.renew();
    }

    /// Ends the walk once this is set.
    pub(crate) fn set_interrupt(&mut self, flag: &'a AtomicBool) {
        self.interrupt = Some(flag);
    }

    /// Begins the next question.
    pub(crate) fn renew(&self) {
        self.left.set(self.limit);
    }

    /// Lets all questions from now on together cost no more than some of them could.
    pub(crate) fn share(&self, questions: u64) {
        self.left_together.set(self.limit.saturating_mul(questions));
    }

    /// Takes this much work, unless it is too much or somebody interrupted the walk.
    pub(crate) fn spend(&self, units: u64) -> Result<(), Abort> {
        if self.interrupt.is_some_and(|flag| flag.load(Ordering::Relaxed)) {
            return Err(Error::Interrupted.into());
        }
        let left = self.left.get().checked_sub(units).ok_or(Abort::BudgetSpent)?;
        let together = self.left_together.get().checked_sub(units).ok_or(Abort::BudgetSpent)?;
        self.left.set(left);
        self.left_together.set(together);
        Ok(())
    }

    /// Takes the work of looking something up in a commit or tree of so many bytes.
    pub(crate) fn spend_looking_up(&self, bytes: usize) -> Result<(), Abort> {
        self.spend(LOOK_UP + (bytes / BYTES_LOOKED_AT_PER_UNIT) as u64)
    }

    /// Takes the work of reading so many bytes.
    pub(crate) fn spend_reading(&self, bytes: usize) -> Result<(), Abort> {
        self.spend(LOOK_UP + (bytes / BYTES_READ_PER_UNIT) as u64)
    }

    /// Takes the work that comparing so many differing lines may be.
    ///
    /// It grows with their number to the power of 1.5, at which the diff gives up looking for the
    /// shortest: 2,000,000 lines of a few kinds, shuffled, took 17 seconds.
    pub(crate) fn spend_diffing(&self, lines: u32) -> Result<(), Abort> {
        self.spend((f64::from(lines).powf(1.5) / PAIRS_DIFFED_PER_UNIT) as u64)
    }

    /// Takes the work of comparing so many bytes.
    pub(crate) fn spend_comparing(&self, bytes: usize) -> Result<(), Abort> {
        self.spend(1 + (bytes / BYTES_COMPARED_PER_UNIT) as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_ends_and_so_does_an_interrupted_walk() {
        let flag = AtomicBool::new(false);
        let mut budget = Budget::default();
        budget.set_interrupt(&flag);
        assert!(budget.spend(DEFAULT_WORK_LIMIT - 1).is_ok() && budget.spend_reading(0).is_err());
        assert!(matches!(budget.spend(2), Err(Abort::BudgetSpent)));
        budget.renew();
        assert!(budget.spend_comparing(1 << 20).is_ok() && budget.spend_diffing(2_000_000).is_ok());
        assert!(budget.spend_diffing(2_000_000).is_err(), "a second one is too much");
        budget.share(2);
        budget.renew();
        let half = DEFAULT_WORK_LIMIT / 2;
        let spent: Vec<bool> = (0..6)
            .map(|_| {
                budget.renew();
                budget.spend(half).is_ok()
            })
            .collect();
        assert_eq!(spent, [true, true, true, true, false, false], "two together");
        budget.share(2);
        budget.set_limit(1);
        assert!(budget.spend(1).is_ok() && budget.spend(1).is_err());
        flag.store(true, Ordering::Relaxed);
        assert!(matches!(budget.spend(1), Err(Abort::Failed(Error::Interrupted))));
    }
}
