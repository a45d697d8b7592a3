//! Colours of a terminal, taken out of a text, also where a log has broken their marks.

use regex::Regex;
use std::borrow::Cow;
use std::sync::LazyLock;

/// ECMA-48: parameters, then one byte that ends the sequence. What an editor, a shell or a syslog
/// writes for the escape; or nothing is left of it, where only colours are known by their form.
static MARKS: LazyLock<Regex> = LazyLock::new(|| {
    let pattern = r"\x{9b}[0-?]*[ -/]*[@-~]|(?:\x1b|\x{2190}|\^\[|\\x1[bB]|\\u001[bB]|\\033|#033|\\e)\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b(?:\(B)?|\[(?:\d{1,3};){0,5}\d{1,3}m";
    Regex::new(pattern).expect("a constant pattern compiles")
});

/// The text without colours.
pub(in super::super) fn without(text: Cow<'_, str>) -> Cow<'_, str> {
    if !text.contains(['[', '\x1b', '\u{9b}']) {
        return text;
    }
    let mut plain = String::new();
    let mut end = 0;
    for found in MARKS.find_iter(&text) {
        // `rate[5m]` is no colour.
        let is_closed = text[found.end()..].starts_with(']');
        if found.as_str().starts_with('[') && (is_closed || !is_colour(found.as_str())) {
            continue;
        }
        plain.push_str(&text[end..found.start()]);
        end = found.end();
    }
    if end == 0 {
        return text;
    }
    plain.push_str(&text[end..]);
    Cow::Owned(plain)
}

/// Whether these are numbers of a colour.
fn is_colour(mark: &str) -> bool {
    let numbers = mark.trim_start_matches('[').trim_end_matches('m').split(';');
    numbers.map(|number| number.parse::<u16>().unwrap_or(u16::MAX)).all(|number| number <= 255)
}
