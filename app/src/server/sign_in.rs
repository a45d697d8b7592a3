//! Signing in with GitHub: to its page and back, bound to this browser by a cookie, and to this flow by PKCE.
//!
//! <https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-user-access-token-for-a-github-app>

use super::Server;
use super::auth::{browser, cookies, local, random_value};
use super::extract::InQuery;
use super::pages::answer;
use super::respond::{Refused, redirect};
use crate::steps::sign_in::SignInError;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::links::query;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// How long GitHub's page may stay open: the code that it gives is good for ten minutes.
const FLOW_LIFE_MS: i64 = 10 * 60_000;
/// The cookie that says which browser began.
const COOKIE: &str = "flawless_sign_in";

#[derive(Debug, Deserialize)]
pub(super) struct Begin {
    #[serde(default)]
    next: String,
}

/// `GET /auth/github`: to GitHub's page.
pub(super) async fn begin(
    State(server): State<Arc<Server>>,
    headers: HeaderMap,
    InQuery(asked): InQuery<Begin>,
) -> Response {
    let result = async {
        let Some(sign_in) = server.services.app.get().and_then(|app| app.sign_in) else {
            return Err(Refused::NotFound("Signing in with GitHub is not set up on this server.".to_owned()));
        };
        let flow = Flow {
            state: random_value()?,
            verifier: random_value()?,
            expires_ms: server.clock.now_ms() + FLOW_LIFE_MS,
            next: local(&asked.next).to_owned(),
        };
        let to = format!(
            "{}/login/oauth/authorize?{}",
            server.services.forge_url,
            query(&[
                ("client_id", sign_in.client_id),
                ("redirect_uri", redirect_uri(&server)),
                ("state", flow.state.clone()),
                ("code_challenge", challenge(&flow.verifier)),
                ("code_challenge_method", "S256".to_owned()),
            ])
        );
        let mut response = redirect(&to);
        let cookie = server.cookie(COOKIE, &flow.to_cookie(&server), FLOW_LIFE_MS / 1000);
        response.headers_mut().insert(header::SET_COOKIE, cookie);
        Ok(response)
    };
    answer(&server, &headers, result.await).await
}

#[derive(Debug, Deserialize)]
pub(super) struct Back {
    #[serde(default)]
    code: String,
    #[serde(default)]
    state: String,
    #[serde(default)]
    error: String,
    #[serde(default)]
    error_description: String,
}

/// `GET /auth/github/callback`: back from GitHub's page. GitHub also sends people here who have just installed the App, with
/// no state of ours: they begin anew.
pub(super) async fn callback(
    State(server): State<Arc<Server>>,
    headers: HeaderMap,
    InQuery(back): InQuery<Back>,
) -> Response {
    let now_ms = server.clock.now_ms();
    let flow = cookies(&headers, COOKIE).find_map(|value| Flow::from_cookie(&server, value));
    let mut response = match signed_in(&server, &headers, &back, flow, now_ms).await {
        Ok((value, next)) => {
            let to = if next.is_empty() { format!("{}/", server.root()) } else { next };
            let mut response = redirect(&to);
            response.headers_mut().append(header::SET_COOKIE, server.session_cookie(&value));
            response
        }
        Err(why) => server.sign_in_page("", StatusCode::FORBIDDEN, Some(why)),
    };
    // A flow is good for one return, however it ended.
    response.headers_mut().append(header::SET_COOKIE, server.cookie(COOKIE, "", 0));
    response
}

/// The new session's cookie value and where to go, or what to tell.
async fn signed_in(
    server: &Server,
    headers: &HeaderMap,
    back: &Back,
    flow: Option<Flow>,
    now_ms: i64,
) -> Result<(String, String), String> {
    let again = "Begin again with the button.";
    let flow = flow
        .filter(|flow| now_ms < flow.expires_ms)
        .ok_or_else(|| format!("Signing in was begun more than ten minutes ago, or in another browser. {again}"))?;
    if !server.settings.signer.verify("state", &[&back.state], &server.settings.signer.sign("state", &[&flow.state])) {
        return Err(format!("GitHub's answer belongs to another try to sign in. {again}"));
    }
    if back.error == "access_denied" {
        return Err(format!("You did not let GitHub sign you in here. {again}"));
    }
    if !back.error.is_empty() || back.code.is_empty() {
        let said = if back.error_description.is_empty() { &back.error } else { &back.error_description };
        return Err(format!("GitHub does not sign you in: {said}. {again}"));
    }
    let value = random_value().map_err(|_| "This system gives no randomness.".to_owned())?;
    let proof = (back.code.as_str(), flow.verifier.as_str(), redirect_uri(server));
    let begun = server.services.begin_session(&value, (proof.0, proof.1, &proof.2), browser(headers), now_ms).await;
    match begun {
        Ok(_) => {
            server.end_former(headers).await;
            Ok((value, flow.next))
        }
        Err(error @ (SignInError::Refused(_) | SignInError::NotSetUp)) => Err(format!("{error}. {again}")),
        Err(error) => {
            tracing::error!(%error, "nobody could be signed in");
            Err(format!("{error}. Try again in a moment, or sign in with the admin token."))
        }
    }
}

/// A sign-in under way, kept in the browser's cookie and signed.
struct Flow {
    state: String,
    verifier: String,
    expires_ms: i64,
    next: String,
}

impl Flow {
    fn to_cookie(&self, server: &Server) -> String {
        let next: String = self.next.bytes().map(|byte| format!("{byte:02x}")).collect();
        let text = format!("{}.{}.{}.{next}", self.state, self.verifier, self.expires_ms);
        let signature = server.settings.signer.sign("flow", &[&text]);
        format!("{text}.{signature}")
    }

    fn from_cookie(server: &Server, value: &str) -> Option<Self> {
        let (text, signature) = value.rsplit_once('.')?;
        if !server.settings.signer.verify("flow", &[text], signature) {
            return None;
        }
        let mut parts = text.split('.');
        let (state, verifier, expires, next) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let bytes: Option<Vec<u8>> =
            (0..next.len() / 2).map(|at| u8::from_str_radix(next.get(2 * at..2 * at + 2)?, 16).ok()).collect();
        Some(Self {
            state: state.to_owned(),
            verifier: verifier.to_owned(),
            expires_ms: expires.parse().ok()?,
            next: local(&String::from_utf8(bytes?).ok()?).to_owned(),
        })
    }
}

fn redirect_uri(server: &Server) -> String {
    format!("{}/auth/github/callback", server.services.linker.base())
}

/// The challenge of a verifier, by S256 of RFC 7636.
fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::challenge;

    #[test]
    fn the_challenge_is_that_of_rfc_7636() {
        // Appendix B.
        assert_eq!(
            challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
        );
    }
}
