//! The latest traceback of a line, as the alert's mail tells it.

use super::line::LineStatus;
use crate::View;
use crate::alert::AlertView;
use crate::detail::DETAILS;
use crate::facts::Medium;
use crate::format::headline;
use crate::sample;
use domain::alert::Alert;
use serde::Serialize;

/// `GET /view_traceback`.
#[derive(Clone, Debug, Serialize)]
pub struct Traceback {
    /// The line, as an alert of its latest occurrence would tell it.
    pub alert: AlertView,
    /// What became of the line.
    pub status: LineStatus,
    /// When the traceback shown was reported; `None`: it is no longer stored.
    pub occurred: Option<String>,
    /// Title of the window.
    title: String,
}

impl Traceback {
    /// The page of an alert. `occurred` as [`crate::when`] writes it.
    pub fn new(alert: &Alert, status: LineStatus, occurred: Option<String>) -> Self {
        let view = AlertView::new(alert, &DETAILS[0], Medium::Page, false);
        Self {
            title: headline(&view.exception, view.function.as_deref(), &view.place, MOST_TITLE_CHARS),
            alert: view,
            status,
            occurred,
        }
    }
}

/// Titles of windows are cut off long before.
const MOST_TITLE_CHARS: usize = 160;

impl View for Traceback {
    const TEMPLATE: &'static str = "pages/traceback.html";

    fn title(&self) -> String {
        self.title.clone()
    }

    fn sample() -> Self {
        Self::new(&sample::alert(), LineStatus::Open, Some("2026-11-22 15:23 UTC".to_owned()))
    }
}
