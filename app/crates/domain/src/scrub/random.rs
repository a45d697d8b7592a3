//! What looks as if a machine had drawn it: the only thing that tells a secret from a word where
//! neither name nor form is sure.

/// Shorter values are words, numbers and ids too often.
pub(super) const MIN_RANDOM: usize = 16;

/// Bits that each character of a drawn value bears at least, as far as a value of 16 to 64
/// characters can show: prose and paths, whose letters repeat, stay below.
const MIN_BITS: f64 = 3.0;

/// Whether a word is no word of a language: `Basic authentication` is prose, `Basic dXNlcjpw` is
/// not.
pub(super) fn is_no_word(word: &str) -> bool {
    word.bytes()
        .any(|b| b.is_ascii_digit() || matches!(b, b'=' | b'+' | b'_' | b'~' | b'!' | b'$' | b'%' | b'#' | b'*'))
        || (word.bytes().skip(1).any(|b| b.is_ascii_uppercase()) && word.bytes().any(|b| b.is_ascii_lowercase()))
        || word.len() > 24
}

/// Whether a word is neither one of a language nor a name in code, as `TestTokenRefresh` is.
pub(super) fn is_no_name(word: &str) -> bool {
    is_no_word(word) && (word.bytes().any(|b| !b.is_ascii_alphabetic()) || changes_of_case(word) * 3 > word.len() + 2)
}

/// Whether a value was drawn by a machine to be a secret: long, of mixed characters that hardly
/// repeat. Hashes, UUIDs, numbers, paths, dates, versions and names of classes are not.
pub(super) fn is_random(value: &str) -> bool {
    let body = value.trim_end_matches('=');
    if body.len() < MIN_RANDOM || !body.bytes().all(is_body) || is_uuid(body) {
        return false;
    }
    let has = |kind: fn(&u8) -> bool| body.as_bytes().iter().any(kind);
    let digits = has(u8::is_ascii_digit);
    let cases = has(u8::is_ascii_lowercase) && has(u8::is_ascii_uppercase);
    let is_hex = body.bytes().all(|b| b.is_ascii_hexdigit());
    // Of a moment, fewer than a quarter are letters; of `FooBarException`, few begin a word.
    let many = body.bytes().filter(u8::is_ascii_alphabetic).count() * 4 >= body.len();
    if !many || is_hex || !(digits || (cases && changes_of_case(body) * 3 > body.len() + 2)) {
        return false;
    }
    !is_made_of_words(body) && bits(body) >= MIN_BITS
}

/// Random, or a hash's form: behind a name such as `sid` or `signature`, hexadecimal digits are no
/// commit.
pub(super) fn is_random_or_hex(value: &str) -> bool {
    is_random(value) || (value.len() >= 24 && value.bytes().all(|b| b.is_ascii_hexdigit()) && !is_number(value))
}

fn is_number(value: &str) -> bool {
    value.bytes().all(|b| b.is_ascii_digit())
}

fn is_body(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_' | b'.' | b'~' | b'=' | b':')
}

/// `8-4-4-4-12` hexadecimal digits.
pub(super) fn is_uuid(value: &str) -> bool {
    value.len() == 36
        && value.bytes().enumerate().all(|(at, b)| match at {
            8 | 13 | 18 | 23 => b == b'-',
            _ => b.is_ascii_hexdigit(),
        })
}

/// Words and numbers with marks between them: `src/app-2/main.py`, `user:42:cart`,
/// `order-2026-11-28`, `com.example.FooBar`.
pub(super) fn is_made_of_words(value: &str) -> bool {
    let mut parts = value.split(|c: char| !c.is_ascii_alphanumeric()).filter(|part| !part.is_empty()).peekable();
    let several = value.bytes().any(|b| !b.is_ascii_alphanumeric());
    let is_plain = |part: &str| {
        let letters = part.trim_end_matches(|c: char| c.is_ascii_digit());
        let has_digit = letters.bytes().any(|b| b.is_ascii_digit());
        // `FooBar` has fewer changes of case than letters to a syllable.
        is_number(part) || (!has_digit && changes_of_case(letters) * 3 <= letters.len() + 2)
    };
    several && parts.peek().is_some() && parts.all(is_plain)
}

/// How often the case changes from one letter to the next.
fn changes_of_case(value: &str) -> usize {
    let letters: Vec<u8> = value.bytes().filter(u8::is_ascii_alphabetic).collect();
    letters.windows(2).filter(|two| two[0].is_ascii_uppercase() != two[1].is_ascii_uppercase()).count()
}

/// Shannon's entropy of the value's characters, in bits for each.
fn bits(value: &str) -> f64 {
    let mut counts = [0_u32; 256];
    value.bytes().for_each(|byte| counts[usize::from(byte)] += 1);
    let length = value.len() as f64;
    counts.iter().filter(|count| **count > 0).map(|count| f64::from(*count) / length).map(|p| -p * p.log2()).sum()
}

#[cfg(test)]
mod tests {
    use super::is_random;

    #[test]
    fn drawn_values_are_told_from_names_and_hashes() {
        for value in
            ["wJalrXUtnFEMI7K7MDENGbPxRfiCY", "c2VjcmV0LXZhbHVlLTE5Nzg", "Zx8Qp2Lm9Rt4Vb7N", "aB3_dE6-gH9jK2mN5pQ8"]
        {
            assert!(is_random(value), "{value}");
        }
        for value in [
            "550e8400-e29b-41d4-a716-446655440000",
            "d3a45d2411f0b6c7a890d3a45d2411f0b6c7a890",
            "12345678901234567890",
            "src/shop/checkout-2/main.py",
            "user:42:cart:items:2026",
            "com.example.shop.OrderController",
            "2026-11-28T19:38:36.123456",
            "InvalidOperationException",
            "aaaaaaaaaaaaaaaaaaaa1",
            "primary-key-constraint",
        ] {
            assert!(!is_random(value), "{value}");
        }
    }
}
