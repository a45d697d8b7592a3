//! Go: a web service and plain programs, with sentry-go.

use super::{Deployed, Failing, host_name};
use crate::harness::application::Application;
use crate::harness::git_repo::{ADA, GRACE, LINUS};
use crate::harness::story::{Story, run_test};
use domain::report::Report;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

/// The packages that the applications are built with, as Debian installs them.
const SOURCES: &str = "/usr/share/gocode/src";

/// Which these are, as `go mod vendor` writes it. The versions are what `go.mod` asks for: Go
/// itself looks no further, so these are Debian's.
const VENDORED: &str = "\
# github.com/getsentry/sentry-go v0.11.0
## explicit
github.com/getsentry/sentry-go
github.com/getsentry/sentry-go/http
github.com/getsentry/sentry-go/internal/crypto/randutil
github.com/getsentry/sentry-go/internal/debug
github.com/getsentry/sentry-go/internal/ratelimit
# github.com/pkg/errors v0.9.1
## explicit
github.com/pkg/errors
";

/// Builds the application where it is deployed, without the network; gives the program.
async fn built(deployed: &Deployed) -> PathBuf {
    for package in ["getsentry/sentry-go", "pkg/errors"] {
        let source = Path::new(SOURCES).join("github.com").join(package);
        assert!(source.exists(), "not installed: {} (tests/run names Debian's package)", source.display());
        let link = deployed.folder.join("vendor/github.com").join(package);
        std::fs::create_dir_all(link.parent().unwrap()).unwrap();
        symlink(source, link).unwrap();
    }
    std::fs::write(deployed.folder.join("vendor/modules.txt"), VENDORED).unwrap();
    // One cache for all that are built, as the home of each application is another.
    let cache = std::env::temp_dir().join("flawless-go-cache");
    let variables = [
        ("GOCACHE", cache.to_str().unwrap()),
        ("GOFLAGS", "-mod=vendor"),
        ("GOPROXY", "off"),
        ("GOTOOLCHAIN", "local"),
        ("GO111MODULE", "on"),
    ];
    let mut building =
        Application::start(Path::new("go"), &["build", "-o", "till", "./cmd/till"], &deployed.folder, &variables);
    assert!(building.ends().await.success(), "{}", building.output());
    deployed.folder.join("till")
}

/// Runs the application in this way until it ends, and looks at what is told of its failure.
async fn ended(story: &mut Story, way: &str, succeeds: bool, failing: Failing) -> Report {
    let failing = [failing];
    let deployed = Deployed::of(story, "go/till", &failing).await.without_git();
    let program = built(&deployed).await;
    let mut app = deployed.start(&program, &[way], "", &[]);
    assert_eq!(app.ends().await.success(), succeeds, "{}", app.output());
    let report = deployed.told(story, &app, &failing, 1).await.remove(0);
    assert_eq!(report.server_name, Some(host_name()));
    assert_eq!(report.environment.as_deref(), Some("staging"));
    report
}

#[test]
#[ignore = "needs Go with sentry-go; tests/run runs it"]
fn live_go_service() {
    run_test(async |story| {
        let failing = [
            Failing {
                path: "internal/prices/prices.go",
                text: "return b.prices[n]",
                function: "(*Book).Nth",
                exception: "runtime.boundsError",
                local: None,
                author: GRACE,
            },
            Failing {
                path: "internal/prices/prices.go",
                text: "b.notes[item]++",
                function: "(*Book).Note",
                exception: "runtime.plainError",
                local: None,
                author: ADA,
            },
        ];
        let deployed = Deployed::of(story, "go/till", &failing).await.without_git();
        let program = built(&deployed).await;
        let mut app = deployed.start(&program, &["serve"], "", &[]);
        let url = app.address().await;
        for page in ["nth?n=7", "note?item=plums"] {
            // The panic is handed on to Go's server, which hangs up.
            assert!(story.http.get(format!("{url}/{page}")).send().await.is_err());
        }
        let reports = deployed.told(story, &app, &failing, 1).await;
        for (report, page) in reports.iter().zip(["nth", "note"]) {
            let request = report.request.as_ref().unwrap();
            assert_eq!(request.method.as_deref(), Some("GET"));
            assert_eq!(request.url, Some(format!("{url}/{page}")));
            assert_eq!(report.transaction, Some(format!("GET /{page}")));
            assert_eq!(report.server_name, Some(host_name()));
        }
    });
}

/// A goroutine that ends with `sentry.Recover`, and an error of the program's own.
#[test]
#[ignore = "needs Go with sentry-go; tests/run runs it"]
fn live_goroutine() {
    run_test(async |story| {
        let failing = Failing {
            path: "internal/prices/prices.go",
            text: "panic(&UnknownError{item})",
            function: "(*Book).MustPrice",
            exception: "*prices.UnknownError",
            local: None,
            author: LINUS,
        };
        ended(story, "goroutine", true, failing).await;
    });
}

/// Recovered by the program's own deferred function, which hands it to the client: the client says
/// that this function failed, at the line that asked it.
#[test]
#[ignore = "needs Go with sentry-go; tests/run runs it"]
fn live_go_program_that_dies() {
    run_test(async |story| {
        let failing = Failing {
            path: "internal/prices/prices.go",
            text: "return total / people",
            function: "Share",
            exception: "runtime.errorString",
            local: None,
            author: ADA,
        };
        ended(story, "die", false, failing).await;
    });
}

/// Wrapped by `%w` above one of `pkg/errors`, which alone knows where it came from.
#[test]
#[ignore = "needs Go with sentry-go; tests/run runs it"]
fn live_go_wrapped_error() {
    run_test(async |story| {
        let failing = Failing {
            path: "internal/prices/prices.go",
            text: "errors.New(\"the till is empty\")",
            function: "Close",
            exception: "*errors.fundamental",
            local: None,
            author: GRACE,
        };
        ended(story, "wrapped", true, failing).await;
    });
}

/// Wrapped where none of the errors knows a stack: only the call that reported it is known.
#[test]
#[ignore = "needs Go with sentry-go; tests/run runs it"]
fn live_go_error_without_stack() {
    run_test(async |story| {
        let failing = Failing {
            path: "cmd/till/main.go",
            text: "sentry.CaptureException(reopen(\"monday\"))",
            function: "main",
            exception: "*prices.UnknownError",
            local: None,
            author: LINUS,
        };
        ended(story, "plain", true, failing).await;
    });
}
