//! Weeks: Monday 00:00 UTC to Monday 00:00 UTC, in Unix milliseconds.

/// One hour in milliseconds: the grain of counts.
pub const HOUR_MS: i64 = 3_600_000;
/// One day in milliseconds.
pub const DAY_MS: i64 = 24 * HOUR_MS;
/// One week in milliseconds.
pub const WEEK_MS: i64 = 7 * DAY_MS;
/// 1970-01-01 was a Thursday; the Monday before it is three days earlier.
const MONDAY_OFFSET_MS: i64 = 3 * DAY_MS;

/// Start of the week that holds this moment.
pub fn week_of(at_ms: i64) -> i64 {
    (at_ms + MONDAY_OFFSET_MS).div_euclid(WEEK_MS) * WEEK_MS - MONDAY_OFFSET_MS
}

/// A date `YYYY-MM-DD` as the first moment of that day in UTC. Dates are compared as moments, never as texts.
pub fn date_ms(text: &str) -> Option<i64> {
    let date: jiff::civil::Date = text.trim().parse().ok()?;
    let zoned = date.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
    Some(zoned.timestamp().as_millisecond())
}

/// The day of a moment in UTC, `YYYY-MM-DD`; `?` for moments that no calendar has.
pub fn day_of(at_ms: i64) -> String {
    match jiff::Timestamp::from_millisecond(at_ms) {
        Ok(moment) => moment.strftime("%Y-%m-%d").to_string(),
        Err(_) => "?".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weeks_start_on_monday() {
        let monday = date_ms("2026-11-16").expect("a date");
        assert_eq!(week_of(monday), monday);
        assert_eq!(week_of(monday - 1), monday - WEEK_MS);
        assert_eq!(week_of(date_ms("2026-11-22").expect("a date") + DAY_MS - 1), monday);
        assert_eq!(date_ms("2026-13-01"), None);
    }
}
