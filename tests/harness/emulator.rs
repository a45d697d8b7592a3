//! A whole GitHub from npm (`emulate`), the people on it, and the way of its webhooks to the bot.
//!
//! The emulator gives two deliveries of one millisecond the same id, which a bot must take for a
//! redelivery. So its webhooks go through a [`Relay`] here, which gives each an id of its own, as
//! GitHub does.
//!
//! Two variables put something between the bot and the emulator, such as a proxy that checks each
//! request against GitHub's description of its API: `FLAWLESS_TEST_EMULATOR_PORT` fixes the
//! emulator's port for the proxy to find, and `FLAWLESS_TEST_GITHUB_API_URL` is the address that
//! the bot asks instead of the emulator's own.

use std::fs::File;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode};
use serde_json::{Value, json};

/// The App's number in `tests/emulator/seed.yaml`.
pub const APP_ID: u64 = 4242;
/// The installation's number there.
pub const INSTALLATION: u64 = 777;
/// The secret that webhooks are signed with there.
pub const WEBHOOK_SECRET: &str = "a-webhook-secret-of-the-emulator";
/// The repository that the App is installed on.
pub const REPOSITORY: &str = "acme/shop";

/// It starts in less than a second; a machine busy with other tests takes longer.
const START_PATIENCE: Duration = Duration::from_secs(30);
/// A free port may be taken before the emulator has it.
const START_ATTEMPTS: usize = 3;
/// How long a webhook may take from the event to the bot's answer.
const DELIVERY_PATIENCE: Duration = Duration::from_secs(15);
const POLL: Duration = Duration::from_millis(50);

/// A running emulator; it ends when this is dropped.
pub struct Emulator {
    child: Child,
    url: String,
    relay: Relay,
    directory: tempfile::TempDir,
}

impl Emulator {
    /// Starts it with the repositories, people and the App of `tests/emulator/seed.yaml`.
    ///
    /// # Panics
    /// With what is missing and how to get it, where it can't start.
    pub async fn start() -> Self {
        // Whoever asks by TLS in this process first would choose; here nobody does, and a client
        // still wants one.
        let _ = rustls::crypto::ring::default_provider().install_default();
        require_node();
        let program = folder().join("node_modules/.bin/emulate");
        assert!(program.exists(), "the emulator is not installed: run `npm ci` in {}", folder().display());
        let relay = Relay::start().await;
        let directory = tempfile::tempdir().unwrap();
        let seed = directory.path().join("seed.yaml");
        std::fs::write(&seed, seed_text().replace("WEBHOOK_URL", &relay.url)).unwrap();

        let mut last = String::new();
        for _ in 0..START_ATTEMPTS {
            let port = port();
            let log = directory.path().join("emulator.log");
            let out = File::create(&log).unwrap();
            let mut child = Command::new("node")
                .arg(&program)
                .args(["start", "--service", "github", "--port", &port.to_string(), "--seed"])
                .arg(&seed)
                .stdin(Stdio::null())
                .stdout(out.try_clone().unwrap())
                .stderr(out)
                .spawn()
                .unwrap();
            let url = format!("http://127.0.0.1:{port}");
            if answers(&url, &mut child).await {
                return Self { child, url, relay, directory };
            }
            let _ = child.kill();
            let _ = child.wait();
            last = std::fs::read_to_string(&log).unwrap_or_default();
        }
        panic!("the emulator did not start in {START_ATTEMPTS} attempts; it said last:\n{last}");
    }

    /// `GITHUB_API_URL` for the bot: the emulator, or what was put in between.
    pub fn bot_api_url(&self) -> String {
        std::env::var("FLAWLESS_TEST_GITHUB_API_URL").unwrap_or_else(|_| self.url.clone())
    }

    /// The App's key, as a file (`PRIVATE_KEY_PATH`) that lives as long as the emulator.
    pub fn private_key_path(&self) -> PathBuf {
        let path = self.directory.path().join("app.pem");
        std::fs::write(&path, private_key()).unwrap();
        path
    }

    /// Sends webhooks to this address from now on, those that waited for it first.
    pub async fn deliver_to(&self, webhook_url: &str) {
        self.relay.deliver_to(webhook_url).await;
    }

    /// Waits for the delivery of this event and action after the first `skip` of its kind, and
    /// gives it.
    pub async fn delivered(&self, event: &str, action: Option<&str>, skip: usize) -> Delivery {
        let wanted = |delivery: &&Delivery| delivery.event == event && delivery.action.as_deref() == action;
        let found = tokio::time::timeout(DELIVERY_PATIENCE, async {
            loop {
                let found = self.deliveries().iter().filter(wanted).nth(skip).cloned();
                // Where there is a bot, what it answered is part of the story.
                if let Some(delivery) = found.filter(|it| it.status.is_some() || !self.relay.has_bot()) {
                    return delivery;
                }
                tokio::time::sleep(POLL).await;
            }
        });
        found.await.unwrap_or_else(|_| panic!("no webhook {event} {action:?} came; these did: {:?}", self.deliveries()))
    }

    /// All webhooks so far, in the order of their arrival.
    pub fn deliveries(&self) -> Vec<Delivery> {
        self.relay.shared.lock().unwrap().deliveries.clone()
    }

    /// Someone on this GitHub: `alice`, `bob` or `owner`, with the token of the seed.
    pub fn person(&self, name: &str) -> Person {
        let token = format!("token-of-{name}");
        assert!(seed_text().contains(&token), "tests/emulator/seed.yaml has no {token}");
        Person { client: reqwest::Client::new(), url: self.url.clone(), token }
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Someone who uses GitHub by hand; each call panics with GitHub's answer where it refuses.
pub struct Person {
    client: reqwest::Client,
    url: String,
    token: String,
}

impl Person {
    /// Opens an issue, as people do beside the bot's own; gives its number.
    pub async fn open_issue(&self, repository: &str, title: &str) -> u64 {
        let issue = self.ask(Method::POST, &format!("/repos/{repository}/issues"), json!({ "title": title })).await;
        issue["number"].as_u64().unwrap()
    }

    /// All issues, open and closed, the oldest first.
    pub async fn issues(&self, repository: &str) -> Vec<Value> {
        let path = format!("/repos/{repository}/issues?state=all&sort=created&direction=asc&per_page=100");
        list(self.ask(Method::GET, &path, Value::Null).await)
    }

    /// A repository as the emulator describes it.
    pub async fn repository(&self, repository: &str) -> Value {
        self.ask(Method::GET, &format!("/repos/{repository}"), Value::Null).await
    }

    /// One issue as it is now.
    pub async fn issue(&self, repository: &str, number: u64) -> Value {
        self.ask(Method::GET, &format!("/repos/{repository}/issues/{number}"), Value::Null).await
    }

    /// Puts a label on an issue.
    pub async fn add_label(&self, repository: &str, number: u64, label: &str) {
        let path = format!("/repos/{repository}/issues/{number}/labels");
        self.ask(Method::POST, &path, json!({ "labels": [label] })).await;
    }

    /// Takes a label off an issue.
    pub async fn remove_label(&self, repository: &str, number: u64, label: &str) {
        let label = label.replace(' ', "%20");
        self.ask(Method::DELETE, &format!("/repos/{repository}/issues/{number}/labels/{label}"), Value::Null).await;
    }

    /// Closes an issue.
    pub async fn close(&self, repository: &str, number: u64) {
        self.set_state(repository, number, "closed").await;
    }

    /// Labels an issue and closes it: how a command is given.
    pub async fn close_with_label(&self, repository: &str, number: u64, label: &str) {
        self.add_label(repository, number, label).await;
        self.close(repository, number).await;
    }

    /// Opens a closed issue again.
    pub async fn reopen(&self, repository: &str, number: u64) {
        self.set_state(repository, number, "open").await;
    }

    /// Makes this account the only one assigned.
    pub async fn assign(&self, repository: &str, number: u64, login: &str) {
        let path = format!("/repos/{repository}/issues/{number}");
        self.ask(Method::PATCH, &path, json!({ "assignees": [login] })).await;
    }

    /// Writes a comment.
    pub async fn comment(&self, repository: &str, number: u64, body: &str) {
        self.ask(Method::POST, &format!("/repos/{repository}/issues/{number}/comments"), json!({ "body": body })).await;
    }

    /// All comments on an issue, the oldest first.
    pub async fn comments(&self, repository: &str, number: u64) -> Vec<Value> {
        let path = format!("/repos/{repository}/issues/{number}/comments?per_page=100");
        list(self.ask(Method::GET, &path, Value::Null).await)
    }

    /// The names of the labels that a repository has.
    pub async fn labels(&self, repository: &str) -> Vec<String> {
        let labels = self.ask(Method::GET, &format!("/repos/{repository}/labels?per_page=100"), Value::Null).await;
        list(labels).iter().map(|label| label["name"].as_str().unwrap().to_owned()).collect()
    }

    async fn set_state(&self, repository: &str, number: u64, state: &str) {
        let path = format!("/repos/{repository}/issues/{number}");
        self.ask(Method::PATCH, &path, json!({ "state": state })).await;
    }

    async fn ask(&self, method: Method, path: &str, body: Value) -> Value {
        let mut request = self
            .client
            .request(method.clone(), format!("{}{path}", self.url))
            .bearer_auth(&self.token)
            .header("accept", "application/vnd.github+json")
            .header("user-agent", "flawless-tests");
        if !body.is_null() {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        let answer = request.send().await.unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        assert!(status.is_success(), "{method} {path} as {}: {status} {text}", self.token);
        if text.is_empty() { Value::Null } else { serde_json::from_str(&text).unwrap() }
    }
}

/// One webhook, and what the bot answered.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// `X-GitHub-Event`.
    pub event: String,
    /// The payload's `action`, where it has one.
    pub action: Option<String>,
    /// The payload.
    pub payload: Value,
    /// The bot's answer, 0 where it could not be reached; none while there is no bot to deliver to.
    pub status: Option<u16>,
}

/// Takes the emulator's webhooks and hands them on with ids of their own.
struct Relay {
    url: String,
    shared: Arc<Mutex<Shared>>,
    task: tokio::task::JoinHandle<()>,
}

#[derive(Default)]
struct Shared {
    bot: Option<String>,
    deliveries: Vec<Delivery>,
    waiting: Vec<(usize, HeaderMap, Bytes)>,
}

impl Relay {
    async fn start() -> Self {
        let shared = Arc::new(Mutex::new(Shared::default()));
        let router = Router::new().fallback(receive).with_state(Arc::clone(&shared));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/webhook", listener.local_addr().unwrap());
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, shared, task }
    }

    fn has_bot(&self) -> bool {
        self.shared.lock().unwrap().bot.is_some()
    }

    async fn deliver_to(&self, webhook_url: &str) {
        let waiting = {
            let mut shared = self.shared.lock().unwrap();
            shared.bot = Some(webhook_url.to_owned());
            std::mem::take(&mut shared.waiting)
        };
        for (number, headers, body) in waiting {
            hand_on(&self.shared, webhook_url, number, headers, body).await;
        }
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn receive(State(shared): State<Arc<Mutex<Shared>>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let payload: Value = serde_json::from_slice(&body).unwrap_or_default();
    let event = headers.get("x-github-event").and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let action = payload["action"].as_str().map(str::to_owned);
    let (number, bot) = {
        let mut shared = shared.lock().unwrap();
        let number = shared.deliveries.len();
        shared.deliveries.push(Delivery { event, action, payload, status: None });
        let bot = shared.bot.clone();
        if bot.is_none() {
            shared.waiting.push((number, headers.clone(), body.clone()));
        }
        (number, bot)
    };
    if let Some(bot) = bot {
        hand_on(&shared, &bot, number, headers, body).await;
    }
    StatusCode::OK
}

async fn hand_on(shared: &Mutex<Shared>, bot: &str, number: usize, headers: HeaderMap, body: Bytes) {
    let mut request = reqwest::Client::new()
        .post(bot)
        // In the form of GitHub's ids, and one of a kind in a run.
        .header("x-github-delivery", format!("00000000-0000-4000-8000-{number:012x}"))
        .body(body);
    for name in ["content-type", "user-agent", "x-github-event", "x-github-hook-id", "x-hub-signature-256"] {
        if let Some(value) = headers.get(name) {
            request = request.header(name, value);
        }
    }
    let status = request.send().await.map_or(0, |answer| answer.status().as_u16());
    shared.lock().unwrap().deliveries[number].status = Some(status);
}

fn list(value: Value) -> Vec<Value> {
    match value {
        Value::Array(values) => values,
        other => panic!("not a list: {other}"),
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/emulator")
}

fn seed_text() -> String {
    std::fs::read_to_string(folder().join("seed.yaml")).unwrap()
}

/// The App's key out of the seed, without its indentation.
fn private_key() -> String {
    let seed = seed_text();
    let begin = seed.find("-----BEGIN").expect("the seed holds a key");
    let key: Vec<&str> = seed[begin..].lines().map(str::trim).take_while(|line| !line.is_empty()).collect();
    let end = key.iter().position(|line| line.starts_with("-----END")).expect("the key ends");
    key[..=end].join("\n") + "\n"
}

fn require_node() {
    const MISSING: &str = "Node 20 or later is missing (Debian: apt-get install nodejs npm)";
    let version = Command::new("node").arg("--version").output().unwrap_or_else(|error| panic!("{MISSING}: {error}"));
    let version = String::from_utf8_lossy(&version.stdout).trim().to_owned();
    let major: u32 = version.trim_start_matches('v').split('.').next().and_then(|it| it.parse().ok()).unwrap_or(0);
    assert!(major >= 20, "{MISSING}: this is {version}");
}

fn port() -> u16 {
    match std::env::var("FLAWLESS_TEST_EMULATOR_PORT") {
        Ok(port) => port.parse().expect("FLAWLESS_TEST_EMULATOR_PORT is a port"),
        Err(_) => TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port(),
    }
}

/// Whether it answers before it ends or the patience does.
async fn answers(url: &str, child: &mut Child) -> bool {
    let ready = tokio::time::timeout(START_PATIENCE, async {
        let client = reqwest::Client::new();
        loop {
            if matches!(child.try_wait(), Ok(Some(_))) {
                return false;
            }
            if client.get(format!("{url}/meta")).send().await.is_ok_and(|answer| answer.status().is_success()) {
                return true;
            }
            tokio::time::sleep(POLL).await;
        }
    });
    ready.await.unwrap_or(false)
}
