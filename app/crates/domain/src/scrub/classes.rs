//! Whether a value is a secret, by what its name says of it.

use super::random::is_random_or_hex;
use super::rules::Rules;
use super::values::is_plain;
use super::vocabulary::{COMMON, Class};

/// Whether a value is a secret, by its name's class.
pub(super) fn is_secret_value(value: &str, class: Class, rules: &Rules) -> bool {
    let value = value.trim();
    if is_plain(value) || is_common(value) || rules.keeps_value(value) {
        return false;
    }
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    match class {
        Class::Password => true,
        // A parser's are marks, and counts are small.
        Class::Token => value.chars().any(char::is_alphanumeric) && !(digits == value.len() && digits < 7),
        Class::Short => digits >= 3 && value.len() <= 40,
        Class::Number => digits >= 4,
        Class::Often => is_random_or_hex(value.split_whitespace().last().unwrap_or_default()),
    }
}

/// Whether a word that tells nothing stands behind the name.
fn is_common(value: &str) -> bool {
    let value = value.trim_matches(['.', '!', '*', '<', '>', '[', ']']);
    value.is_empty() || COMMON.iter().any(|word| value.eq_ignore_ascii_case(word))
}
