//! What the doctor found.

use crate::View;
use serde::Serialize;

/// `GET /doctor`.
#[derive(Clone, Debug, Serialize)]
pub struct Doctor {
    /// Things that do not work.
    pub failures: usize,
    /// Things to look at.
    pub warnings: usize,
    /// Everything that was looked at.
    pub findings: Vec<FindingView>,
}

/// One thing that was looked at.
#[derive(Clone, Debug, Serialize)]
pub struct FindingView {
    /// What it is about.
    pub about: String,
    /// `good`, `busy` (to look at) or `bad`: the colour of its dot.
    pub level: &'static str,
    /// What is.
    pub what: String,
    /// What to do.
    pub todo: Option<String>,
}

impl View for Doctor {
    const TEMPLATE: &'static str = "pages/doctor.html";
    const SECTION: &'static str = "doctor";

    fn title(&self) -> String {
        "Doctor".to_owned()
    }

    fn sample() -> Self {
        let finding = |about: &str, level, what: &str, todo: Option<&str>| FindingView {
            about: about.to_owned(),
            level,
            what: what.to_owned(),
            todo: todo.map(str::to_owned),
        };
        Self {
            failures: 1,
            warnings: 1,
            findings: vec![
                finding("database", "good", "it answers", None),
                finding(
                    "installation acme",
                    "bad",
                    "it has not accepted the permissions issues: write",
                    Some("An owner of the account accepts them."),
                ),
                finding(
                    "acme/shop",
                    "busy",
                    "shadow mode: nothing is sent",
                    Some("End it on the repository's page, when you trust it."),
                ),
            ],
        }
    }
}
