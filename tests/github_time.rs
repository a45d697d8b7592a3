//! A clock that is not GitHub's: GitHub refuses what is dated by it, says with that what time it
//! is, and is asked by its own time from then on.

use crate::harness::browser::{between, seen};
use crate::harness::encrypted_mail::{EncryptedServer, Encryption};
use crate::harness::fake_github::Fault;
use crate::harness::scenes::MINUTE;
use crate::harness::story::{REPO, Story, run_test};
use domain::timestamp::{DAY, HOUR};
use jiff::SignedDuration;

const SECOND: SignedDuration = SignedDuration::from_secs(1);
const YEAR: SignedDuration = SignedDuration::from_hours(365 * 24);
/// Between a look at GitHub's clock and the sentence about it.
const MEANWHILE: SignedDuration = SignedDuration::from_secs(5);

/// Requests of the App's own, by JWT, that GitHub refused. (An installation's token ends by the
/// story's clock, whose hours take the server no time.)
fn refused(story: &Story) -> usize {
    let requests = story.github.requests();
    requests.iter().filter(|request| request.status == 401 && !request.token.starts_with("ghs_")).count()
}

/// What the doctor's page says, without its tags.
async fn doctor(story: &Story) -> String {
    seen(story.page("/doctor").await.split_once("<main").unwrap().1)
}

/// Fails unless a text says that our clock is so far ahead of GitHub's, or behind.
fn assert_told(text: &str, ahead: SignedDuration) {
    let by_s: i64 = between(text, "this machine's clock differs from GitHub's by ", " s: it is").parse().unwrap();
    assert!((SignedDuration::from_secs(by_s) - ahead.abs()).abs() < MEANWHILE, "{text}");
    let direction = between(text, " s: it is ", " it").split_once(' ').unwrap().1;
    assert!(direction.ends_with(if ahead.is_positive() { "ahead of" } else { "behind" }), "{text}");
}

/// From nothing to an alert by a clock that is so far ahead of GitHub's; GitHub refuses so many
/// requests, and no more after a while.
fn by_a_clock_ahead(ahead: SignedDuration, refusals: usize) {
    run_test(async |story| {
        story.github.set_ahead(-ahead);
        story.install().await;
        story.fails(1).await;
        story.assert_usual_alert();
        assert_eq!(refused(story), refusals);
        assert_eq!(story.logged().contains("GitHub refused a JWT of our clock's time"), refusals > 0);

        assert_told(&story.page("/readyz").await, ahead);
        let said = doctor(story).await;
        assert_told(&said, ahead);
        assert!(said.contains("flawless-test answers: its number and key are right"), "{said}");
        assert!(said.contains("Set it by NTP"), "{said}");
        assert!(!said.contains("do not work") && !said.contains("does not work"), "{said}");
        // In the terminal, by the clock of another process.
        let said = story.asking_command(&["check"]).await;
        assert!(said.contains("ok    GitHub App: flawless-test answers"), "{said}");
        assert!(said.contains("warn  clock: this machine's clock differs from GitHub's by "), "{said}");

        let before = refused(story);
        story.tick_after(2 * HOUR).await;
        assert_eq!(refused(story), before, "it is known by now");
    });
}

#[test]
fn a_clock_that_is_90_seconds_fast() {
    by_a_clock_ahead(90 * SECOND, 1);
}

#[test]
fn a_clock_that_is_an_hour_fast() {
    by_a_clock_ahead(HOUR, 1);
}

#[test]
fn a_clock_that_is_a_year_fast() {
    by_a_clock_ahead(YEAR, 1);
}

#[test]
fn a_clock_that_is_90_seconds_slow() {
    // A JWT is good for longer than that.
    by_a_clock_ahead(-90 * SECOND, 0);
}

#[test]
fn a_clock_that_is_an_hour_slow() {
    by_a_clock_ahead(-HOUR, 1);
}

#[test]
fn a_clock_that_is_a_year_slow() {
    by_a_clock_ahead(-YEAR, 1);
}

#[test]
fn a_clock_that_is_so_far_off_that_github_has_no_valid_certificate() {
    for years in [1975..2000, 3000..4096] {
        run_test(async |story| {
            story.install().await;
            let port = url::Url::parse(story.github.url()).unwrap().port().unwrap();
            let encrypted =
                EncryptedServer::start_with_years(Encryption::Always, port, story.folder(), years.clone()).await;
            story.set("GITHUB_API_URL", &format!("https://localhost:{}", encrypted.port()));
            story.set("SSL_CERT_FILE", encrypted.certificate());
            let said = story.asking_command(&["check"]).await;
            assert!(said.contains("FAIL  GitHub App: GitHub does not answer properly"), "{said}");
            assert!(said.contains("→ Is this machine's date right? "), "{said}");
        });
    }
}

#[test]
fn a_clock_that_is_set_while_the_server_runs_is_followed() {
    run_test(async |story| {
        story.install().await;
        for ahead in [-HOUR, HOUR, SignedDuration::ZERO] {
            let before = refused(story);
            story.github.set_ahead(ahead);
            story.tick_after(2 * HOUR).await;
            assert!(doctor(story).await.contains("flawless-test answers"), "{ahead:?}");
            assert_eq!(refused(story) - before, 1, "{ahead:?}");
        }
        assert!(story.logged().contains("JWTs for GitHub are dated by our clock again"));
        assert!(doctor(story).await.contains("this machine's clock differs from GitHub's by 0 s"));
    });
}

#[test]
fn a_clock_that_is_put_right_has_no_issue_filed_twice() {
    run_test(async |story| {
        story.expect_errors();
        story.github.set_ahead(-HOUR);
        story.install().await;
        story.github.fail_next("issues/create", Fault::DropAfterWork);
        story.fails(1).await;
        assert_eq!(story.github.issues(REPO).len(), 1, "and nobody heard of it");
        story.set_clock_back(HOUR);
        for _ in 0..20 {
            story.later(MINUTE).await;
        }
        assert_eq!(story.github.issues(REPO).len(), 1);
        assert_eq!(story.lines().await[0].issue, Some(1));
        story.transcript();
    });
}

#[test]
fn a_date_that_is_a_proxys_is_not_believed_where_github_takes_our_clock() {
    for ahead in [-YEAR, -HOUR, HOUR, YEAR] {
        run_test(async |story| {
            story.github.set_date(Some(story.clock.now() + ahead));
            story.install().await;
            story.fails(1).await;
            story.assert_usual_alert();
            assert_eq!(refused(story), 0);
            let minted = story.github.requests_of("apps/create-installation-access-token").len();
            assert_eq!(minted, 1, "a new token lives for an hour, whatever the date says");
            story.tick_after(HOUR).await;
            assert_eq!(refused(story), 0);
        });
    }
}

#[test]
fn a_refusal_with_a_date_that_is_no_better_changes_nothing() {
    run_test(async |story| {
        story.install().await;
        let asked = |story: &Story| story.github.requests_of("apps/get-authenticated").len();
        let before = asked(story);
        // GitHub refuses us for another reason, and a proxy says what time it is.
        story.github.set_date(Some(story.clock.now() - DAY));
        story.github.fail_next("apps/get-authenticated", Fault::status(401, "Bad credentials"));
        let said = doctor(story).await;
        assert!(said.contains("GitHub refuses the credentials"), "{said}");
        assert!(said.contains("Check APP_ID and the private key"), "{said}");
        assert_eq!(asked(story) - before, 2, "once by our clock, once by that date");
        assert!(doctor(story).await.contains("flawless-test answers"));
        assert_eq!(asked(story) - before, 3, "by our clock");
        // Its own date is ours: there is nothing else to be tried.
        story.github.set_date(None);
        story.github.fail_next("apps/get-authenticated", Fault::status(401, "Bad credentials"));
        assert!(doctor(story).await.contains("GitHub refuses the credentials"));
        assert_eq!(asked(story) - before, 4);
    });
}

#[test]
fn a_clock_and_a_date_that_are_both_wrong_stop_no_longer_than_they_are() {
    run_test(async |story| {
        story.expect_errors();
        story.github.set_ahead(-HOUR);
        story.github.set_date(Some(story.clock.now() - YEAR));
        story.install().await;
        let said = doctor(story).await;
        assert!(said.contains("GitHub refuses the credentials"), "{said}");
        story.github.set_date(None);
        story.tick_after(HOUR).await;
        assert!(doctor(story).await.contains("flawless-test answers"));
        story.fails(1).await;
        story.assert_usual_alert();
    });
}

#[test]
fn an_issue_whose_answer_is_lost_is_found_by_a_clock_that_is_fast() {
    run_test(async |story| {
        story.github.set_ahead(-HOUR);
        story.install().await;
        story.github.fail_next("issues/create", Fault::AfterWork(502));
        story.fails(1).await;
        for _ in 0..5 {
            story.later(MINUTE).await;
        }
        assert_eq!(story.github.issues(REPO).len(), 1, "filed once");
        assert_eq!(story.lines().await[0].issue, Some(1));
        story.assert_usual_alert();
    });
}

#[test]
fn what_no_webhook_told_is_noticed_by_a_clock_that_is_fast() {
    run_test(async |story| {
        story.github.set_ahead(-HOUR);
        story.alerted().await;
        story.tick().await;
        story.github.add_label(REPO, 1, "known-error", "owner");
        story.github.close_issue(REPO, 1, "owner");
        assert_eq!(story.github.lose_deliveries().len(), 2);
        story.tick_after(HOUR).await;
        assert!(story.lines().await[0].known);
        let asked_again = story.github.requests_of("apps/redeliver-webhook-delivery").len();
        assert_eq!(asked_again, 2, "each of them");
        story.transcript();
    });
}
