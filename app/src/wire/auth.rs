//! Whose report it is: key and project, wherever a client puts them.

use std::borrow::Cow;

/// Digits of a key. SDKs refuse a DSN whose key is anything but hexadecimal digits; ours have 32 of them.
const KEY_DIGITS: usize = 32;

/// Key and project of a DSN, `http(s)://KEY[:SECRET]@HOST[/PREFIX]/PROJECT`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dsn<'a> {
    /// The public key.
    pub key: &'a str,
    /// The project's number.
    pub project: i64,
}

/// The request's key, looked for where SDKs put it, in the order in which Sentry looks: the query's `sentry_key`, then
/// `X-Sentry-Auth`, then `Authorization`, then the DSN in the envelope's header (sent through a tunnel). A place
/// whose key has not the form of a key is passed over.
pub fn key<'a>(
    query: Option<&'a str>,
    x_sentry_auth: Option<&'a str>,
    authorization: Option<&'a str>,
    dsn: Option<&'a str>,
) -> Option<Cow<'a, str>> {
    let in_query = query.and_then(key_in_query).filter(|key| is_key(key));
    in_query.or_else(|| {
        let in_header = x_sentry_auth.and_then(key_in_sentry_auth).filter(|key| is_key(key));
        let in_header = in_header.or_else(|| authorization.and_then(key_in_authorization).filter(|key| is_key(key)));
        in_header.or_else(|| dsn.and_then(parse_dsn).map(|dsn| dsn.key)).map(Cow::Borrowed)
    })
}

/// Whether a key has the form of a key: 32 hexadecimal digits.
pub fn is_key(key: &str) -> bool {
    key.len() == KEY_DIGITS && key.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The `sentry_key` of a query string, `sentry_version=7&sentry_key=…`.
pub fn key_in_query(query: &str) -> Option<Cow<'_, str>> {
    url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "sentry_key").map(|(_, key)| key)
}

/// The `sentry_key` of `X-Sentry-Auth: Sentry sentry_version=7, sentry_key=…`, whatever the order of its parts.
pub fn key_in_sentry_auth(header: &str) -> Option<&str> {
    let parts = strip_scheme(header, "sentry").unwrap_or(header);
    parts.split(',').find_map(|part| {
        let (name, value) = part.split_once('=')?;
        (name.trim() == "sentry_key").then(|| value.trim().trim_matches('"'))
    })
}

/// The key of `Authorization: Sentry sentry_key=…` or `Authorization: Bearer KEY`.
pub fn key_in_authorization(header: &str) -> Option<&str> {
    strip_scheme(header, "bearer").or_else(|| strip_scheme(header, "sentry").and_then(key_in_sentry_auth))
}

/// Key and project of a DSN; `None` where either is missing or has not the form that SDKs insist on.
pub fn parse_dsn(dsn: &str) -> Option<Dsn<'_>> {
    let (_, rest) = dsn.trim().split_once("://")?;
    let (user, rest) = rest.split_once('@')?;
    let key = user.split_once(':').map_or(user, |(key, _secret)| key);
    let path = rest.split(['?', '#']).next()?.trim_end_matches('/');
    let (_, project) = path.rsplit_once('/')?;
    Some(Dsn { key, project: project_number(project)? }).filter(|dsn| is_key(dsn.key))
}

/// The project of `[PREFIX]/api/PROJECT/envelope/`.
pub fn project_in_path(path: &str) -> Option<i64> {
    let path = path.split('?').next()?.trim_end_matches('/');
    let (before, _endpoint) = path.rsplit_once('/')?;
    let (before, project) = before.rsplit_once('/')?;
    if before.rsplit('/').next() == Some("api") { project_number(project) } else { None }
}

/// Digits only: `parse` would take a sign as well.
fn project_number(text: &str) -> Option<i64> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None }
}

/// What follows `scheme` and white space, scheme in any case (RFC 9110, 11.1).
fn strip_scheme<'a>(header: &'a str, scheme: &str) -> Option<&'a str> {
    let header = header.trim();
    let (found, rest) = header.split_once(char::is_whitespace)?;
    found.eq_ignore_ascii_case(scheme).then(|| rest.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "b9c0ffee00000000000000000000cafe";
    const OTHER: &str = "a0c0ffee00000000000000000000cafe";

    #[test]
    fn each_place_in_its_turn() {
        let query = format!("sentry_version=7&sentry_key={KEY}&sentry_client=x%2F1");
        let header = format!("Sentry sentry_key={OTHER}, sentry_version=7");
        let raven = format!(
            "Sentry sentry_timestamp=1.5, sentry_client=raven-python/6.10.0, sentry_version=6, sentry_key={KEY}, sentry_secret=s"
        );
        let dsn = format!("https://{KEY}:secret@errors.example.com/errors/v2/42");
        assert_eq!(key(Some(&query), Some(&header), None, None).as_deref(), Some(KEY));
        assert_eq!(key(Some("sentry_version=7"), Some(&header), None, Some(&dsn)).as_deref(), Some(OTHER));
        assert_eq!(key(None, Some(&raven), None, None).as_deref(), Some(KEY));
        assert_eq!(key(None, None, Some(&header), Some(&dsn)).as_deref(), Some(OTHER));
        assert_eq!(key(None, None, Some(&format!("bearer  {KEY} ")), None).as_deref(), Some(KEY));
        assert_eq!(key(None, None, Some("Basic Zm9vOmJhcg=="), Some(&dsn)).as_deref(), Some(KEY));
        assert_eq!(key(Some("sentry_key=nonsense"), None, None, Some(&dsn)).as_deref(), Some(KEY));
        assert_eq!(key(Some(""), Some(""), Some(""), Some("")), None);
        assert_eq!(key_in_sentry_auth(&format!("sentry_key={KEY}")), Some(KEY));
        assert_eq!(key_in_query(&format!("sentry_key={}", KEY.replace('b', "%62"))).as_deref(), Some(KEY));
    }

    #[test]
    fn projects_of_dsns_and_paths() {
        assert_eq!(
            parse_dsn(&format!("http://{KEY}@127.0.0.1:9900/errors/v2/42/")),
            Some(Dsn { key: KEY, project: 42 })
        );
        for dsn in [
            "",
            "http://x@h/1",
            "http://h/1",
            &format!("http://{KEY}@h/shop"),
            &format!("http://{KEY}@h/-1"),
            &format!("{KEY}@h/1"),
        ] {
            assert_eq!(parse_dsn(dsn), None, "{dsn}");
        }
        assert_eq!(project_in_path("/api/42/envelope/"), Some(42));
        assert_eq!(project_in_path("/errors/v2/api/42/store/?sentry_key=1"), Some(42));
        for path in ["/tunnel", "/api//envelope/", "/api/x/envelope/", "/api/99999999999999999999/store/", ""] {
            assert_eq!(project_in_path(path), None, "{path}");
        }
    }
}
