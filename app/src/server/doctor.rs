//! The doctor's page: what `app check` says, for the admin.

use super::Server;
use super::pages::answer;
use crate::steps::doctor::examine;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::Response;
use domain::finding::Level;
use render::views::{Doctor, FindingView};
use std::sync::Arc;

/// `GET /doctor`.
pub(super) async fn doctor(State(server): State<Arc<Server>>, headers: HeaderMap, uri: Uri) -> Response {
    let result = async {
        let session = server.must_be_admin(&headers, &server.path_of(&uri)).await?;
        let found = examine(&server.services, server.clock.now_ms()).await;
        let count = |level: Level| found.iter().filter(|finding| finding.level == level).count();
        let view = Doctor {
            failures: count(Level::Failure),
            warnings: count(Level::Warning),
            findings: found
                .iter()
                .map(|finding| FindingView {
                    about: finding.about.clone(),
                    level: match finding.level {
                        Level::Fine => "good",
                        Level::Warning => "busy",
                        Level::Failure => "bad",
                    },
                    what: finding.what.clone(),
                    todo: finding.todo.clone(),
                })
                .collect(),
        };
        server.show(Some(&session), StatusCode::OK, &view)
    };
    answer(&server, &headers, result.await).await
}
