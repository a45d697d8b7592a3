//! Several servers on one PostgreSQL, behind whatever balances them: none of them matters, and what
//! one is told holds on all.

use crate::harness::git_repo::GRACE;
use crate::harness::scenes::functions;
use crate::harness::story::{Process, REPO, Story, run_test};
use crate::harness::switchboard::Switchboard;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::Instant;

const PATH: &str = "shop/many.py";
/// Lines that fail: fewer than would be a storm.
const LINES: usize = 15;
/// How long a replica stands still.
const FROZEN: Duration = Duration::from_secs(60);
/// What holds on one process holds on all within this.
const ABREAST: Duration = Duration::from_secs(1);

/// What became of the reports of a line.
#[derive(Clone, Copy, Debug, Default)]
struct Sent {
    acknowledged: u64,
    /// The server did not say: killed, frozen, or away from its database.
    unanswered: u64,
}

/// A client that balances: it sends each report to the next server, and does not send it again.
struct Balancer {
    key: String,
    project: i64,
    events: Vec<Value>,
    http: reqwest::Client,
    sent: BTreeMap<usize, Sent>,
    number: u64,
}

impl Balancer {
    async fn of(story: &mut Story) -> Self {
        let head = story.commit(GRACE, "2026-03-01T10:00:00Z", &[(PATH, &functions("a", LINES))], "Add many");
        story.push().await;
        let event = |n: usize| story.event_at(&head, PATH, &format!("x.a_{n}"), &format!("a{n}"), "web-1");
        let events = (0..LINES).map(event).collect();
        let (key, project) = story.key().await;
        let http = reqwest::Client::builder().timeout(Duration::from_secs(3)).build().unwrap();
        Self { key, project, events, http, sent: BTreeMap::new(), number: 0 }
    }

    /// Sends a report of each of these lines to the servers in turns, for so long.
    async fn send(&mut self, servers: &[&Process], lines: std::ops::Range<usize>, time: Duration) {
        let until = Instant::now() + time;
        while Instant::now() < until {
            for line in lines.clone() {
                let server = servers[usize::try_from(self.number).unwrap() % servers.len()];
                let status = self.report(server, line).await;
                let sent = self.sent.entry(line).or_default();
                match status {
                    Some(200) => sent.acknowledged += 1,
                    // Refused: nothing of it was stored.
                    Some(503) => {}
                    Some(other) => panic!("{other}"),
                    None => sent.unanswered += 1,
                }
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// What a server answers to one report.
    async fn report(&mut self, server: &Process, line: usize) -> Option<u16> {
        self.number += 1;
        let mut event = self.events[line].clone();
        event["event_id"] = format!("{:032x}", self.number).into();
        let asked = self.http.post(format!("{}/api/{}/store/", server.url, self.project));
        let asked = asked.header("X-Sentry-Auth", format!("Sentry sentry_key={}", self.key)).body(event.to_string());
        asked.send().await.ok().map(|answer| answer.status().as_u16())
    }
}

/// A server with mirrors of its own.
async fn replica(story: &mut Story, name: &str) -> Process {
    let data = story.folder().join(name);
    story.set("DATA_DIR", &data.display().to_string());
    story.start_process().await
}

#[test]
fn three_replicas_lose_and_double_nothing_whatever_becomes_of_them() {
    run_test(async |story| {
        if !story.is_on_postgres() {
            println!("NOT ON SQLITE: a file belongs to one server");
            return;
        }
        story.install().await;
        story.expect_errors();
        let mut client = Balancer::of(story).await;
        let (database, data) = (story.config().database_url, story.config().data_dir);
        story.stop().await;
        let mut first = replica(story, "first").await;
        let second = replica(story, "second").await;
        let line = Switchboard::to(&database).await;
        story.set("DATABASE_URL", line.url());
        let third = replica(story, "third").await;
        story.set("DATABASE_URL", &database);

        client.send(&[&first, &second, &third], 0..5, Duration::from_secs(3)).await;
        first.kill();
        client.send(&[&first, &second, &third], 0..8, Duration::from_secs(2)).await;
        second.freeze();
        let frozen = Instant::now();
        client.send(&[&third], 0..10, Duration::from_secs(2)).await;
        line.cut(true);
        client.send(&[&third], 0..3, Duration::from_secs(3)).await;
        let again = replica(story, "first").await;
        client.send(&[&again, &third], 0..12, Duration::from_secs(4)).await;
        line.mend();
        client.send(&[&again, &third], 0..LINES, FROZEN.saturating_sub(frozen.elapsed())).await;
        second.thaw();
        client.send(&[&again, &second, &third], 0..LINES, Duration::from_secs(3)).await;
        drop((first, second, third, again));

        story.set("DATA_DIR", &data.display().to_string());
        story.start().await;
        story.end_leases().await;
        story.settle().await;
        story.later(jiff::SignedDuration::from_mins(20)).await;
        let lines = story.lines().await;
        assert_eq!(lines.len(), LINES);
        for line in &lines {
            let number: usize = line.place.function.trim_start_matches('a').parse().unwrap();
            let sent = client.sent[&number];
            let most = sent.acknowledged + sent.unanswered;
            assert!((sent.acknowledged..=most).contains(&line.total), "a{number}: {} of {sent:?}", line.total);
            let (_, days) = store::lines::counts_and_days(&story.services().store, line).await.unwrap();
            assert_eq!(days.iter().sum::<u64>(), line.total, "hours and totals agree");
        }
        assert_eq!(store::journal::count_waiting(&story.services().store).await.unwrap(), 0);
        assert_eq!(story.github.issues(REPO).len(), LINES, "one issue for each line");
        let mut mails: Vec<_> = story.mails().iter().map(|mail| mail.header("Message-ID").unwrap()).collect();
        mails.sort();
        mails.dedup();
        assert_eq!(mails.len(), LINES, "one mail for each line; a copy that was sent in doubt has the same id");
        story.transcript();
    });
}

#[test]
fn what_one_process_is_told_holds_on_another_within_a_second() {
    run_test(async |story| {
        story.alerted().await;
        let made = story.command(&["repository", "key", "add", REPO]);
        let key = made.trim().strip_prefix("DSN: https://").unwrap().split('@').next().unwrap().to_owned();
        let (_, project) = story.key().await;
        let process = story.start_process().await;
        let event = story.event();
        // It remembers the key from here on.
        assert_eq!(story.send_to(&process.url, &key, project, &event).await, 200);
        story.command(&["repository", "key", "revoke", &key]);
        tokio::time::sleep(ABREAST).await;
        assert_eq!(story.send_to(&process.url, &key, project, &event).await, 403);
        drop(process);
        story.start().await;
        story.end_leases().await;
        story.settle().await;
        story.transcript();
    });
}
