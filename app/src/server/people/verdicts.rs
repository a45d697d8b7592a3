//! How alerts were taken, by repository, for the admin.

use crate::server::page::Page;
use crate::server::page_error::PageError;
use crate::server::state::Now;
use crate::server::urls::Urls;
use crate::server::visitor::Admin;
use axum::extract::State;
use domain::handover::percent_accepted;
use jiff::SignedDuration;
use render::thousands;
use render::views::{Verdicts, VerdictsRow};
use store::Store;

/// How old an alert is when silence counts as an answer: a day, so that who is told had a day of
/// work to say no.
const SILENCE: SignedDuration = SignedDuration::from_hours(24);

/// `GET /verdicts`.
pub(super) async fn verdicts(
    State(store): State<Store>,
    State(urls): State<Urls>,
    Now(now): Now,
    Admin(session): Admin,
) -> Result<Page<Verdicts>, PageError> {
    let counted = store::acceptance::by_repository(&store, now - SILENCE).await?;
    let repositories = counted
        .into_iter()
        .map(|it| VerdictsRow {
            url: urls.page(&format!("/{}/handovers", it.repository)),
            alerts: thousands(it.alerts),
            accepted: thousands(it.alerts.saturating_sub(it.refused)),
            refused: thousands(it.refused),
            share: format!("{} %", percent_accepted(it.alerts, it.refused)),
            name: it.repository.into(),
        })
        .collect();
    Ok(Page(Some(session), Verdicts { repositories }))
}
