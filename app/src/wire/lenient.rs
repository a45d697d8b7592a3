//! Reading JSON that clients of many ages and languages wrote: what does not fit is absent, not an error.

use serde::de::value::MapDeserializer;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

/// A text, borrowed where the JSON has no escapes. Numbers are taken as their text; anything else is absent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Text<'a>(pub(super) Option<Cow<'a, str>>);

impl Text<'_> {
    pub(super) fn as_str(&self) -> Option<&str> {
        self.0.as_deref()
    }

    /// The text, if there is one that is not empty.
    pub(super) fn owned(&self) -> Option<String> {
        self.0.as_deref().filter(|text| !text.is_empty()).map(str::to_owned)
    }
}

/// A number, also one written as a text.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Number(pub(super) Option<f64>);

impl Number {
    pub(super) fn as_u32(self) -> Option<u32> {
        let number = self.0?;
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range was checked")]
        (number >= 0.0 && number <= f64::from(u32::MAX)).then_some(number as u32)
    }
}

/// A list; a single value counts as a list of one, and anything else as none. `{"values": […]}` is the list inside.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Many<T>(pub(super) Vec<T>);

impl<T> Default for Many<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

/// Whatever it is, as its JSON text.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Raw<'a>(pub(super) Option<&'a RawValue>);

impl Raw<'_> {
    /// Reads it, leniently: what does not fit is the default.
    pub(super) fn read<T: serde::de::DeserializeOwned + Default>(self) -> T {
        let Some(raw) = self.0 else { return T::default() };
        serde_json::from_str(raw.get())
            .or_else(|_| serde_json::from_slice(&repaired(raw.get().as_bytes())))
            .unwrap_or_default()
    }
}

/// JSON with its lone surrogate escapes (`\ud800`, which Python writes without complaint and no JSON reader takes) and its
/// bytes that are no UTF-8 replaced.
pub(super) fn repaired(json: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(json);
    let mut out = String::with_capacity(text.len());
    let mut rest = text.as_ref();
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        // An escape is two characters, or six.
        let length = match surrogate(rest) {
            Some(high) if (0xD800..0xDC00).contains(&high) => match rest.get(6..).and_then(surrogate) {
                Some(low) if (0xDC00..0xE000).contains(&low) => 12,
                _ => 0,
            },
            Some(_) => 0,
            None => 1 + rest[1..].chars().next().map_or(0, char::len_utf8),
        };
        if length == 0 {
            out.push_str("\\ufffd");
            rest = &rest[6..];
        } else {
            out.push_str(&rest[..length]);
            rest = &rest[length..];
        }
    }
    out.push_str(rest);
    out.into_bytes()
}

/// The surrogate that an escape at the beginning of a text stands for.
fn surrogate(text: &str) -> Option<u32> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    u32::from_str_radix(digits, 16).ok().filter(|code| (0xD800..0xE000).contains(code))
}

impl<'de: 'a, 'a> Deserialize<'de> for Raw<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Ok(Self(Some(<&RawValue>::deserialize(from)?)))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(TextVisitor)
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Text<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Text(Some(Cow::Borrowed(text))))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Text(Some(Cow::Owned(text.to_owned()))))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
        Ok(Text(Some(Cow::Owned(number.to_string()))))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
        Ok(Text(Some(Cow::Owned(number.to_string()))))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Self::Value, E> {
        Ok(Text(Some(Cow::Owned(number.to_string()))))
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Self::Value, E> {
        Ok(Text(Some(Cow::Owned(truth.to_string()))))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Text(None))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Text(None))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Text(None))
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Ok(Self(Text::deserialize(from)?.as_str().and_then(|text| text.parse().ok())))
    }
}

impl<'de, T: Deserialize<'de> + Default> Deserialize<'de> for Many<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(ManyVisitor(PhantomData))
    }
}

struct ManyVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de> + Default> Visitor<'de> for ManyVisitor<T> {
    type Value = Many<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut items = Vec::new();
        // A null among the items stands for one that the client could not write.
        while let Some(item) = seq.next_element::<Option<T>>()? {
            items.extend(item);
        }
        Ok(Many(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        // `{"values": […]}`, as nearly every client writes it, is read as it comes.
        let Some(mut key) = map.next_key::<Cow<'de, str>>()? else { return Ok(Many::default()) };
        let mut fields: Vec<(Cow<'de, str>, &'de RawValue)> = Vec::new();
        let mut values = None;
        loop {
            if key == "values" {
                values = Some(map.next_value::<Option<Many<T>>>()?.unwrap_or_default());
            } else {
                fields.push((key, map.next_value()?));
            }
            match map.next_key()? {
                Some(next) => key = next,
                None => break,
            }
        }
        if let Some(values) = values {
            return Ok(values);
        }
        // One bare item: its fields, put together again.
        let item = T::deserialize(MapDeserializer::<_, serde_json::Error>::new(fields.into_iter()));
        Ok(Many(item.into_iter().collect()))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Many::default())
    }

    fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
        Ok(Many::default())
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(Many::default())
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(Many::default())
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(Many::default())
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(Many::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Default, PartialEq, Deserialize)]
    struct Item<'a> {
        #[serde(borrow, default)]
        kind: Text<'a>,
    }

    fn kinds(json: &str) -> Vec<String> {
        let many: Many<Item<'_>> = serde_json::from_str(json).expect(json);
        many.0.iter().map(|item| item.kind.as_str().unwrap_or("-").to_owned()).collect()
    }

    #[test]
    fn a_list_comes_in_many_forms() {
        assert_eq!(kinds(r#"[{"kind":"a"},null,{"kind":1}]"#), ["a", "1"]);
        assert_eq!(kinds(r#"{"values":[{"kind":"a"}]}"#), ["a"]);
        assert_eq!(kinds(r#"{"kind":"a","other":[1,{"x":2}]}"#), ["a"]);
        assert_eq!(kinds("null"), [""; 0]);
        assert_eq!(kinds("\"text\""), [""; 0]);
        assert_eq!(kinds(r#"[{"kind":{"not":"a text"}}]"#), ["-"]);
    }

    #[test]
    fn lone_surrogates_are_replaced_and_pairs_stay() {
        let text = |json: &[u8]| String::from_utf8(repaired(json)).expect("UTF-8");
        assert_eq!(text(br#""a\ud800b""#), r#""a\ufffdb""#);
        assert_eq!(text(br#""\ud83d\ude00 \\ud800 \n""#), r#""\ud83d\ude00 \\ud800 \n""#);
        assert_eq!(text(b"\"\xff\""), "\"\u{fffd}\"");
        for end in 0..8 {
            repaired(&br#"\ud800\"#[..end]);
        }
    }
}
