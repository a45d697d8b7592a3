//! `flawless.toml`: read, and what is wrong with it told by its place. The line itself is not
//! repeated: it may hold a password, and what is said ends up in logs.

use super::values::nearest;
use super::{ConfigError, NAMES};
use std::collections::BTreeMap;
use toml::{Spanned, Value};

/// Letters of a name that there is none of which is repeated. Longer than any name of a setting, it
/// may be a value that got into a name's place.
const LONGEST_NAME: usize = 30;

/// The settings of a file, given its path and text, by the names of their variables.
///
/// # Errors
/// It is no TOML, has a setting that there is none of, or a value that is neither text nor number.
pub(super) fn read(path: &str, text: &str) -> Result<BTreeMap<String, String>, ConfigError> {
    let wrong = |at: usize, what: &str| ConfigError(format!("{path}, {}: {what}", place(text, at)));
    let table: BTreeMap<Spanned<String>, Spanned<Value>> = toml::from_str(text).map_err(|error| {
        let (at, what) = (error.span().unwrap_or_default().start, error.message().replace('\n', ", "));
        wrong(at, &format!("it is no TOML: {what}; a line is like port = 3000, or host = \"0.0.0.0\""))
    })?;
    let mut settings = BTreeMap::new();
    for (key, value) in table {
        let name = key.get_ref().to_ascii_uppercase();
        if !NAMES.contains(&name.as_str()) {
            return Err(wrong(key.span().start, &unknown(key.get_ref(), &name)));
        }
        let at = value.span().start;
        let value = match value.into_inner() {
            Value::String(text) => text,
            Value::Integer(number) => number.to_string(),
            other => {
                let what = format!("it has to be a text in quotes or a whole number, and is {}", kind(&other));
                return Err(wrong(at, &what));
            }
        };
        if settings.insert(name, value).is_some() {
            return Err(wrong(key.span().start, "this setting stands there twice: take one of them away"));
        }
    }
    Ok(settings)
}

fn unknown(key: &str, name: &str) -> String {
    let is_plain = key.len() <= LONGEST_NAME && key.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'_');
    let shown = if is_plain { format!(" {key:?}") } else { " of this name".to_owned() };
    format!("there is no setting{shown}{}", nearest(name))
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::String(_) => "a text",
        Value::Integer(_) => "a whole number",
        Value::Float(_) => "a number with a point",
        Value::Boolean(_) => "true or false",
        Value::Datetime(_) => "a date",
        Value::Array(_) => "a list",
        Value::Table(_) => "a table",
    }
}

/// `line 2, column 8 (smtp_url)`: where a byte is, and the setting of its line.
fn place(text: &str, at: usize) -> String {
    let before = text.get(..at).unwrap_or(text);
    let begin = before.rfind('\n').map_or(0, |end| end + 1);
    let (line, column) = (before.matches('\n').count() + 1, before[begin..].chars().count() + 1);
    let words = text[begin..].lines().next().unwrap_or_default();
    let key = words.split(|c: char| !c.is_alphanumeric() && c != '_').find(|word| !word.is_empty());
    // Only what is a setting's name: anything else may be a part of a value.
    let key = key.filter(|key| NAMES.contains(&key.to_ascii_uppercase().as_str()));
    let key = key.map_or_else(String::new, |key| format!(" ({key})"));
    format!("line {line}, column {column}{key}")
}
