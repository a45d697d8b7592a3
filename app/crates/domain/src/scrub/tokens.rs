//! The forms of tokens that their makers publish: what each begins with, of which characters the
//! rest is, and where that is said.

use super::forms::{Body, FORMS, Form};
use super::random::is_uuid;
use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use std::ops::Range;
use std::sync::LazyLock;

static PREFIXES: LazyLock<AhoCorasick> = LazyLock::new(|| {
    AhoCorasick::builder()
        .match_kind(MatchKind::LeftmostLongest)
        .kind(Some(AhoCorasickKind::DFA))
        .build(FORMS.iter().map(|form| form.prefix))
        .expect("some two hundred short texts fit")
});

/// Characters of the rest where a token begins in the middle of a word.
const GLUED: usize = 30;

/// Finds tokens by their makers' forms.
pub(super) fn find(text: &str, found: &mut Vec<Range<usize>>) {
    let bytes = text.as_bytes();
    let mut seen = 0;
    for hit in PREFIXES.find_iter(text) {
        if hit.start() < seen {
            continue;
        }
        let form = &FORMS[hit.pattern().as_usize()];
        let before = hit.start().checked_sub(1).map(|at| bytes[at]);
        let starts = form.prefix.as_bytes()[0].is_ascii_alphanumeric();
        let is_glued = starts && before.is_some_and(|before| before.is_ascii_alphanumeric());
        let is_glued = is_glued && !is_escape(bytes, hit.start());
        let body = bytes[hit.end()..].iter().take_while(|byte| form.body.has(**byte)).count();
        let range = hit.start()..hit.end() + body;
        let rest = text[hit.end()..range.end].trim_end_matches(['.', ':', ',', '-']);
        // Glued to a word, a prefix has to be one that no word ends in.
        let is_free = !is_glued || (hit.len() >= 4 && rest.len() >= GLUED && form.prefix.contains(['_', '-']));
        if is_free && rest.len() >= form.least && is_drawn(rest, form) {
            found.push(range.start..hit.end() + rest.len());
            seen = range.end;
        }
    }
}

/// `\n` and `\t` before a token, as in a representation: their letter is none of a word.
fn is_escape(bytes: &[u8], at: usize) -> bool {
    at >= 2 && bytes[at - 2] == b'\\' && matches!(bytes[at - 1], b'n' | b't' | b'r')
}

/// Whether the rest was drawn: `sk-fading-circle` is made of words. Capitals are, without a digit
/// too, as one AWS key in thirty is, unless a word goes on: `ASIAPACIFICINSURANCE`.
fn is_drawn(rest: &str, form: &Form) -> bool {
    match form.body {
        Body::Uuid => is_uuid(rest) || rest.len() >= 32,
        Body::Path => true,
        Body::Upper if form.prefix != "ASIA" => true,
        _ => {
            let has = |kind: fn(&u8) -> bool| rest.as_bytes().iter().any(kind);
            has(u8::is_ascii_digit) || (has(u8::is_ascii_lowercase) && has(u8::is_ascii_uppercase) && rest.len() >= 24)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What may follow a prefix, of this length.
    fn drawn(body: Body, length: usize) -> String {
        let text = match body {
            Body::Hex => "9f2c1e7ab0",
            Body::Uuid => return "123e4567-e89b-12d3-a456-426614174000".to_owned(),
            Body::Upper => "Q7ZK2M9XW4",
            Body::Path => "T0/B1/x9Yz",
            Body::Alnum | Body::Word | Body::Url | Body::Dotted | Body::Base64 => "x9Yz3Kq7Lm",
        };
        text.chars().cycle().take(length).collect()
    }

    #[test]
    fn every_form_is_found_whole() {
        for form in FORMS {
            let token = format!("{}{}", form.prefix, drawn(form.body, form.least.max(16)));
            let (text, mut found) = (format!("refused: {token} of Ada"), Vec::new());
            find(&text, &mut found);
            let found: Vec<&str> = found.iter().map(|range| &text[range.clone()]).collect();
            assert_eq!(found, [token], "{}", form.prefix);
        }
        // Whoever takes one out has what its maker gives out stored from then on.
        assert_eq!(FORMS.len(), 252);
    }
}
