//! Secrets: what a repository hides beside what is known everywhere, and where nothing may be left.

use crate::harness::git_repo::ADA;
use crate::harness::story::{REPO, run_test};
use serde_json::json;

/// A token that looks real, put together so that none stands here.
fn token() -> String {
    ["gh", "p_", "aB3dE6gH9jK2mN5pQ8rS1tU4vW7xY0zA3bC6"].concat()
}

#[test]
fn a_repository_hides_what_its_settings_name_from_the_next_report_on() {
    run_test(async |story| {
        let settings = "scrub: { names: [customer_ref], patterns: ['KD-[0-9]{6}'], keep: [session_id] }\n";
        story.commit(ADA, "2026-01-06T10:00:00Z", &[(".github/flawless.yml", settings)], "Hide customers");
        story.install().await;
        let mut event = story.event();
        event["server_name"] = json!("web KD-123456");
        event["exception"]["values"][0]["value"] = json!("no order of KD-123456");
        event["exception"]["values"][0]["stacktrace"]["frames"][1]["vars"] =
            json!({"customerRef": "'Ann Example'", "session_id": "'abc123'"});
        story.report(&event).await;
        story.report(&event).await;
        let told = story.transcript_in_full();
        assert!(!told.contains("KD-123456") && !told.contains("Ann Example"), "{told}");
        for shown in
            ["no order of [Filtered]", "Server: web [Filtered]", "customerRef = [Filtered]", "session_id = 'abc123'"]
        {
            assert!(told.contains(shown), "{shown} in {told}");
        }
    });
}

#[test]
fn names_of_servers_types_and_releases_are_looked_at_on_every_page() {
    run_test(async |story| {
        story.install().await;
        let mut event = story.event();
        event["server_name"] = json!(format!("web-1 {}", token()));
        event["environment"] = json!(format!("prod password={}", "hunter2hunter2"));
        event["exception"]["values"][0]["type"] = json!(format!("AuthError {}", token()));
        story.report(&event).await;
        // A repeat is only counted: its server is a facet by itself.
        event["server_name"] = json!(format!("web-2 {}", token()));
        story.report(&event).await;
        let line = "filename=shop%2Fcart.py&function_name=total&line_number=9";
        let pages = [
            format!("/view_traceback?repo=acme%2Fshop&{line}"),
            format!("/{REPO}"),
            format!("/{REPO}/connect"),
            "/get_weekly_error_report".to_owned(),
        ];
        let mut read = story.transcript_in_full();
        for page in &pages {
            read += &story.page(page).await;
        }
        assert!(!read.contains(&token()) && !read.contains("hunter2hunter2"), "{read}");
        assert!(read.contains("web-1 [Filtered]") && read.contains("AuthError [Filtered]"), "{read}");
    });
}

#[test]
fn a_failing_line_with_a_secret_in_it_is_found_in_the_repository_all_the_same() {
    run_test(async |story| {
        let code = format!("def pay(n):\n    # charges\n    return charge(\"{}\", n)\n", token());
        story.commit(ADA, "2026-01-06T10:00:00Z", &[("shop/pay.py", &code)], "Pay");
        story.install().await;
        let mut event = story.event_at(&story.repo.head(), "shop/pay.py", "return charge", "pay", "web-1");
        // What ran is a line further down than what is there.
        event["release"] = json!("1.0");
        event["exception"]["values"][0]["stacktrace"]["frames"][1]["lineno"] = json!(4);
        story.report(&event).await;
        let lines = story.lines().await;
        assert_eq!((lines[0].place.path.as_str(), lines[0].place.line), ("shop/pay.py", 3), "{:?}", lines[0]);
        assert!(story.transcript().contains("mail to ada@example.com"));
    });
}
