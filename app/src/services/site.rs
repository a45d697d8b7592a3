//! Where this installation is, and by what its issues and mails are told from those of another.

use domain::ids::{LineId, StormId};
use domain::links::Linker;
use std::sync::Arc;

/// This installation, as others know it.
#[derive(Clone)]
pub struct Site {
    /// Addresses of our own pages.
    pub linker: Linker,
    /// Random, and the same for ever: it is part of what our issues are found by.
    pub installation: Arc<str>,
    /// GitHub's address for people and git, `https://github.com`.
    pub github_url: Arc<str>,
    /// The address of who runs this server, where it was said.
    pub operator: Option<Arc<str>>,
}

impl Site {
    /// Hidden text by which a line's issue is found again: no other installation of Flawless writes
    /// the same.
    pub fn marker(&self, line: LineId) -> String {
        format!("{}{line}", self.marker_prefix())
    }

    /// The same for the issue of a storm.
    pub fn storm_marker(&self, storm: StormId) -> String {
        format!("{}storm:{storm}", self.marker_prefix())
    }

    /// What all markers of this installation begin with.
    pub fn marker_prefix(&self) -> String {
        format!("flawless:{}:", self.installation)
    }

    /// The line whose marker a text bears.
    pub fn line_of_marker(&self, text: &str) -> Option<LineId> {
        let (_, rest) = text.split_once(&self.marker_prefix())?;
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        digits.parse().ok().map(LineId)
    }

    /// The right-hand side of Message-IDs: the server's own name.
    pub fn mail_host(&self) -> String {
        let url = url::Url::parse(self.linker.base()).ok();
        url.and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_else(|| "localhost".to_owned())
    }
}
