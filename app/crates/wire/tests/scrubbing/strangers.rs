//! A corpus by somebody who had seen neither the tables nor the other corpora: what reports of real
//! applications leak, and what only looks like it.
//!
//! One object in a line: `where` the text stands, the `key` it goes by, the `text` or value, and of
//! what is planted the `secret`. `¦` breaks what looks like a live token or somebody's machine, so
//! that no scanner takes this repository for a leak; it belongs to no text.

use domain::scrub::FILTERED;
use serde::Deserialize;
use serde_json::{Value, json};
use url::form_urlencoded::byte_serialize;

/// A secret that was cut short counts as readable from this many characters on: what is left of a
/// shorter one tells too little.
const TELLING: usize = 9;

/// One entry.
#[derive(Deserialize)]
pub(crate) struct Entry {
    pub(crate) name: String,
    r#where: String,
    key: Option<String>,
    text: Value,
    #[serde(default)]
    pub(crate) secret: String,
}

/// The entries of a file.
pub(crate) fn entries(file: &str) -> Vec<Entry> {
    file.replace('¦', "").lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

impl Entry {
    /// The event of a client that has it.
    pub(crate) fn event(&self) -> Value {
        let (key, value) = (self.key.clone().unwrap_or_default(), self.text.clone());
        let text = value.as_str().unwrap_or_default().to_owned();
        let named = |value: Value| json!({ key.as_str(): value });
        let request = |part: &str, value: Value| ("", "request", json!({ part: value }));
        let raised = "/exception/values/0";
        let frame = "/exception/values/0/stacktrace/frames/0";
        let (at, member, value) = match self.r#where.as_str() {
            "message" => (raised, "value", value),
            "exception_type" => (raised, "type", value),
            "local" => (frame, "vars", named(value)),
            "context_line" => (frame, "context_line", value),
            "header" => request("headers", named(value)),
            // Cookies and breadcrumbs are not kept as such: what applications do with them is.
            "cookie" => request("headers", json!({"Cookie": format!("{key}={text}")})),
            "breadcrumb" if key.is_empty() => ("", "extra", json!({"log": [value]})),
            "breadcrumb" => ("", "extra", json!({"log": [{"data": named(value)}]})),
            "query" if key.is_empty() => request("query_string", value),
            "query" => {
                let form: String = byte_serialize(text.as_bytes()).collect();
                request("query_string", json!(format!("{key}={form}")))
            }
            "url" => request("url", value),
            "body" => request("data", value),
            "extra" => ("", "extra", named(value)),
            "argv" => ("", "extra", json!({"sys.argv": value})),
            "tag" => ("", "tags", named(value)),
            "user" => ("", "user", named(value)),
            "logger" => ("", "logger", value),
            "transaction" => ("", "transaction", value),
            "server_name" => ("", "server_name", value),
            other => panic!("no place {other}"),
        };
        let mut event = crate::event("code", "    return total");
        event.pointer_mut(at).unwrap()[member] = value;
        event
    }

    /// Whether the secret can be read in what is stored: as it is, cut to two thirds, or encoded.
    pub(crate) fn is_readable(&self, stored: &str) -> bool {
        let secret: Vec<char> = self.secret.chars().collect();
        let part = if secret.len() < TELLING { secret.len() } else { secret.len() * 2 / 3 };
        let parts = [secret[..part].iter().collect::<String>(), secret[secret.len() - part..].iter().collect()];
        let encoded = |text: &str| {
            let json = json!(text).to_string();
            let url: String = byte_serialize(text.as_bytes()).collect();
            [text.to_owned(), json[1..json.len() - 1].to_owned(), url]
        };
        parts.iter().flat_map(|part| encoded(part)).any(|form| stored.contains(&form))
    }

    /// What is told of it where it fails.
    pub(crate) fn told(&self) -> String {
        format!("{} ({} {}): {}", self.name, self.r#where, self.key.as_deref().unwrap_or("-"), self.text)
    }
}

/// What is stored, near what was hidden.
pub(crate) fn near(stored: &str) -> String {
    let end = |at: usize| stored.floor_char_boundary(at.min(stored.len()));
    let at = stored.find(FILTERED).unwrap_or_default();
    stored[end(at.saturating_sub(100))..end(at + 120)].to_owned()
}
