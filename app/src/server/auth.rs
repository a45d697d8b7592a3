//! Who is asking: the admin token, its cookie, and the secret that forms carry.

use super::Server;
use super::extract::{InForm, InQuery};
use super::respond::{Refused, redirect};
use crate::render::views::Login;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use serde::Deserialize;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};

/// How long one stays signed in.
const SESSION_LIFE_MS: i64 = 7 * 24 * 3_600_000;
/// Wrong tokens that are answered within a minute: a token of 64 digits is not guessed at this pace.
const TRIES_A_MINUTE: u32 = 10;
/// Name of the cookie.
const COOKIE: &str = "flawless_session";

/// Somebody who is signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Session {
    expires_ms: i64,
    /// By the token itself: another site can't make a browser send it, so forms need no secret.
    by_token: bool,
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
    /// The session of a request, by its cookie or by the token itself (for machines).
    pub(super) fn session(&self, headers: &HeaderMap) -> Option<Session> {
        let now_ms = self.clock.now_ms();
        if let Some(token) = headers.get(header::AUTHORIZATION).and_then(|value| bearer(value.to_str().ok()?)) {
            // Counted apart from the page's: a scraper with an old token must not keep people from signing in.
            if self.token_guesses.allow(now_ms) {
                if self.is_token(token) {
                    return Some(Session { expires_ms: now_ms + SESSION_LIFE_MS, by_token: true });
                }
                self.token_guesses.wrong();
            }
        }
        headers
            .get_all(header::COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(';'))
            .filter_map(|pair| pair.trim().strip_prefix(COOKIE)?.strip_prefix('='))
            .find_map(|value| {
                let (expires, signature) = value.split_once('.')?;
                let expires_ms: i64 = expires.parse().ok()?;
                let ours = self.settings.signer.verify("session", &[expires, &self.settings.admin_token], signature);
                (ours && now_ms < expires_ms).then_some(Session { expires_ms, by_token: false })
            })
    }

    /// The session, or the way to the sign-in page.
    pub(super) fn must_be_signed_in(&self, headers: &HeaderMap, next: &str) -> Result<Session, Refused> {
        self.session(headers).ok_or_else(|| Refused::SignIn { next: next.to_owned() })
    }

    /// The secret that the forms of a session carry.
    pub(super) fn csrf(&self, session: &Session) -> String {
        self.settings.signer.sign("csrf", &[&session.expires_ms.to_string(), &self.settings.admin_token])
    }

    /// Whether a form came from one of our pages.
    pub(super) fn is_our_form(&self, session: &Session, csrf: &str) -> bool {
        if session.by_token {
            return true;
        }
        let fields = [&session.expires_ms.to_string(), &self.settings.admin_token];
        self.settings.signer.verify("csrf", &fields.map(String::as_str), csrf)
    }

    /// Compared as signatures, which takes the same time whatever is wrong.
    fn is_token(&self, text: &str) -> bool {
        let signature = self.settings.signer.sign("token", &[text]);
        self.settings.signer.verify("token", &[&self.settings.admin_token], &signature)
    }

    fn cookie(&self, value: &str, life_s: i64) -> HeaderValue {
        let secure = if self.settings.public_url.starts_with("https:") { "; Secure" } else { "" };
        let path = if self.root().is_empty() { "/" } else { self.root() };
        let text = format!("{COOKIE}={value}; Path={path}; Max-Age={life_s}; HttpOnly; SameSite=Lax{secure}");
        HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static(""))
    }
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
    form(&server, local(query.next.as_deref().unwrap_or("")), StatusCode::OK, None)
}

/// `POST /login`.
pub(super) async fn login(State(server): State<Arc<Server>>, InForm(credentials): InForm<Credentials>) -> Response {
    let now_ms = server.clock.now_ms();
    let next = local(&credentials.next);
    if !server.guesses.allow(now_ms) {
        let error = "Too many wrong tokens. Wait a minute.".to_owned();
        return form(&server, next, StatusCode::TOO_MANY_REQUESTS, Some(error));
    }
    if !server.is_token(credentials.token.trim()) {
        server.guesses.wrong();
        let error = "That is not the admin token. The server printed it at its first start; ADMIN_TOKEN sets another.";
        return form(&server, next, StatusCode::FORBIDDEN, Some(error.to_owned()));
    }
    let expires = (now_ms + SESSION_LIFE_MS).to_string();
    let signature = server.settings.signer.sign("session", &[&expires, &server.settings.admin_token]);
    let mut response = redirect(&if next.is_empty() { format!("{}/", server.root()) } else { next.to_owned() });
    let cookie = server.cookie(&format!("{expires}.{signature}"), SESSION_LIFE_MS / 1000);
    response.headers_mut().insert(header::SET_COOKIE, cookie);
    response
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
    let to = format!("{}/login", server.root());
    let mut response = redirect(&to);
    if server.session(&headers).is_some_and(|session| server.is_our_form(&session, &leave.csrf)) {
        response.headers_mut().insert(header::SET_COOKIE, server.cookie("", 0));
    }
    response
}

fn form(server: &Server, next: &str, status: StatusCode, error: Option<String>) -> Response {
    let view = Login {
        action: format!("{}/login", server.root()),
        csrf: String::new(),
        next: next.to_owned(),
        error,
        github_url: None,
    };
    server.show(None, status, &view).unwrap_or_else(|refused| server.refuse(None, &refused))
}

/// The token of an `Authorization` header; names of schemes have no case.
fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.trim().split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// A path of ours; anything that could lead elsewhere, or be no header, is empty.
fn local(next: &str) -> &str {
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
