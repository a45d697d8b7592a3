//! The setup page: making the GitHub App with one click, and what became of it.

use crate::View;
use serde::Serialize;

/// `GET /setup`.
#[derive(Clone, Debug, Serialize)]
pub struct Setup {
    /// What the App is, or how it is made.
    pub app: SetupState,
    /// What the App may do: name, level and why.
    pub permissions: Vec<Permission>,
    /// What GitHub tells it of, besides its installations.
    pub events: Vec<String>,
    /// The address that GitHub sends webhooks to.
    pub webhook_url: String,
    /// Why GitHub will not reach that address, where that is clear.
    pub unreachable: Option<String>,
    /// Why the App that is stored can't be used, where it can't.
    pub trouble: Option<String>,
}

/// How far the App is.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum SetupState {
    /// There is none yet.
    ToMake {
        /// Where the form is posted to: a page of GitHub.
        action: String,
        /// What the App is to be like, as JSON.
        manifest: String,
        /// Its name there, to begin with.
        name: String,
        /// The organization that is to own it; empty: the person who makes it.
        organization: String,
        /// What is wrong with the organization's name.
        error: Option<String>,
        /// Page of GitHub on which an App is made by hand.
        by_hand_url: String,
    },
    /// The configuration names one.
    Configured {
        /// Webhooks can be believed.
        has_webhook_secret: bool,
    },
    /// This page made one.
    Made {
        /// Its name.
        name: String,
        /// Its page on GitHub.
        html_url: String,
        /// Where it is installed on repositories.
        install_url: String,
        /// Where the form that forgets it is posted to.
        forget_action: String,
        /// The secret that the form carries.
        csrf: String,
    },
}

/// Something that the App may do.
#[derive(Clone, Debug, Serialize)]
pub struct Permission {
    /// `Issues`.
    pub name: String,
    /// `write`.
    pub level: String,
    /// What for.
    pub why: String,
}

impl View for Setup {
    const TEMPLATE: &'static str = "pages/setup.html";
    const SECTION: &'static str = "setup";

    fn title(&self) -> String {
        "Set up the GitHub App".to_owned()
    }

    fn sample() -> Self {
        let permission = |name: &str, level: &str, why: &str| Permission {
            name: name.to_owned(),
            level: level.to_owned(),
            why: why.to_owned(),
        };
        Self {
            app: SetupState::ToMake {
                action: "https://github.com/organizations/acme/settings/apps/new?state=1.a".to_owned(),
                manifest: "{\"name\":\"Flawless flawless.example.com\"}".to_owned(),
                name: "Flawless flawless.example.com".to_owned(),
                organization: "acme".to_owned(),
                error: Some("That is no name of an organization.".to_owned()),
                by_hand_url: "https://github.com/settings/apps/new".to_owned(),
            },
            permissions: vec![
                permission("Issues", "write", "files one issue for each line, assigns it and answers under it"),
                permission("Contents", "read", "mirrors the repository and blames its lines"),
            ],
            events: vec!["issues".to_owned(), "push".to_owned()],
            webhook_url: "https://flawless.example.com/api/github/webhooks".to_owned(),
            unreachable: Some("It is an address of this machine only.".to_owned()),
            trouble: Some("the stored secret can't be read with this key".to_owned()),
        }
    }
}

impl Setup {
    /// The same page once the App was made.
    pub fn sample_made() -> Self {
        Self {
            app: SetupState::Made {
                name: "Flawless flawless.example.com".to_owned(),
                html_url: "https://github.com/apps/flawless-example".to_owned(),
                install_url: "https://github.com/apps/flawless-example/installations/new".to_owned(),
                forget_action: "/setup/forget".to_owned(),
                csrf: "c".to_owned(),
            },
            unreachable: None,
            trouble: None,
            ..Self::sample()
        }
    }
}
