//! `flawless-report` as cron runs it: real processes, a small server, and what either of them gets.
#![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests")]

mod receiver;

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use receiver::{KEY, Server, nobody};

const TRACEBACK: &str = "Traceback (most recent call last):\n  File \"job.py\", line 3, in total\n    return 1 / 0\nZeroDivisionError: division by zero\n";

/// How long the command's end may be held up at most, with some for a busy machine.
const BEARABLE: Duration = Duration::from_secs(20);

/// A place of its own for each test, without what the caller's shell says.
struct Place {
    home: tempfile::TempDir,
    dsn: String,
}

impl Place {
    fn with(dsn: impl Into<String>) -> Self {
        Self { home: tempfile::tempdir().unwrap(), dsn: dsn.into() }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_flawless-report"));
        for name in ["FLAWLESS_RELEASE", "SENTRY_RELEASE", "SENTRY_DSN", "SENTRY_ENVIRONMENT", "FLAWLESS_SPOOL"] {
            command.env_remove(name);
        }
        for name in ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "XDG_STATE_HOME"] {
            command.env_remove(name);
        }
        command.env("FLAWLESS_DSN", &self.dsn).env("HOME", self.home.path()).current_dir(self.home.path());
        command.args(arguments).stdin(Stdio::null());
        command
    }

    /// Runs a shell's words under `run`.
    fn run(&self, script: &str) -> Output {
        self.command(&["run", "--", "sh", "-c", script]).output().unwrap()
    }

    /// A script that prints this and fails.
    fn failing(&self, text: &str, code: u8) -> String {
        let file = self.home.path().join("said");
        fs::write(&file, text).unwrap();
        format!("cat '{}' >&2; exit {code}", file.display())
    }

    fn send(&self, arguments: &[&str], text: &str) -> Output {
        let mut child = self
            .command(&[&["send"], arguments].concat())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // It may have ended without reading.
        let _ = child.stdin.take().unwrap().write_all(text.as_bytes());
        child.wait_with_output().unwrap()
    }

    fn spool(&self) -> PathBuf {
        self.home.path().join(".local/state/flawless/spool")
    }

    /// Files of the spool with this ending.
    fn kept(&self, ending: &str) -> Vec<PathBuf> {
        let Ok(entries) = fs::read_dir(self.spool()) else { return Vec::new() };
        let paths = entries.map(|entry| entry.unwrap().path());
        paths.filter(|path| path.extension().is_some_and(|known| known == ending)).collect()
    }
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Waits until something is so.
fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < BEARABLE, "in vain: {what}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// Every byte there is, without a pattern that a buffer's length could hide in.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let step = |_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    };
    (0..length).map(step).collect()
}

#[test]
fn a_failing_command_is_reported_with_all_that_is_known() {
    let server = Server::start();
    let place = Place::with(server.dsn());
    let script = place.failing(&format!("starting\n{TRACEBACK}"), 3);
    let words = ["run", "--release", "v1.2+3", "--environment", "cron", "--server-name", "batch 1", "--", "sh", "-c"];
    let output = place.command(&[&words[..], &[&script]].concat()).output().unwrap();
    assert_eq!((code(&output), said(&output)), (3, format!("starting\n{TRACEBACK}")));
    let request = server.next();
    assert_eq!(request.line, "POST /api/7/traceback?release=v1.2%2B3&environment=cron&server_name=batch+1 HTTP/1.1");
    assert_eq!(request.header("authorization"), format!("Bearer {KEY}"));
    assert_eq!(request.header("content-type"), "text/plain");
    assert_eq!(request.text(), format!("starting\n{TRACEBACK}"));
    server.assert_quiet();
    assert!(!place.spool().exists());
}

#[test]
fn the_release_is_the_checked_out_commit_unless_something_else_is_said() {
    let server = Server::start();
    let place = Place::with(server.dsn());
    let commit = "89e6c98d92887913cadf06b2adb97f26cde4849b";
    fs::create_dir(place.home.path().join(".git")).unwrap();
    fs::write(place.home.path().join(".git/HEAD"), commit).unwrap();
    let script = place.failing(TRACEBACK, 1);
    place.run(&script);
    assert!(server.next().line.contains(&format!("?release={commit}&server_name=")), "the machine's name too");
    let mut told = place.command(&["run", "--", "sh", "-c", &script]);
    told.env("FLAWLESS_RELEASE", "v2").env("SENTRY_ENVIRONMENT", "staging").output().unwrap();
    assert!(server.next().line.contains("?release=v2&environment=staging&"));
}

#[test]
fn bytes_pass_through_as_they_are() {
    let place = Place::with("");
    let bytes = noise(300_000);
    let (out, err) = (place.home.path().join("out"), place.home.path().join("err"));
    fs::write(&out, &bytes[..100_000]).unwrap();
    fs::write(&err, &bytes[100_000..]).unwrap();
    for watch in [&["run"][..], &["run", "--stdout"]] {
        let script = "cat out; cat err >&2; cat; exit 3";
        let mut child = place
            .command(&[watch, &["--", "sh", "-c", script]].concat())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(b"from\0stdin").unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(code(&output), 3);
        assert!(output.stdout == [&bytes[..100_000], b"from\0stdin"].concat(), "standard output is not the command's");
        // Behind it stands what to do about a failure that is not reported.
        let (own, added) = output.stderr.split_at(200_000);
        assert!(own == &bytes[100_000..], "standard error is not the command's");
        // Noise may look like a place; then it is the project that is missing.
        assert!(added.starts_with(b"flawless-report: the ") && added.split(|byte| *byte == b'\n').count() == 2);
    }
}

#[test]
fn ten_megabytes_pass_and_the_last_one_is_sent() {
    let server = Server::start();
    let place = Place::with(server.dsn());
    let bytes = [noise(10 << 20), TRACEBACK.as_bytes().to_vec()].concat();
    fs::write(place.home.path().join("err"), &bytes).unwrap();
    let output = place.run("cat err >&2; exit 1");
    assert_eq!(code(&output), 1);
    assert!(output.stderr == bytes, "standard error is not the command's");
    let sent = server.next().body;
    assert!(sent == bytes[bytes.len() - (1 << 20)..], "{} bytes sent", sent.len());
}

#[test]
fn output_appears_while_the_command_runs() {
    let place = Place::with("");
    for (watch, redirect) in [(&["run"][..], ">&2"), (&["run", "--stdout"], "")] {
        let script = format!("printf 'no end of line' {redirect}; cat");
        let mut command = place.command(&[watch, &["--", "sh", "-c", &script]].concat());
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut seen = [0; 14];
        if redirect.is_empty() {
            child.stdout.as_mut().unwrap().read_exact(&mut seen).unwrap();
        } else {
            child.stderr.as_mut().unwrap().read_exact(&mut seen).unwrap();
        }
        assert_eq!(&seen, b"no end of line");
        assert_eq!(child.try_wait().unwrap(), None);
        drop(child.stdin.take());
        assert!(child.wait().unwrap().success());
    }
}

#[test]
fn exit_codes_are_the_commands() {
    let server = Server::start();
    let place = Place::with(server.dsn());
    for (script, expected) in
        [("exit 0", 0), ("exit 3", 3), ("exit 255", 255), ("kill -KILL $$", 137), ("kill -TERM $$", 143)]
    {
        let output = place.run(script);
        assert_eq!((code(&output), said(&output).is_empty()), (expected, expected == 0), "{script}");
    }
    let output = place.command(&["run", "--", "no-such-command-anywhere"]).output().unwrap();
    assert_eq!(code(&output), 127);
    assert!(said(&output).starts_with("flawless-report: no-such-command-anywhere: "), "{}", said(&output));
    fs::write(place.home.path().join("plain"), "no program").unwrap();
    assert_eq!(code(&place.command(&["run", "--", "./plain"]).output().unwrap()), 126);
    assert_eq!(code(&place.command(&["run"]).output().unwrap()), 125, "nothing to run");
    assert_eq!(code(&place.command(&["run", "--odd", "--", "true"]).output().unwrap()), 125);
    assert_eq!(code(&place.command(&["sent"]).output().unwrap()), 2);
    assert_eq!(code(&place.command(&["--help"]).output().unwrap()), 0);
    server.assert_quiet();
}

#[test]
fn only_a_failure_with_a_traceback_is_reported() {
    let server = Server::start();
    let place = Place::with(server.dsn());
    let works = place.failing(TRACEBACK, 0);
    assert_eq!((code(&place.run(&works)), said(&place.run(&works)).as_str()), (0, TRACEBACK));
    assert_eq!(code(&place.run("echo 'no such table' >&2; exit 1")), 1);
    let on_stdout = place.failing(TRACEBACK, 1).replace(" >&2", "");
    assert_eq!(code(&place.run(&on_stdout)), 1);
    server.assert_quiet();
    let output = place.command(&["run", "--stdout", "--", "sh", "-c", &on_stdout]).output().unwrap();
    assert_eq!((code(&output), output.stdout), (1, TRACEBACK.as_bytes().to_vec()));
    assert_eq!(server.next().text(), TRACEBACK);
}

#[test]
fn a_failure_that_nobody_hears_of_is_said_with_what_to_do() {
    let server = Server::start();
    let place = Place::with(server.dsn());
    let output = place.run("echo 'no such table' >&2; exit 3");
    assert_eq!(code(&output), 3);
    let words = "no such table\nflawless-report: the command failed (exit status 3), and no traceback was recognised in \
                 its standard error, so nothing is reported: --stdout looks at standard output as well, --any-failure \
                 reports it without one\n";
    assert_eq!(said(&output), words);
    let output = place.command(&["run", "--stdout", "--", "sh", "-c", "kill -9 $$"]).output().unwrap();
    assert!(
        said(&output).contains("failed (signal 9)") && said(&output).contains("in its output, so"),
        "{}",
        said(&output)
    );
    // What works says nothing, and what is not there has been said.
    assert_eq!(said(&place.run("true")), "");
    let output = place.command(&["run", "--", "no-such-command"]).output().unwrap();
    assert_eq!((code(&output), said(&output).lines().count()), (127, 1), "{}", said(&output));
    server.assert_quiet();
}

#[test]
fn whether_a_line_of_a_file_is_a_traceback_the_server_says() {
    let compiler = "error: no such name\n --> src/main.rs:3:5\n";
    let server = Server::start();
    let place = Place::with(server.dsn());
    assert_eq!(said(&place.run(&place.failing("job_test.go:12: got 3\n", 1))), "job_test.go:12: got 3\n");
    assert_eq!(server.next().text(), "job_test.go:12: got 3\n");
    server.assert_quiet();
    let server = Server::answering(422, r#"{"detail":"no traceback was recognised: send one as Python prints it"}"#);
    let place = Place::with(server.dsn());
    let output = place.run(&place.failing(compiler, 2));
    assert_eq!((code(&output), place.kept("refused").len(), place.kept("report").len()), (2, 0, 0));
    let words = "flawless-report: the command failed (exit status 2), and no traceback was recognised in its standard \
                 error, so nothing is reported";
    assert!(said(&output).starts_with(&format!("{compiler}{words}")), "{}", said(&output));
}

#[test]
fn any_failure_is_reported_where_that_is_asked_for() {
    let server = Server::start();
    let place = Place::with(server.dsn());
    let run = |words: &[&str]| {
        place.command(&[&["run", "--any-failure", "--release", "v1"], words].concat()).output().unwrap()
    };
    let output = run(&["--", "sh", "-c", "echo 'no such table' >&2; exit 3", "nightly\n--all"]);
    assert_eq!((code(&output), said(&output).as_str()), (3, "no such table\n"));
    let request = server.next();
    assert!(
        request.line.contains("?release=v1&") && request.line.contains("&failed=exit+status+3 "),
        "{}",
        request.line
    );
    assert_eq!(request.text(), "sh -c echo 'no such table' >&2; exit 3 nightly --all\nno such table\n");
    // Without a word of its own, and without having run at all.
    assert_eq!(code(&run(&["--", "sh", "-c", "kill -9 $$"])), 137);
    let request = server.next();
    assert!(request.line.contains("&failed=signal+9 "), "{}", request.line);
    assert_eq!(request.text(), "sh -c kill -9 $$\n");
    assert_eq!(code(&run(&["--", "no-such-command"])), 127);
    assert!(server.next().line.contains("&failed=not+found "));
    // A traceback is still one; a command that works is no failure; a long one is known by its beginning.
    let script = place.failing(TRACEBACK, 1);
    assert_eq!(code(&run(&["--", "sh", "-c", &script])), 1);
    let request = server.next();
    assert!(request.text().ends_with(&format!("\n{TRACEBACK}")) && request.line.contains("&failed=exit+status+1 "));
    assert_eq!(code(&run(&["--", "true"])), 0);
    assert_eq!(code(&run(&["--", "false", &"x".repeat(100_000)])), 1);
    assert_eq!(server.next().text().len(), 201);
    server.assert_quiet();
}

#[test]
fn a_failure_that_the_server_refuses_is_said() {
    let server = Server::answering(422, r#"{"detail":"no traceback was recognised"}"#);
    let place = Place::with(server.dsn());
    let output = place.command(&["run", "--any-failure", "--", "sh", "-c", "exit 3"]).output().unwrap();
    assert_eq!((code(&output), place.kept("refused").len()), (3, 1));
    assert!(said(&output).contains("the server refuses the report: HTTP 422: no traceback"), "{}", said(&output));
}

#[test]
fn a_command_that_a_signal_ends_is_reported_too() {
    let server = Server::start();
    let place = Place::with(server.dsn());
    let script = place.failing(TRACEBACK, 0).replace("exit 0", "kill -ABRT $$");
    assert_eq!(code(&place.run(&script)), 134);
    assert_eq!(server.next().text(), TRACEBACK);
}

/// Starts a command that says what signal it got, and waits until it is ready.
fn trapping(place: &Place) -> Child {
    let script = "trap 'echo INT; exit 5' INT; trap 'echo TERM; exit 6' TERM; trap 'echo HUP; exit 7' HUP; \
                  echo ready >&2; while :; do sleep 0.05; done";
    let mut command = place.command(&["run", "--", "sh", "-c", script]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut ready = [0; 6];
    child.stderr.as_mut().unwrap().read_exact(&mut ready).unwrap();
    child
}

#[test]
fn a_command_whose_output_nobody_reads_ends_as_it_would() {
    let place = Place::with("");
    for (watch, script) in [(&["run"][..], "yes >&2"), (&["run", "--stdout"], "yes")] {
        let mut command = place.command(&[watch, &["--", "sh", "-c", script]].concat());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        drop(child.stderr.take());
        assert_eq!(child.wait().unwrap().code(), Some(128 + 13), "{script}: by SIGPIPE");
    }
}

/// Whether this process ignores a signal, as Linux says; elsewhere it is taken not to.
fn is_ignored(number: u32) -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    mask >> (number - 1) & 1 == 1
}

#[test]
fn signals_reach_the_command() {
    let place = Place::with("");
    for (name, number, expected) in [("INT", 2, 5), ("TERM", 15, 6), ("HUP", 1, 7)] {
        // What a shell starts in the background has SIGINT ignored, and so have its children: no
        // trap changes that.
        if is_ignored(number) {
            println!("SIG{name} is ignored where this test runs, so it can't reach the command");
            continue;
        }
        let child = trapping(&place);
        let kill = Command::new("kill").args([format!("-{name}"), child.id().to_string()]).status().unwrap();
        assert!(kill.success());
        let output = child.wait_with_output().unwrap();
        assert_eq!((code(&output), output.stdout), (expected, format!("{name}\n").into_bytes()));
    }
}

#[test]
fn a_signal_that_is_ignored_stays_ignored() {
    let place = Place::with("");
    let program = env!("CARGO_BIN_EXE_flawless-report");
    let script =
        format!("trap '' HUP; exec '{program}' run -- sh -c 'kill -HUP $$; kill -HUP $PPID; sleep 0.3; exit 4'");
    let mut command = place.command(&[]);
    let output = Command::new("sh")
        .args(["-c", &script])
        .envs(command.stdin(Stdio::null()).get_envs().filter_map(|(name, value)| Some((name, value?))))
        .output()
        .unwrap();
    assert_eq!(code(&output), if cfg!(target_os = "linux") { 4 } else { 129 });
}

#[test]
fn a_process_left_behind_holds_nothing_up() {
    let server = Server::start();
    let place = Place::with(server.dsn());
    let start = Instant::now();
    let script = format!("sleep 300 & echo $! > left; {}", place.failing(TRACEBACK, 9));
    let mut command = place.command(&["run", "--", "sh", "-c", &script]);
    // To a file: a pipe of ours would be held open by the process as well.
    let err = place.home.path().join("err");
    let status = command.stderr(fs::File::create(&err).unwrap()).status().unwrap();
    assert!(start.elapsed() < BEARABLE, "held up for {:?}", start.elapsed());
    assert_eq!(status.code(), Some(9));
    assert_eq!(fs::read_to_string(err).unwrap(), TRACEBACK);
    assert_eq!(server.next().text(), TRACEBACK);
    let left = fs::read_to_string(place.home.path().join("left")).unwrap();
    assert!(Command::new("kill").arg(left.trim()).status().unwrap().success(), "it still runs");
}

#[test]
fn what_a_server_that_is_down_misses_it_gets_once() {
    let address = nobody();
    let place = Place::with(format!("http://{KEY}@{address}/7"));
    let output = place.run(&place.failing(TRACEBACK, 3));
    assert_eq!(code(&output), 3);
    let words = said(&output);
    assert!(words.starts_with(TRACEBACK) && words.contains("waits for the next time"), "{words}");
    let output = place.send(&["--count", "4"], "panicked at src/main.rs:1:2:\nsecond\n");
    assert_eq!(code(&output), 0, "{}", said(&output));
    assert_eq!(place.kept("report").len(), 2);
    assert!(!words.contains(KEY));

    // A command that works does not fail for what waits, and says nothing of it: cron would make a
    // mail of that.
    let output = place.run("exit 0");
    assert_eq!((code(&output), said(&output).as_str()), (0, ""));
    assert_eq!(place.kept("report").len(), 2);

    let server = Server::at(TcpListener::bind(address).unwrap(), 200, "{}", Duration::ZERO);
    // The DSN is each report's own, whatever project is reported to by now.
    let output = place.command(&["run", "--", "true"]).env_remove("FLAWLESS_DSN").output().unwrap();
    assert_eq!((code(&output), said(&output).as_str()), (0, ""));
    let (first, second) = (server.next(), server.next());
    assert_eq!(first.text(), TRACEBACK, "oldest first");
    assert!(second.line.contains("count=4") && second.text().contains("second"));
    assert_eq!(second.header("authorization"), format!("Bearer {KEY}"));
    assert_eq!(place.kept("report").len(), 0);
    let output = place.command(&["flush"]).output().unwrap();
    assert_eq!((code(&output), said(&output).as_str()), (0, "flawless-report: 0 sent, 0 refused, 0 waiting\n"));
    server.assert_quiet();
}

#[test]
fn a_server_that_is_down_keeps_no_report_from_another() {
    let server = Server::start();
    let place = Place::with(format!("http://{KEY}@{}/7", nobody()));
    assert_eq!(code(&place.send(&[], TRACEBACK)), 0);
    let down = place.kept("report").remove(0);
    let text = fs::read_to_string(&down).unwrap();
    let dsn = text.lines().nth(1).unwrap();
    fs::write(place.spool().join("999999999999999-0.report"), text.replace(dsn, &server.dsn())).unwrap();
    let output = place.command(&["flush"]).output().unwrap();
    assert!(said(&output).ends_with("1 sent, 0 refused, 1 waiting\n"), "{}", said(&output));
    assert_eq!((server.next().text().as_str(), place.kept("report")), (TRACEBACK, vec![down]));
}

#[test]
fn a_server_that_fails_or_sends_elsewhere_is_waited_for() {
    for status in [301, 408, 429, 500, 503] {
        let server = Server::answering(status, "");
        let place = Place::with(server.dsn());
        let output = place.send(&[], TRACEBACK);
        assert_eq!((code(&output), place.kept("report").len()), (0, 1), "{status}");
        assert!(said(&output).contains(&format!("HTTP {status}")), "{}", said(&output));
        server.next();
        let output = place.command(&["flush"]).output().unwrap();
        assert_eq!((code(&output), place.kept("report").len()), (1, 1), "{status}");
        assert!(said(&output).contains(&format!("no report could be sent to {}: HTTP {status}", server.address)));
        server.next();
        server.assert_quiet();
    }
}

#[test]
fn a_server_that_never_answers_holds_the_end_up_for_a_bounded_time() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let place = Place::with(format!("http://{KEY}@{}/7", silent.local_addr().unwrap()));
    let start = Instant::now();
    assert_eq!(code(&place.run(&place.failing(TRACEBACK, 3))), 3);
    assert!(start.elapsed() < BEARABLE, "held up for {:?}", start.elapsed());
    assert_eq!(place.kept("report").len(), 1);
}

#[test]
fn what_is_refused_is_said_and_blocks_nothing() {
    let server = Server::answering(403, r#"{"detail":"the key is not one of this project's keys"}"#);
    let place = Place::with(server.dsn());
    let output = place.send(&[], TRACEBACK);
    assert_eq!(code(&output), 1);
    assert!(said(&output).contains("HTTP 403: the key is not one of this project's keys"), "{}", said(&output));
    assert_eq!(place.kept("report").len() + place.kept("refused").len(), 0, "whoever sends a file has it");

    let output = place.run(&place.failing(TRACEBACK, 3));
    assert_eq!(code(&output), 3);
    assert_eq!((place.kept("report").len(), place.kept("refused").len()), (0, 1), "{}", said(&output));
    let reason = fs::read_to_string(&place.kept("reason")[0]).unwrap();
    assert!(reason.contains("not one of this project's keys"), "{reason}");

    // One that waits for a server that refuses it, and behind it one for a server that takes it.
    let away = nobody();
    for dsn in [format!("http://{KEY}@{away}/7"), format!("http://{KEY}@{}/7", nobody())] {
        assert_eq!(code(&place.send(&["--dsn", &dsn], TRACEBACK)), 0);
        thread::sleep(Duration::from_millis(5));
    }
    let mut waiting = place.kept("report");
    waiting.sort();
    let good = Server::start();
    let behind = fs::read_to_string(&waiting[1]).unwrap();
    let own = behind.lines().nth(1).unwrap().to_owned();
    fs::write(&waiting[1], behind.replace(&own, &good.dsn())).unwrap();
    let _refusing = Server::at(TcpListener::bind(away).unwrap(), 404, "", Duration::ZERO);
    let broken = place.spool().join("000000000000001-0.report");
    fs::write(&broken, "not a report").unwrap();
    let output = place.command(&["flush"]).output().unwrap();
    assert!(said(&output).ends_with("1 sent, 2 refused, 0 waiting\n"), "{}", said(&output));
    assert_eq!((code(&output), good.next().text().as_str()), (0, TRACEBACK));
    assert!(broken.with_extension("refused").exists());
}

#[test]
fn two_that_flush_at_once_send_nothing_twice() {
    let address = nobody();
    let place = Place::with(format!("http://{KEY}@{address}/7"));
    for number in 0..12 {
        assert_eq!(code(&place.send(&[], &format!("{TRACEBACK}{number}"))), 0);
    }
    assert_eq!(place.kept("report").len(), 12);
    let server = Server::at(TcpListener::bind(address).unwrap(), 200, "{}", Duration::from_millis(60));
    let mut flushes: Vec<Child> =
        (0..4).map(|_| place.command(&["flush"]).stderr(Stdio::null()).spawn().unwrap()).collect();
    for flush in &mut flushes {
        assert_eq!(flush.wait().unwrap().code(), Some(0));
    }
    let mut texts: Vec<String> = (0..12).map(|_| server.next().text()).collect();
    server.assert_quiet();
    texts.sort();
    texts.dedup();
    assert_eq!((texts.len(), place.kept("report").len()), (12, 0));
}

#[test]
fn a_flush_that_is_ended_gives_its_turn_back() {
    let address = nobody();
    let place = Place::with(format!("http://{KEY}@{address}/7"));
    assert_eq!(code(&place.send(&[], TRACEBACK)), 0);
    let silent = TcpListener::bind(address).unwrap();
    let mut flush = place.command(&["flush"]).stderr(Stdio::null()).spawn().unwrap();
    let (connection, _) = silent.accept().unwrap();
    let other = place.command(&["flush"]).output().unwrap();
    assert_eq!((code(&other), said(&other).contains("another process")), (0, true));
    flush.kill().unwrap();
    flush.wait().unwrap();
    drop(connection);
    let server = Server::at(silent, 200, "{}", Duration::ZERO);
    until("the report is sent", || {
        code(&place.command(&["flush"]).output().unwrap()) == 0 && place.kept("report").is_empty()
    });
    assert_eq!(server.next().text(), TRACEBACK);
}

#[test]
fn send_takes_a_file_and_says_what_is_wrong() {
    let server = Server::start();
    let place = Place::with(server.dsn());
    fs::write(place.home.path().join("log"), [&noise(3 << 20), TRACEBACK.as_bytes()].concat()).unwrap();
    let output = place.command(&["send", "--release", "v1", "log"]).output().unwrap();
    assert_eq!((code(&output), said(&output).as_str()), (0, ""));
    let request = server.next();
    assert!(request.line.contains("release=v1&") && request.body.ends_with(TRACEBACK.as_bytes()));
    assert_eq!(request.body.len(), 1 << 20);
    let output = place.command(&["send", "nowhere"]).output().unwrap();
    assert_eq!((code(&output), said(&output).contains("nowhere: ")), (1, true));
    server.assert_quiet();
}

#[test]
fn without_a_project_the_command_runs_all_the_same() {
    for (dsn, words) in [("", "give --dsn"), ("https://x@errors.example.com/7", "FLAWLESS_DSN can't be used")] {
        let place = Place::with(dsn);
        let output = place.run(&place.failing(TRACEBACK, 3));
        assert_eq!(code(&output), 3);
        assert!(said(&output).starts_with(TRACEBACK) && said(&output).contains(words), "{}", said(&output));
        let output = place.send(&[], TRACEBACK);
        assert_eq!((code(&output), said(&output).contains(words)), (2, true));
        let output = place.send(&["--dsn", "nonsense"], TRACEBACK);
        assert_eq!((code(&output), said(&output).contains("the DSN in --dsn can't be used")), (2, true));
    }
}

#[test]
fn a_spool_that_cannot_be_written_is_said() {
    let place = Place::with(format!("http://{KEY}@{}/7", nobody()));
    let file = place.home.path().join("file");
    fs::write(&file, "").unwrap();
    let spool = file.join("spool");
    let spool: &Path = &spool;
    let words = ["--spool", spool.to_str().unwrap()];
    let script = place.failing(TRACEBACK, 3);
    let output = place.command(&[&["run"], &words[..], &["--", "sh", "-c", &script]].concat()).output().unwrap();
    assert_eq!((code(&output), said(&output).contains("it can't be kept")), (3, true), "{}", said(&output));
    assert_eq!(code(&place.send(&words, TRACEBACK)), 1);
}

#[test]
fn a_reader_that_pauses_gets_every_byte() {
    let server = Server::start();
    let place = Place::with(server.dsn());
    let script = "head -c 150000 /dev/zero >&2; exit 3";
    let mut child = place.command(&["run", "--", "sh", "-c", script]).stderr(Stdio::piped()).spawn().unwrap();
    thread::sleep(Duration::from_secs(4));
    let mut read = Vec::new();
    child.stderr.take().unwrap().read_to_end(&mut read).unwrap();
    let written = read.iter().take_while(|byte| **byte == 0).count();
    assert_eq!((written, child.wait().unwrap().code()), (150_000, Some(3)));
}
