//! What a doctor finds: one sentence of what is, and one that says what to do.

use jiff::SignedDuration;
use std::collections::BTreeMap;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// As it should be.
    Fine,
    /// Something to look at; everything works.
    Warning,
    /// Something does not work.
    Failure,
}

impl Level {
    /// `ok`, `warn`, `FAIL`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Fine => "ok",
            Self::Warning => "warn",
            Self::Failure => "FAIL",
        }
    }
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What it is about: `database`, `installation acme`, `acme/shop`.
    pub about: String,
    /// How bad it is.
    pub level: Level,
    /// What is, one sentence.
    pub what: String,
    /// What to do, one sentence; `None`: nothing.
    pub todo: Option<String>,
}

impl Finding {
    /// All is well.
    pub fn fine(about: &str, what: impl Into<String>) -> Self {
        Self { about: about.to_owned(), level: Level::Fine, what: what.into(), todo: None }
    }

    /// Something to look at.
    pub fn warning(about: &str, what: impl Into<String>, todo: impl Into<String>) -> Self {
        Self { about: about.to_owned(), level: Level::Warning, what: what.into(), todo: Some(todo.into()) }
    }

    /// Something does not work.
    pub fn failure(about: &str, what: impl Into<String>, todo: impl Into<String>) -> Self {
        Self { about: about.to_owned(), level: Level::Failure, what: what.into(), todo: Some(todo.into()) }
    }
}

/// `3 min`, `2 h`.
pub fn minutes(duration: SignedDuration) -> String {
    match duration.as_mins() {
        ..1 => "less than a minute".to_owned(),
        minutes @ 1..120 => format!("{minutes} min"),
        minutes => format!("{} h", minutes / 60),
    }
}

/// What is wanted and not granted: permissions as `issues: write`. Levels go up from read over
/// write to admin.
pub fn missing_permissions(wanted: &[(String, String)], granted: &BTreeMap<String, String>) -> Vec<String> {
    let rank = |level: &str| ["read", "write", "admin"].iter().position(|known| *known == level).map_or(0, |at| at + 1);
    wanted
        .iter()
        .filter(|(name, level)| granted.get(name).map_or(0, |granted| rank(granted)) < rank(level))
        .map(|(name, level)| format!("{name}: {level}"))
        .collect()
}

/// What is wanted and not sent. `installation` and `installation_repositories` come without being
/// asked for.
pub fn missing_events(wanted: &[String], sent: &[String]) -> Vec<String> {
    wanted.iter().filter(|name| !sent.contains(name)).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named_with_its_level() {
        let wanted = [("issues", "write"), ("contents", "read"), ("metadata", "read")];
        let wanted = wanted.map(|(name, level)| (name.to_owned(), level.to_owned()));
        let granted = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
            pairs.iter().map(|(name, level)| ((*name).to_owned(), (*level).to_owned())).collect()
        };
        let few = granted(&[("issues", "read"), ("metadata", "read")]);
        assert_eq!(missing_permissions(&wanted, &few), ["issues: write", "contents: read"]);
        let more = granted(&[("issues", "write"), ("contents", "write"), ("metadata", "read")]);
        assert!(missing_permissions(&wanted, &more).is_empty());
        let events = ["push".to_owned(), "issues".to_owned()];
        assert_eq!(missing_events(&events, &["issues".to_owned()]), ["push"]);
    }
}
