//! Moments, as the product keeps them: whole milliseconds since 1970, UTC.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::ops::{Add, AddAssign, Sub};

/// One hour: the grain of counts.
pub const HOUR: SignedDuration = SignedDuration::from_hours(1);
/// One day.
pub const DAY: SignedDuration = SignedDuration::from_hours(24);
/// One week.
pub const WEEK: SignedDuration = SignedDuration::from_hours(7 * 24);
/// How far two readings of the clock may be apart of which each side takes its own for now.
const UNEVEN: SignedDuration = SignedDuration::from_secs(5);
/// 1970-01-01 was a Thursday; the Monday before it is three days earlier.
const MONDAY_OFFSET: SignedDuration = SignedDuration::from_hours(3 * 24);

/// A moment, in Unix milliseconds; stored and serialized as that number.
///
/// Arithmetic saturates: what is stored or sent by others can't overflow it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// 1970-01-01 00:00 UTC; in a row, mostly "not yet".
    pub const UNIX_EPOCH: Self = Self(0);
    /// Later than everything that happens.
    pub const MAX: Self = Self(i64::MAX);
    /// Earlier than everything that happened.
    pub const MIN: Self = Self(i64::MIN);

    /// From Unix milliseconds.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Unix milliseconds.
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// From Unix seconds, as links and git have them.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1000))
    }

    /// Unix seconds, as links and git have them.
    pub const fn as_seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// The first moment of a date `YYYY-MM-DD` in UTC. Dates are compared as moments, never as
    /// texts.
    pub fn from_date(text: &str) -> Option<Self> {
        let date: jiff::civil::Date = text.trim().parse().ok()?;
        // Counted in days: 9999-12-31, by which people mean "for ever", has no moment in every
        // zone.
        let days = (date - jiff::civil::date(1970, 1, 1)).get_days();
        Some(Self::from_seconds(i64::from(days) * 24 * 60 * 60))
    }

    /// The date in UTC, `YYYY-MM-DD`; `?` for moments that no calendar has.
    pub fn date(self) -> String {
        self.format("%Y-%m-%d")
    }

    /// The moment in UTC by a pattern of `strftime`; `?` for moments that no calendar has.
    pub fn format(self, pattern: &str) -> String {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(moment) => moment.strftime(pattern).to_string(),
            Err(_) => "?".to_owned(),
        }
    }

    /// Start of the hour that holds this moment.
    pub const fn hour(self) -> Self {
        self.floor(HOUR)
    }

    /// Start of the day in UTC that holds this moment.
    pub const fn day(self) -> Self {
        self.floor(DAY)
    }

    /// Monday 00:00 UTC of the week that holds this moment.
    pub fn week(self) -> Self {
        (self + MONDAY_OFFSET).floor(WEEK) - MONDAY_OFFSET
    }

    /// Whether `since` is less than this long ago. A moment that is still to come is not: the clock
    /// was set back meanwhile, and nobody knows how long ago it was. (Up to 5 s: a request
    /// that began earlier may ask about what a later one has noted.)
    pub fn is_within(self, life: SignedDuration, since: Self) -> bool {
        since - self <= UNEVEN && self - since < life
    }

    const fn floor(self, grain: SignedDuration) -> Self {
        let grain = millis(grain);
        Self(self.0.saturating_sub(self.0.rem_euclid(grain)))
    }
}

/// Whole milliseconds of a duration; saturates.
pub const fn millis(duration: SignedDuration) -> i64 {
    let millis = duration.as_millis();
    if millis > i64::MAX as i128 {
        i64::MAX
    } else if millis < i64::MIN as i128 {
        i64::MIN
    } else {
        millis as i64
    }
}

/// As RFC 3339 in UTC, for logs; what lies beyond the years that it has as milliseconds.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(moment) => moment.fmt(f),
            Err(_) => self.0.fmt(f),
        }
    }
}

impl From<jiff::Timestamp> for Timestamp {
    fn from(moment: jiff::Timestamp) -> Self {
        Self(moment.as_millisecond())
    }
}

impl Add<SignedDuration> for Timestamp {
    type Output = Self;

    fn add(self, duration: SignedDuration) -> Self {
        Self(self.0.saturating_add(millis(duration)))
    }
}

impl AddAssign<SignedDuration> for Timestamp {
    fn add_assign(&mut self, duration: SignedDuration) {
        *self = *self + duration;
    }
}

impl Sub<SignedDuration> for Timestamp {
    type Output = Self;

    fn sub(self, duration: SignedDuration) -> Self {
        Self(self.0.saturating_sub(millis(duration)))
    }
}

impl Sub for Timestamp {
    type Output = SignedDuration;

    fn sub(self, earlier: Self) -> SignedDuration {
        SignedDuration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> Timestamp {
        Timestamp::from_date(text).expect("a date")
    }

    #[test]
    fn weeks_start_on_monday() {
        let monday = date("2026-11-16");
        assert_eq!(monday.week(), monday);
        assert_eq!((monday - SignedDuration::from_millis(1)).week(), monday - WEEK);
        assert_eq!((date("2026-11-22") + DAY - SignedDuration::from_millis(1)).week(), monday);
        assert_eq!((monday + HOUR + SignedDuration::from_millis(5)).hour(), monday + HOUR);
    }

    #[test]
    fn dates_are_read_and_written() {
        assert_eq!(Timestamp::from_date("2026-13-01"), None);
        assert_eq!(date(" 2026-11-16 ").date(), "2026-11-16");
        assert!(date("9999-12-31") - date("9999-12-30") == DAY, "by which people mean for ever");
        assert_eq!(date("1969-12-31"), Timestamp::UNIX_EPOCH - DAY);
        assert_eq!(Timestamp::MAX.date(), "?");
    }

    #[test]
    fn arithmetic_saturates() {
        assert_eq!(Timestamp::MAX + DAY, Timestamp::MAX);
        assert_eq!(Timestamp::MIN - DAY, Timestamp::MIN);
        assert_eq!(date("2026-11-17") - date("2026-11-16"), DAY);
        assert_eq!(Timestamp::MAX - Timestamp::MIN, SignedDuration::from_millis(i64::MAX));
    }

    #[test]
    fn a_moment_is_stored_as_its_milliseconds() {
        assert_eq!(serde_json::to_string(&Timestamp::from_millis(5)).expect("json"), "5");
        assert_eq!(serde_json::from_str::<Timestamp>("7").expect("json").as_millis(), 7);
    }

    #[test]
    fn logs_say_when() {
        assert_eq!(Timestamp::from_millis(1_795_889_376_507).to_string(), "2026-11-28T18:09:36.507Z");
        assert_eq!(Timestamp::MAX.to_string(), i64::MAX.to_string());
    }
}
