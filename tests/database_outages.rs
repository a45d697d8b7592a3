//! A database in trouble while the server runs: everybody has an answer soon that says it, nothing
//! that was acknowledged is lost, and all goes on by itself once it is over.

use crate::harness::story::{Process, Story, run_test};
use crate::harness::switchboard::Switchboard;
use reqwest::Response;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use tokio::time::Instant;

/// Within which a page says that the database is away: the two seconds that it is waited for, and
/// what a busy machine adds.
const SOON: Duration = Duration::from_millis(3500);
/// Within which a client has its answer, whatever another replica does.
const CLIENTS_WAIT: Duration = Duration::from_secs(5);

async fn get(story: &Story, path: &str) -> (Response, Duration) {
    let begun = Instant::now();
    let request = story.http.get(format!("{}{path}", story.url())).header("Accept", "text/html");
    let answer = request.bearer_auth("admin-token-of-the-tests").send().await.unwrap();
    (answer, begun.elapsed())
}

/// Sends a report; its answer.
async fn report(url: &str, key: &str, project: i64, event: &Value, http: &reqwest::Client) -> Response {
    http.post(format!("{url}/api/{project}/envelope/?sentry_key={key}"))
        .body(format!("{{}}\n{{\"type\":\"event\"}}\n{event}\n"))
        .timeout(Duration::from_secs(20))
        .send()
        .await
        .unwrap()
}

/// A small file system of its own, for as long as this lives.
struct SmallDisk(PathBuf);

impl SmallDisk {
    /// `None`: this user may not mount.
    fn mount(at: PathBuf) -> Option<Self> {
        std::fs::create_dir_all(&at).unwrap();
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=8m", "tmpfs"]).arg(&at).output();
        mounted.is_ok_and(|output| output.status.success()).then_some(Self(at))
    }

    /// Leaves no byte free.
    fn fill(&self) {
        let mut file = std::fs::File::create(self.0.join("filler")).unwrap();
        while std::io::Write::write_all(&mut file, &[0; 4096]).is_ok() {}
        while std::io::Write::write_all(&mut file, &[0; 1]).is_ok() {}
    }

    fn free(&self) {
        std::fs::remove_file(self.0.join("filler")).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: a process that was killed may be about to let go of it.
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

/// A full disk by way of a file system of its own, where this user may mount one. What SQLite's
/// connections do when it is full is a test of the crate `store`, which needs no mount.
#[test]
fn a_full_disk_refuses_reports_until_there_is_space_and_loses_none() {
    run_test(async |story| {
        story.expect_errors();
        story.install().await;
        let disk = SmallDisk::mount(story.folder().join("disk"));
        let Some(disk) = disk.filter(|_| !story.is_on_postgres()) else {
            println!("NOT MOUNTED: a full disk is tested by the crate `store` alone");
            return;
        };
        let (key, project) = story.key().await;
        let event = story.event();
        story.stop().await;
        move_database(story, &disk.0);
        let process = story.start_process().await;
        let acknowledged = fill_and_free(story, &process, &disk, &key, project, &event).await;
        let log = std::fs::read_to_string(story.folder().join("process.log")).unwrap();
        // Whatever meets it first says it, and what to do: a report, or the queue of jobs.
        let said = log.lines().filter(|line| line.contains("free some space")).count();
        assert!((1..=4).contains(&said), "said once for each kind of trouble, not once a request:\n{log}");
        drop(process);
        story.start().await;
        story.settle().await;
        story.later(jiff::SignedDuration::from_secs(200)).await;
        let counted: u64 = story.lines().await.iter().map(|line| line.total).sum();
        assert_eq!(counted, acknowledged, "what was acknowledged is counted, and nothing else");
        story.assert_usual_alert();
        story.stop().await;
        let home = story.folder().to_owned();
        move_database(story, &home);
        drop(disk);
    });
}

/// Moves the database into this folder.
fn move_database(story: &mut Story, folder: &Path) {
    let now = story.config().database_url.trim_start_matches("sqlite://").to_owned();
    let to = folder.join("moved.db");
    if Path::new(&now) != to {
        std::fs::copy(&now, &to).unwrap();
    }
    story.set("DATABASE_URL", &format!("sqlite://{}", to.display()));
}

/// Sends reports while the disk is full and after; how many were acknowledged.
async fn fill_and_free(
    story: &Story,
    process: &Process,
    disk: &SmallDisk,
    key: &str,
    project: i64,
    event: &Value,
) -> u64 {
    let mut acknowledged = 0;
    for _ in 0..3 {
        assert_eq!(story.send_to(&process.url, key, project, event).await, 200);
        acknowledged += 1;
    }
    disk.fill();
    let mut refused = None;
    // What is left of the log's own space takes a few more.
    for n in 0..3000 {
        let answer = report(&process.url, key, project, event, &story.http).await;
        if answer.status() == 200 {
            acknowledged += 1;
        } else {
            refused = Some(answer);
            if n > 40 {
                break;
            }
        }
    }
    let refused = refused.expect("a full disk takes no report");
    assert_eq!(refused.status(), 503);
    assert_eq!(refused.headers()["retry-after"], "5");
    let words = refused.text().await.unwrap();
    assert!(words.contains("disk of the database"), "{words}");
    let ready = async || {
        let answer = story.http.get(format!("{}/readyz", process.url)).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    assert_eq!(ready().await, (503, "not ready: The disk of the database is full.".to_owned()));
    disk.free();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let reports = (0..60).map(|_| report(&process.url, key, project, event, &story.http));
    for answer in futures(reports).await {
        assert_eq!(answer.status(), 200, "each connection is of use again");
        acknowledged += 1;
    }
    let freed = Instant::now();
    while ready().await.0 != 200 {
        assert!(freed.elapsed() < Duration::from_secs(10), "traffic is welcome again");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    acknowledged
}

/// Has the server reach the database by a line that can be cut; the database's own address.
async fn by_switchboard(story: &mut Story) -> (String, Switchboard) {
    let url = story.config().database_url;
    let line = Switchboard::to(&url).await;
    story.set("DATABASE_URL", line.url());
    story.restart().await;
    (url, line)
}

/// Waits for all at once.
pub async fn futures<T>(all: impl Iterator<Item = impl Future<Output = T>>) -> Vec<T> {
    let mut waiting: Vec<_> = all.map(Box::pin).collect();
    let mut done = Vec::new();
    std::future::poll_fn(move |context| {
        waiting.retain_mut(|one| match one.as_mut().poll(context) {
            std::task::Poll::Ready(value) => {
                done.push(value);
                false
            }
            std::task::Poll::Pending => true,
        });
        if waiting.is_empty() { std::task::Poll::Ready(std::mem::take(&mut done)) } else { std::task::Poll::Pending }
    })
    .await
}

#[test]
fn pages_probes_and_clients_hear_soon_that_postgres_is_away() {
    run_test(async |story| {
        if !story.is_on_postgres() {
            return;
        }
        story.expect_errors();
        let (url, line) = by_switchboard(story).await;
        story.install().await;
        let (key, project) = story.key().await;
        let event = story.event();
        for silent in [true, false] {
            line.cut(silent);
            for path in ["/", "/get_weekly_error_report", "/doctor"] {
                let (answer, took) = get(story, path).await;
                if path != "/doctor" {
                    assert_eq!(answer.status(), 503, "{path}");
                    assert_eq!(answer.headers()["retry-after"], "5", "{path}");
                    let text = answer.text().await.unwrap();
                    assert!(text.contains("The database does not answer"), "{path}: {text}");
                }
                assert!(took < SOON, "{path}, silent {silent}: {took:?}");
            }
            let (answer, took) = get(story, "/readyz").await;
            assert!(answer.status() == 503 && took < SOON, "{took:?}");
            let (answer, took) = get(story, "/metrics").await;
            assert!(answer.text().await.unwrap().contains("flawless_database_up 0") && took < SOON, "{took:?}");
            let begun = Instant::now();
            let answer = report(story.url(), &key, project, &event, &story.http).await;
            assert_eq!((answer.status().as_u16(), &answer.headers()["retry-after"]), (503, &"5".parse().unwrap()));
            assert!(answer.text().await.unwrap().contains("The database does not answer"));
            assert!(begun.elapsed() < CLIENTS_WAIT, "{:?}", begun.elapsed());
            line.mend();
            tokio::time::sleep(Duration::from_secs(1)).await;
            assert_eq!(get(story, "/").await.0.status(), 200, "it goes on by itself");
            assert_eq!(report(story.url(), &key, project, &event, &story.http).await.status(), 200);
        }
        let said = story.logged().lines().filter(|line| line.contains("see that it runs")).count();
        assert_eq!(said, 1, "once a minute: {}", story.logged());
        story.settle().await;
        story.assert_usual_alert();
        assert_eq!(story.lines().await[0].total, 2);
        story.set("DATABASE_URL", &url);
        story.restart().await;
    });
}

#[test]
fn a_connection_that_is_lost_within_a_statement_is_not_waited_for_though_postgres_is_back() {
    run_test(async |story| {
        use sqlx::Connection as _;
        if !story.is_on_postgres() {
            return;
        }
        story.expect_errors();
        let (url, line) = by_switchboard(story).await;
        story.install().await;
        let (key, project) = story.key().await;
        let event = story.event();
        story.fails(1).await;
        story.assert_usual_alert();
        // The report's statement waits for the line's row while its connection is lost.
        let mut holder = sqlx::postgres::PgConnection::connect(&url).await.unwrap();
        sqlx::raw_sql("BEGIN; SELECT id FROM lines FOR UPDATE").execute(&mut holder).await.unwrap();
        let begun = Instant::now();
        let sent = tokio::spawn({
            let (url, http) = (story.url().to_owned(), story.http.clone());
            async move { report(&url, &key, project, &event, &http).await.status().as_u16() }
        });
        tokio::time::sleep(Duration::from_millis(300)).await;
        line.cut(true);
        tokio::time::sleep(Duration::from_millis(300)).await;
        line.mend();
        sqlx::raw_sql("ROLLBACK").execute(&mut holder).await.unwrap();
        let status = sent.await.unwrap();
        assert!(begun.elapsed() < CLIENTS_WAIT, "answered with {status} after {:?}", begun.elapsed());
        assert_eq!(status, 200, "it is written by another connection");
        assert_eq!(get(story, "/readyz").await.0.status(), 200);
        story.settle().await;
        assert_eq!(story.lines().await[0].total, 2);
        story.set("DATABASE_URL", &url);
        story.restart().await;
    });
}

#[test]
fn connections_that_were_lost_while_nobody_used_them_keep_nobody_from_a_database_that_is_there() {
    run_test(async |story| {
        if !story.is_on_postgres() {
            return;
        }
        let (url, line) = by_switchboard(story).await;
        story.install().await;
        let (key, project) = story.key().await;
        let event = story.event();
        // So that several connections wait for the next ones.
        for answer in futures((0..8).map(|_| get(story, "/get_weekly_error_report"))).await {
            assert_eq!(answer.0.status(), 200);
        }
        line.cut(true);
        tokio::time::sleep(Duration::from_millis(100)).await;
        line.mend();
        let reports = futures((0..4).map(|_| report(story.url(), &key, project, &event, &story.http)));
        let pages = futures((0..4).map(|_| get(story, "/get_weekly_error_report")));
        let (reports, pages) = tokio::join!(reports, pages);
        let answers: Vec<_> = reports.iter().chain(pages.iter().map(|page| &page.0)).map(Response::status).collect();
        assert!(answers.iter().all(|status| *status == 200), "{answers:?}");
        story.settle().await;
        story.assert_usual_alert();
        assert_eq!(story.lines().await[0].total, 4);
        story.set("DATABASE_URL", &url);
        story.restart().await;
    });
}

#[test]
fn a_replica_that_is_frozen_within_a_transaction_keeps_no_client_waiting() {
    run_test(async |story| {
        use sqlx::Connection as _;
        if !story.is_on_postgres() {
            return;
        }
        story.install().await;
        let (key, project) = story.key().await;
        let event = story.event();
        story.fails(1).await;
        story.assert_usual_alert();
        let replica = story.start_process().await;
        // Somebody holds the line's row, so that the replica waits for it within its transaction.
        let mut holder = sqlx::postgres::PgConnection::connect(&story.config().database_url).await.unwrap();
        sqlx::raw_sql("BEGIN; SELECT id FROM lines FOR UPDATE").execute(&mut holder).await.unwrap();
        let (url, http) = (replica.url.clone(), story.http.clone());
        let theirs = (key.clone(), event.clone());
        let sent = tokio::spawn(async move { report(&url, &theirs.0, project, &theirs.1, &http).await.status() });
        let waits = "SELECT COUNT(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%lines%'
             AND datname = current_database()";
        // Within a transaction, who waits is asked once and remembered.
        let mut looker = sqlx::postgres::PgConnection::connect(&story.config().database_url).await.unwrap();
        let begun = Instant::now();
        while sqlx::query_scalar::<_, i64>(waits).fetch_one(&mut looker).await.unwrap() == 0 {
            assert!(begun.elapsed() < CLIENTS_WAIT, "the replica does not come to the row");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        replica.freeze();
        // Now the row is the frozen replica's.
        sqlx::raw_sql("ROLLBACK").execute(&mut holder).await.unwrap();
        let begun = Instant::now();
        let answer = report(story.url(), &key, project, &event, &story.http).await;
        assert_eq!(answer.status(), 200);
        assert!(begun.elapsed() < CLIENTS_WAIT, "{:?}", begun.elapsed());
        replica.thaw();
        // It tries again what it lost, unless its client waited for too long by then.
        let its_own = sent.await.unwrap();
        assert!(its_own == 200 || its_own == 503, "{its_own}");
        drop(replica);
        // What its workers held is free once their leases end, by the database's clock.
        story.end_leases().await;
        story.later(jiff::SignedDuration::from_secs(200)).await;
        assert_eq!(story.lines().await[0].total, 2 + u64::from(its_own == 200));
    });
}

/// Words that no packing makes much shorter.
fn noise(seed: u64, words: usize) -> String {
    let mut state = seed;
    let mut letter = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        char::from(b'a' + (state >> 33) as u8 % 26)
    };
    (0..words).map(|_| (0..6).map(|_| letter()).collect::<String>()).collect::<Vec<_>>().join(" ")
}

#[test]
fn a_limit_on_the_size_of_files_is_a_full_disk_and_no_end() {
    run_test(async |story| {
        story.expect_errors();
        story.install().await;
        if story.is_on_postgres() {
            return;
        }
        let (key, project) = story.key().await;
        // Blocks of 512 bytes: 2 MB.
        let mut process = story.start_process_after("ulimit -f 4096").await;
        let mut refused = 0;
        for number in 0..300 {
            let extra: serde_json::Map<String, Value> =
                (0..30).map(|part| (format!("x{part}"), noise(number * 30 + part, 140).into())).collect();
            let event = serde_json::json!({"extra": extra, "exception": {"values": [{"type": format!("E{number}")}]}});
            let status = report(&process.url, &key, project, &event, &story.http).await.status();
            refused += usize::from(!status.is_success());
            if refused == 3 {
                break;
            }
        }
        assert_eq!(refused, 3, "the database could grow on");
        assert_eq!(process.ended(Duration::from_millis(100)).await, None, "{}", process.log(story));
        assert_eq!(story.http.get(format!("{}/healthz", process.url)).send().await.unwrap().status(), 200);
        process.kill();
        story.start().await;
        story.settle().await;
        story.transcript();
    });
}
