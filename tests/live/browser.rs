//! The browser: a page in Chromium without a window, with @sentry/browser.

use super::node::packages;
use super::{Deployed, Failing, arrived};
use crate::harness::application::Application;
use crate::harness::git_repo::{ADA, GRACE};
use crate::harness::story::run_test;
use axum::Router;
use axum::extract::{Path as At, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

/// Names under which systems install it.
const CHROMIUM: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

/// No window, nothing but the page, and nothing asked of the network beside it.
const FLAGS: [&str; 9] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
];

fn chromium() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path)
        .flat_map(|folder| CHROMIUM.map(|name| folder.join(name)))
        .find(|program| program.is_file());
    found.unwrap_or_else(|| panic!("Chromium is missing (Debian: apt-get install chromium)"))
}

/// Bundles the client into one file, as a page without a build of its own has it.
fn bundle(target: &Path) {
    let mut command = Command::new(packages().join(".bin/esbuild"));
    let entry = packages().join("@sentry/browser/build/npm/esm/prod/index.js");
    assert!(entry.exists(), "{} is missing", entry.display());
    command.arg(entry).args(["--bundle", "--minify", "--format=iife", "--global-name=Sentry", "--log-level=warning"]);
    let out = command.arg(format!("--outfile={}", target.display())).output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
}

/// Opens a page for somebody who was never there before.
fn open(profile: &Path, page: &str) -> Application {
    let profile_flag = format!("--user-data-dir={}", profile.display());
    let mut arguments = FLAGS.to_vec();
    arguments.extend([profile_flag.as_str(), page]);
    Application::start(&chromium(), &arguments, profile.parent().unwrap(), &[])
}

/// Serves the deployed folder `static/`, as web servers do; gives the address.
async fn serve(folder: PathBuf) -> String {
    let router = Router::new().route("/static/{*path}", get(file)).with_state(Arc::new(folder));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    url
}

async fn file(State(folder): State<Arc<PathBuf>>, At(path): At<String>) -> Response {
    let kind = if path.ends_with(".js") { "text/javascript" } else { "text/html" };
    match std::fs::read(folder.join(path)) {
        Ok(bytes) => ([(header::CONTENT_TYPE, kind)], bytes).into_response(),
        Err(_) => StatusCode::NOT_FOUND.into_response(),
    }
}

#[test]
#[ignore = "needs Python, Node and Chromium; tests/run runs it"]
fn live_browser() {
    run_test(async |story| {
        let failing = [
            Failing {
                path: "static/js/plan.js",
                text: "prices[seat.block].toFixed(2)",
                function: "?",
                exception: "TypeError",
                local: None,
                author: ADA,
            },
            // A rejected promise that nobody waits for.
            Failing {
                path: "static/js/plan.js",
                text: "seats.owner.name.toLowerCase()",
                function: "remember",
                exception: "TypeError",
                local: None,
                author: GRACE,
            },
        ];
        let deployed = Deployed::of(story, "node/browser", &failing).await.without_git();
        let pages = deployed.folder.join("static");
        bundle(&pages.join("vendor/sentry.js"));
        let url = serve(pages.clone()).await;
        let page = format!("{url}/static/index.html");
        // As it is, the client's request needs no leave of the server; with a header of the page's
        // own, a browser asks first.
        let mut last = None;
        for (visit, headers) in [json!({}), json!({ "X-Shop": "acme" })].into_iter().enumerate() {
            let settings = json!({ "dsn": deployed.dsn, "release": deployed.release, "headers": headers });
            std::fs::write(pages.join("js/settings.js"), format!("window.settings = {settings};")).unwrap();
            let browser = open(&story.folder().join(format!("profile-{visit}")), &page);
            arrived(story, &browser, failing.len() as u64 * (visit as u64 + 1)).await;
            last = Some(browser);
        }
        let reports = deployed.told(story, &last.unwrap(), &failing, 2).await;
        for report in &reports {
            assert_eq!(report.raised().unwrap().handled, Some(false));
            let request = report.request.as_ref().unwrap();
            assert_eq!(request.url.as_deref(), Some(page.as_str()));
            assert!(request.headers["User-Agent"].contains("Chrome"), "{request:#?}");
        }
    });
}
