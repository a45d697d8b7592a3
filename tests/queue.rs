//! The write queue under faults: a slow GitHub, refusals, shadow mode that begins, crashes in
//! between.

use crate::harness::fake_github::Fault;
use crate::harness::git_repo::ADA;
use crate::harness::scenes::{MINUTE, functions};
use crate::harness::smtp::Mode;
use crate::harness::story::{REPO, Story, run_test};
use domain::delivery::{Channel, DeliveryMode, DeliveryState, Purpose};
use domain::job::Job;
use jiff::SignedDuration;
use serde_json::json;
use std::time::Duration;
use store::attributions::AttributionOutcome;
use store::decisions::{Decision, LineUpdate};
use store::deliveries::NewDelivery;
use store::jobs::{Among, LEASE};

fn titles(story: &Story, beginning: &str) -> usize {
    story.github.issues(REPO).iter().filter(|issue| issue.title.starts_with(beginning)).count()
}

#[test]
fn what_costs_much_time_lets_others_go_first() {
    run_test(async |story| {
        story.commit(ADA, "2026-01-06T10:00:00Z", &[("shop/a.py", &functions("a", 2))], "Add a");
        story.install().await;
        story.send_functions("shop/a.py", "a", 0..2).await;
        let (store, now) = (story.services().store.clone(), story.clock.now());
        let repository = story.repository().await.repository.id;
        let claim = async |at| store::jobs::claim(&store, Among::Ordinary, LEASE, at).await.unwrap().expect("a job");
        let later = now + SignedDuration::from_secs(1);
        store::jobs::enqueue(&store, Job::Reconcile, later, later).await.unwrap();
        // It came first, but the one before it took long.
        store::jobs::let_others_go_first(&store, repository, Duration::from_secs(2), now).await.unwrap();
        let first = claim(later).await;
        assert_eq!(first.job, Job::Reconcile);
        store::jobs::finish(&store, &first).await.unwrap();
        let second = claim(later).await;
        assert!(matches!(second.job, Job::Attribute(_)), "nobody else waits");
        store::jobs::put_back(&store, &second).await.unwrap();
        story.settle().await;
        assert_eq!(story.transcript().matches(" opened: ").count(), 2);
    });
}

#[test]
fn decisions_that_take_much_time_let_others_go_first() {
    run_test(async |story| {
        story.install().await;
        story.fails(1).await;
        story.assert_usual_alert();
        let (store, now) = (story.services().store.clone(), story.clock.now());
        let line = story.lines().await.remove(0);
        store::jobs::enqueue(&store, Job::Decide(line.id), now, now).await.unwrap();
        let later = now + SignedDuration::from_secs(1);
        store::jobs::enqueue(&store, Job::Reconcile, later, later).await.unwrap();
        let repository = story.repository().await.repository.id;
        store::jobs::let_others_go_first(&store, repository, Duration::from_secs(2), now).await.unwrap();
        let claim = async || store::jobs::claim(&store, Among::Ordinary, LEASE, later).await.unwrap().expect("a job");
        let first = claim().await;
        assert_eq!(first.job, Job::Reconcile, "the decision was asked for first, but the one before it took long");
        store::jobs::finish(&store, &first).await.unwrap();
        let second = claim().await;
        assert_eq!(second.job, Job::Decide(line.id), "nobody else waits");
        store::jobs::put_back(&store, &second).await.unwrap();
        story.settle().await;
        story.assert_silent("it was told of");
    });
}

#[test]
fn what_a_flood_leads_to_waits_as_its_reports_do() {
    run_test(async |story| {
        story.commit(ADA, "2026-01-06T10:00:00Z", &[("shop/a.py", &functions("a", 111))], "Add a");
        story.install().await;
        story.functions_fail("shop/a.py", "a", 0..1).await;
        let line = story.lines().await.remove(0);
        story.send_functions("shop/a.py", "a", 1..111).await;
        let store = story.services().store.clone();
        let mut claims = Vec::new();
        loop {
            let batch = store::jobs::claim_batch(&store, Among::Ordinary, LEASE, story.clock.now()).await.unwrap();
            claims.extend(batch.claims);
            if !batch.is_more {
                break;
            }
        }
        let mut late = claims.pop().expect("the last report of the flood");
        let Job::Attribute(report) = late.job else { panic!("{late:?}") };
        let stored = store::reports::by_id(&store, report).await.unwrap().expect("it waits");
        let latest = store::tracebacks::latest_fingerprints(&store, &[line.id]).await.unwrap()[&line.id];
        let found = store::attributions::of_fingerprints(&store, &[latest]).await.unwrap();
        let outcome = AttributionOutcome {
            code_generation: 0,
            rules_generation: 0,
            attribution: found.get(&latest).cloned(),
            regressed: false,
            recheck_at: None,
            plain_until: None,
        };
        let now = story.clock.now();
        store::attributions::record(&store.held_by(&late), &[(&stored, &outcome)], now).await.unwrap();
        for what in ["decision", "mail"] {
            story.clock.advance(SignedDuration::from_millis(10));
            let now = story.clock.now();
            store::jobs::enqueue(&store, Job::Reconcile, now, now).await.unwrap();
            let claim = async || store::jobs::claim(&store, Among::Ordinary, LEASE, now).await.unwrap().expect("a job");
            let first = claim().await;
            assert_eq!(first.job, Job::Reconcile, "the {what} was asked for first, but others go before the flood");
            store::jobs::finish(&store, &first).await.unwrap();
            late = claim().await;
            if what == "decision" {
                assert_eq!(late.job, Job::Decide(line.id));
                let mail = NewDelivery {
                    channel: Channel::Mail,
                    purpose: Purpose::KnownMinimum,
                    recipient: "ada@example.com".to_owned(),
                    content: String::new(),
                };
                let decision = Decision {
                    line: line.id,
                    repository: line.repository,
                    decided: LineUpdate::default(),
                    send: vec![mail],
                    mode: DeliveryMode::Singly,
                };
                store::decisions::record(&store.held_by(&late), &[decision], now).await.unwrap();
            }
        }
        assert!(matches!(late.job, Job::Deliver(_)), "{late:?}");
        store::jobs::finish(&store, &late).await.unwrap();
        for claim in &claims {
            store::jobs::put_back(&store, claim).await.unwrap();
        }
        story.settle().await;
        // The storm of them ends.
        story.later(20 * MINUTE).await;
        let _ = story.transcript();
    });
}

#[test]
fn writes_keep_their_distance_from_the_moment_of_the_write_before() {
    run_test(async |story| {
        story.install().await;
        // What a turn asks before it writes takes its time; the story's end checks the distance.
        story.github.fail_next("issues/check-user-can-be-assigned", Fault::Takes(SignedDuration::from_secs(3)));
        story.github.fail_next("issues/create", Fault::Takes(SignedDuration::from_millis(2_500)));
        story.fails(1).await;
        story.assert_usual_alert();
        let at = |operation: &str| story.github.requests_of(operation)[0].at;
        let distance = at("issues/add-assignees") - at("issues/create");
        assert!(
            distance >= SignedDuration::from_millis(3_500),
            "a second after the answer, not after the request: {distance}"
        );
    });
}

#[test]
fn a_pause_that_github_asks_for_begins_when_it_asks() {
    run_test(async |story| {
        story.install().await;
        story.github.fail_next("issues/check-user-can-be-assigned", Fault::Takes(SignedDuration::from_secs(20)));
        story.github.fail_next("issues/create", Fault::slow_down(60));
        story.fails(1).await;
        insta::assert_snapshot!(story.transcript(), @"
        mail to ada@example.com: [acme/shop] KeyError in total (shop/cart.py:9)
            You wrote this line.
        ");
        story.later(SignedDuration::from_secs(45)).await;
        story.assert_silent("not 60 seconds yet");
        story.later(SignedDuration::from_secs(15)).await;
        insta::assert_snapshot!(story.transcript(), @"
        acme/shop#1 opened: KeyError in total (shop/cart.py) [flawless]
        acme/shop#1 assigned to ada
        ");
    });
}

#[test]
fn an_edited_line_is_told_of_though_github_assigns_nobody() {
    run_test(async |story| {
        story.alerted().await;
        // As with ten assignees already: GitHub says yes, and drops the eleventh.
        let issue = json!({ "number": 1, "assignees": [] });
        for _ in 0..4 {
            let drops = Fault::Status { status: 201, headers: Vec::new(), body: issue.clone() };
            story.github.fail_next("issues/add-assignees", drops);
        }
        let before = story.github.requests_of("issues/add-assignees").len();
        story.edited().await;
        story.later(MINUTE).await;
        assert_eq!(story.github.requests_of("issues/add-assignees").len() - before, 1, "asked once");
        story.github.take_faults();
        story.assert_edited_alert(None);
    });
}

#[test]
fn an_edited_line_is_told_of_though_github_refuses_the_assignment() {
    run_test(async |story| {
        story.alerted().await;
        story.github.fail_next("issues/add-assignees", Fault::status(422, "Validation Failed"));
        story.edited().await;
        // The comment says it all the same.
        story.assert_edited_alert(None);
    });
}

#[test]
fn an_issue_that_goes_on_with_the_edited_line_is_not_taken_back() {
    run_test(async |story| {
        story.install().await;
        // Filed, and to be assigned after an hour's pause, in which the line is edited.
        story.github.fail_next("issues/add-assignees", Fault::slow_down(3600));
        story.fails(1).await;
        insta::assert_snapshot!(story.transcript(), @"
        mail to ada@example.com: [acme/shop] KeyError in total (shop/cart.py:9)
            You wrote this line.
        acme/shop#1 opened: KeyError in total (shop/cart.py) [flawless]
        ");
        story.edited().await;
        story.later(61 * MINUTE).await;
        let lines = story.lines().await;
        assert_eq!((lines[0].issue, lines[1].issue), (None, Some(1)), "one issue is one line's");
        assert_eq!(story.github.issues(REPO).len(), 1);
        // A comment, and Grace has it.
        story.assert_edited_alert(Some("grace"));
    });
}

#[test]
fn what_changes_while_a_status_is_written_is_written_next() {
    run_test(async |story| {
        story.alerted().await;
        let (services, line) = (story.services().clone(), story.lines().await[0].id);
        store::lines::set_owner(&services.store, line, Some(&"grace".into())).await.unwrap();
        story.clock.advance(SignedDuration::from_secs(1));
        store::statuses::enqueue_due(&services.store, story.clock.now()).await.unwrap();
        story.github.fail_next("issues/update", Fault::HangAfterWork(Duration::from_millis(600)));
        let (installation, now) = (story.repository().await, story.clock.now());
        let installation = installation.repository.github.unwrap().installation;
        let before = store::writes::of_last_hour(&services.store, installation, now).await.unwrap().len();
        let meanwhile = async {
            while store::writes::of_last_hour(&services.store, installation, now).await.unwrap().len() == before {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            store::lines::set_owner(&services.store, line, Some(&"linus".into())).await.unwrap();
        };
        let both = async { tokio::join!(story.settle_without_webhooks(), meanwhile) };
        tokio::time::timeout(Duration::from_secs(30), both).await.expect("the status is written");
        // Not a whole tick: to reconciliation, the owner that nobody assigned is none.
        store::statuses::enqueue_due(&story.services().store, story.clock.now()).await.unwrap();
        story.settle().await;
        let body = story.github.issue(REPO, 1).body;
        assert!(body.contains("linus") && !body.contains("grace"), "{body}");
        insta::assert_snapshot!(story.transcript(), @"
        acme/shop#1 status:
            + **1 occurrence** on MOMENT. Open. It belongs to grace.
        acme/shop#1 status:
            + **1 occurrence** on MOMENT. Open. It belongs to linus.
        ");
    });
}

#[test]
fn a_shadow_holds_what_was_on_its_way() {
    run_test(async |story| {
        story.commit(ADA, "2026-01-06T10:00:00Z", &[("shop/a.py", &functions("a", 30))], "Add a");
        story.install().await;
        story.send_functions("shop/a.py", "a", 0..30).await;
        // All is decided, one issue is written; the others, the storm's and its mails wait.
        story.settle_without_webhooks().await;
        let (written, mailed) = (story.github.issues(REPO).len(), story.mails().len());
        assert!(written <= 1 && mailed <= 21, "{written} {mailed}");
        story.changes();
        story.begin_shadow().await;
        story.settle().await;
        story.later(30 * MINUTE).await;
        story.assert_silent("nothing is sent");
        let page = story.page(&format!("/{REPO}/shadow")).await;
        assert!(page.contains("issue for Ada Lovelace") && page.contains("mail to ada@example.com"), "{page}");

        // It ends: each line is told of once more than nobody was, when it happens again.
        story.end_shadow().await;
        story.later(15 * MINUTE).await;
        story.functions_fail("shop/a.py", "a", 0..30).await;
        story.later(60 * MINUTE).await;
        assert_eq!(story.github.issues(REPO).len(), titles(story, "Storm"), "their own wait");
        insta::assert_snapshot!(story.transcript(), @"
        mail to ada@example.com: [acme/shop] Storm: 30 lines that concern you began to fail
            30 lines of acme/shop that concern you began to fail in a storm that began at MOMENT: 30 lines
            in all failed at once. Look for one cause first: a service that is away, a variable that is
            missing, a deploy.
        acme/shop#1 opened: Storm: 30 lines began to fail at once [flawless]
        acme/shop#2 opened: Storm: 30 lines began to fail at once [flawless]
        acme/shop#2 status:
            + The storm ended at MOMENT: hardly any new line came for a while. New ones are told of one by
            one again, and so is each of these lines where it fails again.
        ");
        let mut told = 0;
        for line in story.lines().await {
            let mails = store::deliveries::of_line(&story.services().store, line.id).await.unwrap();
            told +=
                mails.iter().filter(|it| it.recipient == "ada@example.com" && it.state == DeliveryState::Sent).count();
        }
        assert_eq!(told, 30, "each line was mailed once");
    });
}

#[test]
fn a_storm_whose_worker_died_at_its_beginning_ends() {
    run_test(async |story| {
        story.install().await;
        let row = story.repository().await;
        let (id, now) = (row.repository.id, story.clock.now());
        store::storms::insert(&story.services().store, id, now - SignedDuration::from_millis(1), now).await.unwrap();
        story.later(11 * MINUTE).await;
        assert_eq!(store::storms::open_of(&story.services().store, id).await.unwrap(), None);
        story.later(11 * MINUTE).await;
        insta::assert_snapshot!(story.transcript(), @"acme/shop#1 opened: Storm: 0 lines began to fail at once [flawless]");
    });
}

#[test]
fn a_storms_issue_that_is_found_again_is_brought_up_to_date() {
    run_test(async |story| {
        story.nearly_a_storm(26).await;
        story.clock.advance(SignedDuration::from_secs(1));
        story.github.fail_next("issues/create", Fault::AfterWork(502));
        story.send_functions("shop/a.py", "a", 20..22).await;
        story.settle_without_webhooks().await;
        story.functions_fail("shop/a.py", "a", 22..26).await;
        story.later(SignedDuration::from_secs(5)).await;
        let issues = story.github.issues(REPO);
        let storm: Vec<_> = issues.iter().filter(|issue| issue.title.starts_with("Storm")).collect();
        assert_eq!(storm.len(), 1);
        assert_eq!(storm[0].title, "Storm: 26 lines began to fail at once");
        story.later(20 * MINUTE).await;
        insta::assert_snapshot!(story.transcript(), @"
        mail to ada@example.com: [acme/shop] Storm: 6 lines that concern you began to fail
            6 lines of acme/shop that concern you began to fail in a storm that began at MOMENT: 26 lines in
            all failed at once. Look for one cause first: a service that is away, a variable that is
            missing, a deploy.
        acme/shop#21 opened: Storm: 22 lines began to fail at once [flawless]
        acme/shop#21 retitled: Storm: 26 lines began to fail at once
        acme/shop#21 status:
            + **26 lines** of this repository began to fail within a short time: the first at MOMENT, the
            latest at MOMENT. Many at once mostly have one cause, so this issue tells of them together.
            + - Ada Lovelace: 26
            + 4 × | shop/a.py:N | aN | KeyError | Ada Lovelace | N | |
        acme/shop#21 status:
            + The storm ended at MOMENT: hardly any new line came for a while. New ones are told of one by
            one again, and so is each of these lines where it fails again.
        ");
    });
}

#[test]
fn a_whitelisted_file_gets_no_more_issues_of_its_storm() {
    run_test(async |story| {
        story.commit(ADA, "2026-01-06T10:00:00Z", &[("shop/a.py", &functions("a", 40))], "Add a");
        story.install().await;
        story.send_functions("shop/a.py", "a", 0..40).await;
        story.settle_without_webhooks().await;
        // Somebody wants an issue for each.
        let (id, now) = (story.repository().await.repository.id, story.clock.now());
        store::storms::file_waiting_issues(&story.services().store, id, now).await.unwrap();
        for _ in 0..6 {
            story.clock.advance(SignedDuration::from_secs(1));
            story.settle_without_webhooks().await;
        }
        let filed = story.github.issues(REPO).len();
        assert!((2..10).contains(&filed), "{filed}");
        let first = story.lines().await.into_iter().find_map(|line| line.issue).unwrap();
        story.github.add_label(REPO, first, "known-error: file", "ada");
        story.github.close_issue(REPO, first, "ada");
        story.settle().await;
        story.later(30 * MINUTE).await;
        let then = story.github.issues(REPO).len();
        assert!(then <= filed + 1, "{filed} issues became {then}");
        story.changes();
        story.mails();
        // It ends: each is told of when it happens again.
        story.github.reopen_issue(REPO, first, "ada");
        story.settle().await;
        story.functions_fail("shop/a.py", "a", 0..15).await;
        story.later(60 * MINUTE).await;
        assert!(story.lines().await.iter().take(15).all(|line| line.issue.is_some()));
        story.changes();
        story.mails();
    });
}

#[test]
fn a_storms_mail_that_fails_makes_no_more_mails_for_the_others() {
    run_test(async |story| {
        story.nearly_a_storm(40).await;
        story.functions_fail("shop/a.py", "a", 20..22).await;
        // Kept, and never acknowledged: another line joins before it is tried again.
        story.smtp.set(Mode::DropAfterAccepting);
        story.later(2 * MINUTE).await;
        let first = story.mails();
        assert!(!first.is_empty());
        story.smtp.set(Mode::Accept);
        story.functions_fail("shop/a.py", "a", 22..24).await;
        story.later(5 * MINUTE).await;
        let again = story.mails();
        assert_eq!(again.len(), 1);
        let ids = [first[0].header("Message-ID"), again[0].header("Message-ID")];
        assert!(again[0].text().contains("in a23"), "{}", again[0].text());
        assert_ne!(ids[0], ids[1], "a mail that holds more is another mail");
        story.functions_fail("shop/a.py", "a", 24..26).await;
        story.later(MINUTE).await;
        // One mail an hour, or at the end.
        insta::assert_snapshot!(story.transcript(), @"
        acme/shop#21 opened: Storm: 22 lines began to fail at once [flawless]
        acme/shop#21 retitled: Storm: 24 lines began to fail at once
        acme/shop#21 status:
            + **24 lines** of this repository began to fail within a short time: the first at MOMENT, the
            latest at MOMENT. Many at once mostly have one cause, so this issue tells of them together.
            + - Ada Lovelace: 24
            + | shop/a.py:68 | a22 | KeyError | Ada Lovelace | 1 | |
            + | shop/a.py:71 | a23 | KeyError | Ada Lovelace | 1 | |
        acme/shop#21 retitled: Storm: 26 lines began to fail at once
        acme/shop#21 status:
            + **26 lines** of this repository began to fail within a short time: the first at MOMENT, the
            latest at MOMENT. Many at once mostly have one cause, so this issue tells of them together.
            + - Ada Lovelace: 26
            + | shop/a.py:74 | a24 | KeyError | Ada Lovelace | 1 | |
            + | shop/a.py:77 | a25 | KeyError | Ada Lovelace | 1 | |
        ");
        story.later(60 * MINUTE).await;
        insta::assert_snapshot!(story.transcript(), @"
        mail to ada@example.com: [acme/shop] Storm: 2 lines that concern you began to fail
            2 lines of acme/shop that concern you began to fail in a storm that began at MOMENT: 26 lines in
            all failed at once. Look for one cause first: a service that is away, a variable that is
            missing, a deploy.
        acme/shop#21 status:
            + The storm ended at MOMENT: hardly any new line came for a while. New ones are told of one by
            one again, and so is each of these lines where it fails again.
        ");
    });
}

#[test]
fn a_line_now_and_then_does_not_hold_a_storm_for_days() {
    run_test(async |story| {
        story.commit(ADA, "2026-01-06T10:00:00Z", &[("shop/a.py", &functions("a", 40))], "Add a");
        story.install().await;
        story.functions_fail("shop/a.py", "a", 0..22).await;
        let id = story.repository().await.repository.id;
        assert!(store::storms::open_of(&story.services().store, id).await.unwrap().is_some());
        for n in 22..27 {
            story.later(8 * MINUTE).await;
            story.functions_fail("shop/a.py", "a", n..n + 1).await;
        }
        assert_eq!(
            store::storms::open_of(&story.services().store, id).await.unwrap(),
            None,
            "one line in eight minutes is no storm"
        );
        insta::assert_snapshot!(story.transcript(), @"
        5 × mail to ada@example.com: [acme/shop] KeyError in aN (shop/a.py:N)
            You wrote this line.
        mail to ada@example.com: [acme/shop] Storm: 22 lines that concern you began to fail
            22 lines of acme/shop that concern you began to fail in a storm that began at MOMENT: 22 lines
            in all failed at once. Look for one cause first: a service that is away, a variable that is
            missing, a deploy.
        acme/shop#1 opened: Storm: 22 lines began to fail at once [flawless]
        acme/shop#1 retitled: Storm: 23 lines began to fail at once
        acme/shop#1 status:
            + **23 lines** of this repository began to fail within a short time: the first at MOMENT, the
            latest at MOMENT. Many at once mostly have one cause, so this issue tells of them together.
            + - Ada Lovelace: 23
            + | shop/a.py:68 | a22 | KeyError | Ada Lovelace | 1 | |
        acme/shop#1 status:
            + The storm ended at MOMENT: hardly any new line came for a while. New ones are told of one by
            one again, and so is each of these lines where it fails again.
        4 × acme/shop#N opened: KeyError in aN (shop/a.py) [flawless]
        4 × acme/shop#N assigned to ada
        ");
        story.functions_fail("shop/a.py", "a", 27..28).await;
        // Told at once, by itself.
        insta::assert_snapshot!(story.transcript(), @"
        mail to ada@example.com: [acme/shop] KeyError in a27 (shop/a.py:83)
            You wrote this line.
        acme/shop#6 opened: KeyError in a27 (shop/a.py) [flawless]
        acme/shop#6 assigned to ada
        ");
        story.later(30 * MINUTE).await;
        assert_eq!(titles(story, "Storm"), 1);
        story.assert_silent("nothing more is said");
    });
}

#[test]
fn a_known_errors_minimum_that_fell_into_a_shadow_is_mailed_after_it() {
    run_test(async |story| {
        let settings =
            "known_errors:\n  - { file: shop/cart.py, min_alert_threshold: 2, email_recipients: [ops@example.com] }\n";
        story.commit(ADA, "2026-01-06T10:00:00Z", &[(".github/flawless.yml", settings)], "Settings");
        story.install().await;
        story.begin_shadow().await;
        let event = story.event();
        for _ in 0..3 {
            story.report(&event).await;
        }
        story.assert_silent("nothing is said");
        story.end_shadow().await;
        story.report(&event).await;
        insta::assert_snapshot!(story.transcript(), @"
        mail to ada@example.com: [acme/shop] KeyError in total (shop/cart.py:9)
            You wrote this line.
        mail to ops@example.com: [acme/shop] KeyError in total (shop/cart.py:9)
            This known error names you as a recipient.
        ");
        story.report(&event).await;
        story.assert_silent("once");
    });
}
