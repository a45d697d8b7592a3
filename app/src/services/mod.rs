//! What several steps and pages share. Nothing here knows a step; each struct holds the few handles
//! that it uses.

mod asked_commits;
mod blocking;
mod caught;
mod counts;
mod crew;
mod ended;
mod epoch;
mod failure;
mod latest_report;
mod scrub_rules;
mod site;
mod store_log;
mod wake;

pub mod admin_token;
pub mod alert_content;
pub mod deleted_labels;
pub mod doctor;
pub mod fetches;
pub mod github_app;
pub mod handovers;
pub mod ingest_keys;
pub mod installed;
pub mod kept;
pub mod messages;
pub mod mirror_sync;
pub mod own_routes;
pub mod readiness;
pub mod recipients;
pub mod refusals;
pub mod repositories;
pub mod rules;
pub mod sessions;
pub mod shadow;
pub mod standings;
pub mod test_report;
pub mod vitals;

pub use asked_commits::{Asked, AskedCommits};
pub use blocking::blocking;
pub use caught::{Panic, begin_anew_after, caught};
pub use counts::Counts;
pub use crew::{Crew, OnDuty};
pub use ended::{Ended, first_failed};
pub use epoch::Epoch;
pub(crate) use failure::{Attempt, Settled, attempt_after, settle};
pub use failure::{Cause, Failure};
pub use latest_report::{LatestReport, latest_report, latest_report_before};
pub use scrub_rules::{RulesOf, ScrubRules};
pub use site::Site;
pub use store_log::{log_store_error, log_trouble};
pub use wake::Wake;
