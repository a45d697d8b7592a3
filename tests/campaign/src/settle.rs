//! Lets everything happen that is left to do: pauses and leases are leapt over by the world's
//! clock, as soon as nothing moves any more.

use crate::ledger::{JobRow, Kind, Violation, jobs, unfolded, violation};
use crate::stage::Stage;
use jiff::SignedDuration;
use std::time::{Duration, Instant};

/// How long a queue may take that is not stuck.
const PATIENCE: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(40);
/// A pause that is leapt over at once: the second between two writes to GitHub, the first one after
/// a failure. No lease is near its end after so little.
const SHORT: i64 = 2_500;
/// A queue that did not change for so long is worked on by nobody who lives: longer than a worker's
/// sleep, and than any step takes on a busy machine while nothing is wrong.
const STILL: Duration = Duration::from_millis(900);
/// More time than a lease, or the longest pause between attempts, is none that anything should
/// wait.
const MOST_LEAPT: i64 = 30 * 60 * 1000;

/// Waits until the queue is empty and all is added to lines, and delivers webhooks meanwhile. What
/// it had to wait for in vain or for too long is broken. On a busy machine a holder that lives may
/// be still for `patience` times as long: a lease that is leapt over is one that its holder lost,
/// as by its death.
pub async fn settle(stage: &mut Stage, patience: u32) -> Vec<Violation> {
    let began = Instant::now();
    let (mut seen, mut seen_at, mut leapt): (Vec<JobRow>, Instant, i64) = (Vec::new(), Instant::now(), 0);
    let mut longest = (0, String::new());
    let (mut empty, mut refused) = (0, Vec::new());
    while began.elapsed() < PATIENCE * patience {
        let hooks = deliver(stage, &mut refused).await;
        let queue = jobs(&stage.database).await.unwrap_or_else(|_| seen.clone());
        let counted = unfolded(&stage.database).await.is_ok_and(|batches| batches == 0);
        empty = if queue.is_empty() && hooks == 0 && counted { empty + 1 } else { 0 };
        // Looked at twice: between two steps there is a moment without a job for neither.
        if empty > 1 {
            return late(leapt, &longest.1);
        }
        if queue != seen {
            (seen, seen_at) = (queue, Instant::now());
        }
        let now = stage.clockwork.now_millis();
        let wait = seen.iter().map(|job| job.due_ms() - now).min().unwrap_or_default();
        let is_short = wait <= SHORT && seen.iter().all(|job| job.locked_until_ms <= now);
        if wait > 0 && (is_short || seen_at.elapsed() > STILL * patience) {
            stage.clockwork.leap(SignedDuration::from_millis(wait));
            leapt += if is_short { 0 } else { wait };
            if wait > longest.0 {
                longest = (wait, seen.iter().map(JobRow::to_string).collect::<Vec<_>>().join("; "));
            }
            seen_at = Instant::now();
        }
        tokio::time::sleep(POLL).await;
    }
    let left: Vec<String> = seen.iter().map(JobRow::to_string).collect();
    vec![violation(
        Kind::Stuck,
        left.len() as u64,
        format!("jobs are left after {:?}: {}", PATIENCE * patience, left.join("; ")),
    )]
}

/// Posts the webhooks that wait, and again those that were refused, as somebody does in the App's
/// settings on GitHub. How many were posted.
async fn deliver(stage: &Stage, refused: &mut Vec<String>) -> usize {
    let Some(server) = stage.servers.iter().find(|server| server.pid().is_some()) else { return 0 };
    let url = format!("{}/api/github/webhooks", server.url);
    let again = std::mem::take(refused);
    let posted = again.len();
    for id in again {
        if !(200..300).contains(&stage.github.redeliver(&url, &id).await) {
            refused.push(id);
        }
    }
    let sent = stage.github.deliver(&url).await;
    refused.extend(sent.iter().filter(|hook| !(200..300).contains(&hook.status)).map(|hook| hook.id.clone()));
    posted + sent.len()
}

fn late(leapt: i64, longest: &str) -> Vec<Violation> {
    if leapt <= MOST_LEAPT {
        return Vec::new();
    }
    vec![violation(Kind::Late, 1, format!("work had to wait for {} minutes, the longest: {longest}", leapt / 60_000))]
}
