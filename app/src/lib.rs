//! Flawless as a library: the services that `main` wires together. See ARCHITECTURE.md for the map.

pub mod clock;
pub mod commands;
pub mod config;
pub mod serve;
pub mod server;
pub mod steps;
pub mod vault;
pub mod worker;
