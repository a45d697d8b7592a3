//! What an application reports arrives as a server reads it. Reporting is one for a process, so this is one test.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use ingest_client::{Options, capture_error, init};
use serde_json::Value;

const KEY: &str = "0123456789abcdef0123456789abcdef";
const RELEASE: &str = "89e6c98d92887913cadf06b2adb97f26cde4849b";
const PATIENCE: Duration = Duration::from_secs(20);

/// One request as it came over the wire.
struct Request {
    line: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Request {
    fn read(stream: &TcpStream) -> Request {
        let mut reader = BufReader::new(stream);
        let mut next = || {
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            line.trim_end().to_owned()
        };
        let line = next();
        let headers: Vec<(String, String)> = std::iter::repeat_with(&mut next)
            .take_while(|line| !line.is_empty())
            .filter_map(|line| line.split_once(": ").map(|(name, value)| (name.to_lowercase(), value.to_owned())))
            .collect();
        let mut request = Request { line, headers, body: Vec::new() };
        request.body.resize(request.header("content-length").parse().unwrap(), 0);
        reader.read_exact(&mut request.body).unwrap();
        request
    }

    fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    /// The event of the envelope: header line, item header line, event.
    fn event(&self) -> Value {
        let mut lines = self.body.split(|byte| *byte == b'\n');
        let _envelope_header: Value = serde_json::from_slice(lines.next().unwrap()).unwrap();
        let item: Value = serde_json::from_slice(lines.next().unwrap()).unwrap();
        assert_eq!(item["type"], "event");
        serde_json::from_slice(lines.next().unwrap()).unwrap()
    }
}

/// A server that takes what it is sent and answers 200; returns its DSN and what it received.
fn server() -> (String, Receiver<Request>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let dsn = format!("http://{KEY}@{}/7", listener.local_addr().unwrap());
    let (sender, received) = channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let request = Request::read(&stream);
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}").unwrap();
            if sender.send(request).is_err() {
                return;
            }
        }
    });
    (dsn, received)
}

#[derive(Debug)]
struct OrderFailed(std::num::ParseIntError);

impl std::fmt::Display for OrderFailed {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "the order has no amount")
    }
}

impl std::error::Error for OrderFailed {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

/// Reports one error; its line is the one before the report.
#[inline(never)]
fn place_order() -> (Option<String>, u32) {
    let error = OrderFailed("many".parse::<u32>().unwrap_err());
    (capture_error(&error), line!())
}

fn innermost(exception: &Value) -> &Value {
    exception["stacktrace"]["frames"].as_array().unwrap().last().unwrap()
}

#[test]
fn an_error_and_a_panic_arrive_with_type_chain_key_release_and_line() {
    let (dsn, received) = server();
    let reporting = init(Options::with_dsn(dsn).release(RELEASE)).unwrap();
    assert!(reporting.is_enabled());

    let (id, line) = place_order();
    let request = received.recv_timeout(PATIENCE).unwrap();
    assert_eq!(request.line, "POST /api/7/envelope/ HTTP/1.1");
    let auth = request.header("x-sentry-auth");
    assert!(auth.starts_with("Sentry ") && auth.contains(&format!("sentry_key={KEY}")), "{auth}");
    let event = request.event();
    assert_eq!(event["event_id"].as_str(), id.as_deref());
    assert_eq!(event["release"], RELEASE);
    assert!(event["server_name"].as_str().is_some_and(|name| !name.is_empty()), "{event}");
    let exceptions = event["exception"]["values"].as_array().unwrap();
    let texts: Vec<_> = exceptions.iter().map(|one| (one["type"].as_str().unwrap(), one["value"].clone())).collect();
    assert_eq!(
        texts,
        [
            ("ParseIntError", Value::from("invalid digit found in string")),
            ("OrderFailed", Value::from("the order has no amount")),
        ],
        "causes come first"
    );
    let frame = innermost(&exceptions[1]);
    assert_eq!(frame["function"], "arrives::place_order");
    assert_eq!(frame["lineno"], line);
    assert!(frame["abs_path"].as_str().unwrap().ends_with("ingest-client/tests/arrives.rs"), "{frame}");

    assert!(thread::spawn(|| panic!("no change left")).join().is_err());
    let event = received.recv_timeout(PATIENCE).unwrap().event();
    let exception = &event["exception"]["values"][0];
    assert_eq!((&exception["type"], &exception["value"]), (&"panic".into(), &"no change left".into()));
    assert_eq!(exception["mechanism"]["handled"], false);
    assert_eq!(event["release"], RELEASE);
    let frames = exception["stacktrace"]["frames"].as_array().unwrap();
    let own = frames.iter().any(|frame| {
        frame["abs_path"].as_str().is_some_and(|path| path.ends_with("tests/arrives.rs")) && frame["lineno"].is_u64()
    });
    assert!(own, "{frames:?}");
}
