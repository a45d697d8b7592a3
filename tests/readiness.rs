//! What stops a server is seen by who directs traffic and by who looks after it: `/readyz`, the
//! doctor, health and the metrics.

use crate::harness::browser::seen;
use crate::harness::scenes::MINUTE;
use crate::harness::story::{REPO, Story, run_test};
use domain::timestamp::HOUR;
use jiff::SignedDuration;
use sqlx::{AnyConnection, Connection as _};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;
use store::jobs::{Among, LEASE};
use tokio::time::Instant;

const SECOND: SignedDuration = SignedDuration::from_secs(1);
/// After which an answer is not given again.
const LATER: SignedDuration = SignedDuration::from_secs(5);
/// Within which there is an answer: a write is tried for two and a half seconds.
const SOON: Duration = Duration::from_secs(4);
/// Within which a write that failed counts no more: five seconds, and what a busy machine adds.
const CALM: Duration = Duration::from_secs(10);

/// What `/readyz` says to a stranger.
async fn ready(story: &Story) -> (u16, String) {
    let answer = story.http.get(format!("{}/readyz", story.url())).send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

/// The same where a new look is due.
async fn ready_later(story: &Story) -> (u16, String) {
    story.clock.advance(LATER);
    ready(story).await
}

/// What the doctor's page says, without its tags.
async fn doctor(story: &Story) -> String {
    seen(story.page("/doctor").await.split_once("<main").unwrap().1)
}

async fn metric(story: &Story, series: &str) -> String {
    let text = story.page("/metrics").await;
    let value = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    value.unwrap_or_else(|| panic!("{series}: {text}")).to_owned()
}

/// The server's health as the admin has it, by JSON.
async fn health(story: &Story) -> String {
    let asked = story.http.get(format!("{}/check_health", story.url())).bearer_auth("admin-token-of-the-tests");
    asked.send().await.unwrap().text().await.unwrap()
}

/// Another process that holds what is to be written.
async fn hold(story: &Story) -> AnyConnection {
    let mut holder = AnyConnection::connect(&story.config().database_url).await.unwrap();
    let sql = if story.is_on_postgres() { "BEGIN; LOCK TABLE meta IN SHARE MODE" } else { "BEGIN IMMEDIATE" };
    sqlx::raw_sql(sql).execute(&mut holder).await.unwrap();
    holder
}

#[test]
fn a_database_that_answers_and_is_not_written_in_time_takes_the_server_out_of_rotation() {
    run_test(async |story| {
        story.expect_errors();
        assert_eq!(ready(story).await, (200, "ok".to_owned()));
        let holder = hold(story).await;
        assert_eq!(ready(story).await, (200, "ok".to_owned()), "strangers may ask: no write each time");
        story.clock.advance(LATER);
        let begun = Instant::now();
        let asked = (0..20).map(|_| Box::pin(ready(story)));
        for (status, text) in crate::database_outages::futures(asked).await {
            assert_eq!(status, 503, "{text}");
            assert!(text.starts_with("not ready: ") && text.contains("database"), "{text}");
        }
        assert!(begun.elapsed() < SOON, "one looks for all: {:?}", begun.elapsed());
        let stranger = story.http.get(format!("{}/check_health", story.url())).send().await.unwrap();
        assert_eq!(stranger.status(), 503, "up is who can take reports");
        assert_eq!(metric(story, "flawless_ready").await, "0");
        drop(holder);
        story.clock.advance(SECOND);
        assert_eq!(ready(story).await, (200, "ok".to_owned()), "traffic is welcome soon");
        assert_eq!(metric(story, "flawless_ready").await, "1");
    });
}

#[test]
fn a_postgres_that_became_a_standby_takes_the_server_out_of_rotation() {
    run_test(async |story| {
        if !story.is_on_postgres() {
            return;
        }
        story.expect_errors();
        assert_eq!(ready(story).await.0, 200);
        let mut operator = AnyConnection::connect(&story.config().database_url).await.unwrap();
        let name: String =
            sqlx::query_scalar("SELECT CAST(current_database() AS TEXT)").fetch_one(&mut operator).await.unwrap();
        let cut = "SELECT COUNT(pg_terminate_backend(pid)) FROM pg_stat_activity
             WHERE datname = current_database() AND pid <> pg_backend_pid()";
        let switched = async |operator: &mut AnyConnection, how: &str| {
            let sql = format!("ALTER DATABASE \"{name}\" {how}");
            sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut *operator).await.unwrap();
            sqlx::raw_sql(cut).execute(operator).await.unwrap();
        };
        switched(&mut operator, "SET default_transaction_read_only = on").await;
        let expected = (503, "not ready: The database can't be written.".to_owned());
        assert_eq!(ready_later(story).await, expected);
        assert!(doctor(story).await.contains("it can't be written: look at the permissions"));
        switched(&mut operator, "RESET default_transaction_read_only").await;
        let begun = Instant::now();
        while ready_later(story).await.0 != 200 {
            assert!(begun.elapsed() < CALM, "traffic is welcome again");
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    });
}

#[test]
fn a_job_that_nobody_does_is_named_with_how_long_it_waits() {
    run_test(async |story| {
        story.install().await;
        let (key, project) = story.key().await;
        assert_eq!(story.send_to(story.url(), &key, project, &story.event()).await, 200);
        story.clock.advance(9 * MINUTE);
        assert!(!ready(story).await.1.contains("background work"), "it may be the next one's turn");
        story.clock.advance(2 * MINUTE);
        let said = "the job that is due for longest, looking a report up in its repository, waits for 11 min";
        let (status, text) = ready(story).await;
        assert_eq!(status, 200, "another server would be of no more use");
        assert!(text.starts_with("ok\n") && text.contains(&format!("warning: background work: {said}")), "{text}");
        assert!(doctor(story).await.contains(said));
        assert!(health(story).await.contains("due for longest"));
        assert_eq!(metric(story, "flawless_oldest_due_job_seconds").await, "660");
        story.settle().await;
        assert!(!ready_later(story).await.1.contains("background work"));
        story.assert_usual_alert();
    });
}

#[test]
fn a_server_that_is_not_heard_of_is_told_by_the_jobs_that_it_holds() {
    run_test(async |story| {
        story.install().await;
        let (key, project) = story.key().await;
        assert_eq!(story.send_to(story.url(), &key, project, &story.event()).await, 200);
        let (store, now) = (story.services().store.clone(), story.clock.now());
        store::jobs::claim(&store, Among::Ordinary, LEASE, now).await.unwrap().expect("a job");
        assert!(!ready(story).await.1.contains("background work"), "it was heard of a moment ago");
        story.end_leases().await;
        let said = "a job, looking a report up in its repository, is held by a server that has not been heard of for";
        let (status, text) = ready_later(story).await;
        assert!(status == 200 && text.contains(said), "{text}");
        assert!(doctor(story).await.contains("frozen, dead, or cut off from the database"));
        assert_eq!(metric(story, "flawless_jobs_unheard").await, "1");
        story.settle().await;
        assert!(!ready_later(story).await.1.contains("background work"));
        story.assert_usual_alert();
    });
}

/// Other bytes in the place of the mirror's pack, as of the same moment: what a disk makes of it.
fn rot(mirror: &Path, change: impl Fn(Vec<u8>) -> Vec<u8>) {
    let all = fs::read_dir(mirror.join("objects/pack")).unwrap().map(|entry| entry.unwrap().path());
    let pack = all.into_iter().find(|path| path.extension().is_some_and(|it| it == "pack")).unwrap();
    let (was, bytes) = (fs::metadata(&pack).unwrap().modified().unwrap(), fs::read(&pack).unwrap());
    fs::remove_file(&pack).unwrap();
    fs::write(&pack, change(bytes)).unwrap();
    fs::File::options().write(true).open(pack).unwrap().set_modified(was).unwrap();
}

#[test]
fn a_damaged_mirror_is_named_with_what_happens_next_and_keeps_no_traffic_away() {
    run_test(async |story| {
        story.install().await;
        // Handles on the mirror are open from then on, and remember what they read.
        story.fails(1).await;
        story.assert_usual_alert();
        assert!(!ready(story).await.1.contains("mirrors"));
        let mirror: PathBuf =
            story.folder().join(format!("data/mirrors/{}.git", story.repository().await.repository.id));
        let cut = |bytes: Vec<u8>| bytes[..bytes.len() / 2].to_vec();
        let noise = |bytes: Vec<u8>| bytes.iter().map(|byte| byte ^ 0x5a).collect();
        for damage in [&cut as &dyn Fn(Vec<u8>) -> Vec<u8>, &noise] {
            rot(&mirror, damage);
            let (status, text) = ready_later(story).await;
            assert_eq!(status, 200);
            assert!(text.contains("warning: mirrors: 1 is damaged") && !text.contains(REPO), "{text}");
            let said = doctor(story).await;
            assert!(said.contains("acme/shop: its mirror is damaged: "), "{said}");
            assert!(said.contains("clones it anew at the next report or fetch, within 15 minutes"), "{said}");
            assert!(health(story).await.contains("acme/shop: its mirror is damaged"));
            assert_eq!(metric(story, "flawless_mirrors_damaged").await, "1");
            story.tick_after(15 * MINUTE).await;
            assert!(!ready_later(story).await.1.contains("mirrors"));
            assert!(!doctor(story).await.contains("damaged"));
        }
    });
}

#[test]
fn a_data_directory_that_cant_be_written_is_told() {
    run_test(async |story| {
        story.install().await;
        let mirrors = story.folder().join("data/mirrors");
        fs::remove_dir_all(&mirrors).unwrap();
        let (status, text) = ready(story).await;
        assert!(status == 200 && text.contains("warning: mirrors: DATA_DIR can't be written"), "{text}");
        assert!(doctor(story).await.contains("mirrors: nothing can be written where they are"));
        fs::create_dir(&mirrors).unwrap();
        assert!(!ready_later(story).await.1.contains("DATA_DIR"));
    });
}

#[test]
fn a_clock_that_was_set_back_is_told_until_it_is_as_late_again() {
    run_test(async |story| {
        story.install().await;
        // Long enough for the moment to be written down.
        story.tick_after(40 * SECOND).await;
        assert!(!ready(story).await.1.contains("clock: "));
        story.set_clock_back(HOUR);
        let said = "the clock is 60 min behind the latest moment that the database knows of";
        let (status, text) = ready(story).await;
        assert!(status == 200 && text.contains(&format!("warning: clock: {said}")), "{text}");
        assert!(doctor(story).await.contains(said));
        // A worker notices, and puts right what waits.
        story.settle().await;
        let (_, text) = ready_later(story).await;
        assert!(text.contains("warning: clock: the clock was set back at "), "{text}");
        assert!(doctor(story).await.contains("what was put off goes on as if it had not been"));
        assert!(health(story).await.contains("The clock was set back at"));
        assert_eq!(text.contains("min behind the database's"), story.is_on_postgres(), "{text}");
        story.clock.advance(HOUR);
        assert!(!ready_later(story).await.1.contains("set back"));
    });
}

#[test]
fn a_clock_that_is_not_githubs_is_told_by_answers_that_came_anyway() {
    run_test(async |story| {
        story.install().await;
        story.tick().await;
        assert!(!ready(story).await.1.contains("GitHub"));
        // Since GitHub's latest answer, five seconds have passed at most.
        story.clock.advance(5 * MINUTE);
        let asked = story.github.requests().len();
        let (status, text) = ready(story).await;
        assert!(
            status == 200 && text.contains("warning: clock: this machine's clock differs from GitHub's by "),
            "{text}"
        );
        assert_eq!(story.github.requests().len(), asked, "no request for this alone");
        // The doctor asks anew.
        assert!(doctor(story).await.contains("this machine's clock differs from GitHub's by 0 s"));
        assert!(!ready_later(story).await.1.contains("GitHub"));
    });
}
