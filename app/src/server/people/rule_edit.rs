//! Changing a rule by the form that made it.

use super::known_error_form::{Checked, RuleForm, check};
use super::known_errors::matches;
use crate::server::form::RepositoryForm;
use crate::server::page::Page;
use crate::server::page_error::PageError;
use crate::server::query::Query;
use crate::server::repository::{RepositoryWith, Triage};
use crate::server::session::Session;
use crate::server::state::Now;
use crate::server::urls::Urls;
use crate::services::rules::RuleBook;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use domain::ids::RuleId;
use render::views::{FormPurpose, KnownErrorForm};
use serde::Deserialize;
use store::Store;
use store::repositories::RepositoryRow;
use store::rules::RuleRow;

/// Which rule of the repository `repo`.
#[derive(Debug, Deserialize)]
pub(super) struct RuleQuery {
    rule: i64,
}

/// `GET /rules/edit`: the rule as it is.
pub(super) async fn form(
    State(store): State<Store>,
    State(urls): State<Urls>,
    RepositoryWith { session, row, .. }: RepositoryWith<Triage>,
    Query(query): Query<RuleQuery>,
) -> Result<Page<KnownErrorForm>, PageError> {
    let rule = rule_of(&store, &row, query.rule).await?;
    let checked = check(&RuleForm::of(&row.repository.full_name, &rule.made.rule), None);
    view(&store, &urls, &row, session, rule.made.id, checked, None).await
}

/// `POST /rules/edit`.
pub(super) async fn save(
    State(rules): State<RuleBook>,
    State(urls): State<Urls>,
    Now(now): Now,
    RepositoryForm { session, row, mut fields, .. }: RepositoryForm<Triage, RuleForm>,
) -> Result<Response, PageError> {
    let number = fields.rule.parse().map_err(|_| PageError::BadRequest("The form names no entry.".to_owned()))?;
    let rule = rule_of(&rules.store, &row, number).await?;
    // What an entry does is not changed by editing it.
    rule.made.rule.kind().as_str().clone_into(&mut fields.kind);
    let checked = check(&fields, None);
    let Some(becomes) = &checked.rule else {
        let error = "Nothing was saved yet: a field needs another look.".to_owned();
        let page = view(&rules.store, &urls, &row, session, rule.made.id, checked, Some(error)).await?;
        return Ok((StatusCode::BAD_REQUEST, page).into_response());
    };
    rules.change(row.repository.id, rule.made.id, becomes, session.who.name(), now).await?;
    Ok(Redirect::to(&urls.whitelist(&row)).into_response())
}

/// A rule in force, of this repository and no other.
async fn rule_of(store: &Store, row: &RepositoryRow, number: i64) -> Result<RuleRow, PageError> {
    let rules = store::rules::in_force(store, row.repository.id).await?;
    let rule = rules.into_iter().find(|rule| rule.made.id == RuleId(number));
    rule.ok_or_else(|| PageError::NotFound("There is no such entry in force: it may have ended.".to_owned()))
}

async fn view(
    store: &Store,
    urls: &Urls,
    row: &RepositoryRow,
    session: Session,
    rule: RuleId,
    checked: Checked,
    error: Option<String>,
) -> Result<Page<KnownErrorForm>, PageError> {
    let view = KnownErrorForm {
        repository: row.repository.full_name.to_string(),
        repo: row.repository.full_name.to_string(),
        action: urls.page("/rules/edit"),
        csrf: session.csrf.clone(),
        hidden: vec![("rule".to_owned(), rule.to_string())],
        purpose: FormPurpose::Change,
        kind: checked.kind,
        fields: checked.fields,
        scope: checked.scope,
        error,
        matches: match checked.rule {
            Some(rule) => matches(store, row, &rule).await?,
            None => Vec::new(),
        },
    };
    Ok(Page(Some(session), view))
}
