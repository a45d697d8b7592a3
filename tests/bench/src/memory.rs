//! Memory: a server with nothing to do, under full load, with many new shapes, and over a soak.

use crate::client::{Load, Order, Until, drive};
use crate::figure::{Row, Unit, growth};
use crate::process::{Limits, forget_peak};
use crate::stage::Stage;
use crate::{Bench, goals};
use std::time::{Duration, Instant};

/// Until a server that started has nothing to do any more.
const CALM: Duration = Duration::from_secs(3);
/// New shapes a second: 20,000 a minute.
const SHAPES: f64 = 20_000.0 / 60.0;
const CONNECTIONS: usize = 16;
/// Between two looks at a soak.
const LOOK: Duration = Duration::from_secs(5);

/// All of it, on each database.
///
/// # Errors
/// What was refused, or how a server ended.
pub(crate) async fn measure(bench: &mut Bench, stages: &mut [Stage]) -> Result<(), String> {
    for stage in stages {
        bench.say(&format!("memory on {}", stage.name));
        stage.restart_with(Limits::Off).await;
        tokio::time::sleep(CALM).await;
        let idle = stage.server.usage().memory;
        bench.report.add(Row::Memory, stage.name, "idle", Unit::Megabytes, &[idle], Some(goals::IDLE));
        let most = bench.size.connections.iter().copied().max().unwrap_or(CONNECTIONS);
        let load = Load::new(Order::Random(stage.lines.hot), Until::Over(bench.size.span * 2), most);
        let (_, usage) = stage.checked(load).await?;
        let what = format!("full load, {most} connections");
        bench.report.add(Row::Memory, stage.name, &what, Unit::Megabytes, &[usage.peak], Some(goals::LOADED));
        shapes(bench, stage).await?;
        if !bench.size.soak.is_zero() {
            soak(bench, stage).await?;
        }
    }
    Ok(())
}

async fn shapes(bench: &mut Bench, stage: &mut Stage) -> Result<(), String> {
    let first = stage.used.max(stage.lines.lines);
    forget_peak(stage.server.pid());
    let load = Load::new(Order::InTurn(first, usize::MAX), Until::Over(bench.size.shapes), CONNECTIONS);
    let outcome = drive(&stage.shop, Load { rate: Some(SHAPES), ..load }).await;
    stage.judge(&outcome)?;
    stage.used = first + outcome.answers.len() + CONNECTIONS;
    stage.database.settle().await;
    let peak = stage.server.usage().peak;
    bench.report.add(
        Row::Memory,
        stage.name,
        "20,000 new shapes a minute",
        Unit::Megabytes,
        &[peak],
        Some(goals::SHAPES),
    );
    Ok(())
}

/// Full load for as long as was asked; its first third warms up.
async fn soak(bench: &mut Bench, stage: &mut Stage) -> Result<(), String> {
    let (began, mut looks) = (Instant::now(), Vec::new());
    while began.elapsed() < bench.size.soak {
        let load = Load::new(Order::Random(stage.lines.hot), Until::Over(LOOK.min(bench.size.soak)), CONNECTIONS);
        let outcome = drive(&stage.shop, load).await;
        stage.judge(&outcome)?;
        looks.push(stage.server.usage().memory);
    }
    stage.database.settle().await;
    let warm = &looks[looks.len() / 3..];
    let percent = 100.0 * growth(warm) / warm[0];
    let what = format!("growth over a soak of {:.0} s", bench.size.soak.as_secs_f64());
    bench.report.add(Row::Memory, stage.name, &what, Unit::Percent, &[percent], Some(goals::FLAT));
    Ok(())
}
