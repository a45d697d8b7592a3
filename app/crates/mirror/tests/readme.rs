//! The README shows each setting that a repository's file can have, and each is read as it stands.

use domain::settings::Settings;
use domain::settings_example::ANY_NAME;
use mirror::settings::parse;
use serde_json::Value;
use std::collections::BTreeMap;

/// Values by their path, `known_errors[].file`; of a list, the first entry's.
type Leaves = BTreeMap<String, Value>;

#[test]
fn the_readme_shows_each_setting_of_a_repository() {
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../README.md")).unwrap();
    let (_, settings) = readme.split_once("## The repository's own settings").expect("the README has settings");
    let (_, example) = settings.split_once("```yaml\n").expect("it shows them");
    let (example, _) = example.split_once("```").expect("the example ends");
    let read = parse(example).unwrap_or_else(|error| panic!("README.md: {error}"));
    let read = leaves(&serde_json::to_value(read).unwrap());
    let shown = leaves(&serde_saphyr::from_str(example).unwrap());
    let all = leaves(&serde_json::to_value(Settings::with_every_key()).unwrap());
    let is_shown = |path: &str| match path.strip_suffix(ANY_NAME) {
        Some(names) => shown.keys().any(|shown| shown.starts_with(names)),
        None => shown.contains_key(path),
    };
    let missing: Vec<&String> = all.keys().filter(|path| !is_shown(path)).collect();
    assert!(missing.is_empty(), "README.md does not show the settings {missing:?}");
    for (path, value) in &shown {
        assert_eq!(read.get(path), Some(value), "{path} is read as it stands in README.md");
    }
}

fn leaves(value: &Value) -> Leaves {
    let mut found = Leaves::new();
    collect("", value, &mut found);
    found
}

fn collect(path: &str, value: &Value, found: &mut Leaves) {
    match value {
        Value::Object(entries) => {
            for (key, below) in entries {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                collect(&path, below, found);
            }
        }
        Value::Array(entries) => {
            for entry in entries {
                collect(&format!("{path}[]"), entry, found);
            }
        }
        leaf => {
            found.entry(path.to_owned()).or_insert_with(|| leaf.clone());
        }
    }
}
