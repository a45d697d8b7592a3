//! Sessions of people: begun with GitHub's word, asked again every few minutes, ended when GitHub
//! takes the word back.

use super::Cause;
use super::github_app::GitHubApp;
use crate::vault::{Vault, VaultError};
use domain::access::{Access, SignIn, Who};
use domain::names::Login;
use domain::timestamp::Timestamp;
pub use github::user::AuthorizationCode;
use github::user::{UserTokens, exchange_code, refresh};
use github::{GitHub, GitHubError};
use jiff::SignedDuration;
use sha2::{Digest, Sha256};
use std::sync::{Arc, Mutex, PoisonError};
use store::sessions::SessionRow;
use store::{Store, StoreError};

/// How long a session of the admin or of a person lasts at most, though it is used: then one signs
/// in again.
pub const SESSION_LIFE: SignedDuration = SignedDuration::from_hours(30 * 24);
/// How long it lasts without being used: a forgotten browser does not stay signed in.
pub const SESSION_IDLE: SignedDuration = SignedDuration::from_hours(7 * 24);
/// How often it is noted that a session was used.
const USED_EVERY: SignedDuration = SignedDuration::from_mins(5);
/// How long GitHub's answer on what somebody may see is used: who loses access on GitHub loses it
/// here within this time.
pub const ACCESS_LIFE: SignedDuration = SignedDuration::from_mins(10);
/// How much longer it is used while GitHub can't be asked: an outage of GitHub must not lock
/// everybody out of the errors.
pub const ACCESS_GRACE: SignedDuration = SignedDuration::from_hours(1);
/// After GitHub could not be asked it is not asked again for so long: each question waits for half
/// a minute, and a page with it.
const ASKED_AGAIN_AFTER: SignedDuration = SignedDuration::from_mins(1);
/// What tokens are sealed for.
const PURPOSE: &str = "user_tokens";

/// Why nobody could be signed in, or a session does not go on.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// There is no App, or it has no client id and secret.
    #[error("signing in with GitHub is not set up here")]
    NotSetUp,
    /// GitHub refuses the code or the token.
    #[error("GitHub does not sign you in: {0}")]
    Refused(#[source] Cause),
    /// GitHub is out of reach.
    #[error("GitHub can't be asked now: {0}")]
    OutOfReach(#[source] Cause),
    /// The database or the vault.
    #[error("{0}")]
    Broken(#[source] Cause),
}

impl From<StoreError> for SignInError {
    fn from(error: StoreError) -> Self {
        Self::Broken(error.into())
    }
}

impl From<VaultError> for SignInError {
    fn from(error: VaultError) -> Self {
        Self::Broken(error.into())
    }
}

impl From<GitHubError> for SignInError {
    fn from(error: GitHubError) -> Self {
        match error {
            GitHubError::Unauthorized(said) => Self::Refused(said.into()),
            other => Self::OutOfReach(other.into()),
        }
    }
}

/// A session that goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveSession {
    /// Its row's id.
    pub id: String,
    /// Who.
    pub who: Who,
}

/// What a cookie's value is stored as.
pub fn session_id(value: &str) -> String {
    hex::encode(Sha256::digest(value.as_bytes()))
}

/// Begins sessions, and asks GitHub anew what their people may see.
#[derive(Clone)]
pub struct Sessions {
    /// The rows.
    pub store: Store,
    /// Signs people in.
    pub github_app: GitHubApp,
    /// Keeps their tokens.
    pub vault: Vault,
    /// GitHub's address for people.
    pub github_url: Arc<str>,
    /// When it could not be asked what somebody may see, lately.
    pub out_of_reach_at: Arc<Mutex<Option<Timestamp>>>,
}

impl Sessions {
    /// Begins a session of the admin under this cookie's value; `bound_to` signs the token.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn begin_for_admin(
        &self,
        value: &str,
        bound_to: &str,
        browser: &str,
        now: Timestamp,
    ) -> Result<(), SignInError> {
        let row = SessionRow { bound_to: bound_to.to_owned(), ..fresh(value, browser, now) };
        Ok(store::sessions::insert(&self.store, &row).await?)
    }

    /// Begins a session of whom GitHub names for this code. Answers the login.
    ///
    /// # Errors
    /// GitHub refuses the code or is out of reach, or the database is.
    pub async fn begin(
        &self,
        value: &str,
        code: AuthorizationCode<'_>,
        browser: &str,
        now: Timestamp,
    ) -> Result<Login, SignInError> {
        let (github, sign_in) = self.signer_in()?;
        let tokens = exchange_code(&self.github_url, &sign_in, code, now).await?;
        let login = github.login_of(&tokens).await?;
        let access = github.access_of(&tokens).await?;
        let row = SessionRow {
            login: Some(login.clone()),
            tokens: Some(self.seal(&tokens)?),
            access,
            access_at: now,
            ..fresh(value, browser, now)
        };
        store::sessions::insert(&self.store, &row).await?;
        tracing::info!(%login, "signed in with GitHub");
        Ok(login)
    }

    /// The session of a cookie's value; `None` where there is none (any more). `bound_to` signs the
    /// admin's token.
    ///
    /// # Errors
    /// What GitHub last said is too old, and it can't be asked; or the database is out of reach.
    pub async fn live(&self, value: &str, bound_to: &str, now: Timestamp) -> Result<Option<LiveSession>, SignInError> {
        let Some(row) = store::sessions::by_id(&self.store, &session_id(value)).await? else { return Ok(None) };
        if now >= row.expires_at || now >= row.used_at + SESSION_IDLE {
            store::sessions::delete(&self.store, &row.id).await?;
            return Ok(None);
        }
        if !now.is_within(USED_EVERY, row.used_at) {
            store::sessions::record_use(&self.store, &row.id, now).await?;
        }
        let Some(login) = row.login.clone() else {
            return Ok((row.bound_to == bound_to).then_some(LiveSession { id: row.id, who: Who::Admin }));
        };
        let Some(access) = self.access_now(&row, &login, now).await? else {
            store::sessions::delete(&self.store, &row.id).await?;
            return Ok(None);
        };
        Ok(Some(LiveSession { id: row.id, who: Who::Person { login, access } }))
    }

    /// What somebody may see, as GitHub says or said a moment ago. `None`: their word was taken
    /// back: the App's access revoked, or the account gone.
    async fn access_now(&self, row: &SessionRow, login: &Login, now: Timestamp) -> Result<Option<Access>, SignInError> {
        if now.is_within(ACCESS_LIFE, row.access_at) {
            return Ok(Some(row.access.clone()));
        }
        let may_wait = now.is_within(ACCESS_LIFE + ACCESS_GRACE, row.access_at);
        let out_of_reach_at = *self.out_of_reach_at.lock().unwrap_or_else(PoisonError::into_inner);
        if may_wait && out_of_reach_at.is_some_and(|at| now.is_within(ASKED_AGAIN_AFTER, at)) {
            return Ok(Some(row.access.clone()));
        }
        match self.ask_again(row, now).await {
            Ok(access) => Ok(Some(access)),
            Err(error @ (SignInError::Refused(_) | SignInError::NotSetUp)) => {
                tracing::info!(%login, %error, "a session ended");
                Ok(None)
            }
            Err(SignInError::OutOfReach(why)) if may_wait => {
                *self.out_of_reach_at.lock().unwrap_or_else(PoisonError::into_inner) = Some(now);
                tracing::warn!(
                    %login,
                    %why,
                    "GitHub can't be asked what somebody may see; its last word holds for an hour"
                );
                Ok(Some(row.access.clone()))
            }
            Err(error) => Err(error),
        }
    }

    async fn ask_again(&self, row: &SessionRow, now: Timestamp) -> Result<Access, SignInError> {
        let (github, sign_in) = self.signer_in()?;
        let sealed = row.tokens.as_deref().unwrap_or_default();
        // What can't be opened will never be: the key was lost, and they sign in again.
        let opened = self.vault.open(PURPOSE, sealed).map_err(|error| SignInError::Refused(error.into()))?;
        let mut tokens: UserTokens =
            serde_json::from_str(&opened).map_err(|error| SignInError::Refused(error.into()))?;
        if tokens.is_stale(now) {
            tokens = refresh(&self.github_url, &sign_in, &tokens, now).await?;
            // A refresh token works once: what is not kept now is lost.
            store::sessions::set_access(&self.store, &row.id, &row.access, &self.seal(&tokens)?, row.access_at).await?;
        }
        let access = github.access_of(&tokens).await?;
        store::sessions::set_access(&self.store, &row.id, &access, &self.seal(&tokens)?, now).await?;
        Ok(access)
    }

    fn seal(&self, tokens: &UserTokens) -> Result<String, SignInError> {
        let text = serde_json::to_string(tokens).map_err(|error| SignInError::Broken(error.into()))?;
        Ok(self.vault.seal(PURPOSE, &text)?)
    }

    fn signer_in(&self) -> Result<(GitHub, SignIn), SignInError> {
        if let Some(ready) = self.github_app.get().and_then(|app| Some((app.github, app.sign_in?))) {
            return Ok(ready);
        }
        // An App that is out of order for a moment (its key lost) ends nobody's session.
        Err(match self.github_app.trouble() {
            Some(_) => SignInError::OutOfReach("the App can't be used".into()),
            None => SignInError::NotSetUp,
        })
    }
}

fn fresh(value: &str, browser: &str, now: Timestamp) -> SessionRow {
    SessionRow {
        id: session_id(value),
        login: None,
        bound_to: String::new(),
        tokens: None,
        browser: browser.to_owned(),
        access: Access::default(),
        access_at: Timestamp::UNIX_EPOCH,
        created_at: now,
        used_at: now,
        expires_at: now + SESSION_LIFE,
    }
}
