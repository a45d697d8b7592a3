//! The setup page: makes the GitHub App by GitHub's manifest flow.
//!
//! Our page posts `app.yml` to GitHub; GitHub asks the person, makes the App, and sends the browser back with a code,
//! which is exchanged for the App's secrets:
//! <https://docs.github.com/en/apps/sharing-github-apps/registering-a-github-app-from-a-manifest>

use super::Server;
use super::auth::Session;
use super::extract::{InForm, InQuery};
use super::pages::answer;
use super::respond::{Refused, redirect};
use crate::steps::app::{AppError, AppSource};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::Response;
use github::GitHubError;
use github::manifest::Manifest;
use render::views::{Permission, Setup, SetupState};
use serde::Deserialize;
use std::sync::Arc;

/// How long GitHub's page may stay open: the code that it gives is good for an hour.
const STATE_LIFE_MS: i64 = 3_600_000;
/// GitHub's limit on names of accounts.
const LONGEST_ORGANIZATION: usize = 39;

/// What each permission is for. A permission that is not here has no business in `app.yml`.
const REASONS: [(&str, &str, &str); 4] = [
    ("issues", "Issues", "files one issue for each line, assigns it and answers under it"),
    ("contents", "Contents", "mirrors the repository and blames its lines; never writes"),
    ("metadata", "Metadata", "GitHub asks this of every App"),
    ("pull_requests", "Pull requests", "names the pull request that brought a line"),
];

#[derive(Debug, Deserialize)]
pub(super) struct Owner {
    #[serde(default)]
    organization: String,
}

/// `GET /setup`.
pub(super) async fn setup(
    State(server): State<Arc<Server>>,
    InQuery(owner): InQuery<Owner>,
    headers: HeaderMap,
    uri: Uri,
) -> Response {
    answer(&server, &headers, show(&server, owner.organization.trim(), &headers, &uri).await).await
}

async fn show(server: &Server, organization: &str, headers: &HeaderMap, uri: &Uri) -> Result<Response, Refused> {
    let session = server.must_be_admin(headers, &server.path_of(uri)).await?;
    let manifest = Manifest::new(server.services.linker.base());
    let view = Setup {
        app: state(server, &session, organization, &manifest),
        permissions: manifest
            .permissions()
            .into_iter()
            .map(|(key, level)| {
                let known = REASONS.iter().find(|(name, ..)| *name == key);
                let (name, why) = known.map_or((key.as_str(), ""), |(_, name, why)| (*name, *why));
                Permission { name: name.to_owned(), level, why: why.to_owned() }
            })
            .collect(),
        events: manifest.events(),
        webhook_url: format!("{}/api/github/webhooks", server.services.linker.base()),
        unreachable: unreachable(server.services.linker.base(), &server.services.forge_url),
        trouble: server.services.app.trouble(),
    };
    let mut response = server.show(Some(&session), StatusCode::OK, &view)?;
    allow_form_to(&mut response, &server.services.forge_url);
    Ok(response)
}

fn state(server: &Server, session: &Session, organization: &str, manifest: &Manifest) -> SetupState {
    match server.services.app.get().map(|app| (app.webhook_secret.is_some(), app.origin)) {
        Some((has_webhook_secret, AppSource::Configuration)) => SetupState::Configured { has_webhook_secret },
        Some((_, AppSource::Setup { name, html_url })) => SetupState::Made {
            install_url: format!("{html_url}/installations/new"),
            forget_action: format!("{}/setup/forget", server.root()),
            csrf: server.csrf(session),
            name,
            html_url,
        },
        None => {
            let forge = &server.services.forge_url;
            let sound = organization.is_empty() || is_account(organization);
            let page = match organization {
                name if sound && !name.is_empty() => format!("{forge}/organizations/{name}/settings/apps/new"),
                _ => format!("{forge}/settings/apps/new"),
            };
            let expires = (server.clock.now_ms() + STATE_LIFE_MS).to_string();
            let query = domain::links::query(&[("state", sign(server, session, &expires))]);
            SetupState::ToMake {
                action: format!("{page}?{query}"),
                manifest: manifest.to_json(),
                name: manifest.name().to_owned(),
                organization: organization.to_owned(),
                error: (!sound).then(|| "Names of organizations have letters, digits and hyphens only.".to_owned()),
                by_hand_url: format!("{forge}/settings/apps/new"),
            }
        }
    }
}

/// Says that the answer belongs to a form of this session: `EXPIRES.SIGNATURE`.
fn sign(server: &Server, session: &Session, expires: &str) -> String {
    let signature = server.settings.signer.sign("setup", &[expires, &server.csrf(session)]);
    format!("{expires}.{signature}")
}

fn is_account(name: &str) -> bool {
    name.len() <= LONGEST_ORGANIZATION && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
}

/// Why GitHub will not reach an address, where that is clear from the address.
fn unreachable(base: &str, forge: &str) -> Option<String> {
    let host = |text: &str| url::Url::parse(text).ok()?.host().map(|host| host.to_owned());
    let is_local = |text: &str| match host(text) {
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(url::Host::Ipv4(ip)) => ip.is_loopback() || ip.is_unspecified(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback() || ip.is_unspecified(),
        None => false,
    };
    // A forge on this machine may well reach it.
    (is_local(base) && !is_local(forge)).then(|| "Its public address is one of this machine only.".to_owned())
}

/// This one page has a form for another site.
fn allow_form_to(response: &mut Response, forge: &str) {
    let Some(origin) = url::Url::parse(forge).ok().map(|url| url.origin().ascii_serialization()) else { return };
    let headers = response.headers_mut();
    let policy = headers.get(header::CONTENT_SECURITY_POLICY).and_then(|value| value.to_str().ok());
    let wider = policy.map(|policy| policy.replace("form-action 'self'", &format!("form-action 'self' {origin}")));
    if let Some(value) = wider.and_then(|policy| HeaderValue::from_str(&policy).ok()) {
        headers.insert(header::CONTENT_SECURITY_POLICY, value);
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Callback {
    #[serde(default)]
    code: String,
    #[serde(default)]
    state: String,
}

/// `GET /setup/callback`: GitHub sends the browser here once the App is made.
pub(super) async fn callback(
    State(server): State<Arc<Server>>,
    InQuery(callback): InQuery<Callback>,
    headers: HeaderMap,
    uri: Uri,
) -> Response {
    answer(&server, &headers, take(&server, &callback, &headers, &uri).await).await
}

async fn take(server: &Server, callback: &Callback, headers: &HeaderMap, uri: &Uri) -> Result<Response, Refused> {
    let session = server.must_be_admin(headers, &server.path_of(uri)).await?;
    let now_ms = server.clock.now_ms();
    let expires = callback.state.split_once('.').map(|(expires, _)| expires).unwrap_or_default();
    let in_time = expires.parse::<i64>().is_ok_and(|expires| now_ms < expires);
    let fields = [expires, &server.csrf(&session)];
    let signature = callback.state.split_once('.').map(|(_, signature)| signature).unwrap_or_default();
    if !in_time || !server.settings.signer.verify("setup", &fields, signature) {
        return Err(Refused::Forbidden(
            "This answer belongs to no form of yours, or to one that is too old. Begin again on the setup page."
                .to_owned(),
        ));
    }
    match server.services.app.get().map(|app| app.origin) {
        Some(AppSource::Configuration) => {
            return Err(Refused::Bad("The configuration names an App (APP_ID), and it wins over this one.".to_owned()));
        }
        // The browser was sent here twice.
        Some(AppSource::Setup { .. }) => return Ok(redirect(&format!("{}/setup", server.root()))),
        None => {}
    }
    // In a task of its own: whoever closes the page now must not lose the App, whose secrets are handed over only once.
    let (services, code) = (server.services.clone(), callback.code.clone());
    let adopted = tokio::spawn(async move { services.adopt(&code, now_ms).await }).await;
    match adopted.map_err(|error| Refused::Broken(error.to_string()))? {
        Ok(html_url) => Ok(redirect(&format!("{html_url}/installations/new"))),
        Err(AppError::GitHub(GitHubError::Gone(_))) => Err(Refused::Bad(
            "GitHub does not know this code: it works once, and for an hour. Delete the App on GitHub, if one was made \
             there, and begin again on the setup page."
                .to_owned(),
        )),
        Err(AppError::GitHub(error)) if !error.is_permanent() => Err(Refused::Bad(format!(
            "GitHub could not be asked for the new App ({error}). Load this page again within the hour."
        ))),
        Err(error) => Err(Refused::Broken(error.to_string())),
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Forget {
    #[serde(default)]
    csrf: String,
}

/// `POST /setup/forget`.
pub(super) async fn forget(
    State(server): State<Arc<Server>>,
    headers: HeaderMap,
    InForm(forget): InForm<Forget>,
) -> Response {
    let result = async {
        server.must_be_our_form(&headers, &forget.csrf).await?;
        server.must_be_admin(&headers, "/setup").await?;
        if matches!(server.services.app.get().map(|app| app.origin), Some(AppSource::Setup { .. })) {
            server.services.forget_app().await?;
        }
        Ok(redirect(&format!("{}/setup", server.root())))
    };
    answer(&server, &headers, result.await).await
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
