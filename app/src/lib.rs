//! Flawless as a library: the rooms that `main` wires together. See ARCHITECTURE.md for the map.

pub mod clock;
pub mod code;
pub mod commands;
pub mod config;
pub mod domain;
pub mod email;
pub mod github;
pub mod mirror;
pub mod pipeline;
pub mod render;
pub mod serve;
pub mod server;
pub mod store;
pub mod vault;
pub mod wire;
pub mod worker;
