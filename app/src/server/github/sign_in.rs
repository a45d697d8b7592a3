//! Signing in with GitHub: to its page and back, bound to this browser by a cookie, and to this
//! flow by PKCE.
//!
//! <https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-user-access-token-for-a-github-app>

use crate::random::random_secret;
use crate::server::page_error::PageError;
use crate::server::people::sign_in_page;
use crate::server::query::Query;
use crate::server::session::{SessionCookies, cookies};
use crate::server::settings::ServerSettings;
use crate::server::state::{GitHubUrl, Now};
use crate::server::urls::{Urls, local};
use crate::services::github_app::GitHubApp;
use crate::services::sessions::{AuthorizationCode, SignInError};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse, Redirect, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::links::query;
use domain::signature::Signer;
use domain::timestamp::Timestamp;
use jiff::SignedDuration;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// How long GitHub's page may stay open: the code that it gives is good for ten minutes.
const FLOW_LIFE: SignedDuration = SignedDuration::from_mins(10);
/// Longest address that somebody is led back to, in bytes. It stands in the cookie, in hexadecimal
/// digits, and browsers drop one that has more than 4,096 bytes.
const LONGEST_NEXT: usize = 1_500;
/// The cookie that says which browser began.
const COOKIE: &str = "flawless_sign_in";
/// What to do about most of what can go wrong.
const AGAIN: &str = "Begin again with the button.";

/// Where to go once somebody is signed in.
#[derive(Debug, Deserialize)]
pub(super) struct SignInQuery {
    #[serde(default)]
    next: String,
}

/// `GET /auth/github`: to GitHub's page.
pub(super) async fn begin(
    State(app): State<GitHubApp>,
    State(GitHubUrl(github_url)): State<GitHubUrl>,
    State(sessions): State<SessionCookies>,
    State(settings): State<Arc<ServerSettings>>,
    State(urls): State<Urls>,
    Now(now): Now,
    Query(asked): Query<SignInQuery>,
) -> Result<impl IntoResponse, PageError> {
    let Some(sign_in) = app.get().and_then(|app| app.sign_in) else {
        return Err(PageError::NotFound("Signing in with GitHub is not set up on this server.".to_owned()));
    };
    let flow = SignInFlow::begin(&way_back(&asked.next, &urls), now)?;
    let address = format!("{github_url}/login/oauth/authorize?{}", flow.query(sign_in.client_id, &urls));
    let cookie = sessions.cookie(COOKIE, &flow.to_cookie(&settings.signer), FLOW_LIFE.as_secs());
    Ok(([(header::SET_COOKIE, cookie)], Redirect::to(&address)))
}

/// What GitHub's page says.
#[derive(Debug, Deserialize)]
pub(super) struct CallbackQuery {
    #[serde(default)]
    code: String,
    #[serde(default)]
    state: String,
    #[serde(default)]
    error: String,
    #[serde(default)]
    error_description: String,
}

/// `GET /auth/github/callback`: back from GitHub's page. GitHub also sends people here who have
/// just installed the App, with no state of ours: they begin anew.
pub(super) async fn callback(
    State(app): State<GitHubApp>,
    State(sessions): State<SessionCookies>,
    State(settings): State<Arc<ServerSettings>>,
    State(urls): State<Urls>,
    Now(now): Now,
    headers: HeaderMap,
    Query(query): Query<CallbackQuery>,
) -> Response {
    let flow = cookies(&headers, COOKIE).find_map(|value| SignInFlow::from_cookie(&settings.signer, value));
    let signed_in = match sound(query, flow, &settings.signer, now) {
        Ok((code, flow)) => sign_in(&sessions, &headers, &code, &flow.verifier, &urls).await.map(|it| (it, flow.next)),
        Err(why) => Err(why),
    };
    // A flow is good for one return, however it ended.
    let over = (header::SET_COOKIE, sessions.cookie(COOKIE, "", 0));
    match signed_in {
        Ok((session, next)) => {
            let to = if next.is_empty() { urls.page("/") } else { next };
            (AppendHeaders([(header::SET_COOKIE, session), over]), Redirect::to(&to)).into_response()
        }
        Err(why) => {
            let page = sign_in_page(&urls, &app, settings.token_origin, "", Some(why));
            (StatusCode::FORBIDDEN, [over], page).into_response()
        }
    }
}

/// Where to go then: where they came from; where that is too long for a cookie, the page of its
/// repository, else the first page.
fn way_back(next: &str, urls: &Urls) -> String {
    let next = local(next);
    if next.len() <= LONGEST_NEXT {
        return next.to_owned();
    }
    let asked = next.split_once('?').map_or("", |(_, query)| query);
    let repository = url::form_urlencoded::parse(asked.as_bytes()).find(|(name, _)| name == "repo");
    let page = repository.map_or_else(String::new, |(_, name)| urls.page(&format!("/{name}")));
    if page.len() <= LONGEST_NEXT { local(&page).to_owned() } else { String::new() }
}

/// GitHub's code and the flow that it belongs to, or what to tell.
fn sound(
    query: CallbackQuery,
    flow: Option<SignInFlow>,
    signer: &Signer,
    now: Timestamp,
) -> Result<(String, SignInFlow), String> {
    let flow = flow.filter(|flow| now < flow.expires_at);
    let flow =
        flow.ok_or_else(|| format!("Signing in was begun more than ten minutes ago, or in another browser. {AGAIN}"))?;
    if !signer.verify("state", &[&query.state], &signer.sign("state", &[&flow.state])) {
        return Err(format!("GitHub's answer belongs to another try to sign in. {AGAIN}"));
    }
    if query.error == "access_denied" {
        return Err(format!("You did not let GitHub sign you in here. {AGAIN}"));
    }
    if !query.error.is_empty() || query.code.is_empty() {
        let said = if query.error_description.is_empty() { &query.error } else { &query.error_description };
        return Err(format!("GitHub does not sign you in: {said}. {AGAIN}"));
    }
    Ok((query.code, flow))
}

/// The new session's cookie, or what to tell. `code` is GitHub's, `verifier` the flow's.
async fn sign_in(
    sessions: &SessionCookies,
    headers: &HeaderMap,
    code: &str,
    verifier: &str,
    urls: &Urls,
) -> Result<HeaderValue, String> {
    match sessions.begin(headers, AuthorizationCode { code, verifier, redirect_uri: &redirect_uri(urls) }).await {
        Ok(cookie) => Ok(cookie),
        Err(error @ (SignInError::Refused(_) | SignInError::NotSetUp)) => Err(format!("{error}. {AGAIN}")),
        Err(error) => {
            tracing::error!(%error, "nobody could be signed in");
            Err(format!("{error}. Try again in a moment, or sign in with the admin token."))
        }
    }
}

/// A sign-in under way, kept in the browser's cookie and signed.
struct SignInFlow {
    state: String,
    verifier: String,
    expires_at: Timestamp,
    next: String,
}

impl SignInFlow {
    fn begin(next: &str, now: Timestamp) -> Result<Self, getrandom::Error> {
        let (state, verifier) = (random_secret()?, random_secret()?);
        Ok(Self { state, verifier, expires_at: now + FLOW_LIFE, next: next.to_owned() })
    }

    /// What GitHub's page is asked.
    fn query(&self, client_id: String, urls: &Urls) -> String {
        query(&[
            ("client_id", client_id),
            ("redirect_uri", redirect_uri(urls)),
            ("state", self.state.clone()),
            ("code_challenge", challenge(&self.verifier)),
            ("code_challenge_method", "S256".to_owned()),
        ])
    }

    fn to_cookie(&self, signer: &Signer) -> String {
        let next = hex::encode(&self.next);
        let text = format!("{}.{}.{}.{next}", self.state, self.verifier, self.expires_at.as_millis());
        let signature = signer.sign("flow", &[&text]);
        format!("{text}.{signature}")
    }

    fn from_cookie(signer: &Signer, value: &str) -> Option<Self> {
        let (text, signature) = value.rsplit_once('.')?;
        if !signer.verify("flow", &[text], signature) {
            return None;
        }
        let mut parts = text.split('.');
        let (state, verifier, expires, next) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        Some(Self {
            state: state.to_owned(),
            verifier: verifier.to_owned(),
            expires_at: Timestamp::from_millis(expires.parse().ok()?),
            next: local(&String::from_utf8(hex::decode(next).ok()?).ok()?).to_owned(),
        })
    }
}

fn redirect_uri(urls: &Urls) -> String {
    urls.public("/auth/github/callback")
}

/// The challenge of a verifier, by S256 of RFC 7636.
fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_way_back_leads_to_its_repository() {
        let signer = Signer::new(b"secret");
        let linker = domain::links::Linker::new("https://x.example/errors", signer.clone());
        let urls = Urls::new("https://x.example/errors", linker);
        let long = |query: &str| way_back(&format!("/errors/view_traceback?{query}&text={}", "x".repeat(4_000)), &urls);
        assert_eq!(long("repo=acme%2Fshop"), "/errors/acme/shop");
        assert_eq!((long("text=x"), long(&format!("repo={}", "x".repeat(2_000)))), (String::new(), String::new()));
        let longest = format!("/{}", "x".repeat(LONGEST_NEXT - 1));
        assert_eq!(way_back(&longest, &urls), longest);
        let now = Timestamp::from_seconds(1_800_000_000);
        let cookie = SignInFlow::begin(&longest, now).expect("random").to_cookie(&signer);
        assert!(COOKIE.len() + cookie.len() < 3_500, "{}", cookie.len());
        assert_eq!(SignInFlow::from_cookie(&signer, &cookie).map(|flow| flow.next), Some(longest));
    }

    #[test]
    fn the_challenge_is_that_of_rfc_7636() {
        // Appendix B.
        assert_eq!(
            challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
        );
    }
}
