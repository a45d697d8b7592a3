//! Rounds of SIGKILL in the middle of the load: what was acknowledged is counted once, what was
//! under way once at most.

use crate::Bench;
use crate::client::{Load, Order, Until, drive};
use crate::event::scrambled;
use crate::figure::{Row, Unit};
use crate::stage::{DEPLOYMENT, Stage, by_line};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// So many are acknowledged before a kill, at least and at most.
const BEFORE: (u64, u64) = (50, 3_000);
/// Fewer are enough where they take longer.
const LATEST: Duration = Duration::from_secs(1);
const POLL: Duration = Duration::from_millis(1);
/// A server that has acknowledged too few by then does not answer.
const PATIENCE: Duration = Duration::from_secs(60);
/// So many rounds are said in one line.
const SAID: u64 = 20;

/// Rounds on each database.
///
/// # Errors
/// A line that has less than was acknowledged, or more than was sent.
pub(crate) async fn measure(bench: &mut Bench, stages: &mut [Stage]) -> Result<(), String> {
    for stage in stages {
        let (mut acknowledged, mut unsure, mut restarts) = (0, 0, Vec::new());
        for round in 0..bench.size.kills {
            let (one, other, restart) = kill(stage, round).await.map_err(|what| format!("round {round}: {what}"))?;
            acknowledged += one;
            unsure += other;
            restarts.push(restart);
            if (round + 1) % SAID == 0 {
                bench.say(&format!("{}: {} kills, {acknowledged} acknowledged and counted", stage.name, round + 1));
            }
        }
        if !restarts.is_empty() {
            let what = format!(
                "{} kills, {acknowledged} acknowledged and counted, {unsure} under way or refused: a restart",
                restarts.len()
            );
            bench.report.add(Row::Kills, stage.name, &what, Unit::Seconds, &restarts, None);
        }
    }
    Ok(())
}

/// One round: how many were acknowledged, how many under way, and the seconds of the restart.
async fn kill(stage: &mut Stage, round: u64) -> Result<(usize, usize, f64), String> {
    let project = stage.shop.project.clone();
    let before = stage.database.counts(&project).await;
    let target = stage.shop.clone();
    let load = Load::new(Order::Random(stage.lines.hot), Until::Over(2 * PATIENCE), DEPLOYMENT);
    let progress = Arc::clone(&load.progress);
    let driven = tokio::spawn(async move { drive(&target, Load { may_break: true, goes_on: true, ..load }).await });
    let (least, most) = BEFORE;
    let (began, enough) = (Instant::now(), least + scrambled(round) % (most - least));
    let is_enough = || {
        let so_far = progress.load(Ordering::Relaxed) as u64;
        so_far >= enough || (began.elapsed() > LATEST && so_far >= least)
    };
    while !is_enough() && began.elapsed() < PATIENCE {
        tokio::time::sleep(POLL).await;
    }
    if let Some(ended) = stage.server.ended() {
        return Err(ended);
    }
    stage.server.kill();
    let outcome = driven.await.unwrap();
    // A database that is slow to answer the server that has just begun is no fault of counting.
    if let Some(refusal) = outcome.refusal.as_ref().filter(|refusal| !refusal.starts_with("HTTP/1.1 503 ")) {
        return Err(format!("{}: refused: {refusal}", stage.name));
    }
    let began = Instant::now();
    stage.restart();
    let restarted = began.elapsed().as_secs_f64();
    // Not until all is settled: what the killed server held waits for a while.
    stage.database.fold().await;
    let after = stage.database.counts(&project).await;
    let sent = by_line(outcome.answers.iter().map(|answer| answer.index), stage.lines);
    let unsure = by_line(outcome.unsure.iter().copied(), stage.lines);
    for line in 0..stage.lines.hot {
        let grown = after.of(line) - before.of(line);
        let least = sent.get(&line).copied().unwrap_or_default();
        let most = least + unsure.get(&line).copied().unwrap_or_default();
        if !(least..=most).contains(&grown) {
            return Err(format!(
                "{}: line {line} has {grown} more: {least} acknowledged, at most {most} sent",
                stage.name
            ));
        }
    }
    Ok((outcome.answers.len(), outcome.unsure.len(), restarted))
}
