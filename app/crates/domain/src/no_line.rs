//! Why no line was found, or nobody can be blamed for it, and what to do about it: decided from the
//! report, its frames, and what is known of the repository.

mod client;
mod decide;
mod frames;
mod reason;
mod sighting;
mod words;

pub use decide::{Facts, MirrorState, no_line, seems_a_commit};
pub use reason::Reason;
pub use sighting::{Files, Sighting, Stands, looked_at, stands};

use serde::{Deserialize, Serialize};

/// The page that explains all reasons, below the server's address.
pub const PAGE: &str = "/why_no_line";

/// One reason for which there is no line or nobody to blame, in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoLine {
    /// Which.
    pub reason: Reason,
    /// What is so, as the end of a sentence.
    pub what: String,
    /// What to do about it, in sentences.
    pub help: String,
}

/// What some reasons keep from being known: the first of them most of all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lacking {
    /// The line.
    Line,
    /// Who wrote it.
    Author,
}

/// The reasons in sentences: the first is why, the others explain it.
pub fn sentences(reasons: &[NoLine], lacking: Lacking) -> Vec<String> {
    let Some((first, others)) = reasons.split_first() else { return Vec::new() };
    let begin = match lacking {
        Lacking::Line => "No line of the repository was found",
        Lacking::Author => "It is not known who wrote this line",
    };
    let mut words = vec![format!("{begin}: {}.", first.what), format!("What to do: {}", first.help)];
    for other in others {
        words.push(format!("Besides, {}. {}", other.what, other.help));
    }
    words
}

#[cfg(test)]
mod tests;
