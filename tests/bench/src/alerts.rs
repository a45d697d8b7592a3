//! From the first sight of a line to its alert: beside repeats, many at once, and beside a flood
//! from another key. Alerts are files of the outbox here, so that no mail server is measured.

use crate::client::{Answer, Load, Order, Outcome, Until, drive};
use crate::figure::{Row, Unit, quantile};
use crate::process::Limits;
use crate::stage::{FEW, Stage};
use crate::{Bench, goals};
use std::time::Duration;

/// Repeats a second beside new lines.
const REPEATS: f64 = 1_000.0;
/// New lines a second.
const NEW: f64 = 10.0;
/// Connections of each.
const CONNECTIONS: usize = 4;
/// New lines a second of a repository beside a flood in another.
const BESIDE: f64 = 4.0;
/// Connections of a flood.
const FLOOD: usize = 8;

/// All of it, on each database.
///
/// # Errors
/// What was refused, or an alert that never came.
pub(crate) async fn measure(bench: &mut Bench, stages: &mut [Stage]) -> Result<(), String> {
    for stage in stages {
        bench.say(&format!("alerts on {}", stage.name));
        beside_repeats(bench, stage).await?;
        beside_a_flood(bench, stage).await?;
    }
    Ok(())
}

/// What the first failures of the hot lines took, which came at once.
pub(crate) async fn at_once(bench: &mut Bench, stage: &Stage, sent_at: f64) {
    let project = &stage.shop.project;
    let sql = format!("SELECT MAX(alerted_at_ms) AS n FROM lines WHERE repository_id = {project}");
    let decided = stage.database.number(&sql).await as f64 / 1e3 - sent_at;
    let answers: Vec<Answer> = (0..stage.lines.hot).map(|index| Answer { index, sent_at, seconds: 0.0 }).collect();
    let mut delays = stage.database.alert_delays(&stage.launch.data, project, &answers).await;
    let count = stage.lines.hot;
    let what = format!("{count} new lines at once: until all are decided");
    bench.report.add(Row::Alerts, stage.name, &what, Unit::Seconds, &[decided], Some(goals::DECIDED));
    let handed_over = quantile(&mut delays, 1.0);
    let what = format!("{count} new lines at once: until all alerts are handed over");
    bench.report.add(Row::Alerts, stage.name, &what, Unit::Seconds, &[handed_over], None);
}

async fn beside_repeats(bench: &mut Bench, stage: &mut Stage) -> Result<(), String> {
    let span = bench.size.alerts;
    let repeats =
        Load { rate: Some(REPEATS), ..Load::new(Order::Random(stage.lines.hot), Until::Over(span), CONNECTIONS) };
    let count = (span.as_secs_f64() * NEW) as usize;
    let new =
        Load { rate: Some(NEW), ..Load::new(Order::InTurn(stage.used, count), Until::Requests(count), CONNECTIONS) };
    assert!(stage.used + count <= stage.lines.lines, "the repository has too few lines: --seconds is too long");
    stage.used += count;
    let (repeats, new) = tokio::join!(drive(&stage.shop, repeats), drive(&stage.shop, new));
    stage.judge(&repeats)?;
    stage.judge(&new)?;
    let mut delays = delays(stage, &stage.shop.project, &new).await?;
    let (middle, p99) = (quantile(&mut delays, 0.5) * 1e3, quantile(&mut delays, 0.99) * 1e3);
    let what = format!("{NEW:.0} new lines and {REPEATS:.0} repeats a second");
    for (of, value, goal) in [("p50", middle, goals::ALERT_P50), ("p99", p99, goals::ALERT_P99)] {
        bench.report.add(Row::Alerts, stage.name, &format!("{what}: {of}"), Unit::Milliseconds, &[value], Some(goal));
    }
    Ok(())
}

/// One key brings as many new shapes as it can, as far as the server's usual limits let it, and
/// goes on when it is refused; another repository's lines fail for the first time.
async fn beside_a_flood(bench: &mut Bench, stage: &mut Stage) -> Result<(), String> {
    let span = bench.size.flood;
    let first = stage.used.max(stage.lines.lines);
    let flood = Load::new(Order::InTurn(first, usize::MAX), Until::Over(span), FLOOD);
    let flood = Load { goes_on: true, ..flood };
    stage.restart_with(Limits::Usual).await;
    // The flood is under way by then.
    let later = span / 4;
    let count = ((span - later).as_secs_f64() * BESIDE).ceil() as usize;
    let count = count.min(FEW - stage.depot_used);
    let few =
        Load { rate: Some(BESIDE), ..Load::new(Order::InTurn(stage.depot_used, count), Until::Requests(count), 1) };
    stage.depot_used += count;
    let beside = async {
        tokio::time::sleep(later).await;
        drive(&stage.depot, few).await
    };
    let (flood, new) = tokio::join!(drive(&stage.shop, flood), beside);
    if let Some(refusal) = flood.refusal.as_ref().filter(|refusal| !refusal.starts_with("HTTP/1.1 429 ")) {
        return Err(format!("{}: refused: {refusal}", stage.name));
    }
    stage.judge(&new)?;
    stage.used = first + flood.answers.len() + flood.refused + FLOOD;
    let mut delays = delays(stage, &stage.depot.project, &new).await?;
    stage.restart_with(Limits::Off).await;
    let on = stage.name;
    for (of, count) in [("accepted", flood.answers.len()), ("refused", flood.refused)] {
        let rate = count as f64 / flood.seconds;
        bench.report.add(Row::Alerts, on, &format!("a flood of new shapes: {of}"), Unit::PerSecond, &[rate], None);
    }
    let what = "another repository's first alert beside a flood";
    let (middle, longest) = (quantile(&mut delays, 0.5) * 1e3, quantile(&mut delays, 1.0) * 1e3);
    bench.report.add(Row::Alerts, on, &format!("{what}: p50"), Unit::Milliseconds, &[middle], None);
    let goal = Some(goals::BESIDE_A_FLOOD);
    bench.report.add(Row::Alerts, on, &format!("{what}: longest"), Unit::Milliseconds, &[longest], goal);
    Ok(())
}

/// Waits for the alerts of all answers; seconds of each.
async fn delays(stage: &Stage, project: &str, outcome: &Outcome) -> Result<Vec<f64>, String> {
    const POLL: Duration = Duration::from_millis(200);
    const PATIENCE: u32 = 3_000;
    let wanted = outcome.answers.len();
    let mut found = 0;
    for _ in 0..PATIENCE {
        let delays = stage.database.alert_delays(&stage.launch.data, project, &outcome.answers).await;
        if delays.len() >= wanted {
            return Ok(delays);
        }
        found = delays.len();
        tokio::time::sleep(POLL).await;
    }
    Err(format!("{}: {found} alerts of {wanted} new lines", stage.name))
}
