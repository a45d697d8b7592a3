//! Sessions: by cookie, by the admin token for machines, and the secret that their forms carry.

use super::client::ClientGroup;
use super::page_error::PageError;
use super::settings::ServerSettings;
use super::wrong_tokens::WrongTokens;
use crate::clock::Clock;
use crate::random::random_secret;
use crate::services::admin_token::{self, TokenOrigin};
use crate::services::sessions::{self, AuthorizationCode, SESSION_LIFE, SignInError};
use axum::http::{HeaderMap, HeaderValue, header};
use domain::access::{Right, Who};
use domain::secret::Secret;
use domain::timestamp::Timestamp;
use std::sync::Arc;
use store::repositories::RepositoryRow;

/// Name of the cookie.
const COOKIE: &str = "flawless_session";

/// Cookies of that name that are looked up, each by a query of the database. A browser sends one
/// for each path and domain that it was set for, the longest path first: that of this address, and
/// of others that the server, or another one beside it, had.
const MOST_COOKIES: usize = 4;

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
    /// Those that were typed.
    typed: WrongTokens,
    /// Those of machines, counted apart: whose scraper has an old token, and mistypes the new one
    /// once, is to read that it is wrong.
    shown: WrongTokens,
}

impl SessionCookies {
    /// The sessions of a server below this path.
    pub(super) fn new(stored: sessions::Sessions, clock: Clock, settings: Arc<ServerSettings>, root: &str) -> Self {
        let path = if root.is_empty() { "/" } else { root }.to_owned();
        let (typed, shown) = (WrongTokens::default(), WrongTokens::default());
        Self(Arc::new(Inner { stored, clock, settings, path, typed, shown }))
    }

    /// The session of a request, by its cookie or by the token itself (for machines).
    ///
    /// # Errors
    /// GitHub, or the database, can't be asked.
    pub(super) async fn of(&self, headers: &HeaderMap) -> Result<Option<Session>, PageError> {
        let now = self.0.clock.now();
        if bearer_of(headers).is_some_and(|token| self.is_token(token)) {
            return Ok(Some(self.session(Who::Admin, None)));
        }
        for value in cookies(headers, COOKIE).take(MOST_COOKIES) {
            if let Some(session) = self.by_cookie(value, now).await? {
                return Ok(Some(session));
            }
        }
        Ok(None)
    }

    /// As [`Self::of`]; nobody where it can't be looked up.
    pub(super) async fn of_anybody(&self, headers: &HeaderMap) -> Option<Session> {
        self.of(headers).await.unwrap_or_else(|error| {
            // What the database is in is said where a page needs it.
            if !matches!(error, PageError::Unavailable { .. }) {
                tracing::warn!(?error, "a session could not be looked up");
            }
            None
        })
    }

    async fn by_cookie(&self, value: &str, now: Timestamp) -> Result<Option<Session>, PageError> {
        match self.0.stored.live(value, &self.bound_to(), now).await {
            Ok(live) => Ok(live.map(|live| self.session(live.who, Some(live.id)))),
            Err(SignInError::OutOfReach(why)) => Err(PageError::GitHubUnavailable(why.to_string())),
            Err(error) => Err(PageError::broken(&error)),
        }
    }

    /// Counts the token of a request that it admitted to nothing, if it shows one.
    ///
    /// # Errors
    /// Its client has shown too many wrong ones.
    pub(super) fn count_wrong_bearer(&self, headers: &HeaderMap, client: ClientGroup) -> Result<(), PageError> {
        match bearer_of(headers).is_some() && self.0.shown.count(client, self.0.clock.now()) {
            true => Err(PageError::TooManyTokens),
            false => Ok(()),
        }
    }

    /// Whether a request shows the token for metrics.
    pub(super) fn shows_metrics_token(&self, headers: &HeaderMap) -> bool {
        let token = self.0.settings.metrics_token.as_ref();
        token.zip(bearer_of(headers)).is_some_and(|(token, shown)| self.are_equal(token, shown))
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
    /// It is wrong, and maybe not the first of this client.
    pub(super) fn check_token(&self, token: &str, client: ClientGroup) -> Result<(), TokenError> {
        // Compared first: whatever others, or a scraper behind the same address, have guessed, the
        // right token is right.
        if self.is_token(token) {
            return Ok(());
        }
        Err(if self.0.typed.count(client, self.0.clock.now()) { TokenError::TooMany } else { TokenError::Wrong })
    }

    /// Where the admin token is from.
    pub(super) fn token_origin(&self) -> TokenOrigin {
        self.0.settings.token_origin
    }

    fn is_token(&self, text: &str) -> bool {
        self.are_equal(&self.0.settings.admin_token, text)
    }

    /// Compared as signatures, which takes the same time whatever is wrong.
    fn are_equal(&self, token: &Secret, text: &str) -> bool {
        let signer = &self.0.settings.signer;
        signer.verify("token", &[token.expose()], &signer.sign("token", &[text]))
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
        begun.map_err(|error| PageError::broken(&error))?;
        admin_token::is_known(&self.0.stored.store, self.token_origin()).await?;
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

/// The token that a request shows in its header.
fn bearer_of(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::AUTHORIZATION).and_then(|value| bearer(value.to_str().ok()?))
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
}
