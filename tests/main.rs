//! Every story, in one binary.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]
#![expect(unreachable_pub, reason = "tests")]

mod access;
mod alerts;
mod beats;
mod clocks;
mod configuration;
mod connect;
mod database_outages;
mod doctor;
mod emulator;
mod faults;
mod github_api;
mod github_faults;
mod handovers;
mod harness;
mod hostile_text;
mod ingest;
mod issue_life;
mod keys;
mod labels;
mod leases;
mod live;
mod mails;
mod mirror_people;
mod mirrors;
mod overload;
mod pages;
mod people;
mod python_client;
mod queue;
mod reconcile;
mod recordings;
mod rust_client;
mod server_cases;
mod server_doors;
mod server_pages;
mod setup;
mod shadow;
mod storms;
mod stranger;
mod timekeeping;
mod verdicts;
mod webhook_examples;
mod whitelist;
mod workers;
