//! A report on its way in: its key is checked, and its body read and unpacked.

use super::answer::IngestAnswer;
use super::client_name::client_name;
use crate::server::Server;
use crate::server::body;
use crate::server::ingest::{Ingest, IngestError, IngestRequest, Payload, PrintedQuery};
use axum::body::Bytes;
use axum::extract::{FromRef, FromRequest, FromRequestParts, Path, Request};
use axum::http::HeaderMap;
use axum::http::request::Parts;
use domain::ids::RepositoryId;
use domain::timestamp::Timestamp;
use std::borrow::Cow;
use std::sync::Arc;
use store::ingest_keys::IngestAuth;
use wire::encoding::{MAX_DECODED, decode};
use wire::{auth, sentry};

/// In which form a route takes reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// A Sentry envelope.
    Envelope,
    /// A Sentry event by itself.
    Event,
    /// A traceback as it was printed.
    Printed,
    /// An envelope that names key and project in its header only, as browsers send it past their
    /// blockers.
    Tunnel,
}

impl Payload {
    /// Read from what a request says beside its body.
    fn of(format: Format, head: &RequestHead<'_>) -> Result<Self, IngestError> {
        Ok(match format {
            Format::Envelope | Format::Tunnel => Self::Envelope,
            Format::Event => Self::Event,
            Format::Printed => Self::Printed(PrintedQuery::read(head.query.unwrap_or(""))?, head.client()),
        })
    }

    /// The key, where it stands outside of the body.
    fn key(&self, head: &RequestHead<'_>) -> Option<auth::Credentials> {
        match self {
            Self::Printed(query, _) => head.key().or_else(|| query.key()),
            Self::Envelope | Self::Event => head.key(),
        }
    }
}

impl FromRequest<Server> for IngestRequest {
    type Rejection = IngestAnswer;

    async fn from_request(request: Request, server: &Server) -> Result<Self, IngestAnswer> {
        let mut project = None;
        let read = Self::read(&mut project, request, server).await;
        read.map_err(|error| IngestAnswer { project, result: Err(error) })
    }
}

impl IngestRequest {
    /// `project` is filled in as soon as it is known whose the request is.
    async fn read(project: &mut Option<RepositoryId>, request: Request, server: &Server) -> Result<Self, IngestError> {
        let ingest = Arc::<Ingest>::from_ref(server);
        let now = ingest.now();
        let (mut parts, body) = request.into_parts();
        let format = format_of(&parts);
        *project = NamedProject::from_request_parts(&mut parts, server).await?.0;
        let head = RequestHead::of(&parts);
        let payload = Payload::of(format, &head)?;
        // Refused before the body is read, where key and project are outside of it.
        let admitted = match (*project, payload.key(&head)) {
            (Some(project), Some(found)) => Some(ingest.enter(project, &found.key, now).await?),
            (Some(_), None) if format != Format::Envelope => return Err(IngestError::NoKey),
            _ => None,
        };
        let body = unpacked(Request::from_parts(parts, body)).await?;
        let auth = match admitted {
            Some(auth) => auth,
            None => enter_by_envelope(project, &body, &ingest, now).await?,
        };
        Ok(Self { auth, payload, body, now })
    }
}

/// Each route says its format ([`super::reports`]).
fn format_of(parts: &Parts) -> Format {
    parts.extensions.get().map_or(Format::Envelope, |format: &Format| *format)
}

async fn unpacked(request: Request) -> Result<Bytes, IngestError> {
    let encoding = request.headers().get("content-encoding").cloned();
    let encoding = encoding.as_ref().and_then(|value| value.to_str().ok());
    let packed = body::read(request).await?;
    Ok(match decode(encoding, &packed, MAX_DECODED)? {
        Cow::Borrowed(bytes) => packed.slice_ref(bytes),
        Cow::Owned(bytes) => bytes.into(),
    })
}

/// Checks the key of the DSN that an envelope names.
async fn enter_by_envelope(
    project: &mut Option<RepositoryId>,
    body: &[u8],
    ingest: &Ingest,
    now: Timestamp,
) -> Result<IngestAuth, IngestError> {
    let dsn = sentry::dsn(body)?;
    let found = auth::find(None, None, None, dsn.as_deref()).ok_or(IngestError::NoKey)?;
    let named = found.project.map(RepositoryId).or(*project).ok_or(IngestError::NoProject)?;
    *project = Some(named);
    ingest.enter(named, &found.key, now).await
}

/// The number of the project that a path names; none on the route of tunnels. Whatever is not a
/// number is no project of ours.
#[derive(Clone, Copy, Debug)]
pub(super) struct NamedProject(Option<RepositoryId>);

impl FromRequestParts<Server> for NamedProject {
    type Rejection = IngestError;

    async fn from_request_parts(parts: &mut Parts, server: &Server) -> Result<Self, IngestError> {
        if format_of(parts) == Format::Tunnel {
            return Ok(Self(None));
        }
        let path = Path::<String>::from_request_parts(parts, server).await;
        let named = path.ok().and_then(|Path(text)| number(&text)).ok_or(IngestError::NoProject)?;
        Ok(Self(Some(named)))
    }
}

fn number(text: &str) -> Option<RepositoryId> {
    text.parse().ok().map(RepositoryId)
}

/// What a request says beside its body.
#[derive(Clone, Copy, Debug)]
struct RequestHead<'a> {
    /// Query without `?`.
    query: Option<&'a str>,
    headers: &'a HeaderMap,
}

impl<'a> RequestHead<'a> {
    fn of(parts: &'a Parts) -> Self {
        Self { query: parts.uri.query(), headers: &parts.headers }
    }

    /// A header that is text.
    fn header(&self, name: &str) -> Option<&'a str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// Name of the client, as far as it says.
    fn client(&self) -> Option<String> {
        client_name(self.query, self.header(auth::SENTRY_AUTH), self.header("user-agent"))
    }

    /// The key.
    fn key(&self) -> Option<auth::Credentials> {
        auth::find(self.query, self.header(auth::SENTRY_AUTH), self.header(auth::AUTHORIZATION), None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn projects_are_numbers() {
        assert_eq!(number("42"), Some(RepositoryId(42)));
        for no in ["", "shop", "4 2", "9223372036854775808", "1e3"] {
            assert_eq!(number(no), None, "{no}");
        }
    }
}
