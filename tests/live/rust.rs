//! Rust: an error and a panic, with the `sentry` crate itself.

use super::{Deployed, Failing, files_below, folder};
use crate::harness::git_repo::{ADA, GRACE};
use crate::harness::story::run_test;
use std::path::PathBuf;

/// The application as cargo built it beside the stories: an example of `ingest-client`, so that its
/// libraries are built once.
fn program() -> PathBuf {
    let stories = std::env::current_exe().unwrap();
    let program = stories.parent().unwrap().parent().unwrap().join("examples/stock_taker");
    assert!(program.exists(), "not built: cargo build --locked --workspace --example stock_taker");
    program
}

#[test]
#[ignore = "needs Python, Node and Chromium; tests/run runs it"]
fn live_rust() {
    run_test(async |story| {
        let failing = [
            Failing {
                path: "tests/live/rust/main.rs",
                text: "sentry::capture_error(&error);",
                function: "stock_taker::main",
                exception: "ParseIntError",
                local: None,
                author: GRACE,
            },
            Failing {
                path: "tests/live/rust/shelves.rs",
                text: "total / count",
                function: "stock_taker::shelves::weight_of_each",
                exception: "panic",
                local: None,
                author: ADA,
            },
        ];
        // Under the paths that it was compiled from, which are in its debug information.
        let files = files_below(&folder().join("rust"));
        let files = files.into_iter().map(|(path, text)| (format!("tests/live/rust/{path}"), text)).collect();
        let deployed = Deployed::of_files(story, "rust", files, &failing).await.without_git();
        let mut app = deployed.start(&program(), &[], "", &[]);
        assert!(!app.ends().await.success(), "{}", app.output());
        let reports = deployed.told(story, &app, &failing, 1).await;
        assert_eq!(reports[1].raised().unwrap().handled, Some(false));
    });
}
