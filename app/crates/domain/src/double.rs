//! What GitHub may have made twice: it did not say whether it made it, and was asked once more.

use crate::ids::{DeliveryId, StormId};
use crate::timestamp::Timestamp;
use jiff::SignedDuration;

/// When what was made in doubt is looked at again, counted from when it was asked for last. GitHub
/// ends a request after ten seconds, so that what it still does of one is mostly done within
/// minutes, and its lists show it by then outside of incidents: the first look finds it before many
/// people do. Incidents that are longer are mostly over within half an hour, which is what the
/// second is for.
const LOOK_AFTER: [SignedDuration; 2] = [SignedDuration::from_mins(5), SignedDuration::from_mins(30)];

/// What GitHub may have made twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubted {
    /// The issue or comment that this delivery is.
    Delivery(DeliveryId),
    /// The issue of this storm.
    Storm(StormId),
}

impl Doubted {
    /// As stored: kind and number.
    pub fn parts(self) -> (&'static str, i64) {
        match self {
            Self::Delivery(id) => ("delivery", id.0),
            Self::Storm(id) => ("storm", id.0),
        }
    }

    /// From what is stored.
    pub fn from_parts(kind: &str, subject: i64) -> Option<Self> {
        match kind {
            "delivery" => Some(Self::Delivery(DeliveryId(subject))),
            "storm" => Some(Self::Storm(StormId(subject))),
            _ => None,
        }
    }
}

/// When it is looked at next, `looks` of them being done by now.
pub fn next_look(looks: u64, now: Timestamp) -> Option<Timestamp> {
    let place = usize::try_from(looks).ok()?;
    let before = place.checked_sub(1).and_then(|before| LOOK_AFTER.get(before)).copied().unwrap_or_default();
    Some(now + (*LOOK_AFTER.get(place)? - before))
}

/// An issue of ours, as far as it matters which of several that say the same stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claimant {
    /// Its number: the higher, the younger.
    pub number: u64,
    /// People have acted or commented on it.
    pub has_people: bool,
}

/// Which of several issues that say the same stays: the oldest, unless people have used another one
/// and not the oldest. `current` is the one that is known so far; where it is used, it stays.
pub fn which_stays(claimants: &[Claimant], current: Option<u64>) -> Option<u64> {
    let used = || claimants.iter().filter(|it| it.has_people);
    used()
        .find(|it| Some(it.number) == current)
        .or_else(|| used().min_by_key(|it| it.number))
        .or_else(|| claimants.iter().min_by_key(|it| it.number))
        .map(|it| it.number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_doubt_is_looked_at_twice() {
        let asked_at = Timestamp::from_seconds(1_000);
        let at = |minutes: i64| Some(asked_at + SignedDuration::from_mins(minutes));
        assert_eq!(next_look(0, asked_at), at(5));
        assert_eq!(next_look(1, asked_at + SignedDuration::from_mins(5)), at(30));
        assert_eq!(next_look(2, asked_at), None);
    }

    #[test]
    fn doubted_things_survive_being_stored() {
        for doubted in [Doubted::Delivery(DeliveryId(1)), Doubted::Storm(StormId(2))] {
            let (kind, subject) = doubted.parts();
            assert_eq!(Doubted::from_parts(kind, subject), Some(doubted));
        }
        assert_eq!(Doubted::from_parts("rumour", 1), None);
    }

    #[test]
    fn the_oldest_stays_unless_people_use_another() {
        let claimants = |used: &[u64]| [3, 1, 2].map(|number| Claimant { number, has_people: used.contains(&number) });
        assert_eq!(which_stays(&claimants(&[]), Some(2)), Some(1));
        assert_eq!(which_stays(&claimants(&[2]), Some(1)), Some(2));
        assert_eq!(which_stays(&claimants(&[2, 3]), Some(3)), Some(3), "what is known goes on");
        assert_eq!(which_stays(&claimants(&[2, 3]), Some(1)), Some(2));
        assert_eq!(which_stays(&[], Some(1)), None);
    }
}
