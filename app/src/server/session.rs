//! Sessions: by cookie, by the admin token for machines, and the secret that their forms carry.

use super::page_error::PageError;
use super::settings::ServerSettings;
use crate::clock::Clock;
use crate::random::random_secret;
use crate::services::sessions::{self, AuthorizationCode, SESSION_LIFE, SignInError};
use axum::http::{HeaderMap, HeaderValue, header};
use domain::access::{Right, Who};
use domain::timestamp::Timestamp;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use store::repositories::RepositoryRow;

/// Wrong tokens that are answered within a minute: a token of 64 digits is not guessed at this
/// pace.
const TRIES_A_MINUTE: u32 = 10;
/// Name of the cookie.
const COOKIE: &str = "flawless_session";

/// Somebody who is signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Session {
    /// Who.
    pub(super) who: Who,
    /// The session's id as it is stored; `None`: by the token itself. Another site can't make a
    /// browser send that, so forms need no secret.
    pub(super) id: Option<String>,
    /// The secret that its forms carry.
    pub(super) csrf: String,
}

impl Session {
    /// What they may do in a repository.
    pub(super) fn right_in(&self, row: &RepositoryRow) -> Option<Right> {
        self.who.right_in(row.repository.github.as_ref().map(|on_github| on_github.id))
    }

    /// Whether it is the admin's.
    ///
    /// # Errors
    /// It is not.
    pub(super) fn must_be_admin(&self) -> Result<(), PageError> {
        if self.who.is_admin() {
            return Ok(());
        }
        let text = "This page is for the admin of this server. Sign out, and sign in with the admin token.";
        Err(PageError::Forbidden(text.to_owned()))
    }
}

/// Counts wrong tokens by the minute.
#[derive(Debug, Default)]
struct AttemptLimit {
    minute: AtomicI64,
    count: AtomicU32,
}

impl AttemptLimit {
    /// `false`: there were too many wrong ones in this minute.
    fn allows(&self, now: Timestamp) -> bool {
        let minute = now.as_seconds() / 60;
        if self.minute.swap(minute, Ordering::AcqRel) != minute {
            self.count.store(0, Ordering::Release);
        }
        self.count.load(Ordering::Acquire) < TRIES_A_MINUTE
    }

    fn count_wrong(&self) {
        self.count.fetch_add(1, Ordering::AcqRel);
    }
}

/// Why a token signs nobody in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenError {
    /// Too many wrong ones came in this minute.
    TooMany,
    /// It is not the admin token.
    Wrong,
}

/// Looks sessions up, begins and ends them.
#[derive(Clone)]
pub(super) struct SessionCookies(Arc<Inner>);

struct Inner {
    /// Those that are stored.
    stored: sessions::Sessions,
    clock: Clock,
    settings: Arc<ServerSettings>,
    /// Path that cookies are for.
    path: String,
    attempts: AttemptLimit,
    /// Counted apart from the page's: a scraper with an old token must not keep people from signing
    /// in.
    bearer_attempts: AttemptLimit,
}

impl SessionCookies {
    /// The sessions of a server below this path.
    pub(super) fn new(stored: sessions::Sessions, clock: Clock, settings: Arc<ServerSettings>, root: &str) -> Self {
        let path = if root.is_empty() { "/" } else { root }.to_owned();
        let (attempts, bearer_attempts) = (AttemptLimit::default(), AttemptLimit::default());
        Self(Arc::new(Inner { stored, clock, settings, path, attempts, bearer_attempts }))
    }

    /// The session of a request, by its cookie or by the token itself (for machines).
    ///
    /// # Errors
    /// GitHub, or the database, can't be asked.
    pub(super) async fn of(&self, headers: &HeaderMap) -> Result<Option<Session>, PageError> {
        let now = self.0.clock.now();
        if self.is_bearer(headers, now) {
            return Ok(Some(self.session(Who::Admin, None)));
        }
        for value in cookies(headers, COOKIE) {
            if let Some(session) = self.by_cookie(value, now).await? {
                return Ok(Some(session));
            }
        }
        Ok(None)
    }

    /// As [`Self::of`]; nobody where it can't be looked up.
    pub(super) async fn of_anybody(&self, headers: &HeaderMap) -> Option<Session> {
        self.of(headers).await.unwrap_or_else(|error| {
            tracing::warn!(?error, "a session could not be looked up");
            None
        })
    }

    async fn by_cookie(&self, value: &str, now: Timestamp) -> Result<Option<Session>, PageError> {
        match self.0.stored.live(value, &self.bound_to(), now).await {
            Ok(live) => Ok(live.map(|live| self.session(live.who, Some(live.id)))),
            Err(SignInError::OutOfReach(why)) => Err(PageError::GitHubUnavailable(why.to_string())),
            Err(error) => Err(PageError::Internal(error.to_string())),
        }
    }

    /// Whether the token stands in the header.
    fn is_bearer(&self, headers: &HeaderMap, now: Timestamp) -> bool {
        let header = headers.get(header::AUTHORIZATION).and_then(|value| bearer(value.to_str().ok()?));
        let attempts = &self.0.bearer_attempts;
        let Some(token) = header.filter(|_| attempts.allows(now)) else { return false };
        let right = self.is_token(token);
        if !right {
            attempts.count_wrong();
        }
        right
    }

    fn session(&self, who: Who, id: Option<String>) -> Session {
        let settings = &self.0.settings;
        let csrf = settings.signer.sign("csrf", &[id.as_deref().unwrap_or("token"), settings.admin_token.expose()]);
        Session { who, id, csrf }
    }

    /// Whether a form came from one of our pages.
    pub(super) fn is_our_form(&self, session: &Session, csrf: &str) -> bool {
        let settings = &self.0.settings;
        match &session.id {
            None => true,
            Some(id) => settings.signer.verify("csrf", &[id, settings.admin_token.expose()], csrf),
        }
    }

    /// Checks what was typed as the admin token.
    ///
    /// # Errors
    /// It is wrong, or was guessed at too often.
    pub(super) fn check_token(&self, token: &str) -> Result<(), TokenError> {
        if !self.0.attempts.allows(self.0.clock.now()) {
            return Err(TokenError::TooMany);
        }
        if self.is_token(token) {
            return Ok(());
        }
        self.0.attempts.count_wrong();
        Err(TokenError::Wrong)
    }

    /// Compared as signatures, which takes the same time whatever is wrong.
    fn is_token(&self, text: &str) -> bool {
        let settings = &self.0.settings;
        let signature = settings.signer.sign("token", &[text]);
        settings.signer.verify("token", &[settings.admin_token.expose()], &signature)
    }

    /// What ties an admin's session to the token: another token ends it.
    fn bound_to(&self) -> String {
        self.0.settings.signer.sign("admin session", &[self.0.settings.admin_token.expose()])
    }

    /// Begins a session of the admin in place of the browser's former one. Answers its cookie.
    ///
    /// # Errors
    /// The database is out of reach, or the system gives no randomness.
    pub(super) async fn begin_admin(&self, headers: &HeaderMap) -> Result<HeaderValue, PageError> {
        let value = random_secret()?;
        self.end_former(headers).await;
        let (bound_to, now) = (self.bound_to(), self.0.clock.now());
        let begun = self.0.stored.begin_for_admin(&value, &bound_to, browser(headers), now).await;
        begun.map_err(|error| PageError::Internal(error.to_string()))?;
        Ok(self.session_cookie(&value))
    }

    /// Begins a session of whom GitHub names for a code, in place of the browser's former
    /// one. Answers its cookie.
    ///
    /// # Errors
    /// GitHub refuses the code or can't be asked, or the database is out of reach.
    pub(super) async fn begin(
        &self,
        headers: &HeaderMap,
        code: AuthorizationCode<'_>,
    ) -> Result<HeaderValue, SignInError> {
        let value = random_secret().map_err(|_| SignInError::Broken("This system gives no randomness".into()))?;
        self.0.stored.begin(&value, code, browser(headers), self.0.clock.now()).await?;
        self.end_former(headers).await;
        Ok(self.session_cookie(&value))
    }

    /// Ends the session that a browser had: its new one is another.
    async fn end_former(&self, headers: &HeaderMap) {
        if let Some(Session { id: Some(id), .. }) = self.of_anybody(headers).await
            && let Err(error) = store::sessions::delete(&self.0.stored.store, &id).await
        {
            tracing::warn!(%error, "a former session could not be ended");
        }
    }

    /// The cookie of a session that has just begun.
    fn session_cookie(&self, value: &str) -> HeaderValue {
        self.cookie(COOKIE, value, SESSION_LIFE.as_secs())
    }

    /// What makes a browser forget its session.
    pub(super) fn no_session_cookie(&self) -> HeaderValue {
        self.cookie(COOKIE, "", 0)
    }

    /// A cookie of ours for this many seconds.
    pub(super) fn cookie(&self, name: &str, value: &str, life_s: i64) -> HeaderValue {
        let secure = if self.0.settings.public_url.starts_with("https:") { "; Secure" } else { "" };
        let path = &self.0.path;
        let text = format!("{name}={value}; Path={path}; Max-Age={life_s}; HttpOnly; SameSite=Lax{secure}");
        HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static(""))
    }
}

/// The values of a cookie: more than one where an older one was set for another path.
pub(super) fn cookies<'a>(headers: &'a HeaderMap, name: &'a str) -> impl Iterator<Item = &'a str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(move |pair| pair.trim().strip_prefix(name)?.strip_prefix('='))
}

/// What a browser calls itself.
fn browser(headers: &HeaderMap) -> &str {
    headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or("")
}

/// The token of an `Authorization` header; names of schemes have no case.
fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.trim().split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_is_found_in_its_header() {
        assert_eq!(bearer("Bearer abc"), Some("abc"));
        assert_eq!(bearer("bearer  abc "), Some("abc"));
        assert_eq!(bearer("Basic abc"), None);
        assert_eq!(bearer("Bearer"), None);
    }

    #[test]
    fn guessing_is_slow() {
        let attempts = AttemptLimit::default();
        for _ in 0..TRIES_A_MINUTE {
            assert!(attempts.allows(Timestamp::from_seconds(60)));
            attempts.count_wrong();
        }
        assert!(!attempts.allows(Timestamp::from_millis(119_999)));
        assert!(attempts.allows(Timestamp::from_seconds(120)));
    }
}
