//! What the App asks about itself: its name, its installations, and how much it may ask.

use super::client::{As, GitHub, Method};
use super::error::GitHubError;
use domain::names::Login;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::ops::ControlFlow;

/// An installation of the App.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installation {
    /// GitHub's number.
    pub id: u64,
    /// Login (or an enterprise's slug) of the account that installed it; empty where GitHub doesn't
    /// say.
    pub account: String,
    /// Nothing is possible until it is unsuspended.
    pub suspended: bool,
    /// What it may do: `issues`, `write`.
    pub permissions: BTreeMap<String, String>,
    /// What it tells of.
    pub events: Vec<String>,
}

/// What GitHub says of the App itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Itself {
    /// Its short name.
    pub slug: String,
    /// Its page.
    pub html_url: String,
    /// What it asks of those who install it.
    pub permissions: BTreeMap<String, String>,
    /// What it is told of.
    pub events: Vec<String>,
}

#[derive(Deserialize)]
struct AppAnswer {
    slug: String,
}

#[derive(Deserialize)]
struct InstallationAnswer {
    id: u64,
    #[serde(default)]
    account: Option<AccountAnswer>,
    #[serde(default)]
    suspended_at: Option<serde::de::IgnoredAny>,
    #[serde(default)]
    permissions: BTreeMap<String, String>,
    #[serde(default)]
    events: Vec<String>,
}

#[derive(Deserialize)]
struct ItselfAnswer {
    slug: String,
    #[serde(default)]
    html_url: String,
    #[serde(default)]
    permissions: BTreeMap<String, String>,
    #[serde(default)]
    events: Vec<String>,
}

#[derive(Deserialize)]
struct LimitAnswer {
    rate: Limit,
}

#[derive(Deserialize)]
struct Limit {
    limit: u64,
    remaining: u64,
}

#[derive(Deserialize)]
struct AccountAnswer {
    #[serde(default)]
    login: Option<String>,
    #[serde(default)]
    slug: Option<String>,
}

impl GitHub {
    /// The App's short name, as in its page's address. Asked once, then remembered.
    pub async fn app_slug(&self) -> Result<String, GitHubError> {
        let slug = self.inner.slug.get_or_try_init(async || {
            let answer = self.send(As::App, Method::Get, "/app", None).await?;
            let app: AppAnswer = answer.accepted("the App", None)?.json("the App")?;
            Ok::<_, GitHubError>(app.slug)
        });
        Ok(slug.await?.clone())
    }

    /// The login under which the App acts, `SLUG[bot]`: sender of the webhooks that our own actions
    /// cause.
    pub async fn bot_login(&self) -> Result<Login, GitHubError> {
        Ok(format!("{}[bot]", self.app_slug().await?).into())
    }

    /// The App as GitHub knows it, asked anew each time.
    pub async fn itself(&self) -> Result<Itself, GitHubError> {
        let answer = self.send(As::App, Method::Get, "/app", None).await?;
        let it: ItselfAnswer = answer.accepted("the App", None)?.json("the App")?;
        Ok(Itself { slug: it.slug, html_url: it.html_url, permissions: it.permissions, events: it.events })
    }

    /// Requests that an installation has left this hour, and how many it has in all.
    pub async fn rate_limit(&self, installation: u64) -> Result<(u64, u64), GitHubError> {
        let answer = self.send(As::Installation(installation), Method::Get, "/rate_limit", None).await?;
        let it: LimitAnswer = answer.accepted("the rate limit", Some(installation))?.json("the rate limit")?;
        Ok((it.rate.remaining, it.rate.limit))
    }

    /// All installations of the App, suspended ones among them.
    pub async fn installations(&self) -> Result<Vec<Installation>, GitHubError> {
        let mut all = Vec::new();
        let first = self.send(As::App, Method::Get, "/app/installations?per_page=100", None).await?;
        self.pages(As::App, first, "the installations", |page: Vec<InstallationAnswer>| {
            all.extend(page.into_iter().map(|it| Installation {
                id: it.id,
                account: it.account.and_then(|account| account.login.or(account.slug)).unwrap_or_default(),
                suspended: it.suspended_at.is_some(),
                permissions: it.permissions,
                events: it.events,
            }));
            ControlFlow::Continue(())
        })
        .await?;
        Ok(all)
    }
}
