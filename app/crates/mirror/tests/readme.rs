//! The README shows each setting that a repository's file can have.

use domain::settings::Settings;
use mirror::settings::parse;
use serde_json::Value;

#[test]
fn the_readme_shows_each_setting_of_a_repository() {
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../README.md")).unwrap();
    let (_, settings) = readme.split_once("## The repository's own settings").expect("the README has settings");
    let (_, example) = settings.split_once("```yaml\n").expect("it shows them");
    let (example, _) = example.split_once("```").expect("the example ends");
    let shown = parse(example).unwrap_or_else(|error| panic!("README.md: {error}"));
    let all = serde_json::to_value(Settings::with_every_key()).unwrap();
    let is_shown = |key: &String| example.contains(&format!("{key}:"));
    let missing: Vec<String> = keys(&all).into_iter().filter(|key| !is_shown(key)).collect();
    assert!(missing.is_empty(), "README.md does not show the settings {missing:?}");
    assert_ne!(shown, Settings::default(), "it shows other values than the defaults");
}

/// Every key in a value, at any depth.
fn keys(value: &Value) -> Vec<String> {
    match value {
        Value::Object(entries) => {
            entries.iter().flat_map(|(key, below)| std::iter::once(key.clone()).chain(keys(below))).collect()
        }
        Value::Array(entries) => entries.iter().flat_map(keys).collect(),
        _ => Vec::new(),
    }
}
