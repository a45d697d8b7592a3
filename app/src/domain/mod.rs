//! What Flawless decides and the words it decides in: pure, without IO, async or a clock.

pub mod alert;
pub mod attribution;
pub mod blame;
pub mod command;
pub mod culprit;
pub mod decision;
pub mod digest;
pub mod drift;
pub mod event;
pub mod ids;
pub mod job;
pub mod line;
pub mod links;
pub mod markdown;
pub mod pace;
pub mod rehearsal;
pub mod report;
pub mod repository;
pub mod routing;
pub mod rule;
pub mod scrub;
pub mod settings;
pub mod signature;
pub mod storm;
pub mod telling;
pub mod week;
