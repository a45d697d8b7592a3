//! The clients of this repository for Rust: the library, its layer for web services, and the
//! command `flawless-report`.

use super::{Deployed, Failing, folder, host_name, visit};
use crate::harness::git_repo::{ADA, GRACE, LINUS};
use crate::harness::story::run_test;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// What cargo built beside the stories.
fn built(name: &str) -> PathBuf {
    let stories = std::env::current_exe().unwrap();
    let program = stories.parent().unwrap().parent().unwrap().join(name);
    assert!(
        program.exists(),
        "not built: cargo build --locked --workspace --bins --examples --features ingest-client/tower"
    );
    program
}

/// An example of `ingest-client`, under the path that it was compiled from.
fn example(name: &str) -> BTreeMap<String, String> {
    let path = format!("ingest-client/examples/{name}.rs");
    let text = std::fs::read_to_string(folder().join("../..").join(&path)).unwrap();
    BTreeMap::from([(path, text)])
}

#[test]
#[ignore = "needs Python, Node and Chromium; tests/run runs it"]
fn live_ingest_client() {
    run_test(async |story| {
        let failing = [
            Failing {
                path: "ingest-client/examples/crash.rs",
                text: "match ingest_client::capture_error(&UnknownItem(item))",
                function: "crash::price",
                exception: "UnknownItem",
                local: None,
                author: GRACE,
            },
            Failing {
                path: "ingest-client/examples/crash.rs",
                text: "let each = total / customers;",
                function: "crash::main",
                exception: "panic",
                local: None,
                author: ADA,
            },
        ];
        let deployed = Deployed::of_files(story, "ingest-client", example("crash"), &failing).await.without_git();
        let variables = [("FLAWLESS_DSN", deployed.dsn.as_str()), ("FLAWLESS_RELEASE", deployed.release.as_str())];
        let mut app = deployed.start(&built("examples/crash"), &[], "", &variables);
        assert!(!app.ends().await.success(), "{}", app.output());
        let reports = deployed.told(story, &app, &failing, 1).await;
        assert_eq!(reports[0].server_name, Some(host_name()));
        assert_eq!(reports[1].raised().unwrap().handled, Some(false));
    });
}

#[test]
#[ignore = "needs Python, Node and Chromium; tests/run runs it"]
fn live_ingest_client_tower() {
    run_test(async |story| {
        let failing = [
            Failing {
                path: "ingest-client/examples/web.rs",
                text: "(12 / customers).to_string()",
                // As the debug information of async functions names it.
                function: "web::share::{{closure}}",
                exception: "panic",
                local: None,
                author: LINUS,
            },
            Failing {
                path: "ingest-client/examples/web.rs",
                text: "ingest_client::capture_error(&error);",
                function: "web::price::{{closure}}",
                exception: "UnknownItem",
                local: None,
                author: ADA,
            },
        ];
        let deployed = Deployed::of_files(story, "ingest-client::tower", example("web"), &failing).await.without_git();
        let variables = [("FLAWLESS_DSN", deployed.dsn.as_str()), ("FLAWLESS_RELEASE", deployed.release.as_str())];
        let mut app = deployed.start(&built("examples/web"), &["127.0.0.1:0"], "", &variables);
        let url = app.address().await;
        assert_eq!(visit(story.http.get(format!("{url}/price/tea"))).await, 200);
        for _ in 0..2 {
            let secret = |path: &str| story.http.get(format!("{url}{path}")).header("authorization", "Bearer a-secret");
            // The handler's panic ends its connection, as it does without the layer.
            assert!(secret("/share/0").send().await.is_err());
            assert_eq!(visit(secret("/price/coffee")).await, 404);
        }
        for (report, path) in deployed.told(story, &app, &failing, 2).await.iter().zip(["/share/0", "/price/coffee"]) {
            let request = report.request.as_ref().unwrap();
            let asked = format!("{url}{path}");
            assert_eq!((request.method.as_deref(), request.url.as_deref()), (Some("GET"), Some(asked.as_str())));
            assert!(!format!("{report:?}").contains("a-secret"), "{report:#?}");
        }
    });
}

#[test]
#[ignore = "needs Python, Node and Chromium; tests/run runs it"]
fn live_flawless_report() {
    run_test(async |story| {
        let failing = [Failing {
            path: "jobs/nightly.py",
            text: "return stock[name] - 1",
            function: "take",
            exception: "KeyError",
            local: None,
            author: ADA,
        }];
        let text = "\"\"\"Takes things out of stock, every night.\"\"\"\n\n\ndef take(stock, name):\n    return stock[name] - 1\n\n\n\
                    if __name__ == '__main__':\n    print('taking')\n    take({'tea': 3}, 'coffee')\n";
        let files = BTreeMap::from([("jobs/nightly.py".to_owned(), text.to_owned())]);
        // The checkout says which commit runs.
        let deployed = Deployed::of_files(story, "flawless-report", files, &failing).await;
        let variables = [("FLAWLESS_DSN", deployed.dsn.as_str())];
        let arguments = ["run", "--", "python3", "jobs/nightly.py"];
        let mut jobs = Vec::new();
        for _ in 0..2 {
            let mut job = deployed.start(&built("flawless-report"), &arguments, "", &variables);
            assert_eq!(job.ends().await.code(), Some(1));
            assert!(
                job.output().contains("taking\n") && job.output().contains("KeyError: 'coffee'"),
                "{}",
                job.output()
            );
            jobs.push(job);
        }
        let report = deployed.told(story, &jobs[1], &failing, 2).await.remove(0);
        assert_eq!(report.server_name, Some(host_name()));
    });
}
