//! How much of what is planted in reports scrubbing hides, and how much of what is harmless it
//! leaves: events as clients send them, from their bytes to what would be stored.
//!
//! `cargo test -p wire --test scrubbing -- --nocapture` prints both figures and each miss.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a test that says what it missed")]

mod cut;
mod kinds;
mod planted;
mod recorded;
mod strangers;

use domain::scrub::{Rules, scrub, scrub_and_cut};
use kinds::{Draw, filled};
use serde_json::{Value, json};

/// What is planted at a place, and what has to be gone.
struct Planted {
    place: String,
    text: String,
    secrets: Vec<String>,
}

/// The event of a client with a text at one of its places.
fn event(place: &str, text: &str) -> Value {
    let mut event = json!({
        "event_id": "0123456789abcdef0123456789abcdef", "platform": "python", "level": "error",
        "release": "shop@1.4.2", "environment": "production", "server_name": "web-1",
        "sdk": {"name": "sentry.python", "version": "2.75.0"},
        "exception": {"values": [{"type": "ValueError", "module": "builtins", "value": "it failed", "stacktrace": {"frames": [{
            "filename": "shop/orders.py", "abs_path": "/srv/app/shop/orders.py", "module": "shop.orders", "function": "place",
            "lineno": 12, "context_line": "    return total", "pre_context": ["def place():"], "post_context": [""],
            "vars": {"n": "1"},
        }]}}]},
    });
    let value = |text: &str| serde_json::from_str(text).unwrap_or_else(|_| json!(text));
    let (kind, name) = place.split_once(':').unwrap_or((place, ""));
    let raised = "/exception/values/0";
    let frame = "/exception/values/0/stacktrace/frames/0";
    let mut set = |at: &str, key: &str, value: Value| event.pointer_mut(at).unwrap()[key] = value;
    // Texts of templates write line breaks as `\n`.
    let lines = text.replace("\\n", "\n");
    match kind {
        "message" => set(raised, "value", json!(lines)),
        "repr" => set(raised, "value", json!(text)),
        "var" => set(frame, "vars", json!({name: value(text)})),
        "type" => set(raised, "type", json!(text)),
        "module" => set(raised, "module", json!(text)),
        "function" => set(frame, "function", json!(text)),
        "file" => set(frame, "abs_path", json!(text)),
        "code" => set(frame, "context_line", json!(text)),
        "context_lines" => set(frame, "pre_context", json!(lines.lines().collect::<Vec<_>>())),
        "server" => set("", "server_name", json!(text)),
        "release" => set("", "release", json!(text)),
        "environment" => set("", "environment", json!(text)),
        "logger" => set("", "logger", json!(text)),
        "transaction" => set("", "transaction", json!(text)),
        "tag" => set("", "tags", json!({name: text})),
        "key" => set("", "extra", json!({text: 1})),
        "header" => set("", "request", json!({"headers": {name: text}})),
        "query" => set("", "request", json!({"query_string": text})),
        "url" => set("", "request", json!({"url": text})),
        "data" => set("", "request", json!({"data": {name: value(text)}})),
        "body" => set("", "request", json!({"data": text})),
        "extra" => set("", "extra", json!({name: value(text)})),
        "context" => set("", "contexts", json!({name: value(text)})),
        "user" => set("", "user", json!({name: text})),
        other => panic!("no place {other}"),
    }
    event
}

/// What would be stored of it, before and after scrubbing.
fn stored(event: &Value) -> (String, String) {
    let (bytes, mut scratch) = (event.to_string(), String::new());
    let mut report = wire::sentry_event::parse(bytes.as_bytes(), &mut scratch).unwrap().into_report();
    let before = serde_json::to_string(&report).unwrap();
    scrub_and_cut(&mut report, Rules::built_in());
    (before, serde_json::to_string(&report).unwrap())
}

/// Whether a secret can still be read.
fn is_readable(secret: &str, stored: &str) -> bool {
    let json = json!(secret).to_string();
    stored.contains(json.trim_matches('"')) || stored.contains(&json!(secret.replace("\\n", "\n")).to_string()[1..])
}

/// Parses `PLACE | TEXT` lines.
fn lines(file: &str) -> impl Iterator<Item = (&str, &str)> {
    file.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once(" | "))
}

fn planted(file: &str, seed: u64) -> Vec<Planted> {
    let mut draw = Draw(seed);
    let planted = lines(file).map(|(place, template)| {
        let (text, secrets) = filled(template, &mut draw);
        Planted { place: place.to_owned(), text, secrets }
    });
    planted.collect()
}

/// The share of what is planted that is hidden; prints each that is not.
fn hidden(planted: &[Planted]) -> f64 {
    let mut missed = 0;
    for Planted { place, text, secrets } in planted {
        let (_, stored) = stored(&event(place, text));
        for secret in secrets.iter().filter(|secret| is_readable(secret, &stored)).take(1) {
            missed += 1;
            println!("MISSED at {place}: {text}  ({secret})\n    {}", around(&stored));
        }
    }
    100.0 * (planted.len() - missed) as f64 / planted.len() as f64
}

/// The share of harmless texts that are touched; prints each that is.
fn touched(harmless: &[(String, String)]) -> f64 {
    let mut touched = 0;
    for (place, text) in harmless {
        let (before, after) = stored(&event(place, text));
        if before != after {
            touched += 1;
            println!("TOUCHED at {place}: {text}\n    {}", around(&after));
        }
    }
    100.0 * f64::from(touched) / harmless.len() as f64
}

/// What is near the first hidden place.
fn around(stored: &str) -> String {
    let at = stored.find("[Filtered]").unwrap_or(0);
    let part = &stored
        [stored.floor_char_boundary(at.saturating_sub(80))..stored.floor_char_boundary((at + 90).min(stored.len()))];
    part.to_owned()
}

#[test]
fn what_applications_write_is_hidden() {
    let planted = planted::all();
    let hidden = hidden(&planted);
    println!("{} planted, {hidden:.2} % hidden", planted.len());
    // All: what is missing from one row of a table is a tenth of a per cent.
    assert!(planted.len() >= 800 && hidden >= 100.0, "{hidden} % of {} hidden", planted.len());
}

#[test]
fn what_real_clients_sent_stays() {
    let texts = recorded::texts();
    let touched: Vec<_> = texts.iter().filter(|text| text.is_touched).collect();
    for text in &touched {
        println!("TOUCHED in {} at {}: {}", text.recording, text.at, text.before);
    }
    let share = 100.0 * touched.len() as f64 / texts.len() as f64;
    println!("{} recorded texts, {share:.2} % touched", texts.len());
    assert!(texts.len() >= 500 && share <= 1.0, "{share} % of {} touched", texts.len());
}

#[test]
fn what_was_written_before_anything_was_tried() {
    let planted = planted(include_str!("blind_planted.txt"), 1);
    let harmless: Vec<_> =
        lines(include_str!("blind_harmless.txt")).map(|(place, text)| (place.to_owned(), text.to_owned())).collect();
    let (hidden, touched) = (hidden(&planted), touched(&harmless));
    println!("{} planted, {hidden:.2} % hidden; {} harmless, {touched:.2} % touched", planted.len(), harmless.len());
    assert!(hidden >= 100.0 && touched <= 0.0, "{hidden} % hidden, {touched} % touched");
}

#[test]
fn what_somebody_wrote_who_had_not_seen_the_tables() {
    let planted = strangers::entries(include_str!("strangers_planted.jsonl"));
    let harmless = strangers::entries(include_str!("strangers_harmless.jsonl"));
    let (mut missed, mut touched) = (0, 0);
    for entry in &planted {
        let (before, after) = stored(&entry.event());
        assert!(entry.is_readable(&before), "it is planted nowhere: {}", entry.told());
        if entry.is_readable(&after) {
            missed += 1;
            println!("MISSED {}\n    {}", entry.told(), strangers::near(&after));
        }
    }
    for entry in &harmless {
        let (before, after) = stored(&entry.event());
        if before != after {
            touched += 1;
            println!("TOUCHED {}\n    {}", entry.told(), strangers::near(&after));
        }
    }
    let share = |count: usize, of: usize| 100.0 * count as f64 / of as f64;
    let (hidden, touched) = (100.0 - share(missed, planted.len()), share(touched, harmless.len()));
    println!("{} planted, {hidden:.2} % hidden; {} harmless, {touched:.2} % touched", planted.len(), harmless.len());
    assert!(planted.len() >= 590 && hidden >= 99.0 && touched <= 1.0, "{hidden} % hidden, {touched} % touched");
}

/// Places of the property below: what is stored of each, and what makes the identity.
const ANYWHERE: [&str; 14] = [
    "message",
    "repr",
    "var:detail",
    "type",
    "function",
    "file",
    "code",
    "server",
    "release",
    "logger",
    "transaction",
    "header:X-Debug",
    "body",
    "extra:note",
];

#[test]
fn what_is_stored_does_not_depend_on_the_secret() {
    // Two reports that differ in their secrets only come to one line: what is stored of them, by
    // which a line is told from another, is the same, and while the secret is in no name of code,
    // so is the fingerprint of what arrives.
    for seed in 0..300 {
        let mut draw = Draw(seed);
        let kind = draw.one(planted::DRAWN);
        let place = ANYWHERE[draw.below(ANYWHERE.len())];
        let template = match place {
            "code" => format!("client = Client(token=\"{{{kind}}}\")"),
            "type" | "function" | "file" | "server" | "release" | "logger" => format!("a/{{{kind}}}"),
            _ => format!("could not log in with {{{kind}}}, password='{{pw}}' of db://u:{{pw}}@h/x"),
        };
        let mut drawn = || {
            wire::sentry_event::parse(
                event(place, &filled(&template, &mut draw).0).to_string().as_bytes(),
                &mut String::new(),
            )
            .unwrap()
            .into_report()
        };
        let (mut one, mut other) = (drawn(), drawn());
        assert_ne!(one, other, "seed {seed}: {template} at {place}");
        let fingerprints = [&one, &other].map(wire::sentry_event::fingerprint_of);
        if !matches!(place, "type" | "function" | "file" | "code" | "release") {
            assert_eq!(fingerprints[0], fingerprints[1], "seed {seed}: {template} at {place}");
        }
        scrub(&mut one, Rules::built_in());
        scrub(&mut other, Rules::built_in());
        assert_eq!(one, other, "seed {seed}: {template} at {place}");
    }
}
