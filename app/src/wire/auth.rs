//! Whose report it is: key and project, wherever a client puts them.

use std::borrow::Cow;

/// A key as sent, not checked yet.
pub type Key<'a> = Cow<'a, str>;

/// The key of a query string: `sentry_key=…`, which Node and browsers send.
pub fn of_query(query: &str) -> Option<Key<'_>> {
    query.split('&').find_map(|pair| {
        let value = pair.strip_prefix("sentry_key=")?;
        (!value.is_empty()).then_some(Cow::Borrowed(value))
    })
}

/// The key of an `X-Sentry-Auth` (or `Authorization`) header: `Sentry sentry_version=7, sentry_key=…`, in any order.
pub fn of_sentry_header(header: &str) -> Option<Key<'_>> {
    let fields = header.trim();
    let fields = fields.strip_prefix("Sentry ").or_else(|| fields.strip_prefix("sentry ")).unwrap_or(fields);
    fields.split(',').find_map(|field| {
        let value = field.trim().strip_prefix("sentry_key=")?.trim();
        (!value.is_empty()).then_some(Cow::Borrowed(value))
    })
}

/// The key of an `Authorization` header: `Bearer KEY`, or what Sentry clients write.
pub fn of_authorization(header: &str) -> Option<Key<'_>> {
    let header = header.trim();
    match header.split_once(' ') {
        Some((scheme, key)) if scheme.eq_ignore_ascii_case("bearer") && !key.trim().is_empty() => {
            Some(Cow::Borrowed(key.trim()))
        }
        _ => of_sentry_header(header),
    }
}

/// Key and project of a DSN, `http(s)://KEY[:SECRET]@HOST[/PREFIX]/PROJECT`.
pub fn of_dsn(dsn: &str) -> Option<(Key<'_>, i64)> {
    let (_, rest) = dsn.split_once("://")?;
    let (user, place) = rest.split_once('@')?;
    let key = user.split_once(':').map_or(user, |(key, _secret)| key);
    let path = place.split(['?', '#']).next()?.trim_end_matches('/');
    let (_, project) = path.rsplit_once('/')?;
    let project = project.parse().ok()?;
    (!key.is_empty()).then_some((Cow::Borrowed(key), project))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_found_where_clients_put_them() {
        let raven = "Sentry sentry_timestamp=1, sentry_client=raven-python/6.10.0, sentry_version=6, sentry_key=abc, sentry_secret=x";
        assert_eq!(of_sentry_header(raven).as_deref(), Some("abc"));
        assert_eq!(of_sentry_header("Sentry sentry_version=7").as_deref(), None);
        assert_eq!(of_query("sentry_version=7&sentry_key=abc&sentry_client=x").as_deref(), Some("abc"));
        assert_eq!(of_query("not_sentry_key=abc").as_deref(), None);
        assert_eq!(of_authorization("Bearer  abc ").as_deref(), Some("abc"));
        assert_eq!(of_authorization("Sentry sentry_key=abc").as_deref(), Some("abc"));
        assert_eq!(of_authorization("Basic abc").as_deref(), None);
        assert_eq!(of_dsn("https://abc:secret@x.example/errors/v2/42"), Some((Cow::Borrowed("abc"), 42)));
        for bad in ["", "https://x.example/42", "https://@x.example/42", "https://abc@x.example/shop", "https://abc@42"]
        {
            assert_eq!(of_dsn(bad), None, "{bad}");
        }
    }
}
