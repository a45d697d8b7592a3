//! How alerts were taken, by repository, for the admin.

use super::Server;
use super::pages::answer;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::Response;
use domain::handover::percent_accepted;
use render::thousands;
use render::views::{Verdicts, VerdictsRow};
use std::sync::Arc;

/// How old an alert is when silence counts as an answer: a day, so that who is told had a day of work to say no.
const SILENCE_MS: i64 = 24 * 3_600_000;

/// `GET /verdicts`.
pub(super) async fn verdicts(State(server): State<Arc<Server>>, headers: HeaderMap, uri: Uri) -> Response {
    let result = async {
        let session = server.must_be_admin(&headers, &server.path_of(&uri)).await?;
        let counted =
            store::acceptance::by_repository(&server.services.store, server.clock.now_ms() - SILENCE_MS).await?;
        let repositories = counted
            .into_iter()
            .map(|it| VerdictsRow {
                url: format!("{}/{}/handovers", server.root(), it.repository),
                alerts: thousands(it.alerts),
                accepted: thousands(it.alerts.saturating_sub(it.refused)),
                refused: thousands(it.refused),
                share: format!("{} %", percent_accepted(it.alerts, it.refused)),
                name: it.repository,
            })
            .collect();
        server.show(Some(&session), StatusCode::OK, &Verdicts { repositories })
    };
    answer(&server, &headers, result.await).await
}
