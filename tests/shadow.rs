//! Shadow mode: everything is worked out and shown, nothing is sent; and the way out of it.

use crate::harness::fake_github::Fault;
use crate::harness::git_repo::ADA;
use crate::harness::scenes::MINUTE;
use crate::harness::story::{REPO, run_test};
use domain::timestamp::{DAY, HOUR};

#[test]
fn a_repository_in_shadow_shows_what_it_would_have_sent() {
    run_test(async |story| {
        story.set("SHADOW_DAYS", "7");
        story.restart().await;
        story.install().await;
        assert_eq!(story.github.labels(REPO).len(), 0, "not even labels are made");
        let event = story.event();
        story.report(&event).await;
        story.assert_silent("nothing is said");
        assert_eq!(story.lines().await.len(), 1, "it is counted");

        let page = story.page(&format!("/{REPO}")).await;
        assert!(page.contains("Shadow mode: nothing is sent"), "{page}");
        let page = story.page(&format!("/{REPO}/shadow")).await;
        assert!(page.contains("mail to ada@example.com") && page.contains("issue for Ada Lovelace"), "{page}");
        assert!(page.contains("You wrote this line.") && page.contains("It ends on "), "{page}");
        let preview = page.split("href=\"").filter_map(|part| part.split('"').next()).find(|url| {
            url.rsplit('/').next().is_some_and(|last| last.len() > 5 && last.chars().all(|c| c.is_ascii_digit()))
        });
        let preview = story.page(preview.expect("a link to the text")).await;
        assert!(preview.contains("KeyError"), "{preview}");

        // The first days are over: what happens from now on is told, also of the line that is known
        // already.
        story.tick_after(7 * DAY).await;
        story.assert_silent("nothing happened yet");
        assert_eq!(story.github.labels(REPO).len(), 5);
        story.report(&event).await;
        story.assert_usual_alert();
        story.report(&event).await;
        let page = story.page(&format!("/{REPO}/shadow")).await;
        assert!(page.contains("not in shadow mode"), "{page}");
    });
}

#[test]
fn it_is_begun_and_ended_by_hand() {
    run_test(async |story| {
        story.alerted().await;
        let event = story.event();
        let set = async |story: &crate::harness::story::Story, to: &str| {
            let asked = story
                .http
                .post(format!("{}/{REPO}/shadow", story.url()))
                .header("content-type", "application/x-www-form-urlencoded")
                .body(format!("set={to}"));
            asked.bearer_auth("admin-token-of-the-tests").send().await.unwrap().status()
        };
        assert_eq!(set(story, "on").await, 200);
        // A command is carried out, and not confirmed; a second line is found, and nobody is told.
        story.github.add_label(REPO, 1, "known-error", "owner");
        story.github.close_issue(REPO, 1, "owner");
        story.settle().await;
        assert!(story.lines().await[0].known);
        story.commit(ADA, "2026-02-01T10:00:00Z", &[("shop/new.py", "def f(x):\n    return x.y\n")], "Add f");
        story.push().await;
        let head = story.repo.head();
        let other = story.event_at(&head, "shop/new.py", "x.y", "f", "web-1");
        story.report(&other).await;
        story.assert_silent("nothing is said");
        assert_eq!(set(story, "maybe").await, 400);

        assert_eq!(set(story, "off").await, 200);
        story.settle().await;
        insta::assert_snapshot!(story.transcript(), @"
        acme/shop#1 status:
            + **1 occurrence** on MOMENT. A known error: counted, and nobody is told.
        ");
        story.report(&other).await;
        // Told once it happens again.
        insta::assert_snapshot!(story.transcript(), @"
        mail to ada@example.com: [acme/shop] KeyError in f (shop/new.py:2)
            You wrote this line.
        acme/shop#2 opened: KeyError in f (shop/new.py) [flawless]
        acme/shop#2 assigned to ada
        ");
        story.report(&event).await;
        story.assert_silent("the known one stays known");
    });
}

#[test]
fn the_repositorys_file_has_the_last_word() {
    run_test(async |story| {
        let path = ".github/flawless.yml";
        story.commit(ADA, "2026-02-01T10:00:00Z", &[(path, "shadow: true\n")], "Try it first");
        story.install().await;
        let event = story.event();
        story.report(&event).await;
        story.assert_silent("nothing is said");
        let page = story.page(&format!("/{REPO}/shadow")).await;
        assert!(page.contains("shadow: true") && !page.contains("<form method=\"post\" action=\"/acme"), "{page}");
        let asked = story
            .http
            .post(format!("{}/{REPO}/shadow", story.url()))
            .header("content-type", "application/x-www-form-urlencoded")
            .body("set=off");
        assert_eq!(asked.bearer_auth("admin-token-of-the-tests").send().await.unwrap().status(), 400);

        story.commit(ADA, "2026-02-02T10:00:00Z", &[(path, "shadow: false\n")], "Go");
        story.push().await;
        story.tick().await;
        story.report(&event).await;
        story.assert_usual_alert();
    });
}

#[test]
fn what_came_back_in_the_shadow_is_told_after_it() {
    run_test(async |story| {
        story.alerted().await;
        story.github.close_issue(REPO, 1, "ada");
        story.settle().await;
        // Resolved, said so.
        insta::assert_snapshot!(story.transcript(), @"
        acme/shop#1 commented:
            Thanks, ada: resolved as of <Add up carts>. I will open this again only if the error comes from
            a version that contains that commit and was deployed after this: what runs now may lack the fix.
        acme/shop#1 status:
            + **1 occurrence** on MOMENT. Resolved on MOMENT as of <Add up carts>.
        ");
        story.begin_shadow().await;
        story.commit("Grace <grace@example.com>", "2026-02-01T10:00:00Z", &[("README.md", "shop\n")], "Say what it is");
        story.push().await;
        let head = story.repo.head();
        let back = story.event_at(&head, "shop/cart.py", "PRICES[sku]", "total", "web-1");
        story.report(&back).await;
        story.assert_silent("nothing is said");
        story.end_shadow().await;
        story.settle().await;
        // Opened again, with a comment and a mail.
        insta::assert_snapshot!(story.transcript(), @"
        mail to ada@example.com: [acme/shop] KeyError in total (shop/cart.py:9)
            This line was resolved, and release <Say what it is> brought it back.
        acme/shop#1 reopened
        acme/shop#1 commented:
            This is back: the release `<Say what it is>` (<Say what it is>) contains <Add up carts>, where
            this was resolved, and fails here again. 2 occurrences so far.
        acme/shop#1 status:
            + **2 occurrences**, the first on MOMENT, the latest on MOMENT. Open. It came back once.
            + SPARKLINE the last 14 days up to MOMENT, N on the busiest
            + | Releases | <Say what it is>, <Add up carts> |
        ");
    });
}

#[test]
fn what_waited_when_the_shadow_began_is_held_back() {
    run_test(async |story| {
        story.install().await;
        let limited = Fault::slow_down(600);
        story.github.fail_next("issues/create", limited);
        let event = story.event();
        story.report(&event).await;
        story.commit(ADA, "2026-02-01T10:00:00Z", &[("shop/new.py", "def f(x):\n    return x.y\n")], "Add f");
        story.push().await;
        let other = story.event_at(&story.repo.head(), "shop/new.py", "x.y", "f", "web-1");
        story.report(&other).await;
        // The issues wait for GitHub.
        insta::assert_snapshot!(story.transcript(), @"
        mail to ada@example.com: [acme/shop] KeyError in f (shop/new.py:2)
            You wrote this line.
        mail to ada@example.com: [acme/shop] KeyError in total (shop/cart.py:9)
            You wrote this line.
        ");
        story.begin_shadow().await;
        story.later(HOUR).await;
        story.assert_silent("the page says that nothing is sent");
        let page = story.page(&format!("/{REPO}/shadow")).await;
        assert!(page.contains("issue for Ada Lovelace") && page.contains("shop/new.py"), "{page}");

        story.end_shadow().await;
        story.later(20 * MINUTE).await;
        // The one that was tried goes on.
        insta::assert_snapshot!(story.transcript(), @"
        acme/shop#1 opened: KeyError in total (shop/cart.py) [flawless]
        acme/shop#1 assigned to ada
        ");
        story.report(&other).await;
        // The other when it happens again; its mail was sent.
        insta::assert_snapshot!(story.transcript(), @"
        acme/shop#2 opened: KeyError in f (shop/new.py) [flawless]
        acme/shop#2 assigned to ada
        ");
        story.report(&event).await;
        assert_eq!(story.github.issues(REPO).len(), 2);
    });
}

#[test]
fn comments_that_were_not_sent_say_why_they_would_have_been() {
    run_test(async |story| {
        story.alerted().await;
        story.begin_shadow().await;
        let mut typed = story.event();
        typed["exception"]["values"][0]["type"] = "TypeError".into();
        story.report(&typed).await;
        story.github.close_issue(REPO, 1, "ada");
        story.settle().await;
        let page = story.page(&format!("/{REPO}/shadow")).await;
        for said in ["comment on #1", "it raises TypeError as well", "ada closed its issue"] {
            assert!(page.contains(said), "{said}: {page}");
        }
        assert!(!page.contains("new_exception") && !page.contains("Resolved"), "{page}");
    });
}
