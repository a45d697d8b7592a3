//! A database that can't be used: what the program says at its start, and one server for each file.

use crate::harness::story::run_test;
use domain::job::Job;
use sqlx::{Connection as _, Row as _};
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use store::{Side, Store};

/// Within which people want to hear what is wrong.
const AT_ONCE: Duration = Duration::from_secs(5);

#[test]
fn a_second_server_on_one_sqlite_file_refuses_to_start_while_commands_work() {
    run_test(async |story| {
        story.install().await;
        if story.is_on_postgres() {
            let _another = story.start_process().await;
            return;
        }
        let (said, took) = story.refused_server(&[]).await;
        assert!(said.contains("another Flawless server already works on"), "{said}");
        assert!(said.contains("DATA_DIR or DATABASE_URL of its own"), "{said}");
        assert!(took < AT_ONCE, "{took:?}");
        assert!(story.command(&["repository", "list"]).contains("acme/shop"), "a command works beside it");
        story.stop().await;
        story.start_process().await.kill();
        // The lock went with the process.
        story.start().await;
    });
}

#[test]
fn what_is_wrong_with_a_database_is_said_at_the_start() {
    run_test(async |story| {
        let folder = story.folder().to_owned();
        let text = "no database, but text that is long enough to be one ".repeat(100);
        std::fs::write(folder.join("text.db"), text).unwrap();
        // It takes connections, and never answers.
        let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = silent.local_addr().unwrap().port();
        let silent_url = format!("postgres://ada:secret@127.0.0.1:{port}/flawless");
        let corrupt = format!("sqlite://{}", folder.join("text.db").display());
        for (name, value, words, todo) in [
            ("DATABASE_URL", corrupt.as_str(), "file is not a database", "put a backup in its place"),
            ("DATABASE_URL", &silent_url, "no answer within 4 s", "see that PostgreSQL runs"),
            ("DATABASE_URL", "postgres://ada:secret@127.0.0.1:1/flawless", "refused", "see that PostgreSQL runs"),
            ("DATABASE_URL", "sqlite:///proc/x/a.db", "/proc/x/a.db", "this user may write there"),
            ("DATA_DIR", "/proc/x", "DATA_DIR /proc/x", "name a folder"),
            ("DATA_DIR", "/dev/null", "DATA_DIR is \"/dev/null\"", "has to be a folder"),
        ] {
            let (said, took) = story.refused_server(&[(name, value)]).await;
            assert!(said.contains(words) && said.contains(todo), "{name}={value}: {said}");
            assert!(!said.contains("secret") && !said.contains("pool timed out"), "{said}");
            assert!(name != "DATA_DIR" || !said.contains("DATABASE_URL"), "{said}");
            assert!(took < AT_ONCE, "{name}={value}: {took:?}");
        }
    });
}

#[test]
fn what_postgres_refuses_is_said_at_the_start() {
    run_test(async |story| {
        if !story.is_on_postgres() {
            return;
        }
        let url = url::Url::parse(&story.config().database_url).unwrap();
        let (mut no_database, mut no_user) = (url.clone(), url);
        no_database.set_path("/there_is_none");
        no_user.set_username("nobody_at_all").unwrap();
        no_user.set_password(Some("wrong")).unwrap();
        for (url, words, todo) in [
            (no_database, "\"there_is_none\" does not exist", "createdb"),
            (no_user, "nobody_at_all", "correct the user or the password"),
        ] {
            let (said, took) = story.refused_server(&[("DATABASE_URL", url.as_str())]).await;
            assert!(said.contains(words) && said.contains(todo), "{said}");
            assert!(took < AT_ONCE, "{took:?}");
        }
    });
}

#[test]
fn a_password_is_proved_as_postgres_asks_for_it_by_default() {
    run_test(async |story| {
        if !story.is_on_postgres() {
            return;
        }
        let mut url = url::Url::parse(&story.config().database_url).unwrap();
        // Users are the whole server's.
        let user = format!("scram_{}", url.path().trim_start_matches('/'));
        let mut connection = sqlx::postgres::PgConnection::connect(url.as_str()).await.unwrap();
        // Where pg_hba.conf asks for MD5, it is how the password is kept that decides.
        let sql = format!(
            "SET password_encryption = 'scram-sha-256'; CREATE ROLE \"{user}\" SUPERUSER LOGIN PASSWORD 'four words of it'"
        );
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
        let kept = sqlx::query("SELECT rolpassword FROM pg_authid WHERE rolname = $1").bind(&user);
        let kept: String = kept.fetch_one(&mut connection).await.unwrap().get("rolpassword");
        assert!(kept.starts_with("SCRAM-SHA-256$4096:"), "{kept}");
        connection.close().await.unwrap();
        url.set_username(&user).unwrap();
        url.set_password(Some("four words of it")).unwrap();
        story.set("DATABASE_URL", url.as_str());
        story.restart().await;
        story.install().await;
        story.stop().await;
        url.set_password(Some("four other words")).unwrap();
        let (said, _) = story.refused_server(&[("DATABASE_URL", url.as_str())]).await;
        assert!(said.contains("correct the user or the password") && !said.contains("words"), "{said}");
    });
}

#[cfg(unix)]
#[test]
fn nobody_else_reads_what_is_in_the_data_directory() {
    use std::os::unix::fs::PermissionsExt as _;
    run_test(async |story| {
        story.install().await;
        let data = story.folder().join("data");
        for name in ["mirrors", "outbox"] {
            let mode = std::fs::metadata(data.join(name)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o700, "{name}");
        }
        if !story.is_on_postgres() {
            for name in ["flawless.db", "flawless.db-wal", "flawless.db-shm"] {
                let mode = std::fs::metadata(story.folder().join(name)).unwrap().permissions().mode();
                assert_eq!(mode & 0o777, 0o600, "{name}");
            }
        }
    });
}

/// How long each of a queue keeps its turn to write, as a slow disk does.
const TURN: Duration = Duration::from_millis(100);
/// How many are in the queue: they take half of the time for which a turn is waited.
const QUEUE: usize = 50;

/// How many of a queue of one side had their turn when this was done.
async fn turns_before(store: &Store, queue: Side, done: impl Future<Output = ()>) -> usize {
    let (had, store) = (Arc::new(AtomicUsize::new(0)), store.on_behalf_of(queue));
    let one = |_| {
        let (had, store) = (Arc::clone(&had), store.clone());
        tokio::spawn(async move {
            let turn = store.begin().await.unwrap();
            tokio::time::sleep(TURN).await;
            turn.commit().await.unwrap();
            had.fetch_add(1, Ordering::SeqCst);
        })
    };
    let waiting: Vec<_> = (0..QUEUE).map(one).collect();
    tokio::time::sleep(TURN).await;
    done.await;
    let before = had.load(Ordering::SeqCst);
    for one in waiting {
        one.await.unwrap();
    }
    before
}

/// SQLite has one writer. On PostgreSQL a side has no more than half of them.
#[test]
fn neither_reports_nor_work_wait_for_the_whole_queue_of_another_side() {
    run_test(async |story| {
        if story.is_on_postgres() {
            return;
        }
        story.install().await;
        let ((key, project), event) = (story.key().await, story.event());
        let (store, now) = (story.services().store.clone(), story.clock.now());
        let url = story.url().to_owned();
        for queue in [Side::Requests, Side::Work] {
            let report = async { assert_eq!(story.send_to(&url, &key, project, &event).await, 200) };
            let turns = turns_before(&store, queue, report).await;
            assert!(turns < QUEUE / 2, "a report waited for {turns} turns of {queue:?}");
        }
        story.settle().await;
        story.assert_usual_alert();
        for queue in [Side::Requests, Side::Reports] {
            store::jobs::enqueue(&store, Job::Fetch(story.repository().await.repository.id), now, now).await.unwrap();
            let work = async { assert_eq!(story.worker().drain().await.unwrap(), 1) };
            let turns = turns_before(&store, queue, work).await;
            assert!(turns < QUEUE / 2, "a job waited for {turns} turns of {queue:?}");
        }
    });
}
