//! The form by which somebody says that a line is not theirs.

use crate::View;
use serde::Serialize;

/// `GET /not_me`.
#[derive(Clone, Debug, Serialize)]
pub struct NotMe {
    /// `owner/name`.
    pub repository: String,
    /// Where the form is posted to.
    pub action: String,
    /// Fields that carry the line and the right.
    pub hidden: Vec<(String, String)>,
    /// `shop/cart.py:9`.
    pub place: String,
    /// Its file.
    pub path: String,
    /// Who wrote the line, where known.
    pub author: Option<String>,
    /// What was typed into "who then?".
    pub who: String,
    /// The way to sign in, for who was admitted by a link alone and can't name somebody new.
    pub sign_in: Option<String>,
    /// What is wrong with it.
    pub error: Option<String>,
}

impl View for NotMe {
    const TEMPLATE: &'static str = "pages/not_me.html";
    const SECTION: &'static str = "repositories";

    fn title(&self) -> String {
        format!("Hand {} on", self.place)
    }

    fn sample() -> Self {
        Self {
            repository: "acme/shop".to_owned(),
            action: "/not_me".to_owned(),
            hidden: vec![("repo".to_owned(), "acme/shop".to_owned())],
            place: "shop/cart.py:9".to_owned(),
            path: "shop/cart.py".to_owned(),
            author: Some("Ada Lovelace".to_owned()),
            who: "Linus Torvalds".to_owned(),
            sign_in: Some("/login?next=%2Fnot_me".to_owned()),
            error: Some("Linus Torvalds is neither a login nor an address.".to_owned()),
        }
    }
}
