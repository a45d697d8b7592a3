//! What each page shows: plain values, prepared by the server.

mod connect;
mod known_error;
mod notice;
mod repository;
mod traceback;
mod weekly;

pub use super::alert::{AlertView, AuthorView, CallView, CodeLine, ExceptionView, LocalsView, Pair, Step};
pub use connect::{Again, Arrival, Connect, Dsn, KeyView, RefusalView, TestReport};
pub use known_error::{Field, KnownErrorFields, KnownErrorForm, KnownErrorSaved, Match};
pub use notice::{Check, Health, Login, Message, Setup, Variable};
pub use repository::{MirrorView, OpenLine, Repositories, RepositoryPage, RepositoryRow, RuleView, SettingsError};
pub use traceback::Traceback;
pub use weekly::{IssueLink, LineStatus, Link, Toggle, Weekly, WeeklyAuthor, WeeklyLine};
