//! Which names announce a secret, and of what kind: words are compared, so that `author` is not
//! taken for `auth`.

use super::rules::Rules;
use super::vocabulary::{
    CARRIERS, COMPOUNDS, Class, HARMLESS_FIRST, HARMLESS_LAST, IDENTITY, OFTEN, PAIRS, PASS_OWNERS, PASS_PASSAGES,
    PASSWORDS, SHORT, STRONG_KEYS, TOKENS,
};
use super::words::{MAX_NAME, words};

/// What goes by this name; `None`: nothing secret.
pub(super) fn class(name: &str, rules: &Rules) -> Option<Class> {
    if name.len() < 2 || name.len() > MAX_NAME || !rules.may_be_secret(name) {
        return None;
    }
    let words = words(name);
    if rules.keeps_name(&words) {
        return None;
    }
    if rules.adds_name(&words) { Some(Class::Password) } else { class_of_words(&words) }
}

fn class_of_words(words: &[String]) -> Option<Class> {
    let (first, last) = (words.first()?.as_str(), words.last()?.as_str());
    let ends_with = |two: [&str; 2]| words.len() > 2 && words[words.len() - 2..] == two;
    let is_last = HARMLESS_LAST.contains(&last) || ends_with(["expires", "in"]);
    let is_first = HARMLESS_FIRST.contains(&first);
    // .NET's `PublicKeyToken`, and keys that are there to be known.
    if words.windows(2).any(|two| two[0] == "public" && two[1] == "key") {
        return None;
    }
    let last_pair = words.len() > 1 && pair(&words[words.len() - 2..]).is_some();
    if words.len() > 1 && (is_first || (is_last && !last_pair && !is_access_key_id(words))) {
        return None;
    }
    if let Some(class) = words.iter().enumerate().find_map(|(at, word)| strong(word, at, words)) {
        return Some(class);
    }
    for two in words.windows(2) {
        if let Some(class) = pair(two) {
            return Some(class);
        }
        if matches!(two[1].as_str(), "key" | "keys") && STRONG_KEYS.contains(&two[0].as_str()) {
            return Some(Class::Token);
        }
    }
    (OFTEN.contains(&last) && !words.iter().any(|word| word == "public")).then_some(Class::Often)
}

/// The class that two words give together.
fn pair(two: &[String]) -> Option<Class> {
    PAIRS.iter().find(|(a, b, _)| two[0] == *a && two[1] == *b).map(|(_, _, class)| *class)
}

/// The class that one word gives, wherever it stands in a name.
fn strong(word: &str, at: usize, words: &[String]) -> Option<Class> {
    let is_last = at + 1 == words.len();
    if PASSWORDS.contains(&word) {
        return Some(Class::Password);
    }
    if word == "pass" && is_last {
        let before = at.checked_sub(1).map(|at| words[at].as_str());
        return before.is_none_or(|before| !PASS_PASSAGES.contains(&before)).then_some(Class::Password);
    }
    if TOKENS.contains(&word) || (is_last && CARRIERS.contains(&word)) {
        return Some(Class::Token);
    }
    if SHORT.contains(&word) && (is_last || word.len() > 3) {
        return Some(Class::Short);
    }
    if IDENTITY.contains(&word) {
        return Some(Class::Number);
    }
    compound(word)
}

/// Two words written as one: `apikey`, `userpassword`, `dbpass`.
fn compound(word: &str) -> Option<Class> {
    if let Some((_, class)) = COMPOUNDS.iter().find(|(part, _)| word.contains(part)) {
        return Some(*class);
    }
    let ends = |end: &str| word.strip_suffix(end).filter(|rest| !rest.is_empty());
    if ends("pass").or_else(|| ends("pw")).is_some_and(|owner| PASS_OWNERS.contains(&owner)) || ends("pwd").is_some() {
        return Some(Class::Password);
    }
    if ends("token").or_else(|| ends("secret")).is_some() {
        return Some(Class::Token);
    }
    if ends("key").is_some_and(|owner| STRONG_KEYS.contains(&owner)) {
        return Some(Class::Token);
    }
    PAIRS.iter().find(|(a, b, _)| word.strip_prefix(a) == Some(b)).map(|(_, _, class)| *class)
}

/// The public half of a pair that AWS gives out; who has it is half-way in.
fn is_access_key_id(words: &[String]) -> bool {
    words.len() >= 3 && words[words.len() - 3..] == ["access", "key", "id"]
}

#[cfg(test)]
mod tests {
    use super::class;
    use crate::scrub::rules::Rules;
    use crate::scrub::vocabulary::{
        CARRIERS, COMPOUNDS, Class, IDENTITY, OFTEN, PAIRS, PASS_OWNERS, PASSWORDS, SHORT, STRONG_KEYS, TOKENS,
    };

    fn is_secret(name: &str) -> bool {
        class(name, Rules::built_in()).is_some_and(|class| class != Class::Often)
    }

    #[test]
    fn every_word_of_the_tables_announces_what_its_table_says() {
        let says = |name: &str| class(name, Rules::built_in());
        for (table, of_table) in [
            (PASSWORDS, Class::Password),
            (TOKENS, Class::Token),
            (CARRIERS, Class::Token),
            (SHORT, Class::Short),
            (IDENTITY, Class::Number),
            (OFTEN, Class::Often),
        ] {
            for word in table {
                assert_eq!(says(word), Some(of_table), "{word}");
                assert_eq!(says(&format!("my_{word}")), Some(of_table), "my_{word}");
            }
        }
        for (one, two, of_pair) in PAIRS {
            assert_eq!(says(&format!("{one}_{two}")), Some(*of_pair), "{one}_{two}");
        }
        for (part, of_part) in COMPOUNDS {
            assert_eq!(says(part), Some(*of_part), "{part}");
        }
        for owner in PASS_OWNERS {
            // `keypass` is a word of its own, and no less hidden.
            assert!(matches!(says(&format!("{owner}pass")), Some(Class::Password | Class::Token)), "{owner}pass");
        }
        for owner in STRONG_KEYS {
            assert_eq!(says(&format!("{owner}_key")), Some(Class::Token), "{owner}_key");
        }
        // Whoever takes a word out has what goes by it stored from then on.
        let lengths = [PASSWORDS, TOKENS, CARRIERS, SHORT, IDENTITY, OFTEN, PASS_OWNERS, STRONG_KEYS].map(<[_]>::len);
        assert_eq!((lengths, PAIRS.len(), COMPOUNDS.len()), ([55, 24, 4, 13, 27, 29, 58, 43], 58, 17));
    }

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
            "pass",
            "db_pass",
            "dbpass",
            "pw",
            "user_pw",
            "otp",
            "PIN",
            "card_pin",
            "Passwort",
            "Kennwort",
            "mot_de_passe",
            "motDePasse",
            "mdp",
            "contraseña",
            "clave",
            "senha",
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
            "session_id",
            "sessionid",
            "PHPSESSID",
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
            "oauth2_token",
            "refreshToken",
            "JWT",
            "AccountKey",
            "bindpw",
            "palavra_passe",
            "security_answer",
            "SAMLResponse",
            "TCKN",
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
            "bypass",
            "first_pass",
            "passenger",
            "passed",
            "discard",
            "cardinal",
            "order_number",
            "card",
            "obsession",
            "session",
            "monkey",
            "max_tokens",
            "token_count",
            "token_type",
            "session_timeout",
            "AuthenticationError",
            "password_field",
            "has_password",
            "auth_backend",
            "PublicKeyToken",
            "password_expires_in",
            "pinned",
            "spin",
            "a",
            "",
            "__",
            "ißn",
        ] {
            assert!(!is_secret(name), "{name}");
        }
    }
}
