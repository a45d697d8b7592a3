//! A message of an event: text, or a template with its parameters.

use crate::wire::lenient::{Raw, Text, object};
use serde::de::{Deserialize, Deserializer};
use serde_json::Value;
use std::borrow::Cow;

/// A message as sent.
#[derive(Debug, Default)]
pub(super) struct Message<'a>(Parts<'a>);

object! {
    #[derive(Debug)]
    struct Parts<'a> {
        template: Text<'a> = "message",
        formatted: Text<'a> = "formatted",
        params: Raw<'a> = "params",
    }
}

impl<'de> Deserialize<'de> for Message<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw: Raw<'de> = Deserialize::deserialize(deserializer)?;
        let Some(raw) = raw else { return Ok(Self::default()) };
        // Short, so that reading it twice costs nothing. What is neither text nor object is shown as it is written.
        let parts = if raw.get().starts_with('{') {
            serde_json::from_str(raw.get()).unwrap_or_default()
        } else {
            Parts { formatted: serde_json::from_str(raw.get()).unwrap_or_default(), ..Parts::default() }
        };
        Ok(Self(parts))
    }
}

impl Message<'_> {
    /// The text, with the parameters filled in where the client left that to us.
    pub(super) fn text(&self) -> Option<Cow<'_, str>> {
        if let Some(formatted) = self.0.formatted.as_deref() {
            return Some(Cow::Borrowed(formatted));
        }
        let template = self.0.template.as_deref()?;
        let params = self.0.params.and_then(|params| serde_json::from_str(params.get()).ok());
        match params {
            Some(Value::Array(params)) if !params.is_empty() => Some(Cow::Owned(fill(template, &params))),
            _ => Some(Cow::Borrowed(template)),
        }
    }
}

/// Puts parameters in the places of `%s`, `%d` and the like, in order.
fn fill(template: &str, params: &[Value]) -> String {
    let mut filled = String::with_capacity(template.len());
    let mut params = params.iter();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('%') {
        filled.push_str(before);
        rest = after;
        match after.chars().next() {
            Some('%') => {
                filled.push('%');
                rest = &after[1..];
            }
            Some('s' | 'd' | 'i' | 'r' | 'f' | 'x' | 'j' | 'o') => match params.next() {
                Some(Value::String(text)) => {
                    filled.push_str(text);
                    rest = &after[1..];
                }
                Some(value) => {
                    filled.push_str(&value.to_string());
                    rest = &after[1..];
                }
                None => filled.push('%'),
            },
            _ => filled.push('%'),
        }
    }
    filled.push_str(rest);
    filled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_and_templates() {
        let cases = [
            (r#""plain""#, Some("plain")),
            ("null", None),
            ("5", Some("5")),
            (r#"{"message":"stock of %s is %d, 100%%","params":["A-1",-3]}"#, Some("stock of A-1 is -3, 100%")),
            (r#"{"message":"%s and %s","params":["one"]}"#, Some("one and %s")),
            (r#"{"message":"%s","formatted":"done","params":["x"]}"#, Some("done")),
            (r#"{"message":"100%","params":{"a":1}}"#, Some("100%")),
            (r#"{"message":null}"#, None),
        ];
        for (json, expected) in cases {
            let message: Message<'_> = serde_json::from_str(json).unwrap();
            assert_eq!(message.text().as_deref(), expected, "{json}");
        }
    }
}
