//! Everything that a person reads, by minijinja from `web/`.

mod alert;
mod asset;
mod detail;
mod engine;
mod facts;
mod format;
mod issue;
mod mail;
mod page;
mod reply;
mod sample;
mod status;
mod storm;
mod templates;
pub mod views;

pub use asset::asset;
pub use engine::RenderError;
pub use format::{beginning, end, file_line, function, thousands, when};
pub use issue::{Issue, issue};
pub use mail::{Mail, mail};
pub use page::{Layout, View, page};
pub use reply::reply;
pub use sample::alert as sample_alert;
pub use status::status_block;
pub use storm::{MailedLine, storm_issue, storm_mail};
