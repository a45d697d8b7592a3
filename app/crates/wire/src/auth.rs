//! The key that a client shows, in each of the places where clients put it.

use std::borrow::Cow;
use url::form_urlencoded;

/// The header of the SDKs: key, client and version of the protocol.
pub const SENTRY_AUTH: &str = "x-sentry-auth";
/// The header of everybody else: `Bearer KEY`.
pub const AUTHORIZATION: &str = "authorization";
/// The parameter of an address that browsers' SDKs put the key into.
const SENTRY_KEY: &str = "sentry_key";
/// The parameter of an address that a printed traceback may have the key in, beside those above.
pub const KEY: &str = "key";

/// Longest key that is looked at, in characters: ours have 32 hexadecimal digits.
const MAX_KEY: usize = 64;

/// What a client shows: a key, and the project that it is for where that stands beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// The public key of a DSN, as sent.
    pub key: String,
    /// The project of a DSN: only where the key came out of one.
    pub project: Option<i64>,
}

impl Credentials {
    /// `None` for what can't be a key, so that nothing long or strange gets to a query or a log.
    fn new(key: &str, project: Option<i64>) -> Option<Self> {
        let key = key.trim();
        let plausible = !key.is_empty()
            && key.len() <= MAX_KEY
            && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
        plausible.then(|| Self { key: key.to_owned(), project })
    }
}

/// The first credentials found, in the order in which Sentry's clients use the places: query,
/// `X-Sentry-Auth`, `Authorization`, `dsn` of the envelope's header.
pub fn find(
    query: Option<&str>,
    sentry_auth: Option<&str>,
    authorization: Option<&str>,
    dsn: Option<&str>,
) -> Option<Credentials> {
    query
        .and_then(from_query)
        .or_else(|| sentry_auth.and_then(from_sentry_auth))
        .or_else(|| authorization.and_then(from_authorization))
        .or_else(|| dsn.and_then(from_dsn))
}

/// From a query string without its `?`: `sentry_version=7&sentry_key=KEY` (browsers and Node).
pub fn from_query(query: &str) -> Option<Credentials> {
    let key = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == SENTRY_KEY)?.1;
    Credentials::new(&key, None)
}

/// From `X-Sentry-Auth: Sentry sentry_key=KEY, sentry_version=7, …`: parts in any order (raven has
/// its own), with or without `Sentry`, parts quoted or not.
pub fn from_sentry_auth(header: &str) -> Option<Credentials> {
    let header = header.trim();
    let parts = strip_scheme(header, "Sentry").unwrap_or(header);
    let key = parts.split(',').find_map(|part| {
        let (name, value) = part.split_once('=')?;
        name.trim().eq_ignore_ascii_case(SENTRY_KEY).then(|| value.trim().trim_matches('"'))
    })?;
    Credentials::new(key, None)
}

/// From `Authorization: Bearer KEY` (curl, scripts) or `Authorization: Sentry sentry_key=KEY, …`.
pub fn from_authorization(header: &str) -> Option<Credentials> {
    let header = header.trim();
    match strip_scheme(header, "Bearer") {
        Some(key) => Credentials::new(key, None),
        None => from_sentry_auth(strip_scheme(header, "Sentry")?),
    }
}

/// From a DSN, `http(s)://KEY[:SECRET]@HOST[/PREFIX]/PROJECT` (the envelope's header, for clients
/// behind a `tunnel`).
pub fn from_dsn(dsn: &str) -> Option<Credentials> {
    let (scheme, rest) = dsn.trim().split_once("://")?;
    if !scheme.eq_ignore_ascii_case("http") && !scheme.eq_ignore_ascii_case("https") {
        return None;
    }
    let rest = rest.split(['?', '#']).next()?;
    let (user, place) = rest.split_once('@')?;
    let key = user.split(':').next()?;
    let project = place.trim_end_matches('/').rsplit_once('/')?.1.parse().ok()?;
    let mut decoded = form_urlencoded::parse(key.as_bytes());
    let key = decoded.next().map_or(Cow::Borrowed(key), |(name, _)| name);
    Credentials::new(&key, Some(project))
}

/// What follows the scheme's name and at least one space.
fn strip_scheme<'a>(header: &'a str, scheme: &str) -> Option<&'a str> {
    let (name, rest) = header.split_once([' ', '\t'])?;
    name.eq_ignore_ascii_case(scheme).then(|| rest.trim_start())
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "b9c0ffee00000000000000000000cafe";

    fn key(credentials: Option<Credentials>) -> Option<String> {
        credentials.map(|credentials| credentials.key)
    }

    #[test]
    fn finds_the_key_in_a_query() {
        let query = format!("sentry_version=7&sentry_key={KEY}&sentry_client=sentry.javascript.node%2F11.12.0");
        assert_eq!(key(from_query(&query)).unwrap(), KEY);
        assert_eq!(from_query("sentry_version=7"), None);
        assert_eq!(from_query("sentry_key="), None);
    }

    #[test]
    fn finds_the_key_in_headers_of_all_clients() {
        for header in [
            format!("Sentry sentry_key={KEY}, sentry_version=7, sentry_client=sentry.python/2.75.0"),
            format!(
                "Sentry sentry_timestamp=1795347112.17, sentry_client=raven-python/6.10.0, sentry_version=6, sentry_key={KEY}, sentry_secret=x"
            ),
            format!("sentry_version=7,sentry_key=\"{KEY}\""),
            format!("sentry  sentry_key = {KEY}"),
        ] {
            assert_eq!(key(from_sentry_auth(&header)).as_deref(), Some(KEY), "{header}");
        }
        assert_eq!(key(from_authorization(&format!("Bearer {KEY}"))).unwrap(), KEY);
        assert_eq!(key(from_authorization(&format!("bearer   {KEY}  "))).unwrap(), KEY);
        assert_eq!(key(from_authorization(&format!("Sentry sentry_key={KEY}"))).unwrap(), KEY);
        for none in ["", "Bearer", "Bearer ", "Basic Zm9vOmJhcg==", "Bearer a b", &"a".repeat(100)] {
            assert_eq!(from_authorization(none), None, "{none}");
        }
    }

    #[test]
    fn reads_dsns() {
        let credentials = |project| Some(Credentials { key: KEY.to_owned(), project: Some(project) });
        assert_eq!(from_dsn(&format!("http://{KEY}@127.0.0.1:9900/42")), credentials(42));
        assert_eq!(from_dsn(&format!("https://{KEY}:secret@errors.example.com/errors/v2/7/")), credentials(7));
        for none in
            ["", "http://", "ftp://k@h/1", "http://host/1", "http://key@host/name", "http://key@host", "http://@host/1"]
        {
            assert_eq!(from_dsn(none), None, "{none}");
        }
    }

    #[test]
    fn the_query_comes_first_and_the_dsn_last() {
        let found = find(Some("a=b"), None, None, Some("http://fromdsn@h/3")).unwrap();
        assert_eq!((found.key.as_str(), found.project), ("fromdsn", Some(3)));
        let found =
            find(Some("sentry_key=fromquery"), Some("Sentry sentry_key=header"), None, Some("http://d@h/3")).unwrap();
        assert_eq!(found.key, "fromquery");
        assert_eq!(find(None, None, None, None), None);
    }
}
