//! URLs as people may read them: what lets somebody in is struck out.

/// What stands in the place of a secret.
const HIDDEN: &str = "…";

/// Parameters that say how to connect, and all that they may say.
const CHOICES: [(&str, &[&str]); 3] = [
    ("mode", &["ro", "rw", "rwc", "memory"]),
    ("sslmode", &["disable", "allow", "prefer", "require", "verify-ca", "verify-full"]),
    ("tls", &["required", "opportunistic"]),
];

/// Parameters that say where to connect.
const PLACES: [&str; 3] = ["host", "port", "dbname"];

/// The longest scheme that is shown: `postgresql` is the longest of ours. What is longer, or has
/// other signs than letters and `+`, may be anything, a password as well.
const LONGEST_SCHEME: usize = 12;

/// Schemes whose paths may have an `@`. In those of all others it ends an account.
const SCHEMES_WITH_PATHS: [&str; 7] = ["http", "https", "ssh", "git", "ftp", "file", "sqlite"];

/// A URL without its account, the values of its query and its fragment, for messages and pages. It
/// need not be a sound one: what is wrong with it is said by those who show it, and of what can be
/// read in two ways less is shown. It may be `name=value` pairs as well, as databases take them.
pub fn without_secrets(url: &str) -> String {
    match url.split_once("://") {
        // The key that was meant for another setting.
        _ if url.contains(['\n', '\r']) => HIDDEN.to_owned(),
        Some((scheme, rest)) if is_scheme(scheme) => format!("{scheme}://{}", without_account(scheme, rest)),
        Some((before, _)) if is_pair(before) => without_pairs(url),
        Some(_) => HIDDEN.to_owned(),
        None if is_pair(url) => without_pairs(url),
        None => without_bare_account(url),
    }
}

/// A sentence in which URLs may stand.
pub fn without_secrets_within(text: &str) -> String {
    let parts = text.split_inclusive(char::is_whitespace).map(|part| {
        let word = part.trim_end();
        let Some(end) = word.find("://") else { return part.to_owned() };
        let scheme = word[..end].char_indices().rev().take_while(|(_, c)| is_in_scheme(*c)).last();
        let begin = scheme.map_or(end, |(at, _)| at);
        let stop = if word[..begin].ends_with('(') { end_in_brackets(word) } else { word.len() };
        format!("{}{}{}", &word[..begin], without_secrets(&word[begin..stop]), &part[stop..])
    });
    parts.collect()
}

/// Where a URL in brackets ends: `(https://h/a?b=c):`.
fn end_in_brackets(word: &str) -> usize {
    let inner = word.trim_end_matches([':', '.', ',', ';']);
    inner.strip_suffix(')').map_or(word.len(), str::len)
}

/// Whether the value of a parameter says how or where to connect, and is no secret.
pub fn is_plain_parameter(name: &str, value: &str) -> bool {
    let is_place = || value.chars().all(|c| c.is_ascii_alphanumeric() || "-_./".contains(c));
    CHOICES.iter().any(|(choice, values)| *choice == name && values.contains(&value))
        || PLACES.contains(&name) && is_place()
}

fn is_in_scheme(c: char) -> bool {
    c.is_ascii_alphabetic() || c == '+'
}

fn is_scheme(text: &str) -> bool {
    (1..=LONGEST_SCHEME).contains(&text.len()) && text.chars().all(is_in_scheme)
}

/// What follows the scheme.
fn without_account(scheme: &str, rest: &str) -> String {
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let (host, last) = (authority.rsplit('@').next().unwrap_or_default(), rest.rfind('@'));
    let has_paths = SCHEMES_WITH_PATHS.contains(&scheme.rsplit('+').next().unwrap_or_default());
    // A password may have these characters as they are: then what stands before them has a colon
    // and no port.
    let is_host = match host.rsplit_once(':') {
        Some((_, port)) => port.is_empty() || host.ends_with(']') || port.parse::<u16>().is_ok(),
        None => true,
    };
    let is_in_parameters = last.is_some_and(|at| rest[..at].contains(['?', '#']));
    // A part of a password stands where a query does, or an address is the value of a parameter.
    if is_in_parameters && authority.contains(':') || last.is_none() && !is_host {
        return HIDDEN.to_owned();
    }
    let ends_early = is_in_parameters || has_paths && (is_host || authority.contains('@'));
    let at = if ends_early { authority.rfind('@') } else { last };
    let (account, rest) = at.map_or(("", rest), |at| (&rest[..at], &rest[at + 1..]));
    let account = match account {
        "" => String::new(),
        // Without a key it lets nobody in.
        user if scheme.ends_with("ssh") && !user.contains(':') => format!("{user}@"),
        _ => format!("{HIDDEN}@"),
    };
    account + &without_parameters(rest)
}

/// What follows the account.
fn without_parameters(text: &str) -> String {
    let (text, fragment) = text.split_once('#').map_or((text, ""), |(text, _)| (text, "#…"));
    match text.split_once('?') {
        Some((path, query)) => format!("{path}?{}{fragment}", without_values(query)),
        None => format!("{text}{fragment}"),
    }
}

/// What has no scheme is a path, or how ssh writes addresses (`git@host:path`), unless it has a
/// password before its host.
fn without_bare_account(text: &str) -> String {
    match text.rfind('@') {
        _ if text.starts_with(['/', '.']) => text.to_owned(),
        _ if text.starts_with("sqlite:") => without_parameters(text),
        Some(at) if text[..at].contains(':') => format!("{HIDDEN}{}", &text[at..]),
        _ => text.to_owned(),
    }
}

/// Whether a text begins with `name=`.
fn is_pair(text: &str) -> bool {
    text.split_once('=').is_some_and(|(name, _)| is_name(name))
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'_')
}

/// `host=db password=…`. A value in quotes may have spaces: what follows one is hidden, too.
fn without_pairs(text: &str) -> String {
    let words = text.split(|c: char| c.is_whitespace() || c == ';').filter(|word| !word.is_empty());
    let shown = words.map(|word| match word.split_once('=') {
        Some((name, value)) if is_plain_parameter(name, value) => word.to_owned(),
        Some((name, _)) if is_name(name) => format!("{name}={HIDDEN}"),
        _ => HIDDEN.to_owned(),
    });
    shown.collect::<Vec<_>>().join(" ")
}

fn without_values(query: &str) -> String {
    let parts = query.split('&').map(|part| match part.split_once('=') {
        Some((name, value)) if value.is_empty() || is_plain_parameter(name, value) => part.to_owned(),
        Some((name, _)) => format!("{name}={HIDDEN}"),
        None if part.is_empty() => String::new(),
        None => HIDDEN.to_owned(),
    });
    parts.collect::<Vec<_>>().join("&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lets_somebody_in_is_struck_out() {
        for (url, shown) in [
            ("https://ada:secret@git.example.com/a/b.git", "https://…@git.example.com/a/b.git"),
            ("https://secret@git.example.com/a.git", "https://…@git.example.com/a.git"),
            ("https://h/a.git?token=secret", "https://h/a.git?token=…"),
            ("https://h/a.git?a=&secret&b=secret;c=1#secret", "https://h/a.git?a=&…&b=…#…"),
            ("https://h:8443/a@b.git#secret", "https://h:8443/a@b.git#…"),
            ("https://[::1]:80/a", "https://[::1]:80/a"),
            ("postgres://ada:secret@db/flawless", "postgres://…@db/flawless"),
            ("postgres://ada:se/cr?et#secret@db:port/x", "postgres://…"),
            ("postgres://ada:sec@ret/b@db/x", "postgres://…@db/x"),
            ("postgres://ada:12/secret@db/x", "postgres://…@db/x"),
            ("postgres://ada:12#secret@db/x", "postgres://…"),
            ("postgres://ada:secret#b@db/x", "postgres://…"),
            ("postgres://db/x?password=secr@et", "postgres://db/x?password=…"),
            ("postgres://ada:secret@db/x?password=secr@et", "postgres://…"),
            ("https://ada:secret", "https://…"),
            ("https://ada:1234567890", "https://…"),
            ("https://ada:12#secret@h", "https://…"),
            ("https://ada:se/cret@h/a.git", "https://…@h/a.git"),
            ("git+ssh://git:secret@h/a.git", "git+ssh://…@h/a.git"),
            ("ghp_secret://h", "…"),
            ("host=db password=secret", "host=db password=…"),
            ("host=db password='sec ret' port=5432", "host=db password=… … port=5432"),
            ("Server=db;Password=secret;tls=a;secret", "Server=… Password=… tls=… …"),
            ("url=postgres://ada:secret@db", "url=…"),
            ("sqlite:a.db?key=secret", "sqlite:a.db?key=…"),
            ("-----BEGIN PRIVATE KEY-----\nsecret", "…"),
            ("postgres:///x?host=/run/postgres&password=secret", "postgres:///x?host=/run/postgres&password=…"),
            ("ada:secret@db/flawless", "…@db/flawless"),
            ("smtp://ada:secret@mail:587?tls=required", "smtp://…@mail:587?tls=required"),
            ("smtp://mail?tls=a;secret", "smtp://mail?tls=…"),
        ] {
            assert_eq!(without_secrets(url), shown);
        }
    }

    #[test]
    fn the_rest_stays_as_it_is() {
        for url in [
            "git@example.com:a/b.git",
            "ssh://git@example.com:22/a.git",
            "/srv/c#/shop",
            "sqlite://data/flawless.db?mode=rwc",
            "sqlite:a@b:c.db?mode=rwc",
            "postgres://db:5432/x",
            "https://h:/a",
            "127.0.0.1:80",
            "flawless.example",
            "file:///srv/a.git",
            "",
        ] {
            assert_eq!(without_secrets(url), url);
        }
    }

    #[test]
    fn sentences_are_gone_through() {
        let said =
            "error for url (https://h/a.git?token=secret/info/refs): https://u:secret@h\n it is 'https://u:secret'";
        let shown = "error for url (https://h/a.git?token=…): https://…@h\n it is 'https://…";
        assert_eq!(without_secrets_within(said), shown);
        let said = "(https://127.0.0.1:1/x/y.git/info/refs?service=git-upload-pack): client error (http://u:a)b@h)";
        let shown = "(https://127.0.0.1:1/x/y.git/info/refs?service=…): client error (http://…@h)";
        assert_eq!(without_secrets_within(said), shown);
    }
}
