//! The latest traceback of a line, for somebody signed in or with a link out of a mail.

use super::line::{LineLink, status};
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
use domain::links::{LinkPurpose, LinkedLine, Linker};
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
        (Some(signed), _) => of_link(&store, signed.repository, &query.link.repo).await?,
        (None, Some(session)) => find(&store, session, &query.link.repo, Right::Read).await?,
        (None, None) => return Err(PageError::not_admitted(&query.link.signature, next)),
    };
    let line = query.link.line(&store, &row, signed_for).await?;
    let latest = latest_report_before(&store, line.id, query.before()).await?;
    let occurred = latest.traceback.as_ref().map(|latest| when(latest.received_at));
    let mut alert = content.of_report(&row, &line, latest, told(&line), now).await?;
    unsign(&mut alert, &row, urls.linker(), &urls);
    Ok(Page(session, Traceback::new(&alert, status(&line), occurred)))
}

/// Who was told of a line; of its author nobody knows that before somebody was.
fn told(line: &Line) -> Recipient {
    let told = || Some(line.told.as_ref()?.person.name().to_owned());
    let name = line.owner_login.clone().map(String::from).or_else(told);
    Recipient { name: name.unwrap_or_default(), ..Recipient::default() }
}

/// What a mail's reader gets signed is not signed anew here: a link to read would turn into a right
/// to whitelist, and each look into another 90 days.
fn unsign(alert: &mut Alert, row: &RepositoryRow, linker: &Linker, urls: &Urls) {
    let line = LinkedLine { repository: &row.repository, id: alert.line, place: &alert.place };
    let links = &mut alert.links;
    links.occurrence = None;
    links.whitelist = Some(urls.here(&linker.whitelist(line, None)));
    links.not_me = links.not_me.take().map(|_| urls.here(&linker.not_me(line, None)));
    links.week = links.week.take().map(|week| urls.here(&week));
}
