//! Why no line was found: each reason, and what to do about it.

use crate::View;
use domain::no_line::Reason;
use serde::Serialize;

/// `GET /why_no_line`.
#[derive(Clone, Debug, Serialize)]
pub struct WhyNoLine {
    /// Each, in order.
    pub reasons: Vec<ReasonView>,
}

/// A reason.
#[derive(Clone, Debug, Serialize)]
pub struct ReasonView {
    /// What leads to it within the page.
    pub slug: &'static str,
    /// The heading.
    pub title: &'static str,
    /// What is so.
    pub means: Vec<Piece>,
    /// What to do.
    pub helps: Vec<Piece>,
}

/// A piece of a sentence.
#[derive(Clone, Debug, Serialize)]
pub struct Piece {
    /// It is to be typed as it stands.
    pub code: bool,
    /// The text.
    pub text: &'static str,
}

impl WhyNoLine {
    /// The page.
    pub fn new() -> Self {
        let view = |reason: Reason| ReasonView {
            slug: reason.slug(),
            title: reason.title(),
            means: pieces(reason.means()),
            helps: pieces(reason.helps()),
        };
        Self { reasons: Reason::ALL.into_iter().map(view).collect() }
    }
}

impl Default for WhyNoLine {
    fn default() -> Self {
        Self::new()
    }
}

/// Code stands between backticks.
fn pieces(text: &'static str) -> Vec<Piece> {
    text.split('`').enumerate().map(|(at, text)| Piece { code: at % 2 == 1, text }).collect()
}

impl View for WhyNoLine {
    const TEMPLATE: &'static str = "pages/why_no_line.html";
    const SECTION: &'static str = "";

    fn title(&self) -> String {
        "Why was no line found?".to_owned()
    }

    fn sample() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Write as _;

    const BEGIN: &str = "# Why was no line found?\n\n\
        An error leads to a line of the repository, and git says who wrote that line. Where one of both is missing, mail, issue, page and\n\
        `flawless blame` say which of these reasons it has, and nobody is blamed. The server shows this page at `/why_no_line`.\n";

    #[test]
    fn the_document_is_the_page() {
        let mut document = BEGIN.to_owned();
        for reason in Reason::ALL {
            let (slug, title) = (reason.slug(), reason.title());
            let _ =
                write!(document, "\n<a id=\"{slug}\"></a>\n\n## {title}\n\n{}\n\n{}\n", reason.means(), reason.helps());
        }
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../docs/why-no-line.md");
        if std::env::var_os("WRITE_DOCS").is_some() {
            std::fs::write(path, &document).expect("written");
        }
        let written = std::fs::read_to_string(path).expect("docs/why-no-line.md is there");
        assert!(written == document, "make it anew: WRITE_DOCS=1 cargo test -p render the_document_is_the_page");
    }
}
