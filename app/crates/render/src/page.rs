//! A page: a view within the layout that all pages share.

use super::engine::{RenderError, render};
use minijinja::context;
use minijinja::value::Serde;
use serde::Serialize;

/// What a page shows, prepared as text and numbers.
pub trait View: Serialize {
    /// Its template.
    const TEMPLATE: &'static str;

    /// The entry of the navigation that is marked: `repositories`, `weekly`, `health`, or nothing.
    const SECTION: &'static str = "";

    /// The title of the window.
    fn title(&self) -> String;

    /// A page as it could be: for tests, and for looking at it.
    fn sample() -> Self
    where
        Self: Sized;
}

/// What all pages share.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Layout {
    /// Path below which Flawless is served, without a slash at its end: empty, or `/flawless`.
    pub root: String,
    /// Who is signed in. `None`: nobody, and no navigation to pages that need it.
    pub user: Option<String>,
    /// They are the admin.
    pub admin: bool,
    /// The secret that forms carry; for the sign-out form.
    pub csrf: String,
}

/// A whole HTML page. It needs no script and no inline style, only `{root}/static/style.css` and
/// `{root}/static/icon.svg`.
///
/// # Errors
/// [`RenderError`] where a template is faulty, whatever the view.
pub fn page<V: View>(layout: &Layout, view: &V) -> Result<String, RenderError> {
    let values = context! {
        layout => Serde(layout),
        title => view.title(),
        section => V::SECTION,
        version => env!("CARGO_PKG_VERSION"),
        page => Serde(view),
    };
    render(V::TEMPLATE, values)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::tests::templates;
    use crate::views::tests::VIEWS;
    use crate::views::{KnownErrorForm, Login, Repositories, Weekly};
    use serde_json::Value as Json;

    /// What must never come out as it went in.
    const HOSTILE: &str = "<script>alert('x')</script>\"><img src=x onerror=y> \u{202e}\u{0}";

    fn signed_in() -> Layout {
        Layout { user: Some("ada".to_owned()), admin: true, csrf: "csrf-of-ada".to_owned(), ..Layout::default() }
    }

    /// Every text within a value replaced.
    fn poison(value: &mut Json) {
        match value {
            Json::String(text) => *text = HOSTILE.to_owned(),
            Json::Array(items) => items.iter_mut().for_each(poison),
            Json::Object(fields) => {
                // The words of closed sets stay.
                let open = fields
                    .iter_mut()
                    .filter(|(name, _)| !matches!(name.as_str(), "status" | "scope" | "state" | "kind"));
                open.for_each(|(_, value)| poison(value));
            }
            _ => {}
        }
    }

    #[test]
    fn every_page_renders_by_itself() {
        for view in VIEWS {
            let template = view.template;
            for layout in [signed_in(), Layout::default(), Layout { root: "/flawless".to_owned(), ..signed_in() }] {
                let shown = (view.page)(&layout).expect("renders");
                assert!(shown.starts_with("<!DOCTYPE html>") && shown.trim_end().ends_with("</html>"), "{template}");
                assert!(shown.contains(&format!("href=\"{}/static/style.css", layout.root)), "{template}");
                assert!(
                    !shown.contains("<script") && !shown.contains(" style="),
                    "{template}: a strict policy forbids"
                );
                assert_eq!(shown.matches("<h1").count(), 1, "{template} has one heading");
            }
        }
    }

    #[test]
    fn every_page_escapes_what_strangers_chose() {
        for view in VIEWS {
            let mut poisoned = (view.sample)();
            poison(&mut poisoned);
            let user = Some(HOSTILE.to_owned());
            let values = context! {
                layout => Serde(Layout { user, admin: true, csrf: HOSTILE.to_owned(), ..Layout::default() }),
                title => HOSTILE,
                section => "",
                version => "0",
                page => Serde(poisoned),
            };
            let shown = render(view.template, values).expect("renders");
            for bad in ["<script", "<img src=x", "\u{202e}", "\u{0}", "('x')"] {
                assert!(!shown.contains(bad), "{} lets {bad:?} through:\n{shown}", view.template);
            }
            assert!(shown.contains("&lt;script&gt;"), "{}", view.template);
        }
    }

    #[test]
    fn every_template_of_a_page_has_its_view() {
        /// What pages are made with.
        const SHARED: [&str; 3] = ["pages/layout.html", "pages/parts.html", "pages/snippets.html"];
        let viewed = |name: &str| SHARED.contains(&name) || VIEWS.iter().any(|view| view.template == name);
        let orphans: Vec<&str> = templates().filter(|name| name.starts_with("pages/") && !viewed(name)).collect();
        assert!(orphans.is_empty(), "no view of render/views/mod.rs shows {orphans:?}");
    }

    #[test]
    fn empty_pages_say_what_to_do() {
        let mut weekly = Weekly::sample();
        weekly.lines.clear();
        weekly.authors.clear();
        let shown = page(&signed_in(), &weekly).expect("renders");
        assert!(shown.contains("No errors in this week"), "{shown}");
        let shown =
            page(&signed_in(), &Repositories { repositories: Vec::new(), ..Repositories::sample() }).expect("renders");
        assert!(shown.contains("flawless repository add URL"), "{shown}");
    }

    #[test]
    fn nobody_signs_out_who_is_not_signed_in() {
        let shown = page(&Layout::default(), &Login::sample()).expect("renders");
        assert!(!shown.contains("auth/logout") && shown.contains("name=\"next\""));
        let shown = page(&signed_in(), &Login::sample()).expect("renders");
        assert!(shown.contains("auth/logout") && shown.contains("csrf-of-ada"));
    }

    #[test]
    fn forms_show_each_error_beside_its_field() {
        let mut form = KnownErrorForm::sample();
        form.fields.filename.error = Some("Say which file.".to_owned());
        let shown = page(&signed_in(), &form).expect("renders");
        let (_, after) = shown.split_once("name=\"filename\"").expect("the field");
        let field = after.split_once("</div>").map_or(after, |(field, _)| field);
        assert!(field.contains("Say which file."), "{field}");
    }
}
