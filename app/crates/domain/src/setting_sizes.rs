//! How large a repository's settings file, its lists and its texts may be: whoever writes to a
//! repository writes the file, and each report of the repository is compared with all of it.

use serde_json::Value;

/// Bytes of a settings file. It is read with each report of its repository, and one of this size
/// has some thousand entries.
pub const LARGEST_SETTINGS: usize = 256 << 10;

/// Entries of one list of the file: each is compared with each frame of a report.
pub const MOST_ENTRIES: usize = 1_000;

/// Bytes of one text of the file: as many as are kept of a name, a path or a line of code.
pub const LONGEST_TEXT: usize = 1_000;

/// Path expressions of a file: each may take its steps on each path of a report.
pub const MOST_EXPRESSIONS: usize = 20;

/// The list of expressions, by its key.
const EXPRESSIONS: &str = "only_blame_filepaths_matching";

/// Each list and text that is too long, by its key, and what to do.
pub(super) fn too_much(settings: &Value) -> Vec<(String, String)> {
    let mut found = Vec::new();
    look_at("", settings, &mut found);
    found
}

fn look_at(key: &str, value: &Value, found: &mut Vec<(String, String)>) {
    let mut say = |text: String| found.push((key.to_owned(), text));
    match value {
        Value::String(text) if text.len() > LONGEST_TEXT => say(format!("it is longer than {LONGEST_TEXT} bytes")),
        Value::Array(items) if key == EXPRESSIONS && items.len() > MOST_EXPRESSIONS => {
            say(format!("it has more than {MOST_EXPRESSIONS} expressions; write some as one: ^(src|lib)/"));
        }
        Value::Array(items) if items.len() > MOST_ENTRIES => {
            say(format!("it has more than {MOST_ENTRIES} entries; one without a function covers a whole file"));
        }
        Value::Object(entries) if entries.len() > MOST_ENTRIES => {
            say(format!("it has more than {MOST_ENTRIES} entries"));
        }
        Value::Object(entries) if entries.keys().any(|name| name.len() > LONGEST_TEXT) => {
            say(format!("a key of it is longer than {LONGEST_TEXT} bytes"));
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(at, item)| look_at(&format!("{key}[{at}]"), item, found));
        }
        Value::Object(entries) => {
            for (name, entry) in entries {
                let within = if key.is_empty() { name.clone() } else { format!("{key}.{name}") };
                look_at(&within, entry, found);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_long_is_named_by_its_key() {
        let settings = serde_json::json!({
            "email": { "domain": "x".repeat(1_001), "remap": { "y".repeat(1_001): "z" } },
            "watchers": vec![serde_json::json!({}); 1_001],
            "known_errors": [{ "file": "x".repeat(1_000) }, { "code": "x".repeat(1_001) }],
            "only_blame_filepaths_matching": vec!["a"; 21],
        });
        let keys: Vec<String> = too_much(&settings).into_iter().map(|(key, _)| key).collect();
        assert_eq!(keys, ["email.domain", "email.remap", "known_errors[1].code", EXPRESSIONS, "watchers"]);
    }
}
