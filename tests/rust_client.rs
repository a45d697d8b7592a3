//! `flawless-report` against the whole server: a script of the repository really fails, and its
//! author is told.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use jiff::SignedDuration;
use store::lines::Line;

use crate::harness::story::{CART_PATH, Story, run_test};

/// A job beside the failing file; it is Bob's, and not to blame.
const JOB: &str = "\
import shop.cart


def nightly():
    print('adding up')
    return shop.cart.total(['apple', 'quince'])


nightly()
";

/// The command, built beside this test by `cargo test --workspace`.
fn flawless_report() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    // target/debug/deps/stories-0123… → target/debug/flawless-report
    let program = test.parent().unwrap().parent().unwrap().join("flawless-report");
    assert!(program.exists(), "{} is missing: cargo build -p ingest-client", program.display());
    program
}

/// Runs the job in a checkout of the repository.
async fn nightly(checkout: &Path, home: &Path, dsn: &str) -> Output {
    run(checkout, home, dsn, &["python3", "-m", "jobs.nightly"]).await
}

/// Runs a command there. In a thread of its own, because the server runs in this one.
async fn run(checkout: &Path, home: &Path, dsn: &str, words: &[&str]) -> Output {
    let mut command = Command::new(flawless_report());
    for name in ["FLAWLESS_RELEASE", "SENTRY_RELEASE", "SENTRY_DSN", "SENTRY_ENVIRONMENT", "FLAWLESS_SPOOL"] {
        command.env_remove(name);
    }
    command
        .args(["run", "--environment", "cron", "--server-name", "batch-1", "--"])
        .args(words)
        .env("FLAWLESS_DSN", dsn)
        .env("HOME", home)
        .env_remove("XDG_STATE_HOME")
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .current_dir(checkout)
        .stdin(Stdio::null());
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

/// A checkout of what is to be blamed, somewhere else than the repository, as on a server.
fn check_out(story: &mut Story) -> (tempfile::TempDir, PathBuf) {
    story.commit("Bob <bob@example.com>", "2026-02-01T10:00:00Z", &[("jobs/nightly.py", JOB)], "Add up at night");
    let home = tempfile::tempdir().unwrap();
    let checkout = home.path().join("app");
    story.repo.git(&["clone", "--quiet", ".", checkout.to_str().unwrap()]);
    (home, checkout)
}

fn place(line: &Line) -> (&str, u32, &str) {
    (line.place.path.as_str(), line.place.line, line.place.function.as_str())
}

#[test]
#[ignore = "needs Python; tests/run runs it"]
fn live_cron_job_under_flawless_report_finds_the_author() {
    run_test(async |story| {
        let (home, checkout) = check_out(story);
        story.install().await;
        let (key, project) = story.key().await;
        let dsn = story.url().replace("://", &format!("://{key}@")) + &format!("/{project}");
        let output = nightly(&checkout, home.path(), &dsn).await;
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert_eq!(output.stdout, b"adding up\n");
        assert!(said.starts_with("Traceback") && said.ends_with("KeyError: 'quince'\n"), "{said}");

        story.settle().await;
        let lines = story.lines().await;
        assert_eq!(lines.iter().map(place).collect::<Vec<_>>(), [(CART_PATH, 9, "total")]);
        let counts = store::lines::counts(&story.services().store, &lines[0]).await.unwrap();
        assert_eq!((counts.servers, counts.environments), (vec!["batch-1".to_owned()], vec!["cron".to_owned()]));
        let (text, head) = (story.unread_text(), story.repo.head());
        assert!(text.contains(&head[..7]), "the release is the commit that was checked out: {text}");
        story.assert_usual_alert();
    });
}

#[test]
#[ignore = "needs flawless-report to be built; tests/run runs it"]
fn live_server_says_what_of_a_commands_words_is_a_traceback() {
    run_test(async |story| {
        let (home, checkout) = check_out(story);
        story.install().await;
        let (key, project) = story.key().await;
        let dsn = story.url().replace("://", &format!("://{key}@")) + &format!("/{project}");
        let script = "echo 'error: no such name' >&2; echo ' --> src/main.rs:3:5' >&2; exit 2";
        let output = run(&checkout, home.path(), &dsn, &["sh", "-c", script]).await;
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains("no traceback was recognised in its standard error, so nothing is reported"), "{said}");
        assert!(!said.contains("refuses") && !home.path().join(".local/state/flawless/spool").exists(), "{said}");
        story.settle().await;
        assert_eq!(story.lines().await.len(), 0);
        // A crash of the interpreter, which prints neither a message nor a type.
        let script = "printf 'Fatal Python error: Segmentation fault\\n\\nCurrent thread 0x1 (most recent call first):\\n  \
                      File \"/srv/app/shop/cart.py\", line 9 in total\\n' >&2; exit 139";
        let output = run(&checkout, home.path(), &dsn, &["sh", "-c", script]).await;
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), said.contains("flawless-report")), (Some(139), false), "{said}");
        story.settle().await;
        assert_eq!(story.lines().await.iter().map(place).collect::<Vec<_>>(), [(CART_PATH, 9, "total")]);
        let told = story.transcript();
        assert!(told.contains("mail to ada@example.com: [acme/shop] Fatal Python error in total"), "{told}");
    });
}

#[test]
#[ignore = "needs Python; tests/run runs it"]
fn live_cron_job_is_reported_once_the_server_is_back() {
    run_test(async |story| {
        let (home, checkout) = check_out(story);
        story.install().await;
        let (key, project) = story.key().await;
        let dsn = |url: &str| url.replace("://", &format!("://{key}@")) + &format!("/{project}");
        // Nobody listens on the port of a listener that is gone.
        let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let output = nightly(&checkout, home.path(), &dsn(&format!("http://{nobody}"))).await;
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains("waits for the next time"), "{said}");

        // The server is back, and it has moved: what waits is told so by its own file.
        let spool = home.path().join(".local/state/flawless/spool");
        let kept = std::fs::read_dir(&spool).unwrap().map(|entry| entry.unwrap().path());
        let kept: Vec<PathBuf> = kept.filter(|path| path.extension().is_some_and(|it| it == "report")).collect();
        let text = std::fs::read_to_string(&kept[0]).unwrap();
        let address = story.url().trim_start_matches("http://");
        std::fs::write(&kept[0], text.replace(&nobody.to_string(), address)).unwrap();
        let mut flush = Command::new(flawless_report());
        flush.args(["flush", "--spool"]).arg(&spool);
        let output = tokio::task::spawn_blocking(move || flush.output().unwrap()).await.unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.ends_with("1 sent, 0 refused, 0 waiting\n"), "{said}");

        story.settle().await;
        assert_eq!(story.lines().await.iter().map(place).collect::<Vec<_>>(), [(CART_PATH, 9, "total")]);
        story.assert_usual_alert();
    });
}

#[test]
#[ignore = "needs Python; tests/run runs it"]
fn live_cron_job_beyond_its_keys_rate_is_reported_later() {
    run_test(async |story| {
        let (home, checkout) = check_out(story);
        story.set("KEY_RATE", "1");
        story.restart().await;
        story.install().await;
        let (key, project) = story.key().await;
        assert_eq!(story.send_to(story.url(), &key, project, &story.event()).await, 200);
        let dsn = story.url().replace("://", &format!("://{key}@")) + &format!("/{project}");
        let output = nightly(&checkout, home.path(), &dsn).await;
        let said = String::from_utf8(output.stderr).unwrap();
        let words = "HTTP 429: the key sent more than the 1 request a minute that it may send";
        assert!(said.contains(words) && said.contains("waits for the next time"), "{said}");
        story.clock.advance(SignedDuration::from_mins(1));
        let mut flush = Command::new(flawless_report());
        flush.args(["flush", "--spool"]).arg(home.path().join(".local/state/flawless/spool"));
        let output = tokio::task::spawn_blocking(move || flush.output().unwrap()).await.unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.ends_with("1 sent, 0 refused, 0 waiting\n"), "{said}");
        story.settle().await;
        assert_eq!(story.lines().await.iter().map(|line| line.total).collect::<Vec<_>>(), [2]);
        story.assert_usual_alert();
    });
}
