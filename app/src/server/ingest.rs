//! Reports from Sentry SDKs.

use super::Server;
use super::arrivals::Sketch;
use super::refusal::{Outcome, Refusal};
use crate::steps::accept::{Entry, Occurrence};
use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, Method};
use axum::response::Response;
use domain::fingerprint::Fingerprint;
use domain::ids::RepositoryId;
use domain::report::Report;
use std::sync::Arc;
use store::ingest_keys::IngestAuth;
use wire::encoding::{MAX_BODY, MAX_DECODED, decode};
use wire::{auth, sentry, sentry_event};

/// Occurrences that one report may stand for. Our own client folds what happens within seconds, which stays far below; a
/// browser's key is public, and sums of larger numbers would not fit into the database's integers.
const MOST_OCCURRENCES: u64 = 1_000_000;

/// A request, before anything of it was looked at.
pub(super) struct Asked<'a> {
    /// Its method.
    pub(super) method: &'a Method,
    /// Query without `?`.
    pub(super) query: Option<&'a str>,
    /// Its headers.
    pub(super) headers: &'a HeaderMap,
}

impl<'a> Asked<'a> {
    /// A header that is text.
    pub(super) fn header(&self, name: &str) -> Option<&'a str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// Name of the client, as far as it says.
    pub(super) fn client(&self) -> Option<String> {
        let signed = self.header("x-sentry-auth").into_iter().flat_map(|header| header.split([',', ' ']));
        let named = signed.filter_map(|part| part.trim().strip_prefix("sentry_client=")).next();
        let queried = || {
            let query = url::form_urlencoded::parse(self.query?.as_bytes());
            query.into_iter().find(|(name, _)| name == "sentry_client").map(|(_, value)| value.into_owned())
        };
        named.map(str::to_owned).or_else(queried).or_else(|| self.header("user-agent").map(str::to_owned))
    }

    /// The key, where it stands outside of the body.
    pub(super) fn key(&self) -> Option<auth::Credentials> {
        auth::find(self.query, self.header("x-sentry-auth"), self.header("authorization"), None)
    }
}

/// The project of an address. Whatever is not a number is no project of ours.
pub(super) type Project = Result<Path<String>, PathRejection>;

/// The number of a project.
pub(super) fn number(project: Project) -> Result<RepositoryId, Refusal> {
    let Ok(Path(text)) = project else { return Err(Refusal::NoProject) };
    text.parse().map(RepositoryId).map_err(|_| Refusal::NoProject)
}

/// `POST /api/{project}/envelope/`.
pub(super) async fn envelope(
    State(server): State<Arc<Server>>,
    project: Project,
    RawQuery(query): RawQuery,
    method: Method,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let asked = Asked { method: &method, query: query.as_deref(), headers: &headers };
    let (project, result) = match number(project) {
        Ok(project) => take_envelope(&server, Some(project), &asked, body).await,
        Err(refusal) => (None, Err(refusal)),
    };
    server.remember(project, &asked, &result).await;
    server.answer(&method, result)
}

/// `POST /tunnel`: an envelope that names key and project in its header only, as browsers send it past their blockers.
pub(super) async fn tunnel(
    State(server): State<Arc<Server>>,
    method: Method,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let asked = Asked { method: &method, query: None, headers: &headers };
    let (project, result) = take_envelope(&server, None, &asked, body).await;
    server.remember(project, &asked, &result).await;
    server.answer(&method, result)
}

/// `POST /api/{project}/store/`.
pub(super) async fn store(
    State(server): State<Arc<Server>>,
    project: Project,
    RawQuery(query): RawQuery,
    method: Method,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let asked = Asked { method: &method, query: query.as_deref(), headers: &headers };
    let (project, result) = match number(project) {
        Ok(project) => (Some(project), take_event(&server, project, &asked, body).await),
        Err(refusal) => (None, Err(refusal)),
    };
    server.remember(project, &asked, &result).await;
    server.answer(&method, result)
}

/// Takes an envelope. Answers also whose it is, which the envelope alone may say.
pub(super) async fn take_envelope(
    server: &Server,
    project: Option<RepositoryId>,
    asked: &Asked<'_>,
    body: Body,
) -> (Option<RepositoryId>, Result<Outcome, Refusal>) {
    let mut whose = project;
    let result = read_envelope(server, &mut whose, asked, body).await;
    (whose, result)
}

async fn read_envelope(
    server: &Server,
    project: &mut Option<RepositoryId>,
    asked: &Asked<'_>,
    body: Body,
) -> Result<Outcome, Refusal> {
    if asked.method != Method::POST {
        return Err(Refusal::Method);
    }
    let now_ms = server.clock.now_ms();
    // Refused before the body is read, where key and project are outside of it.
    let known = match project.zip(project.and_then(|_| asked.key())) {
        Some((project, found)) => Some(server.enter(project, &found.key, now_ms).await?),
        None => None,
    };
    let body = super::extract::read(body, MAX_BODY).await?;
    let bytes = decode(asked.header("content-encoding"), &body, MAX_DECODED)?;
    let envelope = sentry::envelope(&bytes)?;
    let auth = match known {
        Some(auth) => auth,
        None => {
            let found = auth::find(None, None, None, envelope.dsn.as_deref()).ok_or(Refusal::NoKey)?;
            let named = found.project.map(RepositoryId).or(*project).ok_or(Refusal::NoProject)?;
            *project = Some(named);
            server.enter(named, &found.key, now_ms).await?
        }
    };
    match envelope.event {
        Some(event) => take(server, auth, event, envelope.event_id.as_deref(), now_ms).await,
        None => Ok(Outcome::Ignored(None)),
    }
}

async fn take_event(server: &Server, project: RepositoryId, asked: &Asked<'_>, body: Body) -> Result<Outcome, Refusal> {
    if asked.method != Method::POST {
        return Err(Refusal::Method);
    }
    let now_ms = server.clock.now_ms();
    let found = asked.key().ok_or(Refusal::NoKey)?;
    let auth = server.enter(project, &found.key, now_ms).await?;
    let body = super::extract::read(body, MAX_BODY).await?;
    let bytes = decode(asked.header("content-encoding"), &body, MAX_DECODED)?;
    take(server, auth, &bytes, None, now_ms).await
}

async fn take(
    server: &Server,
    auth: IngestAuth,
    bytes: &[u8],
    id_beside: Option<&str>,
    now_ms: i64,
) -> Result<Outcome, Refusal> {
    let mut scratch = String::new();
    let event = sentry_event::parse(bytes, &mut scratch)?;
    let id = event.event_id().or_else(|| sentry_event::normal_event_id(id_beside?)).unwrap_or_else(random_id);
    if !event.is_error() {
        return Ok(Outcome::Ignored(Some(id)));
    }
    let occurrence = Occurrence {
        count: event.count(),
        server: event.server_name().to_owned(),
        environment: event.environment().to_owned(),
    };
    let fingerprint = event.fingerprint();
    server.take(auth, fingerprint, occurrence, id, now_ms, || event.into_report()).await
}

impl Server {
    /// Checks a key.
    pub(super) async fn enter(&self, project: RepositoryId, key: &str, now_ms: i64) -> Result<IngestAuth, Refusal> {
        match self.accept.enter(project, key, now_ms).await? {
            Entry::Open(auth) => Ok(auth),
            Entry::Revoked(at_ms) => Err(Refusal::Revoked { at_ms }),
            Entry::WrongKey => Err(Refusal::WrongKey),
            Entry::NoProject => Err(Refusal::NoProject),
        }
    }

    /// Hands a report over, and waits until it is durable. The whole report is made only where it is wanted.
    pub(super) async fn take(
        &self,
        auth: IngestAuth,
        fingerprint: Fingerprint,
        mut occurrence: Occurrence,
        id: String,
        now_ms: i64,
        report: impl FnOnce() -> Report,
    ) -> Result<Outcome, Refusal> {
        occurrence.count = occurrence.count.clamp(1, MOST_OCCURRENCES);
        let look = self.accept.look(auth, fingerprint, now_ms);
        let report = look.wants_report.then(|| {
            let mut report = report();
            report.event_id.clone_from(&id);
            report.count = occurrence.count;
            report
        });
        let repeat = report.is_none();
        let kept = report.as_ref().map(Sketch::of);
        self.accept.take(auth, fingerprint, look, occurrence, report, now_ms).await?;
        match kept {
            Some(sketch) => self.arrivals.taken(auth.id, fingerprint, sketch, now_ms),
            None => self.arrivals.repeated(auth.id, fingerprint, now_ms),
        }
        Ok(Outcome::Taken { id, repeat })
    }
}

/// 32 hexadecimal digits.
pub(super) fn random_id() -> String {
    let mut bytes = [0; 16];
    // Without randomness the id is all zeroes, which harms nobody: nothing is looked up by it.
    let _ = getrandom::fill(&mut bytes);
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn projects_are_numbers() {
        let of = |text: &str| number(Ok(Path(text.to_owned()))).ok().map(|id| id.0);
        assert_eq!(of("42"), Some(42));
        for no in ["", "shop", "4 2", "9223372036854775808", "1e3"] {
            assert_eq!(of(no), None, "{no}");
        }
    }

    #[test]
    fn ids_are_of_the_protocols_form() {
        let id = random_id();
        assert_eq!(sentry_event::normal_event_id(&id), Some(id.clone()));
        assert_ne!(id, random_id());
    }
}
