//! What a client calls itself.

use axum::extract::Request;
use axum::http::{HeaderValue, Uri};
use wire::auth::SENTRY_AUTH;

/// Where a request names its client; read only once somebody wants to know.
#[derive(Clone, Debug)]
pub(super) struct ClientName {
    uri: Uri,
    signed: Option<HeaderValue>,
    agent: Option<HeaderValue>,
}

impl ClientName {
    /// Shares the request's own bytes: nothing is copied.
    pub(super) fn of(request: &Request) -> Self {
        let header = |name: &str| request.headers().get(name).cloned();
        Self { uri: request.uri().clone(), signed: header(SENTRY_AUTH), agent: header("user-agent") }
    }

    /// The name.
    pub(super) fn read(&self) -> Option<String> {
        let text = |value: &Option<HeaderValue>| value.as_ref()?.to_str().ok().map(str::to_owned);
        client_name(self.uri.query(), text(&self.signed).as_deref(), text(&self.agent).as_deref())
    }
}

/// The client as the query, the header of the SDKs or the user agent name it.
pub(super) fn client_name(query: Option<&str>, signed: Option<&str>, agent: Option<&str>) -> Option<String> {
    let parts = signed.into_iter().flat_map(|header| header.split([',', ' ']));
    let named = parts.filter_map(|part| part.trim().strip_prefix("sentry_client=")).next();
    let queried = || {
        let query = url::form_urlencoded::parse(query?.as_bytes());
        query.into_iter().find(|(name, _)| name == "sentry_client").map(|(_, value)| value.into_owned())
    };
    named.map(str::to_owned).or_else(queried).or_else(|| agent.map(str::to_owned))
}
