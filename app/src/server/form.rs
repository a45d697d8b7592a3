//! Forms that people send, and whether they came from our own pages.

use super::body::{self, BodyError, IncomingBody};
use super::budget::{self, Budget, Sender};
use super::client::ClientGroup;
use super::page_error::PageError;
use super::repository::{NeededRight, find, name_in_path};
use super::session::{Session, SessionCookies};
use super::settings::ServerSettings;
use super::state::Server;
use super::visitor::{Visitor, look_up};
use axum::body::{Body, Bytes};
use axum::extract::rejection::FormRejection;
use axum::extract::{FromRef, FromRequest, FromRequestParts, RawForm, Request};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;
use std::marker::PhantomData;
use std::sync::Arc;
use store::Store;
use store::repositories::RepositoryRow;

/// Bytes of a form: the longest, of a rule, has a dozen fields of 2,000 characters at most, each of
/// which may be 12 bytes as a form writes them.
const MAX_FORM: usize = 512 << 10;
const _: () = assert!(MAX_FORM <= budget::SMALL, "no large body keeps a form out");

/// A form whoever it comes from: its handler says what may be done without a session, or from
/// another site.
#[derive(Debug)]
pub(super) struct OpenForm<T> {
    /// The session of the browser that sent it.
    pub(super) visitor: Option<Session>,
    /// It carries that session's secret as `csrf`, so that it came from one of our pages.
    pub(super) is_ours: bool,
    /// What it says.
    pub(super) fields: T,
}

impl<T: DeserializeOwned + Send> FromRequest<Server> for OpenForm<T> {
    type Rejection = PageError;

    async fn from_request(request: Request, server: &Server) -> Result<Self, PageError> {
        let (mut parts, body) = request.into_parts();
        let Ok(Visitor(visitor)) = Visitor::from_request_parts(&mut parts, server).await;
        let client = ClientGroup::of(&parts, &Arc::<ServerSettings>::from_ref(server));
        let sender = match visitor {
            Some(_) => Sender::Known(client),
            None => Sender::Stranger(client),
        };
        let form = ReceivedForm::read(parts, body, sender, server).await?;
        let fields = form.fields().await?;
        let is_ours = visitor.as_ref().is_some_and(|session| form.is_ours(session, server));
        Ok(Self { visitor, is_ours, fields })
    }
}

/// A form of somebody who is signed in, sent from one of our pages.
#[derive(Debug)]
pub(super) struct Form<T> {
    /// Who sent it.
    pub(super) session: Session,
    /// What it says.
    pub(super) fields: T,
}

impl<T: DeserializeOwned + Send> FromRequest<Server> for Form<T> {
    type Rejection = PageError;

    async fn from_request(request: Request, server: &Server) -> Result<Self, PageError> {
        let (session, form) = ReceivedForm::of_somebody(request, server).await?;
        let fields = form.fields().await?;
        form.must_be_ours(&session, server)?;
        Ok(Self { session, fields })
    }
}

/// A form about a repository, of somebody who may do this in it. The path names it, else the field
/// `repo`.
#[derive(Debug)]
pub(super) struct RepositoryForm<R, T> {
    /// Who sent it.
    pub(super) session: Session,
    /// The repository.
    pub(super) row: RepositoryRow,
    /// What it says.
    pub(super) fields: T,
    /// The right that it took.
    pub(super) right: PhantomData<R>,
}

impl<R: NeededRight, T: DeserializeOwned + Send> FromRequest<Server> for RepositoryForm<R, T> {
    type Rejection = PageError;

    async fn from_request(request: Request, server: &Server) -> Result<Self, PageError> {
        let (session, mut form) = ReceivedForm::of_somebody(request, server).await?;
        let fields = form.fields().await?;
        form.must_be_ours(&session, server)?;
        let name = name_in_path(&mut form.parts).await?.unwrap_or_else(|| form.field("repo").into());
        let row = find(&Store::from_ref(server), &session, &name, R::RIGHT).await?;
        Ok(Self { session, row, fields, right: PhantomData })
    }
}

/// A form as it arrived.
struct ReceivedForm {
    parts: Parts,
    body: Bytes,
}

impl ReceivedForm {
    /// Of somebody who is signed in. Of anybody else the body is not even read.
    async fn of_somebody(request: Request, server: &Server) -> Result<(Session, Self), PageError> {
        let (mut parts, body) = request.into_parts();
        let session = match look_up(&mut parts, server).await.and_then(|session| session.ok_or_else(too_old)) {
            Ok(session) => session,
            Err(error) => {
                body::refuse(&parts.headers, body);
                return Err(error);
            }
        };
        let client = ClientGroup::of(&parts, &Arc::<ServerSettings>::from_ref(server));
        let form = Self::read(parts, body, Sender::Known(client), server).await?;
        Ok((session, form))
    }

    async fn read(parts: Parts, body: Body, sender: Sender, server: &Server) -> Result<Self, PageError> {
        let incoming = IncomingBody::open(&parts.headers, body, MAX_FORM, &Arc::<Budget>::from_ref(server), sender)?;
        // Forms are short, and what they hold is given back when their answer is worked on.
        let (body, _held) = incoming.whole().await?;
        let request = Request::from_parts(parts.clone(), Body::from(body));
        match RawForm::from_request(request, &()).await {
            // PostgreSQL takes no such character in a text, and no path or code has one.
            Ok(RawForm(body)) if body.windows(3).any(|part| part == b"%00") => {
                Err(PageError::BadRequest("The form has a character in it that no text has (%00).".to_owned()))
            }
            Ok(RawForm(body)) => Ok(Self { parts, body }),
            Err(error) => Err(PageError::BadRequest(error.body_text())),
        }
    }

    /// Its fields, as this type has them.
    async fn fields<T: DeserializeOwned>(&self) -> Result<T, PageError> {
        let request = Request::from_parts(self.parts.clone(), Body::from(self.body.clone()));
        let read: Result<axum::Form<T>, FormRejection> = axum::Form::from_request(request, &()).await;
        read.map(|axum::Form(fields)| fields).map_err(|error| PageError::BadRequest(error.body_text()))
    }

    /// One field; empty where there is none.
    fn field(&self, name: &str) -> String {
        let mut fields = url::form_urlencoded::parse(&self.body);
        fields.find(|(known, _)| known == name).map(|(_, value)| value.into_owned()).unwrap_or_default()
    }

    /// It has to have come from one of our pages.
    fn must_be_ours(&self, session: &Session, server: &Server) -> Result<(), PageError> {
        if self.is_ours(session, server) { Ok(()) } else { Err(too_old()) }
    }

    /// Whether it came from one of our pages, as this session was shown it.
    fn is_ours(&self, session: &Session, server: &Server) -> bool {
        SessionCookies::from_ref(server).is_our_form(session, &self.field("csrf"))
    }
}

/// What is answered to a form without a session, or without its secret.
fn too_old() -> PageError {
    let text = "The form is too old, it came from another site, or you are not signed in any more. Load the page again, and send it once more.";
    PageError::Forbidden(text.to_owned())
}

impl From<BodyError> for PageError {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::TooLarge => Self::TooLarge { limit: MAX_FORM },
            BodyError::NoRoom => Self::Busy,
            BodyError::CutOff(why) => Self::BadRequest(format!("The form did not come to its end: {why}.")),
            BodyError::Slow => Self::Slow,
        }
    }
}
