//! What Flawless decides and the words it decides in: pure, without IO, async or a clock.

pub mod alert;
pub mod blame;
pub mod command;
pub mod digest;
pub mod event;
pub mod ids;
pub mod markdown;
pub mod report;
pub mod repository;
