//! A settings file as a tree that knows where each key stands, so that a fault can name its line.

use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_saphyr::Spanned;
use std::fmt;

/// Letters that may be wrong in a slip of the pen: one in so many, and one at least. With more,
/// short names are all alike.
const LETTERS_A_SLIP: usize = 4;

/// Bytes. A longer key is no slip of the pen, and comparing it takes the product of both lengths.
const LONGEST_SLIP: usize = 100;

/// A value of the file.
#[derive(Debug)]
pub(super) enum Node {
    /// Text, number, yes or no, nothing: what it is does not matter here.
    Leaf,
    /// A list.
    List(Vec<Spanned<Node>>),
    /// Keys with their values.
    Map(Vec<(Spanned<String>, Spanned<Node>)>),
}

/// Something that is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Fault {
    /// One-based line of the file; `None`: not known.
    pub(super) line: Option<u64>,
    /// `known_errors[1].code`; empty: the whole file.
    pub(super) key: String,
    /// What is wrong and what to do.
    pub(super) text: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        }
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.text)
    }
}

impl Node {
    /// The line on which a key stands: `known_errors[1].code`, or the nearest around it that is
    /// there.
    pub(super) fn line_of(&self, key: &str) -> Option<u64> {
        let mut node = self;
        let mut line = None;
        for step in key.split(['.', '[']) {
            let next = match (node, step.strip_suffix(']')) {
                (Node::List(items), Some(index)) => {
                    let item = index.parse::<usize>().ok().and_then(|index| items.get(index));
                    item.map(|item| (item.referenced.line(), &item.value))
                }
                (Node::Map(entries), None) => {
                    let entry = entries.iter().find(|(name, _)| name.value == step);
                    entry.map(|(name, value)| (name.referenced.line(), &value.value))
                }
                _ => None,
            };
            let Some((at, below)) = next else { break };
            line = Some(at);
            node = below;
        }
        line
    }

    /// The key to which what stands on a line belongs: the last one that begins there or before.
    pub(super) fn key_at(&self, line: u64) -> String {
        let mut last = (0, String::new());
        self.walk("", &mut |key, at| {
            if at <= line && at >= last.0 {
                last = (at, key.to_owned());
            }
        });
        last.1
    }

    fn walk(&self, above: &str, seen: &mut impl FnMut(&str, u64)) {
        match self {
            Node::Leaf => {}
            Node::List(items) => {
                for (index, item) in items.iter().enumerate() {
                    let key = format!("{above}[{index}]");
                    seen(&key, item.referenced.line());
                    item.value.walk(&key, seen);
                }
            }
            Node::Map(entries) => {
                for (name, value) in entries {
                    let key = joined(above, &name.value);
                    seen(&key, name.referenced.line());
                    value.value.walk(&key, seen);
                }
            }
        }
    }

    /// Every key that `known` has not, where `known` is a file that has each key once: of lists it
    /// shows one item. A map without keys there may have any.
    pub(super) fn unknown_keys(&self, known: &serde_json::Value) -> Vec<Fault> {
        let mut faults = Vec::new();
        self.compare("", known, &mut faults);
        faults
    }

    fn compare(&self, above: &str, known: &serde_json::Value, faults: &mut Vec<Fault>) {
        match (self, known) {
            (Node::List(items), serde_json::Value::Array(example)) => {
                let Some(example) = example.first() else { return };
                for (index, item) in items.iter().enumerate() {
                    item.value.compare(&format!("{above}[{index}]"), example, faults);
                }
            }
            (Node::Map(entries), serde_json::Value::Object(known)) if !known.is_empty() => {
                for (name, value) in entries {
                    let key = joined(above, &name.value);
                    match known.get(&name.value) {
                        Some(below) => value.value.compare(&key, below, faults),
                        None => faults.push(Fault {
                            line: Some(name.referenced.line()),
                            key,
                            text: unknown(&name.value, known.keys()),
                        }),
                    }
                }
            }
            _ => {}
        }
    }
}

fn joined(above: &str, name: &str) -> String {
    if above.is_empty() { name.to_owned() } else { format!("{above}.{name}") }
}

fn unknown<'a>(name: &str, known: impl Iterator<Item = &'a String>) -> String {
    let known: Vec<&String> = known.collect();
    let nearest = known
        .iter()
        .filter(|_| name.len() <= LONGEST_SLIP)
        .map(|known| (strsim::damerau_levenshtein(known, name), known))
        .filter(|(distance, known)| *distance <= known.len().div_ceil(LETTERS_A_SLIP))
        .min();
    match nearest {
        Some((_, nearest)) => format!("there is no such key; did you mean {nearest}?"),
        None => {
            let all: Vec<&str> = known.iter().map(|known| known.as_str()).collect();
            format!("there is no such key here; there are {}", all.join(", "))
        }
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Node, E> {
        Ok(Node::Leaf)
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Node, E> {
        Ok(Node::Leaf)
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<Node, E> {
        Ok(Node::Leaf)
    }

    fn visit_i128<E: Error>(self, _: i128) -> Result<Node, E> {
        Ok(Node::Leaf)
    }

    fn visit_u128<E: Error>(self, _: u128) -> Result<Node, E> {
        Ok(Node::Leaf)
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Node, E> {
        Ok(Node::Leaf)
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<Node, E> {
        Ok(Node::Leaf)
    }

    fn visit_bytes<E: Error>(self, _: &[u8]) -> Result<Node, E> {
        Ok(Node::Leaf)
    }

    fn visit_unit<E: Error>(self) -> Result<Node, E> {
        Ok(Node::Leaf)
    }

    fn visit_none<E: Error>(self) -> Result<Node, E> {
        Ok(Node::Leaf)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        Node::deserialize(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Node, A::Error> {
        let mut all = Vec::new();
        while let Some(item) = items.next_element()? {
            all.push(item);
        }
        Ok(Node::List(all))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Node, A::Error> {
        let mut all = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            all.push(entry);
        }
        Ok(Node::Map(all))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "known_errors:\n  - file: a.py\n    code: x\n  - { file: b.py,\n      function: f }\nissues: { assign: true }\n";

    fn tree() -> Node {
        serde_saphyr::from_str(TEXT).expect("is YAML")
    }

    #[test]
    fn a_key_leads_to_its_line_and_back() {
        let tree = tree();
        for (key, line) in [
            ("known_errors", 1),
            ("known_errors[0].code", 3),
            ("known_errors[1].function", 5),
            ("issues.assign", 6),
            ("known_errors[1].code", 4),
        ] {
            assert_eq!(tree.line_of(key), Some(line), "{key}");
        }
        assert_eq!(tree.line_of("watchers"), None);
        assert_eq!(tree.key_at(3), "known_errors[0].code");
        assert_eq!(tree.key_at(6), "issues.assign");
    }

    #[test]
    fn unknown_keys_are_named_at_any_depth_with_the_nearest_known() {
        let known = serde_json::json!({"known_errors": [{"path": 1, "code": 1, "function": 1}], "isues": {}});
        let faults: Vec<String> = tree().unknown_keys(&known).iter().map(ToString::to_string).collect();
        assert_eq!(
            faults,
            [
                "line 2: known_errors[0].file: there is no such key here; there are code, function, path",
                "line 4: known_errors[1].file: there is no such key here; there are code, function, path",
                "line 6: issues: there is no such key; did you mean isues?",
            ]
        );
    }
}
