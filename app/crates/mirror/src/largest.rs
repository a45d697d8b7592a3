//! How large an object may be.

/// What git work may hold in memory at once, in bytes for each object. gix reads objects whole, and
/// refuses a larger one by what its header says, before it makes room for it.
#[derive(Clone, Copy)]
pub(super) enum Largest {
    /// What questions read: eight times the largest text that has lines for us, so that the changes
    /// that lead to it fit, too. A commit's message is held several times over.
    Read = 64 << 20,
    /// What a fetch receives, each of which it unpacks once to know its id. GitHub takes no file
    /// above 100 MB, other servers some more.
    Received = 1 << 30,
}
