//! The whitelist's pages: what is in force, from where, what came of it; adding, changing and
//! ending.

use crate::harness::browser::Browser;
use crate::harness::git_repo::{ADA, GRACE};
use crate::harness::story::{CART, CART_PATH, REPO, Story, run_test};
use domain::rule::{MOST_MADE, Rule, RuleSource};
use domain::settings::KnownError;
use domain::timestamp::DAY;
use store::rules::NewRule;

/// What people read of the label.
const SILENCED: &str = "\
acme/shop#1 commented:
    Done, owner: this line of `total` in `shop/cart.py` is a known error (`amount += PRICES[sku]`).
    It is still counted, but nobody is told of it again. To undo this, take the label off or open
    the issue again.
acme/shop#1 status:
    + **1 occurrence** on MOMENT. A known error: counted, and nobody is told.
";
const PAGE: &str = "/acme/shop/whitelist";

/// Whitelisted by its label.
async fn labelled(story: &mut Story) {
    story.alerted().await;
    story.github.add_label(REPO, 1, "known-error", "owner");
    story.github.close_issue(REPO, 1, "owner");
    story.settle().await;
    assert_eq!(story.transcript(), SILENCED);
}

/// The number of the only rule in force.
async fn rule(story: &Story) -> String {
    let rules = story.rules().await;
    assert_eq!(rules.len(), 1, "{rules:#?}");
    rules[0].made.id.0.to_string()
}

#[test]
fn each_entry_says_where_it_came_from_and_what_it_silenced() {
    run_test(async |story| {
        labelled(story).await;
        story.fails(3).await;
        let settings = "known_errors: [{ file: shop/other.py, function: old }]\nbuilding_blocks: [{ file: shop/cart.py, function: gone }]\nignored_exceptions: [BananaError]\nthird_party_whitelist: [{ file: friends.py, function: post }]\n";
        story.commit(GRACE, "2026-02-01T00:00:00Z", &[(".github/flawless.yml", settings)], "Configure");
        story.push().await;
        let admin = Browser::signed_in(story).await;
        let page = admin.get(PAGE).await.seen();
        assert!(page.contains("label known-error, by owner #1"), "{page}");
        assert!(page.contains("Silenced 3 since then, at shop/cart.py:9"), "what came before it was told: {page}");
        assert!(page.contains("Counted 0 in all") && page.contains("It is changed in .github/flawless.yml"), "{page}");
        assert!(page.contains("This file is not in the default branch any more."), "{page}");
        assert!(page.contains("This code is not in the file any more"), "{page}");
        assert!(
            page.contains("exceptions of the type BananaError tracebacks that pass through friends.py, post"),
            "{page}"
        );
        assert!(admin.get(&format!("/{REPO}")).await.text.contains(PAGE), "the repository's page leads there");
    });
}

#[test]
fn an_entry_is_added_changed_and_ended_by_forms_only() {
    run_test(async |story| {
        story.alerted().await;
        let admin = Browser::signed_in(story).await;
        let form = admin.get("/add_known_error?repo=acme/shop").await;
        let csrf = form.hidden("csrf");
        let line = [
            ("csrf", csrf.as_str()),
            ("repo", REPO),
            ("scope", "function"),
            ("filename", CART_PATH),
            ("function_name", "total"),
            ("email_recipients", "ops@example.com, lead@example.com"),
            ("email_header", "Known, but growing"),
            ("min_alert_threshold", "100"),
        ];
        assert_eq!(admin.post("/add_known_error", &line).await.status, 200);
        let id = rule(story).await;
        let page = admin.get(PAGE).await.seen();
        for part in
            ["the form, by admin", "Told as well: ops@example.com, lead@example.com.", "told once, at 100 occurrences"]
        {
            assert!(page.contains(part), "no {part} in {page}");
        }

        // The form shows the entry as it is; looking at it changes nothing.
        let edit = format!("/rules/edit?repo=acme/shop&rule={id}");
        let form = admin.get(&edit).await;
        assert!(
            form.text.contains("value=\"100\"") && form.text.contains("ops@example.com, lead@example.com"),
            "{}",
            form.text
        );
        let mut change = line.to_vec();
        change.push(("rule", id.as_str()));
        change.retain(|(name, _)| !matches!(*name, "min_alert_threshold" | "email_recipients"));
        change.push(("alert_every_n_occurrences", "2"));
        let foreign: Vec<_> = change.iter().copied().filter(|(name, _)| *name != "csrf").collect();
        assert_eq!(admin.post("/rules/edit", &foreign).await.status, 403);
        let wrong: Vec<_> = change.iter().copied().chain([("max_alert_threshold", "lots")]).collect();
        let refused = admin.post("/rules/edit", &wrong).await;
        assert_eq!(refused.status, 400);
        assert!(refused.text.contains("This has to be a whole number"), "{}", refused.text);
        let saved = admin.post("/rules/edit", &change).await;
        assert_eq!((saved.status, saved.location.as_str()), (303, PAGE));
        assert_eq!(rule(story).await, id, "changed, not made anew");
        let page = admin.get(PAGE).await.seen();
        assert!(page.contains("Changed by admin") && !page.contains("Told as well"), "{page}");

        // In force at once, for this process's memories too: the second occurrence is one of every
        // two.
        story.fails(1).await;
        insta::assert_snapshot!(story.transcript(), @"
        mail to ada@example.com: [acme/shop] KeyError in total (shop/cart.py:9)
            Known, but growing
        ");

        let end = [("csrf", csrf.as_str()), ("repo", REPO), ("rule", id.as_str())];
        assert_eq!(admin.post("/rules/end", &end[1..]).await.status, 403);
        assert_eq!(admin.post("/rules/end", &end).await.location, PAGE);
        let page = admin.get(PAGE).await.seen();
        assert!(page.contains("Nothing is whitelisted") && page.contains("Ended by admin"), "{page}");
        assert_eq!(admin.get(&edit).await.status, 404, "what has ended is not changed");
        assert_eq!(admin.post("/rules/edit", &change).await.status, 404);
    });
}

#[test]
fn library_code_can_be_added_and_the_caller_is_blamed() {
    run_test(async |story| {
        story.alerted().await;
        let admin = Browser::signed_in(story).await;
        let csrf = admin.get("/add_known_error?repo=acme/shop").await.hidden("csrf");
        let entry = [
            ("csrf", csrf.as_str()),
            ("repo", REPO),
            ("kind", "library_code"),
            ("scope", "function"),
            ("filename", CART_PATH),
            ("function_name", "total"),
            ("min_alert_threshold", "7"),
        ];
        let saved = admin.post("/add_known_error", &entry).await;
        assert!(saved.text.contains("is library code from now on"), "{}", saved.text);
        let page = admin.get(PAGE).await.seen();
        assert!(
            page.contains("Library code shop/cart.py") && page.contains("The line that calls it is blamed."),
            "{page}"
        );
        story.fails(1).await;
        let lines = story.lines().await;
        assert_eq!((lines.len(), lines[0].total), (1, 2), "nobody of ours calls it: it is counted where it stands");
        assert_eq!(story.transcript(), "", "and nobody is told");
    });
}

#[test]
fn a_labels_entry_ended_on_the_page_lets_the_issue_come_back() {
    run_test(async |story| {
        labelled(story).await;
        story.fails(1).await;
        story.assert_silent("nothing is said");
        let admin = Browser::signed_in(story).await;
        let csrf = admin.get("/add_known_error?repo=acme/shop").await.hidden("csrf");
        let id = rule(story).await;
        admin.post("/rules/end", &[("csrf", csrf.as_str()), ("repo", REPO), ("rule", id.as_str())]).await;
        // No revision but the one that is deployed already: it counts as back once a day has
        // passed, or by newer code.
        story.commit(ADA, "2026-03-01T00:00:00Z", &[("shop/new.py", "x = 1\n")], "More");
        story.push().await;
        story.fails(1).await;
        insta::assert_snapshot!(story.transcript(), @"
        mail to ada@example.com: [acme/shop] KeyError in total (shop/cart.py:9)
            This line was resolved, and release <More> brought it back.
        acme/shop#1 reopened
        acme/shop#1 commented:
            This is back: the release `<More>` (<More>) contains the code with which this was resolved and
            fails here again. 3 occurrences so far.
        acme/shop#1 status:
            + **3 occurrences**, the first on MOMENT, the latest on MOMENT. Open. It came back once.
            + SPARKLINE the last 14 days up to MOMENT, N on the busiest
            + | Releases | <More>, <Add up carts> |
        ");
    });
}

/// The hourly look at issues, of which no webhook tells.
async fn look(story: &mut Story) {
    story.github.lose_deliveries();
    story.compare().await;
}

#[test]
fn a_labels_entry_ended_on_the_page_is_not_made_again_while_its_label_stays() {
    run_test(async |story| {
        labelled(story).await;
        story.end_the_only_rule().await;
        // The issue changes with its status, so each hour it is looked at.
        for _ in 0..2 {
            look(story).await;
            story.github.edit_issue(REPO, 1, &story.github.issue(REPO, 1).body);
            assert!(story.rules().await.is_empty());
        }
        assert!(story.lines().await[0].resolved_at.is_some());
        assert!(!story.transcript().contains("commented"));
        // Taken off, and put on again: that is a new command.
        story.github.remove_label(REPO, 1, "known-error", "owner");
        look(story).await;
        story.github.add_label(REPO, 1, "known-error", "owner");
        look(story).await;
        rule(story).await;
        story.transcript();

        // The same of a label that is obeyed at once, and told of by a webhook.
        story.github.reopen_issue(REPO, 1, "owner");
        story.settle().await;
        story.github.remove_label(REPO, 1, "known-error", "owner");
        story.github.add_label(REPO, 1, "library-code", "owner");
        story.settle().await;
        story.end_the_only_rule().await;
        story.transcript();
        look(story).await;
        assert!(story.rules().await.is_empty());
        story.github.remove_label(REPO, 1, "library-code", "owner");
        story.settle().await;
        story.github.add_label(REPO, 1, "library-code", "owner");
        look(story).await;
        rule(story).await;
        story.transcript();
    });
}

#[test]
fn a_changed_label_entry_is_not_made_twice_and_ends_with_its_label() {
    run_test(async |story| {
        labelled(story).await;
        let admin = Browser::signed_in(story).await;
        let csrf = admin.get("/add_known_error?repo=acme/shop").await.hidden("csrf");
        let id = rule(story).await;
        let change = [
            ("csrf", csrf.as_str()),
            ("repo", REPO),
            ("rule", id.as_str()),
            ("scope", "file"),
            ("filename", CART_PATH),
        ];
        assert_eq!(admin.post("/rules/edit", &change).await.status, 303);
        // The same command again, as by somebody who closes the issue once more.
        story.github.add_label(REPO, 1, "known-error", "owner");
        story.settle().await;
        assert_eq!(rule(story).await, id);
        story.github.remove_label(REPO, 1, "known-error", "owner");
        story.settle().await;
        assert!(story.rules().await.is_empty());
        insta::assert_snapshot!(story.transcript(), @"
        acme/shop#1 commented:
            Done, owner: `known-error` no longer applies to `shop/cart.py`. The next error there is alerted
            as usual.
        acme/shop#1 status:
            + **1 occurrence** on MOMENT. Resolved on MOMENT.
        ");
    });
}

#[test]
fn an_entry_whose_line_was_deleted_is_marked() {
    run_test(async |story| {
        labelled(story).await;
        let admin = Browser::signed_in(story).await;
        assert!(!admin.get(PAGE).await.seen().contains("any more"));
        let text = CART.replace("PRICES[sku]", "PRICES.get(sku, 0)");
        story.commit(GRACE, "2026-02-01T00:00:00Z", &[(CART_PATH, &text)], "Be kind to unknown fruit");
        story.push().await;
        let page = admin.get(PAGE).await.seen();
        assert!(page.contains("This code is not in the file any more, as the default branch has it."), "{page}");
    });
}

#[test]
fn a_rule_of_another_repository_is_out_of_reach() {
    run_test(async |story| {
        labelled(story).await;
        let id = rule(story).await;
        let url = format!("file://{}", story.repo.git_dir().display());
        story.watch_plainly("plain/other", &url).await;
        let admin = Browser::signed_in(story).await;
        let csrf = admin.get("/add_known_error?repo=acme/shop").await.hidden("csrf");
        let fields = [
            ("csrf", csrf.as_str()),
            ("repo", "plain/other"),
            ("rule", id.as_str()),
            ("filename", "x"),
            ("scope", "file"),
        ];
        assert_eq!(admin.post("/rules/edit", &fields).await.status, 404);
        admin.post("/rules/end", &fields).await;
        assert_eq!(rule(story).await, id);
        assert_eq!(Browser::new(story).get(PAGE).await.status, 303, "signing in comes first");
    });
}

#[test]
fn a_mails_link_silences_but_has_nobody_written_to() {
    run_test(async |story| {
        let mail = story.alerted().await;
        let at = mail.find("https://flawless.test/add_known_error?").unwrap();
        let link: String = mail[at..].chars().take_while(|c| !c.is_whitespace() && !matches!(c, '>' | ')')).collect();
        let stranger = Browser::new(story);
        let form = stranger.get(link.trim_start_matches("https://flawless.test")).await;
        assert!(!form.text.contains("email_recipients"));
        let hidden = ["expires", "signature", "signed_for", "line_id"].map(|name| (name, form.hidden(name)));
        let mut fields = vec![
            ("repo", REPO),
            ("scope", "file"),
            ("filename", CART_PATH),
            ("kind", "library_code"),
            ("email_recipients", "victim@example.com"),
        ];
        fields.extend(hidden.iter().map(|(name, value)| (*name, value.as_str())));
        assert_eq!(stranger.post("/add_known_error", &fields).await.status, 200);
        let rules = story.rules().await;
        assert_eq!(rules[0].origin, RuleSource::Mail);
        assert!(matches!(&rules[0].made.rule, Rule::KnownError(known) if known.email_recipients.is_empty()));
    });
}

/// What the form of the mail's link carries along.
async fn of_link(browser: &Browser, mail: &str) -> Vec<(&'static str, String)> {
    let at = mail.find("https://flawless.test/add_known_error?").unwrap();
    let link: String = mail[at..].chars().take_while(|c| !c.is_whitespace() && !matches!(c, '>' | ')')).collect();
    let form = browser.get(link.trim_start_matches("https://flawless.test")).await;
    ["expires", "signature", "signed_for", "line_id"].map(|name| (name, form.hidden(name))).to_vec()
}

#[test]
fn a_mails_link_makes_a_rule_for_each_scope_of_its_line_and_no_other() {
    run_test(async |story| {
        let mail = story.alerted().await;
        let stranger = Browser::new(story);
        let hidden = of_link(&stranger, &mail).await;
        let send = async |scope: &str, function: &str, code: &str, most: &str| {
            let mut fields = vec![
                ("repo", REPO),
                ("scope", scope),
                ("filename", CART_PATH),
                ("function_name", function),
                ("code_fragment", code),
                ("min_alert_threshold", most),
            ];
            fields.extend(hidden.iter().map(|(name, value)| (*name, value.as_str())));
            stranger.post("/add_known_error", &fields).await
        };
        for (scope, function, code) in [
            ("line", "total", "amount = 0"),
            ("line", "subtotal", "amount += PRICES[sku]"),
            ("function", "subtotal", ""),
        ] {
            let refused = send(scope, function, code, "").await;
            assert_eq!(refused.status, 400, "{scope} {function} {code}");
            assert!(refused.seen().contains("The link out of the mail is for"), "{}", refused.seen());
        }
        assert!(story.rules().await.is_empty());
        for most in ["", "2", "3", "3"] {
            for (scope, code) in [("line", "amount += PRICES[sku]"), ("function", ""), ("file", "")] {
                assert_eq!(send(scope, "total", code, most).await.status, 200, "{scope} {most}");
            }
        }
        let rules = story.rules().await;
        assert_eq!(rules.len(), 3, "one for each scope: {rules:#?}");
        for row in &rules {
            assert!(matches!(&row.made.rule, Rule::KnownError(known) if known.min_alert_threshold == Some(3)));
        }
        // Somebody with a name has the last word.
        let admin = Browser::signed_in(story).await;
        let csrf = admin.get("/add_known_error?repo=acme/shop").await.hidden("csrf");
        let whole_file =
            rules.iter().find(|row| row.made.rule.pattern().function.is_none()).unwrap().made.id.to_string();
        let change = [
            ("csrf", csrf.as_str()),
            ("repo", REPO),
            ("rule", whole_file.as_str()),
            ("scope", "file"),
            ("filename", CART_PATH),
            ("min_alert_threshold", "9"),
        ];
        assert_eq!(admin.post("/rules/edit", &change).await.status, 303);
        let refused = send("file", "", "", "1").await;
        assert_eq!(refused.status, 409);
        assert!(refused.seen().contains("somebody who signed in has changed this entry"), "{}", refused.seen());
    });
}

#[test]
fn people_make_so_many_rules_and_the_page_shows_some_at_once() {
    run_test(async |story| {
        let mail = story.alerted().await;
        let repository = story.repository().await.repository.id;
        for n in 0..MOST_MADE {
            let known = KnownError { file: format!("shop/old_{n}.py"), ..KnownError::default() };
            let new = NewRule {
                repository,
                rule: Rule::KnownError(known),
                line: None,
                label: None,
                issue: None,
                origin: RuleSource::Page,
                commanded_at: None,
                by: "ada".to_owned(),
            };
            store::rules::insert(&story.services().store, &new, &[], story.clock.now()).await.unwrap();
        }
        let admin = Browser::signed_in(story).await;
        let csrf = admin.get("/add_known_error?repo=acme/shop").await.hidden("csrf");
        let entry = [("csrf", csrf.as_str()), ("repo", REPO), ("scope", "file"), ("filename", CART_PATH)];
        let refused = admin.post("/add_known_error", &entry).await;
        assert_eq!(refused.status, 409);
        assert!(refused.seen().contains("acme/shop has 1,000 entries that people made"), "{}", refused.seen());
        let stranger = Browser::new(story);
        let hidden = of_link(&stranger, &mail).await;
        let mut by_link = entry[1..].to_vec();
        by_link.extend(hidden.iter().map(|(name, value)| (*name, value.as_str())));
        assert_eq!(stranger.post("/add_known_error", &by_link).await.status, 409);
        assert_eq!(story.rules().await.len(), MOST_MADE);

        let shown = |page: &str| page.matches("End this entry").count();
        let page = admin.open(PAGE).await;
        assert_eq!(shown(&page), 200);
        assert!(page.contains("old_999.py") && page.contains("And 800 more"), "the latest first");
        let last = admin.open(&format!("{PAGE}?from=800")).await;
        assert!(shown(&last) == 200 && last.contains("old_0.py") && !last.contains("more</a>"));
        assert_eq!(shown(&admin.open(&format!("{PAGE}?from=9999")).await), 0);

        let id = story.rules().await[0].made.id.to_string();
        admin.post("/rules/end", &[("csrf", csrf.as_str()), ("repo", REPO), ("rule", id.as_str())]).await;
        assert_eq!(admin.post("/add_known_error", &entry).await.status, 200, "there is room again");
        // A label has an issue to itself, and is heeded all the same.
        story.github.add_label(REPO, 1, "known-error", "owner");
        story.github.close_issue(REPO, 1, "owner");
        story.settle().await;
        assert_eq!(story.rules().await.len(), MOST_MADE + 1);
        story.transcript();
    });
}

#[test]
fn an_entry_with_a_last_day_ends_by_itself_wherever_it_stands() {
    run_test(async |story| {
        story.install().await;
        let day = |story: &Story, ahead: i32| (story.clock.now() + DAY * ahead).date();
        let settings = format!("known_errors: [{{ file: {CART_PATH}, until: {} }}]\n", day(story, 0));
        story.commit(GRACE, "2026-02-01T00:00:00Z", &[(".github/flawless.yml", &settings)], "For today");
        story.push().await;
        story.fails(2).await;
        story.assert_silent("nothing is said");

        // On the form, for a day longer.
        let admin = Browser::signed_in(story).await;
        let csrf = admin.get("/add_known_error?repo=acme/shop").await.hidden("csrf");
        let tomorrow = day(story, 1);
        let mut entry = vec![
            ("csrf", csrf.as_str()),
            ("repo", REPO),
            ("scope", "function"),
            ("filename", CART_PATH),
            ("function_name", "total"),
            ("until", "soon"),
        ];
        let wrong = admin.post("/add_known_error", &entry).await;
        assert!(wrong.text.contains("Write the day as 2026-12-31."), "{}", wrong.text);
        entry.retain(|(name, _)| *name != "until");
        entry.push(("until", tomorrow.as_str()));
        assert_eq!(admin.post("/add_known_error", &entry).await.status, 200);
        assert!(admin.get(PAGE).await.seen().contains(&format!("This ends by itself after {tomorrow}.")));

        story.tick_after(DAY).await;
        story.fails(1).await;
        story.assert_silent("the form's entry holds still");
        story.tick_after(DAY).await;
        let page = admin.get(PAGE).await.seen();
        assert!(page.contains("Ended by its last day"), "{page}");
        assert!(!story.lines().await[0].known);
        story.fails(1).await;
        // Told now.
        story.assert_usual_alert();
        assert_eq!(story.lines().await[0].total, 4);
    });
}

#[test]
fn a_labels_entry_that_is_changed_away_from_its_line_lets_the_issue_come_back() {
    run_test(async |story| {
        labelled(story).await;
        let admin = Browser::signed_in(story).await;
        let csrf = admin.get("/add_known_error?repo=acme/shop").await.hidden("csrf");
        let id = rule(story).await;
        let change = [
            ("csrf", csrf.as_str()),
            ("repo", REPO),
            ("rule", id.as_str()),
            ("scope", "file"),
            ("filename", "./shop/other.py"),
        ];
        assert_eq!(admin.post("/rules/edit", &change).await.status, 303);
        story.commit(ADA, "2026-03-01T00:00:00Z", &[("shop/new.py", "x = 1\n")], "More");
        story.push().await;
        story.fails(1).await;
        insta::assert_snapshot!(story.transcript(), @"
        mail to ada@example.com: [acme/shop] KeyError in total (shop/cart.py:9)
            This line was resolved, and release <More> brought it back.
        acme/shop#1 reopened
        acme/shop#1 commented:
            This is back: the release `<More>` (<More>) contains the code with which this was resolved and
            fails here again. 2 occurrences so far.
        acme/shop#1 status:
            + **2 occurrences**, the first on MOMENT, the latest on MOMENT. Open. It came back once.
            + SPARKLINE the last 14 days up to MOMENT, N on the busiest
            + | Releases | <More>, <Add up carts> |
        ");
    });
}
