//! "Not me": whoever is told of a line says that it is not theirs, and may name somebody.

use super::line::{LineLink, place};
use crate::server::form::OpenForm;
use crate::server::page::Page;
use crate::server::page_error::PageError;
use crate::server::query::Query;
use crate::server::repository::{find, must_have, of_link};
use crate::server::session::Session;
use crate::server::state::Now;
use crate::server::urls::{Urls, linked};
use crate::server::visitor::{Visitor, WayBack};
use crate::services::handovers::{HandoverOutcome, Saying, not_me};
use crate::services::recipients::Recipients;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use domain::access::Right;
use domain::handover::{Successor, successor};
use domain::links::{LinkPurpose, SignedFor};
use render::views::{Message, NotMe};
use serde::Deserialize;
use store::Store;
use store::lines::Line;
use store::repositories::RepositoryRow;

/// Who says so where only a link out of a mail admits them.
const BY_LINK: &str = "the reader of a mail";

/// The line, the right and what was typed: as a link fills it in, and as it is sent.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct NotMeForm {
    #[serde(flatten)]
    link: LineLink,
    /// Who then: a login, an address or nothing.
    #[serde(default)]
    who: String,
}

/// `GET /not_me`: changes nothing, because mail scanners follow links.
pub(super) async fn form(
    State(store): State<Store>,
    State(urls): State<Urls>,
    Now(now): Now,
    Visitor(session): Visitor,
    WayBack(next): WayBack,
    Query(fields): Query<NotMeForm>,
) -> Result<Page<NotMe>, PageError> {
    let signed_for = fields.link.signed_for(LinkPurpose::NotMe, urls.linker(), now);
    let admitted = admit(&store, fields, session, signed_for, next).await?;
    Ok(admitted.form(&urls, None))
}

/// `POST /not_me`.
pub(super) async fn save(
    State(recipients): State<Recipients>,
    State(urls): State<Urls>,
    Now(now): Now,
    WayBack(next): WayBack,
    OpenForm { visitor, is_ours, fields }: OpenForm<NotMeForm>,
) -> Result<Response, PageError> {
    let signed_for = fields.link.signed_for(LinkPurpose::NotMe, urls.linker(), now);
    if visitor.is_some() && !is_ours && signed_for.is_none() {
        return Err(PageError::stale_form());
    }
    let ours = visitor.filter(|_| is_ours);
    let admitted = admit(&recipients.store, fields, ours, signed_for, next).await?;
    let refuse = |status, error| (status, admitted.form(&urls, Some(error))).into_response();
    let to = match successor(&admitted.fields.who) {
        Ok(to) => to,
        Err(error) => return Ok(refuse(StatusCode::BAD_REQUEST, error)),
    };
    match not_me(&recipients, &admitted.row, &admitted.line, to.clone(), admitted.saying(), now).await? {
        HandoverOutcome::Refused(error) => Ok(refuse(StatusCode::BAD_REQUEST, error)),
        HandoverOutcome::NotByLink(error) => Ok(refuse(StatusCode::FORBIDDEN, error)),
        HandoverOutcome::Remembered => Ok(admitted.remembered(&to, &urls).into_response()),
    }
}

/// A form that somebody may send, and its line; the session is `None` where the link is the right.
struct Admitted {
    fields: NotMeForm,
    row: RepositoryRow,
    line: Line,
    session: Option<Session>,
}

/// Admits somebody who may triage, else by a link out of a mail.
async fn admit(
    store: &Store,
    fields: NotMeForm,
    session: Option<Session>,
    signed_for: Option<SignedFor>,
    next: String,
) -> Result<Admitted, PageError> {
    let name = &fields.link.repo;
    let (row, session) = match (signed_for, session) {
        (Some(signed), session) => {
            let row = of_link(store, signed.repository, name).await?;
            let by = session.filter(|session| must_have(session, &row, name, Right::Triage).is_ok());
            (row, by)
        }
        (None, Some(session)) => (find(store, &session, name, Right::Triage).await?, Some(session)),
        (None, None) => return Err(PageError::not_admitted(&fields.link.signature, next)),
    };
    let line = fields.link.line(store, &row, signed_for).await?;
    Ok(Admitted { fields, row, line, session })
}

impl Admitted {
    /// Who says so, and by what right.
    fn saying(&self) -> Saying<'_> {
        match &self.session {
            Some(session) => Saying::SignedIn(session.who.name()),
            None => Saying::ByLink(BY_LINK),
        }
    }

    /// The form as it was sent, with what is wrong with it.
    fn form(&self, urls: &Urls, error: Option<String>) -> Page<NotMe> {
        let view = NotMe {
            repository: self.row.repository.full_name.to_string(),
            action: urls.page("/not_me"),
            hidden: self.hidden(),
            place: place(&self.line),
            path: self.line.place.path.clone(),
            author: self.line.author_name.clone().filter(|name| !name.is_empty()),
            who: self.fields.who.clone(),
            sign_in: self.session.is_none().then(|| {
                let unsigned = urls.linker().not_me(linked(&self.row, &self.line), None);
                urls.sign_in(&urls.here(&unsigned))
            }),
            error,
        };
        Page(self.session.clone(), view)
    }

    /// What the form carries along.
    fn hidden(&self) -> Vec<(String, String)> {
        let csrf = self.session.as_ref().map(|session| session.csrf.clone()).unwrap_or_default();
        let LineLink { repo, filename, function_name, line_number, text, line_id, expires, signature } =
            &self.fields.link;
        let fields = [
            ("csrf", csrf.as_str()),
            ("repo", repo.as_str()),
            ("filename", filename),
            ("function_name", function_name),
            ("line_number", line_number),
            ("text", text),
            ("line_id", line_id),
            ("expires", expires),
            ("signature", signature),
        ];
        fields.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec()
    }

    /// What is said once it is done.
    fn remembered(self, to: &Successor, urls: &Urls) -> Page<Message> {
        let next = to.name().map_or("to somebody else".to_owned(), |name| format!("to {name}"));
        let handovers = self.session.as_ref().map(|_| ("The handovers".to_owned(), urls.handovers(&self.row)));
        let message = Message {
            title: "Remembered".to_owned(),
            text: format!("The author's next new lines in {} are told {next}.", self.line.place.path),
            what_to_do: None,
            link: handovers,
            code: None,
        };
        Page(self.session, message)
    }
}
