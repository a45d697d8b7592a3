//! What is four times as long takes four times as long to scrub, whatever it is made of.

#![expect(clippy::unwrap_used, reason = "tests")]

mod proportion;

use domain::scrub::{Rules, scrub_text};
use proportion::{ARRANGEMENTS, assert_in_proportion, stairs};

/// Bytes of the shorter text, at least: longer than what is looked at around any name, which takes
/// as long as there is of it.
const BYTES: usize = 2_400;

/// What names, values, forms and encodings are made of.
const PARTS: [&str; 20] = [
    "password",
    "Bearer ",
    "Cookie: ",
    "--password ",
    "=",
    ": ",
    "\"",
    "\\n",
    "(",
    "[",
    "<",
    ",",
    "://",
    "@",
    "1234 ",
    "%25",
    "%2525",
    "&amp;",
    "VALUES",
    "-----BEGIN PRIVATE KEY-----",
];

#[test]
fn texts_take_as_long_as_they_are_long() {
    let read = |text: &str| drop(scrub_text(text, Rules::built_in()).into_owned());
    read("password=tables are made at the first text");
    for arrangement in ARRANGEMENTS {
        for one in PARTS {
            for other in PARTS {
                let made = |parts| arrangement(one, other, parts).concat();
                let parts = (1..).map(stairs).find(|parts| made(*parts).len() >= BYTES).unwrap();
                let text = |times| made(times * parts);
                assert_in_proportion(read, text, &format!("{:?}", arrangement(one, other, 4)));
            }
        }
    }
}

#[test]
fn many_secrets_take_as_long_as_there_are_many() {
    let read = |text: &str| drop(scrub_text(text, Rules::built_in()).into_owned());
    read("password=tables are made at the first text");
    for secret in [
        "x://ann:hunter2@db ",
        "ann:hunter2@db:5432/x ",
        "password=hunter2 ",
        "4111 1111 1111 1111, ",
        "<value name=\"password\">",
        "'Host', 'x', 'X-Api-Key', 'x1', ",
        "{User:app Password:letmeinnow ",
        "[password:App\\User:private",
        "mnemonic: able bacon cabin ",
        "(password) VALUES (?), ",
    ] {
        assert_in_proportion(read, |times| secret.repeat(times * stairs(20)), secret);
    }
}

#[test]
fn marks_and_values_take_as_long_as_there_are_many() {
    let read = |text: &str| drop(scrub_text(text, Rules::built_in()).into_owned());
    read("password=tables are made at the first text");
    for (before, mark, between, value, behind) in [
        // As many marks as no list has values.
        ("INSERT INTO u (password) VALUES ", "(?),", " [parameters: ('x1'", ",a1,b2", ")]"),
        ("INSERT INTO u (password) VALUES ", "(%s),", " [parameters: [('x1')", ",('a1','b2')", "]]"),
        ("INSERT INTO u (password) VALUES ", "(?),", "; \"x1\"", ",a1,b2", ""),
        ("SELECT 1 FROM u WHERE password IN (?", ",?", ") [parameters: ('x1'", ",a1,b2", ")]"),
        // One value of each list, and again.
        ("SELECT 1 FROM u WHERE password IN ($1", ",$1", ") [parameters: [('x1')", ",(a1)", "]]"),
        ("SELECT 1 FROM u WHERE password IN ($9", ",$9", ") [parameters: [('x1')", ",(a1)", "]]"),
        // Many names.
        ("UPDATE u SET ", "pw=?,", "n=3 [parameters: ('x1'", ",a1,b2", ")]"),
        ("UPDATE u SET ", "pw=$1,", "n=3 [parameters: [('x1')", ",(a1)", "]]"),
    ] {
        let text = |times: usize| {
            let count = times * stairs(4);
            [before, &mark.repeat(count), between, &value.repeat(count), behind].concat()
        };
        assert_in_proportion(read, text, before);
    }
}
