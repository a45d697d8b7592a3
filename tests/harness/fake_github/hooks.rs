//! What the fake GitHub tells the bot: payloads, queued in the order of what happened, signed and
//! posted on demand.

use super::world::{World, time, with};
use super::{FakeGitHub, SECRET};
use domain::timestamp::Timestamp;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use std::fmt::Write as _;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// GitHub waits ten seconds for an answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// A webhook, waiting or sent.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// `X-GitHub-Delivery`.
    pub id: String,
    /// `X-GitHub-Event`.
    pub event: String,
    pub payload: Value,
    /// Status of the last answer; 0 before it is sent, and where none came.
    pub status: u16,
    /// When it was sent or lost.
    pub at: Timestamp,
}

impl Delivery {
    /// `issues.closed`, `push`.
    pub fn name(&self) -> String {
        match self.payload["action"].as_str() {
            Some(action) => format!("{}.{action}", self.event),
            None => self.event.clone(),
        }
    }
}

/// A signature as GitHub puts it into `X-Hub-Signature-256`.
pub fn sign(secret: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any length will do");
    mac.update(body);
    mac.finalize().into_bytes().iter().fold("sha256=".to_owned(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a string takes all");
        text
    })
}

impl World {
    /// All tries, the latest first, as the API lists them. A try's number is its place.
    pub fn deliveries(&self) -> Vec<Value> {
        let tries = self.delivered.iter().enumerate().rev();
        tries
            .map(|(at, it)| {
                json!({
                    "id": at + 1, "guid": it.id, "delivered_at": time(it.at), "redelivery": false,
                    "duration": 0.03, "status": if it.status == 200 { "OK" } else { "Bad" }, "status_code": it.status,
                    "event": it.event, "action": it.payload["action"], "installation_id": null, "repository_id": null,
                })
            })
            .collect()
    }

    /// One more try, under the same id.
    pub fn deliver_again(&mut self, number: u64) -> bool {
        let found = number.checked_sub(1).and_then(|at| self.delivered.get(usize::try_from(at).ok()?)).cloned();
        let is_there = found.is_some();
        self.queue.extend(found);
        is_there
    }

    /// Queues a webhook about a repository, for the installation that sees it.
    pub fn tell(&mut self, repository: u64, event: &str, by: &str, fields: Value) {
        if !super::EVENTS.contains(&event) {
            return;
        }
        let seen_by = self.installations.values().find(|it| it.repositories.contains(&repository) && !it.suspended);
        let Some(installation) = seen_by.map(|it| it.id) else { return };
        let common = json!({
            "repository": self.repository_json(&self.repositories[&repository]),
            "sender": self.account_json(by),
            "installation": { "id": installation, "node_id": format!("IN_{installation}") },
        });
        self.enqueue(event, with(fields, common));
    }

    /// Queues a webhook about an issue, with the issue as it is now.
    pub fn tell_issue(&mut self, repository: u64, number: u64, action: &str, by: &str, more: Value) {
        self.note_event(repository, number, action, by, &more);
        let it = &self.repositories[&repository];
        let issue = self.issue_json(it, &it.issues[&number]);
        self.tell(repository, "issues", by, with(json!({ "action": action, "issue": issue }), more));
    }

    /// Lists what was done to an issue among its events.
    fn note_event(&mut self, repository: u64, number: u64, event: &str, by: &str, more: &Value) {
        if !["labeled", "unlabeled", "closed", "reopened", "assigned", "unassigned"].contains(&event) {
            return;
        }
        let (at, actor) = (self.now, self.account_json(by));
        let commit = self.repositories[&repository].issues[&number].closed_by.clone().filter(|_| event == "closed");
        let mut it = json!({
            "id": self.new_id(), "event": event, "actor": actor, "commit_id": commit, "created_at": time(at),
        });
        if event.ends_with("assigned") {
            (it["assignee"], it["assigner"]) = (more["assignee"].clone(), actor);
        }
        if event.ends_with("labeled") {
            it["label"] = json!({ "name": more["label"]["name"], "color": "ededed" });
        }
        self.events.entry((repository, number)).or_default().push((at, it));
    }

    /// Queues a webhook about an installation, which all Apps get.
    pub fn tell_installation(&mut self, installation: u64, event: &str, action: &str, by: &str, more: Value) {
        let about = self.installation_json(&self.installations[&installation]);
        let fields = json!({ "action": action, "installation": about, "sender": self.account_json(by) });
        self.enqueue(event, with(fields, more));
    }

    /// Repositories as these payloads list them: leanly.
    pub fn listed(&self, ids: &[u64]) -> Value {
        let lean = ids.iter().map(|id| &self.repositories[id]).map(|it| {
            let name = it.full_name.split_once('/').map_or("", |(_, name)| name);
            json!({ "id": it.id, "name": name, "full_name": it.full_name, "private": it.private })
        });
        lean.collect()
    }

    fn enqueue(&mut self, event: &str, payload: Value) {
        let id = format!("{:08x}-0000-4000-8000-{:012x}", self.new_id(), self.queue.len() + self.delivered.len());
        self.queue.push_back(Delivery { id, event: event.to_owned(), payload, status: 0, at: Timestamp::UNIX_EPOCH });
    }
}

impl FakeGitHub {
    /// Posts everything that waits, oldest first, each after the answer to the one before; also
    /// what is queued meanwhile. Returns what was sent, with the answers' statuses.
    pub async fn deliver(&self, url: &str) -> Vec<Delivery> {
        let mut sent = Vec::new();
        while let Some(mut delivery) = { self.world().queue.pop_front() } {
            delivery.status = post(url, &delivery).await;
            delivery.at = self.world().now;
            self.world().delivered.push(delivery.clone());
            sent.push(delivery);
        }
        sent
    }

    /// Sends one again under its old id, as GitHub does when asked to.
    pub async fn redeliver(&self, url: &str, id: &str) -> u16 {
        let delivery = self.world().delivered.iter().find(|it| it.id == id).cloned();
        post(url, &delivery.expect("it was delivered before")).await
    }

    /// Names of what waits, such as `issues.closed`.
    pub fn waiting(&self) -> Vec<String> {
        self.world().queue.iter().map(Delivery::name).collect()
    }

    /// Loses what waits, as GitHub does where nobody answers: it is kept, and sent again only on
    /// request. Returns what was lost.
    pub fn lose_deliveries(&self) -> Vec<Delivery> {
        let mut world = self.world();
        let (at, mut lost) = (world.now, Vec::from_iter(world.queue.drain(..)));
        for delivery in &mut lost {
            (delivery.status, delivery.at) = (502, at);
        }
        world.delivered.extend(lost.iter().cloned());
        lost
    }

    /// Queues as many copies of a webhook, each under an id of its own.
    pub fn copy(&self, delivery: &Delivery, copies: usize) {
        for _ in 0..copies {
            self.queue(&delivery.event, delivery.payload.clone());
        }
    }

    /// Queues any payload, such as a real one.
    pub fn queue(&self, event: &str, payload: Value) {
        self.world().enqueue(event, payload);
    }
}

/// Posts a delivery; the answer's status, 0 where none came in time.
async fn post(url: &str, delivery: &Delivery) -> u16 {
    let body = serde_json::to_vec(&delivery.payload).expect("JSON");
    let headers = [
        ("X-GitHub-Event", delivery.event.clone()),
        ("X-GitHub-Delivery", delivery.id.clone()),
        ("X-GitHub-Hook-ID", "1".to_owned()),
        ("X-Hub-Signature-256", sign(SECRET, &body)),
        ("Content-Type", "application/json".to_owned()),
        ("User-Agent", "GitHub-Hookshot/fake".to_owned()),
    ];
    tokio::time::timeout(PATIENCE, request(url, &headers, &body)).await.ok().flatten().unwrap_or(0)
}

/// The least HTTP that posts a body and reads a status: no client library, so that nothing is
/// retried or followed.
async fn request(url: &str, headers: &[(&str, String)], body: &[u8]) -> Option<u16> {
    let url = url::Url::parse(url).expect("an address");
    let (host, port) = (url.host_str()?, url.port_or_known_default()?);
    let mut stream = TcpStream::connect((host, port)).await.ok()?;
    let mut head = format!("POST {} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n", url.path());
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str(&format!("Content-Length: {}\r\n\r\n", body.len()));
    stream.write_all(head.as_bytes()).await.ok()?;
    stream.write_all(body).await.ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.ok()?;
    String::from_utf8_lossy(&answer).split_whitespace().nth(1)?.parse().ok()
}
