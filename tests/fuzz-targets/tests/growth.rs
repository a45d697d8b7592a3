//! What is four times as long takes every target four times as long, for what people write by the
//! line and by the list.
#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "../../../app/crates/wire/tests/proportion/mod.rs"]
mod proportion;

use fuzz_targets::target;
use proportion::{ARRANGEMENTS, assert_in_proportion, stairs};

/// Bytes of the shorter text, at least.
const BYTES: usize = 4_000;

/// What stands before, what is repeated, what stands behind.
fn try_all(name: &str, before: &str, parts: &[&str], behind: &str) {
    let run = target(name).run;
    for arrangement in ARRANGEMENTS {
        for one in parts {
            for other in parts {
                let made = |parts| arrangement(one, other, parts).concat();
                let parts = (1..).map(stairs).find(|parts| made(*parts).len() >= BYTES).unwrap();
                let text = |times| format!("{before}{}{behind}", made(times * parts));
                let read = |text: &str| run(text.as_bytes());
                assert_in_proportion(read, text, &format!("{name}: {before}{:?}", arrangement(one, other, 4)));
            }
        }
    }
}

#[test]
fn envelopes() {
    let items = ["{}\n", "\n", "{\"type\":\"event\"}\n", "{\"type\":\"attachment\",\"length\":2}\nab\n", "{", "a"];
    try_all("envelope", "{}\n", &items, "");
}

#[test]
fn events() {
    let frame = "{\"filename\":\"a.py\",\"function\":\"f\",\"lineno\":1,\"vars\":{\"a\":\"b\"}},";
    let frames =
        ["exception\":{\"values\":[{\"stacktrace\":{\"frames", "threads\":{\"values\":[{\"stacktrace\":{\"frames"];
    for list in frames {
        try_all("event", &format!("{{\"{list}\":["), &[frame, "null,", "{},"], "0]}}]}}");
    }
    let exception =
        "{\"type\":\"E\",\"value\":\"password=hunter2\",\"stacktrace\":{\"frames\":[{\"function\":\"f\"}]}},";
    try_all("event", "{\"exception\":[", &[exception, "{},", "null,"], "0]}");
    let texts = ["a", "\\ud800", "\\n", "\u{1}", "\\\\", "%25", "é", "password=hunter2 ", "[", "\\\""];
    for field in ["message", "exception\":{\"value"] {
        let close = if field == "message" { "\"}" } else { "\"}}" };
        try_all("event", &format!("{{\"{field}\":\""), &texts, close);
    }
    let members = ["\"a\":1,", "\"password\":\"hunter2\",", "\"b\":[1,2],", "\"a\":{},"];
    for field in ["extra", "tags", "contexts", "nobody_knows_it"] {
        try_all("event", &format!("{{\"{field}\":{{"), &members, "\"z\":0}}");
    }
    try_all("event", "{", &members, "\"z\":0}");
}

#[test]
fn webhooks() {
    let commit = "{\"id\":\"a\",\"message\":\"fixes #1\",\"added\":[\"a\"]},";
    try_all("webhook", "push\n{\"ref\":\"refs/heads/main\",\"commits\":[", &[commit, "{},", "null,"], "{}]}");
    let said = ["fixes #1 ", "closes ", "#", "1", " ", "\\n", "acme/shop#1 ", "https://github.com/acme/shop/issues/1 "];
    try_all("webhook", "push\n{\"ref\":\"refs/heads/main\",\"commits\":[{\"id\":\"a\",\"message\":\"", &said, "\"}]}");
    let label = "{\"name\":\"known-error\"},";
    try_all("webhook", "issues\n{\"action\":\"closed\",\"issue\":{\"labels\":[", &[label, "{},"], "{}]}}");
}

#[test]
fn settings() {
    let lines =
        ["a: b\n", "- a\n", "known_errors:\n", "  - file: a\n", "    function: f\n", "# a\n", "\n", "? a\n", "'", "a "];
    try_all("settings", "", &lines, "");
    try_all("settings", "known_errors:\n", &["- file: a\n", "- { file: b, function: f }\n", "- 1\n"], "");
    try_all("settings", "a: [", &["a, ", "{a: b}, ", "&a b, ", "*a , "], "]");
}

#[test]
fn owners() {
    try_all("codeowners", "a/b/c/d.py\n", &["* @a\n", "a/**/b @x\n", "# a\n", "!a @b\n", "\\ ", "a@b ", "x"], "");
    try_all("codeowners", "a/b/c/d.py\n", &["**/", "*", "a", "?", "/"], " @a\n");
    try_all("codeowners", "", &["a/", "b", "/"], "\n**/*a*b*a*b*c @a\n");
}

#[test]
fn links_and_paths() {
    try_all("links", "", &["a", "%25", "\n", "\u{202e}", "&", "+"], "");
    try_all("paths", "", &["a/", "../", "./", "\\", "a.py", "?", ":", "\n", "webpack://"], "");
}
