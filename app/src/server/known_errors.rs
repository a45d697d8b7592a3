//! Whitelisting by a form: the same door as the labels.

use super::Server;
use super::auth::Session;
use super::extract::{InForm, InQuery};
use super::known_error_form::{Checked, Entry, check, still_alerted};
use super::pages::{answer, place};
use super::respond::{Refused, redirect};
use crate::steps::webhook::{end_rule, make_rule};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::Response;
use domain::access::Right;
use domain::alert::Place;
use domain::ids::RuleId;
use domain::links::LinkPurpose;
use domain::rule::RuleSource;
use domain::settings::KnownError;
use render::thousands;
use render::views::{FormPurpose, KnownErrorForm, KnownErrorSaved, Match};
use serde::Deserialize;
use std::sync::Arc;
use store::repositories::RepositoryRow;
use store::rules::NewRule;

/// Lines shown that a rule would cover.
const MATCHES_SHOWN: usize = 10;

/// `GET /add_known_error`: changes nothing, because mail scanners follow links.
pub(super) async fn form(
    State(server): State<Arc<Server>>,
    InQuery(entry): InQuery<Entry>,
    headers: HeaderMap,
    uri: Uri,
) -> Response {
    answer(&server, &headers, show(&server, entry, &headers, &uri).await).await
}

/// `POST /add_known_error`.
pub(super) async fn save(
    State(server): State<Arc<Server>>,
    headers: HeaderMap,
    uri: Uri,
    InForm(entry): InForm<Entry>,
) -> Response {
    answer(&server, &headers, take(&server, entry, &headers, &uri).await).await
}

/// What ends a rule.
#[derive(Debug, Deserialize)]
pub(super) struct End {
    #[serde(default)]
    csrf: String,
    #[serde(default)]
    repo: String,
    rule: i64,
}

/// `POST /rules/end`.
pub(super) async fn end(State(server): State<Arc<Server>>, headers: HeaderMap, InForm(asked): InForm<End>) -> Response {
    let result = async {
        let session = server.must_be_our_form(&headers, &asked.csrf).await?;
        let row = server.repository_for(&session, &asked.repo, Right::Triage).await?;
        // A rule that had ended already is what was asked for.
        end_rule(&server.services, row.repository.id, RuleId(asked.rule), session.who.name(), server.clock.now_ms())
            .await?;
        Ok(redirect(&format!("{}/{}/whitelist", server.root(), row.repository.full_name)))
    };
    answer(&server, &headers, result.await).await
}

/// By what right somebody whitelists.
enum By {
    SignedIn(Session),
    /// A link out of a mail, for this place: its reader may whitelist in this file.
    Link(Place),
}

impl By {
    fn session(&self) -> Option<&Session> {
        match self {
            Self::SignedIn(session) => Some(session),
            Self::Link(_) => None,
        }
    }

    /// The one file that may be whitelisted in, where it is one.
    fn only_file(&self) -> Option<&str> {
        match self {
            Self::SignedIn(_) => None,
            Self::Link(place) => Some(&place.path),
        }
    }
}

/// The right of a link. The form that it leads to may be changed, so it carries along what was signed.
fn by_link(server: &Server, entry: &Entry) -> Option<By> {
    let signed: Place = if entry.signed_for.is_empty() {
        Place {
            path: entry.filename.clone(),
            function: entry.function_name.clone(),
            line: 0,
            code: entry.code_fragment.clone(),
        }
    } else {
        serde_json::from_str(&entry.signed_for).ok()?
    };
    let now_ms = server.clock.now_ms();
    let linker = &server.services.linker;
    linker
        .verify(LinkPurpose::Whitelist, &entry.repo, &signed, &entry.expires, &entry.signature, now_ms)
        .then_some(By::Link(signed))
}

/// The repository, for somebody who may whitelist in it: by their role on GitHub, else by a link out of a mail.
async fn admitted(server: &Server, entry: &Entry, by: By) -> Result<(RepositoryRow, By), Refused> {
    let By::SignedIn(session) = &by else { return Ok((server.repository(&entry.repo).await?, by)) };
    match server.repository_for(session, &entry.repo, Right::Triage).await {
        Ok(row) => Ok((row, by)),
        Err(refused) => match by_link(server, entry) {
            Some(link) => Ok((server.repository(&entry.repo).await?, link)),
            None => Err(refused),
        },
    }
}

async fn show(server: &Server, entry: Entry, headers: &HeaderMap, uri: &Uri) -> Result<Response, Refused> {
    let right = match server.session(headers).await.map(By::SignedIn).or_else(|| by_link(server, &entry)) {
        Some(right) => right,
        None => {
            let next = server.path_of(uri);
            let is_link = !entry.signature.is_empty();
            return Err(if is_link { Refused::StaleLink { next } } else { Refused::SignIn { next } });
        }
    };
    let (row, right) = admitted(server, &entry, right).await?;
    let mut checked = check(&entry, right.only_file());
    checked.forgive_empty();
    view(server, &row, &right, &entry, checked, None).await
}

async fn take(server: &Server, entry: Entry, headers: &HeaderMap, uri: &Uri) -> Result<Response, Refused> {
    let session = server.session(headers).await;
    let ours = session.clone().filter(|session| server.is_our_form(session, &entry.csrf));
    // Somebody may have signed in between: then the form's right is still its link's.
    let right = match ours.map(By::SignedIn).or_else(|| by_link(server, &entry)) {
        Some(right) => right,
        None if session.is_some() => {
            return Err(Refused::Forbidden(
                "The form is too old, or it came from another site. Load the page again, and send it once more."
                    .to_owned(),
            ));
        }
        None => return Err(Refused::SignIn { next: server.path_of(uri) }),
    };
    let (row, right) = admitted(server, &entry, right).await?;
    let checked = check(&entry, right.only_file());
    let Some(known) = checked.entry.clone() else {
        let error = "Nothing was saved yet: a field needs another look.".to_owned();
        return view(server, &row, &right, &entry, checked, Some(error)).await;
    };
    let session = right.session();
    let new = NewRule {
        repository: row.repository.id,
        kind: checked.kind,
        entry: known.clone(),
        line: None,
        label: None,
        issue: None,
        origin: if session.is_some() { RuleSource::Page } else { RuleSource::Mail },
        by: session.map_or("a link out of a mail", |session| session.who.name()).to_owned(),
    };
    make_rule(&server.services, &new, server.clock.now_ms()).await?;
    let saved = KnownErrorSaved {
        repository: row.repository.full_name.clone(),
        whitelist_url: session.map(|_| format!("{}/{}/whitelist", server.root(), row.repository.full_name)),
        kind: checked.kind,
        still_alerted: still_alerted(&known),
        matches: matches(server, &row, &known).await?,
        file: known.file,
        function: known.function,
        code: known.code,
    };
    server.show(session, StatusCode::OK, &saved)
}

async fn view(
    server: &Server,
    row: &RepositoryRow,
    right: &By,
    entry: &Entry,
    checked: Checked,
    error: Option<String>,
) -> Result<Response, Refused> {
    let (csrf, hidden) = match right {
        By::SignedIn(session) => (server.csrf(session), Vec::new()),
        By::Link(place) => {
            let signed = serde_json::to_string(place).map_err(|error| Refused::Broken(error.to_string()))?;
            let hidden = [("expires", &entry.expires), ("signature", &entry.signature), ("signed_for", &signed)];
            (String::new(), hidden.map(|(name, value)| (name.to_owned(), value.clone())).to_vec())
        }
    };
    let status = if error.is_some() { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    let form = KnownErrorForm {
        repository: row.repository.full_name.clone(),
        action: format!("{}/add_known_error", server.root()),
        csrf,
        hidden,
        purpose: if right.session().is_some() { FormPurpose::Add } else { FormPurpose::AddByLink },
        kind: checked.kind,
        fields: checked.fields,
        scope: checked.scope,
        error,
        matches: match checked.entry {
            Some(entry) => matches(server, row, &entry).await?,
            None => Vec::new(),
        },
    };
    server.show(right.session(), status, &form)
}

pub(super) async fn matches(server: &Server, row: &RepositoryRow, known: &KnownError) -> Result<Vec<Match>, Refused> {
    let pattern = known.pattern();
    let lines = store::lines::of_path(&server.services.store, row.repository.id, &known.file).await?;
    Ok(lines
        .iter()
        .filter(|line| pattern.matches(line.code_at()))
        .take(MATCHES_SHOWN)
        .map(|line| Match {
            place: place(line),
            exception: line.exception.clone(),
            code: line.place.code.clone(),
            count: thousands(line.total),
        })
        .collect())
}
