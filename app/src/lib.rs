//! Flawless as a library: what `main` runs. See ARCHITECTURE.md for the map.

pub mod allocator;
pub mod client_address;
pub mod clock;
pub mod commands;
pub mod config;
pub mod data_dir;
pub mod log;
mod random;
pub mod serve;
pub mod server;
pub mod services;
pub mod steps;
pub mod terminal;
pub mod vault;
pub mod wiring;
pub mod worker;
