//! The page between making the App and installing it, until GitHub knows the App.

use super::Again;
use crate::View;
use serde::Serialize;

/// `GET /setup/install`.
#[derive(Clone, Debug, Serialize)]
pub struct Install {
    /// The App's name.
    pub name: String,
    /// GitHub's page on which it is installed.
    pub install_url: String,
    /// When GitHub is asked again; `None`: it was asked often enough.
    pub again: Option<Again>,
    /// This page, from the beginning.
    pub look_url: String,
    /// The doctor.
    pub doctor_url: String,
}

impl View for Install {
    const TEMPLATE: &'static str = "pages/install.html";
    const SECTION: &'static str = "setup";

    fn title(&self) -> String {
        "The App is made".to_owned()
    }

    fn sample() -> Self {
        Self {
            name: "Flawless flawless.example.com".to_owned(),
            install_url: "https://github.com/apps/flawless-example/installations/new".to_owned(),
            again: Some(Again { seconds: 3, url: "/setup/install?look=1".to_owned() }),
            look_url: "/setup/install".to_owned(),
            doctor_url: "/doctor".to_owned(),
        }
    }
}
