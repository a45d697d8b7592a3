//! Values of any shape, such as variables: cut while they are read, so that a value of megabytes is
//! never built.

use crate::lenient::{Text, skip_object};
use crate::limits::{MAX_TEXT, cut};
use crate::repair::repair;
use domain::report::{MAX_VALUE, UNCUT};
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use std::fmt;

/// Fields kept of the outermost object, which may be a frame's local variables: our client for
/// Python sends a hundred, and as many attributes of `self` beside them.
pub(super) const MAX_VARIABLES: usize = 200;

/// Elements kept of one list or object in a value: clients that cut at all cut to ten.
pub(super) const MAX_ELEMENTS: usize = 50;

/// Levels kept of a nested value: clients that cut at all cut to five.
pub(super) const MAX_DEPTH: usize = 6;

/// What is left of a value has more bytes than there is room for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NoRoom;

/// The value of JSON text, cut: long lists and deep nesting, which is said in their place, and
/// texts of which more is there than is scrubbed. What even the repaired text does not give stays
/// text.
///
/// # Errors
/// [`NoRoom`], as soon as more than about `room` bytes of JSON would be kept.
pub(super) fn read(json: &str, room: usize) -> Result<Value, NoRoom> {
    let read = |json: &str| {
        let mut left = Some(room);
        let value = Shortened { depth: MAX_DEPTH, left: &mut left };
        let read = value.deserialize(&mut serde_json::Deserializer::from_str(json));
        (read.ok(), left)
    };
    match read(json) {
        (Some(value), _) => return Ok(value),
        (None, None) => return Err(NoRoom),
        (None, Some(_)) => {}
    }
    match repair(json).map(|repaired| read(&repaired)) {
        Some((Some(value), _)) => Ok(value),
        Some((None, None)) => Err(NoRoom),
        _ => Ok(Value::String(shortened(json))),
    }
}

/// About how many bytes the value has as JSON, once its texts are cut.
pub(super) fn size(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len().min(MAX_VALUE + '…'.len_utf8()) + 2,
        Value::Array(items) => items.iter().map(|item| size(item) + 1).sum::<usize>() + 2,
        Value::Object(fields) => fields.iter().map(|(name, value)| size_named(name, value)).sum::<usize>() + 2,
        // Long numbers do not occur, and words are shorter.
        _ => 8,
    }
}

/// As [`size`], of a value and its name.
pub(super) fn size_named(name: &str, value: &Value) -> usize {
    name.len().min(MAX_TEXT) + size(value) + 4
}

fn shortened(text: &str) -> String {
    cut(text, MAX_VALUE + UNCUT).to_owned()
}

/// Reads a value, `depth` levels of it.
struct Shortened<'l> {
    depth: usize,
    /// Bytes that there is room for; `None` once there was not.
    left: &'l mut Option<usize>,
}

impl Shortened<'_> {
    fn spend<E: Error>(&mut self, bytes: usize) -> Result<(), E> {
        *self.left = self.left.and_then(|left| left.checked_sub(bytes));
        self.left.map(|_| ()).ok_or_else(|| E::custom("there is no room for the value"))
    }

    fn kept<E: Error>(mut self, value: Value) -> Result<Value, E> {
        self.spend(size(&value))?;
        Ok(value)
    }

    /// Of what stands within this.
    fn within(&mut self) -> Shortened<'_> {
        Shortened { depth: self.depth - 1, left: &mut *self.left }
    }
}

impl<'de> DeserializeSeed<'de> for Shortened<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Shortened<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        self.kept(value.into())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        self.kept(value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        self.kept(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        self.kept(value.into())
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        self.kept(Value::Null)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        self.kept(Value::String(shortened(text)))
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        let most = if self.depth == 0 { 0 } else { MAX_ELEMENTS };
        while items.len() < most {
            self.spend(1)?;
            match list.next_element_seed(self.within())? {
                Some(item) => items.push(item),
                None => return Ok(Value::Array(items)),
            }
        }
        let mut more = 0;
        while list.next_element::<IgnoredAny>()?.is_some() {
            more += 1;
        }
        if self.depth == 0 {
            return self.kept("…".into());
        }
        if more > 0 {
            items.push(self.kept(format!("… and {more} more").into())?);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<Value, A::Error> {
        if self.depth == 0 {
            skip_object(map)?;
            return self.kept("…".into());
        }
        // The outermost object is a frame's variables, which have a limit of their own.
        let most = if self.depth == MAX_DEPTH { MAX_VARIABLES } else { MAX_ELEMENTS };
        let mut fields = Map::new();
        while let Some(name) = map.next_key::<Text<'de>>()? {
            let name = cut(name.0.as_deref().unwrap_or_default(), MAX_TEXT + UNCUT);
            if fields.len() < most || fields.contains_key(name) {
                self.spend(name.len().min(MAX_TEXT) + 4)?;
                let value = map.next_value_seed(self.within())?;
                fields.insert(name.to_owned(), value);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(Value::Object(fields))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const ROOM: usize = 100_000;

    #[test]
    fn what_is_long_or_deep_is_cut_and_says_so() {
        let value =
            read(&json!({"text": "é".repeat(5_000), "list": vec![1; 60], "deep": [[[[[[[1]]]]]]]}).to_string(), ROOM);
        let value = value.expect("there is room");
        assert_eq!(value["text"].as_str().map(str::len), Some(MAX_VALUE + UNCUT), "it is cut when it is scrubbed");
        assert_eq!((value["list"].as_array().map(Vec::len), &value["list"][50]), (Some(51), &json!("… and 10 more")));
        assert_eq!(value["deep"], json!([[[[["…"]]]]]));
        let many: Vec<String> = (0..500).map(|n| format!("\"k{n}\":{{{}}}", "\"same\":1,\"same\":2")).collect();
        let value = read(&format!("{{{}}}", many.join(",")), ROOM).expect("there is room");
        assert_eq!((value.as_object().map(Map::len), &value["k0"]["same"]), (Some(MAX_VARIABLES), &json!(2)));
        let named = read(&format!("{{{:?}:1}}", "n".repeat(5_000)), ROOM).expect("there is room");
        assert_eq!(named.as_object().and_then(|fields| fields.keys().next()).map(String::len), Some(MAX_TEXT + UNCUT));
        assert_eq!(read("NaN", ROOM), Ok(Value::Null));
        assert_eq!(read("nonsense", ROOM), Ok(json!("nonsense")));
    }

    #[test]
    fn what_has_no_room_is_never_built() {
        // Within the limits of each list, but of millions of numbers all the same.
        let wide = |inner: &str| format!("[{}]", vec![inner; MAX_ELEMENTS].join(","));
        let bomb = wide(&wide(&wide(&wide("0"))));
        assert!(bomb.len() > 10_000_000);
        assert_eq!(read(&bomb, ROOM), Err(NoRoom));
        assert_eq!(read(&format!("{{\"a\":NaN,\"b\":{bomb}}}"), ROOM), Err(NoRoom));
        assert_eq!(read(&json!(vec!["x".repeat(900); 50]).to_string(), 40_000), Err(NoRoom));
        assert!(read(&json!(vec!["x".repeat(900); 40]).to_string(), 40_000).is_ok());
    }
}
