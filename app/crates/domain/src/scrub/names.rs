//! Which names announce a secret: words are compared, so that `author` is not taken for `auth`.

/// Words that make a name secret, wherever they stand in it.
const WORDS: &[&str] = &[
    "auth",
    "authentication",
    "authorization",
    "bearer",
    "cookie",
    "cookies",
    "credential",
    "credentials",
    "creds",
    "csrf",
    "cvc",
    "cvv",
    "iban",
    "jwt",
    "oauth",
    "passcode",
    "passphrase",
    "passwort",
    "pwd",
    "secret",
    "secrets",
    "session",
    "sessionid",
    "jsessionid",
    "phpsessid",
    "sessid",
    "ssn",
    "token",
    "tokens",
    "xsrf",
];

/// Two words that make a name secret together, written apart (`api_key`) or as one (`apikey`).
const PAIRS: &[(&str, &str)] = &[
    ("access", "key"),
    ("account", "number"),
    ("api", "key"),
    ("card", "no"),
    ("card", "number"),
    ("cc", "number"),
    ("credit", "card"),
    ("encryption", "key"),
    ("master", "key"),
    ("private", "key"),
    ("session", "id"),
    ("signing", "key"),
    ("social", "security"),
    ("ssh", "key"),
];

/// Parts that no ordinary word holds, so that `userpassword` and `csrfmiddlewaretoken` are found as
/// well.
const PARTS: &[&str] = &["password", "passwd", "apikey", "authtoken", "csrf", "secretkey", "privatekey", "cardnumber"];

/// Last words of names that describe a secret without holding it: `token_type`,
/// `AuthenticationError`.
const HARMLESS_LAST: &[&str] = &[
    "count",
    "length",
    "size",
    "type",
    "ttl",
    "expires",
    "expiry",
    "timeout",
    "limit",
    "max",
    "min",
    "error",
    "exception",
];

/// First words of names that count rather than hold: `max_tokens`.
const HARMLESS_FIRST: &[&str] = &["max", "min", "num", "total"];

/// Longer names are no variable's or header's: they are not looked at.
const MAX_NAME: usize = 200;

/// Whether a variable, key, header or parameter of this name holds a secret.
pub(super) fn is_secret(name: &str) -> bool {
    if name.len() < 3 || name.len() > MAX_NAME {
        return false;
    }
    let words = words(name);
    let (Some(first), Some(last)) = (words.first(), words.last()) else {
        return false;
    };
    if words.len() > 1 && (HARMLESS_LAST.contains(&last.as_str()) || HARMLESS_FIRST.contains(&first.as_str())) {
        return false;
    }
    words.iter().any(|word| {
        WORDS.contains(&word.as_str())
            || PARTS.iter().any(|part| word.contains(part))
            || PAIRS.iter().any(|(a, b)| word.strip_prefix(a) == Some(b))
    }) || words.windows(2).any(|two| PAIRS.iter().any(|(a, b)| two[0] == *a && two[1] == *b))
}

/// Lower-case words of a name, split at everything that is no letter and at changes of case. Digits
/// at a word's end are left out: `password2` is a password too.
fn words(name: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    // Form fields such as `user[password]` arrive percent-encoded in query strings.
    let name = if name.contains('%') { name.replace("%5B", "[").replace("%5b", "[") } else { name.to_owned() };
    let name = if name.contains('%') { name.replace("%5D", "]").replace("%5d", "]") } else { name };
    let chars: Vec<char> = name.chars().collect();
    for (index, &c) in chars.iter().enumerate() {
        let before = index.checked_sub(1).and_then(|i| chars.get(i));
        let after = chars.get(index + 1);
        // `authToken` splits before `T`; `CSRFToken` before the capital that a small letter
        // follows.
        let new_word = c.is_uppercase()
            && before.is_some_and(|before| {
                before.is_lowercase()
                    || before.is_ascii_digit()
                    || (before.is_uppercase() && after.is_some_and(|after| after.is_lowercase()))
            });
        if (new_word || !c.is_alphanumeric()) && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        if c.is_alphanumeric() {
            word.extend(c.to_lowercase());
        }
    }
    words.push(word);
    words
        .into_iter()
        .map(|word| word.trim_matches(|c: char| c.is_ascii_digit()).to_owned())
        .filter(|word| !word.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::is_secret;

    #[test]
    fn names_that_hold_secrets() {
        for name in [
            "password",
            "PASSWORD",
            "my_password",
            "userPassword",
            "userpassword",
            "password2",
            "passwd",
            "pwd",
            "db.pwd",
            "authToken",
            "X-Api-Key",
            "apiKey",
            "APIKey",
            "api_key",
            "apikey",
            "Authorization",
            "HTTP_AUTHORIZATION",
            "Proxy-Authorization",
            "Set-Cookie",
            "session",
            "session_id",
            "sessionid",
            "csrfmiddlewaretoken",
            "X-CSRFToken",
            "credentials",
            "private_key",
            "privateKey",
            "card_number",
            "cardNumber",
            "credit_card",
            "cvv",
            "iban",
            "ssn",
            "SECRET_KEY",
            "aws_secret_access_key",
            "AWS_ACCESS_KEY_ID",
            "user[password]",
            "user%5Bpassword%5D",
            "oauth2_token",
            "refreshToken",
            "JWT",
        ] {
            assert!(is_secret(name), "{name}");
        }
    }

    #[test]
    fn names_that_only_look_like_it() {
        for name in [
            "author",
            "authors",
            "authored_at",
            "tokenizer",
            "tokenize",
            "key",
            "sort_key",
            "primary_key",
            "keyboard",
            "secretary",
            "compass",
            "passenger",
            "passed",
            "discard",
            "cardinal",
            "order_number",
            "card",
            "obsession",
            "monkey",
            "max_tokens",
            "token_count",
            "token_type",
            "session_timeout",
            "AuthenticationError",
            "a",
            "",
            "__",
            "ißn",
        ] {
            assert!(!is_secret(name), "{name}");
        }
    }
}
