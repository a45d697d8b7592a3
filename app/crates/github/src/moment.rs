//! Moments as GitHub writes them.

use domain::timestamp::Timestamp;
use serde::{Deserialize, Deserializer};

#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Text(String),
    Seconds(i64),
    Other(serde::de::IgnoredAny),
}

/// A moment: a text as `2026-11-29T16:00:00Z`, in some payloads a number of seconds. What is
/// neither says nothing, and spoils nothing else of its payload.
pub(super) fn moment<'de, D: Deserializer<'de>>(field: D) -> Result<Option<Timestamp>, D::Error> {
    Ok(match Option::<Written>::deserialize(field)? {
        Some(Written::Text(text)) => text.parse::<jiff::Timestamp>().ok().map(Timestamp::from),
        Some(Written::Seconds(seconds)) => Some(Timestamp::from_seconds(seconds)),
        Some(Written::Other(_)) | None => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_of_writing_a_moment_is_read_and_nothing_else_is_refused() {
        #[derive(Deserialize)]
        struct Field {
            #[serde(default, deserialize_with = "moment")]
            at: Option<Timestamp>,
        }
        let read = |json: &str| serde_json::from_str::<Field>(json).expect(json).at.map(Timestamp::as_seconds);
        for known in
            [r#"{"at":"2026-01-05T10:00:00Z"}"#, r#"{"at":1767607200}"#, r#"{"at":"2026-01-05T11:00:00+01:00"}"#]
        {
            assert_eq!(read(known), Some(1_767_607_200), "{known}");
        }
        for unknown in ["{}", r#"{"at":null}"#, r#"{"at":"soon"}"#, r#"{"at":{"s":1}}"#, r#"{"at":1.5}"#] {
            assert_eq!(read(unknown), None, "{unknown}");
        }
    }
}
