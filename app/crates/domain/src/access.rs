//! Who may do what: the rights that a person has in a repository, as GitHub says.

use super::secret::Secret;
use crate::names::Login;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What somebody may do in a repository; each includes those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Right {
    /// See its pages.
    Read,
    /// Whitelist, as somebody who may set labels on GitHub.
    Triage,
    /// Connect applications: see and make keys, send test reports, switch shadow mode.
    Write,
    /// Administer it.
    Admin,
}

impl Right {
    /// GitHub's name of the role.
    pub fn role(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Triage => "triage",
            Self::Write => "write",
            Self::Admin => "admin",
        }
    }
}

/// What somebody may do, by GitHub's numbers of repositories. One that is not in it may not be
/// seen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Access(pub BTreeMap<u64, Right>);

impl Access {
    /// The right in a repository, by GitHub's number.
    pub fn right_in(&self, github_id: u64) -> Option<Right> {
        self.0.get(&github_id).copied()
    }
}

/// With what the App signs people in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignIn {
    /// The App's client id.
    pub client_id: String,
    /// Its client secret.
    pub client_secret: Secret,
}

/// Who is asking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Who {
    /// Whoever has the admin token.
    Admin,
    /// Somebody whom GitHub knows.
    Person {
        /// Their login.
        login: Login,
        /// What they may do.
        access: Access,
    },
}

impl Who {
    /// What pages and rules call them.
    pub fn name(&self) -> &str {
        match self {
            Self::Admin => "admin",
            Self::Person { login, .. } => login.as_str(),
        }
    }

    /// The right in a repository; `github_id` is GitHub's number, `None` for a plain git
    /// repository, which only the admin sees.
    pub fn right_in(&self, github_id: Option<u64>) -> Option<Right> {
        match self {
            Self::Admin => Some(Right::Admin),
            Self::Person { access, .. } => access.right_in(github_id?),
        }
    }

    /// Whether it is the admin.
    pub fn is_admin(&self) -> bool {
        *self == Self::Admin
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rights_include_those_before_them_and_what_is_not_named_is_not_seen() {
        assert!(Right::Admin > Right::Write && Right::Write > Right::Triage && Right::Triage > Right::Read);
        let access = Access(BTreeMap::from([(7, Right::Triage)]));
        let ada = Who::Person { login: "ada".into(), access };
        assert_eq!(ada.right_in(Some(7)), Some(Right::Triage));
        assert_eq!((ada.right_in(Some(8)), ada.right_in(None)), (None, None));
        assert_eq!(Who::Admin.right_in(None), Some(Right::Admin));
    }

    #[test]
    fn access_survives_being_stored() {
        let access = Access(BTreeMap::from([(7, Right::Triage), (9, Right::Admin)]));
        let text = serde_json::to_string(&access).expect("text");
        assert_eq!(text, r#"{"7":"triage","9":"admin"}"#);
        assert_eq!(serde_json::from_str::<Access>(&text).expect("the same"), access);
    }
}
