//! How far each job of several got that were done together.

use super::Failure;

/// What came of one of them.
#[derive(Debug)]
pub enum Ended {
    /// It was done, or failed.
    Over(Result<(), Failure>),
    /// It is put back, as if it had not been claimed.
    NotBegun,
    /// It takes more than a moment, and none of the others may wait for it: it is to be done by
    /// itself, once they are put back.
    TakesLonger,
}

/// Of jobs that were not begun, the first failed, as all would have.
pub fn first_failed(mut ended: Vec<Ended>, failure: Failure) -> Vec<Ended> {
    if let Some(first) = ended.first_mut() {
        *first = Ended::Over(Err(failure));
    }
    ended
}
