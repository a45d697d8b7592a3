//! Whitelisting by a form: it makes the same rules as the labels.

use super::known_error_form::{Checked, LinkedPlace, RuleForm, check, still_alerted};
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
use crate::services::strays::is_stray;
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
use mirror::Mirrors;
use render::thousands;
use render::views::{FormPurpose, KnownErrorForm, KnownErrorSaved, Match};
use serde::Deserialize;
use store::repositories::RepositoryRow;
use store::rules::{Insertion, NewRule};
use store::{Store, StoreError};

/// Whose doing it is where nobody signed in.
const BY_LINK: &str = "a link out of a mail";

/// Lines shown that a rule would cover.
const MATCHES_SHOWN: usize = 10;

/// `GET /add_known_error`: changes nothing, because mail scanners follow links.
pub(super) async fn form(
    State(store): State<Store>,
    State(mirrors): State<Mirrors>,
    State(urls): State<Urls>,
    Now(now): Now,
    Visitor(session): Visitor,
    WayBack(next): WayBack,
    Query(fields): Query<RuleForm>,
) -> Result<Page<KnownErrorForm>, PageError> {
    let link = by_link(urls.linker(), &fields, now);
    let right = session.map(By::SignedIn).or_else(|| link.clone().map(By::Link));
    let right = right.ok_or_else(|| PageError::not_admitted(&fields.signature, next))?;
    let (row, right) = admit(&store, &mirrors, &fields.repo, right, link).await?;
    let mut checked = check(&fields, right.only());
    checked.forgive_empty();
    view(&store, &urls, &row, &right, &fields, checked, None).await
}

/// `POST /add_known_error`.
pub(super) async fn save(
    State(rules): State<RuleBook>,
    State(mirrors): State<Mirrors>,
    State(urls): State<Urls>,
    Now(now): Now,
    WayBack(next): WayBack,
    OpenForm { visitor, is_ours, fields }: OpenForm<RuleForm>,
) -> Result<Response, PageError> {
    let store = &rules.store;
    let link = by_link(urls.linker(), &fields, now);
    let right = sent_by(visitor, is_ours, link.clone(), next)?;
    let (row, right) = admit(store, &mirrors, &fields.repo, right, link).await?;
    let checked = check(&fields, right.only());
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
    if let Some(error) = right.covers_others(&rules.store, row, rule).await? {
        return Ok(Some(error));
    }
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
        Insertion::Made(_) | Insertion::InForce => None,
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
    only: LinkedPlace,
}

impl By {
    fn session(&self) -> Option<&Session> {
        match self {
            Self::SignedIn(session) => Some(session),
            Self::Link(_) => None,
        }
    }

    /// The one line that may be whitelisted, where it is one.
    fn only(&self) -> Option<&LinkedPlace> {
        match self {
            Self::SignedIn(_) => None,
            Self::Link(link) => Some(&link.only),
        }
    }

    /// Why a rule is refused that would cover more than the line of a commit that anybody can have
    /// fetched: whoever wrote that writes whichever text they want to have silenced.
    async fn covers_others(
        &self,
        store: &Store,
        row: &RepositoryRow,
        rule: &Rule,
    ) -> Result<Option<String>, StoreError> {
        let Self::Link(SignedLink { signed, only }) = self else { return Ok(None) };
        if !only.is_stray {
            return Ok(None);
        }
        let pattern = rule.pattern();
        let lines = store::lines::of_path(store, row.repository.id, rule.file()).await?;
        let covers = lines.iter().any(|line| line.id != signed.line && pattern.matches(line.code_at()));
        Ok(covers.then(|| {
            format!(
                "Nothing was saved: other lines of {} read the same, and the commit of the link's is on no branch or \
                 tag. Sign in to whitelist them all.",
                rule.file()
            )
        }))
    }

    /// The rule that is made.
    fn new_rule(&self, row: &RepositoryRow, rule: Rule) -> NewRule {
        let (origin, by) = match self {
            Self::SignedIn(session) => (RuleSource::Page, session.who.name()),
            Self::Link(_) => (RuleSource::Mail, BY_LINK),
        };
        NewRule { repository: row.repository.id, rule, line: None, label: None, issue: None, origin, by: by.to_owned() }
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
    // Until it is asked, it admits to the least.
    Some(SignedLink { signed, only: LinkedPlace { place, is_stray: true } })
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
    mirrors: &Mirrors,
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
    let line = of_row(store, &row, link.signed.line).await?.ok_or_else(|| never_failed(&link.only.place))?;
    link.only.is_stray = is_stray(mirrors, &row, &line).await;
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
    let By::Link(SignedLink { signed, only }) = right else { return Ok(Vec::new()) };
    let line = signed.line.to_string();
    let signed = serde_json::to_string(&only.place).map_err(|error| PageError::Internal(error.to_string()))?;
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
