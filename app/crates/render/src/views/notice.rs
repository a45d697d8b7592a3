//! The small pages around the product: health, signing in, setting up, and every kind of error.

use crate::View;
use serde::Serialize;

/// `GET /check_health`.
#[derive(Clone, Debug, Serialize)]
pub struct Health {
    /// Everything that is needed works.
    pub up: bool,
    /// Each part.
    pub checks: Vec<Check>,
    /// The configuration without its secrets, name and value; for an admin only.
    pub configuration: Option<Vec<(String, String)>>,
}

/// The state of one part.
#[derive(Clone, Debug, Serialize)]
pub struct Check {
    /// `Database`, `Mail` …
    pub name: String,
    /// It works.
    pub ok: bool,
    /// How it is, and what to do where it does not work.
    pub text: String,
}

/// `GET /login`.
#[derive(Clone, Debug, Serialize)]
pub struct Login {
    /// Where the form is posted to.
    pub action: String,
    /// The secret that forms carry.
    pub csrf: String,
    /// Page to go to afterwards, a path of ours.
    pub next: String,
    /// What was wrong with the last try.
    pub error: Option<String>,
    /// Where the token is to be found.
    pub token_hint: String,
    /// Sign-in with GitHub, where the App exists.
    pub github_url: Option<String>,
}

/// An error or a notice: what is the matter, and what to do.
#[derive(Clone, Debug, Serialize)]
pub struct Message {
    /// HTTP status, shown small; `None` for a mere notice.
    pub code: Option<u16>,
    /// What is the matter, in a few words.
    pub title: String,
    /// The same in a sentence or two.
    pub text: String,
    /// What the reader can do.
    pub what_to_do: Option<String>,
    /// A page that helps, as label and address.
    pub link: Option<(String, String)>,
}

impl View for Health {
    const TEMPLATE: &'static str = "pages/health.html";
    const SECTION: &'static str = "health";

    fn title(&self) -> String {
        if self.up { "Up".to_owned() } else { "Not up".to_owned() }
    }

    fn sample() -> Self {
        let check = |name: &str, ok, text: &str| Check { name: name.to_owned(), ok, text: text.to_owned() };
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        Self {
            up: false,
            checks: vec![
                check("Database", true, "SQLite, 12 MB"),
                check("Mail", false, "smtp.example.com refuses the password (535). Check SMTP_URL."),
                check("GitHub", true, "App flawless, 3 installations"),
                check("Background work", true, "2 jobs waiting, the oldest for 3 seconds"),
            ],
            configuration: Some(vec![
                pair("DATABASE_URL", "sqlite://data/flawless.db"),
                pair("SMTP_URL", "smtp://flawless:***@smtp.example.com:587?tls=required"),
                pair("ADMIN_TOKEN", "***"),
            ]),
        }
    }
}

impl View for Login {
    const TEMPLATE: &'static str = "pages/login.html";

    fn title(&self) -> String {
        "Sign in".to_owned()
    }

    fn sample() -> Self {
        Self {
            action: "/login".to_owned(),
            csrf: "4f1c".to_owned(),
            next: "/acme/shop".to_owned(),
            error: Some("That is not the admin token.".to_owned()),
            token_hint: "It is set as ADMIN_TOKEN where the server runs.".to_owned(),
            github_url: Some("/auth/github?next=%2Facme%2Fshop".to_owned()),
        }
    }
}

impl View for Message {
    const TEMPLATE: &'static str = "pages/message.html";

    fn title(&self) -> String {
        self.title.clone()
    }

    fn sample() -> Self {
        Self {
            code: Some(404),
            title: "There is no such repository".to_owned(),
            text: "acme/shpo is not watched, or you may not see it on GitHub.".to_owned(),
            what_to_do: Some("Check the name, or ask an owner of the repository to install the App in it.".to_owned()),
            link: Some(("The repositories you may see".to_owned(), "/".to_owned())),
        }
    }
}
