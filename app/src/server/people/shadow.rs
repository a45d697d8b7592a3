//! The page of a repository's shadow mode: what would have been sent, and the switch.

use super::line::{function, place, short, whose};
use crate::server::form::RepositoryForm;
use crate::server::page::Page;
use crate::server::page_error::PageError;
use crate::server::repository::{Read, RepositoryWith, Write};
use crate::server::state::Now;
use crate::server::urls::Urls;
use crate::server::visitor::SignedIn;
use crate::services::alert_content::AlertContent;
use crate::services::messages::{headline, reason, rendered};
use crate::services::shadow::ShadowMode;
use axum::extract::{Path, State};
use axum::response::Redirect;
use domain::access::Right;
use domain::delivery::Purpose;
use domain::ids::DeliveryId;
use domain::timestamp::Timestamp;
use render::views::{Shadow, ShadowItem, ShadowPreview};
use render::when;
use serde::Deserialize;
use std::collections::HashSet;
use store::deliveries::Delivery;
use store::repositories::RepositoryRow;
use store::shadow::FOR_EVER;
use store::{Store, StoreError};

/// What is listed: enough to judge by, and one page.
const MOST_LISTED: usize = 100;

/// `GET /{owner}/{repo}/shadow`.
pub(super) async fn list(
    State(store): State<Store>,
    State(urls): State<Urls>,
    Now(now): Now,
    RepositoryWith { session, row, .. }: RepositoryWith<Read>,
) -> Result<Page<Shadow>, PageError> {
    let mut deliveries = store::shadow::deliveries(&store, row.repository.id, MOST_LISTED + 1).await?;
    let more = deliveries.len() > MOST_LISTED;
    deliveries.truncate(MOST_LISTED);
    let view = Shadow {
        repository: row.repository.full_name.to_string(),
        repository_url: urls.repository(&row),
        on: row.is_shadow(now),
        until: row.shadow_until.filter(|&until| until != FOR_EVER).map(when),
        by_file: row.settings.shadow,
        action: urls.shadow(&row),
        may_set: session.right_in(&row) >= Some(Right::Write),
        csrf: session.csrf.clone(),
        items: items(&deliveries, &row, &store, &urls).await?,
        more,
    };
    Ok(Page(Some(session), view))
}

async fn items(
    deliveries: &[Delivery],
    row: &RepositoryRow,
    store: &Store,
    urls: &Urls,
) -> Result<Vec<ShadowItem>, StoreError> {
    let storms = storms(row, deliveries);
    let mut items = Vec::new();
    for delivery in deliveries {
        let Some(line) = store::lines::by_id(store, delivery.line).await? else { continue };
        items.push(ShadowItem {
            at: when(delivery.created_at),
            what: headline(&delivery.what, &line, &whose(&line)),
            exception: short(&line.exception),
            place: place(&line),
            function: function(&line),
            why: reason(&delivery.what),
            in_storm: storms.contains(&delivery.line.0),
            preview_url: format!("{}/{}", urls.shadow(row), delivery.id),
        });
    }
    Ok(items)
}

/// Which of the things that would have been sent.
#[derive(Debug, Deserialize)]
pub(super) struct PreviewPath {
    number: String,
}

/// `GET /{owner}/{repo}/shadow/{number}`.
pub(super) async fn preview(
    State(store): State<Store>,
    State(content): State<AlertContent>,
    State(urls): State<Urls>,
    Now(now): Now,
    RepositoryWith { session, row, .. }: RepositoryWith<Read>,
    Path(PreviewPath { number }): Path<PreviewPath>,
) -> Result<Page<ShadowPreview>, PageError> {
    let none = || PageError::NotFound("Nothing of this number was kept: shadow mode may have ended.".to_owned());
    let id = DeliveryId(number.parse().map_err(|_| none())?);
    let delivery = store::shadow::delivery_by_id(&store, row.repository.id, id).await?.ok_or_else(none)?;
    let line = store::lines::by_id(&store, delivery.line).await?.ok_or_else(none)?;
    let said = rendered(&content, &row, &line, &delivery, now).await?;
    let view = ShadowPreview {
        repository: row.repository.full_name.to_string(),
        back_url: urls.shadow(&row),
        what: headline(&delivery.what, &line, &whose(&line)),
        heading: said.title,
        text: said.text,
    };
    Ok(Page(Some(session), view))
}

/// `on` or `off`.
#[derive(Debug, Deserialize)]
pub(super) struct ShadowForm {
    #[serde(default)]
    set: String,
}

/// `POST /{owner}/{repo}/shadow`.
pub(super) async fn set(
    State(shadow_mode): State<ShadowMode>,
    State(urls): State<Urls>,
    Now(now): Now,
    _: SignedIn,
    RepositoryForm { row, fields, .. }: RepositoryForm<Write, ShadowForm>,
) -> Result<Redirect, PageError> {
    if row.settings.shadow.is_some() {
        let text = "The repository's .github/flawless.yml says whether it is in shadow mode. Change it there.";
        return Err(PageError::BadRequest(text.to_owned()));
    }
    match fields.set.as_str() {
        "on" => shadow_mode.begin(&row).await?,
        "off" => shadow_mode.end(&row, now).await?,
        _ => return Err(PageError::BadRequest("The form says neither on nor off.".to_owned())),
    }
    Ok(Redirect::to(&urls.shadow(&row)))
}

/// The lines that would have been part of a storm, as far as the list goes back.
fn storms(row: &RepositoryRow, deliveries: &[Delivery]) -> HashSet<i64> {
    let mut lines: Vec<(Timestamp, i64)> = deliveries
        .iter()
        .filter(|delivery| delivery.what.purpose == Purpose::Alert)
        .map(|delivery| (delivery.created_at, delivery.line.0))
        .collect();
    lines.sort_unstable();
    lines.dedup_by_key(|(_, line)| *line);
    let window = row.settings.storm.window();
    let mut stormy = HashSet::new();
    for (at, &(time, line)) in lines.iter().enumerate() {
        let before: Vec<i64> =
            lines[..at].iter().filter(|(earlier, _)| *earlier > time - window).map(|(_, line)| *line).collect();
        if row.settings.storm.is_storm(u64::try_from(before.len()).unwrap_or(u64::MAX)) {
            stormy.insert(line);
            stormy.extend(before);
        }
    }
    stormy
}
