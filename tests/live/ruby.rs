//! Ruby: Sinatra, with sentry-ruby.

use super::{Deployed, Failing, host_name, visit};
use crate::harness::git_repo::{GRACE, LINUS};
use crate::harness::story::run_test;
use std::path::Path;

#[test]
#[ignore = "needs Ruby with sentry-ruby; tests/run runs it"]
fn live_sinatra() {
    run_test(async |story| {
        let failing = [Failing {
            path: "shop/lib/bakery/ovens.rb",
            text: "degrees.succ / loaves",
            function: "heat",
            exception: "NoMethodError",
            local: Some(("oven", "wood")),
            author: GRACE,
        }];
        let deployed = Deployed::of(story, "ruby/sinatra", &failing).await.without_git();
        let mut app = deployed.start(Path::new("ruby"), &["server.rb"], "shop", &[]);
        let url = app.address().await;
        let bake = story.http.post(format!("{url}/bakes/wood"));
        let bake = bake.header("content-type", "application/x-www-form-urlencoded").body("loaves=4");
        assert_eq!(visit(bake).await, 500);
        let report = deployed.told(story, &app, &failing, 1).await.remove(0);
        let request = report.request.as_ref().unwrap();
        assert_eq!(request.method.as_deref(), Some("POST"));
        assert_eq!(request.url, Some(format!("{url}/bakes/wood")));
        assert_eq!(report.transaction.as_deref(), Some("/bakes/wood"));
        assert_eq!(report.environment.as_deref(), Some("staging"));
        assert_eq!(report.server_name, Some(host_name()));
    });
}

/// In a template, as ERB compiled it.
#[test]
#[ignore = "needs Ruby with sentry-ruby; tests/run runs it"]
fn live_sinatra_template() {
    run_test(async |story| {
        let failing = [Failing {
            path: "shop/views/tray.erb",
            text: "loaf[:grams].fdiv(1000)",
            function: "block in __tilt_",
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
