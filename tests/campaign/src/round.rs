//! A round: reports come in, something goes wrong meanwhile, everything is let happen, and what
//! came of it is held against what was acknowledged.

use crate::faults::{self, Fault};
use crate::ledger::{self, Kind, Violation, violation};
use crate::settle::settle;
use crate::stage::{Channels, Stage, name_of};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use std::collections::HashSet;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// Reports of a round.
const REPORTS: usize = 28;
/// The time within which they are sent, in milliseconds.
const TRAFFIC: u64 = 400;
/// Reports that are sent at once when all is well again.
const PROBES: usize = 12;
/// A restart that takes longer is broken.
const RESTART: Duration = Duration::from_secs(1);
/// A live server answers within this time, and takes every report this long after all is well
/// again.
const ANSWER: Duration = Duration::from_secs(5);

/// What came of a round.
#[derive(Default)]
pub struct Outcome {
    pub acknowledged: u64,
    pub restart: Duration,
    /// The slowest answer of a server that was not concerned.
    pub slowest: Duration,
    pub took: Duration,
    pub violations: Vec<Violation>,
}

/// A report that is to be sent.
struct Planned {
    at: Duration,
    repo: usize,
    function: usize,
    server: usize,
    says_release: bool,
}

/// A report that was sent.
struct Answered {
    function: String,
    server: usize,
    status: u16,
    took: Duration,
}

/// The choices of a round; the same for the same seed and number.
pub fn chance(seed: u64, round: u64) -> StdRng {
    StdRng::seed_from_u64(seed.wrapping_add(round.wrapping_mul(0x9E37_79B9_7F4A_7C15)))
}

/// Plays a round. Restarts and answers may take `patience` times their time.
pub async fn play(stage: &mut Stage, fault: Fault, mut rng: StdRng, patience: u32) -> Outcome {
    let began = Instant::now();
    let mut outcome = Outcome::default();
    let target = rng.random_range(0..stage.servers.len());
    let traffic = plan(stage, &mut rng).await;
    let moment = if fault.comes_first() { 0 } else { rng.random_range(10..TRAFFIC) };
    let lasts = Duration::from_millis(rng.random_range(fault.lasts()));
    let command = command(stage, &mut rng);
    if fault.comes_first() {
        outcome.violations.extend(faults::begin(fault, stage, target, &mut rng).await);
    }
    let mut sending = send(stage, traffic);
    if command && matches!(fault, Fault::Killed | Fault::AllKilled) {
        // What gets lost of these is asked for again by the server that starts.
        let url = format!("{}/api/github/webhooks", stage.servers[target].url);
        let (_, ()) = tokio::join!(stage.github.deliver(&url), tokio::time::sleep(Duration::from_millis(moment)));
    } else {
        tokio::time::sleep(Duration::from_millis(moment)).await;
    }
    if !fault.comes_first() {
        outcome.violations.extend(faults::begin(fault, stage, target, &mut rng).await);
    }
    if fault == Fault::Frozen {
        outcome.slowest = others_answer(stage, target, &mut rng, patience, &mut outcome).await;
    }
    tokio::time::sleep(lasts.saturating_sub(outcome.slowest)).await;
    let (restart, found) = faults::end(fault, stage, target).await;
    outcome.restart = restart;
    outcome.violations.extend(found);
    if restart > RESTART * patience {
        outcome.violations.push(violation(Kind::Late, 1, format!("a restart took {restart:?}")));
    }
    while let Some(answered) = sending.join_next().await {
        note(stage, &answered.unwrap(), &mut outcome);
    }
    all_is_well(stage, &mut rng, patience, &mut outcome).await;
    outcome.violations.extend(settle(stage, patience).await);
    outcome.violations.extend(ledger::check(stage).await);
    outcome.took = began.elapsed();
    outcome
}

/// A line that is new in each of two repositories, now and then by a push of a moment before that
/// one of the servers was told of, and lines that failed before.
async fn plan(stage: &mut Stage, rng: &mut StdRng) -> Vec<Planned> {
    let first = rng.random_range(0..stage.repos.len());
    let second = (first + 1 + rng.random_range(0..stage.repos.len() - 1)) % stage.repos.len();
    for repo in [first, second] {
        stage.repos[repo].used += 1;
        if rng.random_ratio(1, 3) {
            let (newest, server) = (stage.repos[repo].used - 1, rng.random_range(0..stage.servers.len()));
            stage.push(repo, newest, server).await;
        }
    }
    let mut planned = Vec::new();
    for n in 0..REPORTS {
        let repo = if rng.random() { first } else { second };
        let newest = stage.repos[repo].used - 1;
        let function = if n < 8 || rng.random_ratio(1, 3) { newest } else { rng.random_range(0..=newest) };
        let server = rng.random_range(0..stage.servers.len());
        let at = Duration::from_millis(rng.random_range(0..TRAFFIC));
        planned.push(Planned { at, repo, function, server, says_release: rng.random() });
    }
    planned
}

fn send(stage: &Stage, traffic: Vec<Planned>) -> JoinSet<Answered> {
    let mut sending = JoinSet::new();
    for planned in traffic {
        let repo = &stage.repos[planned.repo];
        let event = stage.event(planned.repo, planned.function, planned.says_release);
        let body = format!("{{}}\n{{\"type\":\"event\"}}\n{event}\n");
        let request = stage
            .http
            .post(format!("{}/api/{}/envelope/", stage.servers[planned.server].url, repo.project))
            .header("X-Sentry-Auth", format!("Sentry sentry_version=7, sentry_key={}", repo.key))
            .body(body);
        let function = name_of(planned.repo, planned.function);
        sending.spawn(async move {
            tokio::time::sleep(planned.at).await;
            let began = Instant::now();
            let status = request.send().await.map_or(0, |answer| answer.status().as_u16());
            Answered { function, server: planned.server, status, took: began.elapsed() }
        });
    }
    sending
}

fn note(stage: &mut Stage, answered: &Answered, outcome: &mut Outcome) {
    let sent = stage.ledger.sent.entry(answered.function.clone()).or_default();
    if answered.status == 200 {
        sent.acknowledged += 1;
        outcome.acknowledged += 1;
    } else {
        sent.unsure += 1;
    }
}

/// Some reports of lines that are known, to these servers at once.
async fn probe(stage: &mut Stage, servers: &[usize], rng: &mut StdRng, outcome: &mut Outcome) -> Vec<Answered> {
    let candidates: Vec<usize> = (0..stage.repos.len()).filter(|repo| stage.repos[*repo].used > 0).collect();
    let planned = (0..PROBES).map(|n| {
        let repo = candidates[rng.random_range(0..candidates.len())];
        let function = rng.random_range(0..stage.repos[repo].used);
        let server = servers[n % servers.len()];
        Planned { at: Duration::ZERO, repo, function, server, says_release: rng.random() }
    });
    let answers = send(stage, planned.collect()).join_all().await;
    for answered in &answers {
        note(stage, answered, outcome);
    }
    answers
}

/// While one replica is frozen, reports to the others; the slowest answer.
async fn others_answer(
    stage: &mut Stage,
    frozen: usize,
    rng: &mut StdRng,
    patience: u32,
    outcome: &mut Outcome,
) -> Duration {
    let within = ANSWER * patience;
    let others: Vec<usize> = (0..stage.servers.len()).filter(|n| *n != frozen).collect();
    let answers = probe(stage, &others, rng, outcome).await;
    let slowest = answers.iter().map(|answered| answered.took).max().unwrap_or_default();
    let unanswered = answers.iter().filter(|answered| answered.status == 0 || answered.took > within).count() as u64;
    if unanswered > 0 {
        let what = format!("{unanswered} reports to a live replica without an answer within {within:?}");
        outcome.violations.push(violation(Kind::Late, unanswered, what));
    }
    slowest
}

/// Every report is taken, soon after what went wrong is over.
async fn all_is_well(stage: &mut Stage, rng: &mut StdRng, patience: u32, outcome: &mut Outcome) {
    let within = ANSWER * patience;
    let began = Instant::now();
    let all: Vec<usize> = (0..stage.servers.len()).collect();
    loop {
        let answers = probe(stage, &all, rng, outcome).await;
        let refused: HashSet<(usize, u16)> =
            answers.iter().filter(|it| it.status != 200).map(|it| (it.server, it.status)).collect();
        if refused.is_empty() {
            return;
        }
        if began.elapsed() > within {
            let what = format!("reports are refused {within:?} after all is well (server, status): {refused:?}");
            outcome.violations.push(violation(Kind::Late, refused.len() as u64, what));
            return;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// Now and then somebody makes a line a known error on GitHub, or takes that back. Whether webhooks
/// wait.
fn command(stage: &mut Stage, rng: &mut StdRng) -> bool {
    if stage.channels != Channels::Services || !rng.random_ratio(1, 4) {
        return false;
    }
    let repo = rng.random_range(0..stage.repos.len());
    let name = stage.repos[repo].name.clone();
    let issues = stage.github.issues(&name);
    if issues.is_empty() {
        return false;
    }
    let issue = &issues[rng.random_range(0..issues.len())];
    let Some(function) = ledger::function_in(&issue.title) else { return false };
    if stage.ledger.known.remove(&function) {
        stage.github.reopen_issue(&name, issue.number, "ada");
    } else {
        stage.github.add_label(&name, issue.number, "known-error", "ada");
        stage.github.close_issue(&name, issue.number, "ada");
        stage.ledger.known.insert(function);
    }
    true
}
