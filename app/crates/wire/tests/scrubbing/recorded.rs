//! The texts that real clients sent, each once, and whether scrubbing touched them.

use domain::scrub::{FILTERED, Rules, scrub};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use wire::{encoding, sentry, sentry_event};

/// Secrets that the recorded applications had: what has one of them is not harmless.
const SECRETS: [&str; 3] = ["token=abc", "4111111111111111", "password=\"hunter2\""];

/// One text of a report.
pub(crate) struct Recorded {
    pub(crate) recording: String,
    pub(crate) at: String,
    pub(crate) before: String,
    pub(crate) is_touched: bool,
}

/// Every text of the recorded events that is not hidden by its client already.
pub(crate) fn texts() -> Vec<Recorded> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../tests/data/envelopes");
    let mut all: BTreeMap<String, Recorded> = BTreeMap::new();
    let mut events = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "body") {
            continue;
        }
        let head = std::fs::read_to_string(path.with_extension("http.json")).unwrap();
        let head: Value = serde_json::from_str(&head).unwrap();
        let mut headers = head["headers"].as_array().unwrap().iter();
        let encoding = headers.rfind(|pair| pair[0].as_str().unwrap().eq_ignore_ascii_case("content-encoding"));
        let body = std::fs::read(&path).unwrap();
        let Ok(body) = encoding::decode(encoding.map(|pair| pair[1].as_str().unwrap()), &body, encoding::MAX_BODY)
        else {
            continue;
        };
        let event = match sentry::envelope(&body) {
            Ok(envelope) => envelope.event.map(<[u8]>::to_vec),
            Err(_) => Some(body.to_vec()),
        };
        let Some(event) = event else { continue };
        let mut scratch = String::new();
        let Ok(event) = sentry_event::parse(&event, &mut scratch) else { continue };
        let mut report = event.into_report();
        let before = serde_json::to_value(&report).unwrap();
        scrub(&mut report, Rules::built_in());
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        compare(&name, "", &before, Some(&serde_json::to_value(&report).unwrap()), &mut all);
        events += 1;
    }
    assert!(events >= 40, "only {events} recorded events were read");
    all.into_values().collect()
}

fn compare(recording: &str, at: &str, before: &Value, after: Option<&Value>, all: &mut BTreeMap<String, Recorded>) {
    match before {
        Value::String(text) if text.contains(FILTERED) || SECRETS.iter().any(|secret| text.contains(secret)) => {}
        Value::String(text) => {
            let is_touched = after.and_then(Value::as_str) != Some(text);
            let recorded =
                Recorded { recording: recording.to_owned(), at: at.to_owned(), before: text.clone(), is_touched };
            all.entry(format!("{text} {is_touched}")).or_insert(recorded);
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                compare(recording, &format!("{at}[{index}]"), item, after.and_then(|after| after.get(index)), all);
            }
        }
        Value::Object(members) => {
            for (name, member) in members {
                compare(recording, &format!("{at}.{name}"), member, after.and_then(|after| after.get(name)), all);
            }
        }
        _ => {}
    }
}
