//! Finding out which account an author has on the forge, which delivering and rehearsing both do.

use super::{Failure, Rooms};
use crate::domain::blame::Author;
use crate::domain::repository::Forge;
use crate::github::{GitHub, GitHubError};

/// How long an answer of GitHub's about an address is believed: accounts change their addresses rarely.
const LOGIN_LIFE_MS: i64 = 7 * 24 * 3_600_000;

impl Rooms {
    /// The login of a commit's author: in a noreply address, or as GitHub says of the commit; remembered by the address.
    ///
    /// # Errors
    /// GitHub or the database is out of reach.
    pub(super) async fn login_of_author(
        &self,
        (github, forge, name): (&GitHub, &Forge, &str),
        email: &str,
        commit: &str,
        now_ms: i64,
    ) -> Result<Option<String>, Failure> {
        if let Some(login) = self.store.login_of(email, now_ms - LOGIN_LIFE_MS).await? {
            return Ok(login);
        }
        let login = ask_for_login(github, forge, name, email, commit).await?;
        self.store.remember_login(email, login.as_deref(), now_ms).await?;
        Ok(login)
    }
}

async fn ask_for_login(
    github: &GitHub,
    forge: &Forge,
    name: &str,
    email: &str,
    commit: &str,
) -> Result<Option<String>, Failure> {
    let noreply = Author { name: String::new(), email: email.to_owned() }.noreply();
    if let Some(account) = noreply.as_ref().and_then(|noreply| noreply.account) {
        // By number, because logins are renamed and then taken by others.
        if let Some(account) = github.user_by_id(forge.installation, account).await? {
            return Ok(Some(account.login));
        }
    }
    let said = match github.commit_author(forge.installation, name, commit).await {
        Ok(account) => account.filter(|account| account.kind != "Bot").map(|account| account.login),
        // A commit that GitHub does not have (any more) has no author there.
        Err(GitHubError::Gone(_) | GitHubError::Refused { .. }) => None,
        Err(error) => return Err(error.into()),
    };
    Ok(said.or(noreply.map(|noreply| noreply.login)))
}
