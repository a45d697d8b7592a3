//! Errors of anyhow, with and without a backtrace of their own. Reporting is one for a process, so
//! this is one test.
#![expect(clippy::unwrap_used, reason = "tests")]

mod receiver;

use std::process::Command;

use anyhow::{Context, anyhow, bail};
use ingest_client::{Options, capture_anyhow, init};
use receiver::Server;
use serde_json::Value;

/// Whether errors take backtraces; the standard library reads it once for a process.
const BACKTRACES: &str = "RUST_LIB_BACKTRACE";

/// Says to the test that it is run by itself, once with backtraces and once without.
const INNER: &str = "CHAINS_INNER";

#[inline(never)]
fn parsed() -> anyhow::Result<u32> {
    Ok("many".parse()?)
}

#[inline(never)]
fn with_context() -> anyhow::Result<u32> {
    "many".parse().context("no amount")
}

#[inline(never)]
fn made() -> anyhow::Result<u32> {
    Err(anyhow!("no amount"))
}

#[inline(never)]
fn bailed() -> anyhow::Result<u32> {
    bail!("no amount")
}

/// Makes an error, in a way of its own.
type Maker = fn() -> anyhow::Result<u32>;

fn innermost(event: &Value) -> (String, String) {
    let exceptions = event["exception"]["values"].as_array().unwrap();
    let frame = exceptions.last().unwrap()["stacktrace"]["frames"].as_array().unwrap().last().unwrap();
    let file = frame["abs_path"].as_str().unwrap_or("");
    assert!(frame["lineno"].is_u64(), "{frame}");
    let function = frame["function"].as_str().unwrap();
    (function.rsplit("::").next().unwrap().to_owned(), file.rsplit('/').next().unwrap().to_owned())
}

#[test]
fn a_chain_arrives_with_the_place_where_it_began() {
    let Ok(inner) = std::env::var(INNER) else {
        for value in ["1", "0"] {
            let name = "a_chain_arrives_with_the_place_where_it_began";
            let mut again = Command::new(std::env::current_exe().unwrap());
            again.args(["--exact", name, "--nocapture"]).env(BACKTRACES, value).env(INNER, value);
            let output = again.output().unwrap();
            assert!(output.status.success(), "{value}: {}", String::from_utf8_lossy(&output.stderr));
            assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"));
        }
        return;
    };
    let has_backtraces = inner == "1";
    let server = Server::start();
    let _reporting = init(Options::with_dsn(server.dsn())).unwrap();
    let makers: [(Maker, &str); 4] =
        [(parsed, "parsed"), (with_context, "with_context"), (made, "made"), (bailed, "bailed")];
    for (make, name) in makers {
        let error = make().context("can't place the order").unwrap_err();
        let id = capture_anyhow(&error);
        let event = server.next().event();
        assert_eq!(event["event_id"].as_str(), id.as_deref());
        let exceptions = event["exception"]["values"].as_array().unwrap();
        let texts: Vec<_> = exceptions.iter().map(|one| one["value"].as_str().unwrap()).collect();
        let expected: &[&str] = match name {
            "parsed" => &["invalid digit found in string", "can't place the order"],
            "with_context" => &["invalid digit found in string", "no amount", "can't place the order"],
            _ => &["no amount", "can't place the order"],
        };
        assert_eq!(texts, expected, "causes come first");
        let function = if has_backtraces { name } else { "a_chain_arrives_with_the_place_where_it_began" };
        assert_eq!(innermost(&event), (function.to_owned(), "chains.rs".to_owned()), "{name}");
    }
}
