//! From nothing to an alert and back: from an empty folder to an App, an installation, an issue's
//! whole life, and away again.

use crate::harness::browser::{Browser, between, unescaped};
use crate::harness::git_repo::GRACE;
use crate::harness::story::{REPO, run_test};
use jiff::SignedDuration;
use serde_json::Value;

/// The text between two others.
#[test]
fn a_stranger_installs_it_is_told_of_an_error_and_leaves() {
    run_test(async |story| {
        for name in ["APP_ID", "PRIVATE_KEY", "WEBHOOK_SECRET", "GITHUB_CLIENT_ID", "GITHUB_CLIENT_SECRET"] {
            story.unset(name);
        }
        story.restart().await;
        assert!(store::repositories::list(&story.services().store).await.unwrap().is_empty());

        // One click makes the App.
        let admin = Browser::signed_in(story).await;
        let page = admin.get("/setup").await;
        let form = page.text.split("<form").find(|form| form.contains("name=\"manifest\"")).expect("the form");
        let action = unescaped(between(form, "action=\"", "\""));
        let (_, state) = action.split_once("?state=").unwrap();
        let manifest: Value =
            serde_json::from_str(&unescaped(between(form, "name=\"manifest\" value=\"", "\">"))).unwrap();
        let code = story.github.make_app(&manifest);
        let back = admin.get(&format!("/setup/callback?code={code}&state={state}")).await;
        assert_eq!(back.status, 303);
        assert_eq!(back.location, "/setup/install");
        // It looks whether GitHub knows the App.
        let on = admin.get("/setup/install?look=1").await;
        assert!(on.location.ends_with("/installations/new"), "{}", on.location);

        // Installed: labels are made, the mirror is there, a DSN too.
        let installation = story.install().await;
        assert_eq!(story.github.labels(REPO).len(), 5);
        let mirrors = story.folder().join("data/mirrors");
        let mirror = std::fs::read_dir(&mirrors)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .find(|path| path.join("objects").is_dir())
            .expect("a mirror");
        let (key, _) = story.key().await;
        let greeting = admin.get(&format!("/installed?installation_id={installation}&setup_action=install")).await;
        assert_eq!(greeting.status, 200);
        assert!(greeting.text.contains(&key) && greeting.text.contains("sentry_sdk.init("), "{}", greeting.seen());

        // The first report: filed, assigned, mailed.
        let event = story.event();
        story.report(&event).await;
        story.assert_usual_alert();
        assert_eq!(story.github.issue(REPO, 1).assignees, ["ada"]);

        // A known error is silent.
        story.github.add_label(REPO, 1, "known-error", "ada");
        story.github.close_issue(REPO, 1, "ada");
        story.settle().await;
        assert!(story.lines().await[0].known);
        // Confirmed.
        insta::assert_snapshot!(story.transcript(), @"
        acme/shop#1 commented:
            Done, ada: this line of `total` in `shop/cart.py` is a known error (`amount += PRICES[sku]`). It
            is still counted, but nobody is told of it again. To undo this, take the label off or open the
            issue again.
        acme/shop#1 status:
            + **1 occurrence** on MOMENT. A known error: counted, and nobody is told.
        ");
        story.report(&event).await;
        story.assert_silent("nothing is said");

        // No longer known, open again; then resolved, and back as a regression.
        story.github.remove_label(REPO, 1, "known-error", "ada");
        story.github.reopen_issue(REPO, 1, "ada");
        story.settle().await;
        assert!(!story.lines().await[0].known);
        insta::assert_snapshot!(story.transcript(), @"
        acme/shop#1 commented:
            Done, ada: `known-error` no longer applies to `total` in `shop/cart.py`. The next error there is
            alerted as usual.
        acme/shop#1 status:
            + **2 occurrences**, the first on MOMENT, the latest on MOMENT. Open.
            + SPARKLINE the last 14 days up to MOMENT, N on the busiest
        ");
        story.github.close_issue(REPO, 1, "ada");
        story.settle().await;
        insta::assert_snapshot!(story.transcript(), @"
        acme/shop#1 commented:
            Thanks, ada: resolved as of <Add up carts>. I will open this again only if the error comes from
            a version that contains that commit and was deployed after this: what runs now may lack the fix.
        acme/shop#1 status:
            + **2 occurrences**, the first on MOMENT, the latest on MOMENT. Resolved on MOMENT as of <Add up
            carts>.
        ");
        story.later(SignedDuration::from_hours(1)).await;
        story.report(&event).await;
        story.assert_silent("what runs goes on until the fix is deployed");
        story.commit(GRACE, "2026-02-01T10:00:00Z", &[("README.md", "A shop.\n")], "Describe it");
        story.push().await;
        story.fails(1).await;
        assert!(story.github.issue(REPO, 1).open, "a regression");
        insta::assert_snapshot!(story.transcript(), @"
        mail to ada@example.com: [acme/shop] KeyError in total (shop/cart.py:9)
            This line was resolved, and release <Describe it> brought it back.
        acme/shop#1 reopened
        acme/shop#1 commented:
            This is back: the release `<Describe it>` (<Describe it>) contains <Add up carts>, where this
            was resolved, and fails here again. 4 occurrences so far.
        acme/shop#1 status:
            + **4 occurrences**, the first on MOMENT, the latest on MOMENT. Open. It came back once.
            + | Releases | <Describe it>, <Add up carts> |
        ");

        // Away: the mirror is gone, and what was counted is kept.
        story.github.uninstall(installation);
        story.settle().await;
        assert!(mirror.exists(), "for a day: it may have been a mistake");
        story.tick_after(SignedDuration::from_hours(24)).await;
        assert!(!mirror.exists());
        assert_eq!(story.github.issues(REPO).len(), 1);
        let sent = story.github.requests().len();
        println!("{sent} requests, 0 against GitHub's OpenAPI");
        story.github.assert_clean();
    });
}
