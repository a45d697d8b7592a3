//! Ruby: Sinatra and Rake, with sentry-ruby.

use super::{Deployed, Failing, host_name, visit};
use crate::harness::git_repo::{ADA, GRACE, LINUS};
use crate::harness::story::run_test;
use std::path::Path;

#[test]
#[ignore = "needs Ruby with sentry-ruby; tests/run runs it"]
fn live_sinatra() {
    run_test(async |story| {
        let failing = [
            Failing {
                path: "shop/lib/bakery/ovens.rb",
                text: "degrees.succ / loaves",
                function: "heat",
                exception: "NoMethodError",
                local: Some(("oven", "wood")),
                author: GRACE,
            },
            // Another error was its cause, raised deeper.
            Failing {
                path: "shop/lib/bakery/ovens.rb",
                text: "raise OrderFailed",
                function: "rescue in order",
                exception: "Bakery::OrderFailed",
                local: Some(("number", "4711")),
                author: ADA,
            },
        ];
        let deployed = Deployed::of(story, "ruby/sinatra", &failing).await.without_git();
        let mut app = deployed.start(Path::new("ruby"), &["server.rb"], "shop", &[]);
        let url = app.address().await;
        let bake = story.http.post(format!("{url}/bakes/wood"));
        let bake = bake.header("content-type", "application/x-www-form-urlencoded").body("loaves=4");
        assert_eq!(visit(bake).await, 500);
        assert_eq!(visit(story.http.get(format!("{url}/orders/4711"))).await, 500);
        let reports = deployed.told(story, &app, &failing, 1).await;
        for (report, (method, path)) in reports.iter().zip([("POST", "/bakes/wood"), ("GET", "/orders/4711")]) {
            let request = report.request.as_ref().unwrap();
            assert_eq!(request.method.as_deref(), Some(method));
            assert_eq!(request.url, Some(format!("{url}{path}")));
            assert_eq!(report.transaction.as_deref(), Some(path));
            assert_eq!(report.environment.as_deref(), Some("staging"));
            assert_eq!(report.server_name, Some(host_name()));
        }
    });
}

/// In a template, as ERB compiled it: to a function that nobody has written.
#[test]
#[ignore = "needs Ruby with sentry-ruby; tests/run runs it"]
fn live_sinatra_template() {
    run_test(async |story| {
        let failing = [Failing {
            path: "shop/views/tray.erb",
            text: "loaf[:grams].fdiv(1000)",
            function: "?",
            exception: "NoMethodError",
            local: Some(("loaf", "{:name=>\"bun\"}")),
            author: LINUS,
        }];
        let deployed = Deployed::of(story, "ruby/sinatra", &failing).await.without_git();
        let mut app = deployed.start(Path::new("ruby"), &["server.rb"], "shop", &[]);
        let url = app.address().await;
        assert_eq!(visit(story.http.get(format!("{url}/tray"))).await, 500);
        deployed.told(story, &app, &failing, 1).await;
    });
}

/// Tells of one task of the Rakefile.
fn task(name: &'static str, failing: Failing) {
    run_test(async |story| {
        let failing = [failing];
        let deployed = Deployed::of(story, "ruby/rake", &failing).await.without_git();
        let mut running = deployed.start(Path::new("rake"), &[name], "nightly", &[]);
        assert!(!running.ends().await.success(), "{}", running.output());
        let report = deployed.told(story, &running, &failing, 1).await.remove(0);
        assert_eq!(report.transaction.as_deref(), Some(name));
        assert_eq!(report.server_name, Some(host_name()));
    });
}

/// Below two blocks that Ruby's own methods called; the innermost frame is such a method at the
/// line of its caller.
#[test]
#[ignore = "needs Ruby with sentry-ruby; tests/run runs it"]
fn live_rake() {
    let failing = Failing {
        path: "nightly/lib/flour.rb",
        text: "240.divmod(baker).first",
        function: "block (2 levels) in weigh",
        exception: "ZeroDivisionError",
        local: None,
        author: LINUS,
    };
    task("weigh", failing);
}

#[test]
#[ignore = "needs Ruby with sentry-ruby; tests/run runs it"]
fn live_rake_thread() {
    let failing = Failing {
        path: "nightly/lib/flour.rb",
        text: "[name, Integer(many)]",
        function: "count",
        exception: "ArgumentError",
        local: None,
        author: ADA,
    };
    task("count", failing);
}

/// An error that another caused, in a namespace of its own.
#[test]
#[ignore = "needs Ruby with sentry-ruby; tests/run runs it"]
fn live_rake_cause() {
    let failing = Failing {
        path: "nightly/lib/flour.rb",
        text: "raise Torn",
        function: "rescue in sieve",
        exception: "Flour::Store::Torn",
        local: None,
        author: GRACE,
    };
    task("sieve", failing);
}
