//! Node: Express and a plain program, with @sentry/node.

use super::{Deployed, Failing, arrived, folder, host_name, visit};
use crate::harness::application::Application;
use crate::harness::git_repo::{ADA, GRACE, LINUS};
use crate::harness::story::{Story, run_test};
use domain::timestamp::Timestamp;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The packages that the applications are run with.
pub(super) fn packages() -> PathBuf {
    let packages = folder().join("node/node_modules");
    assert!(
        packages.join(".bin/esbuild").exists(),
        "not installed: run `npm ci` in {}",
        folder().join("node").display()
    );
    packages
}

/// The client reads locals by a debugger that it starts beside the application. The first failures
/// may come before it is ready, and their reports have none, so the lines fail until the latest
/// have; and less often than an issue is commented.
const MOST_ROUNDS: u64 = 9;
const ROUND: Duration = Duration::from_millis(500);

/// Waits until this many failures were counted; whether the latest of each line has its locals.
async fn has_locals(story: &mut Story, app: &Application, total: u64) -> bool {
    arrived(story, app, total).await;
    let mut found = 0;
    for line in story.lines().await {
        let report = store::tracebacks::latest_of_line(&story.services().store, line.id, Timestamp::MAX)
            .await
            .unwrap()
            .unwrap()
            .0
            .report;
        found += usize::from(report.raised().unwrap().frames.last().is_some_and(|frame| !frame.vars.is_empty()));
    }
    found == 2
}

/// Puts the packages where an installation puts them.
fn install(deployed: &Deployed) {
    std::os::unix::fs::symlink(packages(), deployed.folder.join("node_modules")).unwrap();
}

#[test]
#[ignore = "needs Python, Node and Chromium; tests/run runs it"]
fn live_express() {
    run_test(async |story| {
        let failing = [
            Failing {
                path: "server/menu.js",
                text: "Math.max(longest, dish.minutes)",
                function: "Menu.minutes",
                exception: "TypeError",
                local: Some(("longest", "12")),
                author: GRACE,
            },
            // A rejected promise that Express hands on.
            Failing {
                path: "server/menu.js",
                text: "eaten.length",
                function: "Menu.bill",
                exception: "TypeError",
                local: Some(("table", "9")),
                author: ADA,
            },
        ];
        let deployed = Deployed::of(story, "node/express", &failing).await.without_git();
        install(&deployed);
        let mut app = deployed.start(Path::new("node"), &["server/index.js"], "", &[]);
        let url = app.address().await;
        let dishes = json!({ "dishes": ["soup", "cake"] }).to_string();
        let mut rounds = 0;
        while rounds < MOST_ROUNDS && !has_locals(story, &app, rounds * 2).await {
            tokio::time::sleep(ROUND).await;
            let posted = story.http.post(format!("{url}/orders")).header("content-type", "application/json");
            assert_eq!(visit(posted.body(dishes.clone())).await, 500);
            assert_eq!(visit(story.http.get(format!("{url}/orders/9/bill"))).await, 500);
            rounds += 1;
        }
        let reports = deployed.told(story, &app, &failing, rounds).await;
        for (report, (method, path)) in reports.iter().zip([("POST", "/orders"), ("GET", "/orders/9/bill")]) {
            let request = report.request.as_ref().unwrap();
            assert_eq!(request.method.as_deref(), Some(method));
            assert_eq!(request.url, Some(format!("{url}{path}")));
            assert_eq!(report.environment.as_deref(), Some("staging"));
            assert_eq!(report.server_name, Some(host_name()));
        }
        assert_eq!(reports[1].transaction.as_deref(), Some("GET /orders/:table/bill"));
    });
}

#[test]
#[ignore = "needs Python, Node and Chromium; tests/run runs it"]
fn live_node_program_that_dies() {
    run_test(async |story| {
        let failing = [Failing {
            path: "server/stock.js",
            text: "last.jars * 0.4",
            function: "weigh",
            exception: "TypeError",
            local: None,
            author: LINUS,
        }];
        let deployed = Deployed::of(story, "node/express", &failing).await.without_git();
        install(&deployed);
        let mut app = deployed.start(Path::new("node"), &["server/stock.js"], "", &[]);
        assert!(!app.ends().await.success(), "{}", app.output());
        let report = deployed.told(story, &app, &failing, 1).await.remove(0);
        assert_eq!(report.raised().unwrap().handled, Some(false));
    });
}
