//! Reading of JSON that takes what clients send instead of what they should: without copying, and
//! never failing on a type.

mod json_text;

use crate::limits::{MAX_MESSAGE, cut};
use domain::report::UNCUT;
use json_text::JsonWriter;
use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

/// Bytes of a text that is copied out of a body: the longest that is scrubbed. What is borrowed
/// costs nothing, and is cut where it is kept.
const LONGEST_OWNED: usize = MAX_MESSAGE + UNCUT;

/// JSON text that is only looked at when a report is kept.
pub(super) type Raw<'a> = Option<&'a RawValue>;

/// Text, borrowed where it has no escapes; else its first [`LONGEST_OWNED`] bytes. Numbers become
/// their digits, lists and objects their JSON, `null` nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Text<'a>(pub(super) Option<Cow<'a, str>>);

impl Text<'_> {
    /// The text, unless it is missing or blank.
    pub(super) fn get(&self) -> Option<&str> {
        self.0.as_deref().filter(|text| !text.trim().is_empty())
    }
}

/// A count or line number from 1 on, also out of a string or a fraction; anything else is nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Number(pub(super) Option<u64>);

impl Number {
    /// As a line number.
    pub(super) fn line(self) -> Option<u32> {
        self.0.and_then(|number| u32::try_from(number).ok())
    }
}

/// A truth value, also out of a string or a number; anything else is nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Flag(pub(super) Option<bool>);

/// What [`lenient!`] makes of an object: its fields, one by one. A key that comes twice is no
/// error: the last one counts.
pub(super) trait Fields<'de>: Default {
    /// Takes the value of this key, or skips it.
    fn field<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error>;

    /// From a text where an object belongs.
    fn from_text(_text: Cow<'de, str>) -> Self {
        Self::default()
    }
}

/// Declares a struct that reads itself from an object, field = key or keys; from anything else it
/// is empty, except that `text FIELD` puts a text into that field.
macro_rules! lenient {
    (
        $(#[$meta:meta])* $vis:vis struct $name:ident<$a:lifetime> {
            $($(#[$field_meta:meta])* $field_vis:vis $field:ident: $kind:ty = $($key:literal)|+,)*
        }
        $(text $text:ident)?
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, Default)]
        $vis struct $name<$a> {
            $($(#[$field_meta])* $field_vis $field: $kind,)*
        }

        impl<$a> $crate::lenient::Fields<$a> for $name<$a> {
            fn field<A: serde::de::MapAccess<$a>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
                match key {
                    $($($key)|+ => self.$field = map.next_value()?,)*
                    _ => {
                        map.next_value::<serde::de::IgnoredAny>()?;
                    }
                }
                Ok(())
            }

            $(fn from_text(text: std::borrow::Cow<$a, str>) -> Self {
                Self { $text: $crate::lenient::Text(Some(text)), ..Self::default() }
            })?
        }

        impl<$a> serde::Deserialize<$a> for $name<$a> {
            fn deserialize<D: serde::Deserializer<$a>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_any($crate::lenient::FieldsVisitor::new())
            }
        }
    };
}
pub(super) use lenient;

/// Visits whatever stands where an object of [`Fields`] belongs.
pub(super) struct FieldsVisitor<T>(PhantomData<T>);

impl<T> FieldsVisitor<T> {
    /// A visitor for `T`.
    pub(super) fn new() -> Self {
        Self(PhantomData)
    }
}

/// The scalars that a visitor has no use for.
macro_rules! ignore_scalars {
    ($($method:ident($kind:ty))*) => {
        $(fn $method<E: serde::de::Error>(self, _: $kind) -> Result<Self::Value, E> {
            Ok(Self::Value::default())
        })*
        fn visit_unit<E: serde::de::Error>(self) -> Result<Self::Value, E> {
            Ok(Self::Value::default())
        }
        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("any JSON")
        }
    };
}

pub(super) use ignore_scalars;

/// Skips the rest of a list.
pub(super) fn skip_list<'de, A: SeqAccess<'de>>(mut list: A) -> Result<(), A::Error> {
    while list.next_element::<IgnoredAny>()?.is_some() {}
    Ok(())
}

/// Skips the rest of an object.
pub(super) fn skip_object<'de, A: MapAccess<'de>>(mut map: A) -> Result<(), A::Error> {
    while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
    Ok(())
}

impl<'de, T: Fields<'de>> Visitor<'de> for FieldsVisitor<T> {
    type Value = T;

    ignore_scalars!(visit_bool(bool) visit_i64(i64) visit_u64(u64) visit_f64(f64));

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<T, E> {
        Ok(T::from_text(Cow::Borrowed(text)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        Ok(T::from_text(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<T, A::Error> {
        skip_list(list)?;
        Ok(T::default())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<T, A::Error> {
        let mut fields = T::default();
        while let Some(key) = map.next_key::<Text<'de>>()? {
            fields.field(key.0.as_deref().unwrap_or_default(), &mut map)?;
        }
        Ok(fields)
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Text<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Text<'de>, E> {
        Ok(Text(Some(Cow::Borrowed(text))))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Text<'de>, E> {
        Ok(Text(Some(Cow::Owned(cut(text, LONGEST_OWNED).to_owned()))))
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Text<'de>, E> {
        self.visit_str(if value { "true" } else { "false" })
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Text<'de>, E> {
        self.visit_str(&value.to_string())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Text<'de>, E> {
        self.visit_str(&value.to_string())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Text<'de>, E> {
        self.visit_str(&value.to_string())
    }

    fn visit_unit<E: Error>(self) -> Result<Text<'de>, E> {
        Ok(Text(None))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Text<'de>, A::Error> {
        let mut json = String::new();
        JsonWriter::new(&mut json).visit_seq(list)?;
        self.visit_str(&json)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Text<'de>, A::Error> {
        let mut json = String::new();
        JsonWriter::new(&mut json).visit_map(map)?;
        self.visit_str(&json)
    }
}

impl<'de> Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextVisitor)
    }
}

struct NumberVisitor;

impl<'de> Visitor<'de> for NumberVisitor {
    type Value = Number;

    ignore_scalars!(visit_bool(bool));

    fn visit_u64<E: Error>(self, value: u64) -> Result<Number, E> {
        Ok(Number((value > 0).then_some(value)))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Number, E> {
        self.visit_u64(u64::try_from(value).unwrap_or(0))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Number, E> {
        // Saturating: negative numbers and NaN become 0, which is nothing.
        self.visit_u64(value as u64)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Number, E> {
        self.visit_u64(text.trim().parse().unwrap_or(0))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Number, A::Error> {
        skip_list(list)?;
        Ok(Number(None))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Number, A::Error> {
        skip_object(map)?;
        Ok(Number(None))
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NumberVisitor)
    }
}

struct FlagVisitor;

impl<'de> Visitor<'de> for FlagVisitor {
    type Value = Flag;

    ignore_scalars!(visit_f64(f64));

    fn visit_bool<E: Error>(self, value: bool) -> Result<Flag, E> {
        Ok(Flag(Some(value)))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Flag, E> {
        Ok(Flag(Some(value != 0)))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Flag, E> {
        Ok(Flag(Some(value != 0)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Flag, E> {
        Ok(Flag(match text.trim() {
            "true" | "True" | "1" => Some(true),
            "false" | "False" | "0" => Some(false),
            _ => None,
        }))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Flag, A::Error> {
        skip_list(list)?;
        Ok(Flag(None))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Flag, A::Error> {
        skip_object(map)?;
        Ok(Flag(None))
    }
}

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(FlagVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_borrows_and_takes_anything() {
        let text = |json: &'static str| serde_json::from_str::<Text<'static>>(json).unwrap().0;
        assert!(matches!(text("\"plain\""), Some(Cow::Borrowed("plain"))));
        assert!(matches!(text("\"a\\nb\""), Some(Cow::Owned(text)) if text == "a\nb"));
        let long = format!("\"\\n{}\"", "x".repeat(100_000));
        let copied = serde_json::from_str::<Text<'_>>(&long).unwrap().0.map(|text| text.len());
        assert_eq!(copied, Some(LONGEST_OWNED), "what has escapes is copied, and no more of it");
        assert_eq!(text("12").as_deref(), Some("12"));
        assert_eq!(text("true").as_deref(), Some("true"));
        assert_eq!(text("[1, {\"a\": null}]").as_deref(), Some("[1,{\"a\":null}]"));
        assert_eq!(text("null"), None);
    }

    #[test]
    fn numbers_and_flags_take_anything() {
        let number = |json| serde_json::from_str::<Number>(json).unwrap().0;
        assert_eq!(["7", "\"7\"", "7.0"].map(number), [Some(7); 3]);
        assert_eq!(["0", "-3", "null", "\"x\"", "[1]", "{\"a\": 1}", "true"].map(number), [None; 7]);
        let flag = |json| serde_json::from_str::<Flag>(json).unwrap().0;
        assert_eq!(["true", "1", "\"true\""].map(flag), [Some(true); 3]);
        assert_eq!(["null", "[1]", "{}", "\"?\"", "1.5"].map(flag), [None; 5]);
    }
}
