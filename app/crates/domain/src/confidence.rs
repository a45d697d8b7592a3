//! How sure a verdict is, in classes that were counted on recorded exceptions whose culprit is
//! known.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

/// A line younger than this is likely to be what broke.
const YOUNG: SignedDuration = SignedDuration::from_hours(90 * 24);

/// A line that raises on purpose, and has for this long, mostly does what it should: somebody else
/// broke the contract.
const RAISES_SINCE: SignedDuration = SignedDuration::from_hours(365 * 24);

/// A line this old that only led to what failed has been right for that long.
const OLD: SignedDuration = SignedDuration::from_hours(3 * 365 * 24);

/// How sure a verdict is: how often the first suspect's author had written a line that the fix
/// changed. Counted on 467 recorded exceptions of 47 repositories.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    /// 85 in 100 (115 cases).
    High,
    /// 73 in 100 (271 cases).
    Medium,
    /// 47 in 100 (81 cases).
    Low,
}

/// What a verdict's confidence depends on.
#[derive(Clone, Copy, Debug)]
pub struct Grounds {
    /// How long before the event the first suspect's line was changed; `None`: git could not say.
    pub age: Option<SignedDuration>,
    /// The culprit's line raises by itself.
    pub raises: bool,
    /// The exception was raised outside of the repository's code, in something that the culprit
    /// calls.
    pub outside: bool,
    /// Frames of the repository were stepped over.
    pub stepped: bool,
    /// Other files fit the culprit frame equally well, or something speaks against the line.
    pub tied: bool,
}

impl Confidence {
    /// The class of a verdict.
    pub fn of(grounds: Grounds) -> Self {
        let Grounds { age, raises, outside, stepped, tied } = grounds;
        let Some(age) = age else { return Self::Low };
        if tied || (raises && age >= RAISES_SINCE) || ((outside || stepped) && age >= OLD) {
            Self::Low
        } else if age < YOUNG && !raises && !stepped {
            Self::High
        } else {
            Self::Medium
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::High => "high",
            Self::Medium => "medium",
            Self::Low => "low",
        }
    }

    /// In a sentence.
    pub fn sentence(self) -> String {
        let share = match self {
            Self::High => 85,
            Self::Medium => 73,
            Self::Low => 47,
        };
        format!(
            "Confidence: {}. Of 100 recorded exceptions like this one, {share} were blamed on the right author.",
            self.name()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::timestamp::DAY;

    #[test]
    fn the_classes_are_those_that_were_counted() {
        let of = |days: i32, raises, outside, stepped| {
            Confidence::of(Grounds { age: Some(days * DAY), raises, outside, stepped, tied: false })
        };
        assert_eq!(of(89, false, true, false), Confidence::High);
        assert_eq!(of(89, false, false, true), Confidence::Medium);
        assert_eq!(of(4_000, false, false, false), Confidence::Medium);
        assert_eq!(of(4_000, false, true, false), Confidence::Low);
        assert_eq!(of(366, true, false, false), Confidence::Low);
        assert_eq!(of(300, true, false, false), Confidence::Medium);
        let unknown = Grounds { age: None, raises: false, outside: false, stepped: false, tied: false };
        assert_eq!(Confidence::of(unknown), Confidence::Low);
        let tied = Grounds { age: Some(DAY), tied: true, ..unknown };
        assert_eq!(Confidence::of(tied), Confidence::Low, "it may be of another file");
    }
}
