//! Where a repository is cloned from, and the credentials that may go there and nowhere else.

use super::checkout::checkout_around;
use super::error::MirrorError;
use super::storage::Storage;
use base64::Engine as _;
use domain::ids::RepositoryId;
use domain::url_text::without_secrets;
use std::fmt;

/// The user name that GitHub wants beside an installation token.
/// <https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/authenticating-as-a-github-app-installation>
const TOKEN_USER: &str = "x-access-token";

/// A repository to be mirrored.
#[derive(Clone)]
pub struct Source {
    /// Our number of it: the mirror's directory is named by it, so a renamed repository keeps its
    /// mirror.
    pub id: RepositoryId,
    /// `https`, `http`, `ssh`, `git` or `file` URL, `user@host:path`, or a path on this machine.
    /// Credentials in an http(s) URL are used, and never written to disk.
    pub url: String,
    /// Installation token, sent as Basic authentication to the URL's host only; `None` where the
    /// URL needs none.
    pub token: Option<String>,
}

impl Source {
    /// Sees that this can be cloned, as far as it can be told without asking another machine.
    ///
    /// # Errors
    /// It is no URL of git's, or a path where there is no repository.
    pub fn check(&self) -> Result<(), MirrorError> {
        Address::parse(self).map(|_| ())
    }

    /// Why a repository on this machine can't be mirrored as it is; `None`: nothing shows that, or
    /// it is elsewhere.
    pub fn shortfall(&self) -> Option<MirrorError> {
        let Ok(address) = Address::parse(self) else { return None };
        if address.url.scheme != gix::url::Scheme::File {
            return None;
        }
        let path = gix::path::from_bstr(gix::bstr::BStr::new(&address.url.path)).ok()?;
        let url = address.shown;
        match Storage::of(&checkout_around(&path)?.git_directory) {
            Storage { is_shallow: true, .. } => Some(MirrorError::Shallow { url }),
            Storage { is_sha256: true, .. } => Some(MirrorError::Sha256 { url }),
            Storage { is_partial: true, .. } => Some(MirrorError::Partial { url }),
            // Git itself reads the others, and gives away what is there.
            _ => None,
        }
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let token = if self.token.is_some() { "(secret)" } else { "(none)" };
        f.debug_struct("Source")
            .field("id", &self.id)
            .field("url", &without_secrets(&self.url))
            .field("token", &token)
            .finish()
    }
}

/// A parsed source: the URL without credentials, and these apart from it.
pub(super) struct Address {
    /// For gix; bears no credentials.
    pub(super) url: gix::Url,
    /// The same as text.
    pub(super) text: String,
    /// The same for messages: a token may stand in its query.
    pub(super) shown: String,
    /// User name and password for http(s).
    pub(super) account: Option<(String, String)>,
}

impl Address {
    /// Takes a source apart.
    ///
    /// # Errors
    /// [`MirrorError::InvalidUrl`]; for a local path [`MirrorError::NotFound`] where it does not
    /// exist, and [`MirrorError::Unreachable`] where no repository is in it.
    pub(super) fn parse(source: &Source) -> Result<Self, MirrorError> {
        let invalid = |why: String| MirrorError::InvalidUrl { url: without_secrets(&source.url), why };
        let given = source.url.trim();
        if given.is_empty() {
            return Err(invalid("it is empty".to_owned()));
        }
        let mut url = gix::url::parse(given).map_err(|error| invalid(super::error::chain(&error)))?;
        let mut account = source.token.clone().map(|token| (TOKEN_USER.to_owned(), token));
        match url.scheme {
            gix::url::Scheme::Http | gix::url::Scheme::Https => {
                let user = url.user().map(str::to_owned);
                let password = url.password().map(str::to_owned);
                url.set_user(None);
                url.set_password(None);
                if account.is_none() {
                    // A lone user name is how some forges want a token: https://TOKEN@host/…
                    account = user.map(|user| (user, password.unwrap_or_default()));
                }
            }
            gix::url::Scheme::File => {
                let path = gix::path::from_bstr(gix::bstr::BStr::new(&url.path))
                    .map_err(|error| invalid(super::error::chain(&error)))?;
                if !path.exists() {
                    return Err(MirrorError::NotFound { url: without_secrets(given) });
                }
                if !path.join("HEAD").exists() && !path.join(".git").exists() {
                    // A volume that is not mounted looks the same.
                    let why = "there is no git repository in this directory".to_owned();
                    return Err(MirrorError::Unreachable { url: without_secrets(given), why });
                }
            }
            gix::url::Scheme::Ssh | gix::url::Scheme::Git => {}
            _ => return Err(invalid(format!("the scheme `{}` is not supported", url.scheme))),
        }
        let text = url.to_bstring().to_string();
        let shown = without_secrets(&text);
        Ok(Self { url, text, shown, account })
    }

    /// Whether this is plain http: gix refuses to send an account there, so it travels as a header.
    pub(super) fn is_plain_http(&self) -> bool {
        self.url.scheme == gix::url::Scheme::Http
    }

    /// `Authorization: Basic …` of the account.
    pub(super) fn authorization(&self) -> Option<String> {
        let (user, password) = self.account.as_ref()?;
        let encoded = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}"));
        Some(format!("Authorization: Basic {encoded}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use git_fixture::{ADA, GitRepo};

    fn source(url: &str, token: Option<&str>) -> Source {
        Source { id: RepositoryId(1), url: url.to_owned(), token: token.map(str::to_owned) }
    }

    #[test]
    fn credentials_leave_the_url() {
        let address = Address::parse(&source("https://ada:s3cret@git.example.com/shop.git", None)).expect("a URL");
        assert_eq!(address.text, "https://git.example.com/shop.git");
        assert_eq!(address.account, Some(("ada".to_owned(), "s3cret".to_owned())));
        assert!(
            !format!("{:?}", source("https://ada:s3cret@git.example.com/shop.git", Some("tok"))).contains("s3cret")
        );
        let with_token = source("https://git.example.com/shop.git?token=s3cret", None);
        let address = Address::parse(&with_token).expect("a URL");
        assert!(address.text.ends_with("?token=s3cret") && address.shown.ends_with("?token=…"));
        assert!(!format!("{with_token:?}").contains("s3cret"));
        let address = Address::parse(&source("https://git.example.com/shop.git", Some("ghs_1"))).expect("a URL");
        assert_eq!(address.account, Some(("x-access-token".to_owned(), "ghs_1".to_owned())));
    }

    #[test]
    fn what_cannot_be_cloned_is_said_to_be_so() {
        for url in ["", "   ", "ext::sh -c id", "ftp://example.com/x"] {
            assert!(matches!(Address::parse(&source(url, None)), Err(MirrorError::InvalidUrl { .. })), "{url:?}");
        }
        assert!(matches!(Address::parse(&source("/no/such/directory", None)), Err(MirrorError::NotFound { .. })));
    }

    #[test]
    fn a_local_repository_that_lacks_something_is_said_to_be_what_it_is() {
        let folder = tempfile::tempdir().expect("a folder");
        let full = GitRepo::init(folder.path().join("full"));
        full.commit(ADA, "2026-02-03T04:05:06Z", &[("a.py", "one\n")], "One");
        full.commit(ADA, "2026-02-03T04:05:07Z", &[("a.py", "two\n")], "Two");
        full.git(&["config", "uploadpack.allowFilter", "true"]);
        let path = |name: &str| folder.path().join(name).display().to_string();
        let clone = |name: &str, option: &str| {
            full.git(&["clone", "--quiet", option, &format!("file://{}", path("full")), &path(name)]);
        };
        clone("shallow", "--depth=1");
        clone("partial", "--filter=blob:none");
        GitRepo::init_with(path("sha256"), &["--object-format=sha256"]);
        GitRepo::init_with(path("tables"), &["--ref-format=reftable"]);
        full.git(&["worktree", "add", "--quiet", &path("linked")]);
        let lack = |name: &str| source(&path(name), None).shortfall();
        assert!(matches!(lack("shallow"), Some(MirrorError::Shallow { .. })));
        assert!(matches!(lack("partial"), Some(MirrorError::Partial { .. })));
        assert!(matches!(lack("sha256"), Some(MirrorError::Sha256 { .. })));
        assert_eq!([lack("full"), lack("tables"), lack("linked"), lack("none")], [None, None, None, None]);
    }
}
