//! GitHub's answers are behind its webhooks by fractions of a second to seconds, in incidents by
//! minutes: when it is asked again what it does not know yet, and what counts meanwhile.

use crate::event::{HookIssue, IssueAction};
use crate::timestamp::Timestamp;
use jiff::SignedDuration;

/// How long after something happened GitHub's answers may not know of it. Longer than all that was
/// measured outside of incidents; whoever gave a command in one waits no longer for its reply.
pub const ANSWERS_LAG_FOR: SignedDuration = SignedDuration::from_mins(1);
/// The first pause before GitHub is asked again: most answers are behind by less. Each further one
/// is as long as all before it, so that a minute takes eight requests.
const FIRST_PAUSE: SignedDuration = SignedDuration::from_millis(500);

/// When to ask again what GitHub should know since then; `None`: it had its time.
pub fn ask_again_at(since: Timestamp, now: Timestamp) -> Option<Timestamp> {
    // The clock may have been set back meanwhile: then nothing is known of how long it was.
    let waited = (now - since).clamp(SignedDuration::ZERO, ANSWERS_LAG_FOR);
    now.is_within(ANSWERS_LAG_FOR, since).then(|| now + waited.max(FIRST_PAUSE).min(ANSWERS_LAG_FOR))
}

/// What GitHub answers who asks for an issue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It is like this.
    Is(HookIssue),
    /// It is not there, which an answer from before it was made says, too.
    Missing,
    /// Nothing of how it is, as of one that was deleted.
    Nothing,
}

/// What is to be done about something that a webhook says was done to an issue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// It stands, and this is how the issue is.
    Stands(HookIssue),
    /// It was taken back since, or is not the latest.
    IsOver,
    /// The answer may be from before: GitHub is to be asked again.
    AskAgain,
}

/// Judges what a webhook tells of an issue by GitHub's answer, of which nobody knows how old it is.
///
/// `acted_on` is how old the issue was that was acted on last, by GitHub's own clock, which counts
/// in seconds. `may_lag`: the answers may not know of it yet.
///
/// An answer decides once it is newer than the webhook, whatever the webhook says. One of the same
/// second can be of before or after it: it decides alone if it agrees. One that goes on being older
/// leaves two facts, both GitHub's, of which the later counts: the webhook's. That is no word for
/// old webhooks, for what is older than what was acted on is not the later one.
pub fn judge(action: &IssueAction, told: &HookIssue, answer: &Answer, acted_on: Timestamp, may_lag: bool) -> Judgement {
    let by_webhook = || match told.updated_at {
        Some(at) if at < acted_on => Judgement::IsOver,
        _ => Judgement::Stands(told.clone()),
    };
    let issue = match answer {
        Answer::Is(issue) => issue,
        Answer::Missing if may_lag => return Judgement::AskAgain,
        Answer::Missing | Answer::Nothing => return by_webhook(),
    };
    let stands = still_stands(action, issue);
    let (Some(at), Some(told_at)) = (issue.updated_at, told.updated_at) else {
        return if stands { Judgement::Stands(issue.clone()) } else { Judgement::IsOver };
    };
    let is_behind = at < told_at.max(acted_on);
    match stands {
        _ if is_behind && may_lag => Judgement::AskAgain,
        _ if is_behind => by_webhook(),
        true => Judgement::Stands(issue.clone()),
        false if at == told_at && may_lag => Judgement::AskAgain,
        false => Judgement::IsOver,
    }
}

/// Whether an answer decides on what a webhook tells without a doubt: it is as new as all that is
/// known, and where it is of the same second, it agrees. So it needs not be asked for anew.
pub fn tells_of(answer: &HookIssue, action: &IssueAction, told: &HookIssue, acted_on: Timestamp) -> bool {
    let (Some(at), Some(told_at)) = (answer.updated_at, told.updated_at) else { return false };
    at >= acted_on && (at > told_at || at == told_at && still_stands(action, answer))
}

/// Whether what was done to the issue has not been taken back since.
fn still_stands(action: &IssueAction, issue: &HookIssue) -> bool {
    let bears = |label: &str| issue.labels.iter().any(|known| known.eq_ignore_ascii_case(label));
    match action {
        IssueAction::Closed => !issue.open,
        IssueAction::Reopened => issue.open,
        IssueAction::Labeled(label) => bears(label),
        IssueAction::Unlabeled(label) => !bears(label),
        IssueAction::Assigned(to) => issue.assignees.iter().any(|known| known.login == to.login),
        IssueAction::Unassigned(from) => !issue.assignees.iter().any(|known| known.login == from.login),
        IssueAction::Edited | IssueAction::Gone => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    fn issue(open: bool, seconds: i64) -> HookIssue {
        HookIssue { open, updated_at: Some(at(seconds)), ..HookIssue::default() }
    }

    #[test]
    fn github_is_asked_eight_times_within_a_minute() {
        let (mut now, mut asked) = (at(0), 0);
        while let Some(next) = ask_again_at(at(0), now) {
            assert!(next > now);
            (now, asked) = (next, asked + 1);
        }
        assert_eq!((asked, now >= at(60), now < at(120)), (8, true, true));
        assert_eq!(ask_again_at(at(0), at(3600)), None, "a webhook that waited for an hour");
        assert_eq!(ask_again_at(at(3600), at(0)), None, "the clock was set back");
    }

    #[test]
    fn an_answer_decides_once_it_is_as_new_as_all_that_is_known() {
        let closed = |told: i64, answer: HookIssue, acted_on: i64, may_lag: bool| match judge(
            &IssueAction::Closed,
            &issue(false, told),
            &Answer::Is(answer),
            at(acted_on),
            may_lag,
        ) {
            Judgement::Stands(issue) => format!("as of {}", issue.updated_at.unwrap_or_default().as_seconds()),
            other => format!("{other:?}"),
        };
        // Told at 5: of an answer that is newer, and of one of the same second, that agrees.
        assert_eq!(closed(5, issue(false, 6), 0, true), "as of 6");
        assert_eq!(closed(5, issue(true, 6), 0, true), "IsOver");
        assert_eq!(closed(5, issue(false, 5), 5, true), "as of 5");
        // The same second, and it does not: from before, until it had its time.
        assert_eq!(closed(5, issue(true, 5), 0, true), "AskAgain");
        assert_eq!(closed(5, issue(true, 5), 0, false), "IsOver");
        // Older: from before; where it stays so, the webhook is newer.
        assert_eq!(closed(5, issue(false, 4), 0, true), "AskAgain");
        assert_eq!(closed(5, issue(true, 4), 0, false), "as of 5");
        // Older than what was acted on, the webhook as well: neither is how the issue is.
        assert_eq!(closed(5, issue(false, 5), 7, true), "AskAgain");
        assert_eq!(closed(5, issue(false, 5), 7, false), "IsOver");
        assert_eq!(closed(5, issue(false, 7), 7, true), "as of 7");
        assert_eq!(closed(5, issue(true, 7), 7, true), "IsOver", "no need to ask again");
    }

    #[test]
    fn an_answer_serves_again_where_it_leaves_no_doubt() {
        let serves = |told: i64, answer: HookIssue, acted_on: i64| {
            tells_of(&answer, &IssueAction::Closed, &issue(false, told), at(acted_on))
        };
        assert!(serves(5, issue(false, 6), 0) && serves(5, issue(true, 6), 6));
        assert!(serves(5, issue(false, 5), 5));
        assert!(!serves(5, issue(true, 5), 0), "it may be from before");
        assert!(!serves(5, issue(false, 4), 0) && !serves(5, issue(false, 6), 7));
        assert!(!serves(5, HookIssue::default(), 0));
    }

    #[test]
    fn where_github_says_nothing_the_webhook_counts_unless_it_is_old() {
        let judged = |answer: Answer, acted_on: i64, may_lag: bool| {
            judge(&IssueAction::Closed, &issue(false, 5), &answer, at(acted_on), may_lag)
        };
        assert_eq!(judged(Answer::Nothing, 0, true), Judgement::Stands(issue(false, 5)));
        assert_eq!(judged(Answer::Nothing, 6, true), Judgement::IsOver);
        assert_eq!(judged(Answer::Missing, 0, true), Judgement::AskAgain);
        assert_eq!(judged(Answer::Missing, 0, false), Judgement::Stands(issue(false, 5)));
        let undated = HookIssue { open: true, ..HookIssue::default() };
        assert_eq!(judged(Answer::Is(undated), 0, true), Judgement::IsOver, "an answer without a date is believed");
    }
}
