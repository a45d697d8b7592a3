//! Hides secrets in a report before anyone else sees it: by their names, by their form, and
//! wherever they occur again.
//!
//! Clients filter by the names of top-level variables only: the same card number stays in the
//! caller's variable and in the exception's message. So what a secret name held is hidden in the
//! rest of the report as well. Lines of code stay as they are: whoever gets the alert can read them
//! in the repository.

mod names;
mod text;
mod values;

use crate::report::Report;
use serde_json::Value;
use std::collections::BTreeMap;

/// What stands in a secret's place: the word that the Sentry clients use too.
pub const FILTERED: &str = "[Filtered]";

/// Shorter secrets are hidden where their name stands, but not looked for elsewhere: `1234` is in
/// too many texts.
const MIN_SECRET: usize = 6;

/// More secrets of one report are not looked for elsewhere: each costs a walk through the whole
/// report.
const MAX_SECRETS: usize = 64;

/// Values nested deeper are hidden altogether: no client sends more than ten levels, and the stack
/// is finite.
const MAX_DEPTH: usize = 64;

/// Words that stand behind secret names without being secret: hiding them everywhere would garble
/// the message.
const COMMON: &[&str] = &[
    "anonymous",
    "authorization",
    "basic",
    "bearer",
    "credentials",
    "default",
    "disabled",
    "enabled",
    "expired",
    "filtered",
    "invalid",
    "missing",
    "password",
    "private",
    "public",
    "redacted",
    "required",
    "secret",
    "session",
    "string",
    "undefined",
    "unknown",
    "username",
];

/// Hides the report's secrets, each behind [`FILTERED`].
///
/// By name: variables, nested keys, headers, parameters of query strings, forms and URLs, and
/// `name=value` or `'name': 'value'` inside any text. By form: card numbers, private keys, tokens,
/// `Bearer` and `Basic` credentials, user and password of a URL. What was found by name is then
/// hidden wherever else it occurs in the report. `None`, booleans and empty values stay, for they
/// are often the error itself.
pub fn scrub(report: &mut Report) {
    let mut secrets = Secrets::default();
    each_text(report, &mut |name, slot| match slot {
        Slot::Text(text) => secrets.scrub_text(name, text),
        Slot::Value(value) => secrets.scrub_value(name, value, 0),
    });
    let found = secrets.finish();
    if found.is_empty() {
        return;
    }
    each_text(report, &mut |_, slot| match slot {
        Slot::Text(text) => hide_all(&found, text),
        Slot::Value(value) => hide_all_in_value(&found, value),
    });
}

/// A place of a report that may hold a secret.
enum Slot<'a> {
    Text(&'a mut String),
    Value(&'a mut Value),
}

/// Visits every place of a report that may hold a secret, with its name where it has one.
fn each_text(report: &mut Report, visit: &mut dyn FnMut(&str, Slot<'_>)) {
    for text in [&mut report.message, &mut report.transaction].into_iter().flatten() {
        visit("", Slot::Text(text));
    }
    for exception in &mut report.exceptions {
        if let Some(value) = &mut exception.value {
            visit("", Slot::Text(value));
        }
        for frame in &mut exception.frames {
            values_of(&mut frame.vars, visit);
        }
    }
    if let Some(request) = &mut report.request {
        for text in [&mut request.url, &mut request.query].into_iter().flatten() {
            visit("", Slot::Text(text));
        }
        for (name, value) in &mut request.headers {
            visit(name, Slot::Text(value));
        }
        if let Some(data) = &mut request.data {
            visit("", Slot::Value(data));
        }
    }
    values_of(&mut report.additional, visit);
}

fn values_of(map: &mut BTreeMap<String, Value>, visit: &mut dyn FnMut(&str, Slot<'_>)) {
    for (name, value) in map {
        visit(name, Slot::Value(value));
    }
}

/// What was found so far behind secret names.
#[derive(Default)]
struct Secrets {
    found: Vec<String>,
}

impl Secrets {
    fn scrub_text(&mut self, name: &str, text: &mut String) {
        let places = text::find(text);
        for place in places.iter().filter(|place| place.sure) {
            self.remember(&text[place.range.clone()]);
        }
        if names::is_secret(name) {
            if !text::is_plain(text) {
                self.remember(text);
                FILTERED.clone_into(text);
            }
            return;
        }
        // From the end, so that the ranges before stay right.
        for place in places.into_iter().rev() {
            text.replace_range(place.range, FILTERED);
        }
        if let Some(hidden) = values::hide(text) {
            *text = hidden;
        }
    }

    fn scrub_value(&mut self, name: &str, value: &mut Value, depth: usize) {
        if depth > MAX_DEPTH {
            *value = Value::String(FILTERED.to_owned());
            return;
        }
        if names::is_secret(name) && !matches!(value, Value::Null | Value::Bool(_)) {
            match value {
                Value::String(text) if text::is_plain(text) => return,
                Value::String(text) => self.remember(text),
                Value::Number(number) => self.remember(&number.to_string()),
                Value::Array(items) => items.iter().filter_map(Value::as_str).for_each(|text| self.remember(text)),
                // Looked through for the sake of the secret names in it; its other members need not
                // be secret.
                _ => self.scrub_members(value, depth),
            }
            *value = Value::String(FILTERED.to_owned());
            return;
        }
        match value {
            Value::String(text) => self.scrub_text("", text),
            Value::Number(number) if values::is_card_number(&number.to_string()) => {
                *value = Value::String(FILTERED.to_owned());
            }
            _ => self.scrub_members(value, depth),
        }
    }

    fn scrub_members(&mut self, value: &mut Value, depth: usize) {
        match value {
            Value::Array(items) => {
                for item in items {
                    // Headers and form fields also come as a list of pairs.
                    if let Value::Array(pair) = item
                        && let [Value::String(name), value] = pair.as_mut_slice()
                    {
                        let name = unquoted(name).to_owned();
                        self.scrub_value(&name, value, depth + 2);
                    } else {
                        self.scrub_value("", item, depth + 1);
                    }
                }
            }
            // A key can be a representation as well: `'password'` with its quotes.
            Value::Object(members) => {
                for (name, member) in members {
                    self.scrub_value(unquoted(name), member, depth + 1);
                }
            }
            _ => {}
        }
    }

    /// Keeps a secret, so that it is hidden elsewhere too, unless it is too short or too common to
    /// tell.
    fn remember(&mut self, value: &str) {
        let value = unquoted(value.trim());
        if value.len() >= MIN_SECRET
            && self.found.len() < MAX_SECRETS
            && !text::is_plain(value)
            && !value.starts_with(['<', '[', '{', '('])
            && !COMMON.iter().any(|word| value.eq_ignore_ascii_case(word))
            && !self.found.iter().any(|found| found == value)
        {
            self.found.push(value.to_owned());
        }
    }

    /// The secrets, longest first: one may contain another.
    fn finish(mut self) -> Vec<String> {
        self.found.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        self.found
    }
}

/// A Python or JSON string representation without its prefix and quotes.
fn unquoted(value: &str) -> &str {
    let inner = value.strip_prefix(['b', 'r', 'u']).unwrap_or(value);
    for quote in ['\'', '"'] {
        if let Some(inner) = inner.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote)) {
            return inner;
        }
    }
    value
}

fn hide_all_in_value(secrets: &[String], value: &mut Value) {
    match value {
        Value::String(text) => hide_all(secrets, text),
        Value::Number(number) if secrets.contains(&number.to_string()) => {
            *value = Value::String(FILTERED.to_owned());
        }
        Value::Array(items) => items.iter_mut().for_each(|item| hide_all_in_value(secrets, item)),
        Value::Object(members) => members.values_mut().for_each(|member| hide_all_in_value(secrets, member)),
        _ => {}
    }
}

/// Hides each secret in a text, where it is not merely part of a longer word.
fn hide_all(secrets: &[String], text: &mut String) {
    for secret in secrets {
        let mut from = 0;
        while let Some(start) = text.get(from..).and_then(|rest| rest.find(secret.as_str())).map(|at| from + at) {
            let end = start + secret.len();
            let word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
            if (word(text[..start].chars().next_back()) && word(secret.chars().next()))
                || (word(text[end..].chars().next()) && word(secret.chars().next_back()))
            {
                from = start + secret.chars().next().map_or(1, char::len_utf8);
            } else {
                text.replace_range(start..end, FILTERED);
                from = start + FILTERED.len();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Exception, Frame, Request};
    use serde_json::json;

    fn report(vars: Value, value: &str) -> Report {
        let vars = vars.as_object().into_iter().flatten().map(|(k, v)| (k.clone(), v.clone())).collect();
        let frame = Frame { vars, context_line: Some("password = 'in the code'".to_owned()), ..Frame::default() };
        let exception = Exception {
            kind: "E".to_owned(),
            value: Some(value.to_owned()),
            frames: vec![frame],
            ..Default::default()
        };
        Report { exceptions: vec![exception], ..Report::default() }
    }

    fn scrubbed(vars: Value, value: &str) -> (Value, String) {
        let mut report = report(vars, value);
        scrub(&mut report);
        assert_eq!(report.exceptions[0].frames[0].context_line.as_deref(), Some("password = 'in the code'"));
        let frame = &report.exceptions[0].frames[0];
        (json!(frame.vars), report.exceptions[0].value.clone().unwrap_or_default())
    }

    #[test]
    fn a_secret_is_hidden_under_its_name_and_wherever_it_occurs_again() {
        let (vars, value) = scrubbed(
            json!({"card_number": "'tok_1111'", "a": "'tok_1111'", "args": ["'tok_1111'", "1"], "author": "'Ann'"}),
            "no such card 'tok_1111' (nontok_11112)",
        );
        assert_eq!(
            vars,
            json!({"card_number": "[Filtered]", "a": "'[Filtered]'", "args": ["'[Filtered]'", "1"], "author": "'Ann'"})
        );
        assert_eq!(value, "no such card '[Filtered]' (nontok_11112)");
    }

    #[test]
    fn nested_keys_pairs_and_representations() {
        let (vars, _) = scrubbed(
            json!({
                "settings": {"'db'": {"PASSWORD": "'x'", "'api_key'": "'y'", "HOST": "'db'"}, "n": 4111111111111111_u64},
                "headers": [["Authorization", "x"], ["Accept", "y"]],
                "session": {"user": "'alice in wonderland'"},
                "self": "<Login user='alice in wonderland' password='hunter2'>",
                "token": null, "password": "None", "cookie": false, "secret": "''", "cvv": 123,
            }),
            "",
        );
        assert_eq!(
            vars,
            json!({
                "settings": {"'db'": {"PASSWORD": "[Filtered]", "'api_key'": "[Filtered]", "HOST": "'db'"}, "n": "[Filtered]"},
                "headers": [["Authorization", "[Filtered]"], ["Accept", "y"]],
                "session": "[Filtered]",
                "self": "<Login user='alice in wonderland' password='[Filtered]'>",
                "token": null, "password": "None", "cookie": false, "secret": "''", "cvv": "[Filtered]",
            })
        );
    }

    #[test]
    fn requests_messages_and_additional_information() {
        let mut report = Report {
            message: Some("login with password=hunter22 failed".to_owned()),
            request: Some(Request {
                url: Some("https://ann:pw@shop.test/a?token=abcdef1&x=1".to_owned()),
                query: Some("token=abcdef1&x=1".to_owned()),
                headers: [
                    ("X-Api-Key", "k"),
                    ("Cookie", "sid=1; theme=dark"),
                    ("Accept", "text/html"),
                    ("X-Debug", "abcdef1"),
                ]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into(),
                data: Some(json!("a=b&password=c")),
                ..Request::default()
            }),
            additional: [("extra".to_owned(), json!({"retry": "hunter22", "private_key": "k", "sort_key": "s"}))]
                .into(),
            ..Report::default()
        };
        scrub(&mut report);
        assert_eq!(report.message.as_deref(), Some("login with password=[Filtered] failed"));
        let request = report.request.clone().unwrap_or_default();
        assert_eq!(request.url.as_deref(), Some("https://[Filtered]@shop.test/a?token=[Filtered]&x=1"));
        assert_eq!(request.query.as_deref(), Some("token=[Filtered]&x=1"));
        assert_eq!(
            json!(request.headers),
            json!({"X-Api-Key": "[Filtered]", "Cookie": "[Filtered]", "Accept": "text/html", "X-Debug": "[Filtered]"})
        );
        assert_eq!(request.data, Some(json!("a=b&password=[Filtered]")));
        assert_eq!(
            report.additional["extra"],
            json!({"retry": "[Filtered]", "private_key": "[Filtered]", "sort_key": "s"})
        );
    }

    #[test]
    fn scrubbing_twice_changes_nothing_more() {
        let mut once = report(
            json!({"password": "'hunter2'", "a": "b=1&token=abcdefg", "u": "x://a:b@c", "l": {"auth": ["x", "y"]}}),
            "Bearer abcdef123 Authorization: Basic dXNlcjpwYXNz\ncookie: [Filtered]",
        );
        scrub(&mut once);
        let mut twice = once.clone();
        scrub(&mut twice);
        assert_eq!(once, twice);
    }

    #[test]
    fn a_common_word_behind_a_secret_name_stays_elsewhere() {
        let (_, value) = scrubbed(json!({"token": "'invalid'"}), "invalid literal");
        assert_eq!(value, "invalid literal");
    }

    #[test]
    fn odd_text_never_panics() {
        let odd = "pässwörd=\u{202e}é'\\\"\\'token='é\\ password=\"\\\\\" secret:(é{[ auth=b'";
        for (end, _) in odd.char_indices() {
            for (start, _) in odd.char_indices().take_while(|(start, _)| *start <= end) {
                scrubbed(json!({"token": &odd[start..end], "x": &odd[start..end]}), &odd[start..end]);
            }
        }
    }
}
