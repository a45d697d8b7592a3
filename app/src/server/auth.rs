//! Who is asking: sessions by cookie, the admin token for machines, and the secret that forms carry.

use super::Server;
use super::extract::{InForm, InQuery};
use super::respond::{Refused, redirect};
use crate::steps::sign_in::{SESSION_LIFE_MS, SignInError};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use domain::access::{Right, Who};
use render::views::Login;
use serde::Deserialize;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use store::repositories::RepositoryRow;

/// Wrong tokens that are answered within a minute: a token of 64 digits is not guessed at this pace.
const TRIES_A_MINUTE: u32 = 10;
/// Name of the cookie.
const COOKIE: &str = "flawless_session";

/// Somebody who is signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Session {
    /// Who.
    pub(super) who: Who,
    /// The session's id as it is stored; `None`: by the token itself. Another site can't make a browser send that, so forms
    /// need no secret.
    pub(super) id: Option<String>,
}

/// Counts wrong tokens by the minute.
#[derive(Debug, Default)]
pub(super) struct Guesses {
    minute: AtomicI64,
    count: AtomicU32,
}

impl Guesses {
    /// `false`: there were too many wrong ones in this minute.
    fn allow(&self, now_ms: i64) -> bool {
        let minute = now_ms / 60_000;
        if self.minute.swap(minute, Ordering::AcqRel) != minute {
            self.count.store(0, Ordering::Release);
        }
        self.count.load(Ordering::Acquire) < TRIES_A_MINUTE
    }

    fn wrong(&self) {
        self.count.fetch_add(1, Ordering::AcqRel);
    }
}

impl Server {
    /// The session of a request, by its cookie or by the token itself (for machines); `None` also where it can't be looked up.
    pub(super) async fn session(&self, headers: &HeaderMap) -> Option<Session> {
        self.ask_session(headers).await.unwrap_or_else(|refused| {
            tracing::warn!(?refused, "a session could not be looked up");
            None
        })
    }

    async fn ask_session(&self, headers: &HeaderMap) -> Result<Option<Session>, Refused> {
        let now_ms = self.clock.now_ms();
        if let Some(token) = headers.get(header::AUTHORIZATION).and_then(|value| bearer(value.to_str().ok()?)) {
            // Counted apart from the page's: a scraper with an old token must not keep people from signing in.
            if self.token_guesses.allow(now_ms) {
                if self.is_token(token) {
                    return Ok(Some(Session { who: Who::Admin, id: None }));
                }
                self.token_guesses.wrong();
            }
        }
        for value in cookies(headers, COOKIE) {
            match self.services.live_session(value, &self.bound_to(), now_ms).await {
                Ok(Some(live)) => return Ok(Some(Session { who: live.who, id: Some(live.id) })),
                Ok(None) => {}
                Err(SignInError::OutOfReach(why)) => return Err(Refused::CannotAsk(why)),
                Err(error) => return Err(Refused::Broken(error.to_string())),
            }
        }
        Ok(None)
    }

    /// The session, or the way to the sign-in page.
    pub(super) async fn must_be_signed_in(&self, headers: &HeaderMap, next: &str) -> Result<Session, Refused> {
        self.ask_session(headers).await?.ok_or_else(|| Refused::SignIn { next: next.to_owned() })
    }

    /// The admin's session, or the way to the sign-in page.
    pub(super) async fn must_be_admin(&self, headers: &HeaderMap, next: &str) -> Result<Session, Refused> {
        let session = self.must_be_signed_in(headers, next).await?;
        if session.who.is_admin() {
            return Ok(session);
        }
        let text = "This page is for the admin of this server. Sign out, and sign in with the admin token.";
        Err(Refused::Forbidden(text.to_owned()))
    }

    /// A session whose form this is.
    pub(super) async fn must_be_our_form(&self, headers: &HeaderMap, csrf: &str) -> Result<Session, Refused> {
        let ours = self.ask_session(headers).await?.filter(|session| self.is_our_form(session, csrf));
        ours.ok_or_else(|| {
            let text = "The form is too old, it came from another site, or you are not signed in any more. Load the page again, and send it once more.";
            Refused::Forbidden(text.to_owned())
        })
    }

    /// The watched repository of a name, for somebody who may do this in it. One that may not be seen is as none.
    pub(super) async fn repository_for(
        &self,
        session: &Session,
        name: &str,
        needed: Right,
    ) -> Result<RepositoryRow, Refused> {
        let row = self.repository(name).await?;
        match self.right_in(session, &row) {
            Some(right) if right >= needed => Ok(row),
            Some(right) => Err(Refused::Forbidden(format!(
                "This needs the role {} in {} on GitHub, and {} has {}.",
                needed.role(),
                row.repository.full_name,
                session.who.name(),
                right.role()
            ))),
            None => Err(super::pages::not_watched(name)),
        }
    }

    /// What somebody may do in a repository.
    pub(super) fn right_in(&self, session: &Session, row: &RepositoryRow) -> Option<Right> {
        session.who.right_in(row.repository.forge.as_ref().map(|forge| forge.id))
    }

    /// The secret that the forms of a session carry.
    pub(super) fn csrf(&self, session: &Session) -> String {
        self.settings.signer.sign("csrf", &[session.id.as_deref().unwrap_or("token"), &self.settings.admin_token])
    }

    /// Whether a form came from one of our pages.
    pub(super) fn is_our_form(&self, session: &Session, csrf: &str) -> bool {
        match &session.id {
            None => true,
            Some(id) => self.settings.signer.verify("csrf", &[id, &self.settings.admin_token], csrf),
        }
    }

    /// Compared as signatures, which takes the same time whatever is wrong.
    fn is_token(&self, text: &str) -> bool {
        let signature = self.settings.signer.sign("token", &[text]);
        self.settings.signer.verify("token", &[&self.settings.admin_token], &signature)
    }

    /// What ties an admin's session to the token: another token ends it.
    fn bound_to(&self) -> String {
        self.settings.signer.sign("admin session", &[&self.settings.admin_token])
    }

    /// A cookie of ours for this many seconds.
    pub(super) fn cookie(&self, name: &str, value: &str, life_s: i64) -> HeaderValue {
        let secure = if self.settings.public_url.starts_with("https:") { "; Secure" } else { "" };
        let path = if self.root().is_empty() { "/" } else { self.root() };
        let text = format!("{name}={value}; Path={path}; Max-Age={life_s}; HttpOnly; SameSite=Lax{secure}");
        HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static(""))
    }

    /// The cookie of a session that has just begun.
    pub(super) fn session_cookie(&self, value: &str) -> HeaderValue {
        self.cookie(COOKIE, value, SESSION_LIFE_MS / 1000)
    }

    /// Ends the session that a browser had: its new one is another.
    pub(super) async fn end_former(&self, headers: &HeaderMap) {
        if let Some(Session { id: Some(id), .. }) = self.session(headers).await
            && let Err(error) = store::sessions::delete(&self.services.store, &id).await
        {
            tracing::warn!(%error, "a former session could not be ended");
        }
    }

    /// The sign-in page.
    pub(super) fn sign_in_page(&self, next: &str, status: StatusCode, error: Option<String>) -> Response {
        let has_sign_in = self.services.app.get().is_some_and(|app| app.sign_in.is_some());
        let query = domain::links::query(&[("next", next.to_owned())]);
        let view = Login {
            action: format!("{}/login", self.root()),
            csrf: String::new(),
            next: next.to_owned(),
            error,
            github_url: has_sign_in.then(|| format!("{}/auth/github?{query}", self.root())),
        };
        self.show(None, status, &view).unwrap_or_else(|refused| self.refuse(None, &refused))
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
pub(super) fn browser(headers: &HeaderMap) -> &str {
    headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or("")
}

/// A cookie's value that nobody can guess.
pub(super) fn random_value() -> Result<String, Refused> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| Refused::Broken(error.to_string()))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[derive(Debug, Deserialize)]
pub(super) struct Next {
    next: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Credentials {
    #[serde(default)]
    token: String,
    #[serde(default)]
    next: String,
}

/// `GET /login`.
pub(super) async fn login_form(State(server): State<Arc<Server>>, InQuery(query): InQuery<Next>) -> Response {
    server.sign_in_page(local(query.next.as_deref().unwrap_or("")), StatusCode::OK, None)
}

/// `POST /login`.
pub(super) async fn login(
    State(server): State<Arc<Server>>,
    headers: HeaderMap,
    InForm(credentials): InForm<Credentials>,
) -> Response {
    let now_ms = server.clock.now_ms();
    let next = local(&credentials.next);
    if !server.guesses.allow(now_ms) {
        let error = "Too many wrong tokens. Wait a minute.".to_owned();
        return server.sign_in_page(next, StatusCode::TOO_MANY_REQUESTS, Some(error));
    }
    if !server.is_token(credentials.token.trim()) {
        server.guesses.wrong();
        let error = "That is not the admin token. The server printed it at its first start; ADMIN_TOKEN sets another.";
        return server.sign_in_page(next, StatusCode::FORBIDDEN, Some(error.to_owned()));
    }
    let begun = async {
        let value = random_value()?;
        server.end_former(&headers).await;
        let kept = server.services.begin_admin_session(&value, &server.bound_to(), browser(&headers), now_ms).await;
        kept.map_err(|error| Refused::Broken(error.to_string()))?;
        Ok::<_, Refused>(value)
    };
    match begun.await {
        Ok(value) => {
            let mut response = redirect(&if next.is_empty() { format!("{}/", server.root()) } else { next.to_owned() });
            response.headers_mut().insert(header::SET_COOKIE, server.session_cookie(&value));
            response
        }
        Err(refused) => server.refuse(None, &refused),
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Leave {
    #[serde(default)]
    csrf: String,
}

/// `POST /auth/logout`.
pub(super) async fn logout(
    State(server): State<Arc<Server>>,
    headers: HeaderMap,
    InForm(leave): InForm<Leave>,
) -> Response {
    let mut response = redirect(&format!("{}/login", server.root()));
    if let Some(session) = server.session(&headers).await.filter(|session| server.is_our_form(session, &leave.csrf)) {
        if let Some(id) = &session.id
            && let Err(error) = store::sessions::delete(&server.services.store, id).await
        {
            return server.refuse(Some(&session), &Refused::Broken(error.to_string()));
        }
        response.headers_mut().insert(header::SET_COOKIE, server.cookie(COOKIE, "", 0));
    }
    response
}

/// The token of an `Authorization` header; names of schemes have no case.
fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.trim().split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
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
    fn the_token_is_found_in_its_header() {
        assert_eq!(bearer("Bearer abc"), Some("abc"));
        assert_eq!(bearer("bearer  abc "), Some("abc"));
        assert_eq!(bearer("Basic abc"), None);
        assert_eq!(bearer("Bearer"), None);
    }

    #[test]
    fn guessing_is_slow() {
        let guesses = Guesses::default();
        for _ in 0..TRIES_A_MINUTE {
            assert!(guesses.allow(60_000));
            guesses.wrong();
        }
        assert!(!guesses.allow(119_999));
        assert!(guesses.allow(120_000));
    }
}
