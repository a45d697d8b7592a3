//! How much work reading source code may be, counted in steps and never in time, so that a file is
//! read or not read wherever it is looked at.

use std::cell::Cell;

/// Steps that reading all files of one report may take, of some half a microsecond of one core each
/// (in an optimized build): some ten seconds. The files of an ordinary traceback take a thousandth
/// of it; a key is public, and a repository may hold what somebody made to be read slowly.
pub const MOST_WORK: u64 = 20_000_000;

/// Steps that parsing one file may take. Ordinary code takes 0.7 for each byte, minified code and
/// tables of numbers up to 2.7, so half a megabyte of these is read. A step can take 270 bytes of
/// memory until the file is parsed.
const MOST_PARSING: u64 = 1_000_000;

/// A file, or all that a report leads to, is more than what is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TooMuch;

/// The steps that are left, for one file after the other.
#[derive(Debug)]
pub struct Work {
    left: Cell<u64>,
}

impl Default for Work {
    /// [`MOST_WORK`].
    fn default() -> Self {
        Self::of(MOST_WORK)
    }
}

impl Work {
    /// So many steps.
    pub fn of(steps: u64) -> Self {
        Self { left: Cell::new(steps) }
    }

    /// The steps that are left.
    pub fn left(&self) -> u64 {
        self.left.get()
    }

    /// Takes some steps, unless there are no more.
    pub(super) fn take(&self, steps: u64) -> Result<(), TooMuch> {
        let left = self.left.get().checked_sub(steps);
        self.left.set(left.unwrap_or(0));
        left.map(|_| ()).ok_or(TooMuch)
    }

    /// What parsing one file may take of it.
    pub(super) fn for_parsing(&self) -> u64 {
        self.left().min(MOST_PARSING)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_that_is_too_much_takes_all_that_is_left() {
        let work = Work::of(10);
        assert_eq!((work.take(7), work.take(4), work.take(1)), (Ok(()), Err(TooMuch), Err(TooMuch)));
        assert_eq!(Work::default().for_parsing(), MOST_PARSING);
    }
}
