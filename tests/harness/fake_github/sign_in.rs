//! Signing in: GitHub's page, the exchange of its code with PKCE, refreshing, and what a person may
//! see.

use super::FakeGitHub;
use super::api::{Answered, Asked, error, plain};
use super::creation::{CLIENT_ID, CLIENT_SECRET};
use super::serve::Shared;
use super::world::World;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::timestamp::Timestamp;
use jiff::SignedDuration;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// How long a person's token lives, by GitHub's documentation.
pub const USER_TOKEN_LIFE: SignedDuration = SignedDuration::from_hours(8);
/// How long the page's code is good for.
const CODE_LIFE: SignedDuration = SignedDuration::from_mins(10);

/// Who is who, and signed in where.
#[derive(Default)]
pub struct People {
    /// Roles by login and repository.
    pub roles: BTreeMap<String, BTreeMap<u64, &'static str>>,
    codes: HashMap<String, Code>,
    /// Login and end, by token.
    pub tokens: HashMap<String, (String, Timestamp)>,
    refresh: HashMap<String, String>,
    made: u64,
}

struct Code {
    login: String,
    challenge: String,
    redirect_uri: String,
    until: Timestamp,
}

impl FakeGitHub {
    /// Gives somebody a role in a repository: read, triage, write or admin; empty: none.
    pub fn set_role(&self, login: &str, repository: &str, role: &'static str) {
        let mut world = self.world();
        let id = world.repository(repository).id;
        let roles = world.people.roles.entry(login.to_owned()).or_default();
        if role.is_empty() {
            roles.remove(&id)
        } else {
            roles.insert(id, role)
        };
    }

    /// Somebody confirms GitHub's page at this address; where their browser is sent then.
    pub fn authorize(&self, address: &str, login: &str) -> String {
        let url = url::Url::parse(address).unwrap();
        assert_eq!(url.path(), "/login/oauth/authorize");
        let query: HashMap<String, String> = url.query_pairs().into_owned().collect();
        assert_eq!((query["client_id"].as_str(), query["code_challenge_method"].as_str()), (CLIENT_ID, "S256"));
        assert!(query["state"].len() >= 32, "a state that can be guessed");
        let mut world = self.world();
        world.people.made += 1;
        let code = format!("user-code-{}", world.people.made);
        let made = Code {
            login: login.to_owned(),
            challenge: query["code_challenge"].clone(),
            redirect_uri: query["redirect_uri"].clone(),
            until: world.now + CODE_LIFE,
        };
        world.people.codes.insert(code.clone(), made);
        format!("{}?code={code}&state={}", query["redirect_uri"], query["state"])
    }

    /// Takes back whatever tokens somebody has: they revoked the App.
    pub fn revoke_user(&self, login: &str) {
        let mut world = self.world();
        let gone: Vec<String> =
            world.people.tokens.iter().filter(|(_, (of, _))| of == login).map(|(token, _)| token.clone()).collect();
        for token in gone {
            world.people.tokens.remove(&token);
        }
        world.people.refresh.retain(|_, of| of != login);
    }

    /// Answers `/login/oauth/access_token`, which is no part of the API.
    pub fn sign_in_router(&self) -> axum::Router {
        axum::Router::new()
            .route("/login/oauth/access_token", axum::routing::post(exchange))
            .with_state(Arc::clone(&self.shared))
    }
}

async fn exchange(State(shared): State<Arc<Shared>>, body: String) -> Response {
    let asked: HashMap<String, String> = serde_json::from_str(&body).expect("texts in JSON");
    // GitHub answers refusals with 200.
    let refused = |error: &str| json!({ "error": error, "error_description": format!("{error}, says GitHub") });
    let answer = {
        let mut world = shared.world();
        if (asked["client_id"].as_str(), asked["client_secret"].as_str()) != (CLIENT_ID, CLIENT_SECRET) {
            refused("incorrect_client_credentials")
        } else if asked.get("grant_type").is_some_and(|kind| kind == "refresh_token") {
            match world.people.refresh.remove(&asked["refresh_token"]) {
                Some(login) => world.sign_in(&login),
                None => refused("bad_refresh_token"),
            }
        } else {
            let now = world.now;
            let hash = URL_SAFE_NO_PAD.encode(Sha256::digest(asked["code_verifier"].as_bytes()));
            match world.people.codes.remove(&asked["code"]) {
                Some(code) if code.until < now || code.challenge != hash => refused("bad_verification_code"),
                Some(code) if code.redirect_uri != asked["redirect_uri"] => refused("redirect_uri_mismatch"),
                Some(code) => world.sign_in(&code.login),
                None => refused("bad_verification_code"),
            }
        }
    };
    ([("content-type", "application/json; charset=utf-8")], answer.to_string()).into_response()
}

impl World {
    fn sign_in(&mut self, login: &str) -> Value {
        self.people.made += 1;
        let (token, refresh) = (format!("ghu_{}", self.people.made), format!("ghr_{}", self.people.made));
        self.people.tokens.insert(token.clone(), (login.to_owned(), self.now + USER_TOKEN_LIFE));
        self.people.refresh.insert(refresh.clone(), login.to_owned());
        json!({
            "access_token": token, "expires_in": USER_TOKEN_LIFE.as_secs(), "refresh_token": refresh,
            "refresh_token_expires_in": 15_897_600, "scope": "", "token_type": "bearer",
        })
    }

    /// Whose token this is, while it lives.
    pub fn user_of(&self, token: &str) -> Option<String> {
        let (login, until) = self.people.tokens.get(token)?;
        (self.now < *until).then(|| login.clone())
    }

    /// What a person's token is for.
    pub fn answer_person(&mut self, asked: &Asked<'_>, login: &str) -> Answered {
        let roles = self.people.roles.get(login).cloned().unwrap_or_default();
        match asked.operation {
            "users/get-authenticated" => plain(200, self.account_json(login)),
            "apps/list-installations-for-authenticated-user" => {
                let seen = |ids: &std::collections::BTreeSet<u64>| ids.iter().any(|id| roles.contains_key(id));
                let all = self.installations.values().filter(|it| seen(&it.repositories));
                let all = all.map(|it| self.installation_json(it)).collect();
                self.page(asked, all, Some("installations"))
            }
            "apps/list-installation-repos-for-authenticated-user" => {
                let Some(it) = self.installations.get(&asked.number("installation_id")) else {
                    return error(404, "Not Found");
                };
                if it.suspended {
                    return error(403, "This installation has been suspended");
                }
                let all = it
                    .repositories
                    .iter()
                    .filter_map(|id| Some((id, *roles.get(id)?)))
                    .map(|(id, role)| {
                        let mut json = self.repository_json(&self.repositories[id]);
                        let order = ["read", "triage", "write", "maintain", "admin"];
                        let at = order.iter().position(|name| *name == role).expect("a role");
                        json["permissions"] = json!({
                            "pull": true, "triage": at >= 1, "push": at >= 2, "maintain": at >= 3, "admin": at >= 4,
                        });
                        json
                    })
                    .collect();
                self.page(asked, all, Some("repositories"))
            }
            _ => error(403, "Resource not accessible by integration"),
        }
    }
}
