//! What a server leans on breaks while it runs: nobody takes its log, its database's file is gone.

use crate::harness::story::{Process, Story, run_test};
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Within which a report becomes a mail, on a busy machine.
const ALERTED_WITHIN: Duration = Duration::from_secs(40);

/// A report that is sent to the process becomes a mail, and the process says that all is well.
async fn alerts(story: &Story, process: &Process, key: &str, project: i64) {
    assert_eq!(story.send_to(&process.url, key, project, &story.event()).await, 200);
    let begun = Instant::now();
    while story.mails().is_empty() {
        assert!(begun.elapsed() < ALERTED_WITHIN, "the report became no mail");
        sleep(Duration::from_millis(50)).await;
    }
    let ready = story.http.get(format!("{}/readyz", process.url)).send().await.unwrap();
    assert_eq!(ready.text().await.unwrap(), "ok");
}

/// Until more is logged than can wait, and the metrics say so: a request is some fifty lines.
async fn lose_lines(story: &Story, process: &Process) {
    for _ in 0..2_000 {
        let metrics = story.http.get(format!("{}/metrics", process.url)).bearer_auth("admin-token-of-the-tests");
        let metrics = metrics.send().await.unwrap().text().await.unwrap();
        let lost = metrics.lines().find_map(|line| line.strip_prefix("flawless_log_lines_lost_total "));
        if lost.expect("it is told").parse::<u64>().unwrap() > 0 {
            return;
        }
    }
    panic!("no line was lost");
}

/// Ends the process in an orderly way, and does what is left.
async fn end(story: &mut Story, mut process: Process) {
    process.signal("TERM");
    let status = process.ended(Duration::from_secs(30)).await.expect("it ends");
    assert_eq!(status.code(), Some(0));
    story.unset("LOG_LEVEL");
    story.start().await;
    story.settle().await;
    story.end_leases().await;
    story.later(jiff::SignedDuration::from_secs(200)).await;
    // The mail was read above.
    assert_eq!(
        story.transcript(),
        "acme/shop#1 opened: KeyError in total (shop/cart.py) [flawless]\nacme/shop#1 assigned to ada\n"
    );
}

#[test]
fn a_log_whose_reader_is_gone_ends_no_work() {
    run_test(async |story| {
        story.install().await;
        let (key, project) = story.key().await;
        story.stop().await;
        // All that is done is logged.
        story.set("LOG_LEVEL", "debug");
        let (mut reader, writer) = std::io::pipe().unwrap();
        let process = story.start_process_logging_to(writer).await;
        assert!(reader.read(&mut [0; 64]).unwrap() > 0, "it logs");
        drop(reader);
        alerts(story, &process, &key, project).await;
        end(story, process).await;
    });
}

#[test]
fn a_log_that_takes_nothing_ends_no_work() {
    run_test(async |story| {
        story.install().await;
        let (key, project) = story.key().await;
        story.stop().await;
        story.set("LOG_LEVEL", "debug");
        let full = File::options().write(true).open("/dev/full").unwrap();
        let process = story.start_process_logging_to(full).await;
        alerts(story, &process, &key, project).await;
        end(story, process).await;
    });
}

#[test]
fn workers_that_do_not_run_are_told() {
    run_test(async |story| {
        let ask = async |story: &Story, path: &str| {
            let asked = story.http.get(format!("{}{path}", story.url())).bearer_auth("admin-token-of-the-tests");
            asked.send().await.unwrap().text().await.unwrap()
        };
        let tasks = story.worker().start();
        assert_eq!(ask(story, "/readyz").await, "ok");
        for task in tasks {
            task.abort();
            let _ = task.await;
        }
        story.clock.advance(jiff::SignedDuration::from_secs(6));
        let told = "background work: 4 of this server's 4 workers do not run";
        assert_eq!(ask(story, "/readyz").await, format!("ok\nwarning: {told}"));
        let health = ask(story, "/check_health").await;
        assert!(health.contains(r#""Background work":{"ok":false"#), "{health}");
        // One of them may have been at work.
        story.end_leases().await;
    });
}

#[test]
fn a_log_that_nobody_reads_holds_up_neither_work_nor_the_end() {
    run_test(async |story| {
        story.install().await;
        let (key, project) = story.key().await;
        story.stop().await;
        story.set("LOG_LEVEL", "trace");
        let (reader, mut writer) = std::io::pipe().unwrap();
        // Nearly as much as a pipe takes.
        writer.write_all(&[b'.'; 60_000]).unwrap();
        let process = story.start_process_logging_to(writer).await;
        alerts(story, &process, &key, project).await;
        lose_lines(story, &process).await;
        end(story, process).await;
        drop(reader);
    });
}

#[test]
fn reports_are_refused_once_the_database_s_file_is_gone() {
    run_test(async |story| {
        if story.is_on_postgres() {
            return;
        }
        story.expect_errors();
        story.install().await;
        let (key, project) = story.key().await;
        let event = story.event();
        let url = story.url().to_owned();
        assert_eq!(story.send_to(&url, &key, project, &event).await, 200);
        let file = story.config().database_url.trim_start_matches("sqlite://").to_owned();
        let elsewhere = format!("{file}.elsewhere");
        std::fs::rename(&file, &elsewhere).unwrap();
        sleep(Duration::from_millis(1_100)).await;
        assert_eq!(story.send_to(&url, &key, project, &event).await, 503);
        story.clock.advance(jiff::SignedDuration::from_secs(6));
        let ready = story.http.get(format!("{url}/readyz")).send().await.unwrap();
        assert_eq!(ready.status().as_u16(), 503);
        assert_eq!(ready.text().await.unwrap(), "not ready: The file of the database is gone.");
        std::fs::rename(&elsewhere, &file).unwrap();
        sleep(Duration::from_millis(1_100)).await;
        assert_eq!(story.send_to(&url, &key, project, &event).await, 200);
        let doctor = story.page("/doctor").await;
        assert!(!doctor.contains("deleted or moved away"), "it is back");
        story.settle().await;
        assert_eq!(story.lines().await[0].total, 2, "what was acknowledged is counted, and nothing else");
        story.assert_usual_alert();
    });
}
