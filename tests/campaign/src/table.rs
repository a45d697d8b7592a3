//! What a campaign came to: fault × rounds × acknowledged × lost × doubled × stuck × worst restart.

use crate::faults::Fault;
use crate::ledger::Kind;
use crate::round::Outcome;
use crate::stage::Database;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

/// One row.
#[derive(Clone, Copy, Default)]
struct Row {
    rounds: u64,
    acknowledged: u64,
    lost: u64,
    doubled: u64,
    stuck: u64,
    rules: u64,
    late: u64,
    restart: Duration,
    slowest: Duration,
    took: Duration,
}

/// The table.
#[derive(Default)]
pub struct Table {
    rows: BTreeMap<(Database, Fault), Row>,
    /// What was broken, with the command that plays its round again.
    broken: Vec<String>,
    left_out: BTreeSet<Database>,
}

impl Table {
    /// A round was played.
    pub fn round(&mut self, database: Database, fault: Fault, outcome: &Outcome) {
        let row = self.rows.entry((database, fault)).or_default();
        let count = |kind| outcome.violations.iter().filter(|it| it.kind == kind).map(|it| it.count).sum::<u64>();
        row.add(&Row {
            rounds: 1,
            acknowledged: outcome.acknowledged,
            lost: count(Kind::Lost),
            doubled: count(Kind::Doubled),
            stuck: count(Kind::Stuck),
            rules: count(Kind::Rules),
            late: count(Kind::Late),
            restart: outcome.restart,
            slowest: outcome.slowest,
            took: outcome.took,
        });
    }

    /// Something was broken.
    pub fn broken(&mut self, what: String) {
        self.broken.push(what);
    }

    /// A database could not be had.
    pub fn left_out(&mut self, database: Database) {
        self.left_out.insert(database);
    }

    /// Another part of the campaign.
    pub fn add(&mut self, other: Self) {
        for (key, row) in other.rows {
            self.rows.entry(key).or_default().add(&row);
        }
        self.broken.extend(other.broken);
        self.left_out.extend(other.left_out);
    }

    /// Whether everything was run, and nothing was broken.
    pub fn is_clean(&self) -> bool {
        self.left_out.is_empty() && self.rows.values().all(|row| row.broken() == 0)
    }
}

impl Row {
    fn add(&mut self, other: &Self) {
        self.rounds += other.rounds;
        self.acknowledged += other.acknowledged;
        self.lost += other.lost;
        self.doubled += other.doubled;
        self.stuck += other.stuck;
        self.rules += other.rules;
        self.late += other.late;
        self.restart = self.restart.max(other.restart);
        self.slowest = self.slowest.max(other.slowest);
        self.took += other.took;
    }

    fn broken(&self) -> u64 {
        self.lost + self.doubled + self.stuck + self.rules + self.late
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "| database | fault | rounds | acknowledged | lost | doubled | stuck | rules | late | worst restart | s a round |"
        )?;
        writeln!(f, "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")?;
        let mut sum = Row::default();
        for ((database, fault), row) in &self.rows {
            sum.add(row);
            write_row(f, &format!("{database:?}"), &format!("{fault:?}"), row)?;
        }
        write_row(f, "all", "", &sum)?;
        // Said when it was found, and again where who looks at the end sees it.
        for what in &self.broken {
            writeln!(f, "\nBROKEN: {what}")?;
        }
        for database in &self.left_out {
            writeln!(f, "NOT RUN: {database:?}")?;
        }
        Ok(())
    }
}

fn write_row(f: &mut fmt::Formatter<'_>, database: &str, fault: &str, row: &Row) -> fmt::Result {
    let restart = if row.restart.is_zero() { "–".to_owned() } else { format!("{} ms", row.restart.as_millis()) };
    let each = row.took.as_secs_f64() / row.rounds.max(1) as f64;
    let Row { rounds, acknowledged, lost, doubled, stuck, rules, late, .. } = row;
    writeln!(
        f,
        "| {database} | {fault} | {rounds} | {acknowledged} | {lost} | {doubled} | {stuck} | {rules} | {late} | {restart} | {each:.1} |"
    )
}
