//! Comparing predictions with what the fix says was to blame.

use super::case::{Case, CaseFrame, Truth};
use domain::suspects::SuspectedBy;
use serde::Serialize;
use sha2::{Digest, Sha256};

/// One suspect of one case, as it is printed.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Prediction {
    pub(super) case_id: String,
    /// From 1, the most likely first.
    pub(super) rank: u32,
    pub(super) path: String,
    pub(super) lineno: u32,
    /// Qualified name of the function.
    pub(super) function: String,
    pub(super) commit: Option<String>,
    pub(super) author_email: Option<String>,
    /// The rule that named it.
    pub(super) rule: SuspectedBy,
}

/// Whether the function, an author and a commit were hit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Hit {
    pub(super) function: bool,
    pub(super) author: bool,
    pub(super) commit: bool,
}

impl Hit {
    pub(super) fn each(self) -> [bool; 3] {
        [self.function, self.author, self.commit]
    }
}

/// What the first `suspects` of a case hit.
pub(super) fn hit(case: &Case, predictions: &[Prediction], suspects: usize) -> Hit {
    let Some(truth) = &case.truth else { return Hit::default() };
    predictions.iter().take(suspects).fold(Hit::default(), |before, prediction| {
        let one = hit_by(truth, prediction);
        Hit {
            function: before.function || one.function,
            author: before.author || one.author,
            commit: before.commit || one.commit,
        }
    })
}

fn hit_by(truth: &Truth, prediction: &Prediction) -> Hit {
    let function = truth.functions.iter().any(|(path, name)| *path == prediction.path && *name == prediction.function);
    let author = prediction.author_email.as_deref().map(hashed).is_some_and(|email| {
        truth.szz_authors.iter().flat_map(|author| &author.aliases).any(|alias| hashed(alias) == email)
    });
    let commit = prediction.commit.as_deref().is_some_and(|commit| {
        truth.szz_commits.iter().any(|one| one.sha.starts_with(commit) || commit.starts_with(&one.sha))
    });
    Hit { function, author, commit }
}

/// A year in seconds: older lines are nobody's to Sentry.
const YEAR: i64 = 365 * 24 * 3600;

/// What every own frame would hit by the blame that the case carries: the best that choosing frames
/// can do.
pub(super) fn best_frame(case: &Case) -> Hit {
    let frames = own_frames(case, |frame| frame.blame.as_ref());
    hit(case, &frames.iter().map(|(_, frame)| frame.clone()).collect::<Vec<_>>(), usize::MAX)
}

/// What Sentry's rule hits: the newest blamed line of all own frames, if it is under a year old.
pub(super) fn newest_line(case: &Case) -> Hit {
    // It knows no formatting commits, and among equals takes the outermost.
    let plain = own_frames(case, |frame| frame.blame_plain.as_ref().or(frame.blame.as_ref()));
    let newest = plain.into_iter().rev().max_by_key(|(changed, _)| *changed);
    let young = newest.filter(|(changed, _)| *changed >= case.event_time - YEAR);
    young.map_or_else(Hit::default, |(_, frame)| hit(case, &[frame], 1))
}

/// The own frames of a case that carry a blame, with when their lines were changed, Unix seconds.
fn own_frames(case: &Case, blame: impl Fn(&CaseFrame) -> Option<&String>) -> Vec<(i64, Prediction)> {
    let own = case.frames.iter().filter(|frame| frame.in_app);
    own.filter_map(|frame| {
        let id = blame(frame)?.clone();
        let commit = case.commits.get(&id)?;
        let prediction = Prediction {
            case_id: case.case_id.clone(),
            rank: 1,
            path: frame.filename.clone(),
            lineno: frame.lineno?,
            function: frame.qualname.clone().unwrap_or_default(),
            commit: Some(id),
            author_email: Some(commit.author_email.clone()),
            rule: SuspectedBy::Innermost,
        };
        Some((commit.ctime, prediction))
    })
    .collect()
}

/// Addresses of cases are hashes, 16 digits of SHA-256 and `@h`.
fn hashed(email: &str) -> String {
    let email = email.trim().to_lowercase();
    if email.ends_with("@h") {
        return email;
    }
    let digest = Sha256::digest(email.as_bytes());
    hex::encode(&digest[..8]) + "@h"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_compared_by_their_hashes() {
        assert_eq!(hashed("Ada@Example.com"), hashed("ada@example.com "));
        assert_eq!(hashed(&hashed("ada@example.com")), hashed("ada@example.com"));
        assert_eq!(hashed("ada@example.com").len(), 18);
    }
}
