//! Flawless as a library: the services that `main` wires together. See ARCHITECTURE.md for the map.

pub mod clock;
pub mod code;
pub mod commands;
pub mod config;
pub mod domain;
pub mod email;
pub mod github;
pub mod mirror;
pub mod render;
pub mod serve;
pub mod server;
pub mod steps;
pub mod store;
pub mod vault;
pub mod wire;
pub mod worker;
