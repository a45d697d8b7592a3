//! Names that GitHub gives to accounts. It compares them without case, and so do these.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::hash::{Hash, Hasher};

/// The login of an account on GitHub: `ada`, `dependabot[bot]`.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Login(String);

impl Login {
    /// A login, as GitHub or a person spelt it.
    pub fn new(login: impl Into<String>) -> Self {
        Self(login.into())
    }

    /// The login as it was spelt.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// In small letters: as keys that are compared as texts have it.
    pub fn key(&self) -> String {
        self.0.to_ascii_lowercase()
    }

    /// Whether there is no login at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl PartialEq for Login {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl Eq for Login {}

impl PartialEq<str> for Login {
    fn eq(&self, other: &str) -> bool {
        self.0.eq_ignore_ascii_case(other)
    }
}

impl PartialEq<&str> for Login {
    fn eq(&self, other: &&str) -> bool {
        self == *other
    }
}

impl Hash for Login {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key().hash(state);
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl fmt::Display for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl From<String> for Login {
    fn from(login: String) -> Self {
        Self(login)
    }
}

impl From<&str> for Login {
    fn from(login: &str) -> Self {
        Self(login.to_owned())
    }
}

impl From<Login> for String {
    fn from(login: Login) -> Self {
        login.0
    }
}

#[cfg(test)]
mod tests {
    use super::Login;
    use std::collections::HashSet;

    #[test]
    fn logins_are_compared_without_case_and_kept_as_they_were_spelt() {
        assert_eq!(Login::new("Ada"), Login::new("aDA"));
        assert_eq!(Login::new("Ada"), "ada");
        assert_ne!(Login::new("ada"), "adam");
        assert_eq!(Login::new("Ada").to_string(), "Ada");
        assert_eq!(HashSet::from([Login::new("Ada"), Login::new("ada")]).len(), 1);
        assert_eq!(serde_json::to_string(&Login::new("Ada")).expect("json"), "\"Ada\"");
    }
}
