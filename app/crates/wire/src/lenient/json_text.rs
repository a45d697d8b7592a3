//! JSON as text, where a client sent a list or an object in a text's place: as much of it as is
//! kept.

use super::{LONGEST_OWNED, Text, skip_list, skip_object};
use crate::limits::cut;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use std::fmt;

/// Writes what it visits as compact JSON, and stops at about [`LONGEST_OWNED`] bytes: a list of
/// millions is read to its end, but never built.
pub(super) struct JsonWriter<'t> {
    out: &'t mut String,
    /// What stands before the value, if there is one.
    before: &'static str,
}

impl<'t> JsonWriter<'t> {
    /// Writes to the end of this text.
    pub(super) fn new(out: &'t mut String) -> Self {
        Self { out, before: "" }
    }

    fn is_full(&self) -> bool {
        self.out.len() >= LONGEST_OWNED
    }

    fn raw(&mut self, json: &str) {
        self.out.push_str(self.before);
        self.out.push_str(json);
    }

    fn string(&mut self, text: &str) {
        // Escapes at most; what is too long is cut by who asked.
        let json = serde_json::Value::from(cut(text, LONGEST_OWNED)).to_string();
        self.raw(&json);
    }
}

impl<'de> DeserializeSeed<'de> for JsonWriter<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for JsonWriter<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON")
    }

    fn visit_bool<E: Error>(mut self, value: bool) -> Result<(), E> {
        self.raw(if value { "true" } else { "false" });
        Ok(())
    }

    fn visit_i64<E: Error>(mut self, value: i64) -> Result<(), E> {
        self.raw(&value.to_string());
        Ok(())
    }

    fn visit_u64<E: Error>(mut self, value: u64) -> Result<(), E> {
        self.raw(&value.to_string());
        Ok(())
    }

    fn visit_f64<E: Error>(mut self, value: f64) -> Result<(), E> {
        self.raw(&serde_json::Value::from(value).to_string());
        Ok(())
    }

    fn visit_unit<E: Error>(mut self) -> Result<(), E> {
        self.raw("null");
        Ok(())
    }

    fn visit_str<E: Error>(mut self, text: &str) -> Result<(), E> {
        self.string(text);
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<(), A::Error> {
        self.raw("[");
        let mut before = "";
        loop {
            if self.is_full() {
                return skip_list(list);
            }
            if list.next_element_seed(JsonWriter { out: &mut *self.out, before })?.is_none() {
                break;
            }
            before = ",";
        }
        self.out.push(']');
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        self.raw("{");
        self.before = "";
        while let Some(name) = map.next_key::<Text<'de>>()? {
            self.string(name.0.as_deref().unwrap_or_default());
            self.before = ",";
            map.next_value_seed(JsonWriter { out: &mut *self.out, before: ":" })?;
            if self.is_full() {
                return skip_object(map);
            }
        }
        self.out.push('}');
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(json: &str) -> String {
        let mut out = String::new();
        JsonWriter::new(&mut out).deserialize(&mut serde_json::Deserializer::from_str(json)).expect("it is JSON");
        out
    }

    #[test]
    fn what_is_short_is_written_as_it_is() {
        for json in [r#"[1,-2,0.5,null,true,"a\"b",[],{},[[1],{"a":{"b":[]}}]]"#, r#"{"b":1,"a":[{"c":"\n"},2]}"#, "3"]
        {
            assert_eq!(written(json), json);
        }
    }

    #[test]
    fn what_is_long_is_cut_while_it_is_read() {
        let list = format!("[{}0]", "0,".repeat(1_000_000));
        let nested = format!("[{}0]", "[[0,0],{\"a\":0}],".repeat(100_000));
        let object = format!("{{{}\"z\":0}}", "\"a\":[0,0],".repeat(100_000));
        let text = format!("[{:?}]", "x".repeat(1_000_000));
        for json in [list, nested, object, text] {
            let written = written(&json);
            assert!(json.starts_with(&written[..LONGEST_OWNED]), "{}", &written[..100]);
            assert!(written.len() < 2 * LONGEST_OWNED && written.capacity() < 4 * LONGEST_OWNED);
        }
    }
}
