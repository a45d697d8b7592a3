//! What whoever has installed the App sees next: each repository's DSN, and a snippet to paste.

use super::repository::MirrorView;
use crate::View;
use serde::Serialize;

/// `GET /installed`.
#[derive(Clone, Debug, Serialize)]
pub struct Installed {
    /// Those that the reader may connect, of this installation first.
    pub repositories: Vec<InstalledRepository>,
    /// The list of all.
    pub list_url: String,
    /// Not everything has come yet: the page looks again.
    pub waiting: bool,
}

/// A repository that the App was installed in.
#[derive(Clone, Debug, Serialize)]
pub struct InstalledRepository {
    /// `owner/name`.
    pub name: String,
    /// Its page here.
    pub url: String,
    /// The page that connects an application: other languages, a test report.
    pub connect_url: String,
    /// Its DSN; `None` where every key is revoked.
    pub dsn: Option<String>,
    /// Its mirror.
    pub mirror: MirrorView,
}

impl View for Installed {
    const TEMPLATE: &'static str = "pages/installed.html";
    const SECTION: &'static str = "repositories";

    fn title(&self) -> String {
        "Installed".to_owned()
    }

    fn sample() -> Self {
        let repository = |name: &str, mirror| InstalledRepository {
            name: name.to_owned(),
            url: format!("/{name}"),
            connect_url: format!("/{name}/connect"),
            dsn: Some("https://0123456789abcdef0123456789abcdef@flawless.example.com/7".to_owned()),
            mirror,
        };
        let fetched = MirrorView::Fetched { at: "2026-11-22 11:30 UTC".to_owned(), head: Some("5d41402".to_owned()) };
        let cloning = MirrorView::Cloning { progress: Some("41 %".to_owned()) };
        Self {
            repositories: vec![repository("acme/shop", fetched), repository("acme/worker", cloning)],
            list_url: "/".to_owned(),
            waiting: true,
        }
    }
}
