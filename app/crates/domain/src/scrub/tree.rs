//! Secrets in values that have members: maps, lists of pairs, arguments of a program, objects that
//! hold a name and a value.

use super::again::{Again, unquoted};
use super::assigned::is_field;
use super::classes::{is_said, is_secret_value};
use super::cut::Limit;
use super::names::class;
use super::random::is_no_word;
use super::vocabulary::Class;
use super::{FILTERED, Place, Scrubbing, shapes, walk};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Values nested deeper are hidden altogether: no client sends more than ten levels, and the stack
/// is finite.
const MAX_DEPTH: usize = 64;

/// Keys under which an object holds a name, and those under which it holds the value beside it.
/// Validators put the path of a field there, and repeat the value.
#[rustfmt::skip]
const NAME_KEYS: [&str; 14] = [
    "name", "key", "field", "header", "param", "k", "id", "path", "loc", "property", "propertyPath", "attribute",
    "label", "variable",
];
const VALUE_KEYS: [&str; 10] =
    ["value", "values", "val", "content", "v", "default", "received", "input", "rejectedValue", "invalidValue"];

/// Keys under which an object holds the names of a table's columns, and those of its rows.
const COLUMN_KEYS: [&str; 7] = ["columns", "cols", "fields", "header", "headers", "column_names", "fieldnames"];
const ROW_KEYS: [&str; 6] = ["rows", "row", "data", "values", "records", "result"];

/// Commands that take a secret by its place, without any option.
const POSITIONAL: [&str; 7] = ["aws", "composer", "lftp", "mc", "net", "rabbitmqctl", "sqlplus"];

/// Private members of a JSON Web Key: RFC 7518, section 6.
const KEY_MEMBERS: [&str; 7] = ["d", "p", "q", "dp", "dq", "qi", "k"];

impl Scrubbing<'_> {
    /// A text that goes by a name.
    pub(super) fn named_text(&mut self, name: &str, text: &mut String) {
        let class = class(unquoted(name), self.rules);
        match class {
            Some(class) if is_secret_value(unquoted(text), class, self.rules) => {
                self.secrets.remember(text);
                self.remember_parts(text);
                FILTERED.clone_into(text);
            }
            _ => self.text(text, Place::Text, Limit::VALUE),
        }
    }

    /// `Bearer x`, `a=b; c=d`: what is a secret by itself within a header.
    fn remember_parts(&mut self, text: &str) {
        let parts = text.split([' ', ';']).map(|part| part.rsplit_once('=').map_or(part, |(_, value)| value));
        parts.filter(|part| is_no_word(part) && part.len() >= 8).for_each(|part| self.secrets.remember(part));
    }

    /// Names and values.
    pub(super) fn map(&mut self, map: &mut BTreeMap<String, Value>) {
        for (name, value) in map.iter_mut() {
            self.value(class(unquoted(name), self.rules), value, 0);
        }
        self.keys_of(map);
    }

    /// Hides what is secret in the keys themselves.
    pub(super) fn keys_of<V>(&mut self, map: &mut BTreeMap<String, V>) {
        rename_keys(map, |key| self.key(key));
    }

    fn key(&mut self, key: &str) -> Option<String> {
        let mut text = key.to_owned();
        self.text(&mut text, Place::Name, Limit::NAME);
        (text != key).then_some(text)
    }

    /// A value, whose name is of this class.
    pub(super) fn value(&mut self, class: Option<Class>, value: &mut Value, depth: usize) {
        if depth > MAX_DEPTH {
            *value = Value::String(FILTERED.to_owned());
            return;
        }
        let is_secret = match (class, &*value) {
            (None, Value::Number(number)) => super::numbers::is_card_number(&number.to_string()),
            (None, _) | (_, Value::Null | Value::Bool(_)) => false,
            (Some(class), Value::String(text)) => is_secret_value(unquoted(text), class, self.rules),
            (Some(class), Value::Number(number)) => is_secret_value(&number.to_string(), class, self.rules),
            (Some(class), Value::Array(items)) => is_strong(class) && !items.is_empty() && !is_all_said(items),
            (Some(class), Value::Object(members)) => is_strong(class) && !members.is_empty(),
        };
        if is_secret {
            self.remember_all(value, depth);
            *value = Value::String(FILTERED.to_owned());
            return;
        }
        match value {
            Value::String(text) => self.text(text, Place::Text, Limit::VALUE),
            Value::Array(items) => self.items(class, items, depth),
            Value::Object(members) => self.members(members, depth),
            _ => {}
        }
    }

    /// Keeps in mind what is hidden with its name.
    fn remember_all(&mut self, value: &mut Value, depth: usize) {
        match value {
            Value::String(text) => {
                self.secrets.remember(text);
                self.remember_parts(text);
            }
            Value::Number(number) => self.secrets.remember(&number.to_string()),
            Value::Array(items) => {
                items.iter().filter_map(Value::as_str).for_each(|text| self.secrets.remember(text));
                self.items(None, items, depth);
            }
            // Looked through for the sake of the secret names in it; its other members need not be
            // secret.
            Value::Object(members) => self.members(members, depth),
            _ => {}
        }
    }

    fn items(&mut self, class_of_all: Option<Class>, items: &mut [Value], depth: usize) {
        hide_key(items);
        // A header, and a row for each of the others. What is secret there by its first cell is a
        // pair.
        if let [Value::Array(header), rows @ ..] = items
            && let Some(columns) = self.columns(header)
            && (columns.len() > 2 || columns[0].is_none())
        {
            self.rows(&columns, rows, depth);
        }
        self.arguments(items);
        // Headers and form fields also come as a list of pairs; a pair alone is one as well.
        if let [Value::String(name), second] = items
            && let Some(class) = class(unquoted(name), self.rules)
            && !second.as_str().is_some_and(|text| is_field(unquoted(text)))
        {
            return self.value(Some(class), second, depth + 1);
        }
        let is_flat = is_flat(items);
        let mut option = None;
        for (at, item) in items.iter_mut().enumerate() {
            let next = item.as_str().map(unquoted).filter(|text| text.starts_with('-') && text.len() > 3);
            let mut next = next.and_then(|name| class(name.trim_start_matches('-'), self.rules));
            if is_flat && at % 2 == 0 {
                next = item.as_str().and_then(|name| class(unquoted(name), self.rules));
            }
            self.value(option.or(class_of_all), item, depth + 1);
            option = next;
        }
    }

    /// What the names of a table's columns announce, if it is anything.
    fn columns(&self, header: &[Value]) -> Option<Vec<Option<Class>>> {
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b' ');
        let mut columns = Vec::new();
        for name in header {
            let name = unquoted(name.as_str()?);
            if name.is_empty() || !name.bytes().all(is_name) {
                return None;
            }
            columns.push(class(name, self.rules).filter(|class| *class != Class::Often));
        }
        columns.iter().any(Option::is_some).then_some(columns)
    }

    /// Hides what stands below such names; words are further names.
    fn rows(&mut self, columns: &[Option<Class>], rows: &mut [Value], depth: usize) {
        for row in rows {
            let Value::Array(cells) = row else { continue };
            if cells.len() != columns.len() {
                continue;
            }
            for (class, cell) in columns.iter().zip(cells) {
                let is_word = cell.as_str().is_some_and(|text| !is_no_word(unquoted(text)));
                if class.is_some() && !is_word {
                    self.value(*class, cell, depth + 2);
                }
            }
        }
    }

    /// A program's arguments, one by one: `["mysql", "-pX"]`, `["curl", "-u", "user:password"]`.
    fn arguments(&mut self, items: &mut [Value]) {
        let texts: Vec<&str> = items.iter().map(|item| item.as_str().map(unquoted).unwrap_or_default()).collect();
        let is_command = texts.first().is_some_and(|first| POSITIONAL.contains(first));
        if !is_command && !texts.iter().any(|text| text.starts_with('-') && text.len() > 1) {
            return;
        }
        let mut found = Vec::new();
        let line = texts.join(" ");
        shapes::find(&line, self.rules, &mut found);
        let mut secrets = Vec::new();
        let mut start = 0;
        for (index, text) in texts.iter().enumerate() {
            let end = start + text.len();
            if let Some(range) = found.iter().find(|range| range.start >= start && range.end <= end) {
                secrets.push((index, line[range.clone()].to_owned()));
            }
            start = end + 1;
        }
        for (index, secret) in secrets {
            self.secrets.remember(&secret);
            if let Value::String(text) = &mut items[index] {
                *text = text.replace(&secret, FILTERED);
            }
        }
    }

    fn members(&mut self, members: &mut Map<String, Value>, depth: usize) {
        let of_value = NAME_KEYS.iter().find_map(|key| {
            let name = match member(members, key)? {
                Value::Array(path) => path.iter().rev().find_map(Value::as_str)?,
                name => name.as_str()?,
            };
            class(unquoted(name), self.rules)
        });
        let columns = COLUMN_KEYS.iter().find_map(|key| self.columns(member(members, key)?.as_array()?));
        if let Some(columns) = columns {
            for (_, rows) in members.iter_mut().filter(|(name, _)| ROW_KEYS.contains(&unquoted(name))) {
                match rows {
                    Value::Array(all) if all.iter().any(Value::is_array) => self.rows(&columns, all, depth),
                    row => self.rows(&columns, std::slice::from_mut(row), depth),
                }
            }
        }
        let is_key = member(members, "kty").is_some();
        // A key can be a representation as well: `'password'` with its quotes.
        for (name, value) in members.iter_mut() {
            let name = unquoted(name);
            let own =
                if is_key && KEY_MEMBERS.contains(&name) { Some(Class::Password) } else { class(name, self.rules) };
            let beside = of_value.filter(|_| VALUE_KEYS.iter().any(|key| name.eq_ignore_ascii_case(key)));
            self.value(own.or(beside), value, depth + 1);
        }
        rename_members(members, |key| self.key(key));
    }
}

/// `["Host", "x", "Cookie", "sid=1"]`: headers as Node and WSGI servers hold them raw, name and
/// value in turn. One of the names has to be no other list's.
fn is_flat(items: &[Value]) -> bool {
    const USUAL: [&str; 8] =
        ["host", "accept", "user-agent", "connection", "content-type", "content-length", "cookie", "authorization"];
    let mut names = items.iter().step_by(2).map(|item| item.as_str().map(unquoted).unwrap_or_default()).peekable();
    let is_name = |name: &str| {
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    items.len() >= 4
        && items.len().is_multiple_of(2)
        && names.clone().all(is_name)
        && names.any(|name| USUAL.iter().any(|usual| name.eq_ignore_ascii_case(usual)))
}

/// Hides the lines of a key that was read into a list.
fn hide_key(items: &mut [Value]) {
    let mut lines: Vec<&mut String> = Vec::new();
    for item in items {
        if let Value::String(line) = item {
            lines.push(line);
        }
    }
    walk::hide_blocks(&mut lines);
}

/// Whether a list says only what is wrong with what its name names.
fn is_all_said(items: &[Value]) -> bool {
    items.iter().all(|item| item.as_str().is_some_and(is_said))
}

/// Whether all of a list or an object is as secret as its name.
fn is_strong(class: Class) -> bool {
    matches!(class, Class::Password | Class::Token | Class::Number)
}

/// A member by its name, in whatever case and quotes.
fn member<'m>(members: &'m Map<String, Value>, wanted: &str) -> Option<&'m Value> {
    members.iter().find(|(name, _)| unquoted(name).eq_ignore_ascii_case(wanted)).map(|(_, value)| value)
}

/// Gives keys another name where there is one; two that become alike are told apart by a number.
pub(super) fn rename_keys<V>(map: &mut BTreeMap<String, V>, mut new: impl FnMut(&str) -> Option<String>) {
    let renamed: Vec<(String, String)> = map.keys().filter_map(|key| Some((key.clone(), new(key)?))).collect();
    for (old, new) in renamed {
        if let Some(value) = map.remove(&old) {
            let name = (1_u32..).map(|n| numbered(&new, n)).find(|name| !map.contains_key(name)).unwrap_or(new);
            map.insert(name, value);
        }
    }
}

fn rename_members(members: &mut Map<String, Value>, mut new: impl FnMut(&str) -> Option<String>) {
    let renamed: Vec<(String, String)> = members.keys().filter_map(|key| Some((key.clone(), new(key)?))).collect();
    for (old, new) in renamed {
        if let Some(value) = members.remove(&old) {
            let name = (1_u32..).map(|n| numbered(&new, n)).find(|name| !members.contains_key(name)).unwrap_or(new);
            members.insert(name, value);
        }
    }
}

fn numbered(name: &str, number: u32) -> String {
    if number == 1 { name.to_owned() } else { format!("{name} {number}") }
}

/// Hides what is known already.
pub(super) fn hide_again(again: &Again, value: &mut Value) {
    match value {
        Value::String(text) => super::hide(text, again.hidden(text, false)),
        Value::Number(number) => {
            if let Some(hidden) = again.hidden(&number.to_string(), false) {
                *value = Value::String(hidden);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| hide_again(again, item)),
        Value::Object(members) => {
            members.values_mut().for_each(|member| hide_again(again, member));
            rename_members(members, |key| again.hidden(key, true));
        }
        _ => {}
    }
}

/// Hides what is known already in a map's values and keys.
pub(super) fn hide_again_in_map(again: &Again, map: &mut BTreeMap<String, Value>) {
    map.values_mut().for_each(|value| hide_again(again, value));
    rename_keys(map, |key| again.hidden(key, true));
}

#[cfg(test)]
mod tests {
    use crate::report::Report;
    use crate::scrub::{Rules, scrub};
    use serde_json::{Value, json};

    fn scrubbed(value: Value) -> Value {
        let mut report = Report { additional: [("x".to_owned(), value)].into(), ..Report::default() };
        scrub(&mut report, Rules::built_in());
        report.additional["x"].clone()
    }

    #[test]
    fn values_beside_their_name_in_lists_and_objects() {
        let all = json!({
            "raw": ["Host", "x", "X-Api-Key", "hunter2x", "Cookie", "sid=w9x8y7z6", "Accept", "*/*"],
            "form": [{"label": "Password", "value": "hunter3"}, {"variable": "DB_PASSWORD", "value": "hunter4"}],
            "headers": [{"name": "Authorization", "values": ["hunter5"]}, {"name": "Accept", "values": ["a1/b2"]}],
            "frame": {"columns": ["name", "password"], "rows": [["b", "hunter6"], ["b", "hunter7"]]},
            "one": {"cols": ["id", "password"], "row": [1, "hunter8"]},
            "table": [["name", "password"], ["b", "hunter9"]],
        });
        assert_eq!(
            scrubbed(all),
            json!({
                "raw": ["Host", "x", "X-Api-Key", "[Filtered]", "Cookie", "[Filtered]", "Accept", "*/*"],
                "form": [{"label": "Password", "value": "[Filtered]"}, {"variable": "DB_PASSWORD", "value": "[Filtered]"}],
                "headers": [{"name": "Authorization", "values": "[Filtered]"}, {"name": "Accept", "values": ["a1/b2"]}],
                "frame": {"columns": ["name", "password"], "rows": [["b", "[Filtered]"], ["b", "[Filtered]"]]},
                "one": {"cols": ["id", "password"], "row": [1, "[Filtered]"]},
                "table": [["name", "password"], ["b", "[Filtered]"]],
            })
        );
        for value in [
            json!(["password", "word1", "token", "word2"]),
            json!(["Host", "x", "password"]),
            json!([{"label": "Quantity", "value": "a1b2"}]),
            json!({"columns": ["name", "price"], "rows": [["b", "hunter2"]]}),
            json!({"columns": ["name", "password"], "rows": [["b", "char"], ["b", "hunter2", 3]]}),
            json!([["name", "price"], ["b", "hunter2"]]),
        ] {
            assert_eq!(scrubbed(value.clone()), value);
        }
    }
}
