//! A GitHub in this process: stateful, strict, and able to fail. Its requests are held against
//! GitHub's own OpenAPI.

mod api;
mod contract;
mod creation;
pub mod hooks;
mod issues;
mod people;
pub mod pulls;
mod refusals;
mod serve;
mod sign_in;
pub mod world;

pub use creation::{CLIENT_ID, CLIENT_SECRET};
use domain::timestamp::Timestamp;
pub use hooks::sign;
use jiff::SignedDuration;
pub use world::{Account, Change, Comment, CommitAuthor, Issue, IssueChange, Label};

use app::clock::Clock;
use github::{Settings, TimeSource};
use serde_json::Value;
use serve::Shared;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::sync::Notify;
use world::World;

/// The App's number.
pub const APP_ID: u64 = 4242;
/// The App's short name.
pub const SLUG: &str = "flawless-test";
/// What the App asked to be told of; an installation comes and goes unasked.
pub const EVENTS: [&str; 3] = ["issues", "push", "repository"];
/// The login under which the App acts.
pub const BOT: &str = "flawless-test[bot]";
/// The webhooks' secret.
pub const SECRET: &str = "webhook secret of the tests";
/// The App's private key; the fake knows its public half.
pub const PRIVATE_KEY: &str = include_str!("../data/app-key.pem");
const PUBLIC_KEY: &str = include_str!("../data/app-key.pub.pem");
/// How long GitHub's installation tokens live.
const TOKEN_LIFE: SignedDuration = SignedDuration::from_hours(1);

/// How the next request of an operation goes wrong.
#[derive(Clone, Debug)]
pub enum Fault {
    /// Nothing is done, and this is the answer. A text as body is sent as it is, anything else as
    /// JSON.
    Status { status: u16, headers: Vec<(&'static str, String)>, body: Value },
    /// The work is done, but this is the answer, as when a proxy gives up.
    AfterWork(u16),
    /// The connection ends; nothing is done.
    Drop,
    /// The work is done, then the connection ends.
    DropAfterWork,
    /// Nothing is done, and whoever asked is killed: no answer ever comes.
    Kill,
    /// The same after the work is done.
    KillAfterWork,
    /// The work is done after this time.
    Delay(Duration),
    /// The work is done, and the answer comes after this time.
    HangAfterWork(Duration),
    /// The work is done, and the answer comes when the story's clock has gone on by so much.
    Takes(SignedDuration),
    /// The connection ends, and the work is done when the story's clock has gone on by so much.
    WorkLater(SignedDuration),
}

impl Fault {
    /// A status without further ado.
    pub fn status(status: u16, message: &str) -> Self {
        Self::Status { status, headers: Vec::new(), body: serde_json::json!({ "message": message }) }
    }
}

/// A request that came.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// Such as `issues/create`; empty where it is none that we use.
    pub operation: String,
    pub method: String,
    pub query: Vec<(String, String)>,
    pub body: Value,
    /// What was sent as bearer.
    pub token: String,
    /// 0 where the connection ended.
    pub status: u16,
    /// By the story's clock.
    pub at: Timestamp,
}

/// The fake. Ends with its last use.
pub struct FakeGitHub {
    shared: Arc<Shared>,
    url: String,
    server: tokio::task::JoinHandle<()>,
}

impl Drop for FakeGitHub {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl FakeGitHub {
    /// Starts on a free port of loopback. Its times, tokens' ends among them, are this clock's,
    /// until [`Self::set_ahead`] says otherwise.
    pub async fn start(clock: Clock) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let bot = Account { id: 999, login: BOT.to_owned(), kind: "Bot".to_owned() };
        let world = World { url: url.clone(), accounts: vec![bot], token_life: TOKEN_LIFE, ..World::default() };
        let key = jsonwebtoken::DecodingKey::from_rsa_pem(PUBLIC_KEY.as_bytes()).expect("the test's public key");
        let contract = contract::Contract::load();
        let shared = Arc::new(Shared { world: Mutex::new(world), contract, clock, key, kill: Notify::new() });
        let router = axum::Router::new().fallback(serve::serve).with_state(Arc::clone(&shared));
        let server = tokio::spawn(async move { axum::serve(listener, router).await.expect("the fake GitHub serves") });
        Self { shared, url, server }
    }

    /// The API's address.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Settings with which the bot reaches this GitHub, by the story's clock.
    pub fn settings(&self) -> Settings {
        let clock = self.shared.clock.clone();
        Settings::new(&self.url, APP_ID, PRIVATE_KEY, TimeSource::new(move || clock.now()))
    }

    /// How far its clock is ahead of the story's from now on, or behind where it is negative.
    pub fn set_ahead(&self, by: SignedDuration) {
        self.world().ahead = by;
    }

    /// What all answers from now on say as their `Date`, as those that pass a proxy which makes its
    /// own; `None`: what time it is.
    pub fn set_date(&self, date: Option<Timestamp>) {
        self.world().date = date;
    }

    /// Returns when a request meets a [`Fault::Kill`].
    pub async fn kills(&self) {
        self.shared.kill.notified().await;
    }

    /// Lets the next request of an operation go wrong; several wait in line.
    pub fn fail_next(&self, operation: &str, fault: Fault) {
        assert!(
            self.shared.contract.knows(operation.split('#').next().unwrap_or_default()),
            "no operation {operation}"
        );
        self.world().faults.push_back((operation.to_owned(), fault));
    }

    /// Takes back the faults that did not strike; how many they were.
    pub fn take_faults(&self) -> usize {
        std::mem::take(&mut self.world().faults).len()
    }

    /// How long tokens live that are minted from now on.
    pub fn set_token_life(&self, life: SignedDuration) {
        self.world().token_life = life;
    }

    /// Lists of issues show how they were so long ago, as GitHub's do at times: one that was filed
    /// since is missing.
    pub fn set_list_lag(&self, lag: SignedDuration) {
        self.world().list_lag = lag;
    }

    /// Whoever asks for an issue is told how it was so long ago, as on GitHub right after a
    /// webhook.
    pub fn set_read_lag(&self, lag: SignedDuration) {
        self.world().read_lag = lag;
    }

    /// Whoever asks for an issue's events is told of those up to so long ago.
    pub fn set_event_lag(&self, lag: SignedDuration) {
        self.world().event_lag = lag;
    }

    /// From now on no issue can be closed as a duplicate.
    pub fn know_no_duplicates(&self) {
        self.world().has_no_duplicates = true;
    }

    /// Makes all tokens invalid before their time.
    pub fn revoke_tokens(&self) {
        self.world().tokens.clear();
    }

    /// The installation that a token opens, for git servers that check it.
    pub fn installation_of(&self, token: &str) -> Option<u64> {
        let world = self.world();
        world.tokens.get(token).filter(|it| it.expires_at > world.now).map(|it| it.installation)
    }

    /// All requests so far.
    pub fn requests(&self) -> Vec<Recorded> {
        self.world().requests.clone()
    }

    /// The requests of one operation so far.
    pub fn requests_of(&self, operation: &str) -> Vec<Recorded> {
        assert!(self.shared.contract.knows(operation), "no operation {operation}");
        self.requests().into_iter().filter(|it| it.operation == operation).collect()
    }

    /// A repository's issues and pull requests, oldest first.
    pub fn issues(&self, repository: &str) -> Vec<Issue> {
        self.world().repository(repository).issues.values().cloned().collect()
    }

    /// One issue.
    pub fn issue(&self, repository: &str, number: u64) -> Issue {
        self.world().repository(repository).issues.get(&number).cloned().expect("an issue")
    }

    /// The comments under an issue, oldest first.
    pub fn comments(&self, repository: &str, number: u64) -> Vec<Comment> {
        self.issue(repository, number).comments
    }

    /// A repository's labels, in the order in which they were made.
    pub fn labels(&self, repository: &str) -> Vec<Label> {
        self.world().repository(repository).labels.clone()
    }

    /// What the bot did to issues since the last look. A story that ends with some of it unseen
    /// should fail.
    pub fn take_issue_changes(&self) -> Vec<IssueChange> {
        std::mem::take(&mut self.world().changes)
    }

    /// Requests that break GitHub's rules, since the last look.
    pub fn take_violations(&self) -> Vec<String> {
        std::mem::take(&mut self.world().violations)
    }

    /// Fails where an installation wrote faster than GitHub wants: within a second of the write
    /// before, more than 80 times a minute or 500 times an hour.
    pub fn assert_pace(&self) {
        let mut writes: std::collections::BTreeMap<u64, Vec<Timestamp>> = std::collections::BTreeMap::new();
        for request in self.requests().iter().filter(|it| it.method != "GET") {
            if let Some(installation) = self.installation_of(&request.token) {
                writes.entry(installation).or_default().push(request.at);
            }
        }
        for times in writes.values() {
            for (at, &time) in times.iter().enumerate() {
                assert!(at == 0 || time - times[at - 1] >= SignedDuration::from_secs(1), "two writes within a second");
                let within =
                    |window: SignedDuration| times[..=at].iter().filter(|&&other| other > time - window).count();
                assert!(within(SignedDuration::from_mins(1)) <= 80, "more than 80 writes within a minute");
                assert!(within(SignedDuration::from_hours(1)) <= 500, "more than 500 writes within an hour");
            }
        }
    }

    /// Fails where a request broke GitHub's rules, or a fault was set that never struck.
    pub fn assert_clean(&self) {
        let world = self.world();
        assert!(world.violations.is_empty(), "against GitHub's rules:\n  {}", world.violations.join("\n  "));
        let waiting: Vec<&String> = world.faults.iter().map(|(operation, _)| operation).collect();
        assert!(waiting.is_empty(), "faults that never struck: {waiting:?}");
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.shared.world()
    }
}
