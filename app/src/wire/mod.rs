//! From bytes on the wire to reports.

pub mod auth;
pub mod digest;
pub mod encoding;
mod error;
mod lenient;
pub mod limits;
mod native;
mod repair;
pub mod sentry;
pub mod sentry_event;
pub mod traceback;

pub use error::WireError;
