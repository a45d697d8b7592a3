//! What the GitHub App needs, until it can be made with one click.

use super::Server;
use super::pages::answer;
use super::respond::Refused;
use crate::render::views::{Setup, Variable};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::Response;
use std::sync::Arc;

/// What the App asks for and why, as `app.yml` has it.
const PERMISSIONS: [(&str, &str); 4] = [
    ("Issues: write", "to file one issue for each line, assign it and answer under it"),
    ("Contents: read", "to mirror the repository and blame its lines"),
    ("Metadata: read", "GitHub asks this of every App"),
    ("Pull requests: read", "to name the pull request that brought a line"),
];

/// `GET /setup`.
pub(super) async fn setup(State(server): State<Arc<Server>>, headers: HeaderMap, uri: Uri) -> Response {
    answer(&server, &headers, show(&server, &headers, &uri))
}

fn show(server: &Server, headers: &HeaderMap, uri: &Uri) -> Result<Response, Refused> {
    let session = server.must_be_signed_in(headers, &server.path_of(uri))?;
    let variable = |name: &str, text: &str, set| Variable { name: name.to_owned(), text: text.to_owned(), set };
    let has_app = server.rooms.app.get().is_some();
    let view = Setup {
        permissions: PERMISSIONS.map(|(what, why)| (what.to_owned(), why.to_owned())).to_vec(),
        webhook_url: format!("{}/api/github/webhooks", server.rooms.linker.base()),
        variables: vec![
            variable("APP_ID", "the App's number, on its page", has_app),
            variable(
                "PRIVATE_KEY_PATH",
                "file with the private key that GitHub made, or its text in PRIVATE_KEY",
                has_app,
            ),
            variable(
                "WEBHOOK_SECRET",
                "the secret typed into the App's form",
                server.rooms.app.get().is_some_and(|app| app.webhook_secret.is_some()),
            ),
        ],
        new_app_url: format!("{}/settings/apps/new", server.rooms.forge_url),
    };
    server.show(Some(&session), StatusCode::OK, &view)
}
