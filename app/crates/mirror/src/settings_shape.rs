//! What the keys of a settings file take: all that does not fit is told at once, in words of YAML.

use super::settings_tree::{Fault, Leaf, Node, joined, nearest};
use domain::settings::Settings;
use domain::settings_example::ANY_NAME;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// What the file as a whole has to look like.
pub(super) static WHOLE: LazyLock<Shape> = LazyLock::new(|| {
    // Plain structs of texts and numbers always are JSON.
    let example = serde_json::to_value(Settings::with_every_key()).unwrap_or_default();
    Shape::of(&example, "", &example)
});

/// What a value has to look like.
pub(super) struct Shape {
    kind: Kind,
    /// Stands in the place of a value that does not fit, so that all others can be looked at.
    example: Value,
}

enum Kind {
    Text,
    Number,
    Flag,
    List(Box<Shape>),
    Keys(BTreeMap<String, Field>),
    /// Any names, with values that are alike.
    Names(Box<Shape>),
}

struct Field {
    shape: Shape,
    /// It can't be left out.
    is_required: bool,
    /// It can stand without a value.
    may_be_empty: bool,
}

impl Shape {
    /// The shape of a value of the example, by where it stands there (RFC 6901).
    fn of(value: &Value, pointer: &str, whole: &Value) -> Self {
        let kind = match value {
            Value::Number(_) => Kind::Number,
            Value::Bool(_) => Kind::Flag,
            Value::Array(items) => {
                let item = items.first().unwrap_or(&Value::Null);
                Kind::List(Box::new(Self::of(item, &format!("{pointer}/0"), whole)))
            }
            Value::Object(entries) => match entries.get(ANY_NAME) {
                Some(entry) => Kind::Names(Box::new(Self::of(entry, &format!("{pointer}/{ANY_NAME}"), whole))),
                None => Kind::Keys(fields(entries, pointer, whole)),
            },
            Value::Null | Value::String(_) => Kind::Text,
        };
        Self { kind, example: value.clone() }
    }

    /// The value as it would be without what is wrong with it, each of which is told.
    pub(super) fn fit(&self, node: &Node, at: &str, line: Option<u64>, faults: &mut Vec<Fault>) -> Value {
        let mut fault = |text: &str| faults.push(Fault { line, key: at.to_owned(), text: text.to_owned() });
        match (&self.kind, node) {
            (Kind::Text, Node::Leaf(Leaf::Said(text))) => return Value::from(text.as_str()),
            (Kind::Number, Node::Leaf(leaf)) => match leaf.read::<u64>() {
                Some(number) => return Value::from(number),
                None => fault("it has to be a whole number, 0 or more"),
            },
            (Kind::Flag, Node::Leaf(leaf)) => match leaf.read::<bool>() {
                Some(flag) => return Value::from(flag),
                None => fault("it has to be true or false"),
            },
            (Kind::List(shape), Node::List(items)) => {
                let item = |(index, item): (usize, &serde_saphyr::Spanned<Node>)| {
                    shape.fit(&item.value, &format!("{at}[{index}]"), Some(item.referenced.line()), faults)
                };
                return items.iter().enumerate().map(item).collect();
            }
            (Kind::Keys(fields), Node::Map(entries)) => return fit_keys(fields, entries, at, line, faults),
            (Kind::Names(shape), Node::Map(entries)) => {
                let entry = |(name, value): &(serde_saphyr::Spanned<String>, serde_saphyr::Spanned<Node>)| {
                    let (at, line) = (joined(at, &name.value), Some(name.referenced.line()));
                    (name.value.clone(), shape.fit(&value.value, &at, line, faults))
                };
                return Value::Object(entries.iter().map(entry).collect());
            }
            (Kind::Text, Node::Leaf(Leaf::Nothing)) => fault("there is no value: write one, or take the key away"),
            (Kind::Text, _) => fault("there has to be one text here, neither a list nor keys with values"),
            (Kind::Number, _) => fault("it has to be a whole number, 0 or more"),
            (Kind::Flag, _) => fault("it has to be true or false"),
            (Kind::List(_), _) => fault("there has to be a list here, as in [one, another]"),
            (Kind::Keys(_) | Kind::Names(_), _) => fault("there have to be keys with values here, as in key: value"),
        }
        self.example.clone()
    }
}

/// What the keys take, and whether they may be left out: asked of what reads the settings.
fn fields(entries: &Map<String, Value>, pointer: &str, whole: &Value) -> BTreeMap<String, Field> {
    let is_taken = |change: &dyn Fn(&mut Map<String, Value>)| {
        let mut changed = whole.clone();
        if let Some(Value::Object(entries)) = changed.pointer_mut(pointer) {
            change(entries);
        }
        serde_json::from_value::<Settings>(changed).is_ok()
    };
    let field = |(name, value): (&String, &Value)| {
        let is_required = !is_taken(&|entries| drop(entries.remove(name)));
        let may_be_empty = is_taken(&|entries| drop(entries.insert(name.clone(), Value::Null)));
        let shape = Shape::of(value, &format!("{pointer}/{name}"), whole);
        (name.clone(), Field { shape, is_required, may_be_empty })
    };
    entries.iter().map(field).collect()
}

fn fit_keys(
    fields: &BTreeMap<String, Field>,
    entries: &[(serde_saphyr::Spanned<String>, serde_saphyr::Spanned<Node>)],
    at: &str,
    line: Option<u64>,
    faults: &mut Vec<Fault>,
) -> Value {
    let (mut fitted, mut meant) = (Map::new(), Vec::new());
    for (name, value) in entries {
        let (key, line) = (joined(at, &name.value), Some(name.referenced.line()));
        match fields.get(&name.value) {
            Some(field) if field.may_be_empty && matches!(value.value, Node::Leaf(Leaf::Nothing)) => {}
            Some(field) => drop(fitted.insert(name.value.clone(), field.shape.fit(&value.value, &key, line, faults))),
            None => {
                let near = nearest(&name.value, fields.keys());
                faults.push(Fault { line, key, text: unknown(near, fields) });
                meant.extend(near);
            }
        }
    }
    for (name, field) in fields.iter().filter(|(_, field)| field.is_required) {
        if fitted.contains_key(name) {
            continue;
        }
        fitted.insert(name.clone(), field.shape.example.clone());
        // It stands there, misspelt.
        if !meant.contains(&name) {
            faults.push(Fault { line, key: at.to_owned(), text: format!("the key {name} is missing") });
        }
    }
    Value::Object(fitted)
}

fn unknown(nearest: Option<&String>, fields: &BTreeMap<String, Field>) -> String {
    match nearest {
        Some(nearest) => format!("there is no such key; did you mean {nearest}?"),
        None => {
            let all: Vec<&str> = fields.keys().map(String::as_str).collect();
            format!("there is no such key here; there are {}", all.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is told of a file, in order.
    fn told(text: &str) -> Vec<String> {
        let mut faults = Vec::new();
        WHOLE.fit(&serde_saphyr::from_str(text).expect("is YAML"), "", Some(1), &mut faults);
        faults.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn unknown_keys_are_named_at_any_depth_with_the_nearest_known() {
        let text = "known_errors:\n  - file: a.py\n    path: x\n  - { fiel: b.py,\n      funktion: f }\nisues: {}\n";
        assert_eq!(
            told(text),
            [
                "line 3: known_errors[0].path: there is no such key here; there are alert_every_n_occurrences, code, \
                 email_header, email_recipients, file, function, max_alert_threshold, min_alert_threshold, until",
                "line 4: known_errors[1].fiel: there is no such key; did you mean file?",
                "line 5: known_errors[1].funktion: there is no such key; did you mean function?",
                "line 6: isues: there is no such key; did you mean issues?",
            ]
        );
    }

    #[test]
    fn each_key_takes_what_the_settings_do() {
        let whole = serde_json::to_value(Settings::with_every_key()).expect("JSON");
        let mut faults = Vec::new();
        let node = serde_saphyr::from_str(&whole.to_string()).expect("JSON is YAML");
        assert_eq!((WHOLE.fit(&node, "", None, &mut faults), faults), (whole, vec![]));
        assert_eq!(Settings::with_every_key().faults(), []);
        let nothing = "known_errors: [{ file: 12, function: , until: ~ }]\nshadow:\nissues: { assign: yes }\n";
        assert_eq!(told(nothing), [""; 0]);
    }
}
