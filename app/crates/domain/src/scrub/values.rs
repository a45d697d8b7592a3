//! Secrets that are known by their own look, whatever name they go by.

use super::FILTERED;
use regex::{Captures, Regex};
use std::borrow::Cow;
use std::sync::LazyLock;

/// Private keys (to the end of the text where it was cut short), JSON web tokens, and the tokens of
/// well-known services by their published prefixes.
static TOKENS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(concat!(
        r"(?s-u:",
        r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----(?u:.)*?(?:-----END [A-Z ]{0,30}PRIVATE KEY-----|\z)",
        r"|\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{4,}(?:\.[A-Za-z0-9_-]*)?",
        r"|\bgh[opsur]_[A-Za-z0-9]{16,}|\bgithub_pat_[A-Za-z0-9_]{16,}|\bglpat-[A-Za-z0-9_-]{16,}",
        r"|\bxox[a-z]-[A-Za-z0-9-]{8,}|\bsk-(?:[a-z]{2,8}-)?[A-Za-z0-9_]{16,}[A-Za-z0-9_-]*",
        r"|\b[rs]k_(?:live|test)_[A-Za-z0-9]{8,}|\bA(?:KIA|SIA)[A-Z0-9]{16}\b|\bAIza[0-9A-Za-z_-]{35}",
        r"|\bnpm_[A-Za-z0-9]{30,}|\bwhsec_[A-Za-z0-9]{16,})"
    ))
    .expect("a constant pattern, compiled by the tests")
});

/// `Bearer …` and `Basic …`, as in an `Authorization` header.
static SCHEME: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?-u:\b)((?i:bearer|basic)[ \t]+)([A-Za-z0-9._~+/-]{6,}={0,2})")
        .expect("a constant pattern, compiled by the tests")
});

/// `scheme://user:password@`, or a lone user part long enough to be a token.
static USERINFO: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"://(?:[^\s/@:'"?\#]*:[^\s/'"?\#]*|[^\s/@:'"?\#]{16,})@"#)
        .expect("a constant pattern, compiled by the tests")
});

/// Runs of digits as cards print them: at a stretch, in fours, or as 4-6-5.
static CARD: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"[0-9]{4}[ -][0-9]{4}[ -][0-9]{4}[ -][0-9]{1,7}|[0-9]{4}[ -][0-9]{6}[ -][0-9]{4,5}|[0-9]{13,}")
        .expect("a constant pattern, compiled by the tests")
});

/// Hides every secret in a text that shows itself by its form. `None`: there is none.
pub(super) fn hide(text: &str) -> Option<String> {
    // The shortest form of all, `Basic` with six characters, has twelve.
    if text.len() < 12 {
        return None;
    }
    let mut result = Cow::Borrowed(text);
    if result.contains("://") {
        replace(&mut result, &USERINFO, |_| format!("://{FILTERED}@"));
    }
    replace(&mut result, &TOKENS, |_| FILTERED.to_owned());
    replace(&mut result, &SCHEME, |found| {
        if looks_random(&found[2]) { format!("{}{FILTERED}", &found[1]) } else { found[0].to_owned() }
    });
    if CARD.is_match(&result) {
        let cards = cards(&result);
        if !cards.is_empty() {
            let mut text = result.into_owned();
            for (start, end) in cards.into_iter().rev() {
                text.replace_range(start..end, FILTERED);
            }
            return Some(text);
        }
    }
    match result {
        Cow::Owned(text) => Some(text),
        Cow::Borrowed(_) => None,
    }
}

/// Whether the digits are a payment card's number: 13 to 19 digits, an issuer's first digits, and a
/// right check digit. The issuer's digits matter: a tenth of all numbers has a right check digit,
/// so would a tenth of all timestamps.
pub(super) fn is_card_number(digits: &str) -> bool {
    let digits: Vec<u32> = digits.chars().filter_map(|c| c.to_digit(10)).collect();
    if !(13..=19).contains(&digits.len()) || digits.iter().all(|digit| *digit == digits[0]) {
        return false;
    }
    let issuer = digits.iter().take(4).fold(0, |sum, digit| sum * 10 + digit);
    if !matches!(issuer, 2221..=2720 | 3000..=6999) {
        return false;
    }
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| match (place % 2, digit * 2) {
            (0, _) => *digit,
            (_, doubled) if doubled > 9 => doubled - 9,
            (_, doubled) => doubled,
        })
        .sum();
    sum.is_multiple_of(10)
}

/// Whether a word is no word of a language: `Basic authentication` is prose, `Basic dXNlcjpw` is
/// not.
pub(super) fn looks_random(word: &str) -> bool {
    word.bytes().any(|b| b.is_ascii_digit() || matches!(b, b'=' | b'+' | b'_' | b'~'))
        || (word.bytes().skip(1).any(|b| b.is_ascii_uppercase()) && word.bytes().any(|b| b.is_ascii_lowercase()))
        || word.len() > 24
}

fn replace(text: &mut Cow<'_, str>, pattern: &Regex, with: impl Fn(&Captures<'_>) -> String) {
    if let Cow::Owned(replaced) = pattern.replace_all(text, |found: &Captures<'_>| with(found))
        && replaced != **text
    {
        *text = Cow::Owned(replaced);
    }
}

/// Byte ranges of card numbers that stand by themselves: not inside a hash, a UUID or a decimal
/// fraction.
fn cards(text: &str) -> Vec<(usize, usize)> {
    let bytes = text.as_bytes();
    CARD.find_iter(text)
        .filter(|found| {
            let before = found.start().checked_sub(1).and_then(|at| bytes.get(at));
            let after = bytes.get(found.end());
            let fraction = |at: Option<&u8>, next: Option<&u8>| {
                at == Some(&b'.') && next.is_some_and(|byte| byte.is_ascii_digit())
            };
            let glued = |at: Option<&u8>| at.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'-');
            let two_before = found.start().checked_sub(2).and_then(|at| bytes.get(at));
            !glued(before)
                && !glued(after)
                && !fraction(before, two_before)
                && !fraction(after, bytes.get(found.end() + 1))
                && is_card_number(found.as_str())
        })
        .map(|found| (found.start(), found.end()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_known_by_their_form() {
        for (text, expected) in [
            ("card 4111111111111111 declined", "card [Filtered] declined"),
            ("card 4111 1111 1111 1111.", "card [Filtered]."),
            ("5500-0000-0000-0004", "[Filtered]"),
            ("amex 3782 822463 10005", "amex [Filtered]"),
            ("tok_4242424242424242", "tok_[Filtered]"),
            ("got ghp_0123456789abcdefghij0123456789abcdef", "got [Filtered]"),
            ("github_pat_11AAAAAAA0123456789_abc", "[Filtered]"),
            ("xoxb-1234567890-abcdef", "[Filtered]"),
            ("sk-proj-abcdefghij0123456789", "[Filtered]"),
            ("key AKIAIOSFODNN7EXAMPLE", "key [Filtered]"),
            ("Authorization: Bearer abc.def-123", "Authorization: Bearer [Filtered]"),
            ("'basic dXNlcjpwYXNz'", "'basic [Filtered]'"),
            ("postgres://shop:hunter2@db:5432/shop", "postgres://[Filtered]@db:5432/shop"),
            ("x eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln y", "x [Filtered] y"),
            ("a -----BEGIN RSA PRIVATE KEY-----\\nMIIE\\n-----END RSA PRIVATE KEY----- b", "a [Filtered] b"),
            ("a -----BEGIN PRIVATE KEY-----\nMIIE (cut", "a [Filtered]"),
            ("naïve é 4111111111111111 ü", "naïve é [Filtered] ü"),
        ] {
            assert_eq!(hide(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_only_looks_like_a_secret_stays() {
        for text in [
            "order 4111111111111112 not found",
            "order 1234567890123452 not found",
            "at 1764000000005 ms",
            "0.4111111111111111",
            "commit d3a45d24111111111111111aa0b0c0d0e0f0a0b0",
            "4111111111111111f00d",
            "550e8400-e29b-41d4-a716-446655440000",
            "Basic authentication required",
            "bearer authentication required",
            "https://example.com/a?email=a@example.com",
            "ssh://git@example.com/x.git",
            "http://localhost:3000/@me",
            "sk-fading-circle spinner",
            "0000000000000000",
            "range 1234-5678 of 9999 rows",
        ] {
            assert_eq!(hide(text), None, "{text}");
        }
    }
}
