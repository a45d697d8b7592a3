//! Addresses of GitHub's API: paths made of untrusted pieces, and absolute ones of GitHub's made
//! relative to ours.

use super::error::{GitHubError, redact};
use domain::names::RepositoryName;
use url::Url;

/// The API's address, as configured.
#[derive(Clone, Debug)]
pub(super) struct Base {
    url: Url,
}

impl Base {
    /// Checks an address such as `https://api.github.com` or `https://github.example.com/api/v3`.
    pub(super) fn new(address: &str) -> Result<Self, GitHubError> {
        let wrong = |why: String| GitHubError::Settings(format!("the API address (GITHUB_API_URL): {why}"));
        let url = Url::parse(address.trim()).map_err(|error| wrong(error.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
            return Err(wrong("it has to start with https:// and a host".to_owned()));
        }
        if url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() || url.password().is_some() {
            return Err(wrong("it must have no query, fragment, name or password".to_owned()));
        }
        Ok(Self { url })
    }

    /// The address without a trailing slash.
    pub(super) fn as_str(&self) -> &str {
        self.url.as_str().trim_end_matches('/')
    }

    /// Path and query of an address that GitHub gave (`Location`, `Link`), as our client takes it.
    /// An address of another host is refused: it would get our token.
    pub(super) fn relative(&self, address: &str) -> Result<String, GitHubError> {
        let url = self.url.join(address).map_err(|error| GitHubError::Unexpected(error.to_string()))?;
        if url.origin() != self.url.origin() {
            return Err(GitHubError::Unexpected(redact(&format!(
                "it points to {}, but the API's address is {}; is GITHUB_API_URL right?",
                url.origin().ascii_serialization(),
                self.as_str()
            ))));
        }
        let path = url.path().strip_prefix(self.url.path().trim_end_matches('/')).unwrap_or(url.path());
        Ok(url.query().map_or_else(|| path.to_owned(), |query| format!("{path}?{query}")))
    }

    /// The next page named by a `Link` header (RFC 8288: `<URL>; rel="next", …`).
    pub(super) fn next_page(&self, link: &str) -> Result<Option<String>, GitHubError> {
        for part in link.split(',') {
            let mut fields = part.split(';').map(str::trim);
            let target =
                fields.next().and_then(|field| field.strip_prefix('<')).and_then(|field| field.strip_suffix('>'));
            if let Some(target) = target
                && fields.any(|field| field == "rel=\"next\"" || field == "rel=next")
            {
                return self.relative(target).map(Some);
            }
        }
        Ok(None)
    }
}

/// `/repos/OWNER/NAME` and the rest, for `owner/name`.
pub(super) fn repository(full_name: &RepositoryName, rest: &str) -> Result<String, GitHubError> {
    let wrong = || GitHubError::Argument(format!("`{}` is not owner/name", redact(full_name.as_str())));
    let (owner, name) = full_name.as_str().split_once('/').ok_or_else(wrong)?;
    // `.` and `..` would be resolved away on the way and ask for something else.
    if [owner, name].iter().any(|piece| matches!(*piece, "" | "." | "..") || piece.contains('/')) {
        return Err(wrong());
    }
    Ok(format!("/repos/{}/{}{rest}", encode(owner), encode(name)))
}

/// One piece of a path or query, percent-encoded: all but RFC 3986's unreserved characters.
pub(super) fn encode(piece: &str) -> String {
    let mut out = String::with_capacity(piece.len());
    for byte in piece.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_cannot_leave_their_place() {
        let path =
            repository(&"acme/a b?#".into(), &format!("/labels/{}", encode("known-error: a/b"))).unwrap_or_default();
        assert_eq!(path, "/repos/acme/a%20b%3F%23/labels/known-error%3A%20a%2Fb");
        for bad in ["acme", "/shop", "acme/", "acme/..", "../shop", "a/b/c", ""] {
            assert!(repository(&bad.into(), "").is_err(), "{bad}");
        }
    }

    #[test]
    fn pages_are_followed_on_our_host_only() {
        let base = Base::new("https://github.example.com/api/v3/").expect("valid");
        let link = r#"<https://github.example.com/api/v3/repositories/1/issues?page=1>; rel="prev", <https://github.example.com/api/v3/repositories/1/issues?after=Y3%3D&page=3>; rel="next""#;
        assert_eq!(base.next_page(link), Ok(Some("/repositories/1/issues?after=Y3%3D&page=3".to_owned())));
        assert_eq!(base.next_page(r#"<https://github.example.com/x>; rel="last""#), Ok(None));
        let elsewhere = base.next_page(r#"<https://evil.example/x>; rel="next""#).expect_err("refused").to_string();
        assert!(elsewhere.contains("https://evil.example"), "{elsewhere}");
        assert_eq!(base.relative("/repositories/1"), Ok("/repositories/1".to_owned()));
    }

    #[test]
    fn a_wrong_address_is_explained() {
        for bad in ["api.github.com", "localhost:3000", "ftp://x", "https://u:p@x", "https://x?y", ""] {
            let said = Base::new(bad).expect_err("refused").to_string();
            assert!(said.contains("GITHUB_API_URL"), "{said}");
        }
        assert_eq!(Base::new(" https://api.github.com ").expect("valid").as_str(), "https://api.github.com");
    }
}
