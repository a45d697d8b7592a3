//! Every story and the house rules, in one binary.
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::print_stderr, missing_docs, reason = "tests")]

mod harness;
mod recordings;
mod tidy;
