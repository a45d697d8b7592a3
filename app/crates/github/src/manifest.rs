//! Creating the App: what GitHub is asked to make, and what it hands over in exchange for its code.

use super::anonymous::client;
use super::answer::text_of;
use super::client::USUAL_TIMEOUT;
use super::error::GitHubError;
use super::route::{Base, encode};
use domain::secret::Secret;
use serde::Deserialize;
use serde_json::{Map, Value};

/// What the App asks for, in Probot's format: the same file that people read.
const APP_YML: &str = include_str!("../../../../app.yml");
/// The address that stands in `app.yml` for the server's own.
const PLACEHOLDER: &str = "https://flawless.example.com";
/// GitHub takes no longer names of Apps.
const LONGEST_NAME: usize = 34;

/// What the App is to be like, without an address yet.
#[derive(Clone, Debug)]
pub struct Manifest(Map<String, Value>);

impl Manifest {
    /// `app.yml`, for a server that people and GitHub reach by `public_url`. Names of Apps are
    /// unique on GitHub, so the host is part of it; whoever creates it can change it there.
    pub fn new(public_url: &str) -> Self {
        let mut all: Map<String, Value> = serde_saphyr::from_str(APP_YML).unwrap_or_default();
        let public_url = public_url.trim_end_matches('/');
        for value in all.values_mut() {
            put_address(value, public_url);
        }
        let host = url::Url::parse(public_url).ok().and_then(|url| url.host_str().map(str::to_owned));
        let name = format!("Flawless {}", host.unwrap_or_default());
        let name: String = name.trim().chars().take(LONGEST_NAME).collect();
        all.insert("name".to_owned(), name.into());
        Self(all)
    }

    /// As GitHub's form takes it: the value of the field `manifest`.
    pub fn to_json(&self) -> String {
        Value::Object(self.0.clone()).to_string()
    }

    /// The App's name, to begin with.
    pub fn name(&self) -> &str {
        self.0.get("name").and_then(Value::as_str).unwrap_or_default()
    }

    /// `issues`, `write`: what the App may do.
    pub fn permissions(&self) -> Vec<(String, String)> {
        let all = self.0.get("default_permissions").and_then(Value::as_object);
        all.into_iter()
            .flatten()
            .map(|(name, level)| (name.clone(), level.as_str().unwrap_or_default().to_owned()))
            .collect()
    }

    /// `issues`, `push`: what GitHub tells it of.
    pub fn events(&self) -> Vec<String> {
        let all = self.0.get("default_events").and_then(Value::as_array);
        all.into_iter().flatten().filter_map(|name| name.as_str().map(str::to_owned)).collect()
    }
}

fn put_address(value: &mut Value, public_url: &str) {
    match value {
        Value::String(text) => *text = text.replace(PLACEHOLDER, public_url),
        Value::Array(items) => items.iter_mut().for_each(|item| put_address(item, public_url)),
        Value::Object(map) => map.values_mut().for_each(|item| put_address(item, public_url)),
        _ => {}
    }
}

/// What GitHub hands over, once: an App with its secrets.
#[derive(Debug, Clone, Deserialize)]
pub struct CreatedApp {
    /// Its number.
    pub id: u64,
    /// Its short name, as in its page's address.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// Its page.
    pub html_url: String,
    /// Its private key, PEM.
    pub pem: Secret,
    /// What GitHub signs webhooks with; `None` where the manifest had no webhook.
    #[serde(default)]
    pub webhook_secret: Option<Secret>,
    /// For signing in.
    pub client_id: String,
    /// For signing in.
    pub client_secret: Secret,
}

/// Exchanges the code that GitHub sent the browser back with, within an hour of its making, once
/// (<https://docs.github.com/en/rest/apps/apps#create-a-github-app-from-a-manifest>).
///
/// # Errors
/// GitHub is out of reach, or does not know the code (any more): [`GitHubError::Gone`].
pub async fn exchange(api_url: &str, code: &str) -> Result<CreatedApp, GitHubError> {
    let base = Base::new(api_url)?;
    let client = client(&base)?;
    let path = format!("/app-manifests/{}/conversions", encode(code));
    let work = async {
        let response = client._post(path, None::<&()>).await;
        let response = response.map_err(|error| GitHubError::from_octocrab(&error))?;
        let status = response.status().as_u16();
        Ok::<_, GitHubError>((status, text_of(response.into_body()).await?))
    };
    let (status, body) = match tokio::time::timeout(USUAL_TIMEOUT, work).await {
        Ok(answer) => answer?,
        Err(_) => return Err(GitHubError::transient(format!("no answer within {} s", USUAL_TIMEOUT.as_secs()))),
    };
    match status {
        201 => serde_json::from_str(&body).map_err(|error| GitHubError::Unexpected(format!("the new App: {error}"))),
        404 | 422 => Err(GitHubError::Gone("the code of the new App".to_owned())),
        _ => Err(GitHubError::transient(format!("GitHub answered {status} when asked for the new App"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manifest_is_app_yml_at_this_servers_address() {
        let manifest = Manifest::new("https://errors.acme.org/flawless/");
        let json: Value = serde_json::from_str(&manifest.to_json()).unwrap();
        assert_eq!(json["name"], "Flawless errors.acme.org");
        assert_eq!(json["hook_attributes"]["url"], "https://errors.acme.org/flawless/api/github/webhooks");
        assert_eq!(json["redirect_url"], "https://errors.acme.org/flawless/setup/callback");
        assert_eq!(json["callback_urls"][0], "https://errors.acme.org/flawless/auth/github/callback");
        assert_eq!(json["public"], false);
        assert!(!manifest.to_json().contains("example.com"));
        let permissions = manifest.permissions();
        assert!(permissions.contains(&("issues".to_owned(), "write".to_owned())));
        assert_eq!(permissions.iter().filter(|(_, level)| level != "read").count(), 1, "least privilege");
        assert!(manifest.events().contains(&"push".to_owned()));
    }

    #[test]
    fn a_long_host_does_not_make_the_name_too_long() {
        let manifest = Manifest::new("https://a-very-long-name-of-a-host.internal.example.org");
        let json: Value = serde_json::from_str(&manifest.to_json()).unwrap();
        assert!(json["name"].as_str().unwrap().chars().count() <= LONGEST_NAME);
    }
}
