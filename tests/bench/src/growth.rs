//! The server with a million known lines, beside itself with a thousand: repeats, its start, and
//! pages.

use crate::client::{Load, Order, Until};
use crate::figure::{Row, Unit, quantile};
use crate::process::ADMIN_TOKEN;
use crate::stage::{DEPLOYMENT, Stage};
use crate::{Bench, fill, goals};
use std::time::{Duration, Instant};

const POLL: Duration = Duration::from_millis(5);
/// Longer than any start that is one.
const PATIENCE: Duration = Duration::from_secs(120);

/// Beside each stage, one that has grown.
///
/// # Errors
/// What was refused, lost or doubled.
pub(crate) async fn measure(bench: &mut Bench, stages: &mut [Stage]) -> Result<(), String> {
    for small in stages {
        bench.say(&format!("{} with {} known lines", small.name, bench.size.grown));
        let mut grown = bench.stage(small.database.is_sqlite(), "bench_grown").await;
        grown.first_failures().await?;
        grown.server.kill();
        let filling = Instant::now();
        let Stage { database, shop, .. } = &grown;
        fill::fill(database, &shop.project, &shop.template, bench.size.hot, bench.size.grown).await;
        bench.say(&format!("  filled in {:.0} s", filling.elapsed().as_secs_f64()));
        ready(bench, &mut grown).await?;
        let outcome = compare(bench, small, &mut grown).await;
        let pages = pages(bench, &grown).await;
        let size = grown.database.size().await / 1e6;
        bench.report.add(Row::Growth, grown.name, "database", Unit::Megabytes, &[size], None);
        drop(grown);
        bench.delete_databases("bench_grown").await;
        outcome.and(pages)?;
    }
    Ok(())
}

/// How long a start takes until `/readyz` says yes.
async fn ready(bench: &mut Bench, grown: &mut Stage) -> Result<(), String> {
    let mut seconds = Vec::new();
    for _ in 0..bench.size.turns {
        grown.server.kill();
        let began = Instant::now();
        grown.restart();
        let address = format!("http://127.0.0.1:{}/readyz", grown.server.port);
        while !reqwest::get(&address).await.is_ok_and(|answer| answer.status().is_success()) {
            if began.elapsed() > PATIENCE {
                return Err(format!("{}: not ready after {PATIENCE:?}", grown.name));
            }
            tokio::time::sleep(POLL).await;
        }
        seconds.push(began.elapsed().as_secs_f64());
    }
    bench.report.add(Row::Growth, grown.name, "from start to ready", Unit::Seconds, &seconds, Some(goals::READY));
    Ok(())
}

/// Repeats of the same lines in turns, and of all lines.
async fn compare(bench: &mut Bench, small: &mut Stage, grown: &mut Stage) -> Result<(), String> {
    let (hot, all) = (bench.size.hot, bench.size.grown);
    let load = |of| Load::new(Order::Random(of), Until::Over(bench.size.span), DEPLOYMENT);
    let (mut same, mut spread) = (Vec::new(), Vec::new());
    for _ in 0..bench.size.turns {
        let few = small.checked(load(hot)).await?.0.rate();
        same.push(100.0 * grown.checked(load(hot)).await?.0.rate() / few);
        spread.push(100.0 * grown.checked(load(all)).await?.0.rate() / few);
    }
    let on = grown.name;
    let what = format!("the same {hot} lines: of the rate with {hot} known");
    bench.report.add(Row::Growth, on, &what, Unit::Percent, &same, Some(goals::GROWN));
    let what = format!("any of {all} lines: of the rate with {hot} known");
    bench.report.add(Row::Growth, on, &what, Unit::Percent, &spread, None);
    Ok(())
}

/// Pages as somebody sees them who signed in.
async fn pages(bench: &mut Bench, grown: &Stage) -> Result<(), String> {
    let base = format!("http://127.0.0.1:{}", grown.server.port);
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let signed_in = client
        .post(format!("{base}/login"))
        .header("Content-Type", "application/x-www-form-urlencoded")
        .body(format!("token={ADMIN_TOKEN}&next="))
        .send()
        .await
        .map_err(|error| error.to_string())?;
    let cookie = signed_in.headers().get("Set-Cookie").and_then(|it| it.to_str().ok());
    let cookie = cookie.and_then(|it| it.split(';').next()).ok_or("nobody can sign in")?.to_owned();
    let newest = format!("SELECT MAX(id) AS n FROM lines WHERE repository_id = {}", grown.shop.project);
    let line = grown.database.number(&newest).await;
    let pages = [
        ("/", "/".to_owned()),
        ("a repository", "/acme/shop".to_owned()),
        ("a week", "/get_weekly_error_report?repo=acme/shop".to_owned()),
        ("a line", format!("/view_traceback?repo=acme/shop&line_id={line}")),
    ];
    for (what, path) in pages {
        let mut milliseconds = Vec::new();
        for _ in 0..bench.size.pages {
            let began = Instant::now();
            let asked = client.get(format!("{base}{path}")).header("Cookie", &cookie).send();
            let answer = asked.await.map_err(|error| error.to_string())?;
            let status = answer.status();
            let text = answer.text().await.map_err(|error| error.to_string())?;
            milliseconds.push(began.elapsed().as_secs_f64() * 1e3);
            if !status.is_success() {
                return Err(format!("{}: {path} is answered {status}: {}", grown.name, &text[..text.len().min(300)]));
            }
        }
        let p99 = quantile(&mut milliseconds, 0.99);
        let what = format!("page of {what}: p99");
        bench.report.add(Row::Growth, grown.name, &what, Unit::Milliseconds, &[p99], Some(goals::PAGE_P99));
    }
    Ok(())
}
