//! The `app` command.

fn main() {}
