//! GitHub by octocrab: what the App asks, does and hears there.

mod answer;
mod client;
mod clock;
mod comments;
mod doubles;
mod error;
mod events;
pub mod hook;
mod install;
mod issues;
mod jwt;
mod key;
mod known_names;
mod labels;
mod limits;
pub mod manifest;
mod missed_webhooks;
mod moment;
mod people;
mod pulls;
mod repositories;
mod route;
mod since;
mod token;
pub mod user;

pub use client::{DEFAULT_API_URL, GitHub, Settings};
pub use clock::TimeSource;
pub use comments::FoundComment;
pub use doubles::{DoubleReason, bears};
pub use error::GitHubError;
pub use events::{Closing, IssueEvent};
pub use install::{Installation, Itself};
pub use issues::{CreatedIssue, FoundIssue, IssueState, IssueUpdate, NewIssue};
pub use missed_webhooks::HookDelivery;
pub use people::Account;
pub use repositories::RemoteRepository;
