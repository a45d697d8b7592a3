//! What a repeat costs: the real server, in a process of its own, under load from this machine.
//!
//! `cargo bench -p app --bench hot_path`. Stages: new errors until each alert is there; repeats;
//! whether the database counts what was acknowledged; a bare handler that only reads the event, for
//! comparison; and a kill in the middle of the load. Everything runs on loopback in a temporary
//! directory on the disk of `target/`, and the bench ends only its own children.
//!
//! Set in the environment: `FLAWLESS_BENCH_QUICK=1` (a tenth of all), `FLAWLESS_BENCH_LINES` (1,000
//! failing lines), `FLAWLESS_BENCH_REPEATS` (100,000), `FLAWLESS_BENCH_CONNECTIONS` (256),
//! `FLAWLESS_BENCH_APP` (another build of the server) and `FLAWLESS_BENCH_SKIP` (of `bare,kill`).
#![expect(clippy::print_stdout, clippy::disallowed_methods, reason = "a bench measures time and prints what it finds")]
#![expect(clippy::unwrap_used, reason = "a bench that can't go on says so and ends")]

mod bare;
mod client;
mod count;
mod process;
mod scene;

use client::{Load, Order, Outcome};
use process::{Process, Usage};
use scene::Scene;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Clients that send the new errors: a failing deployment, not yet a flood.
const NEW_CONNECTIONS: usize = 16;
/// Errors that are sent alone, each after the alert of the one before.
const ALONE: usize = 10;
/// How long all alerts may take before the bench gives up.
const PATIENCE: Duration = Duration::from_secs(600);
/// Set to make this program the bare handler.
const ROLE: &str = "FLAWLESS_BENCH_ROLE";

/// How much of everything.
struct Size {
    lines: usize,
    repeats: usize,
    connections: usize,
    skip: String,
}

impl Size {
    /// The load of repeats.
    fn load(&self) -> Load {
        Load { order: Order::Random, repeats: self.repeats, connections: self.connections, progress: Arc::default() }
    }
}

fn main() {
    if std::env::var_os(ROLE).is_some() {
        return bare::serve();
    }
    // `cargo test --benches` runs benches too, only to see that they work.
    let quick =
        std::env::var_os("FLAWLESS_BENCH_QUICK").is_some() || !std::env::args().any(|argument| argument == "--bench");
    let tenth = if quick { 10 } else { 1 };
    let number = |name: &str, usual: usize| match std::env::var(format!("FLAWLESS_BENCH_{name}")) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("FLAWLESS_BENCH_{name} is {text:?}: it has to be a number")),
        Err(_) => usual,
    };
    let size = Size {
        lines: number("LINES", 1_000 / tenth).max(2 * ALONE),
        repeats: number("REPEATS", 100_000 / tenth),
        connections: number("CONNECTIONS", 256),
        skip: std::env::var("FLAWLESS_BENCH_SKIP").unwrap_or_default(),
    };
    // On a disk: where temporary files live in memory, being durable would cost nothing.
    let directory = tempfile::Builder::new().prefix("hot-path-").tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(run(directory.path(), &size));
}

async fn run(directory: &Path, size: &Size) {
    let scene = Scene::build(directory, size.lines);
    println!(
        "{} failing lines; an event has {:.1} kB, {:.1} kB on the wire; {} connections\n",
        size.lines,
        scene.event_bytes as f64 / 1e3,
        scene.wire_bytes as f64 / 1e3,
        size.connections,
    );
    let mut server = Process::server(&scene.data);
    alerts(&scene, &server, size).await;

    let before = count::counts(&scene.data).await;
    let (outcome, usage) = repeats(&scene, &server, size).await;
    let after = count::counts(&scene.data).await;
    row("repeats", &outcome, &usage, size.repeats);
    before.assert_grown(&after, &outcome.acknowledged);
    println!("  counted in the database: exactly what was acknowledged, line by line");

    if !size.skip.contains("bare") {
        let bare = Process::bare();
        let (other, usage) = repeats(&scene, &bare, size).await;
        row("bare handler", &other, &usage, size.repeats);
        println!("  the server does {:.0} % of the bare handler's requests", 100.0 * outcome.rate() / other.rate());
    }
    if !size.skip.contains("kill") {
        kill(&scene, &mut server, size).await;
    }
}

/// New errors: a few alone, all others at once.
async fn alerts(scene: &Scene, server: &Process, size: &Size) {
    let began = Instant::now();
    let mut alone = Vec::new();
    for line in 0..ALONE {
        let load = Load { order: Order::InTurn(line), repeats: 1, connections: 1, progress: Arc::default() };
        let outcome = client::drive(server.port, &scene.requests, load).await;
        wait_for_alerts(scene, line + 1).await;
        alone.extend(count::alert_delays(&scene.data, &outcome.acknowledged_at).await);
    }
    let connections = NEW_CONNECTIONS.min(size.connections);
    let burst = Instant::now();
    let load = Load { order: Order::InTurn(ALONE), repeats: size.lines - ALONE, connections, progress: Arc::default() };
    let outcome = client::drive(server.port, &scene.requests, load).await;
    wait_for_alerts(scene, size.lines).await;
    let delays = count::alert_delays(&scene.data, &outcome.acknowledged_at).await;
    let taken = burst.elapsed();
    assert_eq!((alone.len(), delays.len()), (ALONE, size.lines - ALONE), "each new error has one alert");
    println!(
        "new errors     {} alerts in {:.1} s ({:.0}/s); from acknowledged to alert file: alone p50 {:.0} ms, \
         max {:.0} ms; all at once p50 {:.1} s, p99 {:.1} s",
        size.lines,
        began.elapsed().as_secs_f64(),
        delays.len() as f64 / taken.as_secs_f64(),
        quantile(&mut alone, 0.5) * 1e3,
        quantile(&mut alone, 1.0) * 1e3,
        quantile(&mut delays.clone(), 0.5),
        quantile(&mut delays.clone(), 0.99),
    );
    println!("  server: {:.0} MB RSS at most so far", server.usage().peak_mb);
}

async fn wait_for_alerts(scene: &Scene, wanted: usize) {
    let began = Instant::now();
    loop {
        let found = count::alert_files(&scene.data).len();
        if found >= wanted {
            return;
        }
        assert!(began.elapsed() < PATIENCE, "{found} of {wanted} alerts after {PATIENCE:?}");
        tokio::time::sleep(Duration::from_millis(if wanted > ALONE { 100 } else { 2 })).await;
    }
}

/// The load, and what it cost the process and this client.
async fn repeats(scene: &Scene, process: &Process, size: &Size) -> (Outcome, Usage) {
    let before = process.usage();
    let load = size.load();
    let outcome = client::drive(process.port, &scene.requests, load).await;
    let usage = process.usage();
    assert_eq!(outcome.total(), size.repeats as u64, "every repeat is acknowledged");
    let usage =
        Usage { server_s: usage.server_s - before.server_s, client_s: usage.client_s - before.client_s, ..usage };
    (outcome, usage)
}

fn row(name: &str, outcome: &Outcome, usage: &Usage, repeats: usize) {
    let each = |seconds: f64| seconds * 1e6 / repeats as f64;
    println!(
        "{name:<14} {:>7.0}/s  p50 {:.1} ms  p99 {:.1} ms   CPU a request: server {:.0} µs, client {:.0} µs   {:.0} MB RSS at most",
        outcome.rate(),
        quantile(&mut outcome.latencies.clone(), 0.5) * 1e3,
        quantile(&mut outcome.latencies.clone(), 0.99) * 1e3,
        each(usage.server_s),
        each(usage.client_s),
        usage.peak_mb,
    );
}

/// Kills the server in the middle of the load, starts it again and compares what it has with what
/// it acknowledged.
async fn kill(scene: &Scene, server: &mut Process, size: &Size) {
    let before = count::counts(&scene.data).await;
    let load = size.load();
    let (port, progress) = (server.port, Arc::clone(&load.progress));
    let stopped = async {
        while progress.load(Ordering::Relaxed) < size.repeats / 4 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        server.kill();
    };
    let (outcome, ()) = tokio::join!(client::drive(port, &scene.requests, load), stopped);
    let acknowledged = outcome.total();
    assert!(acknowledged < size.repeats as u64, "the load was over before the kill: set FLAWLESS_BENCH_REPEATS higher");
    *server = Process::server(&scene.data);
    let after = count::counts(&scene.data).await;
    before.assert_covers(&after, &outcome.acknowledged);
    let counted = after.total() - before.total();
    let under_way = size.connections as u64;
    assert!(
        counted <= acknowledged + under_way,
        "{counted} counted, {acknowledged} acknowledged, {under_way} under way"
    );
    println!("killed         {acknowledged} acknowledged, {counted} counted after the restart: none lost, none twice");
}

/// Unix time in seconds.
fn unix_now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64()
}

fn quantile(values: &mut [f64], q: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let last = values.len().saturating_sub(1);
    values.get((last as f64 * q).round() as usize).copied().unwrap_or(f64::NAN)
}
