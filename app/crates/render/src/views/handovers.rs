//! Whose lines were handed on to whom, in a repository.

use crate::View;
use serde::Serialize;

/// `GET /{owner}/{repo}/handovers`.
#[derive(Clone, Debug, Serialize)]
pub struct Handovers {
    /// `owner/name`.
    pub repository: String,
    /// Its page.
    pub repository_url: String,
    /// Where the forms that end a handover are posted to.
    pub end_action: String,
    /// The secret that forms carry.
    pub csrf: String,
    /// The reader may end them.
    pub may_edit: bool,
    /// Those in force first, then the latest.
    pub handovers: Vec<HandoverView>,
}

/// A handover.
#[derive(Clone, Debug, Serialize)]
pub struct HandoverView {
    /// Our number of it.
    pub id: i64,
    /// Whose lines.
    pub author: String,
    /// Of which file.
    pub path: String,
    /// Whose they are now; `None`: nobody was named.
    pub to: Option<String>,
    /// Who said so.
    pub by: String,
    /// When.
    pub when: String,
    /// The line of which it was said, as place and address of its traceback.
    pub line: Option<(String, String)>,
    /// How many lines it decided, with separators.
    pub used: String,
    /// Who ended it, and when; `None`: it is in force.
    pub ended: Option<String>,
}

impl View for Handovers {
    const TEMPLATE: &'static str = "pages/handovers.html";
    const SECTION: &'static str = "repositories";

    fn title(&self) -> String {
        format!("Handovers in {}", self.repository)
    }

    fn sample() -> Self {
        let handover = HandoverView {
            id: 7,
            author: "Ada Lovelace".to_owned(),
            path: "shop/cart.py".to_owned(),
            to: Some("linus".to_owned()),
            by: "ada".to_owned(),
            when: "2026-11-20 15:20 UTC".to_owned(),
            line: Some(("shop/cart.py:9".to_owned(), "/view_traceback?line=1".to_owned())),
            used: "3".to_owned(),
            ended: None,
        };
        let ended = HandoverView {
            to: None,
            line: None,
            ended: Some("grace, 2026-11-21 09:00 UTC".to_owned()),
            ..handover.clone()
        };
        Self {
            repository: "acme/shop".to_owned(),
            repository_url: "/acme/shop".to_owned(),
            end_action: "/handovers/end".to_owned(),
            csrf: "4f1c".to_owned(),
            may_edit: true,
            handovers: vec![handover, ended],
        }
    }
}
