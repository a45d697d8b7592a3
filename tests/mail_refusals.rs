//! What becomes of mails that the mail server refuses: told from each other are a server that takes
//! none of ours, an address that takes none of anybody's, and one that takes none at the moment.

use crate::harness::git_repo::{ADA, GRACE};
use crate::harness::scenes::{MINUTE, functions};
use crate::harness::smtp::Mode;
use crate::harness::story::{CART, CART_PATH, Story, run_test};
use domain::delivery::{DeliveryState, MAIL_TRIED_FOR};
use domain::finding::{Finding, Level};
use domain::timestamp::{DAY, HOUR};
use jiff::SignedDuration;
use std::time::Duration;

/// What the doctor says of messages.
async fn messages(story: &Story) -> Finding {
    let found = story.services().doctor().examine(story.clocks()).await;
    found.into_iter().find(|finding| finding.about == "messages").expect("they are looked at")
}

/// What became of the mails of the first line.
async fn states(story: &Story) -> Vec<(String, DeliveryState)> {
    let line = story.lines().await.remove(0);
    let deliveries = store::deliveries::of_line(&story.services().store, line.id).await.unwrap();
    let mails = deliveries.into_iter().filter(|delivery| !delivery.recipient.is_empty());
    mails.map(|delivery| (delivery.recipient, delivery.state)).collect()
}

#[test]
fn a_mail_server_that_refuses_this_server_loses_no_alert_and_is_quoted() {
    run_test(async |story| {
        story.expect_errors();
        story.install().await;
        let refusals = [
            ("", "554 5.7.1 Service unavailable; Client host [10.0.0.1] blocked using zen.example"),
            ("EHLO", "550 5.7.1 Not from there"),
            ("MAIL", "550 5.7.60 Client does not have permissions to send as this sender"),
            ("RCPT", "554 5.7.1 <ada@example.com>: Relay access denied"),
            ("RCPT", "552 5.2.2 The mailbox is full"),
            ("DATA", "554 5.5.1 No valid recipients"),
            (".", "550 5.7.26 Not accepted due to the domain's DMARC policy"),
        ];
        let refuse = |(at, says)| Mode::Refuse { at, says };
        story.smtp.set(refuse(refusals[0]));
        story.fails(1).await;
        assert!(story.transcript().contains("acme/shop#1 opened"), "the issue does not wait for it");
        assert_eq!(messages(story).await.level, Level::Warning);
        for refusal in refusals {
            story.smtp.set(refuse(refusal));
            story.later(16 * MINUTE).await;
            let found = messages(story).await;
            let words = refusal.1.split_once(' ').unwrap().1;
            assert!(found.what.contains(words), "{}", found.what);
            assert!(found.what.contains("1 mail is tried again, for "), "{}", found.what);
            assert!(found.todo.unwrap().contains("SMTP_URL and MAIL_FROM"));
        }
        assert_eq!(messages(story).await.level, Level::Failure, "by now it is no passing trouble");
        let health = story.page("/check_health").await;
        assert!(health.contains("1 mail is tried again") && health.contains("DMARC policy"), "{health}");
        assert!(story.page("/metrics").await.contains("flawless_mails_failing 1"));
        assert_eq!(states(story).await, [("ada@example.com".to_owned(), DeliveryState::Pending)]);
        story.smtp.set(Mode::Accept);
        story.later(16 * MINUTE).await;
        insta::assert_snapshot!(story.transcript(), @"
        mail to ada@example.com: [acme/shop] KeyError in total (shop/cart.py:9)
            You wrote this line.
        ");
        assert_eq!(messages(story).await.level, Level::Fine);
    });
}

#[test]
fn who_gets_no_mail_for_days_is_passed_over_for_that_line_alone() {
    run_test(async |story| {
        story.expect_errors();
        let more = CART.replace("PRICES = {'apple': 120}", "PRICES = {'apple': 130}");
        story.commit(GRACE, "2026-02-01T10:00:00Z", &[(CART_PATH, &more)], "Raise the price of apples");
        story.install().await;
        story.smtp.set_full("ada@example.com", true);
        let event = story.event();
        story.report(&event).await;
        story.transcript();
        let mut waited = SignedDuration::ZERO;
        while waited < MAIL_TRIED_FOR - DAY {
            story.later(DAY).await;
            waited += DAY;
            assert_eq!(states(story).await, [("ada@example.com".to_owned(), DeliveryState::Pending)]);
        }
        story.transcript();
        story.later(DAY).await;
        let said = story.transcript();
        assert!(said.contains("mail to grace@example.com: [acme/shop] KeyError in total"), "{said}");
        assert!(said.contains("Passed over: Ada"), "{said}");
        let ada = ("ada@example.com".to_owned(), DeliveryState::GivenUp);
        assert_eq!(states(story).await, [ada, ("grace@example.com".to_owned(), DeliveryState::Sent)]);
        // Her next line is hers again.
        story.smtp.set_full("ada@example.com", false);
        story.cart_fails_at("amount = 0").await;
        let said = story.transcript();
        assert!(said.contains("mail to ada@example.com") && !said.contains("mail to grace"), "{said}");
    });
}

#[test]
fn a_mail_that_the_server_never_says_it_took_comes_four_times_at_most() {
    run_test(async |story| {
        story.expect_errors();
        story.install().await;
        story.smtp.set(Mode::DropAfterAccepting);
        story.fails(1).await;
        // The usual pause, a quarter of an hour, an hour.
        for (pause, so_far) in [(MINUTE, 2), (12 * MINUTE, 2), (3 * MINUTE, 3), (55 * MINUTE, 3)] {
            assert_eq!(states(story).await, [("ada@example.com".to_owned(), DeliveryState::Pending)]);
            story.later(pause).await;
            assert_eq!(story.smtp.unread().len(), so_far, "after another {pause}");
        }
        for _ in 0..4 {
            story.later(10 * MINUTE).await;
        }
        assert_eq!(story.smtp.unread().len(), 4);
        story.assert_copies_of_one_mail();
        let line = story.lines().await.remove(0);
        let mails = store::deliveries::of_line(&story.services().store, line.id).await.unwrap();
        let mail = mails.iter().find(|mail| mail.recipient == "ada@example.com").unwrap();
        let why = mail.error.as_deref().unwrap_or_default();
        assert!(mail.state == DeliveryState::GivenUp && why.contains("may have arrived"), "{mail:?}");
        assert!(why.contains("it was sent 4 times"), "{why}");
        story.transcript();
    });
}

#[test]
fn days_in_which_nothing_was_tried_count_for_nothing() {
    run_test(async |story| {
        story.expect_errors();
        story.install().await;
        let pending = [("ada@example.com".to_owned(), DeliveryState::Pending)];
        story.smtp.set_full("ada@example.com", true);
        story.fails(1).await;
        story.later(DAY).await;
        // The server is off.
        story.later(6 * DAY).await;
        assert_eq!(states(story).await, pending, "after a week without the server");
        assert!(messages(story).await.what.contains("1 mail is tried again, for "));
        story.begin_shadow().await;
        for _ in 0..6 {
            story.later(DAY).await;
        }
        assert_eq!(messages(story).await.level, Level::Fine, "nothing fails in shadow mode, for nothing is tried");
        story.end_shadow().await;
        story.later(16 * MINUTE).await;
        assert_eq!(states(story).await, pending, "after a week of shadow mode");
        story.smtp.set_full("ada@example.com", false);
        story.later(16 * MINUTE).await;
        assert!(story.transcript().contains("mail to ada@example.com"));
    });
}

#[test]
fn a_storms_mails_are_not_tried_one_by_one_where_nobody_answers() {
    run_test(async |story| {
        story.commit(ADA, "2026-01-06T10:00:00Z", &[("shop/a.py", &functions("a", 30))], "Add a");
        story.commit(GRACE, "2026-01-07T10:00:00Z", &[("shop/b.py", &functions("b", 3))], "Add b");
        story.install().await;
        story.functions_fail("shop/a.py", "a", 0..23).await;
        story.functions_fail("shop/b.py", "b", 0..3).await;
        story.transcript();
        story.smtp.set(Mode::HangUp);
        let before = story.smtp.connections();
        story.later(2 * MINUTE).await;
        assert_eq!(story.smtp.connections() - before, 1, "the second of them would only wait as long");
        story.smtp.set(Mode::Accept);
        story.later(MINUTE).await;
        let said = story.transcript();
        for mail in ["mail to ada@example.com: [acme/shop] Storm", "mail to grace@example.com: [acme/shop] Storm"] {
            assert!(said.contains(mail), "{said}");
        }
        story.later(HOUR).await;
        story.transcript();
    });
}

#[test]
fn a_mail_server_that_says_nothing_keeps_no_report_waiting() {
    run_test(async |story| {
        story.commit(ADA, "2026-01-06T10:00:00Z", &[("shop/a.py", &functions("a", 8))], "Add a");
        story.install().await;
        story.smtp.set(Mode::Silent);
        let before = story.smtp.connections();
        let tasks = story.worker().start();
        story.send_functions("shop/a.py", "a", 0..7).await;
        wait_for(story, "its mails are tried", async |story| story.smtp.connections() - before >= 2).await;
        // Whoever could be held by it is by then.
        tokio::time::sleep(Duration::from_millis(500)).await;
        story.send_functions("shop/a.py", "a", 7..8).await;
        wait_for(story, "it is attributed", async |story| story.lines().await.len() == 8).await;
        assert_eq!(story.smtp.connections() - before, 2, "two mails at a time");
        story.smtp.set(Mode::Accept);
        story.worker().stop();
        for task in tasks {
            task.await.unwrap();
        }
        story.later(MINUTE).await;
        let said = story.transcript();
        assert!(said.contains("8 × mail to ada@example.com"), "{said}");
    });
}

/// Waits for less than a silent server is waited for.
async fn wait_for(story: &Story, what: &str, is_so: impl AsyncFn(&Story) -> bool) {
    for _ in 0..400 {
        if is_so(story).await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{what}: {}", story.logged());
}
