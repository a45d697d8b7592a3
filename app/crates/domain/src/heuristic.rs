//! The rules of thumb by which the culprit is chosen beyond the innermost frame, by name.

use serde::{Deserialize, Serialize};

/// A rule of thumb. Each was kept because it paid on repositories that it was not made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Heuristic {
    /// A short function that only raises: its caller.
    RaiseHelper,
    /// A line that passes its arguments on as it got them: its caller.
    Forwarder,
    /// A line that calls the function that it was given: its caller.
    GivenCallee,
    /// A value of the wrong type that came in as a parameter: its caller.
    GivenValue,
    /// A missing field of the object itself: its class's constructor.
    Constructor,
    /// Arguments that do not fit: the signature, if it was changed later than the call.
    Signature,
    /// A caller's line that was changed just before, where the culprit's is old.
    Fresh,
}

impl Heuristic {
    /// All of them, in the order in which they are asked.
    pub const ALL: [Self; 7] = [
        Self::RaiseHelper,
        Self::Forwarder,
        Self::GivenCallee,
        Self::GivenValue,
        Self::Constructor,
        Self::Signature,
        Self::Fresh,
    ];

    /// Its name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::RaiseHelper => "raise-helper",
            Self::Forwarder => "forwarder",
            Self::GivenCallee => "given-callee",
            Self::GivenValue => "given-value",
            Self::Constructor => "constructor",
            Self::Signature => "signature",
            Self::Fresh => "fresh",
        }
    }
}
