//! What GitHub refuses in a whole repository: a state that begins and ends, not the end of what was
//! to be written.

use crate::timestamp::Timestamp;
use jiff::SignedDuration;

/// How often it is asked whether a refusal is over whose reason is known: a read or two, so that
/// what waits is written within minutes of somebody's putting it right.
pub const LOOK_EVERY: SignedDuration = SignedDuration::from_mins(5);
/// The same of a repository that somebody archived, or without issues, while no issue or comment
/// waits there, of which a webhook tells, too: a thousand of them are a thousand reads an hour of
/// GitHub's 5,000.
pub const LOOK_LATER: SignedDuration = SignedDuration::from_hours(1);
/// The first pause after a refusal that nothing explains: most of these pass by themselves.
const FIRST_PAUSE: SignedDuration = SignedDuration::from_mins(1);
/// The longest pause after one. Only a write tells whether it is over, and 4 an hour leave the
/// installation's budget to its other repositories.
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_mins(15);

/// How long a 404 or 422 is waited out for one thing that the repository itself does not explain:
/// right after something was made, GitHub does not know it everywhere, for seconds mostly.
pub const PASSING_FOR: SignedDuration = SignedDuration::from_mins(3);

/// Why GitHub takes nothing in a repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefusalReason {
    /// It is archived: for reading only.
    Archived,
    /// Its issues are switched off.
    IssuesOff,
    /// The App may not write issues there.
    NoPermission,
    /// The account's list of allowed addresses does not have this server's.
    AllowList,
    /// GitHub blocks it, by law or by its terms.
    Blocked,
    /// GitHub does not show it to the App, or shows another one by its name.
    OutOfSight,
    /// Nothing that can be read there explains it.
    Unexplained,
}

impl RefusalReason {
    const ALL: [Self; 7] = [
        Self::Archived,
        Self::IssuesOff,
        Self::NoPermission,
        Self::AllowList,
        Self::Blocked,
        Self::OutOfSight,
        Self::Unexplained,
    ];

    /// As stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Archived => "archived",
            Self::IssuesOff => "issues_off",
            Self::NoPermission => "no_permission",
            Self::AllowList => "allow_list",
            Self::Blocked => "blocked",
            Self::OutOfSight => "out_of_sight",
            Self::Unexplained => "unexplained",
        }
    }

    /// From what is stored.
    pub fn from_stored(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == text)
    }

    /// Whether it is a setting of the repository's, which somebody chose.
    pub fn is_wanted(self) -> bool {
        matches!(self, Self::Archived | Self::IssuesOff)
    }

    /// Why, as half a sentence.
    pub fn words(self) -> &'static str {
        match self {
            Self::Archived => "it is archived",
            Self::IssuesOff => "its issues are switched off",
            Self::NoPermission => "the App may not write issues there",
            Self::AllowList => "the account's IP allow list does not have this server's address",
            Self::Blocked => "GitHub blocks access to it",
            Self::OutOfSight => "GitHub does not show it to the App",
            Self::Unexplained => "it does not say why in terms that are known here",
        }
    }

    /// What a person can do.
    pub fn todo(self) -> &'static str {
        match self {
            Self::Archived => "Unarchive it on GitHub, or uninstall the App there.",
            Self::IssuesOff => "Switch its issues on in its settings on GitHub, or uninstall the App there.",
            Self::NoPermission => {
                "Have an owner of the account accept the permission issues: write, in its settings under GitHub Apps."
            }
            Self::AllowList => {
                "Add this server's address to the IP allow list, in the organization's settings under Authentication security."
            }
            Self::Blocked => "Ask GitHub's support: its page on GitHub says why.",
            Self::OutOfSight => "See that it is there, and among those that the App is installed on.",
            Self::Unexplained => "See on GitHub what the App may do there, and what its owner forbids.",
        }
    }
}

/// That GitHub takes nothing in a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What was to be written when it was noticed: `a new issue`; empty where GitHub said so before
    /// anything was.
    pub what: String,
    /// Since when.
    pub since: Timestamp,
    /// Why.
    pub reason: RefusalReason,
    /// GitHub's words, without secrets.
    pub said: String,
    /// When it is looked again whether it is over.
    pub look_at: Timestamp,
}

impl Refusal {
    /// What is so, in a sentence without its end; `since` is when it began, as people read it.
    pub fn sentence(&self, since: &str) -> String {
        let what = if self.what.is_empty() { String::new() } else { format!(": {} was refused", self.what) };
        let said = if self.said.is_empty() { String::new() } else { format!(" ({})", self.said) };
        format!(
            "GitHub takes no issues or comments of this repository since {since}, because {}{what}{said}",
            self.reason.words()
        )
    }

    /// What a mail says of a line whose issue waits for it.
    pub fn no_issue(&self) -> String {
        format!(
            "No issue could be filed: GitHub takes none in this repository, because {}. It is filed as soon as GitHub does.",
            self.reason.words()
        )
    }
}

/// When it is looked again after a refusal that nothing explains, which began at `since`: soon at
/// first, and less often the longer it lasts.
pub fn look_again_at(since: Timestamp, now: Timestamp) -> Timestamp {
    now + ((now - since) / 4).clamp(FIRST_PAUSE, LONGEST_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_survive_being_stored() {
        for reason in RefusalReason::ALL {
            assert_eq!(RefusalReason::from_stored(reason.as_str()), Some(reason));
            assert!(reason.todo().ends_with('.') && !reason.words().ends_with('.'));
        }
        assert_eq!(RefusalReason::from_stored("tired"), None);
    }

    #[test]
    fn what_nothing_explains_is_tried_less_and_less_often() {
        let since = Timestamp::from_seconds(1_000);
        let pause = |minutes: i64| {
            let now = since + SignedDuration::from_mins(minutes);
            (look_again_at(since, now) - now).as_mins()
        };
        assert_eq!([0, 4, 20, 60, 10_000].map(pause), [1, 1, 5, 15, 15]);
        assert_eq!(look_again_at(since, since - SignedDuration::from_mins(9)) - since, SignedDuration::from_mins(-8));
    }

    #[test]
    fn a_refusal_says_what_is_and_why() {
        let refusal = Refusal {
            what: "a new issue in acme/shop".to_owned(),
            since: Timestamp::UNIX_EPOCH,
            reason: RefusalReason::Archived,
            said: String::new(),
            look_at: Timestamp::UNIX_EPOCH,
        };
        assert_eq!(
            refusal.sentence("today"),
            "GitHub takes no issues or comments of this repository since today, because it is archived: a new issue in acme/shop was refused"
        );
        assert!(refusal.no_issue().contains("because it is archived. It is filed as soon"));
    }
}
