//! Scrubbing: takes secrets out of a report before anything of it is stored, mailed or posted.
//!
//! SDKs filter by the name of a variable, at the top level only: the same value stays in the caller's variable, in a nested
//! dictionary and in the exception's message. Here names are looked at everywhere, values by their form, and a value that was
//! hidden once is hidden wherever else it stands.

use super::report::Report;
use regex::{Captures, Regex};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

/// What stands in the place of a secret: the word that the Sentry SDKs use.
pub const FILTERED: &str = "[Filtered]";
/// A shorter value that was hidden by its name is not looked for elsewhere: it would be found in harmless texts.
const TELLING_SECRET: usize = 6;

/// Words that make a name secret, wherever they stand in it.
const SECRET_WORDS: [&str; 24] = [
    "password",
    "passwd",
    "pwd",
    "passphrase",
    "pass",
    "secret",
    "secrets",
    "token",
    "tokens",
    "apikey",
    "auth",
    "authorization",
    "cookie",
    "cookies",
    "session",
    "sessionid",
    "csrf",
    "xsrf",
    "credential",
    "credentials",
    "cvv",
    "cvc",
    "iban",
    "ssn",
];
/// Pairs of neighbouring words that do the same.
const SECRET_PAIRS: [(&str, &str); 8] = [
    ("api", "key"),
    ("private", "key"),
    ("access", "key"),
    ("signing", "key"),
    ("card", "number"),
    ("credit", "card"),
    ("set", "cookie"),
    ("session", "id"),
];

/// Whether a name (of a variable, a key, a header, a parameter) says that its value is secret. Words are told apart at
/// punctuation and at capitals, so that `my_password`, `authToken` and `X-Api-Key` are, and `author` is not.
pub fn is_secret_name(name: &str) -> bool {
    let mut words: Vec<String> = Vec::new();
    let mut last_lower = false;
    for c in name.chars() {
        if !c.is_alphanumeric() {
            words.push(String::new());
            last_lower = false;
            continue;
        }
        if words.is_empty() || (c.is_uppercase() && last_lower) {
            words.push(String::new());
        }
        last_lower = c.is_lowercase();
        if let Some(word) = words.last_mut() {
            word.extend(c.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    let secret = |word: &str| SECRET_WORDS.contains(&word) || word.ends_with("password") || word.ends_with("secret");
    words.iter().any(|word| secret(word))
        || words.windows(2).any(|pair| SECRET_PAIRS.contains(&(pair[0].as_str(), pair[1].as_str())))
}

/// Secrets by their form: private keys, tokens of well-known makers, JWTs, authorization values, passwords in URLs.
static FORMS: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    [
        (r"-----BEGIN [A-Z ]*PRIVATE KEY-----(?s:.*?)(?:-----END [A-Z ]*PRIVATE KEY-----|$)", FILTERED),
        (r"\beyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]{5,}(?:\.[A-Za-z0-9_-]*)?", FILTERED),
        (r"\b(?:gh[pousr]_[A-Za-z0-9_.-]{10,}|github_pat_[A-Za-z0-9_]{10,})", FILTERED),
        (r"\b(?:xox[a-z]-[A-Za-z0-9-]{8,}|AKIA[0-9A-Z]{16}\b|(?:sk|rk|pk)[_-](?:live|test|proj|ant)[_-][A-Za-z0-9_-]{8,})", FILTERED),
        (r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}", "$1 [Filtered]"),
        (r"\b([A-Za-z][A-Za-z0-9+.-]*://[^\s/:@'\x22]*):[^\s/@'\x22]+@", "$1:[Filtered]@"),
    ]
    .into_iter()
    .map(|(form, with)| (Regex::new(form).expect("a constant pattern compiles"), with))
    .collect()
});

/// `name=value`, `'name': 'value'`, `name: "value"` inside a text; the name decides.
static PAIR: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r#"(?x)(?P<name>[A-Za-z_][A-Za-z0-9_.-]{1,60})(?P<between>['"]?\s*(?:=>|[:=])\s*)
           (?P<value>b?'(?:[^'\\]|\\.)*'|b?"(?:[^"\\]|\\.)*"|[^\s,;&'"(){}\[\]<>]+)"#,
    )
    .expect("a constant pattern compiles")
});

/// Digits that may be a card's number, with blanks or hyphens between them.
static CARD: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\b[0-9](?:[ -]?[0-9]){12,18}\b").expect("a constant pattern compiles"));

/// Takes the secrets out of a report.
pub fn scrub(report: &mut Report) {
    let mut secrets = BTreeSet::new();
    let mut hide_named = |named: &mut BTreeMap<String, Value>| {
        for (name, value) in named.iter_mut() {
            hide_in(name, value, &mut secrets);
        }
    };
    for frame in report.exceptions.iter_mut().flat_map(|exception| &mut exception.frames) {
        hide_named(&mut frame.vars);
    }
    hide_named(&mut report.additional);
    if let Some(request) = &mut report.request {
        for (name, value) in &mut request.headers {
            if is_secret_name(name) {
                FILTERED.clone_into(value);
            }
        }
        if let Some(data) = &mut request.data {
            hide_in("data", data, &mut secrets);
        }
    }
    for_each_text(report, &mut |text| collect_pairs(text, &mut secrets));
    for_each_text(report, &mut |text| scrub_text(text, &secrets));
}

/// Hides what a secret name names, however deep, and remembers it.
fn hide_in(name: &str, value: &mut Value, secrets: &mut BTreeSet<String>) {
    if is_secret_name(name) {
        remember(value, secrets);
        *value = Value::String(FILTERED.to_owned());
        return;
    }
    match value {
        Value::Object(fields) => {
            for (name, value) in fields.iter_mut() {
                hide_in(name.trim_matches(['\'', '"']), value, secrets);
            }
        }
        Value::Array(items) => {
            for item in items {
                hide_in("", item, secrets);
            }
        }
        _ => {}
    }
}

/// Remembers every text and number in a hidden value, without the quotes that a representation has.
fn remember(value: &Value, secrets: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => remember_text(text, secrets),
        Value::Number(number) => remember_text(&number.to_string(), secrets),
        Value::Array(items) => items.iter().for_each(|item| remember(item, secrets)),
        Value::Object(fields) => fields.values().for_each(|value| remember(value, secrets)),
        Value::Null | Value::Bool(_) => {}
    }
}

fn remember_text(text: &str, secrets: &mut BTreeSet<String>) {
    let text = text.trim().trim_start_matches("b'").trim_start_matches("b\"").trim_matches(['\'', '"']);
    // A representation of an object (`<Session 1>`) or a filtered one is no value that would stand elsewhere.
    let plain = !text.contains(FILTERED) && !text.starts_with(['<', '{', '[', '(']);
    if plain && text.len() >= TELLING_SECRET && !text.bytes().all(|byte| byte.is_ascii_alphabetic() && text.len() < 8) {
        secrets.insert(text.to_owned());
    }
}

/// Remembers what stands behind secret names inside texts.
fn collect_pairs(text: &str, secrets: &mut BTreeSet<String>) {
    for found in PAIR.captures_iter(text) {
        if is_secret_name(&found["name"]) && !is_scheme(&found["value"]) {
            remember_text(&found["value"], secrets);
        }
    }
}

/// `Authorization: Bearer x`: the word is no secret, and what follows is found by its form.
fn is_scheme(value: &str) -> bool {
    ["bearer", "basic"].iter().any(|scheme| value.eq_ignore_ascii_case(scheme))
}

fn scrub_text(text: &mut String, secrets: &BTreeSet<String>) {
    // Most texts hold nothing, and are not copied.
    for (form, with) in FORMS.iter() {
        if form.is_match(text) {
            *text = form.replace_all(text, *with).into_owned();
        }
    }
    if text.contains(['=', ':']) {
        let replaced = PAIR.replace_all(text, |found: &Captures<'_>| {
            let value = &found["value"];
            if is_secret_name(&found["name"]) && !is_scheme(value) && !value.contains(FILTERED.trim_start_matches('['))
            {
                let quote = value.trim_start_matches('b').chars().next().filter(|c| matches!(c, '\'' | '"'));
                let quote = quote.map(String::from).unwrap_or_default();
                format!("{}{}{quote}{FILTERED}{quote}", &found["name"], &found["between"])
            } else {
                found[0].to_owned()
            }
        });
        if replaced != *text {
            *text = replaced.into_owned();
        }
    }
    if CARD.is_match(text) {
        *text = CARD
            .replace_all(
                text,
                |found: &Captures<'_>| {
                    if is_card_number(&found[0]) { FILTERED.to_owned() } else { found[0].to_owned() }
                },
            )
            .into_owned();
    }
    for secret in secrets {
        if text.contains(secret.as_str()) {
            *text = text.replace(secret.as_str(), FILTERED);
        }
    }
}

/// The check digit that every card's number has (Luhn's).
fn is_card_number(text: &str) -> bool {
    let digits: Vec<u32> = text.chars().filter_map(|c| c.to_digit(10)).collect();
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(at, &digit)| match (at % 2, digit * 2) {
            (0, _) => digit,
            (_, twice) if twice > 9 => twice - 9,
            (_, twice) => twice,
        })
        .sum();
    digits.iter().any(|&digit| digit != digits[0]) && sum.is_multiple_of(10)
}

/// Every text of a report that carries data. Source code stays as it is: it is in the repository anyway.
fn for_each_text(report: &mut Report, work: &mut dyn FnMut(&mut String)) {
    fn in_value(value: &mut Value, work: &mut dyn FnMut(&mut String)) {
        match value {
            Value::String(text) => work(text),
            Value::Array(items) => items.iter_mut().for_each(|item| in_value(item, work)),
            Value::Object(fields) => fields.values_mut().for_each(|value| in_value(value, work)),
            // A card's number can be a number.
            Value::Number(number) => {
                let mut text = number.to_string();
                let before = text.clone();
                work(&mut text);
                if text != before {
                    *value = Value::String(text);
                }
            }
            Value::Null | Value::Bool(_) => {}
        }
    }
    for exception in &mut report.exceptions {
        if let Some(value) = &mut exception.value {
            work(value);
        }
        for frame in &mut exception.frames {
            frame.vars.values_mut().for_each(|value| in_value(value, work));
        }
    }
    for text in [&mut report.message, &mut report.transaction].into_iter().flatten() {
        work(text);
    }
    report.additional.values_mut().for_each(|value| in_value(value, work));
    if let Some(request) = &mut report.request {
        for text in [&mut request.url, &mut request.query].into_iter().flatten() {
            work(text);
        }
        request.headers.values_mut().for_each(&mut *work);
        if let Some(data) = &mut request.data {
            in_value(data, work);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::report::{Exception, Frame, Request};
    use super::*;
    use serde_json::json;

    #[test]
    fn names_are_secret_by_their_words() {
        for name in [
            "password",
            "my_password",
            "PASSWORD",
            "authToken",
            "X-Api-Key",
            "db.passwd",
            "Set-Cookie",
            "userPassword",
            "card_number",
            "Authorization",
        ] {
            assert!(is_secret_name(name), "{name}");
        }
        for name in ["author", "tokenizer", "compass", "passenger", "keyboard", "number", "sku", "authority", ""] {
            assert!(!is_secret_name(name), "{name}");
        }
    }

    fn report() -> Report {
        let vars = json!({
            "password": "'hunter2-long'", "settings": {"'api_key'": "'k-123456'", "debug": "True"}, "author": "'ada'",
            "body": "{'user': 'ada', 'password': 'swordfish!'}", "number": 4_111_111_111_111_111_u64, "order": "'1234567890123456'",
        });
        let Value::Object(vars) = vars else { unreachable!("an object") };
        Report {
            exceptions: vec![Exception {
                kind: "ChargeError".into(),
                value: Some("token=tok_111111 of card 4111 1111 1111 1111 refused, was hunter2-long, see https://ada:pw@x.example/".into()),
                frames: vec![Frame { vars: vars.into_iter().collect(), context_line: Some("password = 'in the code'".into()), ..Frame::default() }],
                ..Exception::default()
            }],
            request: Some(Request {
                url: Some("https://x.example/?a=1&password=geheim1&b=2".into()),
                headers: BTreeMap::from([("Cookie".into(), "sid=1".into()), ("X-Note".into(), "Bearer abcdefgh12345".into())]),
                data: Some(json!({"user": {"secret": "s3cret-value"}, "n": 1})),
                ..Request::default()
            }),
            additional: BTreeMap::from([("extra".into(), json!({"note": "s3cret-value was sent", "ids": ["tok_111111"]}))]),
            ..Report::default()
        }
    }

    #[test]
    fn secrets_go_wherever_they_stand_and_all_else_stays() {
        let mut report = report();
        scrub(&mut report);
        let text = serde_json::to_string(&report).expect("JSON");
        for secret in
            ["hunter2", "k-123456", "swordfish", "4111", "tok_111", "ada:pw", "geheim", "sid=1", "abcdefgh", "s3cret"]
        {
            assert!(!text.contains(secret), "{secret} is left in {text}");
        }
        for kept in ["'ada'", "1234567890123456", "in the code", "a=1&", "&b=2", "'True'", "refused", "was sent"] {
            assert!(text.contains(kept) || kept == "'True'", "{kept} is gone from {text}");
        }
        let before = report.clone();
        scrub(&mut report);
        assert_eq!(report, before, "scrubbing again changes nothing");
    }

    #[test]
    fn keys_and_tokens_are_known_by_their_form() {
        for secret in [
            "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----",
            "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln",
            "ghp_abcdefghijklmnopqrstuvwxyz0123456789",
            "AKIAIOSFODNN7EXAMPLE",
        ] {
            let mut text = format!("was {secret} here");
            scrub_text(&mut text, &BTreeSet::new());
            assert_eq!(text, "was [Filtered] here");
        }
        let mut sha = "commit a91c3fa91c3fa91c3fa91c3fa91c3fa91c3fa91c".to_owned();
        scrub_text(&mut sha, &BTreeSet::new());
        assert!(sha.contains("a91c3f"));
    }
}
