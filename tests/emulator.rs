//! The whole chain on the emulated GitHub: the bot's requests answered by a server that nobody here
//! wrote.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use serde_json::json;
use tokio::net::TcpListener;

use crate::harness::emulator::{APP_ID, Emulator, INSTALLATION, REPOSITORY, WEBHOOK_SECRET};
use crate::harness::git_repo::GitRepo;
use crate::harness::git_server::GitServer;
use crate::harness::jobs::next_write_due;
use crate::harness::story::{CART, CART_PATH};
use app::clock::Clock;
use app::config::Config;
use app::serve::Flawless;
use app::worker::Worker;
use domain::ids::RepositoryId;
use domain::pace::GAP;
use domain::repository::GitHubRepository;
use std::collections::BTreeMap;
use store::repositories::NewRepository;
use tempfile::TempDir;

#[tokio::test]
#[ignore = "needs Node; tests/run runs it"]
async fn emulator_keeps_issues_and_tells_the_bot_of_what_people_do() {
    let emulator = Emulator::start().await;
    let alice = emulator.person("alice");
    let number = alice.open_issue(REPOSITORY, "The till is stuck").await;
    alice.close_with_label(REPOSITORY, number, "known-error: file").await;
    alice.comment(REPOSITORY, number, "It is not that bad.").await;

    let bob = emulator.person("bob");
    let issues = bob.issues(REPOSITORY).await;
    let seen: Vec<_> = issues.iter().map(|it| (&it["title"], &it["state"], &it["labels"][0]["name"])).collect();
    assert_eq!(seen, [(&json!("The till is stuck"), &json!("closed"), &json!("known-error: file"))]);
    assert_eq!(bob.comments(REPOSITORY, number).await[0]["body"], "It is not that bad.");

    let closed = emulator.delivered("issues", Some("closed"), 0).await;
    assert_eq!(closed.payload["installation"]["id"], INSTALLATION);
    assert_eq!(closed.payload["issue"]["labels"][0]["name"], "known-error: file");
    bob.remove_label(REPOSITORY, number, "known-error: file").await;
    bob.reopen(REPOSITORY, number).await;
    assert_eq!(emulator.delivered("issues", Some("reopened"), 0).await.payload["sender"]["login"], "bob");

    // What came before there was a bot waits for it; each delivery has an id of its own.
    let ids = Arc::new(Mutex::new(Vec::new()));
    emulator.deliver_to(&bot(Arc::clone(&ids)).await).await;
    alice.assign(REPOSITORY, number, "bob").await;
    assert_eq!(emulator.delivered("issues", Some("assigned"), 0).await.status, Some(202));
    let mut ids = ids.lock().unwrap().clone();
    assert_eq!(ids.len(), emulator.deliveries().len());
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), emulator.deliveries().len());
}

/// The author as GitHub's noreply address names her, so that the bot knows her login although the
/// emulator has other commits.
const ALICE: &str = "Alice <alice@users.noreply.github.com>";

/// A server that watches the emulator's repository.
struct Watching {
    flawless: Flawless,
    database: String,
    id: RepositoryId,
    /// The one commit of the repository.
    head: String,
    /// What goes away with it.
    _world: (GitServer, TempDir),
}

/// Opens a server that watches the emulator's repository, whose one file Alice wrote.
async fn watching(emulator: &Emulator, path: &str, text: &str) -> Watching {
    app::serve::install_crypto();
    let folder = tempfile::tempdir().unwrap();
    let git = tokio::task::spawn_blocking(GitServer::start).await.unwrap();
    let repo = GitRepo::init(folder.path().join("shop"));
    let head = repo.commit(ALICE, "2026-01-05T10:00:00Z", &[(path, text)], "Begin");
    git.host.serve(REPOSITORY, repo.git_dir());
    let server_url = git.url("").trim_end_matches("/.git").to_owned();
    let database = format!("sqlite://{}", folder.path().join("flawless.db").display());
    let settings = BTreeMap::from(
        [
            ("PORT", "0".to_owned()),
            ("DATA_DIR", folder.path().join("data").display().to_string()),
            ("DATABASE_URL", database.clone()),
            ("APP_ID", APP_ID.to_string()),
            ("PRIVATE_KEY_PATH", emulator.private_key_path().display().to_string()),
            ("WEBHOOK_SECRET", WEBHOOK_SECRET.to_owned()),
            ("GITHUB_API_URL", emulator.bot_api_url()),
            ("GITHUB_SERVER_URL", server_url.clone()),
        ]
        .map(|(name, value)| (name.to_owned(), value)),
    );
    let flawless = Flawless::open(Config::from_parts(None, settings).unwrap(), Clock::system()).await.unwrap();
    // The emulator tells nothing of installations, so the story begins where its webhook would have
    // led.
    let about = emulator.person("alice").repository(REPOSITORY).await;
    let new = NewRepository {
        full_name: REPOSITORY.into(),
        clone_url: git.url(REPOSITORY),
        github: Some(GitHubRepository {
            id: about["id"].as_u64().unwrap(),
            installation: INSTALLATION,
            html_url: format!("{server_url}/{REPOSITORY}"),
        }),
        public: false,
    };
    let id = flawless.handles.repositories().watch(&new, Clock::system().now()).await.unwrap();
    Watching { flawless, database, id, head, _world: (git, folder) }
}

/// From a report to an issue, a command and back, on a GitHub that nobody here wrote.
#[tokio::test]
#[ignore = "needs Node; tests/run runs it"]
async fn emulator_sees_the_whole_story() {
    let emulator = Emulator::start().await;
    let alice = emulator.person("alice");
    let Watching { flawless, database, id, head, _world } = watching(&emulator, CART_PATH, CART).await;
    let (services, worker) = (flawless.handles.clone(), flawless.worker.clone());
    let url = format!("http://{}", flawless.address);
    let server = tokio::spawn(flawless.run(false, std::future::pending()));
    settle(&database, &worker).await;
    let labels = alice.labels(REPOSITORY).await;
    assert!(labels.iter().any(|label| label == "known-error: function"), "{labels:?}");

    let key = store::ingest_keys::in_force(&services.store, id).await.unwrap().remove(0);
    let report = async || {
        let text = format!(
            "Traceback (most recent call last):\n  File \"/srv/app/{CART_PATH}\", line 9, in total\n    amount += PRICES[sku]\nKeyError: 'quince'\n"
        );
        let address = format!("{url}/api/{id}/traceback?release={head}");
        let answer = reqwest::Client::new().post(address).bearer_auth(&key).body(text).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        settle(&database, &worker).await;
    };
    report().await;
    report().await;
    let issues = alice.issues(REPOSITORY).await;
    assert_eq!(issues.len(), 1, "{issues:#?}");
    assert_eq!(issues[0]["title"], "KeyError in total (shop/cart.py)");
    let number = issues[0]["number"].as_u64().unwrap();

    emulator.deliver_to(&format!("{url}/api/github/webhooks")).await;
    alice.close_with_label(REPOSITORY, number, "known-error").await;
    emulator.delivered("issues", Some("closed"), 0).await;
    settle(&database, &worker).await;
    let comments = alice.comments(REPOSITORY, number).await;
    assert_eq!(comments.len(), 1, "{comments:#?}");
    report().await;
    let line = store::lines::of_repository(&services.store, id, 10).await.unwrap().remove(0);
    assert!(line.known && line.total == 3, "{line:#?}");

    alice.remove_label(REPOSITORY, number, "known-error").await;
    emulator.delivered("issues", Some("unlabeled"), 0).await;
    settle(&database, &worker).await;
    report().await;
    let issue = alice.issue(REPOSITORY, number).await;
    assert_eq!(issue["state"], "open", "the line is back");
    let comments = alice.comments(REPOSITORY, number).await;
    assert_eq!(comments.len(), 3, "whitelisted, ended, back: {comments:#?}");
    assert_eq!(alice.issues(REPOSITORY).await.len(), 1);
    server.abort();
}

/// Many new lines at once, on a GitHub that nobody here wrote and by the real clock: one issue for
/// all of them, and single ones as the pace allows. `FLAWLESS_TEST_STORM_LINES` says how many, and
/// `FLAWLESS_TEST_STORM_SECONDS` how long it goes on after that issue is complete.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Node; tests/run runs it"]
async fn emulator_weathers_a_storm() {
    let count: usize = std::env::var("FLAWLESS_TEST_STORM_LINES").map_or(30, |text| text.parse().unwrap());
    let emulator = Emulator::start().await;
    let alice = emulator.person("alice");
    let text: String = (0..count).map(|n| format!("def f{n}(x):\n    return x.part_{n}\n")).collect();
    let Watching { flawless, id, head, _world, .. } = watching(&emulator, "shop/parts.py", &text).await;
    let services = flawless.handles.clone();
    let url = format!("http://{}", flawless.address);
    let key = store::ingest_keys::in_force(&services.store, id).await.unwrap().remove(0);
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let server = tokio::spawn(flawless.run(true, async {
        let _ = stopped.await;
    }));
    let http = reqwest::Client::new();
    for n in 0..count {
        let line = 2 * n + 2;
        let text = format!(
            "Traceback (most recent call last):\n  File \"/srv/app/shop/parts.py\", line {line}, in f{n}\n    return x.part_{n}\nAttributeError: part_{n}\n"
        );
        let address = format!("{url}/api/{id}/traceback?release={head}");
        assert_eq!(http.post(address).bearer_auth(&key).body(text).send().await.unwrap().status(), 200);
    }
    let wanted = format!("Storm: {count} lines began to fail at once");
    let mut issues = Vec::new();
    // Seconds, of which a machine with much else to do has taken 160; what is asserted is what
    // comes of it, not how soon.
    for _ in 0..600 {
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        issues = alice.issues(REPOSITORY).await;
        if issues.iter().any(|issue| issue["title"] == wanted) {
            break;
        }
    }
    if let Ok(seconds) = std::env::var("FLAWLESS_TEST_STORM_SECONDS") {
        tokio::time::sleep(std::time::Duration::from_secs(seconds.parse().unwrap())).await;
        issues = alice.issues(REPOSITORY).await;
    }
    let storms = issues.iter().filter(|it| it["title"].as_str().unwrap().starts_with("Storm")).count();
    println!("{} issues, {storms} of them a storm's", issues.len());
    assert_eq!(storms, 1, "{:?}", issues.iter().map(|issue| &issue["title"]).collect::<Vec<_>>());
    let titles: Vec<_> = issues.iter().map(|issue| &issue["title"]).collect();
    assert!(titles.iter().any(|title| **title == wanted), "it is kept up to date: {titles:?}");
    stop.send(()).unwrap();
    server.await.unwrap();
}

/// Works off what was asked for, the writes with their second between them.
async fn settle(database: &str, worker: &Worker) {
    loop {
        while worker.drain().await.unwrap() > 0 {}
        match next_write_due(database).await {
            Some(due) if due <= Clock::system().now() + 2 * GAP => {
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            }
            _ => return,
        }
    }
}

/// A bot that only writes down the ids of what it is told; gives its webhook's address.
async fn bot(ids: Arc<Mutex<Vec<String>>>) -> String {
    let receive = async move |headers: HeaderMap| {
        assert!(headers["x-hub-signature-256"].to_str().unwrap().starts_with("sha256="));
        ids.lock().unwrap().push(headers["x-github-delivery"].to_str().unwrap().to_owned());
        StatusCode::ACCEPTED
    };
    let router = Router::new().route("/api/github/webhooks", post(receive));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/api/github/webhooks", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    url
}
