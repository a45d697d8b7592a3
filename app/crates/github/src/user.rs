//! Signing in: GitHub's OAuth web flow of the App, and what a person may see.
//!
//! Source:
//! <https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-user-access-token-for-a-github-app>.

use super::answer::text_of;
use super::client::{Method, USUAL_TIMEOUT};
use super::error::{GitHubError, redact};
use super::route::Base;
use super::{GitHub, anonymous};
use domain::access::{Access, Right, SignIn};
use domain::names::Login;
use domain::timestamp::Timestamp;
use jiff::SignedDuration;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Pages of a list of a person's: at 100 a page more than anybody has.
const MOST_PAGES: usize = 50;
const PER_PAGE: usize = 100;
/// A token is not used in its last minutes.
const MARGIN: SignedDuration = SignedDuration::from_mins(5);

/// A person's tokens.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserTokens {
    access: String,
    /// When it expires; `None`: it does not.
    expires_at: Option<Timestamp>,
    refresh: Option<String>,
}

impl UserTokens {
    /// Whether the access token is over, or nearly.
    pub fn is_stale(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|at| now >= at - MARGIN)
    }
}

/// The code that GitHub sent the browser back with, and what it has to be exchanged with.
#[derive(Clone, Copy)]
pub struct AuthorizationCode<'a> {
    /// The code.
    pub code: &'a str,
    /// What its challenge was made from (PKCE).
    pub verifier: &'a str,
    /// Where GitHub sent the browser.
    pub redirect_uri: &'a str,
}

#[derive(Deserialize)]
struct TokenAnswer {
    #[serde(default)]
    access_token: String,
    #[serde(default)]
    expires_in: Option<i64>,
    #[serde(default)]
    refresh_token: Option<String>,
    #[serde(default)]
    error: Option<String>,
    #[serde(default)]
    error_description: Option<String>,
}

/// Exchanges the code that GitHub sent the browser back with for the person's tokens. `server_url`
/// is the address for people.
///
/// # Errors
/// [`GitHubError::Unauthorized`] where GitHub refuses the code: too old, used before, or the secret
/// is wrong.
pub async fn exchange_code(
    server_url: &str,
    app: &SignIn,
    code: AuthorizationCode<'_>,
    now: Timestamp,
) -> Result<UserTokens, GitHubError> {
    let body = json!({
        "client_id": app.client_id, "client_secret": app.client_secret.expose(), "code": code.code,
        "code_verifier": code.verifier, "redirect_uri": code.redirect_uri,
    });
    ask_for_token(server_url, &body, now).await
}

/// New tokens in place of expired ones.
///
/// # Errors
/// [`GitHubError::Unauthorized`] where there is nothing to refresh with, or GitHub refuses it.
pub async fn refresh(
    server_url: &str,
    app: &SignIn,
    tokens: &UserTokens,
    now: Timestamp,
) -> Result<UserTokens, GitHubError> {
    let Some(refresh) = &tokens.refresh else {
        return Err(GitHubError::Unauthorized("the person's token has expired".to_owned()));
    };
    let body = json!({
        "client_id": app.client_id, "client_secret": app.client_secret.expose(), "grant_type": "refresh_token", "refresh_token": refresh,
    });
    ask_for_token(server_url, &body, now).await
}

async fn ask_for_token(server_url: &str, body: &Value, now: Timestamp) -> Result<UserTokens, GitHubError> {
    // The path is the same on github.com and on an Enterprise Server; neither is below the API's
    // address.
    let base = Base::new(server_url)?;
    let client = anonymous::client_accepting(&base, "application/json")?;
    let work = async {
        let response = client._post("/login/oauth/access_token", Some(body)).await;
        let response = response.map_err(|error| GitHubError::from_octocrab(&error))?;
        let status = response.status().as_u16();
        Ok::<_, GitHubError>((status, text_of(response.into_body()).await?))
    };
    let (status, text) = match tokio::time::timeout(USUAL_TIMEOUT, work).await {
        Ok(answer) => answer?,
        Err(_) => return Err(GitHubError::transient(format!("no answer within {} s", USUAL_TIMEOUT.as_secs()))),
    };
    if status >= 500 {
        return Err(GitHubError::transient(format!("GitHub answered {status} when asked for a person's token")));
    }
    let answer: TokenAnswer = serde_json::from_str(&text)
        .map_err(|error| GitHubError::Unexpected(redact(&format!("a person's token ({status}): {error}"))))?;
    if let Some(error) = answer.error {
        let said = answer.error_description.unwrap_or(error);
        return Err(GitHubError::Unauthorized(redact(&said)));
    }
    if answer.access_token.is_empty() {
        return Err(GitHubError::Unexpected(format!("no token of a person in an answer of status {status}")));
    }
    Ok(UserTokens {
        access: answer.access_token,
        expires_at: answer.expires_in.map(|seconds| now + SignedDuration::from_secs(seconds)),
        refresh: answer.refresh_token,
    })
}

#[derive(Deserialize)]
struct UserAnswer {
    login: Login,
}

#[derive(Deserialize)]
struct InstallationsAnswer {
    installations: Vec<InstallationAnswer>,
}

#[derive(Deserialize)]
struct InstallationAnswer {
    id: u64,
    #[serde(default)]
    suspended_at: Option<Value>,
}

#[derive(Deserialize)]
struct RepositoriesAnswer {
    repositories: Vec<RepositoryAnswer>,
}

#[derive(Deserialize)]
struct RepositoryAnswer {
    id: u64,
    #[serde(default)]
    permissions: Permissions,
}

/// Each names itself only; the higher ones come with the lower ones. Old servers know neither
/// triage nor maintain.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Permissions {
    admin: bool,
    maintain: bool,
    push: bool,
    triage: bool,
    pull: bool,
}

impl Permissions {
    fn right(&self) -> Option<Right> {
        if self.admin {
            Some(Right::Admin)
        } else if self.maintain || self.push {
            Some(Right::Write)
        } else if self.triage {
            Some(Right::Triage)
        } else {
            self.pull.then_some(Right::Read)
        }
    }
}

impl GitHub {
    /// The login of whom these tokens are.
    pub async fn login_of(&self, tokens: &UserTokens) -> Result<Login, GitHubError> {
        let user: UserAnswer = self.as_user(tokens, "/user").await?;
        Ok(user.login)
    }

    /// What a person may do in the repositories that the App is installed on.
    pub async fn access_of(&self, tokens: &UserTokens) -> Result<Access, GitHubError> {
        let mut access = Access::default();
        for installation in self.installations_of(tokens).await? {
            for page in 1..=MOST_PAGES {
                let path = format!("/user/installations/{installation}/repositories?per_page={PER_PAGE}&page={page}");
                let answer: RepositoriesAnswer = match self.as_user(tokens, &path).await {
                    Ok(answer) => answer,
                    // Uninstalled or suspended between the two questions.
                    Err(GitHubError::Gone(_) | GitHubError::Refused { .. }) => break,
                    Err(error) => return Err(error),
                };
                let count = answer.repositories.len();
                access
                    .0
                    .extend(answer.repositories.into_iter().filter_map(|it| Some((it.id, it.permissions.right()?))));
                if count < PER_PAGE {
                    break;
                }
            }
        }
        Ok(access)
    }

    async fn installations_of(&self, tokens: &UserTokens) -> Result<Vec<u64>, GitHubError> {
        let mut all = Vec::new();
        for page in 1..=MOST_PAGES {
            let path = format!("/user/installations?per_page={PER_PAGE}&page={page}");
            let answer: InstallationsAnswer = self.as_user(tokens, &path).await?;
            let count = answer.installations.len();
            // What is suspended shows nothing, and asking for it is an error.
            all.extend(answer.installations.into_iter().filter(|it| it.suspended_at.is_none()).map(|it| it.id));
            if count < PER_PAGE {
                break;
            }
        }
        Ok(all)
    }

    async fn as_user<T: DeserializeOwned>(&self, tokens: &UserTokens, path: &str) -> Result<T, GitHubError> {
        let what = path.split('?').next().unwrap_or(path);
        let answer = self.send_with(&tokens.access, Method::Get, path, None).await?;
        answer.accepted(what, None)?.json(what)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permissions_are_the_highest_that_is_named() {
        let right = |json: &str| serde_json::from_str::<Permissions>(json).expect("permissions").right();
        assert_eq!(right(r#"{"pull":true}"#), Some(Right::Read));
        assert_eq!(right(r#"{"pull":true,"triage":true}"#), Some(Right::Triage));
        assert_eq!(right(r#"{"pull":true,"triage":true,"push":true}"#), Some(Right::Write));
        assert_eq!(right(r#"{"pull":true,"maintain":true}"#), Some(Right::Write));
        assert_eq!(right(r#"{"admin":true}"#), Some(Right::Admin));
        assert_eq!(right("{}"), None);
    }
}
