//! The command `flawless-report`.

use std::process::ExitCode;

fn main() -> ExitCode {
    ingest_client::report::main()
}
