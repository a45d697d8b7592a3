//! Python: Flask, Django, FastAPI, Celery, plain scripts, logging, threads and asyncio, with
//! sentry-sdk.

use super::{Deployed, Failing, host_name, visit};
use crate::harness::git_repo::{ADA, GRACE, LINUS};
use crate::harness::story::run_test;
use serde_json::json;
use std::path::PathBuf;

/// The interpreter of the environment with the applications' packages.
fn python() -> PathBuf {
    let set = std::env::var_os("FLAWLESS_TEST_PYTHON").expect(
        "FLAWLESS_TEST_PYTHON is not set: tests/run sets it. By hand: python3 -m venv FOLDER; FOLDER/bin/pip install -r \
         tests/live/python/requirements.txt; and set it to FOLDER/bin/python",
    );
    PathBuf::from(set)
}

#[test]
#[ignore = "needs Python, Node and Chromium; tests/run runs it"]
fn live_flask() {
    run_test(async |story| {
        let failing = [Failing {
            path: "backend/tickets/seats.py",
            text: "price = ROWS[row] * len(wanted)",
            function: "reserve",
            exception: "KeyError",
            local: Some(("row", "'F'")),
            author: ADA,
        }];
        let deployed = Deployed::of(story, "python/flask", &failing).await.without_git();
        let mut app = deployed.start(&python(), &["-m", "tickets.app"], "backend", &[]);
        let url = app.address().await;
        for _ in 0..2 {
            let order = json!({ "row": "F", "seats": [7, 8] }).to_string();
            let request = story.http.post(format!("{url}/reservations?evening=friday"));
            let request = request
                .header("content-type", "application/json")
                .header("authorization", "Bearer a-secret-of-the-guest")
                .body(order);
            assert_eq!(visit(request).await, 500);
        }
        let report = deployed.told(story, &app, &failing, 2).await.remove(0);
        assert_eq!(report.server_name, Some(host_name()));
        assert_eq!(report.environment.as_deref(), Some("staging"));
        assert_eq!(report.transaction.as_deref(), Some("reservations"));
        let request = report.request.as_ref().unwrap();
        assert_eq!(request.method.as_deref(), Some("POST"));
        assert_eq!(request.url, Some(format!("{url}/reservations")));
        assert_eq!(request.query.as_deref(), Some("evening=friday"));
        assert_eq!(request.data, Some(json!({ "row": "F", "seats": [7, 8] })));
        assert!(!format!("{report:?}").contains("a-secret-of-the-guest"), "{report:#?}");
    });
}

#[test]
#[ignore = "needs Python, Node and Chromium; tests/run runs it"]
fn live_django() {
    run_test(async |story| {
        let failing = [
            Failing {
                path: "library/loans/fines.py",
                text: "/ weeks",
                function: "per_week",
                exception: "decimal.DivisionByZero",
                local: Some(("late", "2")),
                author: LINUS,
            },
            // Raised below a template: the innermost frames are Django's and the property's.
            Failing {
                path: "library/loans/fines.py",
                text: "self.loans[first].title()",
                function: "oldest",
                exception: "AttributeError",
                local: Some(("first", "'2026-03-01'")),
                author: ADA,
            },
        ];
        let deployed = Deployed::of(story, "python/django", &failing).await.without_git();
        let mut app = deployed.start(&python(), &["serve.py"], "library", &[]);
        let url = app.address().await;
        for page in ["fines/5/", "receipts/jane/"] {
            assert_eq!(visit(story.http.get(format!("{url}/{page}"))).await, 500);
        }
        let reports = deployed.told(story, &app, &failing, 1).await;
        assert_eq!(reports[0].transaction.as_deref(), Some("/fines/{days}/"));
        for (report, page) in reports.iter().zip(["fines/5/", "receipts/jane/"]) {
            let request = report.request.as_ref().unwrap();
            assert_eq!(request.url, Some(format!("{url}/{page}")));
            assert_eq!(request.method.as_deref(), Some("GET"));
            assert_eq!(report.server_name, Some(host_name()));
        }
    });
}

#[test]
#[ignore = "needs Python, Node and Chromium; tests/run runs it"]
fn live_fastapi() {
    run_test(async |story| {
        let failing = [
            Failing {
                path: "service/stations/readings.py",
                text: "warmest = max(values)",
                function: "mean_of",
                exception: "ValueError",
                local: Some(("values", "[]")),
                author: GRACE,
            },
            // Answered on a thread of the pool.
            Failing {
                path: "service/stations/readings.py",
                text: "return value + shift",
                function: "correct",
                exception: "TypeError",
                local: Some(("value", "21.5")),
                author: LINUS,
            },
        ];
        let deployed = Deployed::of(story, "python/fastapi", &failing).await.without_git();
        let mut app = deployed.start(&python(), &["main.py"], "service", &[]);
        let url = app.address().await;
        let readings = json!({ "station": "harbour", "values": [] }).to_string();
        let posted = story.http.post(format!("{url}/means")).header("content-type", "application/json").body(readings);
        assert_eq!(visit(posted).await, 500);
        assert_eq!(visit(story.http.get(format!("{url}/corrected/21.5"))).await, 500);
        let reports = deployed.told(story, &app, &failing, 1).await;
        let request = reports[0].request.as_ref().unwrap();
        assert_eq!(request.url, Some(format!("{url}/means")));
        assert_eq!(request.method.as_deref(), Some("POST"));
        assert_eq!(reports[1].transaction.as_deref(), Some("/corrected/{value}"));
    });
}

#[test]
#[ignore = "needs Python, Node and Chromium; tests/run runs it"]
fn live_celery() {
    run_test(async |story| {
        let failing = [Failing {
            path: "jobs/postage.py",
            text: "return fitting[0]",
            function: "cheapest",
            exception: "IndexError",
            local: Some(("grams", "2500")),
            author: GRACE,
        }];
        let deployed = Deployed::of(story, "python/celery", &failing).await.without_git();
        let queue = story.folder().join("queue");
        std::fs::create_dir_all(queue.join("control")).unwrap();
        let variables = [("QUEUE", queue.to_str().unwrap())];
        let arguments = [
            "-m",
            "celery",
            "-A",
            "jobs.worker",
            "worker",
            "--concurrency",
            "1",
            "--loglevel",
            "warning",
            "--without-gossip",
        ];
        let mut worker = deployed.start(&python(), &arguments, "", &variables);
        worker.says("the worker is ready").await;
        for _ in 0..2 {
            let mut asking = deployed.start(&python(), &["enqueue.py", "2500", "FR"], "", &variables);
            assert!(asking.ends().await.success(), "{}", asking.output());
        }
        let report = deployed.told(story, &worker, &failing, 2).await.remove(0);
        assert_eq!(report.transaction.as_deref(), Some("parcels.send"));
        assert!(format!("{:?}", report.additional).contains("2500"), "the task's arguments: {:#?}", report.additional);
    });
}

/// Tells of one script.
fn script(
    name: &'static str,
    succeeds: bool,
    keep_git: bool,
    failing: Failing,
    occurrences: u64,
    check: impl Fn(&domain::report::Report),
) {
    run_test(async |story| {
        let failing = [failing];
        let mut deployed = Deployed::of(story, "python/scripts", &failing).await;
        if !keep_git {
            deployed = deployed.without_git();
        }
        let mut running = deployed.start(&python(), &[name], "tools", &[]);
        let status = running.ends().await;
        assert_eq!(status.success(), succeeds, "{}", running.output());
        let report = deployed.told(story, &running, &failing, occurrences).await.remove(0);
        assert_eq!(report.server_name, Some(host_name()));
        check(&report);
    });
}

/// The release is the commit of the clone that runs: the client asks git itself.
#[test]
#[ignore = "needs Python, Node and Chromium; tests/run runs it"]
fn live_python_script_that_dies() {
    let failing = Failing {
        path: "tools/nightly/rates.py",
        text: "return currency, float(rate)",
        function: "parse",
        exception: "ValueError",
        local: Some(("rate", "'unknown'")),
        author: LINUS,
    };
    script("uncaught.py", false, true, failing, 1, |report| {
        assert_eq!(report.raised().unwrap().handled, Some(false));
    });
}

#[test]
#[ignore = "needs Python, Node and Chromium; tests/run runs it"]
fn live_python_logging() {
    let failing = Failing {
        path: "tools/nightly/convert.py",
        text: "rate = rates[currency]",
        function: "euros",
        exception: "KeyError",
        local: Some(("amount", "12.5")),
        author: ADA,
    };
    script("logged.py", true, false, failing, 1, |report| {
        assert_eq!(report.logger.as_deref(), Some("nightly.books"));
        assert_eq!(report.message.as_deref(), Some("booking 4711 could not be converted"));
    });
}

#[test]
#[ignore = "needs Python, Node and Chromium; tests/run runs it"]
fn live_python_thread() {
    let failing = Failing {
        path: "tools/nightly/convert.py",
        text: "return ordered[0]",
        function: "smallest",
        exception: "IndexError",
        local: Some(("ordered", "[]")),
        author: GRACE,
    };
    script("threads.py", true, false, failing, 1, |report| {
        assert_eq!(report.raised().unwrap().handled, Some(false));
    });
}

#[test]
#[ignore = "needs Python, Node and Chromium; tests/run runs it"]
fn live_python_asyncio_task() {
    let failing = Failing {
        path: "tools/nightly/convert.py",
        text: "return total_of_all / rates.get(currency)",
        function: "total",
        exception: "TypeError",
        local: Some(("total_of_all", "7.5")),
        author: LINUS,
    };
    // The client reports it twice, as it fails and as asyncio logs that nobody asked. That is still
    // one line and one alert.
    script("tasks.py", true, false, failing, 2, |report| {
        assert_eq!(report.raised().unwrap().handled, Some(false));
    });
}

/// Fails four times, and prints for how many seconds the SDK sends nothing of each category.
const FAILS_FOUR_TIMES: &str = r#"
import datetime, json, os, sentry_sdk
sentry_sdk.init(dsn=os.environ["DSN"], release="", default_integrations=False, send_client_reports=False)
for number in range(4):
    try:
        raise KeyError(number)
    except KeyError:
        sentry_sdk.capture_exception()
    sentry_sdk.flush(10)
now = datetime.datetime.now(datetime.timezone.utc)
until = sentry_sdk.get_client().transport._disabled_until
print(json.dumps({str(category): round((at - now).total_seconds()) for category, at in until.items()}))
"#;

#[test]
#[ignore = "needs Python, Node and Chromium; tests/run runs it"]
fn live_python_pauses_for_a_key_beyond_its_rate_with_errors_alone() {
    run_test(async |story| {
        story.set("KEY_RATE", "2");
        story.restart().await;
        story.install().await;
        let (key, project) = story.key().await;
        let dsn = story.url().replace("://", &format!("://{key}@")) + &format!("/{project}");
        let run = move || {
            let mut command = std::process::Command::new(python());
            command.args(["-c", FAILS_FOUR_TIMES]).env("DSN", dsn).output().unwrap()
        };
        let output = tokio::task::spawn_blocking(run).await.unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        let silent: serde_json::Map<String, serde_json::Value> =
            serde_json::from_str(&said).unwrap_or_else(|_| panic!("{said}{}", String::from_utf8_lossy(&output.stderr)));
        let seconds = silent["error"].as_i64().unwrap();
        // The next one is let in after half a minute; the fourth was not sent any more.
        assert!((20..=31).contains(&seconds), "{said}");
        assert!(!silent.contains_key("None") && silent["transaction"].as_i64().unwrap() > 80_000, "{said}");
        let metrics = story.page("/metrics").await;
        assert!(metrics.contains("flawless_reports_refused_total{reason=\"rate\"} 1\n"), "{metrics}");
        story.settle().await;
        story.transcript();
    });
}
