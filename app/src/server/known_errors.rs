//! Whitelisting by a form: the same door as the labels.

use super::Server;
use super::auth::Session;
use super::pages::{answer, place};
use super::respond::{Refused, redirect, thousands};
use crate::domain::alert::Place;
use crate::domain::command::Scope;
use crate::domain::ids::RuleId;
use crate::domain::links::Purpose;
use crate::domain::rule::{CodeAt, RuleKind};
use crate::domain::settings::KnownError;
use crate::pipeline::obey::{end_rule, make_rule};
use crate::render::views::{Field, KnownErrorFields, KnownErrorForm, KnownErrorSaved, Match};
use crate::store::repositories::RepositoryRow;
use crate::store::rules::NewRule;
use axum::Form;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::Response;
use serde::Deserialize;
use std::sync::Arc;

/// Characters of one field: longer than any path or line that anybody whitelists.
const LONGEST_FIELD: usize = 2_000;
/// Lines shown that a rule would cover.
const MATCHES_SHOWN: usize = 10;

/// The form, as filled in; also what a link fills it in with.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Entry {
    #[serde(default)]
    csrf: String,
    #[serde(default)]
    repo: String,
    #[serde(default)]
    scope: String,
    #[serde(default)]
    filename: String,
    #[serde(default)]
    function_name: String,
    #[serde(default)]
    code_fragment: String,
    #[serde(default)]
    min_alert_threshold: String,
    #[serde(default)]
    max_alert_threshold: String,
    #[serde(default)]
    alert_every_n_occurrences: String,
    #[serde(default)]
    expires: String,
    #[serde(default)]
    signature: String,
    /// The place that the link's signature is for: the form may be changed, the link's right is to its repository.
    #[serde(default)]
    signed_for: String,
}

/// `GET /add_known_error`: changes nothing, because mail scanners follow links.
pub(super) async fn form(
    State(server): State<Arc<Server>>,
    Query(entry): Query<Entry>,
    headers: HeaderMap,
    uri: Uri,
) -> Response {
    answer(&server, &headers, show(&server, entry, &headers, &uri).await)
}

/// `POST /add_known_error`.
pub(super) async fn save(
    State(server): State<Arc<Server>>,
    headers: HeaderMap,
    uri: Uri,
    Form(entry): Form<Entry>,
) -> Response {
    answer(&server, &headers, take(&server, entry, &headers, &uri).await)
}

/// What ends a rule.
#[derive(Debug, Deserialize)]
pub(super) struct End {
    #[serde(default)]
    csrf: String,
    repo: String,
    rule: i64,
}

/// `POST /rules/end`.
pub(super) async fn end(State(server): State<Arc<Server>>, headers: HeaderMap, Form(asked): Form<End>) -> Response {
    let result = async {
        let session = server.session(&headers).filter(|session| server.is_our_form(session, &asked.csrf));
        session.ok_or_else(|| Refused::Forbidden("Sign in, and use the form of the repository's page.".to_owned()))?;
        let row = server.repository(&asked.repo).await?;
        end_rule(&server.rooms, row.repository.id, RuleId(asked.rule), "admin", server.clock.now_ms()).await?;
        Ok(redirect(&format!("{}/{}", server.root(), row.repository.full_name)))
    };
    answer(&server, &headers, result.await)
}

/// By what right somebody whitelists.
enum Right {
    SignedIn(Session),
    Link,
}

fn right(server: &Server, entry: &Entry, headers: &HeaderMap) -> Option<Right> {
    if let Some(session) = server.session(headers) {
        return Some(Right::SignedIn(session));
    }
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
    server
        .rooms
        .linker
        .verify(Purpose::Whitelist, &entry.repo, &signed, &entry.expires, &entry.signature, now_ms)
        .then_some(Right::Link)
}

async fn show(server: &Server, entry: Entry, headers: &HeaderMap, uri: &Uri) -> Result<Response, Refused> {
    let right = match right(server, &entry, headers) {
        Some(right) => right,
        None if entry.signature.is_empty() => return Err(Refused::SignIn { next: server.path_of(uri) }),
        None => return Err(Refused::Forbidden("This link has expired, or it was changed on the way.".to_owned())),
    };
    let row = server.repository(&entry.repo).await?;
    let checked = check(&entry);
    view(server, &row, &entry, &right, checked.fields, checked.scope, None, StatusCode::OK).await
}

async fn take(server: &Server, entry: Entry, headers: &HeaderMap, uri: &Uri) -> Result<Response, Refused> {
    let right = match right(server, &entry, headers) {
        Some(Right::SignedIn(session)) if !server.is_our_form(&session, &entry.csrf) => {
            return Err(Refused::Forbidden(
                "The form is too old, or it came from another site. Load the page again, and send it once more."
                    .to_owned(),
            ));
        }
        Some(right) => right,
        None => return Err(Refused::SignIn { next: server.path_of(uri) }),
    };
    let row = server.repository(&entry.repo).await?;
    let checked = check(&entry);
    let Some(known) = checked.entry else {
        let error = Some("Nothing was saved yet: one field needs another look.".to_owned());
        return view(server, &row, &entry, &right, checked.fields, checked.scope, error, StatusCode::BAD_REQUEST).await;
    };
    let session = match &right {
        Right::SignedIn(session) => Some(session),
        Right::Link => None,
    };
    let new = NewRule {
        repository: row.repository.id,
        kind: RuleKind::KnownError,
        entry: known.clone(),
        line: None,
        label: None,
        issue: None,
        by: if session.is_some() { "admin" } else { "a link out of a mail" }.to_owned(),
    };
    make_rule(&server.rooms, &new, server.clock.now_ms()).await?;
    let saved = KnownErrorSaved {
        repository: row.repository.full_name.clone(),
        repository_url: session.map(|_| format!("{}/{}", server.root(), row.repository.full_name)),
        still_alerted: still_alerted(&known),
        matches: matches(server, &row, &known).await?,
        file: known.file,
        function: known.function,
        code: known.code,
    };
    server.show(session, StatusCode::OK, &saved)
}

#[allow(clippy::too_many_arguments, reason = "the parts of one form")]
async fn view(
    server: &Server,
    row: &RepositoryRow,
    entry: &Entry,
    right: &Right,
    fields: KnownErrorFields,
    scope: Scope,
    error: Option<String>,
    status: StatusCode,
) -> Result<Response, Refused> {
    let (session, csrf, hidden) = match right {
        Right::SignedIn(session) => (Some(session), server.csrf(session), Vec::new()),
        Right::Link => {
            let signed = if entry.signed_for.is_empty() {
                let place = Place {
                    path: entry.filename.clone(),
                    function: entry.function_name.clone(),
                    line: 0,
                    code: entry.code_fragment.clone(),
                };
                serde_json::to_string(&place).map_err(|error| Refused::Broken(error.to_string()))?
            } else {
                entry.signed_for.clone()
            };
            let hidden = [("expires", &entry.expires), ("signature", &entry.signature), ("signed_for", &signed)];
            (None, String::new(), hidden.map(|(name, value)| (name.to_owned(), value.clone())).to_vec())
        }
    };
    let as_filled_in = check(entry).entry;
    let form = KnownErrorForm {
        repository: row.repository.full_name.clone(),
        action: format!("{}/add_known_error", server.root()),
        csrf,
        hidden,
        fields,
        scope,
        error,
        matches: match as_filled_in {
            Some(entry) => matches(server, row, &entry).await?,
            None => Vec::new(),
        },
    };
    server.show(session, status, &form)
}

/// A form, looked through: what it says, or what is wrong with which field.
struct Checked {
    entry: Option<KnownError>,
    fields: KnownErrorFields,
    scope: Scope,
}

fn check(entry: &Entry) -> Checked {
    let scope = match entry.scope.as_str() {
        "file" => Scope::File,
        "function" => Scope::Function,
        _ => Scope::Line,
    };
    let mut sound = true;
    let mut text = |value: &str, needed: bool, missing: &str| {
        let error = if value.chars().count() > LONGEST_FIELD {
            Some(format!("At most {LONGEST_FIELD} characters are taken."))
        } else if needed && value.trim().is_empty() {
            Some(missing.to_owned())
        } else {
            None
        };
        sound &= error.is_none();
        Field { value: value.to_owned(), error }
    };
    let filename = text(&entry.filename, true, "A rule needs a file.");
    let function_name = text(&entry.function_name, scope == Scope::Function, "The whole function needs its name.");
    let code_fragment = text(&entry.code_fragment, scope == Scope::Line, "A line needs its code, or a part of it.");
    let mut number = |value: &str| {
        let trimmed = value.trim();
        let parsed = if trimmed.is_empty() { Ok(None) } else { trimmed.parse::<u64>().map(Some) };
        let error = parsed.is_err().then(|| "This has to be a whole number, 0 or more, or empty.".to_owned());
        sound &= error.is_none();
        (parsed.ok().flatten(), Field { value: value.to_owned(), error })
    };
    let (min, min_alert_threshold) = number(&entry.min_alert_threshold);
    let (every, mut alert_every_n_occurrences) = number(&entry.alert_every_n_occurrences);
    let (max, mut max_alert_threshold) = number(&entry.max_alert_threshold);
    if every == Some(0) {
        alert_every_n_occurrences.error = Some("This has to be 1 or more, or empty.".to_owned());
        sound = false;
    }
    if min.zip(max).is_some_and(|(min, max)| min > max) {
        max_alert_threshold.error = Some("This is less than the count above, so nobody would ever be told.".to_owned());
        sound = false;
    }
    let given = |value: &str| (!value.trim().is_empty()).then(|| value.trim().to_owned());
    let known = KnownError {
        file: entry.filename.trim().to_owned(),
        function: given(&entry.function_name).filter(|_| scope != Scope::File),
        code: given(&entry.code_fragment).filter(|_| scope == Scope::Line),
        min_alert_threshold: min,
        max_alert_threshold: max,
        alert_every_n_occurrences: every,
        ..KnownError::default()
    };
    let fields = KnownErrorFields {
        filename,
        function_name,
        code_fragment,
        min_alert_threshold,
        max_alert_threshold,
        alert_every_n_occurrences,
    };
    Checked { entry: sound.then_some(known), fields, scope }
}

fn still_alerted(known: &KnownError) -> Vec<String> {
    let mut words = Vec::new();
    if let Some(min) = known.min_alert_threshold {
        words.push(format!("It is told once, at {} occurrences.", thousands(min)));
    }
    if let Some(every) = known.alert_every_n_occurrences {
        words.push(format!("It is told again at every {} occurrences.", thousands(every)));
    }
    if let Some(max) = known.max_alert_threshold.filter(|_| !words.is_empty()) {
        words.push(format!("It is not told beyond {} occurrences.", thousands(max)));
    }
    words
}

async fn matches(server: &Server, row: &RepositoryRow, known: &KnownError) -> Result<Vec<Match>, Refused> {
    let pattern = known.pattern();
    let lines = server.rooms.store.lines_to_judge_again(row.repository.id, &known.file).await?;
    Ok(lines
        .iter()
        .filter(|line| {
            let at = &line.place;
            pattern.matches(CodeAt { path: &at.path, inside: true, function: &at.function, code: &at.code })
        })
        .take(MATCHES_SHOWN)
        .map(|line| Match {
            place: place(line),
            exception: line.exception.clone(),
            code: line.place.code.clone(),
            count: thousands(line.total),
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> Entry {
        Entry { filename: "a.py".into(), function_name: "f".into(), code_fragment: "x = y".into(), ..Entry::default() }
    }

    #[test]
    fn the_scope_says_what_counts() {
        let of = |scope: &str| check(&Entry { scope: scope.into(), ..entry() }).entry.expect("sound");
        assert_eq!((of("line").function.as_deref(), of("line").code.as_deref()), (Some("f"), Some("x = y")));
        assert_eq!((of("function").function.as_deref(), of("function").code), (Some("f"), None));
        assert_eq!((of("file").function, of("file").code), (None, None));
    }

    #[test]
    fn what_is_wrong_is_said_beside_its_field() {
        let checked = check(&Entry {
            filename: " ".into(),
            min_alert_threshold: "ten".into(),
            alert_every_n_occurrences: "0".into(),
            ..entry()
        });
        assert!(checked.entry.is_none());
        let fields = checked.fields;
        assert!(fields.filename.error.is_some() && fields.min_alert_threshold.error.is_some());
        assert!(fields.alert_every_n_occurrences.error.is_some() && fields.function_name.error.is_none());
        let crossed = Entry { min_alert_threshold: "9".into(), max_alert_threshold: "3".into(), ..entry() };
        assert!(check(&crossed).fields.max_alert_threshold.error.is_some());
        assert!(check(&Entry { code_fragment: "x".repeat(LONGEST_FIELD + 1), ..entry() }).entry.is_none());
    }
}
