//! Who is signed in, from where.

use crate::View;
use serde::Serialize;

/// `GET /sessions`.
#[derive(Clone, Debug, Serialize)]
pub struct Sessions {
    /// The reader is the admin, who sees everybody's.
    pub admin: bool,
    /// Where the forms that end a session are posted to.
    pub action: String,
    /// The secret that forms carry.
    pub csrf: String,
    /// There are others than the one that the page is shown in.
    pub others: bool,
    /// Sessions that are not listed.
    pub more: u64,
    /// The latest used first.
    pub sessions: Vec<SessionView>,
}

/// A session.
#[derive(Clone, Debug, Serialize)]
pub struct SessionView {
    /// What the form that ends it names.
    pub id: String,
    /// Login, or `admin`.
    pub who: String,
    /// What the browser calls itself.
    pub browser: String,
    /// When they signed in.
    pub began: String,
    /// When they were last here.
    pub used: String,
    /// When it ends in any case.
    pub ends: String,
    /// The one that the page is shown in.
    pub is_this: bool,
}

impl View for Sessions {
    const TEMPLATE: &'static str = "pages/sessions.html";

    fn title(&self) -> String {
        "Sessions".to_owned()
    }

    fn sample() -> Self {
        let session = |who: &str, browser: &str, is_this| SessionView {
            id: "5d41402a".to_owned(),
            who: who.to_owned(),
            browser: browser.to_owned(),
            began: "2026-11-20 08:00 UTC".to_owned(),
            used: "2026-11-22 11:31 UTC".to_owned(),
            ends: "2026-12-20 08:00 UTC".to_owned(),
            is_this,
        };
        Self {
            admin: true,
            action: "/sessions/end".to_owned(),
            csrf: "c3NyZg".to_owned(),
            others: true,
            more: 1_204,
            sessions: vec![
                session("admin", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", true),
                session("ada", "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X)", false),
            ],
        }
    }
}
