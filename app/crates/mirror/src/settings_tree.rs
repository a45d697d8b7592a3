//! A settings file as a tree that knows where each key stands, so that a fault can name its line.

use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, Error, MapAccess, SeqAccess, Visitor};
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
    /// Text, number, yes or no, nothing.
    Leaf(Leaf),
    /// A list.
    List(Vec<Spanned<Node>>),
    /// Keys with their values.
    Map(Vec<(Spanned<String>, Spanned<Node>)>),
}

/// A single value.
#[derive(Debug)]
pub(super) enum Leaf {
    /// Nothing stands there, or `~`, or `null`.
    Nothing,
    /// As it stands there, or could.
    Said(String),
}

impl Leaf {
    /// The value as one of this type, as the reader of YAML takes it.
    pub(super) fn read<T: DeserializeOwned>(&self) -> Option<T> {
        match self {
            Self::Nothing => None,
            Self::Said(text) => serde_saphyr::from_str(text).ok(),
        }
    }
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
}

/// A key below another.
pub(super) fn joined(above: &str, name: &str) -> String {
    if above.is_empty() { name.to_owned() } else { format!("{above}.{name}") }
}

/// The key that a name is nearly, if any is near enough to be meant.
pub(super) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a String>) -> Option<&'a String> {
    known
        .filter(|_| name.len() <= LONGEST_SLIP)
        .map(|known| (strsim::damerau_levenshtein(known, name), known))
        .filter(|(distance, known)| *distance <= known.len().div_ceil(LETTERS_A_SLIP))
        .min()
        .map(|(_, known)| known)
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

fn said(value: impl ToString) -> Node {
    Node::Leaf(Leaf::Said(value.to_string()))
}

impl<'de> Visitor<'de> for Reader {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Node, E> {
        Ok(said(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Node, E> {
        Ok(said(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Node, E> {
        Ok(said(value))
    }

    fn visit_i128<E: Error>(self, value: i128) -> Result<Node, E> {
        Ok(said(value))
    }

    fn visit_u128<E: Error>(self, value: u128) -> Result<Node, E> {
        Ok(said(value))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Node, E> {
        // As `1.0`, which is no whole number to the reader of YAML.
        Ok(Node::Leaf(Leaf::Said(format!("{value:?}"))))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Node, E> {
        Ok(said(value))
    }

    fn visit_bytes<E: Error>(self, value: &[u8]) -> Result<Node, E> {
        Ok(said(String::from_utf8_lossy(value)))
    }

    fn visit_unit<E: Error>(self) -> Result<Node, E> {
        Ok(Node::Leaf(Leaf::Nothing))
    }

    fn visit_none<E: Error>(self) -> Result<Node, E> {
        Ok(Node::Leaf(Leaf::Nothing))
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
    fn a_key_leads_to_its_line() {
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
    }
}
