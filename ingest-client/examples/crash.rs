//! A program that reports one error, then panics:
//! `FLAWLESS_DSN=… cargo run -p ingest-client --example crash`.
#![expect(clippy::print_stderr, reason = "an example talks to a person")]

use std::collections::HashMap;

/// An order that names what the shop does not sell.
#[derive(Debug)]
struct UnknownItem(&'static str);

impl std::fmt::Display for UnknownItem {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{} is not for sale", self.0)
    }
}

impl std::error::Error for UnknownItem {}

fn price(prices: &HashMap<&str, u32>, item: &'static str) -> Option<u32> {
    let price = prices.get(item).copied();
    if price.is_none() {
        match ingest_client::capture_error(&UnknownItem(item)) {
            Some(id) => eprintln!("reported as {id}"),
            None => eprintln!("not reported: set FLAWLESS_DSN to the address that the repository's page shows"),
        }
    }
    price
}

fn main() -> Result<(), ingest_client::InitError> {
    let _reporting = ingest_client::init(ingest_client::Options::default())?;
    let prices = HashMap::from([("tea", 3), ("milk", 1)]);
    let total: u32 = ["tea", "coffee"].into_iter().filter_map(|item| price(&prices, item)).sum();
    let customers = std::env::args().skip(1).count() as u32;
    // Without arguments nobody came, and this is the line to blame.
    let each = total / customers;
    eprintln!("each pays {each}");
    Ok(())
}
