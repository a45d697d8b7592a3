//! Whether a value is a secret, by what its name says of it.

use super::random::is_random_or_hex;
use super::rules::Rules;
use super::values::is_plain;
use super::vocabulary::{COMMON, Class};

/// Characters of a validator's sentences: nothing longer is taken for one.
const MAX_SAID: usize = 500;

/// Whether a value is a secret, by its name's class.
pub(super) fn is_secret_value(value: &str, class: Class, rules: &Rules) -> bool {
    let value = value.trim();
    if is_plain(value) || is_common(value) || is_said(value) || rules.keeps_value(value) {
        return false;
    }
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    match class {
        Class::Password => true,
        // A parser's are marks, and counts are small.
        Class::Token => value.chars().any(char::is_alphanumeric) && !(digits == value.len() && digits < 7),
        Class::Short => digits >= 3 && value.len() <= 40 && !is_decimal(value),
        Class::Number => digits >= 4,
        Class::Often => is_random_or_hex(last_part(value)),
    }
}

/// `tan: 3.14`: what is measured or computed.
fn is_decimal(value: &str) -> bool {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    value.trim_start_matches('-').split_once('.').is_some_and(|(whole, part)| digits(whole) && digits(part))
}

/// The value of `t=1700000000,v1=4645de`, of `sha256=4645de` and of `keyId 4645de`.
fn last_part(value: &str) -> &str {
    let last = value.rsplit([' ', ',', ';']).next().unwrap_or_default();
    match last.trim_end_matches('=').rfind('=') {
        Some(sign) => &last[sign + 1..],
        None => last,
    }
}

/// What validators say of a value where they would not repeat it: `{"password": ["must be
/// longer"]}`.
pub(super) fn is_said(value: &str) -> bool {
    const SAID: &[&str] = &[
        "must be ",
        "must not ",
        "must have ",
        "must contain ",
        "must match",
        "is required",
        "is too ",
        "t be blank",
        "t be empty",
        "not be blank",
        "not be empty",
        "not be null",
        "at least ",
        "at most ",
        "should be ",
        "should have ",
        "is invalid",
        "is not ",
        "does not ",
        "doesn't ",
        "is incorrect",
        "is missing",
        "has expired",
        "is expired",
    ];
    value.len() <= MAX_SAID && value.contains(' ') && SAID.iter().any(|said| value.contains(said))
}

/// Whether a word that tells nothing stands behind the name.
fn is_common(value: &str) -> bool {
    let value = value.trim_matches(['.', '!', '*', '<', '>', '[', ']']);
    value.is_empty() || COMMON.iter().any(|word| value.eq_ignore_ascii_case(word))
}
