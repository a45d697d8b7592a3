//! What an application reports arrives as a server reads it. Reporting is one for a process, so
//! this is one test.
#![expect(clippy::unwrap_used, reason = "tests")]

mod receiver;

use std::thread;

use ingest_client::{Options, capture_error, init};
use receiver::{KEY, Server};
use serde_json::Value;

const RELEASE: &str = "89e6c98d92887913cadf06b2adb97f26cde4849b";

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
    let server = Server::start();
    let reporting = init(Options::with_dsn(server.dsn()).release(RELEASE)).unwrap();
    assert!(reporting.is_enabled());

    let (id, line) = place_order();
    let request = server.next();
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
    let event = server.next().event();
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
