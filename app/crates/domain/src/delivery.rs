//! What is sent: where it goes, what for, how, and what became of it.

use crate::ids::{LineId, RuleId, StormId};
use crate::names::Login;
use crate::timestamp::{DAY, Timestamp};
use jiff::SignedDuration;

/// How long a mail is tried again that the mail server does not take: as long as mail servers
/// themselves do (RFC 5321, 4.5.4.1), for what stands between it and us is mended by people, who
/// have weekends.
pub const MAIL_TRIED_FOR: SignedDuration = DAY.saturating_mul(5);

/// How much later than it was due a mail may be tried for those days to go on. Where it is more,
/// nothing was tried meanwhile: the server was off. They begin anew then, for who could have let
/// the mail in was not asked.
pub const MAIL_LEFT_ALONE_FOR: SignedDuration = DAY;

/// How long a mail waits after the mail server was sent it and did not say whether it took it, each
/// time at least; after as many, and one more, it is given up. It may have arrived every time, so
/// these are few. The first is the usual one, for a server that was just restarted; a filter that
/// is too slow is it for longer.
pub const PAUSES_WITHOUT_ANSWER: [SignedDuration; 3] =
    [SignedDuration::ZERO, SignedDuration::from_mins(15), SignedDuration::from_hours(1)];

/// Where a delivery goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channel {
    /// An e-mail.
    Mail,
    /// The line's issue.
    Issue,
    /// A comment under the line's issue.
    Comment,
}

impl Channel {
    /// Every channel.
    pub const ALL: [Self; 3] = [Self::Mail, Self::Issue, Self::Comment];

    /// As stored, and in the name of an outbox file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mail => "mail",
            Self::Issue => "issue",
            Self::Comment => "comment",
        }
    }

    /// From what is stored.
    pub fn from_stored(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == text)
    }

    /// Whether it is written to GitHub: by the write queue of the repository's installation, or to
    /// the outbox where it has none.
    pub fn is_written_to_github(self) -> bool {
        match self {
            Self::Mail => false,
            Self::Issue | Self::Comment => true,
        }
    }
}

/// How deliveries go out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DeliveryMode {
    /// Each by itself, at once.
    #[default]
    Singly,
    /// In a storm: mails are gathered for one that tells of all, and issues wait for the storm's
    /// end, or for a person.
    Storm(StormId),
    /// Never: they are kept to be shown, because the repository is in shadow mode.
    Shadow,
}

impl DeliveryMode {
    /// The state in which a new delivery of a channel begins.
    pub fn first_state(self, channel: Channel) -> DeliveryState {
        match (self, channel) {
            (Self::Shadow, _) => DeliveryState::Shadow,
            (Self::Storm(_), Channel::Mail | Channel::Issue) => DeliveryState::Gathered,
            _ => DeliveryState::Pending,
        }
    }
}

/// What became of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryState {
    /// It is to be sent.
    Pending,
    /// Its storm has it: a mail goes out with the next one of all, an issue waits.
    Gathered,
    /// It is shown, and not sent.
    Shadow,
    /// It was sent.
    Sent,
    /// It can never be sent.
    GivenUp,
}

impl DeliveryState {
    const ALL: [Self; 5] = [Self::Pending, Self::Gathered, Self::Shadow, Self::Sent, Self::GivenUp];

    /// As stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Gathered => "gathered",
            Self::Shadow => "shadow",
            Self::Sent => "sent",
            Self::GivenUp => "given_up",
        }
    }

    /// From what is stored.
    pub fn from_stored(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

/// What a delivery is for. A line hears of each purpose once on each channel and recipient.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// The line is new.
    Alert,
    /// A known error has happened as often as its entry asks for before the first mail.
    KnownMinimum,
    /// A known error has reached this multiple of its entry's interval.
    KnownEvery(u64),
    /// The line is back, for the nth time.
    Regression(u64),
    /// The line has reached a total to comment on.
    Count(u64),
    /// The line raises another type of exception.
    NewException(String),
    /// The line goes on with the issue of the line that it was before it was edited.
    CarriedOver(LineId),
    /// A label is no command, but nearly one; in small letters.
    RefusedLabel(String),
    /// A rule was made.
    RuleMade(RuleId),
    /// A rule was ended.
    RuleEnded(RuleId),
    /// The label that commands a rule was deleted in the repository, which was noticed then.
    LabelDeleted(RuleId, Timestamp),
    /// The issue was closed. The moment tells one closing from the next; how many webhooks told of
    /// it, and whether any did, it does not.
    Resolved {
        /// When, by GitHub's clock.
        closed_at: Timestamp,
    },
    /// The issue was assigned.
    Reassigned {
        /// When, by GitHub's clock.
        at: Timestamp,
        /// To whom: two can be assigned in the same second.
        to: Login,
    },
}

/// What [`Purpose::Resolved`] is stored as.
pub const RESOLVED: &str = "resolved";
/// What [`Purpose::LabelDeleted`] is stored as.
const LABEL_DELETED: &str = "label_deleted";
/// What [`Purpose::Reassigned`] is stored as.
const REASSIGNED: &str = "reassigned";

impl Purpose {
    /// As stored: the kind, and what it is about (empty where the kind says all).
    pub fn parts(&self) -> (&'static str, String) {
        match self {
            Self::Alert => ("alert", String::new()),
            Self::KnownMinimum => ("known_minimum", String::new()),
            Self::KnownEvery(multiple) => ("known_every", multiple.to_string()),
            Self::Regression(nth) => ("regression", nth.to_string()),
            Self::Count(total) => ("count", total.to_string()),
            Self::NewException(kind) => ("new_exception", kind.clone()),
            Self::CarriedOver(line) => ("carried_over", line.to_string()),
            Self::RefusedLabel(label) => ("refused_label", label.clone()),
            Self::RuleMade(rule) => ("rule_made", rule.to_string()),
            Self::RuleEnded(rule) => ("rule_ended", rule.to_string()),
            Self::LabelDeleted(rule, at) => (LABEL_DELETED, format!("{rule} {}", at.as_seconds())),
            Self::Resolved { closed_at } => (RESOLVED, closed_at.as_seconds().to_string()),
            Self::Reassigned { at, to } => (REASSIGNED, format!("{} {}", at.as_seconds(), to.key())),
        }
    }

    /// From what is stored; `None` where that is none of ours.
    pub fn from_parts(kind: &str, subject: &str) -> Option<Self> {
        let number = || subject.parse::<i64>().ok();
        let count = || subject.parse::<u64>().ok();
        Some(match kind {
            "alert" => Self::Alert,
            "known_minimum" => Self::KnownMinimum,
            "known_every" => Self::KnownEvery(count()?),
            "regression" => Self::Regression(count()?),
            "count" => Self::Count(count()?),
            "new_exception" => Self::NewException(subject.to_owned()),
            "carried_over" => Self::CarriedOver(LineId(number()?)),
            "refused_label" => Self::RefusedLabel(subject.to_owned()),
            "rule_made" => Self::RuleMade(RuleId(number()?)),
            "rule_ended" => Self::RuleEnded(RuleId(number()?)),
            LABEL_DELETED => {
                let (rule, at) = subject.split_once(' ')?;
                Self::LabelDeleted(RuleId(rule.parse().ok()?), Timestamp::from_seconds(at.parse().ok()?))
            }
            RESOLVED => Self::Resolved { closed_at: Timestamp::from_seconds(number()?) },
            REASSIGNED => {
                let (at, to) = subject.split_once(' ')?;
                Self::Reassigned { at: Timestamp::from_seconds(at.parse().ok()?), to: to.into() }
            }
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn purposes_survive_being_stored() {
        for purpose in [
            Purpose::Alert,
            Purpose::KnownMinimum,
            Purpose::KnownEvery(3),
            Purpose::Regression(1),
            Purpose::Count(100),
            Purpose::NewException("shop.Error: odd".to_owned()),
            Purpose::CarriedOver(LineId(4)),
            Purpose::RefusedLabel("known error".to_owned()),
            Purpose::RuleMade(RuleId(5)),
            Purpose::RuleEnded(RuleId(6)),
            Purpose::LabelDeleted(RuleId(6), Timestamp::from_seconds(9)),
            Purpose::Resolved { closed_at: Timestamp::from_seconds(7) },
            Purpose::Reassigned { at: Timestamp::from_seconds(8), to: "grace".into() },
        ] {
            let (kind, subject) = purpose.parts();
            assert_eq!(Purpose::from_parts(kind, &subject), Some(purpose));
        }
        assert_eq!(Purpose::from_parts("count", "many"), None);
        assert_eq!(Purpose::from_parts("reassigned", "1"), None);
        assert_eq!(Purpose::from_parts("dance", "1"), None);
    }

    #[test]
    fn channels_survive_being_stored() {
        for channel in Channel::ALL {
            assert_eq!(Channel::from_stored(channel.as_str()), Some(channel));
        }
        assert_eq!(Channel::from_stored("pigeon"), None);
    }

    #[test]
    fn states_survive_being_stored() {
        for state in DeliveryState::ALL {
            assert_eq!(DeliveryState::from_stored(state.as_str()), Some(state));
        }
        assert_eq!(DeliveryState::from_stored("lost"), None);
    }

    #[test]
    fn a_storm_gathers_mails_and_issues() {
        let storm = DeliveryMode::Storm(StormId(1));
        assert_eq!(storm.first_state(Channel::Mail), DeliveryState::Gathered);
        assert_eq!(storm.first_state(Channel::Issue), DeliveryState::Gathered);
        assert_eq!(storm.first_state(Channel::Comment), DeliveryState::Pending);
        assert_eq!(DeliveryMode::Shadow.first_state(Channel::Mail), DeliveryState::Shadow);
    }
}
