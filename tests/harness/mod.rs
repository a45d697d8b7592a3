//! What stories are told with: fakes of the outside world, real servers on loopback.

pub mod application;
pub mod browser;
mod databases;
pub mod emulator;
pub mod encrypted_mail;
pub mod fake_github;
pub mod git_server;
pub mod jobs;
pub mod scenes;
pub(crate) mod smtp;
pub mod story;
pub mod switchboard;
mod transcript;

pub use git_fixture as git_repo;
