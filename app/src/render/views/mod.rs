//! What each page shows: plain values, prepared by the server.

mod known_error;
mod notice;
mod repository;
mod setup;
mod traceback;
mod weekly;

pub use super::alert::{AlertView, AuthorView, CallView, CodeLine, ExceptionView, LocalsView, Pair, Step};
pub use known_error::{Field, KnownErrorFields, KnownErrorForm, KnownErrorSaved, Match};
pub use notice::{Check, Health, Login, Message};
pub use repository::{MirrorView, OpenLine, Repositories, RepositoryPage, RepositoryRow, RuleView, SettingsError};
pub use setup::{Permission, Setup, SetupState};
pub use traceback::Traceback;
pub use weekly::{IssueLink, LineStatus, Link, Toggle, Weekly, WeeklyAuthor, WeeklyLine};
