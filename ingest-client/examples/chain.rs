//! A chain of errors with the backtrace of the first:
//! `RUST_LIB_BACKTRACE=1 FLAWLESS_DSN=… cargo run -p ingest-client --features anyhow --example chain`.
#![expect(clippy::print_stderr, reason = "an example talks to a person")]

use anyhow::Context;

fn amount(text: &str) -> anyhow::Result<u32> {
    // With RUST_LIB_BACKTRACE=1 this is the line to blame, although the error is reported in main.
    text.parse().with_context(|| format!("{text:?} is no amount"))
}

fn order() -> anyhow::Result<u32> {
    amount("many").context("can't place the order")
}

fn main() -> Result<(), ingest_client::InitError> {
    let _reporting = ingest_client::init(ingest_client::Options::default())?;
    if let Err(error) = order() {
        match ingest_client::capture_anyhow(&error) {
            Some(id) => eprintln!("{error:#}: reported as {id}"),
            None => {
                eprintln!("{error:#}: not reported: set FLAWLESS_DSN to the address that the repository's page shows")
            }
        }
    }
    Ok(())
}
