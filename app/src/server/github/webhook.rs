//! Webhooks from GitHub: checked, stored, answered at once, worked on later.

use crate::server::Server;
use crate::server::body::{self, BodyError, INLINE, IncomingBody};
use crate::server::budget::{self, Budget, Sender};
use crate::server::client::ClientGroup;
use crate::server::meters::Meters;
use crate::server::settings::ServerSettings;
use crate::server::state::Now;
use crate::services::github_app::GitHubApp;
use crate::services::{Wake, log_store_error};
use axum::extract::{FromRef, FromRequest, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use domain::event::Event;
use domain::secret::Secret;
use github::hook::{self, HookError};
use std::sync::Arc;
use store::Store;
use store::hooks::Inserted;

/// GitHub's own limit on payloads:
/// <https://docs.github.com/en/webhooks/webhook-events-and-payloads>.
const MAX_PAYLOAD: usize = 25 << 20;
const _: () = assert!(MAX_PAYLOAD <= budget::LARGE_OF_ONE, "a webhook fits into a stranger's share");

/// A webhook whose signature is GitHub's.
pub(super) struct VerifiedWebhook {
    /// GitHub's id of this delivery.
    delivery: String,
    /// Name of the event.
    name: String,
    event: Event,
}

impl FromRequest<Server> for VerifiedWebhook {
    type Rejection = WebhookError;

    async fn from_request(request: Request, server: &Server) -> Result<Self, WebhookError> {
        let (parts, body) = request.into_parts();
        let client = ClientGroup::of(&parts, &Arc::<ServerSettings>::from_ref(server));
        let Parts { headers, .. } = parts;
        let signed = match Signed::of(&headers, server) {
            Ok(signed) => signed,
            Err(error) => {
                body::refuse(&headers, body);
                return Err(error);
            }
        };
        let budget = Arc::<Budget>::from_ref(server);
        let incoming = IncomingBody::open(&headers, body, MAX_PAYLOAD, &budget, Sender::Stranger(client))?;
        let (body, held) = incoming.whole().await?;
        if body.len() <= INLINE {
            return signed.read(&body);
        }
        let read = tokio::task::spawn_blocking(move || {
            let read = signed.read(&body);
            drop((body, held));
            read
        });
        read.await.unwrap_or_else(|panic| {
            tracing::error!(%panic, "a webhook could not be read");
            Err(WebhookError::Malformed("the payload can't be read".to_owned()))
        })
    }
}

/// What a webhook says before its body is read.
struct Signed {
    secret: Secret,
    signature: String,
    delivery: String,
    name: String,
}

impl Signed {
    /// Of these headers. What can't be GitHub's is refused without its body.
    fn of(headers: &HeaderMap, server: &Server) -> Result<Self, WebhookError> {
        let app = GitHubApp::from_ref(server).get().ok_or(WebhookError::NoApp)?;
        let secret = app.webhook_secret.clone().ok_or(WebhookError::NoSecret)?;
        let signature = text(headers, "x-hub-signature-256");
        match hook::verify(secret.expose(), signature, &[]) {
            // Of another body, as it should be.
            Ok(()) | Err(HookError::WrongSignature) => {}
            Err(error) => return Err(WebhookError::Unsigned(error.to_string())),
        }
        // A request without them is refused once it is signed, and so is told from a stranger's.
        let named = |header: &str| text(headers, header).unwrap_or_default().to_owned();
        Ok(Self {
            secret,
            signature: signature.unwrap_or_default().to_owned(),
            delivery: named("x-github-delivery"),
            name: named("x-github-event"),
        })
    }

    fn read(self, body: &[u8]) -> Result<VerifiedWebhook, WebhookError> {
        let Self { secret, signature, delivery, name } = self;
        // Before anything is parsed.
        hook::verify(secret.expose(), Some(&signature), body)
            .map_err(|error| WebhookError::Unsigned(error.to_string()))?;
        if name.is_empty() || delivery.is_empty() {
            return Err(WebhookError::Unnamed);
        }
        let event = hook::parse(&name, body).map_err(|error| WebhookError::Malformed(error.to_string()))?;
        Ok(VerifiedWebhook { delivery, name, event })
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// `POST /api/github/webhooks`: answers once it is stored.
pub(super) async fn receive(
    State(store): State<Store>,
    State(wake): State<Wake>,
    Now(now): Now,
    webhook: VerifiedWebhook,
) -> Result<WebhookOutcome, WebhookError> {
    if webhook.event == Event::Ignored {
        return Ok(WebhookOutcome::Ignored);
    }
    match store::hooks::insert(&store, &webhook.delivery, &webhook.name, &webhook.event, now).await {
        Ok(Inserted::New) => {
            wake.notify_one();
            Ok(WebhookOutcome::Stored)
        }
        Ok(Inserted::Repeated) => Ok(WebhookOutcome::Repeated),
        Err(error) => {
            log_store_error(&store, &error, "a webhook could not be stored");
            Err(WebhookError::NotStored)
        }
    }
}

/// What became of a webhook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WebhookOutcome {
    /// It is stored, and worked on later.
    Stored,
    /// It came before.
    Repeated,
    /// It is of no interest.
    Ignored,
}

impl IntoResponse for WebhookOutcome {
    fn into_response(self) -> Response {
        match self {
            Self::Stored => answer(StatusCode::ACCEPTED, "stored", "stored"),
            Self::Repeated => answer(StatusCode::OK, "seen before", "repeated"),
            Self::Ignored => answer(StatusCode::OK, "ignored", "ignored"),
        }
    }
}

/// Why a webhook is refused.
#[derive(Debug)]
pub(super) enum WebhookError {
    /// There is no App whose it could be.
    NoApp,
    /// There is no secret to check it by.
    NoSecret,
    /// It is longer than GitHub makes them.
    TooLarge,
    /// It did not come to its end.
    CutOff,
    /// It took too long.
    Slow,
    /// Too many bytes are in flight.
    Busy,
    /// Its signature is missing or wrong.
    Unsigned(String),
    /// It does not say what it is.
    Unnamed,
    /// It is not what it says.
    Malformed(String),
    /// The database is out of reach.
    NotStored,
}

impl From<BodyError> for WebhookError {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::TooLarge => Self::TooLarge,
            BodyError::CutOff(_) => Self::CutOff,
            BodyError::Slow => Self::Slow,
            BodyError::NoRoom => Self::Busy,
        }
    }
}

impl WebhookError {
    fn status(&self) -> StatusCode {
        match self {
            Self::NoApp | Self::NoSecret | Self::NotStored | Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
            Self::Slow => StatusCode::REQUEST_TIMEOUT,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::CutOff | Self::Unnamed | Self::Malformed(_) => StatusCode::BAD_REQUEST,
            Self::Unsigned(_) => StatusCode::UNAUTHORIZED,
        }
    }

    fn words(&self) -> String {
        match self {
            Self::NoApp => {
                "there is no GitHub App here: open /setup, or set APP_ID, PRIVATE_KEY and WEBHOOK_SECRET".to_owned()
            }
            Self::NoSecret => "WEBHOOK_SECRET is not set, so no webhook can be believed".to_owned(),
            Self::TooLarge => format!("a payload has at most {MAX_PAYLOAD} bytes"),
            Self::CutOff => "the payload did not come to its end".to_owned(),
            Self::Slow => "the payload took too long to arrive".to_owned(),
            Self::Busy => "too much arrives at once; deliver it again in a few seconds".to_owned(),
            Self::Unsigned(why) | Self::Malformed(why) => why.clone(),
            Self::Unnamed => "X-GitHub-Event or X-GitHub-Delivery is missing".to_owned(),
            Self::NotStored => "it could not be stored; deliver it again later".to_owned(),
        }
    }
}

impl IntoResponse for WebhookError {
    fn into_response(self) -> Response {
        let answer = answer(self.status(), &self.words(), "refused");
        match self {
            Self::Busy => ([(header::RETRY_AFTER, budget::RETRY_AFTER_S)], answer).into_response(),
            _ => answer,
        }
    }
}

/// How the metrics name what became of a webhook.
#[derive(Clone, Copy)]
struct Counted(&'static str);

/// The layer that counts what became of webhooks.
pub(super) async fn count(State(meters): State<Arc<Meters>>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    if let Some(Counted(result)) = response.extensions_mut().remove() {
        meters.hook(result);
    }
    response
}

fn answer(status: StatusCode, words: &str, counted: &'static str) -> Response {
    let body = serde_json::json!({ "status": words }).to_string();
    let mut response = (status, [(header::CONTENT_TYPE, "application/json")], body).into_response();
    response.extensions_mut().insert(Counted(counted));
    response
}
