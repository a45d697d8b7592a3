//! Reads JSON whose types vary between clients: what can't be understood is left out, never refused.

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

/// A struct whose fields are read from a JSON object by these keys. The last of several equal keys counts; keys that are
/// not listed are skipped; anything but an object gives the default.
macro_rules! object {
    (
        $(#[$meta:meta])*
        $vis:vis struct $name:ident<$life:lifetime> {
            $($(#[$doc:meta])* $field_vis:vis $field:ident: $kind:ty = $($key:literal)|+,)*
        }
    ) => {
        $(#[$meta])*
        #[derive(Default)]
        $vis struct $name<$life> {
            $($(#[$doc])* $field_vis $field: $kind,)*
        }

        impl<$life> $crate::wire::lenient::Fields<$life> for $name<$life> {
            fn take<A: serde::de::MapAccess<$life>>(&mut self, key: &str, map: &mut A) -> Result<bool, A::Error> {
                match key {
                    $($($key)|+ => self.$field = map.next_value()?,)*
                    _ => {
                        map.next_value::<serde::de::IgnoredAny>()?;
                        return Ok(false);
                    }
                }
                Ok(true)
            }
        }

        impl<$life> serde::Deserialize<$life> for $name<$life> {
            fn deserialize<D: serde::Deserializer<$life>>(deserializer: D) -> Result<Self, D::Error> {
                $crate::wire::lenient::object_or_default(deserializer)
            }
        }
    };
}
pub(super) use object;

/// What is heavy and seldom wanted: left as it was sent.
pub(super) type Raw<'a> = Option<&'a RawValue>;

/// A struct that takes the entries of an object one by one.
pub trait Fields<'de>: Default {
    /// Takes the value that belongs to `key`; `false` where it has no use for it.
    fn take<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<bool, A::Error>;
}

pub(super) fn object_or_default<'de, D: Deserializer<'de>, T: Fields<'de>>(deserializer: D) -> Result<T, D::Error> {
    deserializer.deserialize_any(ObjectVisitor(PhantomData))
}

/// Visitor methods for scalars that all give the same.
macro_rules! scalars_give {
    ($value:expr) => {
        fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
            Ok($value)
        }
        fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
            Ok($value)
        }
        fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
            Ok($value)
        }
        fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
            Ok($value)
        }
        fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
            Ok($value)
        }
        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok($value)
        }
    };
}

fn skip_seq<'de, A: SeqAccess<'de>>(mut seq: A) -> Result<(), A::Error> {
    while seq.next_element::<IgnoredAny>()?.is_some() {}
    Ok(())
}

fn skip_map<'de, A: MapAccess<'de>>(mut map: A) -> Result<(), A::Error> {
    while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
    Ok(())
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Fields<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = T;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("an object")
    }

    scalars_give!(T::default());

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<T, A::Error> {
        skip_seq(seq).map(|()| T::default())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<T, A::Error> {
        let mut taken = T::default();
        while let Some(Key(key)) = map.next_key()? {
            taken.take(&key, &mut map)?;
        }
        Ok(taken)
    }
}

/// A key, borrowed where it has no escapes.
struct Key<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct KeyVisitor;
        impl<'de> Visitor<'de> for KeyVisitor {
            type Value = Key<'de>;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("a key")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(KeyVisitor)
    }
}

/// Text, borrowed where it has no escapes; numbers and the like as they are written; `None` for `null`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text<'a>(pub Option<Cow<'a, str>>);

impl Text<'_> {
    /// The text, unless it is empty: clients send empty text where they have none.
    pub fn as_deref(&self) -> Option<&str> {
        self.0.as_deref().filter(|text| !text.is_empty())
    }
}

impl<'de> Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextVisitor)
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Text<'de>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("text")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Text<'de>, E> {
        Ok(Text(Some(Cow::Borrowed(text))))
    }

    fn visit_str<E>(self, text: &str) -> Result<Text<'de>, E> {
        Ok(Text(Some(Cow::Owned(text.to_owned()))))
    }

    fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<Text<'de>, E> {
        self.visit_str(if value { "true" } else { "false" })
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<Text<'de>, E> {
        self.visit_str(&value.to_string())
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Text<'de>, E> {
        self.visit_str(&value.to_string())
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Text<'de>, E> {
        self.visit_str(&value.to_string())
    }

    fn visit_unit<E>(self) -> Result<Text<'de>, E> {
        Ok(Text(None))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Text<'de>, A::Error> {
        let mut text = String::from("[");
        while let Some(item) = seq.next_element::<&RawValue>()? {
            push_after_comma(&mut text, item.get());
        }
        text.push(']');
        Ok(Text(Some(Cow::Owned(text))))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Text<'de>, A::Error> {
        let mut text = String::from("{");
        while let Some((Key(key), value)) = map.next_entry::<Key<'_>, &RawValue>()? {
            push_after_comma(&mut text, &serde_json::Value::from(key).to_string());
            text.push(':');
            text.push_str(value.get());
        }
        text.push('}');
        Ok(Text(Some(Cow::Owned(text))))
    }
}

fn push_after_comma(text: &mut String, item: &str) {
    if text.len() > 1 {
        text.push(',');
    }
    text.push_str(item);
}

/// A whole number that is not negative, also as text; `None` for anything else.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Whole(pub Option<u64>);

impl Whole {
    /// As a line or column number.
    pub fn as_u32(self) -> Option<u32> {
        self.0.and_then(|number| u32::try_from(number).ok())
    }
}

impl<'de> Deserialize<'de> for Whole {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct WholeVisitor;
        impl<'de> Visitor<'de> for WholeVisitor {
            type Value = Whole;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("a whole number")
            }

            fn visit_bool<E>(self, _: bool) -> Result<Whole, E> {
                Ok(Whole(None))
            }

            fn visit_i64<E>(self, number: i64) -> Result<Whole, E> {
                Ok(Whole(u64::try_from(number).ok()))
            }

            fn visit_u64<E>(self, number: u64) -> Result<Whole, E> {
                Ok(Whole(Some(number)))
            }

            fn visit_f64<E>(self, number: f64) -> Result<Whole, E> {
                // 4.0 is 4: some clients know no other numbers. The cast can't wrap, it saturates.
                Ok(Whole((number >= 0.0 && number.fract() == 0.0).then_some(number as u64)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Whole, E> {
                Ok(Whole(text.trim().parse().ok()))
            }

            fn visit_unit<E>(self) -> Result<Whole, E> {
                Ok(Whole(None))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Whole, A::Error> {
                skip_seq(seq).map(|()| Whole(None))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Whole, A::Error> {
                skip_map(map).map(|()| Whole(None))
            }
        }
        deserializer.deserialize_any(WholeVisitor)
    }
}

/// Yes or no, also as text or number; `None` for anything else.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flag(pub Option<bool>);

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Text(text) = Text::deserialize(deserializer)?;
        Ok(Self(match text.as_deref() {
            Some("true" | "True" | "1") => Some(true),
            Some("false" | "False" | "0") => Some(false),
            _ => None,
        }))
    }
}

/// A list: `[…]`, `{"values": […]}` or a lone item. Of long ones, the first `HEAD` and the last `TAIL` items are kept; memory
/// never holds more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct List<T, const HEAD: usize, const TAIL: usize> {
    /// What was kept, in order.
    pub kept: Vec<T>,
    /// How many items between the first `HEAD` and the last `TAIL` were left out.
    pub omitted: usize,
}

impl<T, const HEAD: usize, const TAIL: usize> Default for List<T, HEAD, TAIL> {
    fn default() -> Self {
        Self { kept: Vec::new(), omitted: 0 }
    }
}

impl<'de, T, const HEAD: usize, const TAIL: usize> Deserialize<'de> for List<T, HEAD, TAIL>
where
    T: Fields<'de> + Deserialize<'de>,
{
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ListVisitor(PhantomData))
    }
}

struct ListVisitor<T, const HEAD: usize, const TAIL: usize>(PhantomData<T>);

impl<'de, T, const HEAD: usize, const TAIL: usize> Visitor<'de> for ListVisitor<T, HEAD, TAIL>
where
    T: Fields<'de> + Deserialize<'de>,
{
    type Value = List<T, HEAD, TAIL>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a list")
    }

    scalars_give!(List::default());

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut list = List::default();
        // Beyond the first `HEAD` items the rest goes round in a ring.
        let mut oldest = 0;
        while let Some(item) = seq.next_element::<Option<T>>()? {
            let Some(item) = item else { continue };
            if list.kept.len() < HEAD + TAIL {
                list.kept.push(item);
            } else {
                list.kept[HEAD + oldest] = item;
                oldest = (oldest + 1) % TAIL;
                list.omitted += 1;
            }
        }
        if list.omitted > 0 {
            list.kept[HEAD..].rotate_left(oldest);
        }
        Ok(list)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut list = None;
        let mut lone = T::default();
        let mut is_item = false;
        while let Some(Key(key)) = map.next_key()? {
            if key == "values" {
                list = Some(map.next_value()?);
            } else {
                is_item |= lone.take(&key, &mut map)?;
            }
        }
        let lone = || List { kept: if is_item { vec![lone] } else { Vec::new() }, omitted: 0 };
        Ok(list.unwrap_or_else(lone))
    }
}
