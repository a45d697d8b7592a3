//! Whitelisting by a form: it makes the same rules as the labels.

use super::known_error_form::{Checked, RuleForm, check, still_alerted};
use super::line::{never_failed, of_row, place};
use crate::server::form::{OpenForm, RepositoryForm};
use crate::server::page::Page;
use crate::server::page_error::PageError;
use crate::server::query::Query;
use crate::server::repository::{Triage, find, must_have, of_link};
use crate::server::session::Session;
use crate::server::state::Now;
use crate::server::urls::Urls;
use crate::server::visitor::{Visitor, WayBack};
use crate::services::rules::RuleBook;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use domain::access::Right;
use domain::alert::Place;
use domain::ids::RuleId;
use domain::links::{Claim, LinkPurpose, Linker, SignedFor};
use domain::names::RepositoryName;
use domain::rule::{MOST_MADE, Rule, RuleSource};
use domain::settings::CodePattern;
use domain::timestamp::Timestamp;
use render::thousands;
use render::views::{FormPurpose, KnownErrorForm, KnownErrorSaved, Match};
use serde::Deserialize;
use store::repositories::RepositoryRow;
use store::rules::{Insertion, NewRule};
use store::{Store, StoreError};

/// What a link says to a line that it may not whitelist.
const STRAY: &str = "This line was found in a commit that no branch or tag of the repository has, so a link alone \
                     whitelists nothing: sign in to do it.";

/// Whose doing it is where nobody signed in.
const BY_LINK: &str = "a link out of a mail";

/// Lines shown that a rule would cover.
const MATCHES_SHOWN: usize = 10;

/// `GET /add_known_error`: changes nothing, because mail scanners follow links.
pub(super) async fn form(
    State(store): State<Store>,
    State(urls): State<Urls>,
    Now(now): Now,
    Visitor(session): Visitor,
    WayBack(next): WayBack,
    Query(fields): Query<RuleForm>,
) -> Result<Page<KnownErrorForm>, PageError> {
    let link = by_link(urls.linker(), &fields, now);
    let right = session.map(By::SignedIn).or_else(|| link.clone().map(By::Link));
    let right = right.ok_or_else(|| PageError::not_admitted(&fields.signature, next))?;
    let (row, right) = admit(&store, &fields.repo, right, link).await?;
    let mut checked = check(&fields, right.only());
    checked.forgive_empty();
    view(&store, &urls, &row, &right, &fields, checked, right.stray()).await
}

/// `POST /add_known_error`.
pub(super) async fn save(
    State(rules): State<RuleBook>,
    State(urls): State<Urls>,
    Now(now): Now,
    WayBack(next): WayBack,
    OpenForm { visitor, is_ours, fields }: OpenForm<RuleForm>,
) -> Result<Response, PageError> {
    let store = &rules.store;
    let link = by_link(urls.linker(), &fields, now);
    let right = sent_by(visitor, is_ours, link.clone(), next)?;
    let (row, right) = admit(store, &fields.repo, right, link).await?;
    let checked = check(&fields, right.only());
    if let Some(error) = right.stray() {
        let page = view(store, &urls, &row, &right, &fields, checked, Some(error)).await?;
        return Ok((StatusCode::FORBIDDEN, page).into_response());
    }
    let Some(rule) = checked.rule.clone() else {
        let error = "Nothing was saved yet: a field needs another look.".to_owned();
        let page = view(store, &urls, &row, &right, &fields, checked, Some(error)).await?;
        return Ok((StatusCode::BAD_REQUEST, page).into_response());
    };
    if let Some(error) = refused(&rules, &row, &right, &rule, now).await? {
        let page = view(store, &urls, &row, &right, &fields, checked, Some(error)).await?;
        return Ok((StatusCode::CONFLICT, page).into_response());
    }
    let CodePattern { file, function, code } = rule.pattern();
    let view = KnownErrorSaved {
        repository: row.repository.full_name.to_string(),
        whitelist_url: right.session().map(|_| urls.whitelist(&row)),
        kind: rule.kind(),
        still_alerted: still_alerted(&rule),
        matches: matches(store, &row, &rule).await?,
        file,
        function,
        code,
    };
    Ok(Page(right.session().cloned(), view).into_response())
}

/// Makes a rule; else says why not. A link has one rule for each scope of its line: what is said by
/// it once more is said instead.
async fn refused(
    rules: &RuleBook,
    row: &RepositoryRow,
    right: &By,
    rule: &Rule,
    now: Timestamp,
) -> Result<Option<String>, StoreError> {
    let former = match right {
        By::SignedIn(_) => None,
        By::Link(_) => store::rules::in_force(&rules.store, row.repository.id).await?.into_iter().find(|former| {
            former.origin == RuleSource::Mail
                && former.made.rule.kind() == rule.kind()
                && former.made.rule.pattern() == rule.pattern()
        }),
    };
    if let Some(former) = former {
        if former.made.rule == *rule {
            return Ok(None);
        }
        if former.edited.is_some_and(|(by, _)| by != BY_LINK) {
            let text = "Nothing was saved: somebody who signed in has changed this entry. Sign in to change it again.";
            return Ok(Some(text.to_owned()));
        }
        rules.change(row.repository.id, former.made.id, rule, BY_LINK, now).await?;
        return Ok(None);
    }
    Ok(match rules.make(&right.new_rule(row, rule.clone()), now).await? {
        Insertion::Made(_) | Insertion::InForce(_) => None,
        Insertion::TooMany => Some(format!(
            "Nothing was saved: {} has {} entries that people made, the most that there may be. Whoever may \
             triage it ends some on its whitelist.",
            row.repository.full_name,
            thousands(MOST_MADE as u64)
        )),
    })
}

/// Which rule of the repository `repo` is to end.
#[derive(Debug, Deserialize)]
pub(super) struct EndRuleForm {
    rule: i64,
}

/// `POST /rules/end`.
pub(super) async fn end(
    State(rules): State<RuleBook>,
    State(urls): State<Urls>,
    Now(now): Now,
    RepositoryForm { session, row, fields, .. }: RepositoryForm<Triage, EndRuleForm>,
) -> Result<Redirect, PageError> {
    // A rule that had ended already is what was asked for.
    rules.end(row.repository.id, RuleId(fields.rule), session.who.name(), now).await?;
    Ok(Redirect::to(&urls.whitelist(&row)))
}

/// By what right somebody whitelists.
#[derive(Clone)]
enum By {
    SignedIn(Session),
    /// A link out of a mail, for a line: its reader may whitelist it, its function or its file.
    Link(SignedLink),
}

/// What a link out of a mail was signed for.
#[derive(Clone)]
struct SignedLink {
    signed: SignedFor,
    /// Where the line was when the mail was sent.
    place: Place,
    /// It was found in a commit on no branch or tag: nothing is whitelisted by the link.
    is_stray: bool,
}

impl By {
    fn session(&self) -> Option<&Session> {
        match self {
            Self::SignedIn(session) => Some(session),
            Self::Link(_) => None,
        }
    }

    /// The one line that may be whitelisted, where it is one.
    fn only(&self) -> Option<&Place> {
        match self {
            Self::SignedIn(_) => None,
            Self::Link(link) => Some(&link.place),
        }
    }

    /// Why a link makes no rule for a line of a commit that anybody can have fetched: a rule is
    /// known by its text, and whoever wrote that commit wrote whichever text they want to have
    /// silenced, now or when it fails.
    fn stray(&self) -> Option<String> {
        matches!(self, Self::Link(link) if link.is_stray).then(|| STRAY.to_owned())
    }

    /// The rule that is made.
    fn new_rule(&self, row: &RepositoryRow, rule: Rule) -> NewRule {
        let (origin, by) = match self {
            Self::SignedIn(session) => (RuleSource::Page, session.who.name()),
            Self::Link(_) => (RuleSource::Mail, BY_LINK),
        };
        NewRule {
            repository: row.repository.id,
            rule,
            line: None,
            label: None,
            issue: None,
            origin,
            commanded_at: None,
            by: by.to_owned(),
        }
    }
}

/// The right of a link. The form that it leads to may be changed, so it carries along what was
/// signed.
fn by_link(linker: &Linker, form: &RuleForm, now: Timestamp) -> Option<SignedLink> {
    let place: Place = if form.signed_for.is_empty() {
        Place {
            path: form.filename.clone(),
            function: form.function_name.clone(),
            line: 0,
            code: form.code_fragment.clone(),
        }
    } else {
        serde_json::from_str(&form.signed_for).ok()?
    };
    let claim = Claim {
        repository: &form.repo,
        line: &form.line_id,
        place: &place,
        expires: &form.expires,
        signature: &form.signature,
    };
    let signed = linker.signed_for(LinkPurpose::Whitelist, claim, now)?;
    // Until its line is read, it admits to the least.
    Some(SignedLink { signed, place, is_stray: true })
}

/// The right that a form was sent by. Somebody may have signed in between: then it is still its
/// link's.
fn sent_by(visitor: Option<Session>, is_ours: bool, link: Option<SignedLink>, next: String) -> Result<By, PageError> {
    match visitor {
        Some(session) if is_ours => Ok(By::SignedIn(session)),
        Some(_) => link.map(By::Link).ok_or_else(PageError::stale_form),
        None => link.map(By::Link).ok_or(PageError::SignIn { next }),
    }
}

/// The repository, for somebody who may whitelist in it: by their role on GitHub, else by a link
/// out of a mail.
async fn admit(
    store: &Store,
    repo: &RepositoryName,
    by: By,
    link: Option<SignedLink>,
) -> Result<(RepositoryRow, By), PageError> {
    let (session, mut link) = match (by, link) {
        (By::SignedIn(session), None) => {
            let row = find(store, &session, repo, Right::Triage).await?;
            return Ok((row, By::SignedIn(session)));
        }
        (By::SignedIn(session), Some(link)) => (Some(session), link),
        (By::Link(link), _) => (None, link),
    };
    // Not by its name: another repository may have that by now.
    let row = of_link(store, link.signed.repository, repo).await?;
    let line = of_row(store, &row, link.signed.line).await?.ok_or_else(|| never_failed(&link.place))?;
    link.is_stray = line.is_stray;
    let by = session.filter(|session| must_have(session, &row, repo, Right::Triage).is_ok());
    Ok((row, by.map_or(By::Link(link), By::SignedIn)))
}

async fn view(
    store: &Store,
    urls: &Urls,
    row: &RepositoryRow,
    right: &By,
    form: &RuleForm,
    checked: Checked,
    error: Option<String>,
) -> Result<Page<KnownErrorForm>, PageError> {
    let view = KnownErrorForm {
        repository: row.repository.full_name.to_string(),
        // A link was signed for the name that the repository had then.
        repo: match right {
            By::SignedIn(_) => row.repository.full_name.to_string(),
            By::Link(_) => form.repo.to_string(),
        },
        action: urls.page("/add_known_error"),
        csrf: right.session().map(|session| session.csrf.clone()).unwrap_or_default(),
        hidden: hidden(right, form)?,
        purpose: if right.session().is_some() { FormPurpose::Add } else { FormPurpose::AddByLink },
        kind: checked.kind,
        fields: checked.fields,
        scope: checked.scope,
        error,
        matches: match checked.rule {
            Some(rule) => matches(store, row, &rule).await?,
            None => Vec::new(),
        },
    };
    Ok(Page(right.session().cloned(), view))
}

/// What the form carries along: what a link was signed for.
fn hidden(right: &By, form: &RuleForm) -> Result<Vec<(String, String)>, PageError> {
    let By::Link(SignedLink { signed, place, .. }) = right else { return Ok(Vec::new()) };
    let line = signed.line.to_string();
    let signed = serde_json::to_string(place).map_err(|error| PageError::Internal(error.to_string()))?;
    let hidden =
        [("expires", &form.expires), ("signature", &form.signature), ("signed_for", &signed), ("line_id", &line)];
    Ok(hidden.map(|(name, value)| (name.to_owned(), value.clone())).to_vec())
}

/// The lines that a rule covers, as far as they are shown.
///
/// # Errors
/// The database is out of reach.
pub(super) async fn matches(store: &Store, row: &RepositoryRow, rule: &Rule) -> Result<Vec<Match>, StoreError> {
    let pattern = rule.pattern();
    let lines = store::lines::of_path(store, row.repository.id, rule.file()).await?;
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
