//! The doctor's page: what `flawless check` says, for the admin.

use crate::server::page::Page;
use crate::server::state::AllClocks;
use crate::server::visitor::Admin;
use crate::services::doctor;
use axum::extract::State;
use domain::finding::{Finding, Level};
use render::views::{Doctor, FindingView};

/// `GET /doctor`.
pub(super) async fn doctor(
    State(doctor): State<doctor::Doctor>,
    AllClocks(clocks): AllClocks,
    Admin(session): Admin,
) -> Page<Doctor> {
    let found = doctor.examine(clocks).await;
    let count = |level: Level| found.iter().filter(|finding| finding.level == level).count();
    let view = Doctor {
        failures: count(Level::Failure),
        warnings: count(Level::Warning),
        findings: found.iter().map(shown).collect(),
    };
    Page(Some(session), view)
}

fn shown(finding: &Finding) -> FindingView {
    FindingView {
        about: finding.about.clone(),
        level: match finding.level {
            Level::Fine => "good",
            Level::Warning => "busy",
            Level::Failure => "bad",
        },
        what: finding.what.clone(),
        todo: finding.todo.clone(),
    }
}
