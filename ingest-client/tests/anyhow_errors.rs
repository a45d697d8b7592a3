//! An error of anyhow is blamed where it was made, not where it was reported. The stack is only taken where
//! `RUST_LIB_BACKTRACE` says so when the program starts, so this runs itself once more.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::process::Command;

use anyhow::Context;
use ingest_client::{Options, capture_anyhow, flush, init};
use serde_json::Value;
use std::time::Duration;

const KEY: &str = "0123456789abcdef0123456789abcdef";
const CHILD: &str = "FLAWLESS_TEST_DSN_OF_CHILD";

#[inline(never)]
fn weigh(text: &str) -> anyhow::Result<u32> {
    text.parse::<u32>().context("the scales say nothing")
}

#[test]
fn the_stack_is_of_where_the_error_was_made() {
    if let Ok(dsn) = std::env::var(CHILD) {
        let _reporting = init(Options::with_dsn(dsn)).unwrap();
        let error = weigh("heavy").unwrap_err();
        assert!(capture_anyhow(&error).is_some());
        assert!(flush(Duration::from_secs(10)));
        return;
    }
    for (backtrace, function) in [("1", "weigh"), ("0", "the_stack_is_of_where_the_error_was_made")] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let dsn = format!("http://{KEY}@{}/7", listener.local_addr().unwrap());
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "the_stack_is_of_where_the_error_was_made"])
            .env(CHILD, dsn)
            .env("RUST_LIB_BACKTRACE", backtrace)
            .spawn()
            .unwrap();
        let (mut stream, _) = listener.accept().unwrap();
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let mut length = 0;
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            if let Some(number) = line.to_lowercase().strip_prefix("content-length: ") {
                length = number.trim().parse().unwrap();
            }
            if line.trim().is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}").unwrap();
        assert!(child.wait().unwrap().success());
        let event: Value = serde_json::from_slice(body.split(|byte| *byte == b'\n').nth(2).unwrap()).unwrap();
        let chain = event["exception"]["values"].as_array().unwrap();
        assert_eq!(chain[0]["type"], "ParseIntError");
        assert_eq!(chain[1]["value"], "the scales say nothing");
        let frames = chain[1]["stacktrace"]["frames"].as_array().unwrap();
        let own = frames.iter().rev().find(|frame| {
            frame["abs_path"]
                .as_str()
                .or(frame["filename"].as_str())
                .is_some_and(|path| path.ends_with("anyhow_errors.rs"))
        });
        let named = own.unwrap()["function"].as_str().unwrap().to_owned();
        assert!(named.contains(function), "RUST_LIB_BACKTRACE={backtrace}: {named}");
    }
}
