//! What each page shows: plain values, prepared by the server.

mod connect;
mod doctor;
mod handovers;
mod installed;
mod known_error;
mod not_me;
mod notice;
mod repository;
mod sessions;
mod setup;
mod shadow;
mod traceback;
mod verdicts;
mod weekly;
mod whitelist;

pub use super::alert::{AlertView, AuthorView, CallView, CodeLine, ExceptionView, LocalsView, Pair, Step};
pub use connect::{Again, Arrival, Connect, Dsn, KeyView, RefusalView, TestReportView};
pub use doctor::{Doctor, FindingView};
pub use handovers::{HandoverView, Handovers};
pub use installed::{Installed, InstalledRepository};
pub use known_error::{Field, KnownErrorFields, KnownErrorForm, KnownErrorSaved, Match, Purpose};
pub use not_me::NotMe;
pub use notice::{Check, Health, Login, Message};
pub use repository::{MirrorView, OpenLine, Repositories, RepositoryPage, RepositoryRow, SettingsError};
pub use sessions::{SessionView, Sessions};
pub use setup::{Permission, Setup, SetupState};
pub use shadow::{Shadow, ShadowItem, ShadowPreview};
pub use traceback::Traceback;
pub use verdicts::{Verdicts, VerdictsRow};
pub use weekly::{IssueLink, LineStatus, Link, Toggle, Weekly, WeeklyAuthor, WeeklyLine};
pub use whitelist::{Covers, EndedEntry, Silenced, Whitelist, WhitelistEntry};
