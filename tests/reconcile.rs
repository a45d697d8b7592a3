//! What webhooks did not tell: issues are compared, names kept, labels made again; and the order of
//! webhooks means nothing.

use crate::harness::browser::{Browser, link_in};
use crate::harness::fake_github::{CommitAuthor, Fault};
use crate::harness::git_repo::GRACE;
use crate::harness::scenes::{MINUTE, cart_with};
use crate::harness::story::{CART_PATH, REPO, Story, run_test};
use domain::job::Job;
use domain::names::Login;
use domain::timestamp::{DAY, HOUR, Timestamp};
use jiff::SignedDuration;

/// The hourly comparison, before the hour is over.
async fn compare_at_once(story: &mut Story) {
    story.github.fail_next("apps/list-webhook-deliveries", Fault::status(404, "Not Found"));
    let now = story.clock.now();
    store::jobs::enqueue(&story.services().store, Job::Reconcile, now, now).await.unwrap();
    story.settle().await;
}

/// A whitelisted line, whose label somebody deleted in the repository.
async fn label_deleted(story: &mut Story) {
    story.alerted().await;
    story.github.add_label(REPO, 1, "known-error", "ada");
    story.github.close_issue(REPO, 1, "ada");
    story.settle().await;
    story.transcript();
    story.github.delete_label(REPO, "known-error");
    story.github.comment(REPO, 1, "What is this?", "ada");
    story.github.lose_deliveries();
    story.compare().await;
}

#[test]
fn what_a_deleted_label_commanded_stays_and_it_is_asked_whether_it_is_to_end() {
    run_test(async |story| {
        label_deleted(story).await;
        insta::assert_snapshot!(story.transcript(), @"
        acme/shop#1 commented:
            Somebody deleted the label `known-error` in this repository, which took it off this issue. I did
            not take that for a command: it still holds for `total` in `shop/cart.py`. To end it, reopen
            this issue, or put the label (I make it anew) on and take it off. To keep it, do nothing.
        ");
        story.fails(1).await;
        story.compare().await;
        // That it is off the issue is told late, when the label is there again.
        story.github.remove_label(REPO, 1, "known-error", "ada");
        story.settle().await;
        assert!(story.lines().await[0].known);
        let said = story.transcript();
        assert!(!said.contains("commented"), "asked once, and the label that was made anew is not missed: {said}");
        assert!(story.lines().await[0].known);

        story.github.reopen_issue(REPO, 1, "ada");
        story.settle().await;
        assert!(!story.lines().await[0].known, "that is an answer");
        assert!(story.transcript().contains("Done, ada: `known-error` no longer applies"));
    });
}

#[test]
fn a_deleted_label_that_is_put_on_again_ends_what_it_commanded_by_being_taken_off() {
    run_test(async |story| {
        for lost in [false, true] {
            if lost {
                story.github.delete_label(REPO, "known-error");
                story.github.comment(REPO, 1, "Again?", "ada");
                story.github.lose_deliveries();
                story.compare().await;
            } else {
                label_deleted(story).await;
            }
            story.transcript();
            story.github.add_label(REPO, 1, "known-error", "ada");
            if lost {
                story.github.lose_deliveries();
                story.compare().await;
            } else {
                story.settle().await;
            }
            assert!(story.lines().await[0].known);
            assert!(!story.rules().await[0].is_label_deleted, "it commands as before");
        }
        story.github.remove_label(REPO, 1, "known-error", "ada");
        story.settle().await;
        assert!(!story.lines().await[0].known);
        assert!(story.transcript().contains("Done, ada: `known-error` no longer applies"));
    });
}

#[test]
fn what_was_done_to_an_issue_is_noticed_though_no_webhook_told() {
    run_test(async |story| {
        story.alerted().await;
        story.compare().await;
        story.assert_silent("nothing was done");

        story.github.close_issue(REPO, 1, "ada");
        story.github.lose_deliveries();
        story.compare().await;
        assert!(story.lines().await[0].resolved_at.is_some());
        // Resolved, and said.
        insta::assert_snapshot!(story.transcript(), @"
        acme/shop#1 commented:
            Thanks, ada: resolved as of <Add up carts>. I will open this again only if the error comes from
            a version that contains that commit and was deployed after this: what runs now may lack the fix.
        acme/shop#1 status:
            + **1 occurrence** on MOMENT. Resolved on MOMENT as of <Add up carts>.
        ");
        story.compare().await;
        story.assert_silent("said once");

        story.github.add_label(REPO, 1, "known-error", "ada");
        story.github.lose_deliveries();
        story.compare().await;
        assert!(story.lines().await[0].known);
        insta::assert_snapshot!(story.transcript(), @"
        acme/shop#1 commented:
            Done, ada: this line of `total` in `shop/cart.py` is a known error (`amount += PRICES[sku]`). It
            is still counted, but nobody is told of it again. To undo this, take the label off or open the
            issue again.
        acme/shop#1 status:
            + **1 occurrence** on MOMENT. A known error: counted, and nobody is told.
        ");

        story.github.remove_label(REPO, 1, "known-error", "ada");
        story.github.lose_deliveries();
        story.compare().await;
        assert!(!story.lines().await[0].known);
        insta::assert_snapshot!(story.transcript(), @"
        acme/shop#1 commented:
            Done, ada: `known-error` no longer applies to `total` in `shop/cart.py`. The next error there is
            alerted as usual.
        acme/shop#1 status:
            + **1 occurrence** on MOMENT. Resolved on MOMENT.
        ");

        story.github.reopen_issue(REPO, 1, "ada");
        story.github.assign(REPO, 1, "linus", "ada");
        story.github.unassign(REPO, 1, "ada", "ada");
        story.github.lose_deliveries();
        story.compare().await;
        let line = story.lines().await.remove(0);
        assert_eq!((line.resolved_at, line.owner_login.as_ref().map(Login::as_str)), (None, Some("linus")));
        insta::assert_snapshot!(story.transcript(), @"
        acme/shop#1 commented:
            Noted, ada: this line belongs to linus from now on, here and in the weekly report.
        acme/shop#1 status:
            + **1 occurrence** on MOMENT. Open. It belongs to linus.
        ");

        story.github.add_label(REPO, 1, "library-code", "ada");
        story.github.lose_deliveries();
        story.compare().await;
        insta::assert_snapshot!(story.transcript(), @"
        acme/shop#1 commented:
            Done, ada: `total` in `shop/cart.py` is library code from now on. The line that calls it is
            blamed, and gets an alert of its own. To undo this, take the label off or open the issue again.
        ");
        assert_eq!(story.rules().await.len(), 1);
        story.compare().await;
        story.assert_silent("nothing is said");
    });
}

#[test]
fn whose_an_issue_became_is_noticed_though_no_webhook_told() {
    run_test(async |story| {
        story.alerted().await;
        // One more, and the author still has it.
        story.github.assign(REPO, 1, "grace", "ada");
        story.github.lose_deliveries();
        story.compare().await;
        assert_eq!(story.owner().await.as_deref(), Some("grace"));
        let said = story.transcript();
        assert!(said.contains("Noted, ada: this line belongs to grace"), "{said}");
        // Taken from her, with and without a webhook of either.
        story.github.unassign(REPO, 1, "grace", "ada");
        story.github.lose_deliveries();
        story.compare().await;
        assert_eq!(story.owner().await, None);
        story.transcript();
        story.github.assign(REPO, 1, "linus", "ada");
        story.settle().await;
        assert_eq!(story.owner().await.as_deref(), Some("linus"));
        story.transcript();
        story.compare().await;
        story.assert_silent("it is known");
        // Given to somebody on a page, who was never assigned.
        let line = story.lines().await.remove(0);
        store::lines::set_owner(&story.services().store, line.id, Some(&Login::new("owner"))).await.unwrap();
        story.compare().await;
        story.github.edit_issue(REPO, 1, &story.github.issue(REPO, 1).body);
        story.compare().await;
        assert_eq!(story.owner().await.as_deref(), Some("owner"));
        story.transcript();
        // Unassigned by a webhook, assigned again without one.
        story.github.unassign(REPO, 1, "linus", "ada");
        story.settle().await;
        story.github.assign(REPO, 1, "linus", "ada");
        story.github.lose_deliveries();
        story.compare().await;
        assert_eq!(story.owner().await.as_deref(), Some("linus"));
        let said = story.transcript();
        assert!(said.contains("belongs to linus"), "{said}");
    });
}

#[test]
fn a_label_that_is_nearly_a_command_is_noticed_though_no_webhook_told() {
    run_test(async |story| {
        story.alerted().await;
        story.github.add_label(REPO, 1, "known eror", "ada");
        story.github.lose_deliveries();
        story.compare().await;
        insta::assert_snapshot!(story.transcript(), @"
        acme/shop#1 commented:
            `known eror` is no command of mine, ada, so I did nothing. Did you mean the label `known-error`?
        ");
        story.github.add_label(REPO, 1, "bug", "ada");
        story.github.lose_deliveries();
        story.compare().await;
        story.assert_silent("said once");
    });
}

#[test]
fn a_list_that_is_behind_takes_nothing_back() {
    run_test(async |story| {
        story.alerted().await;
        story.later(HOUR).await;
        // The look sees how the issue was before what webhooks told.
        story.github.set_list_lag(MINUTE);
        story.github.set_read_lag(MINUTE);
        story.github.assign(REPO, 1, "linus", "ada");
        story.github.close_issue(REPO, 1, "ada");
        story.later(MINUTE).await;
        story.later(MINUTE).await;
        story.transcript();
        story.github.set_list_lag(3 * MINUTE);
        story.github.set_read_lag(3 * MINUTE);
        compare_at_once(story).await;
        story.later(3 * MINUTE).await;
        let line = story.lines().await.remove(0);
        assert_eq!(line.owner_login.as_ref().map(Login::as_str), Some("linus"));
        assert!(line.resolved_at.is_some());
        story.assert_silent("nothing was done");
    });
}

#[test]
fn a_webhook_that_comes_after_all_says_nothing_twice() {
    run_test(async |story| {
        story.alerted().await;
        story.github.close_issue(REPO, 1, "ada");
        let lost = story.github.lose_deliveries();
        story.compare().await;
        insta::assert_snapshot!(story.transcript(), @"
        acme/shop#1 commented:
            Thanks, ada: resolved as of <Add up carts>. I will open this again only if the error comes from
            a version that contains that commit and was deployed after this: what runs now may lack the fix.
        acme/shop#1 status:
            + **1 occurrence** on MOMENT. Resolved on MOMENT as of <Add up carts>.
        ");
        let url = format!("{}/api/github/webhooks", story.url());
        for hook in &lost {
            assert_eq!(story.github.redeliver(&url, &hook.id).await, 202, "late, and taken");
        }
        story.settle().await;
        story.assert_silent("nothing is said");
    });
}

#[test]
fn webhooks_in_the_wrong_order_end_as_the_issue_is() {
    run_test(async |story| {
        story.alerted().await;
        let url = format!("{}/api/github/webhooks", story.url());
        // Closed, reopened, labelled and unlabelled: what comes first is the last.
        let second = || story.clock.advance(SignedDuration::from_secs(1));
        story.github.close_issue(REPO, 1, "ada");
        second();
        story.github.reopen_issue(REPO, 1, "ada");
        second();
        story.github.add_label(REPO, 1, "library-code", "ada");
        second();
        story.github.remove_label(REPO, 1, "library-code", "ada");
        let mut hooks = story.github.lose_deliveries();
        hooks.reverse();
        for hook in &hooks {
            story.github.redeliver(&url, &hook.id).await;
            story.settle().await;
        }
        story.assert_silent("all was taken back");
        let line = story.lines().await.remove(0);
        assert_eq!((line.resolved_at, line.known), (None, false));
        assert!(story.rules().await.is_empty());
    });
}

#[test]
fn an_issue_whose_number_was_not_noted_yet_is_known_by_its_marker() {
    run_test(async |story| {
        story.alerted().await;
        let line = story.lines().await.remove(0);
        // Filed, and the answer on its way, when somebody closes it with a label.
        store::lines::set_issue(&story.services().store, line.id, None).await.unwrap();
        story.github.add_label(REPO, 1, "known-error", "ada");
        story.github.close_issue(REPO, 1, "ada");
        story.settle().await;
        let line = story.lines().await.remove(0);
        assert_eq!((line.issue, line.known), (Some(1), true));
        insta::assert_snapshot!(story.transcript(), @"
        acme/shop#1 commented:
            Done, ada: this line of `total` in `shop/cart.py` is a known error (`amount += PRICES[sku]`). It
            is still counted, but nobody is told of it again. To undo this, take the label off or open the
            issue again.
        acme/shop#1 status:
            + **1 occurrence** on MOMENT. A known error: counted, and nobody is told.
        ");
    });
}

#[test]
fn a_deleted_issue_is_filed_anew_and_nobody_has_a_second_mail() {
    run_test(async |story| {
        story.alerted().await;
        story.github.delete_issue(REPO, 1, "owner");
        story.settle().await;
        assert_eq!(story.lines().await[0].issue, None);
        let event = story.event();
        story.report(&event).await;
        insta::assert_snapshot!(story.transcript(), @"
        acme/shop#2 opened: KeyError in total (shop/cart.py) [flawless]
        acme/shop#2 assigned to ada
        ");
        // Deleted, and the webhook lost: noticed when something is to be said there.
        story.github.delete_issue(REPO, 2, "owner");
        story.github.lose_deliveries();
        for _ in 0..9 {
            let event = story.event();
            story.report(&event).await;
        }
        let event = story.event();
        story.report(&event).await;
        story.report(&event).await;
        insta::assert_snapshot!(story.transcript(), @"
        acme/shop#3 opened: KeyError in total (shop/cart.py) [flawless]
        acme/shop#3 assigned to ada
        ");
    });
}

#[test]
fn links_out_of_mails_work_after_a_rename() {
    run_test(async |story| {
        let text = story.alerted().await;
        let links: Vec<String> = text
            .split_whitespace()
            .filter_map(|word| word.strip_prefix("https://flawless.test"))
            .filter(|link| link.contains("signature="))
            .map(str::to_owned)
            .collect();
        assert_eq!(links.len(), 3, "the traceback, the whitelist and Not me");
        story.github.rename_repository(REPO, "acme/store", "owner");
        story.git.host.rename(REPO, "acme/store");
        story.settle().await;
        let reader = Browser::new(story);
        for link in &links {
            let page = reader.get(link).await;
            assert_eq!(page.status, 200, "{link}: {}", page.seen());
        }
        assert!(story.page("/acme/store").await.contains(CART_PATH));
        assert!(story.page(&format!("/{REPO}")).await.contains("acme/store"), "the old name leads to it, too");
        // Whoever takes the old name now is somebody else.
        story.github.add_repository(REPO, true);
        story.git.host.serve(REPO, story.repo.git_dir());
        story.github.install("acme", &[REPO]);
        story.settle().await;
        assert!(!story.page(&format!("/{REPO}")).await.contains("acme/store"));
        for link in &links {
            let page = reader.get(link).await;
            let seen = page.seen();
            assert!(page.status == 200 && seen.contains("acme/store"), "{link}: {} {seen}", page.status);
        }
        let form = reader.get(links.iter().find(|link| link.contains("add_known_error")).unwrap()).await;
        let fields = form.fields();
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let fields = [fields, vec![("scope", "file")]].concat();
        let saved = reader.post("/add_known_error", &fields).await;
        assert!(saved.status == 200 && saved.seen().contains("acme/store"), "{} {}", saved.status, saved.seen());
        story.settle().await;
    });
}

#[test]
fn labels_that_somebody_deleted_are_made_again() {
    run_test(async |story| {
        story.alerted().await;
        assert_eq!(story.github.labels(REPO).len(), 5);
        story.github.delete_label(REPO, "known-error");
        story.compare().await;
        let labels = story.github.labels(REPO);
        assert_eq!(labels.len(), 5);
        let label = labels.iter().find(|label| label.name == "known-error").unwrap();
        assert_eq!((label.color.as_str(), label.description.is_empty()), ("fbca04", false));
    });
}

#[test]
fn uninstalling_deletes_mirror_and_variables_and_keeps_counts_until_asked() {
    run_test(async |story| {
        let installation = story.install().await;
        story.fails(1).await;
        story.assert_usual_alert();
        let event = story.event();
        let (key, project) = story.key().await;
        let line = story.lines().await.remove(0);
        let row = story.repository().await;
        assert!(story.services().mirrors.exists(row.repository.id));
        story.github.uninstall(installation);
        story.settle().await;
        assert!(story.services().mirrors.exists(row.repository.id), "it may have been a mistake");
        story.tick_after(DAY).await;
        assert!(!story.services().mirrors.exists(row.repository.id));
        assert_eq!(
            store::tracebacks::latest_of_line(&story.services().store, line.id, Timestamp::MAX).await.unwrap(),
            None
        );
        assert_eq!(
            store::lines::by_id(&story.services().store, line.id).await.unwrap().unwrap().total,
            1,
            "its counts stay"
        );
        let status = story.send_to(story.url(), &key, project, &event).await;
        assert!(status == 403 || status == 401 || status == 404, "{status}");

        // Installed again: it goes on where it was, with the same key and without a second issue.
        story.install().await;
        story.report(&event).await;
        let line = story.lines().await.remove(0);
        assert_eq!((line.total, line.issue), (2, Some(1)));
        story.assert_silent("nothing is said");

        let said = story.command(&["repository", "remove", REPO, "--with-counts"]);
        assert!(said.contains("Everything that was known of acme/shop is deleted."), "{said}");
        assert_eq!(store::lines::by_id(&story.services().store, line.id).await.unwrap(), None);
        assert!(store::repositories::list(&story.services().store).await.unwrap().is_empty());
    });
}

#[test]
fn what_was_a_deleted_repositorys_is_never_another_ones() {
    run_test(async |story| {
        let text = story.alerted().await;
        let links = ["/view_traceback", "/add_known_error", "/not_me"].map(|path| link_in(&text, path));
        let (_, number) = story.key().await;
        let store = story.services().store.clone();
        let looked = format!("issues_looked_ms:{number}");
        story.compare().await;
        assert!(store::meta::by_name(&store, &looked).await.unwrap().is_some());
        story.command(&["repository", "remove", REPO, "--with-counts"]);
        assert_eq!(store::meta::by_name(&store, &looked).await.unwrap(), None);

        // Another repository has the name, and a line that is called the same.
        let event = story.event();
        let url = story.repo.git_dir().display().to_string();
        let (key, next) = story.watch_plainly(REPO, &url).await;
        assert!(next > number, "{next} after {number}");
        assert_eq!(story.send_to(story.url(), &key, next, &event).await, 200);
        story.settle().await;
        assert_eq!(story.lines().await.len(), 1);
        let (reader, admin) = (Browser::new(story), Browser::signed_in(story).await);
        for link in &links {
            for browser in [&reader, &admin] {
                let page = browser.get(link).await;
                let why = format!("The repository called {REPO} that this link is about is not watched any more.");
                assert!(page.status == 404 && page.seen().contains(&why), "{link}: {} {}", page.status, page.seen());
            }
        }
        assert_eq!(story.mails().len(), 1, "the new line's own");
    });
}

#[test]
fn making_a_repository_public_hides_what_its_issues_said_from_then_on() {
    run_test(async |story| {
        story.install().await;
        story.github.set_private(REPO, false, "owner");
        story.settle().await;
        story.fails(1).await;
        story.assert_usual_alert();
        assert!(!story.github.issue(REPO, 1).body.contains("quince"), "{}", story.github.issue(REPO, 1).body);
    });
}

#[test]
fn an_edited_line_is_not_given_back_to_who_wrote_it_before() {
    run_test(async |story| {
        story.alerted().await;
        // Grace edits it, and GitHub knows no account of hers: Ada stays assigned, which nobody
        // did.
        let text = cart_with("amount += PRICES[sku.lower()]");
        let sha = story.commit(GRACE, "2026-02-01T10:00:00Z", &[(CART_PATH, &text)], "Lower");
        story.github.set_commit_author(REPO, &sha, CommitAuthor::Null);
        story.push().await;
        story.cart_fails_at("PRICES[sku.lower()]").await;
        story.assert_edited_alert(None);
        story.compare().await;
        story.assert_silent("nobody assigned anybody");
        let line = story.lines().await.remove(1);
        assert_eq!((line.issue, line.owner_login), (Some(1), None));
        // What somebody does is noticed.
        story.github.assign(REPO, 1, "linus", "owner");
        story.github.unassign(REPO, 1, "ada", "owner");
        story.github.lose_deliveries();
        story.compare().await;
        insta::assert_snapshot!(story.transcript(), @"
        acme/shop#1 commented:
            Noted, owner: this line belongs to linus from now on, here and in the weekly report.
        acme/shop#1 status:
            + **1 occurrence** on MOMENT. Open. It belongs to linus.
        ");
        assert_eq!(story.lines().await[1].owner_login.as_ref().map(Login::as_str), Some("linus"));
    });
}
