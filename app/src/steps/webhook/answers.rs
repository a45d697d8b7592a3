//! GitHub's latest answers about issues: webhooks of one issue that wait together need one.

use domain::event::{HookIssue, IssueAction};
use domain::ids::{LineId, RepositoryId};
use domain::names::Login;
use domain::read_lag::tells_of;
use domain::timestamp::Timestamp;
use jiff::SignedDuration;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// How long an answer is kept. It serves what was received before it was asked for, and what waits
/// for longer in a flood has it asked for once more.
const KEPT_FOR: SignedDuration = SignedDuration::from_mins(1);
/// Answers kept at one time, with some hundred bytes each.
const MOST: usize = 1_000;

/// The answers, shared by all workers of this process.
#[derive(Clone, Default)]
pub struct IssueAnswers(Arc<Mutex<HashMap<(RepositoryId, u64), Known>>>);

/// An answer.
#[derive(Clone)]
pub(super) struct Known {
    /// When it was asked for.
    asked_at: Timestamp,
    /// How the issue was.
    pub(super) issue: HookIssue,
    /// Whose marker its text bears.
    pub(super) marked: Option<Marked>,
}

/// That an issue's text bears a marker of ours.
#[derive(Clone)]
pub(super) struct Marked {
    /// The line's.
    pub(super) line: LineId,
    /// Who filed the issue; `None` where GitHub does not say.
    pub(super) author: Option<Login>,
    /// It was closed as a duplicate of another one.
    pub(super) is_duplicate: bool,
}

impl IssueAnswers {
    /// The answer that serves a webhook as one of its own would: asked for after it was received,
    /// newer than all that is known by GitHub's clock, and beyond doubt.
    pub(super) fn serving(
        &self,
        at: (RepositoryId, u64),
        received_at: Timestamp,
        (action, told): (&IssueAction, &HookIssue),
        acted_on: Timestamp,
        now: Timestamp,
    ) -> Option<Known> {
        let answers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = answers.get(&at).filter(|known| now.is_within(KEPT_FOR, known.asked_at))?;
        let is_new = known.asked_at >= received_at && tells_of(&known.issue, action, told, acted_on);
        is_new.then(|| known.clone())
    }

    /// Keeps an answer.
    pub(super) fn record(
        &self,
        at: (RepositoryId, u64),
        issue: HookIssue,
        marked: Option<Marked>,
        asked_at: Timestamp,
    ) {
        // A panic while it was held leaves the map whole.
        let mut answers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if answers.len() >= MOST && !answers.contains_key(&at) {
            answers.retain(|_, known| asked_at.is_within(KEPT_FOR, known.asked_at));
            if answers.len() >= MOST {
                answers.clear();
            }
        }
        answers.insert(at, Known { asked_at, issue, marked });
    }
}
