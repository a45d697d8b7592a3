//! The setup page: makes the GitHub App by GitHub's manifest flow.
//!
//! Our page posts `app.yml` to GitHub; GitHub asks the person, makes the App, and sends the browser
//! back with a code, which is exchanged for the App's secrets:
//! <https://docs.github.com/en/apps/sharing-github-apps/registering-a-github-app-from-a-manifest>

use super::install;
use crate::server::form::Form;
use crate::server::page::{Page, allow_form_to};
use crate::server::page_error::PageError;
use crate::server::query::Query;
use crate::server::session::Session;
use crate::server::settings::ServerSettings;
use crate::server::state::{GitHubUrl, Now};
use crate::server::urls::Urls;
use crate::server::visitor::Admin;
use crate::services::github_app::{AppError, AppSource, GitHubApp, install_url};
use axum::extract::State;
use axum::response::{AppendHeaders, IntoResponse, Redirect};
use domain::signature::Signer;
use domain::timestamp::Timestamp;
use github::GitHubError;
use github::manifest::Manifest;
use jiff::SignedDuration;
use render::views::{Permission, Setup, SetupState};
use serde::Deserialize;
use std::sync::Arc;

/// How long GitHub's page may stay open: the code that it gives is good for an hour.
const STATE_LIFE: SignedDuration = SignedDuration::from_hours(1);
/// GitHub's limit on names of accounts.
const LONGEST_ORGANIZATION: usize = 39;

/// What each permission is for. A permission that is not here has no business in `app.yml`.
const REASONS: [(&str, &str, &str); 4] = [
    ("issues", "Issues", "files one issue for each line, assigns it and answers under it"),
    ("contents", "Contents", "mirrors the repository and blames its lines; never writes"),
    ("metadata", "Metadata", "GitHub asks this of every App"),
    ("pull_requests", "Pull requests", "names the pull request that brought a line"),
];

/// Whose App it is to be; nobody's but the reader's own where it is empty.
#[derive(Debug, Deserialize)]
pub(super) struct OwnerQuery {
    #[serde(default)]
    organization: String,
}

/// `GET /setup`.
pub(super) async fn setup(
    State(app): State<GitHubApp>,
    State(GitHubUrl(github_url)): State<GitHubUrl>,
    State(settings): State<Arc<ServerSettings>>,
    State(urls): State<Urls>,
    Now(now): Now,
    Admin(session): Admin,
    Query(owner): Query<OwnerQuery>,
) -> Result<impl IntoResponse, PageError> {
    let manifest = Manifest::new(&urls.public(""));
    let state = || sign(&settings.signer, &session, &(now + STATE_LIFE).as_millis().to_string());
    let view = Setup {
        app: match app.latest().await?.map(|app| (app.webhook_secret.is_some(), app.origin)) {
            Some((has_webhook_secret, AppSource::Configuration)) => SetupState::Configured { has_webhook_secret },
            Some((_, AppSource::Setup { name, html_url })) => made(name, html_url, &urls, &session),
            None => to_make(owner.organization.trim(), &github_url, &manifest, state()),
        },
        permissions: permissions(&manifest),
        events: manifest.events(),
        webhook_url: urls.public("/api/github/webhooks"),
        unreachable: unreachable(&urls.public(""), &github_url),
        trouble: app.trouble(),
    };
    // This one page has a form for another site.
    Ok((AppendHeaders(allow_form_to(&github_url)), Page(Some(session), view)))
}

fn permissions(manifest: &Manifest) -> Vec<Permission> {
    let shown = |(key, level): (String, String)| {
        let known = REASONS.iter().find(|(name, ..)| *name == key);
        let (name, why) = known.map_or((key.as_str(), ""), |(_, name, why)| (*name, *why));
        Permission { name: name.to_owned(), level, why: why.to_owned() }
    };
    manifest.permissions().into_iter().map(shown).collect()
}

/// An App that this page made.
fn made(name: String, html_url: String, urls: &Urls, session: &Session) -> SetupState {
    SetupState::Made {
        install_url: install_url(&html_url),
        forget_action: urls.page("/setup/forget"),
        csrf: session.csrf.clone(),
        name,
        html_url,
    }
}

/// The form that makes one; `state` comes back with GitHub's answer.
fn to_make(organization: &str, github_url: &str, manifest: &Manifest, state: String) -> SetupState {
    let sound = organization.is_empty() || is_account(organization);
    let page = match organization {
        name if sound && !name.is_empty() => format!("{github_url}/organizations/{name}/settings/apps/new"),
        _ => format!("{github_url}/settings/apps/new"),
    };
    SetupState::ToMake {
        action: format!("{page}?{}", domain::links::query(&[("state", state)])),
        manifest: manifest.to_json(),
        name: manifest.name().to_owned(),
        organization: organization.to_owned(),
        error: (!sound).then(|| "Names of organizations have letters, digits and hyphens only.".to_owned()),
        by_hand_url: format!("{github_url}/settings/apps/new"),
    }
}

/// Says that the answer belongs to a form of this session: `EXPIRES.SIGNATURE`.
fn sign(signer: &Signer, session: &Session, expires: &str) -> String {
    let signature = signer.sign("setup", &[expires, &session.csrf]);
    format!("{expires}.{signature}")
}

/// Whether [`sign`] made it, not too long ago.
fn is_signed(signer: &Signer, session: &Session, state: &str, now: Timestamp) -> bool {
    let (expires, signature) = state.split_once('.').unwrap_or_default();
    let in_time = expires.parse().is_ok_and(|expires| now < Timestamp::from_millis(expires));
    in_time && signer.verify("setup", &[expires, &session.csrf], signature)
}

fn is_account(name: &str) -> bool {
    name.len() <= LONGEST_ORGANIZATION && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
}

/// Why GitHub will not reach an address, where that is clear from the address.
fn unreachable(base: &str, github_url: &str) -> Option<String> {
    let host = |text: &str| url::Url::parse(text).ok()?.host().map(|host| host.to_owned());
    let is_local = |text: &str| match host(text) {
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(url::Host::Ipv4(ip)) => ip.is_loopback() || ip.is_unspecified(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback() || ip.is_unspecified(),
        None => false,
    };
    // A GitHub on this machine may well reach it.
    (is_local(base) && !is_local(github_url)).then(|| "Its public address is one of this machine only.".to_owned())
}

/// What GitHub's page says once the App is made.
#[derive(Debug, Deserialize)]
pub(super) struct MadeQuery {
    #[serde(default)]
    code: String,
    #[serde(default)]
    state: String,
}

/// `GET /setup/callback`: GitHub sends the browser here once the App is made.
pub(super) async fn callback(
    State(app): State<GitHubApp>,
    State(settings): State<Arc<ServerSettings>>,
    State(urls): State<Urls>,
    Now(now): Now,
    Admin(session): Admin,
    Query(query): Query<MadeQuery>,
) -> Result<Redirect, PageError> {
    if !is_signed(&settings.signer, &session, &query.state, now) {
        return Err(PageError::Forbidden(
            "This answer belongs to no form of yours, or to one that is too old. Begin again on the setup page."
                .to_owned(),
        ));
    }
    match app.latest().await?.map(|app| app.origin) {
        Some(AppSource::Configuration) => {
            Err(PageError::BadRequest("The configuration names an App (APP_ID), and it wins over this one.".to_owned()))
        }
        // The browser was sent here twice.
        Some(AppSource::Setup { .. }) => Ok(Redirect::to(&urls.page("/setup"))),
        None => {
            adopt(app, query.code, now).await?;
            Ok(Redirect::to(&urls.page(install::PATH)))
        }
    }
}

/// Takes the new App over. In a task of its own: whoever closes the page now must not lose the App,
/// whose secrets are handed over only once.
async fn adopt(app: GitHubApp, code: String, now: Timestamp) -> Result<(), PageError> {
    let adopted = tokio::spawn(async move { app.adopt(&code, now).await }).await;
    adopted.map_err(|error| PageError::broken(&error))?.map_err(|error| {
        match error {
        AppError::GitHub(GitHubError::Gone(_)) => PageError::BadRequest(
            "GitHub does not know this code: it works once, and for an hour. Delete the App on GitHub, if one was made \
             there, and begin again on the setup page."
                .to_owned(),
        ),
        AppError::GitHub(error) if !error.is_permanent() => PageError::BadRequest(format!(
            "GitHub could not be asked for the new App ({error}). Load this page again within the hour."
        )),
        error => PageError::broken(&error),
    }
    })
}

/// Says nothing but that it is to be forgotten.
#[derive(Debug, Deserialize)]
pub(super) struct ForgetForm {}

/// `POST /setup/forget`.
pub(super) async fn forget(
    State(app): State<GitHubApp>,
    State(urls): State<Urls>,
    Form { session, .. }: Form<ForgetForm>,
) -> Result<Redirect, PageError> {
    session.must_be_admin()?;
    if matches!(app.get().map(|app| app.origin), Some(AppSource::Setup { .. })) {
        app.forget().await?;
    }
    Ok(Redirect::to(&urls.page("/setup")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_this_machine_is_told_from_others() {
        let github = "https://github.com";
        for local in ["http://127.0.0.1:3000", "http://localhost:3000/x", "http://[::1]:1", "http://0.0.0.0"] {
            assert!(unreachable(local, github).is_some(), "{local}");
        }
        assert_eq!(unreachable("https://flawless.example.com", github), None);
        assert_eq!(unreachable("http://127.0.0.1:3000", "http://127.0.0.1:4000"), None, "an emulated GitHub");
    }

    #[test]
    fn names_of_organizations_cannot_lead_elsewhere() {
        assert!(is_account("acme-42"));
        for bad in ["a/b", "..", "a?b", "a b", &"a".repeat(40)] {
            assert!(!is_account(bad), "{bad}");
        }
    }

    #[test]
    fn every_permission_of_the_app_has_its_reason() {
        for (name, _) in Manifest::new("https://x.example").permissions() {
            assert!(REASONS.iter().any(|(known, ..)| *known == name), "{name}");
        }
    }
}
