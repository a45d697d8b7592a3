//! Moments as clients write them.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// From here on a number counts milliseconds: as seconds it would be in the year 5138.
const MILLISECONDS_FROM: f64 = 1e11;

/// Unix milliseconds of `1795347020.0065`, `2026-11-22T11:25:14.855053Z` or, without a zone, `2026-11-22T11:31:52` (UTC then).
pub(super) fn unix_ms(text: &str) -> Option<i64> {
    let text = text.trim();
    if let Ok(number) = text.parse::<f64>() {
        let is_time = number.is_finite() && (0.0..MILLISECONDS_FROM * 1e3).contains(&number);
        let ms = if number < MILLISECONDS_FROM { number * 1e3 } else { number };
        // In range by the check, and below 2^53: the cast is exact.
        return is_time.then_some(ms as i64);
    }
    let in_zone = text.parse::<Timestamp>();
    let moment = in_zone.or_else(|_| text.parse::<DateTime>()?.to_zoned(TimeZone::UTC).map(|zoned| zoned.timestamp()));
    moment.ok().map(Timestamp::as_millisecond)
}

#[cfg(test)]
mod tests {
    use super::unix_ms;

    #[test]
    fn all_forms() {
        assert_eq!(unix_ms("2026-11-22T11:25:14.855053Z"), Some(1_795_346_714_855));
        assert_eq!(unix_ms("2026-11-22T12:25:14.855+01:00"), Some(1_795_346_714_855));
        assert_eq!(unix_ms("2026-11-22T11:31:52"), Some(1_795_347_112_000));
        assert_eq!(unix_ms("1795347020.0065267"), Some(1_795_347_020_006));
        assert_eq!(unix_ms("1795347020006"), Some(1_795_347_020_006));
        for text in ["", "yesterday", "-1", "NaN", "inf", "1e300"] {
            assert_eq!(unix_ms(text), None, "{text}");
        }
    }
}
