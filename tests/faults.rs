//! What goes wrong outside: nothing is lost, nothing is told twice.

use crate::harness::fake_github::Fault;
use crate::harness::scenes::MINUTE;
use crate::harness::smtp::Mode;
use crate::harness::story::{REPO, Story, run_test};
use domain::delivery::DeliveryState;
use domain::job::Job;
use domain::timestamp::{HOUR, Timestamp};
use jiff::SignedDuration;
use serde_json::{Value, json};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

#[test]
fn github_answers_502_after_filing_the_issue() {
    run_test(async |story| {
        story.install().await;
        story.github.fail_next("issues/create", Fault::AfterWork(502));
        story.fails(1).await;
        story.later(SignedDuration::from_secs(10)).await;
        assert_eq!(story.github.issues(REPO).len(), 1);
        story.assert_usual_alert();
        assert_eq!(story.lines().await[0].issue, Some(1));
    });
}

#[test]
fn an_answer_that_is_lost_after_commenting_is_not_repeated() {
    run_test(async |story| {
        story.alerted().await;
        story.github.fail_next("issues/create-comment", Fault::DropAfterWork);
        story.github.close_issue(REPO, 1, "ada");
        story.settle().await;
        story.later(SignedDuration::from_secs(10)).await;
        assert_eq!(story.github.comments(REPO, 1).len(), 1);
        insta::assert_snapshot!(story.transcript(), @"
        acme/shop#1 commented:
            Thanks, ada: resolved as of <Add up carts>. I will open this again only if the error comes from
            a version that contains that commit and was deployed after this: what runs now may lack the fix.
        acme/shop#1 status:
            + **1 occurrence** on MOMENT. Resolved on MOMENT as of <Add up carts>.
        ");
    });
}

#[test]
fn a_rate_limit_is_waited_for() {
    run_test(async |story| {
        story.install().await;
        story.github.fail_next("issues/create", Fault::slow_down(90));
        story.fails(1).await;
        story.later(MINUTE).await;
        // The mail waits for nobody.
        insta::assert_snapshot!(story.transcript(), @"
        mail to ada@example.com: [acme/shop] KeyError in total (shop/cart.py:9)
            You wrote this line.
        ");
        story.later(SignedDuration::from_secs(40)).await;
        insta::assert_snapshot!(story.transcript(), @"
        acme/shop#1 opened: KeyError in total (shop/cart.py) [flawless]
        acme/shop#1 assigned to ada
        ");
    });
}

#[test]
fn the_mail_server_is_away_for_an_hour() {
    run_test(async |story| {
        story.expect_errors();
        story.install().await;
        story.smtp.set(Mode::Later);
        story.fails(1).await;
        // The issue does not wait for the mail.
        insta::assert_snapshot!(story.transcript(), @"
        acme/shop#1 opened: KeyError in total (shop/cart.py) [flawless]
        acme/shop#1 assigned to ada
        ");
        for _ in 0..6 {
            story.later(10 * MINUTE).await;
        }
        story.assert_silent("nothing is said");
        story.smtp.set(Mode::Accept);
        story.later(15 * MINUTE).await;
        insta::assert_snapshot!(story.transcript(), @"
        mail to ada@example.com: [acme/shop] KeyError in total (shop/cart.py:9)
            You wrote this line.
        ");
    });
}

#[test]
fn a_mail_whose_acceptance_was_lost_comes_again_under_the_same_id() {
    run_test(async |story| {
        story.install().await;
        story.smtp.set(Mode::DropAfterAccepting);
        story.fails(1).await;
        story.smtp.set(Mode::Accept);
        story.later(SignedDuration::from_mins(16)).await;
        story.assert_copies_of_one_mail();
        insta::assert_snapshot!(story.transcript(), @"
        acme/shop#1 opened: KeyError in total (shop/cart.py) [flawless]
        acme/shop#1 assigned to ada
        ");
    });
}

#[test]
fn an_address_that_is_refused_is_given_up_and_said_so() {
    run_test(async |story| {
        story.install().await;
        story.smtp.set(Mode::NoSuchUser);
        story.fails(1).await;
        insta::assert_snapshot!(story.transcript(), @"
        acme/shop#1 opened: KeyError in total (shop/cart.py) [flawless]
        acme/shop#1 assigned to ada
        ");
        let line = story.lines().await.remove(0);
        let deliveries = store::deliveries::of_line(&story.services().store, line.id).await.unwrap();
        let mail = deliveries.iter().find(|delivery| delivery.recipient == "ada@example.com").unwrap();
        assert_eq!(mail.state, DeliveryState::GivenUp);
        assert!(mail.error.as_deref().unwrap().contains("550"), "{mail:?}");
    });
}

#[test]
fn a_token_that_was_revoked_is_replaced() {
    run_test(async |story| {
        story.install().await;
        story.github.revoke_tokens();
        story.fails(1).await;
        story.assert_usual_alert();
    });
}

#[test]
fn an_author_who_cannot_be_assigned_is_named_instead() {
    run_test(async |story| {
        story.github.set_assignable(REPO, &["owner"]);
        story.install().await;
        story.fails(1).await;
        insta::assert_snapshot!(story.transcript(), @"
        mail to ada@example.com: [acme/shop] KeyError in total (shop/cart.py:9)
            You brought this line, and nobody else could be found who can be told.
        acme/shop#1 opened: KeyError in total (shop/cart.py) [flawless]
        ");
        let issue = story.github.issue(REPO, 1);
        assert!(issue.body.contains("could not be assigned to Ada Lovelace"), "{}", issue.body);
    });
}

#[test]
fn a_forged_webhook_is_refused() {
    run_test(async |story| {
        story.install().await;
        let answer = story
            .http
            .post(format!("{}/api/github/webhooks", story.url()))
            .header("X-GitHub-Event", "push")
            .header("X-GitHub-Delivery", "1")
            .header("X-Hub-Signature-256", format!("sha256={}", "0".repeat(64)))
            .body("{}")
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status().as_u16(), 401);
    });
}

#[test]
fn a_process_killed_between_accepting_and_alerting_alerts_after_its_restart() {
    run_test(async |story| {
        story.install().await;
        let (key, project) = story.key().await;
        let event = story.event();
        story.stop().await;
        let mut process = story.start_process().await;
        // Nothing gets out before the end: mail and GitHub both say "later".
        story.smtp.set(Mode::Later);
        story.github.fail_next("issues/create", Fault::status(503, "later"));
        assert_eq!(story.send_to(&process.url, &key, project, &event).await, 200);
        process.kill();
        assert!(story.github.issues(REPO).is_empty());
        story.smtp.set(Mode::Accept);
        story.github.take_faults();
        story.start().await;
        story.settle().await;
        // On PostgreSQL the killed process holds its job until the lease ends.
        story.end_leases().await;
        story.later(SignedDuration::from_secs(200)).await;
        assert_eq!(story.github.issues(REPO).len(), 1);
        assert_eq!(story.lines().await[0].total, 1);
        story.assert_copies_of_one_mail();
        insta::assert_snapshot!(story.transcript(), @"
        acme/shop#1 opened: KeyError in total (shop/cart.py) [flawless]
        acme/shop#1 assigned to ada
        ");
    });
}

#[test]
fn a_process_killed_between_filing_an_issue_and_noting_it_files_no_second() {
    run_test(async |story| {
        story.install().await;
        let (key, project) = story.key().await;
        let event = story.event();
        story.stop().await;
        let mut process = story.start_process().await;
        // The answer to the filing never comes: the process is killed while it waits for it.
        story.github.fail_next("issues/create", Fault::HangAfterWork(Duration::from_secs(20)));
        assert_eq!(story.send_to(&process.url, &key, project, &event).await, 200);
        for _ in 0..400 {
            if !story.github.issues(REPO).is_empty() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        process.kill();
        assert_eq!(story.github.issues(REPO).len(), 1);
        story.start().await;
        story.settle().await;
        story.end_leases().await;
        story.later(SignedDuration::from_secs(200)).await;
        assert_eq!(story.github.issues(REPO).len(), 1);
        assert_eq!(story.lines().await[0].issue, Some(1));
        story.assert_copies_of_one_mail();
        insta::assert_snapshot!(story.transcript(), @"
        acme/shop#1 opened: KeyError in total (shop/cart.py) [flawless]
        acme/shop#1 assigned to ada
        ");
    });
}

#[test]
fn a_report_that_waited_is_told_with_the_code_though_the_mirror_is_damaged() {
    run_test(async |story| {
        story.expect_errors();
        story.install().await;
        let (key, project) = story.key().await;
        assert_eq!(story.send_to(story.url(), &key, project, &story.event()).await, 200);
        story.clock.advance(31 * MINUTE);
        // Of the same size and age, as a disk does it: it is seen only when the file is read.
        let blob = story.repo.git(&["rev-parse", "HEAD:shop/cart.py"]);
        let packs = story.mirror().join("objects/pack");
        let find = |ending: &str| {
            let all = std::fs::read_dir(&packs).unwrap().map(|entry| entry.unwrap().path());
            all.into_iter().find(|path| path.extension().is_some_and(|it| it == ending)).unwrap()
        };
        let listed = story.repo.git(&["verify-pack", "-v", find("idx").to_str().unwrap()]);
        let line = listed.lines().find(|line| line.starts_with(&blob)).unwrap();
        let words: Vec<usize> = line.split_whitespace().skip(2).take(3).map(|word| word.parse().unwrap()).collect();
        let pack = find("pack");
        let (was, mut bytes) = (pack.metadata().unwrap().modified().unwrap(), std::fs::read(&pack).unwrap());
        bytes[words[2] + 4..words[2] + words[1]].fill(0);
        // In its place, as the server has it mapped into its memory.
        let mut permissions = pack.metadata().unwrap().permissions();
        permissions.set_mode(0o600);
        std::fs::set_permissions(&pack, permissions).unwrap();
        let mut file = std::fs::File::options().write(true).open(&pack).unwrap();
        file.write_all(&bytes).unwrap();
        file.set_modified(was).unwrap();
        story.settle().await;
        story.later(MINUTE).await;
        insta::assert_snapshot!(story.transcript(), @"
        mail to ada@example.com: [acme/shop] KeyError in total (shop/cart.py:9)
            You wrote this line.
        acme/shop#1 opened: KeyError in total (shop/cart.py) [flawless]
        acme/shop#1 assigned to ada
        ");
    });
}

/// A line's first report is attributed, and counted only; then this happens to the mirror, and the
/// next report of it is told of.
async fn told_after(story: &mut Story, event: &Value, happens: impl FnOnce(&Path)) {
    let mut event = event.clone();
    event["extra"] = json!({"flawless.error_threshold": 2});
    story.report(&event).await;
    let mirror = story.mirror();
    story.stop().await;
    happens(&mirror);
    story.start().await;
    story.report(&event).await;
}

/// Half of every pack, as a disk that filled up leaves it.
fn cut_packs(mirror: &Path) {
    for file in std::fs::read_dir(mirror.join("objects/pack")).unwrap().map(|entry| entry.unwrap().path()) {
        if file.extension().is_some_and(|it| it == "pack") {
            let bytes = std::fs::read(&file).unwrap();
            std::fs::remove_file(&file).unwrap();
            std::fs::write(&file, &bytes[..bytes.len() / 2]).unwrap();
        }
    }
}

#[test]
fn who_is_told_does_not_depend_on_which_servers_mirror_is_asked() {
    let gone = |mirror: &Path| std::fs::remove_dir_all(mirror).unwrap();
    for happens in [cut_packs, gone] {
        run_test(async |story| {
            story.expect_errors();
            story.install().await;
            told_after(story, &story.event(), happens).await;
            story.assert_usual_alert();
        });
    }
}

#[test]
fn a_line_is_told_of_though_its_mirror_is_gone_and_there_is_no_other() {
    run_test(async |story| {
        story.expect_errors();
        story.install().await;
        story.git.host.accept_only(&[]);
        told_after(story, &story.event(), cut_packs).await;
        story.assert_silent("the repository may answer in a minute");
        story.later(31 * MINUTE).await;
        story.assert_usual_alert();
    });
}

#[test]
fn a_mirror_that_lost_its_objects_is_cloned_anew_for_the_next_report() {
    run_test(async |story| {
        story.expect_errors();
        story.install().await;
        let mirror = story.mirror();
        for pack in std::fs::read_dir(mirror.join("objects/pack")).unwrap() {
            std::fs::remove_file(pack.unwrap().path()).unwrap();
        }
        let doctor = story.page("/doctor").await;
        assert!(doctor.contains("its mirror is damaged: pack-"), "{doctor}");
        story.fails(1).await;
        story.later(MINUTE).await;
        assert_eq!(story.github.issues(REPO).len(), 1);
        assert_eq!(story.lines().await[0].total, 1);
        assert!(story.changes().iter().any(|change| change.contains("assigned to ada")), "its author is known");
        assert_eq!(story.mails().len(), 1);
        let doctor = story.page("/doctor").await;
        assert!(!doctor.contains("damaged"), "{doctor}");
    });
}

#[test]
fn code_that_is_nested_too_deeply_is_blamed_without_being_read() {
    run_test(async |story| {
        story.install().await;
        let text = format!("{}\nexplode()\n", "f(() => {\n".repeat(5_000));
        // Nothing is known of what is in it.
        let settings = format!("\0{}", "# a comment\n".repeat(30_000));
        let files = [("shop/deep.js", text.as_str()), (".github/flawless.yml", &settings)];
        let head = story.commit(crate::harness::git_repo::ADA, "2026-02-01T00:00:00Z", &files, "Nest");
        story.push().await;
        story.report(&story.event_at(&head, "shop/deep.js", "explode()", "boom", "web-1")).await;
        let mails = story.mails();
        assert_eq!(mails.len(), 1);
        let mail = mails[0].text();
        assert!(mail.contains("Too large or too deeply nested to be read"), "{mail}");
        assert!(!story.changes().is_empty());
        // Too large a settings file is no missing one.
        let doctor = story.page("/doctor").await;
        assert!(doctor.contains("flawless.yml is not used: it is larger than 256 KiB"), "{doctor}");
    });
}

#[test]
fn odd_characters_and_endless_names_lose_no_report() {
    run_test(async |story| {
        story.install().await;
        let mut event = story.event();
        event["server_name"] = "web\u{0}1".into();
        // No two parts are alike: PostgreSQL compresses what it indexes.
        let endless: String = (0_u32..2_000).map(|n| format!("{:x}", n.wrapping_mul(2_654_435_761))).collect();
        event["environment"] = endless.as_str().into();
        event["release"] = format!("\u{0}{endless}").into();
        event["exception"]["values"][0]["value"] = "zero \u{0} character".into();
        story.report(&event).await;
        story.report(&event).await;
        story.assert_usual_alert();
        assert_eq!(story.lines().await[0].total, 2);
    });
}

#[test]
fn labels_that_cannot_be_made_keep_no_mirror_from_being_fetched() {
    run_test(async |story| {
        story.github.fail_next("issues/create-label", Fault::status(403, "Resource not accessible by integration"));
        story.install().await;
        let row = story.repository().await;
        assert!(row.fetched_at > Timestamp::UNIX_EPOCH, "{:?}", row.fetch_error);
        assert_eq!(story.github.labels(REPO).len(), 0);
        // Nor do they keep an issue from being filed; and they are made when that is possible.
        story.fails(1).await;
        story.assert_usual_alert();
        story.later(15 * MINUTE).await;
        assert_eq!(story.github.labels(REPO).len(), 5);
    });
}

#[test]
fn a_webhook_that_was_lost_is_asked_for_again() {
    run_test(async |story| {
        story.alerted().await;
        // The server is down for a moment: GitHub does not try again by itself.
        story.github.add_label(REPO, 1, "known-error", "owner");
        story.github.close_issue(REPO, 1, "owner");
        assert_eq!(story.github.lose_deliveries().len(), 2);
        story.settle().await;
        assert!(!story.lines().await[0].known);
        for _ in 0..2 {
            story.tick().await;
            story.clock.advance(HOUR);
        }
        assert!(story.lines().await[0].known, "heard of all the same");
        // And confirmed once.
        insta::assert_snapshot!(story.transcript(), @"
        acme/shop#1 commented:
            Done, owner: this line of `total` in `shop/cart.py` is a known error (`amount += PRICES[sku]`).
            It is still counted, but nobody is told of it again. To undo this, take the label off or open
            the issue again.
        acme/shop#1 status:
            + **1 occurrence** on MOMENT. A known error: counted, and nobody is told.
        ");
        assert_eq!(story.github.requests_of("apps/redeliver-webhook-delivery").len(), 2, "each asked for once");
    });
}

#[test]
fn a_webhook_that_is_never_taken_is_given_up() {
    run_test(async |story| {
        story.install().await;
        story.github.queue("issues", serde_json::json!({"action": "closed", "issue": {"number": 1}}));
        story.github.lose_deliveries();
        for _ in 0..8 {
            let now = story.clock.now();
            store::jobs::enqueue(&story.services().store, Job::Reconcile, now, now).await.unwrap();
            while store::jobs::queue_state(&story.services().store).await.unwrap().length > 0 {
                story.settle_without_webhooks().await;
            }
            story.github.lose_deliveries();
            story.clock.advance(HOUR);
        }
        assert_eq!(story.github.requests_of("apps/redeliver-webhook-delivery").len(), 4, "and its first try");
    });
}
