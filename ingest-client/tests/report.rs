//! `flawless-report` as a real process: it changes nothing of the command it runs, and loses no report while the server
//! is down.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests")]
#![cfg(unix)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

const KEY: &str = "0123456789abcdef0123456789abcdef";
const TRACEBACK: &str = "Traceback (most recent call last):\n  File \"cart.py\", line 3, in total\n    price = prices[sku]\nKeyError: 'quince'\n";

/// What came over the wire: the request's line, its headers and its body.
#[derive(Clone, Debug)]
struct Request {
    line: String,
    headers: String,
    body: Vec<u8>,
}

/// A server that answers each request by a function of its body, until the test ends.
struct Server {
    dsn: String,
    received: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    fn start(answer: impl Fn(&[u8]) -> &'static str + Send + 'static) -> Self {
        Self::at(TcpListener::bind("127.0.0.1:0").unwrap(), answer)
    }

    fn at(listener: TcpListener, answer: impl Fn(&[u8]) -> &'static str + Send + 'static) -> Self {
        let dsn = format!("http://{KEY}@{}/7", listener.local_addr().unwrap());
        let received = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&received);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let request = read(&stream);
                let status = answer(&request.body);
                let body = if status.starts_with("200") { "{\"id\":\"abc\"}" } else { "{\"detail\":\"no, because\"}" };
                kept.lock().unwrap().push(request);
                let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
                let _ = stream.write_all(format!("{head}{body}").as_bytes());
            }
        });
        Self { dsn, received }
    }

    fn ok() -> Self {
        Self::start(|_| "200 OK")
    }

    fn received(&self) -> Vec<Request> {
        self.received.lock().unwrap().clone()
    }
}

fn read(stream: &TcpStream) -> Request {
    let mut reader = BufReader::new(stream);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if line.trim_end().is_empty() {
            break;
        }
        lines.push(line.trim_end().to_owned());
    }
    let headers = lines[1..].join("\n").to_lowercase();
    let length = headers.split("content-length: ").nth(1).unwrap().lines().next().unwrap().parse().unwrap();
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    Request { line: lines[0].clone(), headers, body }
}

/// A DSN at which nobody listens.
fn nobody() -> (String, std::net::SocketAddr) {
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    (format!("http://{KEY}@{address}/7"), address)
}

fn command(dsn: &str, spool: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_flawless-report"));
    command.env_clear().envs(std::env::vars_os().filter(|(name, _)| name == "PATH" || name == "LLVM_PROFILE_FILE"));
    command.env("FLAWLESS_DSN", dsn).env("FLAWLESS_SPOOL", spool).env("FLAWLESS_RELEASE", "v1.2+3 x");
    command.args(arguments).stdin(Stdio::null());
    command
}

fn run(dsn: &str, spool: &Path, arguments: &[&str]) -> Output {
    command(dsn, spool, arguments).output().unwrap()
}

fn script(text: &str) -> [&str; 5] {
    ["run", "--", "sh", "-c", text]
}

fn waiting(spool: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(spool) else { return Vec::new() };
    let mut all: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    all.retain(|path| path.extension().is_some_and(|ending| ending == "report"));
    all.sort();
    all
}

#[test]
fn a_failing_commands_traceback_is_reported_and_nothing_of_it_is_changed() {
    let (server, folder) = (Server::ok(), tempfile::tempdir().unwrap());
    let text = format!("echo out; printf '%s' \"{}\" >&2; exit 3", TRACEBACK.replace('"', "\\\""));
    let output = run(&server.dsn, folder.path(), &script(&text));
    assert_eq!(output.status.code(), Some(3));
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "out\n");
    assert_eq!(String::from_utf8(output.stderr).unwrap(), TRACEBACK, "not a word of ours");
    let received = server.received();
    assert_eq!(received.len(), 1);
    assert!(received[0].line.starts_with("POST /api/7/traceback?release=v1.2%2B3%20x"), "{}", received[0].line);
    assert!(received[0].headers.contains(&format!("authorization: bearer {KEY}")), "{}", received[0].headers);
    assert_eq!(received[0].body, TRACEBACK.as_bytes());
}

#[test]
fn exit_codes_are_the_commands_own() {
    let (server, folder) = (Server::ok(), tempfile::tempdir().unwrap());
    for (text, code) in [("exit 0", 0), ("exit 42", 42), ("kill -TERM $$", 128 + 15), ("kill -KILL $$", 128 + 9)] {
        assert_eq!(run(&server.dsn, folder.path(), &script(text)).status.code(), Some(code), "{text}");
    }
    let missing = run(&server.dsn, folder.path(), &["run", "--", "no-such-program"]);
    assert_eq!(missing.status.code(), Some(127));
    assert!(String::from_utf8(missing.stderr).unwrap().contains("no-such-program"));
    let file = folder.path().join("no-program");
    std::fs::write(&file, "").unwrap();
    assert_eq!(run(&server.dsn, folder.path(), &["run", file.to_str().unwrap()]).status.code(), Some(126));
    assert_eq!(run(&server.dsn, folder.path(), &["run"]).status.code(), Some(125));
    // A traceback of a command that went well all the same, and a failure without one.
    run(&server.dsn, folder.path(), &script(&format!("printf '%s' \"{}\" >&2", TRACEBACK.replace('"', "\\\""))));
    assert!(server.received().is_empty(), "{:?}", server.received());
}

#[test]
fn without_a_dsn_the_command_runs_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let text = format!("printf '%s' \"{}\" >&2; exit 4", TRACEBACK.replace('"', "\\\""));
    for (dsn, said) in [("", "set FLAWLESS_DSN"), ("https://errors.example.com/7", "it has no key")] {
        let output = run(dsn, folder.path(), &script(&text));
        assert_eq!(output.status.code(), Some(4));
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(stderr.starts_with(TRACEBACK) && stderr.contains(said), "{stderr}");
    }
}

#[test]
fn megabytes_of_any_bytes_pass_through_as_they_come() {
    let (server, folder) = (Server::ok(), tempfile::tempdir().unwrap());
    let bytes: Vec<u8> = (0..10_000_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let file = folder.path().join("bytes");
    std::fs::write(&file, &bytes).unwrap();
    let last = TRACEBACK.replace('"', "\\\"");
    let text = format!("cat {0} >&2; cat {0}; printf '%s' \"{last}\" >&2; exit 1", file.display());
    let output = run(&server.dsn, &folder.path().join("spool"), &script(&text));
    assert!(output.stdout == bytes && output.stderr == [&bytes, TRACEBACK.as_bytes()].concat());
    let received = server.received();
    assert!(received[0].body.len() <= 1 << 20 && received[0].body.ends_with(TRACEBACK.as_bytes()));
}

#[test]
fn standard_output_is_looked_through_on_request() {
    let (server, folder) = (Server::ok(), tempfile::tempdir().unwrap());
    let text = format!("printf '%s' \"{}\"; exit 1", TRACEBACK.replace('"', "\\\""));
    run(&server.dsn, folder.path(), &["run", "--", "sh", "-c", &text]);
    assert!(server.received().is_empty());
    let output = run(&server.dsn, folder.path(), &["run", "--stdout", "--", "sh", "-c", &text]);
    assert_eq!((output.status.code(), output.stdout), (Some(1), TRACEBACK.as_bytes().to_vec()));
    assert_eq!(server.received().len(), 1);
}

#[test]
fn what_stays_in_the_background_holds_nothing_up() {
    let (server, folder) = (Server::ok(), tempfile::tempdir().unwrap());
    let began = Instant::now();
    let text = format!("sleep 30 & printf '%s' \"{}\" >&2; exit 5", TRACEBACK.replace('"', "\\\""));
    let status = command(&server.dsn, folder.path(), &script(&text))
        .stderr(Stdio::null())
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert_eq!(status.code(), Some(5));
    assert!(began.elapsed() < Duration::from_secs(20), "it waited {:?}", began.elapsed());
    assert_eq!(server.received().len(), 1);
}

#[test]
fn a_signal_that_asks_for_the_end_reaches_the_command() {
    let (server, folder) = (Server::ok(), tempfile::tempdir().unwrap());
    let text = "trap 'echo asked; exit 7' TERM; echo ready; while :; do sleep 0.05; done";
    let mut child = command(&server.dsn, folder.path(), &script(text)).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert_eq!(lines.next().unwrap().unwrap(), "ready");
    assert!(Command::new("kill").arg(child.id().to_string()).status().unwrap().success());
    assert_eq!(lines.next().unwrap().unwrap(), "asked");
    assert_eq!(child.wait().unwrap().code(), Some(7));
}

#[test]
fn a_server_that_is_down_gets_the_report_once_it_is_up() {
    let folder = tempfile::tempdir().unwrap();
    let spool = folder.path().join("state/spool");
    let (dsn, address) = nobody();
    let text = format!("printf '%s' \"{}\" >&2; exit 3", TRACEBACK.replace('"', "\\\""));
    for _ in 0..3 {
        let output = run(&dsn, &spool, &script(&text));
        assert_eq!(output.status.code(), Some(3));
        assert!(String::from_utf8(output.stderr).unwrap().contains("kept for later in"));
    }
    assert_eq!(waiting(&spool).len(), 3);
    assert_eq!(run(&dsn, &spool, &["flush"]).status.code(), Some(1), "still down");

    let server = Server::at(TcpListener::bind(address).unwrap(), |_| "200 OK");
    // Two at once: each report leaves once.
    let others: Vec<_> = (0..2).map(|_| command(&dsn, &spool, &["flush"]).spawn().unwrap()).collect();
    for mut other in others {
        other.wait().unwrap();
    }
    run(&dsn, &spool, &["flush"]);
    let received = server.received();
    assert_eq!(received.len(), 3);
    assert!(received.iter().all(|request| request.body == TRACEBACK.as_bytes()));
    assert!(received[0].line.contains("release=v1.2%2B3%20x"), "the release of then: {}", received[0].line);
    assert!(waiting(&spool).is_empty());
}

#[test]
fn what_the_server_refuses_for_good_is_said_and_blocks_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let spool = folder.path().join("spool");
    let (dsn, address) = nobody();
    for text in ["poison", "sound"] {
        let file = folder.path().join(text);
        std::fs::write(&file, text).unwrap();
        assert!(run(&dsn, &spool, &["send", file.to_str().unwrap()]).status.success(), "kept");
    }
    let server =
        Server::at(
            TcpListener::bind(address).unwrap(),
            |body| {
                if body == b"poison" { "400 Bad Request" } else { "200 OK" }
            },
        );
    let refused = run(&dsn, &spool, &["send", folder.path().join("poison").to_str().unwrap()]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8(refused.stderr).unwrap().contains("400: no, because"));
    let flushed = run(&dsn, &spool, &["flush"]);
    assert!(String::from_utf8(flushed.stderr).unwrap().contains("set aside"), "and why");
    assert!(waiting(&spool).is_empty());
    assert_eq!(waiting(&spool.join("refused")).len(), 1);
    assert_eq!(server.received().iter().filter(|request| request.body == b"sound").count(), 1);
}

#[test]
fn a_server_that_is_not_itself_is_asked_again_later() {
    let folder = tempfile::tempdir().unwrap();
    for status in ["503 Service Unavailable", "429 Too Many Requests"] {
        let server = Server::start(move |_| status);
        let spool = folder.path().join(&status[..3]);
        let mut child = command(&server.dsn, &spool, &["send"]).stdin(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(TRACEBACK.as_bytes()).unwrap();
        assert!(child.wait().unwrap().success());
        assert_eq!(waiting(&spool).len(), 1, "{status}");
    }
}
