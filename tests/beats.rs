//! Faults of Flawless 0.4.5 that are not about choosing or deciding (those are in `server_cases`),
//! each shown to be absent.
//!
//! Told elsewhere: reports and mails are not lost (`faults`), an older release is blamed as of that
//! release (`alerts`), pages need signing in, and a GET saves nothing (`server_pages`), a mirror
//! out of order delays an alert and spoils none (`faults`).

use crate::harness::git_repo::ADA;
use crate::harness::scenes::functions;
use crate::harness::story::run_test;
use std::io::Write as _;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

#[test]
fn forty_new_lines_at_once_are_forty_alerts() {
    // Over ten blames at a time, Flawless 0.4.5 dropped reports.
    run_test(async |story| {
        let text = functions("part", 40);
        let files = [("shop/parts.py", text.as_str()), (".github/flawless.yml", "storm: { lines: 100 }\n")];
        story.commit(ADA, "2026-01-06T10:00:00Z", &files, "Add parts");
        story.install().await;
        story.functions_fail("shop/parts.py", "part", 0..40).await;
        assert_eq!(story.lines().await.len(), 40);
        insta::assert_snapshot!(story.transcript(), @"
        40 × mail to ada@example.com: [acme/shop] KeyError in partN (shop/parts.py:N)
            You wrote this line.
        40 × acme/shop#N opened: KeyError in partN (shop/parts.py) [flawless]
        40 × acme/shop#N assigned to ada
        ");
    });
}

#[test]
fn no_address_runs_a_command_and_no_page_shows_a_password() {
    run_test(async |story| {
        story.stop().await;
        let url = story.smtp.url();
        story.set("SMTP_URL", &url.replace("smtp://", "smtp://robot:the-mail-password@"));
        story.start().await;
        for path in ["/open_process_func?args=id", "/start_process?args=id"] {
            let answer = story.http.get(format!("{}{path}", story.url())).send().await.unwrap();
            assert_eq!(answer.status(), 404, "{path}");
        }
        for (path, accept) in
            [("/check_health", "application/json"), ("/check_health", "text/html"), ("/", "text/html")]
        {
            let asked = story.http.get(format!("{}{path}", story.url())).bearer_auth("admin-token-of-the-tests");
            let text = asked.header("Accept", accept).send().await.unwrap().text().await.unwrap();
            assert!(!text.contains("the-mail-password"), "{text}");
        }
    });
}

/// Runs the program in a folder, without this shell's settings.
fn app(folder: &Path, arguments: &[&str], input: &str) -> Output {
    let mut child = command(folder, arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_flawless"));
    command.env_clear().envs(std::env::vars_os().filter(|(name, _)| name == "PATH" || name == "LLVM_PROFILE_FILE"));
    command.args(arguments).current_dir(folder).stderr(Stdio::piped());
    command
}

/// Ends with the test, whatever comes of it.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn the_server_starts_with_what_configure_wrote_and_no_means_no() {
    let folder = tempfile::tempdir().unwrap();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    // Host, port, public address, database, mail server, sender, operator's address, no App, admin
    // token; no metrics token, no proxy.
    let odd = "quote\" back\\slash \u{200b}zero";
    let answers = format!("\nno port\n{port}\nhttps://x.example/flawless\n\n\n\n\n\n{odd}\n\n\n");
    let written = app(folder.path(), &["configure"], &answers);
    assert!(written.status.success(), "{written:?}");
    let said = String::from_utf8(written.stdout).unwrap();
    assert!(said.contains("PORT is \"no port\""), "a wrong answer is said, and asked again: {said}");
    assert!(!said.contains(odd), "a secret is not shown");
    let file = std::fs::read_to_string(folder.path().join("flawless.toml")).unwrap();

    let declined = app(folder.path(), &["configure"], "n\n");
    assert!(String::from_utf8(declined.stdout).unwrap().contains("Nothing was changed."));
    assert_eq!(std::fs::read_to_string(folder.path().join("flawless.toml")).unwrap(), file);

    let _server = Running(command(folder.path(), &[]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
    // A minute at most.
    for _ in 0..1_200 {
        if std::net::TcpStream::connect(("127.0.0.1", port)).is_ok() {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("it does not listen");
}

#[test]
fn a_settings_file_is_checked_from_a_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(".github/flawless.yml");
    std::fs::create_dir(folder.path().join(".github")).unwrap();
    // A server's configuration that is wrong is none of its business.
    std::fs::write(folder.path().join("flawless.toml"), "prt = 1").unwrap();

    std::fs::write(&file, "known_errors:\n  - file: shop/cart.py\n    fuction: total\n").unwrap();
    let output = app(folder.path(), &["check-rules"], "");
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(said, ".github/flawless.yml:3: known_errors[0].fuction: there is no such key; did you mean function?\n");

    std::fs::write(&file, "known_errors:\n  - file: shop/cart.py\n").unwrap();
    let output = app(folder.path(), &["check-rules", ".github/flawless.yml"], "");
    assert_eq!(output.status.code(), Some(0));
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("warning: known_errors has an entry for shop/cart.py, and there is no such file"), "{said}");
    assert!(said.contains("no faults. It has 1 known error,"), "{said}");

    let output = app(folder.path(), &["check-rules", "nowhere.yml"], "");
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().contains("nowhere.yml can't be read"));
}
