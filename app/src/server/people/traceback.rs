//! The latest traceback of a line, for somebody signed in or with a link out of a mail.

use super::line::{LineLink, line_at, status};
use crate::server::page::Page;
use crate::server::page_error::PageError;
use crate::server::query::Query;
use crate::server::repository::{find, of_link};
use crate::server::state::Now;
use crate::server::urls::Urls;
use crate::server::visitor::{Visitor, WayBack};
use crate::services::alert_content::AlertContent;
use crate::services::latest_report_before;
use axum::extract::State;
use domain::access::Right;
use domain::alert::{Alert, Recipient};
use domain::ids::LineId;
use domain::links::{LinkPurpose, Linker};
use domain::timestamp::{Timestamp, WEEK};
use render::views::Traceback;
use render::when;
use serde::Deserialize;
use store::Store;
use store::lines::Line;
use store::repositories::RepositoryRow;

/// Which line, and by what right.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct TracebackQuery {
    #[serde(flatten)]
    link: LineLink,
    /// Our number of the line, in place of where it is; only for somebody signed in.
    #[serde(default)]
    line: String,
    /// Unix seconds: the latest traceback of that moment's week, or of the weeks before.
    #[serde(default)]
    timestamp: String,
}

impl TracebackQuery {
    /// Any moment of a week stands for its end, because a week has one traceback, its latest.
    fn before(&self) -> Timestamp {
        self.timestamp.parse().map_or(Timestamp::MAX, |seconds| Timestamp::from_seconds(seconds).week() + WEEK)
    }
}

/// `GET /view_traceback`.
pub(super) async fn view(
    State(store): State<Store>,
    State(content): State<AlertContent>,
    State(urls): State<Urls>,
    Now(now): Now,
    Visitor(session): Visitor,
    WayBack(next): WayBack,
    Query(query): Query<TracebackQuery>,
) -> Result<Page<Traceback>, PageError> {
    let signed_for = query.link.signed_for(LinkPurpose::View, urls.linker(), now);
    let row = match (signed_for, &session) {
        (Some(id), _) => of_link(&store, id, &query.link.repo).await?,
        (None, Some(session)) => find(&store, session, &query.link.repo, Right::Read).await?,
        (None, None) => return Err(PageError::not_admitted(&query.link.signature, next)),
    };
    let line = match query.line.parse() {
        // A link is signed for its place.
        Ok(number) if signed_for.is_none() => line_of(&store, &row, LineId(number)).await?,
        _ => line_at(&store, &row, &query.link.place()).await?,
    };
    let latest = latest_report_before(&store, line.id, query.before()).await?;
    let occurred = latest.traceback.as_ref().map(|latest| when(latest.received_at));
    let mut alert = content.of_report(&row, &line, latest, told(&line), now).await?;
    unsign(&mut alert, &row, urls.linker(), &urls);
    Ok(Page(session, Traceback::new(&alert, status(&line), occurred)))
}

/// A line of this repository.
async fn line_of(store: &Store, row: &RepositoryRow, id: LineId) -> Result<Line, PageError> {
    let found = store::lines::by_id(store, id).await?.filter(|line| line.repository == row.repository.id);
    found.ok_or_else(|| PageError::NotFound("There is no such line any more.".to_owned()))
}

/// Who was told of a line.
fn told(line: &Line) -> Recipient {
    let told = || Some(line.told.as_ref()?.person.name().to_owned()).filter(|name| !name.is_empty());
    let name = line.owner_login.clone().map(String::from).or_else(told).or_else(|| line.author_name.clone());
    Recipient { name: name.unwrap_or_default(), ..Recipient::default() }
}

/// What a mail's reader gets signed is not signed anew here: a link to read would turn into a right
/// to whitelist, and each look into another 90 days.
fn unsign(alert: &mut Alert, row: &RepositoryRow, linker: &Linker, urls: &Urls) {
    let repository = &row.repository;
    let links = &mut alert.links;
    links.occurrence = None;
    links.whitelist = Some(urls.here(&linker.whitelist(repository, &alert.place, None)));
    links.not_me = links.not_me.take().map(|_| urls.here(&linker.not_me(repository, &alert.place, None)));
    links.week = links.week.take().map(|week| urls.here(&week));
}
