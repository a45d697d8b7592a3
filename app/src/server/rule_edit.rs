//! Changing a rule by the form that made it.

use super::Server;
use super::auth::Session;
use super::extract::{InForm, InQuery};
use super::known_error_form::{Checked, Entry, check};
use super::known_errors::matches;
use super::pages::answer;
use super::respond::{Refused, redirect};
use crate::steps::webhook::change_rule;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::Response;
use domain::access::Right;
use domain::ids::RuleId;
use render::views::{FormPurpose, KnownErrorForm};
use serde::Deserialize;
use std::sync::Arc;
use store::repositories::RepositoryRow;
use store::rules::RuleRow;

#[derive(Debug, Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    repo: String,
    rule: i64,
}

/// `GET /rules/edit`: the rule as it is.
pub(super) async fn form(
    State(server): State<Arc<Server>>,
    InQuery(asked): InQuery<Asked>,
    headers: HeaderMap,
    uri: Uri,
) -> Response {
    let result = async {
        let session = server.must_be_signed_in(&headers, &server.path_of(&uri)).await?;
        let (row, rule) = rule_of(&server, &session, &asked.repo, asked.rule).await?;
        let entry = Entry::of(&asked.repo, &rule.made);
        let checked = check(&entry, None);
        view(&server, &row, &session, rule.made.id, checked, None).await
    };
    answer(&server, &headers, result.await).await
}

/// `POST /rules/edit`.
pub(super) async fn save(
    State(server): State<Arc<Server>>,
    headers: HeaderMap,
    InForm(mut entry): InForm<Entry>,
) -> Response {
    let result = async {
        let session = server.must_be_our_form(&headers, &entry.csrf).await?;
        let number = entry.rule.parse().map_err(|_| Refused::Bad("The form names no entry.".to_owned()))?;
        let (row, rule) = rule_of(&server, &session, &entry.repo, number).await?;
        // What an entry does is not changed by editing it.
        rule.made.kind.as_str().clone_into(&mut entry.kind);
        let checked = check(&entry, None);
        let Some(known) = &checked.entry else {
            let error = "Nothing was saved yet: a field needs another look.".to_owned();
            return view(&server, &row, &session, rule.made.id, checked, Some(error)).await;
        };
        let now_ms = server.clock.now_ms();
        change_rule(&server.services, row.repository.id, rule.made.id, known, (session.who.name(), now_ms)).await?;
        Ok(redirect(&format!("{}/{}/whitelist", server.root(), row.repository.full_name)))
    };
    answer(&server, &headers, result.await).await
}

/// A rule in force, of this repository and no other.
async fn rule_of(
    server: &Server,
    session: &Session,
    repo: &str,
    number: i64,
) -> Result<(RepositoryRow, RuleRow), Refused> {
    let row = server.repository_for(session, repo, Right::Triage).await?;
    let rules = store::rules::in_force(&server.services.store, row.repository.id).await?;
    let rule = rules.into_iter().find(|rule| rule.made.id == RuleId(number));
    let rule =
        rule.ok_or_else(|| Refused::NotFound("There is no such entry in force: it may have ended.".to_owned()))?;
    Ok((row, rule))
}

async fn view(
    server: &Server,
    row: &RepositoryRow,
    session: &Session,
    rule: RuleId,
    checked: Checked,
    error: Option<String>,
) -> Result<Response, Refused> {
    let status = if error.is_some() { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    let form = KnownErrorForm {
        repository: row.repository.full_name.clone(),
        action: format!("{}/rules/edit", server.root()),
        csrf: server.csrf(session),
        hidden: vec![("rule".to_owned(), rule.to_string())],
        purpose: FormPurpose::Change,
        kind: checked.kind,
        fields: checked.fields,
        scope: checked.scope,
        error,
        matches: match checked.entry {
            Some(entry) => matches(server, row, &entry).await?,
            None => Vec::new(),
        },
    };
    server.show(Some(session), status, &form)
}
