//! How alerts were taken, by repository.

use crate::View;
use serde::Serialize;

/// `GET /verdicts`.
#[derive(Clone, Debug, Serialize)]
pub struct Verdicts {
    /// Each repository with alerts that count, by name.
    pub repositories: Vec<VerdictsRow>,
}

/// A repository's alerts. Numbers with separators.
#[derive(Clone, Debug, Serialize)]
pub struct VerdictsRow {
    /// `owner/name`.
    pub name: String,
    /// Its handovers.
    pub url: String,
    /// Alerts that count.
    pub alerts: String,
    /// Those that stayed where they were told.
    pub accepted: String,
    /// Those that were handed on.
    pub refused: String,
    /// Share of the accepted ones, `96 %`.
    pub share: String,
}

impl View for Verdicts {
    const TEMPLATE: &'static str = "pages/verdicts.html";
    const SECTION: &'static str = "doctor";

    fn title(&self) -> String {
        "Accepted alerts".to_owned()
    }

    fn sample() -> Self {
        Self {
            repositories: vec![VerdictsRow {
                name: "acme/shop".to_owned(),
                url: "/acme/shop/handovers".to_owned(),
                alerts: "1,204".to_owned(),
                accepted: "1,156".to_owned(),
                refused: "48".to_owned(),
                share: "96 %".to_owned(),
            }],
        }
    }
}
