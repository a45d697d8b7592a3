//! The pages: what they show, what they change, and what a link out of a mail opens.

use crate::harness::browser::{Browser, TOKEN, link_in};
use crate::harness::git_repo::GRACE;
use crate::harness::story::{CART_PATH, REPO, run_test};
use jiff::SignedDuration;
use serde_json::json;

#[test]
fn the_admin_sees_what_failed_and_whose_it_is() {
    run_test(async |story| {
        story.alerted().await;
        let (key, project) = story.key().await;
        let browser = Browser::signed_in(story).await;
        assert!(browser.open("/").await.contains("acme/shop"));
        let page = browser.open("/acme/shop").await;
        assert!(page.contains(&format!("https://{key}@flawless.test/{project}")), "{page}");
        assert!(page.contains("shop/cart.py:9"));
        let week = browser.open("/get_weekly_error_report").await;
        for word in ["Ada Lovelace", "shop/cart.py:9", "KeyError", "#1"] {
            assert!(week.contains(word), "{word} in {week}");
        }
        let path = "/view_traceback?repo=acme%2Fshop&filename=shop%2Fcart.py&function_name=total&line_number=9";
        let page = browser.open(path).await;
        // Escaped where escaping is due.
        for word in ["amount += PRICES[sku]", "Ada Lovelace", "sku"] {
            assert!(page.contains(word), "{word} in {page}");
        }
        let health = browser.open("/check_health").await;
        assert!(health.contains("DATABASE_URL") && !health.contains("PRIVATE KEY-----"), "{health}");
        assert!(health.contains("\"TRUSTED_PROXIES\":\"not set\"") && !health.contains(":\"\""), "{health}");
        assert!(health.contains("1 repository, fetched or on its way."), "{health}");
        let health = Browser::new(story).open("/check_health").await;
        assert!(!health.contains("configuration") && health.contains("\"up\":true"), "{health}");
        assert_eq!(browser.get("/acme/nothing").await.status, 404);
        assert_eq!(browser.get("/no/such/page").await.status, 404);
        let metrics = story.page("/metrics").await;
        assert!(metrics.contains("flawless_reports_accepted_total 1"), "{metrics}");
    });
}

#[test]
fn long_names_that_strangers_chose_make_no_page_long() {
    run_test(async |story| {
        story.install().await;
        let hostile = |name: &str| format!("{name}{}", "\"'<&".repeat(240));
        let mut event = story.event_at("HEAD", CART_PATH, "PRICES[sku]", "total", "web-1");
        let exception = &mut event["exception"]["values"][0];
        (exception["type"], exception["value"]) = (json!(hostile("Long")), json!(hostile("value")));
        exception["stacktrace"]["frames"] = json!([{
            "filename": hostile("gone/"), "function": hostile("long"), "context_line": hostile("raise"), "lineno": 7,
            "in_app": true,
        }]);
        story.report(&event).await;
        let _read = story.transcript();
        let [line] = &story.lines().await[..] else { panic!("one line") };
        assert!(line.place.path.len() > 900 && line.place.code.len() > 900, "{line:?}");
        // 500 of them are a page of about a megabyte.
        let empty = story.page("/get_weekly_error_report?timestamp=0").await;
        let week = story.page("/get_weekly_error_report").await;
        assert!(week.len() - empty.len() < 3_500, "{} more than {}", week.len() - empty.len(), empty.len());
        assert!(story.page("/acme/shop").await.len() < 20_000);
        let browser = Browser::signed_in(story).await;
        let week = browser.open("/get_weekly_error_report").await;
        let (_, link) = week.split_once("href=\"/view_traceback?").expect("a link to the line");
        let link = link.split_once('"').expect("its end").0.replace("&amp;", "&");
        assert!(link.contains(&format!("line_id={}", line.id)), "{link}");
        let page = browser.open(&format!("/view_traceback?{link}")).await;
        assert!(page.contains("Latest traceback") && page.contains("raise"), "{page}");
        let other = browser.get("/view_traceback?repo=acme%2Fshop&line_id=999").await;
        assert!(other.status == 404 && other.seen().contains("no such line"), "{}", other.seen());
    });
}

/// Widest that a capital letter of a setting's name is, in pixels: measured in Chromium, 9.3.
const CAPITAL: f64 = 10.0;

#[test]
fn no_name_of_a_setting_is_broken_on_the_page_of_health() {
    let style = include_str!("../web/static/style.css");
    let (_, rule) = style.split_once(".pairs dt {").unwrap();
    let (width, _) = rule.split_once("width: ").unwrap().1.split_once("px").unwrap();
    let longest = app::config::NAMES.map(str::len).into_iter().max().unwrap();
    assert!(width.parse::<f64>().unwrap() >= longest as f64 * CAPITAL, "{longest} letters in {width} px");
}

#[test]
fn the_page_to_sign_in_says_where_the_token_is_from() {
    run_test(async |story| {
        let page = Browser::new(story).open("/login").await;
        assert!(page.contains("It is set as ADMIN_TOKEN where the server runs."), "{page}");
        story.unset("ADMIN_TOKEN");
        story.restart().await;
        let browser = Browser::new(story);
        let page = browser.open("/login").await;
        assert!(page.contains("ADMIN_TOKEN was set when the server was started before, and is not any more"), "{page}");
        let refused = browser.post("/login", &[("token", TOKEN), ("next", "")]).await;
        assert_eq!(refused.status, 403);
        assert!(refused.text.contains("Whoever does not have that sets ADMIN_TOKEN again"), "{}", refused.text);
        // Somebody has found it.
        let made = store::meta::by_name(&story.services().store, "admin_token").await.unwrap().unwrap();
        assert_eq!(browser.post("/login", &[("token", made.as_str()), ("next", "")]).await.status, 303);
        story.restart().await;
        let page = Browser::new(story).open("/login").await;
        assert!(page.contains("The server printed it once, when it was first started."), "{page}");
    });
}

#[test]
fn a_link_out_of_a_mail_opens_its_line_and_no_other() {
    run_test(async |story| {
        let mail = story.alerted().await;
        let browser = Browser::new(story);
        let link = link_in(&mail, "/view_traceback");
        assert!(browser.open(&link).await.contains("shop/cart.py"));
        // It is signed for the place, whatever else is added.
        assert!(browser.open(&format!("{link}&line=999")).await.contains("shop/cart.py"));
        let other = link.replace("function_name=total", "function_name=other");
        assert_eq!(browser.get(&other).await.status, 403);
        story.clock.advance(SignedDuration::from_hours(91 * 24));
        assert_eq!(browser.get(&link).await.status, 403);
    });
}

#[test]
fn a_link_out_of_a_mail_whitelists_by_post_only() {
    run_test(async |story| {
        let mail = story.alerted().await;
        let browser = Browser::new(story);
        let form = browser.get(&link_in(&mail, "/add_known_error")).await;
        assert!(story.rules().await.is_empty(), "mail scanners follow links");
        let mut fields = form.fields();
        fields.push(("scope".to_owned(), "line".to_owned()));
        let post = async |fields: &[(String, String)]| {
            let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            browser.post("/add_known_error", &fields).await.status
        };
        assert_eq!(post(&fields).await, 200);
        let rules = story.rules().await;
        assert_eq!(rules.len(), 1);
        assert_eq!(rules[0].made.rule.file(), CART_PATH);
        assert!(story.lines().await[0].known);
        let (_, repository) = fields.iter_mut().find(|(name, _)| name == "repo").unwrap();
        assert_eq!(std::mem::replace(repository, "acme/other".to_owned()), REPO);
        assert_ne!(post(&fields).await, 200, "forged");
    });
}

#[test]
fn a_form_from_another_site_changes_nothing() {
    run_test(async |story| {
        story.alerted().await;
        let browser = Browser::signed_in(story).await;
        let fields = [("repo", REPO), ("filename", CART_PATH), ("scope", "file"), ("csrf", "forged")];
        assert_eq!(browser.post("/add_known_error", &fields).await.status, 403);
        assert!(story.rules().await.is_empty());
    });
}

#[test]
fn pages_work_below_a_path() {
    run_test(async |story| {
        story.stop().await;
        story.set("PUBLIC_URL", "https://flawless.test/errors");
        story.start().await;
        let browser = Browser::new(story);
        let page = browser.get("/errors/").await;
        assert_eq!((page.status, page.location.as_str()), (303, "/errors/login?next=%2Ferrors%2F"));
        assert_eq!(browser.get("/errors/static/style.css").await.status, 200);
    });
}

#[test]
fn the_terminals_report_says_whose_a_line_is_and_what_it_leaves_out() {
    run_test(async |story| {
        story.alerted().await;
        let day = story.clock.now().date().to_string();
        assert!(story.command(&["report", &day]).contains("Ada Lovelace"), "who wrote it");
        story.github.assign(REPO, 1, "linus", "owner");
        story.settle().await;
        story.transcript();
        assert!(story.command(&["report", &day]).contains("@linus"), "whose it is now");
        let settings = "report_only_after_minimum_date: 2026-06-01\n";
        story.commit(GRACE, "2026-06-02T10:00:00Z", &[(".github/flawless.yml", settings)], "Begin anew");
        story.push().await;
        let said = story.command(&["report", &day]);
        assert!(said.contains("minimum date (--old shows them): 1") && !said.contains("@linus"), "{said}");
        assert!(story.command(&["report", &day, "--old"]).contains("@linus"));
    });
}
