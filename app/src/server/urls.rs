//! Addresses of our pages, as our pages link to each other.

use axum::http::Uri;
use domain::links::{LinkedLine, Linker, query};
use std::sync::Arc;
use store::lines::Line;
use store::repositories::RepositoryRow;

/// Bytes of a link in a list of lines that names path, function and code, three thousand bytes each
/// in an address: usual ones have some 200.
const LONGEST_LINK: usize = 400;

/// Addresses without scheme and host: who reads a page by another name of this server stays there,
/// where the cookie is.
#[derive(Clone, Debug)]
pub(super) struct Urls(Arc<Base>);

#[derive(Debug)]
struct Base {
    /// Path below which everything is: empty, or `/errors`.
    root: String,
    linker: Linker,
}

impl Urls {
    /// Of a server at this public address.
    pub(super) fn new(public_url: &str, linker: Linker) -> Self {
        let path = url::Url::parse(public_url).map(|url| url.path().trim_end_matches('/').to_owned());
        Self(Arc::new(Base { root: path.unwrap_or_default(), linker }))
    }

    /// Path below which everything is: empty, or `/errors`.
    pub(super) fn root(&self) -> &str {
        &self.0.root
    }

    /// Makes what others follow: links in mails, DSNs, signed links.
    pub(super) fn linker(&self) -> &Linker {
        &self.0.linker
    }

    /// One of our pages: `/doctor` becomes `/errors/doctor`.
    pub(super) fn page(&self, path: &str) -> String {
        format!("{}{path}", self.0.root)
    }

    /// One of our pages, as others reach it: with scheme and host.
    pub(super) fn public(&self, path: &str) -> String {
        format!("{}{path}", self.0.linker.base())
    }

    /// An address that the linker made, without scheme and host.
    pub(super) fn here(&self, address: &str) -> String {
        match address.strip_prefix(self.0.linker.base()) {
            Some(path) => self.page(path),
            None => address.to_owned(),
        }
    }

    /// The page of a repository.
    pub(super) fn repository(&self, row: &RepositoryRow) -> String {
        self.page(&format!("/{}", row.repository.full_name))
    }

    /// The page that connects an application to a repository.
    pub(super) fn connect(&self, row: &RepositoryRow) -> String {
        self.page(&format!("/{}/connect", row.repository.full_name))
    }

    /// Where the form goes that has the issues of a storm's lines filed.
    pub(super) fn storm(&self, row: &RepositoryRow) -> String {
        self.page(&format!("/{}/storm", row.repository.full_name))
    }

    /// The page of a repository's shadow mode.
    pub(super) fn shadow(&self, row: &RepositoryRow) -> String {
        self.page(&format!("/{}/shadow", row.repository.full_name))
    }

    /// The whitelist of a repository.
    pub(super) fn whitelist(&self, row: &RepositoryRow) -> String {
        self.page(&format!("/{}/whitelist", row.repository.full_name))
    }

    /// The handovers of a repository.
    pub(super) fn handovers(&self, row: &RepositoryRow) -> String {
        self.page(&format!("/{}/handovers", row.repository.full_name))
    }

    /// The page of a line's latest traceback, for somebody who is signed in. It names the place, as
    /// links in mails do, or the number of the line where that gets long.
    pub(super) fn traceback(&self, row: &RepositoryRow, line: &Line) -> String {
        let address = self.here(&self.0.linker.traceback(linked(row, line), line.last_seen_at, None));
        if address.len() <= LONGEST_LINK {
            return address;
        }
        let fields = [
            ("repo", row.repository.full_name.to_string()),
            ("line_id", line.id.to_string()),
            ("timestamp", line.last_seen_at.as_seconds().to_string()),
        ];
        self.page(&format!("/view_traceback?{}", query(&fields)))
    }

    /// The sign-in page that leads back.
    pub(super) fn sign_in(&self, next: &str) -> String {
        self.page(&format!("/login?{}", query(&[("next", next.to_owned())])))
    }

    /// Where to come back to after signing in: the address itself. A form below a repository's page
    /// has none that could be looked at, so it is the page: `/{owner}/{repo}/connect/test` leads
    /// back to `/{owner}/{repo}/connect`.
    pub(super) fn way_back(&self, uri: &Uri) -> String {
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let below = uri.path().strip_prefix(self.root()).unwrap_or(uri.path());
        match below.split('/').collect::<Vec<_>>()[..] {
            ["", owner, repo, "connect", _] => self.page(&format!("/{owner}/{repo}/connect")),
            _ => path.to_owned(),
        }
    }
}

/// A line as links name it.
pub(super) fn linked<'a>(row: &'a RepositoryRow, line: &'a Line) -> LinkedLine<'a> {
    LinkedLine { repository: &row.repository, id: line.id, place: &line.place }
}

/// A path of ours; anything that could lead elsewhere, or be no header, is empty.
pub(super) fn local(next: &str) -> &str {
    let is_plain = |c: char| c.is_ascii_graphic() && c != '\\';
    if next.starts_with('/') && !next.starts_with("//") && next.chars().all(is_plain) { next } else { "" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signing_in_leads_nowhere_else() {
        for bad in [
            "https://evil.example/",
            "//evil.example",
            "/\\evil.example",
            "/\t/evil.example",
            "javascript:x",
            "",
            "/a\r\nSet-Cookie: x",
            "/ä",
        ] {
            assert_eq!(local(bad), "", "{bad}");
        }
        assert_eq!(local("/acme/shop?x=1"), "/acme/shop?x=1");
    }

    #[test]
    fn a_form_leads_back_to_its_page() {
        let linker = Linker::new("https://x.example/errors", domain::signature::Signer::new(b"secret"));
        let urls = Urls::new("https://x.example/errors", linker);
        let back = |path: &'static str| urls.way_back(&Uri::from_static(path));
        assert_eq!(back("/errors/acme/shop/connect/test"), "/errors/acme/shop/connect");
        for itself in ["/errors/acme/shop/connect?watch=1", "/errors/acme/shop/shadow/1", "/errors/not_me?repo=a/b"] {
            assert_eq!(back(itself), itself);
        }
    }
}
