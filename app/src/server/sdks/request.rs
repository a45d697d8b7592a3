//! A report on its way in: its key is checked as early as it can be, and its body read.

use super::client_name::client_name;
use crate::server::Server;
use crate::server::body::{self, INLINE_PACKED, IncomingBody};
use crate::server::budget::{Budget, Sender};
use crate::server::client::ClientGroup;
use crate::server::ingest::{Ingest, IngestError, IngestRequest, Payload, PrintedQuery};
use crate::server::settings::ServerSettings;
use axum::body::Body;
use axum::extract::{FromRef as _, FromRequestParts as _, Path};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, header};
use domain::ids::RepositoryId;
use domain::timestamp::Timestamp;
use std::sync::Arc;
use store::Store;
use store::ingest_keys::IngestAuth;
use wire::encoding::{MAX_BODY, beginning, decode};
use wire::{WireError, auth, sentry};

/// Bytes of an envelope's header among which its DSN is looked for: those of SDKs have some 500.
const MAX_HEADER: usize = 32 << 10;
/// Bytes of a packed body, as it is sent, among which that header ends: nobody knows yet whose it
/// is, and unpacking costs time though nothing comes out (see [`INLINE_PACKED`]). Of zstd nothing
/// comes out before its end, so that all of it is no longer.
const MAX_UNKNOWN: usize = INLINE_PACKED;

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

impl IngestRequest {
    /// `project` is filled in as soon as it is known whose the request is.
    ///
    /// # Errors
    /// It is refused; what is still to come of it is dropped.
    pub(super) async fn read(
        format: Format,
        project: &mut Option<RepositoryId>,
        (parts, body): (&mut Parts, Body),
        server: &Server,
        ingest: &Ingest,
        now: Timestamp,
    ) -> Result<Self, IngestError> {
        // Refused before the body is read, where key and project are outside of it.
        let (payload, admitted) = match Self::by_head(format, project, parts, server, ingest, now).await {
            Ok(read) => read,
            Err(error) => {
                body::refuse(&parts.headers, body);
                return Err(error);
            }
        };
        let encoding = content_encoding(&parts.headers);
        let budget = Arc::<Budget>::from_ref(server);
        let open = |body: Body, sender| IncomingBody::open(&parts.headers, body, MAX_BODY, &budget, sender);
        let client = ClientGroup::of(parts, &Arc::<ServerSettings>::from_ref(server));
        let (auth, incoming) = match admitted {
            Some(auth) => (auth, open(body, Sender::Known(client))?),
            None => {
                let mut incoming = open(body, Sender::Stranger(client))?;
                let entering = enter_by_envelope(project, &mut incoming, encoding.as_deref(), ingest, now);
                match Box::pin(entering).await {
                    Ok(auth) => (auth, incoming),
                    Err(error) => {
                        incoming.refuse();
                        return Err(error);
                    }
                }
            }
        };
        let (body, held) = incoming.whole().await?;
        Ok(Self { auth, payload, encoding, body, held, client, now })
    }

    /// What a request says without its body: what that holds, and who sends it, where that stands
    /// there.
    async fn by_head(
        format: Format,
        project: &mut Option<RepositoryId>,
        parts: &mut Parts,
        server: &Server,
        ingest: &Ingest,
        now: Timestamp,
    ) -> Result<(Payload, Option<IngestAuth>), IngestError> {
        if parts.method != Method::POST {
            project_of(format, parts).await?;
            return Err(IngestError::Method);
        }
        *project = project_of(format, parts).await?;
        let head = RequestHead::of(parts);
        let payload = Payload::of(format, &head)?;
        let admitted = match (*project, payload.key(&head)) {
            (Some(project), Some(found)) => Some(ingest.admit(project, &found.key, now).await?),
            (Some(_), None) if format != Format::Envelope => return Err(IngestError::NoKey),
            (Some(project), None) => {
                Box::pin(ingest.must_be_project(&Store::from_ref(server), project)).await?;
                None
            }
            (None, _) => None,
        };
        Ok((payload, admitted))
    }
}

/// All that the headers say of how the body is packed: one that comes several times is one list
/// (RFC 9110, 5.3).
fn content_encoding(headers: &HeaderMap) -> Option<String> {
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    headers.get_all(header::CONTENT_ENCODING).iter().map(text).reduce(|all, next| format!("{all}, {next}"))
}

/// Checks the key of the DSN that an envelope names in its header, as soon as that is there.
async fn enter_by_envelope(
    project: &mut Option<RepositoryId>,
    incoming: &mut IncomingBody,
    encoding: Option<&str>,
    ingest: &Ingest,
    now: Timestamp,
) -> Result<IngestAuth, IngestError> {
    let header = header_of(incoming, encoding).await?;
    let dsn = sentry::dsn(&header)?;
    let found = auth::find(None, None, None, dsn.as_deref()).ok_or(IngestError::NoKey)?;
    let named = found.project.map(RepositoryId).or(*project).ok_or(IngestError::NoProject)?;
    *project = Some(named);
    let auth = ingest.admit(named, &found.key, now).await?;
    incoming.is_known();
    Ok(auth)
}

/// The first line of an envelope; no more of it is read than that takes.
async fn header_of(incoming: &mut IncomingBody, encoding: Option<&str>) -> Result<Vec<u8>, IngestError> {
    let mut look_at = 0;
    loop {
        let is_whole = !incoming.more().await?;
        let length = incoming.bytes().len();
        // Of what is packed each time twice as much, since what came before is unpacked again.
        if encoding.is_some() && length < look_at && !is_whole {
            continue;
        }
        look_at = (2 * length).min(MAX_UNKNOWN);
        let most = if encoding.is_some() { MAX_UNKNOWN } else { MAX_HEADER };
        let head = beginning(encoding, &incoming.bytes()[..length.min(most)], MAX_HEADER)?;
        if let Some(end) = head.iter().position(|byte| *byte == b'\n') {
            return Ok(head[..end].to_vec());
        }
        if head.len() == MAX_HEADER || length > most {
            let what = format!(
                "the envelope's header is longer than {MAX_HEADER} bytes, or does not come out of the first \
                 {MAX_UNKNOWN} of a packed body, and no other place names a key"
            );
            return Err(WireError::Malformed { what, at: Some(0) }.into());
        }
        if is_whole {
            // A header without items; or nothing, of which unpacking it says why.
            return Ok(
                if head.is_empty() { decode(encoding, incoming.bytes(), MAX_HEADER)? } else { head }.into_owned()
            );
        }
    }
}

/// The number of the project that a path names; none on the route of tunnels. Whatever is not a
/// number is no project of ours.
async fn project_of(format: Format, parts: &mut Parts) -> Result<Option<RepositoryId>, IngestError> {
    if format == Format::Tunnel {
        return Ok(None);
    }
    let path = Path::<String>::from_request_parts(parts, &()).await;
    path.ok().and_then(|Path(text)| number(&text)).map(Some).ok_or(IngestError::NoProject)
}

fn number(text: &str) -> Option<RepositoryId> {
    text.parse().ok().map(RepositoryId)
}

/// What a request says beside its body.
#[derive(Clone, Copy, Debug)]
pub(super) struct RequestHead<'a> {
    /// Query without `?`.
    query: Option<&'a str>,
    headers: &'a HeaderMap,
}

impl<'a> RequestHead<'a> {
    /// Of this request.
    pub(super) fn of(parts: &'a Parts) -> Self {
        Self { query: parts.uri.query(), headers: &parts.headers }
    }

    /// A header that is text.
    fn header(&self, name: &str) -> Option<&'a str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// Name of the client, as far as it says.
    pub(super) fn client(&self) -> Option<String> {
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
    fn what_is_said_twice_of_the_packing_is_one_list() {
        let mut headers = HeaderMap::new();
        assert_eq!(content_encoding(&headers), None);
        for value in ["identity", "gzip"] {
            headers.append(header::CONTENT_ENCODING, HeaderValue::from_static(value));
        }
        assert_eq!(content_encoding(&headers).as_deref(), Some("identity, gzip"));
    }

    #[test]
    fn projects_are_numbers() {
        assert_eq!(number("42"), Some(RepositoryId(42)));
        for no in ["", "shop", "4 2", "9223372036854775808", "1e3"] {
            assert_eq!(number(no), None, "{no}");
        }
    }
}
