//! Names that GitHub gives to accounts and repositories. It compares them without case, and so do
//! these.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::hash::{Hash, Hasher};

/// The login of an account on GitHub: `ada`, `dependabot[bot]`.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Login(String);

/// The full name of a repository, `owner/name`: on GitHub, or in the same form for a plain git
/// repository.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RepositoryName(String);

/// What a name is that keeps its spelling, and is compared without case.
macro_rules! compared_without_case {
    ($name:ident) => {
        impl $name {
            /// The name, as GitHub or a person spelt it.
            pub fn new(name: impl Into<String>) -> Self {
                Self(name.into())
            }

            /// The name as it was spelt.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// In small letters: as keys that are compared as texts have it.
            pub fn key(&self) -> String {
                self.0.to_ascii_lowercase()
            }

            /// Whether there is no name at all.
            pub fn is_empty(&self) -> bool {
                self.0.is_empty()
            }
        }

        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                self.0.eq_ignore_ascii_case(&other.0)
            }
        }

        impl Eq for $name {}

        impl PartialEq<str> for $name {
            fn eq(&self, other: &str) -> bool {
                self.0.eq_ignore_ascii_case(other)
            }
        }

        impl PartialEq<&str> for $name {
            fn eq(&self, other: &&str) -> bool {
                self == *other
            }
        }

        impl Hash for $name {
            fn hash<H: Hasher>(&self, state: &mut H) {
                self.key().hash(state);
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl From<String> for $name {
            fn from(name: String) -> Self {
                Self(name)
            }
        }

        impl From<&str> for $name {
            fn from(name: &str) -> Self {
                Self(name.to_owned())
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0
            }
        }
    };
}

compared_without_case!(Login);
compared_without_case!(RepositoryName);

#[cfg(test)]
mod tests {
    use super::{Login, RepositoryName};
    use std::collections::HashSet;

    #[test]
    fn names_are_compared_without_case_and_kept_as_they_were_spelt() {
        assert_eq!(Login::new("Ada"), Login::new("aDA"));
        assert_eq!(Login::new("Ada"), "ada");
        assert_ne!(Login::new("ada"), "adam");
        assert_eq!(Login::new("Ada").to_string(), "Ada");
        assert_eq!(HashSet::from([Login::new("Ada"), Login::new("ada")]).len(), 1);
        assert_eq!(serde_json::to_string(&Login::new("Ada")).expect("json"), "\"Ada\"");
        assert_eq!(RepositoryName::new("Acme/Shop"), RepositoryName::new("acme/shop"));
        assert_eq!(RepositoryName::new("Acme/Shop").as_str(), "Acme/Shop");
    }
}
