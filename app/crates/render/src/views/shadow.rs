//! What a repository in shadow mode would have sent.

use crate::View;
use serde::Serialize;

/// `GET /{owner}/{repo}/shadow`.
#[derive(Clone, Debug, Serialize)]
pub struct Shadow {
    /// `owner/name`.
    pub repository: String,
    /// Its page.
    pub repository_url: String,
    /// Whether it is in shadow mode.
    pub on: bool,
    /// Until when; `None`: until somebody ends it.
    pub until: Option<String>,
    /// Its file has the last word, and this is what it says.
    pub by_file: Option<bool>,
    /// Where the form that begins and ends it is posted to.
    pub action: String,
    /// The reader may begin and end it.
    pub may_set: bool,
    /// The secret that forms carry.
    pub csrf: String,
    /// What would have been sent, latest first.
    pub items: Vec<ShadowItem>,
    /// There are more than are listed.
    pub more: bool,
}

/// Something that would have been sent.
#[derive(Clone, Debug, Serialize)]
pub struct ShadowItem {
    /// When.
    pub at: String,
    /// `mail to ada@example.com`, `issue for Ada Lovelace`.
    pub what: String,
    /// Type of the exception.
    pub exception: String,
    /// `shop/cart.py:42`.
    pub place: String,
    /// Its function, where known.
    pub function: Option<String>,
    /// Why this person, or why it was sent.
    pub why: String,
    /// So many came at once that it would have been part of a storm.
    pub in_storm: bool,
    /// The whole text.
    pub preview_url: String,
}

/// `GET /{owner}/{repo}/shadow/{number}`.
#[derive(Clone, Debug, Serialize)]
pub struct ShadowPreview {
    /// `owner/name`.
    pub repository: String,
    /// The list.
    pub back_url: String,
    /// What it would have been, and for whom.
    pub what: String,
    /// Subject or title.
    pub heading: Option<String>,
    /// The text as it would have been sent.
    pub text: String,
}

impl View for Shadow {
    const TEMPLATE: &'static str = "pages/shadow.html";
    const SECTION: &'static str = "repositories";

    fn title(&self) -> String {
        format!("Shadow mode of {}", self.repository)
    }

    fn sample() -> Self {
        let item = |what: &str, why: &str, in_storm| ShadowItem {
            at: "2026-11-22 11:31 UTC".to_owned(),
            what: what.to_owned(),
            exception: "KeyError".to_owned(),
            place: "shop/cart.py:42".to_owned(),
            function: Some("total".to_owned()),
            why: why.to_owned(),
            in_storm,
            preview_url: "/acme/shop/shadow/12".to_owned(),
        };
        Self {
            repository: "acme/shop".to_owned(),
            repository_url: "/acme/shop".to_owned(),
            on: true,
            until: Some("2026-11-29 11:30 UTC".to_owned()),
            by_file: None,
            action: "/acme/shop/shadow".to_owned(),
            may_set: true,
            csrf: "c3NyZg".to_owned(),
            items: vec![
                item("mail to ada@example.com", "You wrote this line.", false),
                item("issue for Ada Lovelace", "a new line", true),
            ],
            more: true,
        }
    }
}

impl View for ShadowPreview {
    const TEMPLATE: &'static str = "pages/shadow_preview.html";
    const SECTION: &'static str = "repositories";

    fn title(&self) -> String {
        format!("Not sent: {}", self.what)
    }

    fn sample() -> Self {
        Self {
            repository: "acme/shop".to_owned(),
            back_url: "/acme/shop/shadow".to_owned(),
            what: "mail to ada@example.com".to_owned(),
            heading: Some("[acme/shop] KeyError in total (shop/cart.py:42)".to_owned()),
            text: "You wrote this line.\n\nKeyError: 'sku-1042'\n".to_owned(),
        }
    }
}
