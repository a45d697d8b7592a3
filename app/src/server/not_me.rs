//! "Not me": whoever is told of a line says that it is not theirs, and may name somebody.

use super::Server;
use super::auth::Session;
use super::extract::{InForm, InQuery};
use super::pages::{answer, place};
use super::respond::Refused;
use crate::steps::webhook::{Said, not_me};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::Response;
use domain::access::Right;
use domain::alert::Place;
use domain::handover::successor;
use domain::links::LinkPurpose;
use render::views::{Message, NotMe};
use serde::Deserialize;
use std::sync::Arc;
use store::lines::Line;
use store::repositories::RepositoryRow;

/// Who says so where only a link out of a mail admits them.
const BY_LINK: &str = "the reader of a mail";

/// The line, the right and what was typed.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    csrf: String,
    #[serde(default)]
    repo: String,
    #[serde(default)]
    filename: String,
    #[serde(default)]
    function_name: String,
    #[serde(default)]
    line_number: String,
    #[serde(default)]
    text: String,
    #[serde(default)]
    expires: String,
    #[serde(default)]
    signature: String,
    /// Who then: a login, an address or nothing.
    #[serde(default)]
    who: String,
}

impl Asked {
    fn place(&self) -> Place {
        Place {
            path: self.filename.clone(),
            function: self.function_name.clone(),
            line: self.line_number.parse().unwrap_or(0),
            code: self.text.clone(),
        }
    }
}

/// `GET /not_me`: changes nothing, because mail scanners follow links.
pub(super) async fn form(
    State(server): State<Arc<Server>>,
    InQuery(asked): InQuery<Asked>,
    headers: HeaderMap,
    uri: Uri,
) -> Response {
    let result = async {
        let session = server.session(&headers).await;
        let (row, line, session) = admitted(&server, &asked, session, &uri).await?;
        view(&server, &row, &line, (&asked, session.as_ref()), None)
    };
    answer(&server, &headers, result.await).await
}

/// `POST /not_me`.
pub(super) async fn save(
    State(server): State<Arc<Server>>,
    headers: HeaderMap,
    uri: Uri,
    InForm(asked): InForm<Asked>,
) -> Response {
    answer(&server, &headers, take(&server, asked, &headers, &uri).await).await
}

async fn take(server: &Server, asked: Asked, headers: &HeaderMap, uri: &Uri) -> Result<Response, Refused> {
    let session = server.session(headers).await;
    let ours = session.clone().filter(|session| server.is_our_form(session, &asked.csrf));
    if session.is_some() && ours.is_none() && !by_link(server, &asked) {
        let text = "The form is too old, or it came from another site. Load the page again, and send it once more.";
        return Err(Refused::Forbidden(text.to_owned()));
    }
    let (row, line, session) = admitted(server, &asked, ours, uri).await?;
    let to = match successor(&asked.who) {
        Ok(to) => to,
        Err(error) => return view(server, &row, &line, (&asked, session.as_ref()), Some(error)),
    };
    let by = session.as_ref().map_or(BY_LINK, |session| session.who.name());
    match not_me(&server.services, &line, to.clone(), by, server.clock.now_ms()).await? {
        Said::Refused(error) => view(server, &row, &line, (&asked, session.as_ref()), Some(error)),
        Said::Remembered => {
            let handovers = format!("{}/{}/handovers", server.root(), row.repository.full_name);
            let next = to.name().map_or("to somebody else".to_owned(), |name| format!("to {name}"));
            let message = Message {
                title: "Remembered".to_owned(),
                text: format!("The author's next new lines in {} are told {next}.", line.place.path),
                what_to_do: None,
                link: session.as_ref().map(|_| ("The handovers".to_owned(), handovers)),
                code: None,
            };
            server.show(session.as_ref(), StatusCode::OK, &message)
        }
    }
}

fn by_link(server: &Server, asked: &Asked) -> bool {
    let now_ms = server.clock.now_ms();
    let linker = &server.services.linker;
    linker.verify(LinkPurpose::NotMe, &asked.repo, &asked.place(), &asked.expires, &asked.signature, now_ms)
}

/// The line, for somebody who may triage, else by a link out of a mail; the session is `None` where the link is the right.
async fn admitted(
    server: &Server,
    asked: &Asked,
    session: Option<Session>,
    uri: &Uri,
) -> Result<(RepositoryRow, Line, Option<Session>), Refused> {
    let linked = by_link(server, asked);
    let (row, session) = match session {
        Some(session) => match server.repository_for(&session, &asked.repo, Right::Triage).await {
            Ok(row) => (row, Some(session)),
            Err(_) if linked => (server.repository(&asked.repo).await?, None),
            Err(refused) => return Err(refused),
        },
        None if linked => (server.repository(&asked.repo).await?, None),
        None => {
            let next = server.path_of(uri);
            let is_link = !asked.signature.is_empty();
            return Err(if is_link { Refused::StaleLink { next } } else { Refused::SignIn { next } });
        }
    };
    let at = asked.place();
    let store = &server.services.store;
    let found =
        store::lines::by_place(store, row.repository.id, &at.path, &at.function, Some(&at.code), Some(at.line)).await?;
    let line = found.ok_or_else(|| {
        Refused::NotFound(format!("{} has never failed in {}, as far as is known here.", at.path, at.function))
    })?;
    Ok((row, line, session))
}

fn view(
    server: &Server,
    row: &RepositoryRow,
    line: &Line,
    (asked, session): (&Asked, Option<&Session>),
    error: Option<String>,
) -> Result<Response, Refused> {
    let fields = [
        ("csrf", session.map(|session| server.csrf(session)).unwrap_or_default()),
        ("repo", asked.repo.clone()),
        ("filename", asked.filename.clone()),
        ("function_name", asked.function_name.clone()),
        ("line_number", asked.line_number.clone()),
        ("text", asked.text.clone()),
        ("expires", asked.expires.clone()),
        ("signature", asked.signature.clone()),
    ];
    let status = if error.is_some() { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    let form = NotMe {
        repository: row.repository.full_name.clone(),
        action: format!("{}/not_me", server.root()),
        hidden: fields.map(|(name, value)| (name.to_owned(), value)).to_vec(),
        place: place(line),
        path: line.place.path.clone(),
        author: line.author_name.clone().filter(|name| !name.is_empty()),
        who: asked.who.clone(),
        error,
    };
    server.show(session, status, &form)
}
