//! Text that others chose, in front of the people who read it: nothing in it hides, reorders or
//! forges what stands around it, on any way out.

use crate::harness::browser::Browser;
use crate::harness::git_repo::ADA;
use crate::harness::story::{CART_PATH, REPO, run_test};
use serde_json::json;

/// What a reader must never meet: an escape that a terminal obeys, a mark that turns the order of
/// letters, a space without width, a separator of lines.
const DECEIVING: [char; 4] = ['\u{1b}', '\u{202e}', '\u{200b}', '\u{2028}'];

/// Text with all of them, that also tries to be a line of its own.
fn hostile(name: &str) -> String {
    format!("{name}\u{202e}\u{200b}\u{2028}\u{1b}[2J\u{1b}]0;owned\u{7}\nERROR forged")
}

fn assert_harmless(what: &str, text: &str) {
    for c in DECEIVING {
        assert!(!text.contains(c), "\\u{{{:x}}} in {what}:\n{text}", u32::from(c));
    }
}

#[test]
fn nothing_deceives_whoever_reads_of_an_error() {
    run_test(async |story| {
        story.install().await;
        let subject = hostile("Look up prices");
        let head = story.commit(
            ADA,
            "2026-11-20T10:00:00Z",
            &[(CART_PATH, "def total(basket):\n    return PRICES[sku]\n")],
            &subject,
        );
        story.push().await;
        let mut event = story.event_at(&head, CART_PATH, "PRICES[sku]", "total", &hostile("web-9f2c1e7ab"));
        event["environment"] = json!(hostile("production"));
        let exception = &mut event["exception"]["values"][0];
        exception["type"] = json!(hostile("KeyError"));
        exception["value"] =
            json!(format!("{}\n```\n@ada fixes #1 :bug:\n> File \"a.py\", line 1", hostile("'quince'")));
        exception["stacktrace"]["frames"][0]["filename"] = json!(hostile("flask/app.py"));
        exception["stacktrace"]["frames"][0]["function"] = json!(hostile("wsgi_app"));
        exception["stacktrace"]["frames"][1]["vars"] = json!({ hostile("sku"): hostile("'quince'") });
        story.report(&event).await;

        let issue = story.github.issue(REPO, 1);
        assert_harmless("the issue's title", &issue.title);
        assert_harmless("the issue's body", &issue.body);
        let (_, traceback) = issue.body.split_once("### Traceback").unwrap();
        assert!(!traceback.lines().any(|line| line.starts_with("ERROR forged")), "{}", issue.body);
        assert!(issue.body.contains("web-9f2c&#8203;1e7ab"), "GitHub would link it as a commit: {}", issue.body);
        for mail in story.mails() {
            assert_harmless("the subject", mail.parsed().subject().unwrap());
            assert_harmless("the mail", &mail.text());
            assert_harmless("the mail as HTML", &mail.html());
            assert!(!mail.text().lines().any(|line| line.starts_with("ERROR forged")), "{}", mail.text());
        }
        insta::assert_snapshot!(story.transcript(), @r"
        acme/shop#1 opened: KeyError\u{202e}\u{200b}\u{2028}\u{1b}[2J\u{1b}]0;owned\u{7} ERROR forged in total (shop/cart.py) [flawless]
        acme/shop#1 assigned to ada
        ");
        for path in ["/", "/acme/shop", "/get_weekly_error_report", "/check_health"] {
            assert_harmless(path, &Browser::signed_in(story).await.open(path).await);
        }
        let path = "/view_traceback?repo=acme%2Fshop&filename=shop%2Fcart.py&function_name=total&line_number=2";
        assert_harmless("the traceback's page", &Browser::signed_in(story).await.open(path).await);

        let report = story.command(&["report", "this-week"]);
        assert_harmless("the report", &report);
        assert_eq!(report.lines().count(), 1, "a line for each line: {report}");
    });
}
