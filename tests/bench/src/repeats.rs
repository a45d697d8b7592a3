//! Repeats: the server on each database, and a bare handler with the same bodies, in turns.

use crate::bare::{BARE, SYNCING};
use crate::client::{Load, Order, Outcome, Until, drive};
use crate::figure::{Goal, Row, Unit, quantile};
use crate::process::{Process, Usage, forget_peak};
use crate::stage::Stage;
use crate::{Bench, goals};

/// Contenders beside the servers: both bare handlers, and a peer.
const OTHERS: usize = 3;

/// Values of each turn, of one contender.
#[derive(Default)]
struct Turns {
    rate: Vec<f64>,
    middle: Vec<f64>,
    p99: Vec<f64>,
    longest: Vec<f64>,
    cpu: Vec<f64>,
    database_cpu: Vec<f64>,
    peak: Vec<f64>,
    written: Vec<f64>,
}

impl Turns {
    fn add(&mut self, outcome: &Outcome, usage: &Usage) {
        let (mut latencies, requests) = (outcome.latencies(), outcome.answers.len() as f64);
        self.rate.push(outcome.rate());
        self.middle.push(quantile(&mut latencies, 0.5) * 1e3);
        self.p99.push(quantile(&mut latencies, 0.99) * 1e3);
        self.longest.push(quantile(&mut latencies, 1.0) * 1e3);
        // A peer's process may be unknown.
        if usage.peak > 0.0 {
            self.cpu.push(usage.cpu * 1e6 / requests);
            self.peak.push(usage.peak);
        }
        self.written.extend(usage.written.map(|bytes| bytes / requests));
    }
}

/// Every order of lines with every number of connections.
///
/// # Errors
/// What was refused, lost or doubled.
pub(crate) async fn measure(bench: &mut Bench, stages: &mut [Stage]) -> Result<(), String> {
    let hot = bench.size.hot;
    let orders = [
        ("1 line".to_owned(), Order::InTurn(0, 1)),
        (format!("{hot} lines in turn"), Order::InTurn(0, hot)),
        (format!("{hot} lines at random"), Order::Random(hot)),
    ];
    let bare = [BARE, SYNCING].map(Process::bare);
    for (what, order) in orders {
        let mut at_fewest: Vec<Vec<f64>> = Vec::new();
        for connections in bench.size.connections.clone() {
            let load = Load::new(order, Until::Over(bench.size.span), connections);
            let what = format!("{what}, {connections} connections");
            bench.say(&what);
            let turns = turns(bench, stages, &bare, &load).await?;
            add(bench, stages, &what, connections, &turns, &at_fewest);
            if at_fewest.is_empty() {
                at_fewest = turns.into_iter().map(|turn| turn.rate).collect();
            }
        }
    }
    for stage in stages {
        let size = stage.database.size().await / 1e6;
        bench.report.add(Row::Repeats, stage.name, "database afterwards", Unit::Megabytes, &[size], None);
    }
    Ok(())
}

/// Bare handlers, servers, and the peer where there is one, in this order.
async fn turns(
    bench: &mut Bench,
    stages: &mut [Stage],
    bare: &[Process; 2],
    load: &Load,
) -> Result<Vec<Turns>, String> {
    let peer = bench.peer.clone();
    let mut all: Vec<Turns> = std::iter::repeat_with(Turns::default).take(stages.len() + OTHERS).collect();
    let mut to_bare = stages[0].shop.clone();
    for _ in 0..bench.size.turns {
        for (bare, turns) in bare.iter().zip(&mut all) {
            to_bare.address.set_port(bare.port);
            forget_peak(bare.pid());
            let before = bare.usage();
            let outcome = drive(&to_bare, load.clone()).await;
            let after = bare.usage();
            turns.add(&outcome, &Usage { cpu: after.cpu - before.cpu, written: None, ..after });
        }
        for (stage, turns) in stages.iter_mut().zip(&mut all[2..]) {
            let database = stage.database_cpu();
            let (outcome, usage) = stage.checked(load.clone()).await?;
            let spent = stage.database_cpu().zip(database).map(|(after, before)| (after - before) * 1e6);
            turns.database_cpu.extend(spent.map(|spent| spent / outcome.answers.len() as f64));
            turns.add(&outcome, &usage);
        }
        if let Some(peer) = &peer {
            let (outcome, usage) = peer.take(load.clone()).await?;
            all[stages.len() + 2].add(&outcome, &usage);
        }
    }
    Ok(all)
}

/// The figures of a load. Goals are of what the issue names: the rate beside the bare handler's,
/// PostgreSQL's beside SQLite's, the delay at few connections.
fn add(bench: &mut Bench, stages: &[Stage], what: &str, connections: usize, turns: &[Turns], fewest: &[Vec<f64>]) {
    let names: Vec<&str> = ["bare handler", "bare handler that syncs"]
        .into_iter()
        .chain(stages.iter().map(|stage| stage.name))
        .chain(["peer"])
        .collect();
    let few = connections == bench.size.connections[0];
    let percent = |mine: &[f64], other: &[f64]| -> Vec<f64> {
        mine.iter().zip(other).map(|(mine, other)| 100.0 * mine / other).collect()
    };
    let sqlite = names.iter().position(|name| *name == "SQLite");
    for (at, (name, turn)) in names.iter().zip(turns).enumerate() {
        let is_ours = (2..2 + stages.len()).contains(&at);
        let mut figure = |of: &str, unit: Unit, values: &[f64], goal: Option<Goal>| {
            bench.report.add(Row::Repeats, name, &format!("{what}: {of}"), unit, values, goal);
        };
        figure("accepted", Unit::PerSecond, &turn.rate, None);
        if is_ours {
            let is_sqlite = Some(at) == sqlite;
            figure(
                "of the bare handler's",
                Unit::Percent,
                &percent(&turn.rate, &turns[0].rate),
                is_sqlite.then_some(goals::OF_BARE),
            );
            figure("of the one's that syncs", Unit::Percent, &percent(&turn.rate, &turns[1].rate), None);
            if let Some(sqlite) = sqlite.filter(|_| !is_sqlite) {
                figure("of SQLite's", Unit::Percent, &percent(&turn.rate, &turns[sqlite].rate), Some(goals::OF_SQLITE));
            }
            if let Some(fewest) = fewest.get(at) {
                let beside = percent(&turn.rate, fewest);
                figure("of that with the fewest connections", Unit::Percent, &beside, Some(goals::NO_WORSE));
            }
            if !turns[stages.len() + 2].rate.is_empty() {
                let beside: Vec<f64> =
                    percent(&turn.rate, &turns[stages.len() + 2].rate).iter().map(|it| it / 100.0).collect();
                figure("times the peer's", Unit::Times, &beside, is_sqlite.then_some(goals::OF_PEER));
            }
        }
        let is_goal = few && Some(at) == sqlite;
        figure("p50", Unit::Milliseconds, &turn.middle, None);
        figure("p99", Unit::Milliseconds, &turn.p99, is_goal.then_some(goals::ACCEPTED_P99));
        figure("longest", Unit::Milliseconds, &turn.longest, None);
        figure("CPU a request", Unit::Microseconds, &turn.cpu, None);
        figure("CPU of the database a request", Unit::Microseconds, &turn.database_cpu, None);
        figure("memory at most", Unit::Megabytes, &turn.peak, None);
        figure("written a request", Unit::Bytes, &turn.written, None);
    }
}
