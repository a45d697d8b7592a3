//! Storms: many new lines at once become one issue and one mail for each author, within GitHub's
//! limits.

use crate::harness::browser::{Browser, squeezed};
use crate::harness::fake_github::Fault;
use crate::harness::git_repo::{ADA, GRACE, LINUS};
use crate::harness::scenes::{MINUTE, functions};
use crate::harness::story::{REPO, Story, run_test};
use domain::delivery::DeliveryMode;
use domain::timestamp::HOUR;
use jiff::SignedDuration;
use std::collections::BTreeMap;
use store::decisions::{Decision, LineUpdate};
use store::writes::WriteTarget;

#[test]
fn three_hundred_new_lines_are_one_storm() {
    run_test(async |story| {
        story.commit(ADA, "2026-01-06T10:00:00Z", &[("shop/a.py", &functions("a", 150))], "Add a");
        story.commit(GRACE, "2026-01-07T10:00:00Z", &[("shop/b.py", &functions("b", 149))], "Add b");
        story.commit(LINUS, "2026-01-08T10:00:00Z", &[("shop/c.py", &functions("c", 1))], "Add c");
        story.install().await;
        let began = story.clock.now();
        for (path, prefix, count) in [("shop/a.py", "a", 150), ("shop/b.py", "b", 149), ("shop/c.py", "c", 1)] {
            story.send_functions(path, prefix, 0..count).await;
        }
        story.settle().await;
        let changes = story.changes();
        // The storm's issue comes first of all that was not filed when the storm began.
        let storms: Vec<usize> = (0..changes.len()).filter(|&at| changes[at].contains(" opened: Storm")).collect();
        assert_eq!(storms, [0], "one storm, one issue: {:?}", &changes[..5]);
        // Mails wait to be gathered, but for those that were on their way when the storm
        // began.
        story.later(2 * MINUTE).await;
        let mut told: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for mail in story.mails() {
            told.entry(mail.to[0].clone()).or_default().push(mail.header("Subject").unwrap());
        }
        let storms = |who: &str| told[who].iter().filter(|subject| subject.contains("Storm: ")).count();
        assert_eq!((storms("ada@example.com"), storms("grace@example.com")), (1, 1), "{told:?}");
        assert_eq!(told["linus@example.com"].len(), 1, "who has one line gets its own mail: {told:?}");
        assert!(told["linus@example.com"][0].contains("in c0 (shop/c.py:2)"), "{told:?}");
        assert!(told.values().flatten().count() <= 20 + 3, "{told:?}");

        // The storm is told of, and its lines are not, one by one.
        story.later(HOUR).await;
        let issues = story.github.issues(REPO);
        assert_eq!(issues.len(), 1);
        let storm = &issues[0];
        assert_eq!(storm.title, "Storm: 300 lines began to fail at once");
        assert!(storm.body.contains("- Ada Lovelace: 150"), "{}", storm.body);
        assert!(storm.body.contains("- Grace Hopper: 149"), "{}", storm.body);
        assert!(storm.body.contains("The storm ended at"), "{}", storm.body);
        assert!(storm.assignees.is_empty());
        assert_eq!(story.mails().len(), 0, "nobody hears again");
        // What still fails when it is over has a cause of its own, and gets its issue; whoever had
        // a mail gets no second one.
        story.functions_fail("shop/a.py", "a", 0..3).await;
        story.later(HOUR).await;
        assert_eq!(story.github.issues(REPO).len(), 4);
        assert_eq!(story.lines().await.iter().filter(|line| line.issue.is_some()).count(), 3);
        let storm = &story.github.issues(REPO)[0];
        assert_eq!(storm.body.matches("| #").count(), 3, "its list is up to date: {}", storm.body);
        assert_eq!(story.mails().len(), 0);
        assert!(story.clock.now() - began < 6 * HOUR);
        story.changes();
    });
}

#[test]
fn twenty_new_lines_are_no_storm_and_the_next_ones_begin_one() {
    run_test(async |story| {
        story.nearly_a_storm(30).await;

        story.functions_fail("shop/a.py", "a", 20..22).await;
        insta::assert_snapshot!(story.transcript(), @"acme/shop#21 opened: Storm: 22 lines began to fail at once [flawless]");
        story.later(2 * MINUTE).await;
        let text = story.unread_text();
        assert!(text.contains("shop/a.py:62 in a20") && text.contains("You wrote this line."), "{text}");
        insta::assert_snapshot!(story.transcript(), @"
        mail to ada@example.com: [acme/shop] Storm: 2 lines that concern you began to fail
            2 lines of acme/shop that concern you began to fail in a storm that began at MOMENT: 22 lines in
            all failed at once. Look for one cause first: a service that is away, a variable that is
            missing, a deploy.
        ");

        // It goes on: the next mail waits for an hour, or for the storm's end.
        story.functions_fail("shop/a.py", "a", 22..24).await;
        story.later(5 * MINUTE).await;
        insta::assert_snapshot!(story.transcript(), @"
        acme/shop#21 retitled: Storm: 24 lines began to fail at once
        acme/shop#21 status:
            + **24 lines** of this repository began to fail within a short time: the first at MOMENT, the
            latest at MOMENT. Many at once mostly have one cause, so this issue tells of them together.
            + - Ada Lovelace: 24
            + | shop/a.py:68 | a22 | KeyError | Ada Lovelace | 1 | |
            + | shop/a.py:71 | a23 | KeyError | Ada Lovelace | 1 | |
        ");
        story.later(6 * MINUTE).await;
        insta::assert_snapshot!(story.transcript(), @"
        mail to ada@example.com: [acme/shop] Storm: 2 lines that concern you began to fail
            2 lines of acme/shop that concern you began to fail in a storm that began at MOMENT: 24 lines in
            all failed at once. Look for one cause first: a service that is away, a variable that is
            missing, a deploy.
        acme/shop#21 status:
            + The storm ended at MOMENT: hardly any new line came for a while. New ones are told of one by
            one again, and so is each of these lines where it fails again.
        ");
        story.later(10 * MINUTE).await;
        let issues = story.github.issues(REPO);
        let storm = issues.iter().find(|issue| issue.title.starts_with("Storm")).unwrap();
        assert!(storm.body.contains("The storm ended at"), "{}", storm.body);
        story.assert_silent("nothing more is said");

        // Over: new lines are told of one by one again.
        story.functions_fail("shop/a.py", "a", 24..25).await;
        insta::assert_snapshot!(story.transcript(), @"
        mail to ada@example.com: [acme/shop] KeyError in a24 (shop/a.py:74)
            You wrote this line.
        acme/shop#22 opened: KeyError in a24 (shop/a.py) [flawless]
        acme/shop#22 assigned to ada
        ");
    });
}

#[test]
fn a_storm_of_a_repository_without_github_is_told_by_mail_and_in_a_file() {
    run_test(async |story| {
        for name in ["APP_ID", "PRIVATE_KEY", "WEBHOOK_SECRET", "GITHUB_CLIENT_ID", "GITHUB_CLIENT_SECRET"] {
            story.unset(name);
        }
        let settings = ("storm: { lines: 2, minutes: 5 }\n", ".github/flawless.yml");
        let files = [("shop/a.py", functions("a", 5)), (settings.1, settings.0.to_owned())];
        let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
        story.commit(ADA, "2026-01-06T10:00:00Z", &files, "Add a");
        story.restart().await;
        let url = story.repo.path().display().to_string();
        let (key, project) = story.watch_plainly("plain/shop", &url).await;
        let head = story.repo.head();
        for n in 0..5 {
            let event = story.event_at(&head, "shop/a.py", &format!("x.a_{n}"), &format!("a{n}"), "web-1");
            assert_eq!(story.send_to(story.url(), &key, project, &event).await, 200);
        }
        story.settle().await;
        story.later(2 * MINUTE).await;
        insta::assert_snapshot!(story.transcript(), @"
        mail to ada@example.com: [plain/shop] Storm: 5 lines that concern you began to fail
            5 lines of plain/shop that concern you began to fail in a storm that began at MOMENT: 5 lines in
            all failed at once. Look for one cause first: a service that is away, a variable that is
            missing, a deploy.
        outbox storm: # Storm: 5 lines began to fail at once
        ");
        story.later(5 * MINUTE).await;
        insta::assert_snapshot!(story.transcript(), @"
        outbox storm: # Storm: 5 lines began to fail at once
            + The storm ended at MOMENT: hardly any new line came for a while. New ones are told of one by
            one again, and so is each of these lines where it fails again.
        ");
    });
}

#[test]
fn a_storm_survives_lost_answers_and_a_restart() {
    run_test(async |story| {
        story.nearly_a_storm(30).await;
        story.github.fail_next("issues/create", Fault::AfterWork(502));
        story.github.set_list_lag(MINUTE);
        story.functions_fail("shop/a.py", "a", 20..30).await;
        story.restart().await;
        story.later(3 * MINUTE).await;
        story.later(20 * MINUTE).await;
        let storms = story.github.issues(REPO).iter().filter(|issue| issue.title.starts_with("Storm")).count();
        assert_eq!(storms, 1, "found again by its marker");
        assert_eq!(story.github.issues(REPO).len(), 21);
        insta::assert_snapshot!(story.transcript(), @"
        mail to ada@example.com: [acme/shop] Storm: 10 lines that concern you began to fail
            10 lines of acme/shop that concern you began to fail in a storm that began at MOMENT: 30 lines
            in all failed at once. Look for one cause first: a service that is away, a variable that is
            missing, a deploy.
        acme/shop#21 opened: Storm: 30 lines began to fail at once [flawless]
        acme/shop#21 status:
            + The storm ended at MOMENT: hardly any new line came for a while. New ones are told of one by
            one again, and so is each of these lines where it fails again.
        ");
    });
}

#[test]
fn what_is_new_goes_before_counts_and_what_github_asks_is_obeyed() {
    run_test(async |story| {
        story.commit(ADA, "2026-01-06T10:00:00Z", &[("shop/a.py", &functions("a", 3))], "Add a");
        story.install().await;
        story.functions_fail("shop/a.py", "a", 0..1).await;
        insta::assert_snapshot!(story.transcript(), @"
        mail to ada@example.com: [acme/shop] KeyError in a0 (shop/a.py:2)
            You wrote this line.
        acme/shop#1 opened: KeyError in a0 (shop/a.py) [flawless]
        acme/shop#1 assigned to ada
        ");
        // GitHub asks to be left alone: counts, then a new line, wait together.
        let limited = Fault::slow_down(120);
        story.github.fail_next("issues/create-comment", limited);
        for _ in 0..10 {
            story.functions_fail("shop/a.py", "a", 0..1).await;
        }
        story.functions_fail("shop/a.py", "a", 1..2).await;
        // Nothing is written to GitHub during the pause.
        insta::assert_snapshot!(story.transcript(), @"
        mail to ada@example.com: [acme/shop] KeyError in a1 (shop/a.py:5)
            You wrote this line.
        ");
        story.later(SignedDuration::from_secs(100)).await;
        story.assert_silent("nothing is said");
        story.later(SignedDuration::from_secs(20)).await;
        insta::assert_snapshot!(story.transcript(), @"
        acme/shop#2 opened: KeyError in a1 (shop/a.py) [flawless]
        acme/shop#2 assigned to ada
        acme/shop#1 commented:
            10 occurrences so far, on 1 server (`web-1`), in release `<Add a>`.
        ");
    });
}

#[test]
fn a_person_has_the_issues_of_a_storms_lines_filed() {
    run_test(async |story| {
        story.nearly_a_storm(23).await;
        story.functions_fail("shop/a.py", "a", 20..23).await;
        let _ = story.transcript();
        let browser = Browser::signed_in(story).await;
        let page = browser.get("/acme/shop").await;
        assert!(page.seen().contains("A storm: 3 lines without an issue of their own"), "{}", page.seen());
        let csrf = page.hidden("csrf");
        assert_eq!(browser.post("/acme/shop/storm", &[("csrf", &csrf)]).await.location, "/acme/shop");
        story.settle().await;
        insta::assert_snapshot!(story.transcript(), @"
        acme/shop#22 opened: KeyError in a20 (shop/a.py) [flawless]
        acme/shop#22 assigned to ada
        acme/shop#23 opened: KeyError in a21 (shop/a.py) [flawless]
        acme/shop#23 assigned to ada
        acme/shop#24 opened: KeyError in a22 (shop/a.py) [flawless]
        acme/shop#24 assigned to ada
        ");
        assert!(!browser.get("/acme/shop").await.text.contains("A storm:"));
        story.later(2 * MINUTE).await;
        story.later(30 * MINUTE).await;
        let _ = story.transcript();
    });
}

/// A storm whose issue GitHub answers like this for once: it is filed afterwards, once, and no job
/// is left over, which the story's end looks at.
async fn begins_with_a_refusal(story: &mut Story, status: u16, message: &str) {
    story.nearly_a_storm(22).await;
    story.github.fail_next("issues/create", Fault::status(status, message));
    story.functions_fail("shop/a.py", "a", 20..22).await;
    story.later(2 * MINUTE).await;
    story.later(3 * MINUTE).await;
    story.later(30 * MINUTE).await;
    let said = story.transcript();
    assert_eq!(said.matches("opened: Storm: 22 lines").count(), 1, "{said}");
    assert_eq!(said.matches("mail to ").count(), 1, "{said}");
    assert!(said.contains("Storm: 2 lines that concern you began to fail"), "{said}");
}

#[test]
fn a_storms_issue_that_github_refuses_for_a_moment_is_filed_once() {
    run_test(async |story| begins_with_a_refusal(story, 410, "Issues has been disabled in this repository.").await);
    run_test(async |story| begins_with_a_refusal(story, 422, "Validation Failed").await);
}

#[test]
fn where_a_storms_mail_is_refused_somebody_else_gets_the_next() {
    run_test(async |story| {
        let text = functions("a", 30);
        story.commit(ADA, "2026-01-06T10:00:00Z", &[("shop/a.py", &text)], "Add a");
        story.commit(GRACE, "2026-02-06T10:00:00Z", &[("shop/a.py", &format!("# All of a.\n{text}"))], "Say so");
        story.install().await;
        story.functions_fail("shop/a.py", "a", 0..20).await;
        story.functions_fail("shop/a.py", "a", 20..26).await;
        insta::assert_snapshot!(story.transcript(), @"
        20 × mail to ada@example.com: [acme/shop] KeyError in aN (shop/a.py:N)
            You wrote this line.
        20 × acme/shop#N opened: KeyError in aN (shop/a.py) [flawless]
        20 × acme/shop#N assigned to ada
        acme/shop#21 opened: Storm: 26 lines began to fail at once [flawless]
        ");
        // Ada leaves while the storm's mail waits.
        story.smtp.refuse("ada@example.com");
        story.later(2 * MINUTE).await;
        story.assert_silent("nothing is said");
        story.later(HOUR).await;
        let text = story.unread_text();
        insta::assert_snapshot!(story.transcript(), @"
        mail to grace@example.com: [acme/shop] Storm: 6 lines that concern you began to fail
            6 lines of acme/shop that concern you began to fail in a storm that began at MOMENT: 26 lines in
            all failed at once. Look for one cause first: a service that is away, a variable that is
            missing, a deploy.
        acme/shop#21 status:
            + The storm ended at MOMENT: hardly any new line came for a while. New ones are told of one by
            one again, and so is each of these lines where it fails again.
            + - Ada Lovelace: 20
            + - Grace Hopper: 6
            + 6 × | shop/a.py:N | aN | KeyError | Grace Hopper | N | |
        ");
        let text = squeezed(&text);
        assert!(text.contains("Passed over: Ada Lovelace (the mail server refuses their address)."), "{text}");
        story.later(HOUR).await;
        story.assert_silent("nothing more is said");
    });
}

#[test]
fn a_line_that_joins_while_the_issue_is_written_is_listed_soon() {
    run_test(async |story| {
        story.nearly_a_storm(23).await;
        story.transcript();
        story.functions_fail("shop/a.py", "a", 20..22).await;
        let listed = |story: &Story| {
            let issues = story.github.issues(REPO);
            issues.into_iter().find(|issue| issue.title.starts_with("Storm")).expect("a storm's").title
        };
        for _ in 0..5 {
            story.later(MINUTE).await;
        }
        assert!(listed(story).contains("22 lines"), "{}", listed(story));
        let (store, now) = (story.services().store.clone(), story.clock.now());
        let line = story.lines().await.remove(0);
        let storm = store::storms::open_of(&store, line.repository).await.unwrap().expect("it goes on");
        // The writer reads the storm; a line joins it that was begun before that, by a slow worker.
        let read = store::storms::by_id(&store, storm).await.unwrap().unwrap();
        let decided = LineUpdate { total: line.total, alerted: true, ..LineUpdate::default() };
        let (mode, before) = (DeliveryMode::Storm(storm), read.changed_at - MINUTE);
        let joins = Decision { line: line.id, repository: line.repository, decided, send: Vec::new(), mode };
        assert_eq!(store::decisions::record(&store, &[joins], before).await.unwrap(), [true]);
        store::storms::record_written(&store, storm, read.changed_at, now).await.unwrap();
        let installation = story.repository().await.repository.github.unwrap().installation;
        let next = store::writes::next(&store, installation, now).await.unwrap().map(|next| next.what);
        assert_eq!(next, Some(WriteTarget::Storm(storm)), "it is not in the text yet");
        for _ in 0..20 {
            story.later(MINUTE).await;
        }
        story.transcript();
    });
}

#[test]
fn a_line_joins_no_storm_that_ended_at_that_moment() {
    run_test(async |story| {
        story.commit(ADA, "2026-01-06T10:00:00Z", &[("shop/a.py", &functions("a", 1))], "Add a");
        story.install().await;
        story.send_functions("shop/a.py", "a", 0..1).await;
        story.settle().await;
        assert!(story.transcript().contains("#1 opened"), "it is told of by itself");
        let (line, now) = (story.lines().await.remove(0), story.clock.now());
        let repository = line.repository;
        let storm = store::storms::insert(&story.services().store, repository, now, now).await.unwrap();
        store::storms::end(&story.services().store, storm, repository, now).await.unwrap();
        let decided = LineUpdate { total: line.total + 1, ..LineUpdate::default() };
        let mode = DeliveryMode::Storm(storm);
        let joins = Decision { line: line.id, repository, decided, send: Vec::new(), mode };
        let recorded = store::decisions::record(&story.services().store, &[joins], now).await;
        assert_eq!(recorded.unwrap(), [false], "it is decided anew");
        let after = story.lines().await.remove(0);
        assert_eq!(after.decided_total, line.decided_total);
        story.settle().await;
        assert!(!story.transcript().contains("shop/a.py"), "only of the storm");
    });
}
