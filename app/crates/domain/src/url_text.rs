//! URLs as people may read them: what lets somebody in is struck out.

/// What stands in the place of a secret.
const HIDDEN: &str = "…";

/// Parameters that say how or where to connect, and are no secrets.
const PLAIN_PARAMETERS: [&str; 5] = ["mode", "sslmode", "tls", "host", "port"];

/// A URL without its account, the values of its query and its fragment, for messages and pages. It
/// need not be a sound one: what is wrong with it is said by those who show it.
pub fn without_secrets(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return without_bare_account(url) };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    // A password may have these characters as they are: then what stands before them has a colon
    // and no port.
    let is_cut = || authority.rsplit_once(':').is_some_and(|(_, port)| port.bytes().any(|it| !it.is_ascii_digit()));
    let at = authority.rfind('@').or_else(|| rest.rfind('@').filter(|_| is_cut()));
    let (account, rest) = at.map_or(("", rest), |at| (&rest[..at], &rest[at + 1..]));
    let account = match account {
        "" => String::new(),
        // Without a key it lets nobody in.
        user if scheme.ends_with("ssh") && !user.contains(':') => format!("{user}@"),
        _ => format!("{HIDDEN}@"),
    };
    let (rest, fragment) = rest.split_once('#').map_or((rest, ""), |(rest, _)| (rest, "#…"));
    match rest.split_once('?') {
        Some((path, query)) => format!("{scheme}://{account}{path}?{}{fragment}", without_values(query)),
        None => format!("{scheme}://{account}{rest}{fragment}"),
    }
}

/// A sentence in which URLs may stand.
pub fn without_secrets_within(text: &str) -> String {
    let parts = text.split_inclusive(char::is_whitespace).map(|part| {
        let word = part.trim_end();
        if word.contains("://") { without_secrets(word) + &part[word.len()..] } else { part.to_owned() }
    });
    parts.collect()
}

/// What has no scheme is a path, or how ssh writes addresses (`git@host:path`), unless it has a
/// password before its host.
fn without_bare_account(text: &str) -> String {
    match text.rfind('@') {
        Some(at) if text[..at].contains(':') && !text.starts_with("sqlite:") => format!("{HIDDEN}{}", &text[at..]),
        _ => text.to_owned(),
    }
}

fn without_values(query: &str) -> String {
    let is_plain = |name: &str, value: &str| {
        PLAIN_PARAMETERS.contains(&name) && value.chars().all(|c| c.is_ascii_alphanumeric() || "-_./".contains(c))
    };
    let parts = query.split('&').map(|part| match part.split_once('=') {
        Some((name, value)) if value.is_empty() || is_plain(name, value) => part.to_owned(),
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
            ("postgres://ada:se/cr?et#secret@db:port/x", "postgres://…@db:port/x"),
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
            "file:///srv/a.git",
            "",
        ] {
            assert_eq!(without_secrets(url), url);
        }
    }

    #[test]
    fn sentences_are_gone_through() {
        let said = "error for url (https://h/a.git?token=secret/info/refs): https://u:secret@h\n it is odd";
        let shown = "error for url (https://h/a.git?token=… https://…@h\n it is odd";
        assert_eq!(without_secrets_within(said), shown);
    }
}
