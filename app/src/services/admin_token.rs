//! The admin token: as it is configured, else one that the server makes for itself.

use domain::secret::Secret;
use store::{Store, StoreError};

/// The token that was made.
const MADE: &str = "admin_token";

/// Said while the latest start had a token in its configuration, and until somebody has signed in
/// with another one.
const WAS_SET: &str = "admin_token_was_set";

/// Where the token in force comes from, which is what somebody without it has to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenOrigin {
    /// From the configuration.
    Configured,
    /// The server made it.
    Made,
    /// The server made it, and the one that people know was configured at an earlier start.
    MadeInPlace,
}

impl TokenOrigin {
    /// Where to find the token, for who is to type it.
    pub fn hint(self) -> &'static str {
        match self {
            Self::Configured => "It is set as ADMIN_TOKEN where the server runs.",
            Self::Made => {
                "The server printed it once, when it was first started. Whoever has lost it sets ADMIN_TOKEN, and starts \
                 the server again."
            }
            Self::MadeInPlace => {
                "ADMIN_TOKEN was set when the server was started before, and is not any more: the token from there is \
                 void, and the one that the server made and printed once is in force. Whoever does not have that sets \
                 ADMIN_TOKEN again, and starts the server again."
            }
        }
    }
}

/// The token that is in force.
#[derive(Debug)]
pub struct AdminToken {
    /// Admits to the pages.
    pub token: Secret,
    /// Where it is from.
    pub origin: TokenOrigin,
    /// It was made just now, so that nobody knows it yet.
    pub is_new: bool,
}

/// The token for this start. The fresh one is kept only where it is needed, so that it can be shown
/// then.
///
/// # Errors
/// The database is out of reach.
pub async fn at_start(store: &Store, configured: Option<Secret>, fresh: &str) -> Result<AdminToken, StoreError> {
    let was_set = store::meta::by_name(store, WAS_SET).await?.is_some_and(|fact| !fact.is_empty());
    if let Some(token) = configured {
        if !was_set {
            store::meta::set(store, WAS_SET, "yes").await?;
        }
        return Ok(AdminToken { token, origin: TokenOrigin::Configured, is_new: false });
    }
    let made = store::meta::by_name_or_insert(store, MADE, fresh).await?;
    let origin = if was_set { TokenOrigin::MadeInPlace } else { TokenOrigin::Made };
    Ok(AdminToken { is_new: made == fresh, token: made.into(), origin })
}

/// Notes that somebody knows the token that took the place of a configured one.
///
/// # Errors
/// The database is out of reach.
pub async fn is_known(store: &Store, origin: TokenOrigin) -> Result<(), StoreError> {
    match origin {
        TokenOrigin::MadeInPlace => store::meta::set(store, WAS_SET, "").await,
        TokenOrigin::Configured | TokenOrigin::Made => Ok(()),
    }
}
