//! How far each job of several got that were done together.

use super::Failure;

/// What came of one of them.
#[derive(Debug)]
pub enum Ended {
    /// It was done, or failed.
    Over(Result<(), Failure>),
    /// It is put back, as if it had not been claimed.
    NotBegun,
}

/// Of jobs that were not begun, the first failed, as all would have.
pub fn first_failed(mut ended: Vec<Ended>, failure: Failure) -> Vec<Ended> {
    if let Some(first) = ended.first_mut() {
        *first = Ended::Over(Err(failure));
    }
    ended
}
