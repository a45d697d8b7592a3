//! A small HTTP server that takes what it is sent, and remembers it.
#![allow(dead_code, unreachable_pub, reason = "each test uses some of it")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use serde_json::Value;

pub const KEY: &str = "0123456789abcdef0123456789abcdef";
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Long enough for what must not come.
const QUIET: Duration = Duration::from_millis(300);

/// One request as it came over the wire.
pub struct Request {
    pub line: String,
    headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Request {
    /// None where a connection ended without one.
    fn read(stream: &TcpStream) -> Option<Request> {
        let mut reader = BufReader::new(stream);
        let mut next = || {
            let mut line = String::new();
            reader.read_line(&mut line).ok().map(|_| line.trim_end().to_owned())
        };
        let line = next().filter(|line| !line.is_empty())?;
        let mut headers = Vec::new();
        while let Some((name, value)) = next()?.split_once(": ") {
            headers.push((name.to_lowercase(), value.to_owned()));
        }
        let mut request = Request { line, headers, body: Vec::new() };
        request.body.resize(request.header("content-length").parse().ok()?, 0);
        reader.read_exact(&mut request.body).ok()?;
        Some(request)
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The event of the envelope: header line, item header line, event.
    pub fn event(&self) -> Value {
        let mut lines = self.body.split(|byte| *byte == b'\n');
        let _envelope_header: Value = serde_json::from_slice(lines.next().unwrap()).unwrap();
        let item: Value = serde_json::from_slice(lines.next().unwrap()).unwrap();
        assert_eq!(item["type"], "event");
        serde_json::from_slice(lines.next().unwrap()).unwrap()
    }
}

/// Requests that arrive from now on, all answered the same way.
pub struct Server {
    pub address: SocketAddr,
    received: Receiver<Request>,
}

impl Server {
    pub fn start() -> Self {
        Self::answering(200, "{}")
    }

    pub fn answering(status: u16, body: &'static str) -> Self {
        Self::at(TcpListener::bind("127.0.0.1:0").unwrap(), status, body, Duration::ZERO)
    }

    /// At an address where there was none, taking `time` for each answer.
    pub fn at(listener: TcpListener, status: u16, body: &'static str, time: Duration) -> Self {
        let address = listener.local_addr().unwrap();
        let (sender, received) = channel();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (mut stream, sender) = (stream.unwrap(), sender.clone());
                thread::spawn(move || {
                    let Some(request) = Request::read(&stream) else { return };
                    let _ = sender.send(request);
                    thread::sleep(time);
                    let head = format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\nConnection: close", body.len());
                    let _ = stream.write_all(format!("{head}\r\n\r\n{body}").as_bytes());
                });
            }
        });
        Self { address, received }
    }

    pub fn dsn(&self) -> String {
        format!("http://{KEY}@{}/7", self.address)
    }

    pub fn next(&self) -> Request {
        self.received.recv_timeout(PATIENCE).unwrap()
    }

    /// Nothing came that was not looked at.
    pub fn assert_quiet(&self) {
        match self.received.recv_timeout(QUIET) {
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => panic!("the server ended"),
            Ok(request) => panic!("unexpected: {} {}", request.line, request.text()),
        }
    }
}

/// An address where nobody listens, and can be listened at later.
pub fn nobody() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}
