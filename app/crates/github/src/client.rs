//! The connection to GitHub: who we are there, with which token, and how one request is made.

use super::anonymous;
use super::answer::{Answer, text_of};
use super::clock::{GitHubTime, TimeSource};
use super::error::GitHubError;
use super::jwt::JwtSigner;
use super::key;
use super::known_names::KnownNames;
use super::pauses::Pauses;
use super::route::Base;
use super::token::Token;
use domain::secret::Secret;
use octocrab::Octocrab;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::fmt;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{OnceCell, OwnedMutexGuard};
use tokio::time::Instant;

/// github.com's API; an Enterprise Server's is `https://HOST/api/v3`.
pub const DEFAULT_API_URL: &str = "https://api.github.com";
/// A whole request with its answer. GitHub itself gives up after ten seconds, a proxy or slow line
/// needs some more.
pub(super) const USUAL_TIMEOUT: Duration = Duration::from_secs(30);
/// Redirects that a look at a repository's name may take: one is normal, two after two renames.
const MAX_REDIRECTS: usize = 3;
/// Pages of one list: at 100 a page more than any installation has, and an end to a circle of
/// links.
const MAX_PAGES: usize = 500;

/// How to reach GitHub and who we are there.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The API's address, [`DEFAULT_API_URL`] or an Enterprise Server's.
    pub api_url: String,
    /// The App's number.
    pub app_id: u64,
    /// The App's private RSA key: PEM (PKCS#1 or PKCS#8), with real or written line breaks, or that
    /// in base64.
    pub private_key_pem: Secret,
    /// Time for one request with its answer.
    pub timeout: Duration,
    /// Our clock.
    pub time: TimeSource,
}

impl Settings {
    /// Settings with the usual timeout.
    pub fn new(api_url: impl Into<String>, app_id: u64, private_key_pem: impl Into<Secret>, time: TimeSource) -> Self {
        let (api_url, private_key_pem) = (api_url.into(), private_key_pem.into());
        Self { api_url, app_id, private_key_pem, timeout: USUAL_TIMEOUT, time }
    }
}

/// The App on GitHub. Cheap to clone; all clones share tokens and take turns at writing.
///
/// Nothing is retried in here but two cases, in both of which a request was refused (401) and did
/// no work: it is made once more with a new token, or with a JWT of GitHub's time where the first
/// was not. All else is the caller's to repeat, who knows whether the work may have been done.
///
/// Names: a repository is asked for by its name, and meant by its number. That the name leads to
/// the number is asked before anything is read or written under it (`repositories.rs`). One that
/// was renamed or transferred answers with a redirect: reading follows it; writing returns
/// [`GitHubError::Moved`] and has written nothing. Where another repository has taken the name,
/// both return [`GitHubError::Taken`].
#[derive(Clone)]
pub struct GitHub {
    pub(super) inner: Arc<Inner>,
}

pub(super) struct Inner {
    client: Octocrab,
    jwts: JwtSigner,
    base: Base,
    timeout: Duration,
    pub(super) slug: OnceCell<String>,
    access: Mutex<HashMap<u64, Arc<Access>>>,
    /// Which names are known to be those of the repositories that are meant.
    pub(super) names: KnownNames,
    /// Until when GitHub asked not to be asked.
    pauses: Pauses,
    /// Our clock, and GitHub's.
    pub(super) ours: TimeSource,
    pub(super) time: GitHubTime,
}

/// What is kept of an installation.
#[derive(Default)]
struct Access {
    /// Held while a token is minted, so that ten waiting requests mint one.
    token: tokio::sync::Mutex<Option<Token>>,
    /// Held during a write: GitHub asks for writes one after another, else a secondary limit
    /// strikes.
    writes: Arc<tokio::sync::Mutex<()>>,
}

/// As whom a request is made.
#[derive(Clone, Copy)]
pub(super) enum As {
    /// The App, by JWT.
    App,
    /// An installation, by its token.
    Installation(u64),
}

impl As {
    /// The installation; `None`: it is the App itself.
    pub(super) fn installation(self) -> Option<u64> {
        match self {
            Self::App => None,
            Self::Installation(id) => Some(id),
        }
    }
}

/// What a request does.
#[derive(Clone, Copy, Debug)]
pub(super) enum Method {
    Get,
    Post,
    Patch,
    Delete,
}

impl fmt::Debug for GitHub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GitHub").field("api", &self.inner.base.as_str()).finish_non_exhaustive()
    }
}

impl GitHub {
    /// Checks the settings; asks GitHub nothing yet. Has to be called within a Tokio runtime, which
    /// serves the connections.
    pub fn new(settings: Settings) -> Result<Self, GitHubError> {
        if tokio::runtime::Handle::try_current().is_err() {
            return Err(GitHubError::Settings("made outside of a Tokio runtime".to_owned()));
        }
        let base = Base::new(&settings.api_url)?;
        let key = key::read(settings.app_id, settings.private_key_pem.expose())?;
        Ok(Self {
            inner: Arc::new(Inner {
                client: anonymous::client(&base)?,
                jwts: JwtSigner::new(settings.app_id, key, settings.time.clone()),
                base,
                timeout: settings.timeout,
                slug: OnceCell::new(),
                access: Mutex::new(HashMap::new()),
                names: KnownNames::default(),
                pauses: Pauses::default(),
                ours: settings.time,
                time: GitHubTime::default(),
            }),
        })
    }

    /// The installation's token, for git over HTTPS (user name `x-access-token`). Good for at least
    /// five more minutes where GitHub grants as much. Minted when needed, cached until then.
    pub async fn token(&self, installation: u64) -> Result<String, GitHubError> {
        let access = self.access(installation);
        let mut kept = access.token.lock().await;
        if let Some(token) = kept.as_ref().filter(|token| token.fresh_until > Instant::now()) {
            return Ok(token.secret.clone());
        }
        let token = self.mint(installation).await?;
        let secret = token.secret.clone();
        *kept = Some(token);
        Ok(secret)
    }

    /// Forgets the token, after git got a 401 with it: the next [`Self::token`] is a new one.
    pub async fn forget_token(&self, installation: u64) {
        *self.access(installation).token.lock().await = None;
    }

    /// Whether the installation may write issues now, as a new token says: an older one may not do
    /// what was granted since. `None` where GitHub does not say what a token may.
    pub async fn may_write_issues(&self, installation: u64) -> Result<Option<bool>, GitHubError> {
        let token = self.mint(installation).await?;
        let may = token.writes_issues;
        *self.access(installation).token.lock().await = Some(token);
        Ok(may)
    }

    async fn mint(&self, installation: u64) -> Result<Token, GitHubError> {
        let path = format!("/app/installations/{installation}/access_tokens");
        let answer = Box::pin(self.send(As::App, Method::Post, &path, Some(&json!({})))).await?;
        let what = format!("a token for installation {installation}");
        let answer = match answer.accepted(&what, Some(installation)) {
            Ok(answer) => answer,
            Err(GitHubError::Gone(_)) => return Err(GitHubError::Uninstalled { installation }),
            // The one reason why an App may not have a token of its own installation.
            Err(GitHubError::Refused { status: 403, .. }) => return Err(GitHubError::Suspended { installation }),
            Err(other) => return Err(other),
        };
        Token::of(&answer)
    }

    /// One request, unless GitHub asked for none: then its refusal, with what is left of the time
    /// that it named.
    pub(super) async fn send(
        &self,
        who: As,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Answer, GitHubError> {
        let inner = &self.inner;
        inner.pauses.check(who.installation(), inner.ours.now())?;
        let answer = match who {
            As::App => self.send_as_app(method, path, body).await?,
            As::Installation(installation) => self.send_as_installation(installation, method, path, body).await?,
        };
        if !answer.is_success() {
            inner.pauses.heed(who.installation(), &answer.to_error(path, who.installation()), inner.ours.now());
        }
        Ok(answer)
    }

    /// One request, and once more with a new token where the old one was refused: a 401 did no
    /// work.
    async fn send_as_installation(
        &self,
        installation: u64,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Answer, GitHubError> {
        let token = self.token(installation).await?;
        let answer = self.send_with(&token, method, path, body).await?;
        if answer.status != 401 {
            return Ok(answer);
        }
        {
            let access = self.access(installation);
            let mut kept = access.token.lock().await;
            // Another request may have minted a new one meanwhile.
            if kept.as_ref().is_some_and(|kept| kept.secret == token) {
                *kept = None;
            }
        }
        let token = self.token(installation).await?;
        self.send_with(&token, method, path, body).await
    }

    /// One request by JWT, and once more by GitHub's time where the refusal says that the JWT was
    /// not of it.
    async fn send_as_app(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Answer, GitHubError> {
        let jwts = &self.inner.jwts;
        let jwt = jwts.sign()?;
        let answer = self.send_with(&jwt.text, method, path, body).await?;
        let theirs = answer.date().filter(|_| answer.status == 401);
        let Some(anew) = theirs.and_then(|theirs| jwts.sign_anew(&jwt, theirs)) else { return Ok(answer) };
        let jwt = anew?;
        let answer = self.send_with(&jwt.text, method, path, body).await?;
        match answer.status {
            401 => jwts.refused(),
            // Whoever answers this has not looked at it.
            500.. => {}
            _ => jwts.accepted(&jwt),
        }
        Ok(answer)
    }

    pub(super) async fn send_with(
        &self,
        token: &str,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Answer, GitHubError> {
        let client = self.inner.client.user_access_token(token).map_err(|error| GitHubError::from_octocrab(&error))?;
        self.send_once(&client, method, path, body).await
    }

    async fn send_once(
        &self,
        client: &Octocrab,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Answer, GitHubError> {
        let work = async {
            let response = match method {
                Method::Get => client._get(path).await,
                Method::Post => client._post(path, body).await,
                Method::Patch => client._patch(path, body).await,
                Method::Delete => client._delete(path, body).await,
            };
            let response = response.map_err(|error| GitHubError::from_octocrab(&error))?;
            let header =
                |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
            let answer = Answer {
                status: response.status().as_u16(),
                retry_after: header("retry-after"),
                remaining: header("x-ratelimit-remaining"),
                reset: header("x-ratelimit-reset"),
                date: header("date"),
                location: header("location"),
                link: header("link"),
                body: String::new(),
            };
            if let Some(said) = answer.date() {
                self.inner.time.hear(said, self.inner.ours.now());
            }
            let body = text_of(response.into_body()).await?;
            Ok::<_, GitHubError>(Answer { body, ..answer })
        };
        let answer = match tokio::time::timeout(self.inner.timeout, work).await {
            Ok(answer) => answer?,
            Err(_) => {
                let seconds = self.inner.timeout.as_secs_f32();
                return Err(GitHubError::transient(format!("no answer within {seconds} s to {method:?} {path}")));
            }
        };
        tracing::debug!(?method, path, status = answer.status, "GitHub answered");
        Ok(answer)
    }

    /// A GET that follows redirects, on our host only.
    pub(super) async fn follow(&self, who: As, path: &str) -> Result<Answer, GitHubError> {
        let mut answer = self.send(who, Method::Get, path, None).await?;
        for _ in 0..MAX_REDIRECTS {
            let Some(location) = answer.location.clone().filter(|_| answer.is_redirect()) else { break };
            answer = self.send(who, Method::Get, &self.inner.base.relative(&location)?, None).await?;
        }
        Ok(answer)
    }

    /// Hands every page of a list to `visit`, from the first (already asked for) until it breaks or
    /// the list ends.
    pub(super) async fn pages<P: DeserializeOwned>(
        &self,
        who: As,
        first: Answer,
        what: &str,
        mut visit: impl FnMut(P) -> ControlFlow<()> + Send,
    ) -> Result<(), GitHubError> {
        let installation = who.installation();
        let mut answer = first;
        for _ in 0..MAX_PAGES {
            let page = answer.accepted(what, installation)?;
            if visit(page.json(what)?).is_break() {
                return Ok(());
            }
            let Some(next) = page.link.as_deref().map(|link| self.inner.base.next_page(link)).transpose()?.flatten()
            else {
                return Ok(());
            };
            answer = self.send(who, Method::Get, &next, None).await?;
        }
        Err(GitHubError::Unexpected(format!("{what}: more than {MAX_PAGES} pages")))
    }

    /// The installation's turn to write, which ends when this is dropped: one write at a time.
    pub(super) async fn turn_to_write(&self, installation: u64) -> OwnedMutexGuard<()> {
        Arc::clone(&self.access(installation).writes).lock_owned().await
    }

    fn access(&self, installation: u64) -> Arc<Access> {
        // A panic while the map was held leaves it whole: entries are only ever added.
        let mut access = self.inner.access.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(access.entry(installation).or_default())
    }
}
