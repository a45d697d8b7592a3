//! A run as a file, and the machine that it was made on.

use crate::figure::{Goal, Report};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;

/// What a run was made on.
pub(crate) struct Machine {
    date: String,
    processors: usize,
    model: String,
    memory_gb: f64,
    system: String,
    /// Of the last minute, before the run: other work shows here.
    load: String,
}

impl Machine {
    /// This one, now.
    pub(crate) fn now() -> Self {
        let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
        let field = |text: &str, name: &str| {
            let line = text.lines().find(|line| line.starts_with(name));
            line.and_then(|line| line.split_once(':')).map(|(_, value)| value.trim().to_owned()).unwrap_or_default()
        };
        let memory = field(&read("/proc/meminfo"), "MemTotal");
        let kib: f64 = memory.trim_end_matches(" kB").parse().unwrap_or_default();
        Self {
            date: Timestamp::now().strftime("%Y-%m-%d").to_string(),
            processors: std::thread::available_parallelism().map_or(0, std::num::NonZero::get),
            model: field(&read("/proc/cpuinfo"), "model name"),
            memory_gb: kib * 1024.0 / 1e9,
            system: format!("Linux {}", read("/proc/sys/kernel/osrelease").trim()),
            load: read("/proc/loadavg").split(' ').next().unwrap_or_default().to_owned(),
        }
    }

    /// In a sentence.
    pub(crate) fn words(&self) -> String {
        let Self { date, processors, model, memory_gb, system, load } = self;
        format!("{date}: {processors} × {model}, {memory_gb:.0} GB, {system}; load {load} before the run")
    }
}

/// The run as JSON.
pub(crate) fn json(machine: &Machine, report: &Report) -> Value {
    let figures: Vec<Value> = report
        .figures
        .iter()
        .map(|figure| {
            let goal = figure.goal.map(|goal| match goal {
                Goal::AtLeast(least) => json!({"at_least": least}),
                Goal::AtMost(most) => json!({"at_most": most}),
            });
            let (row, unit) = (figure.row.to_string(), figure.unit.words().trim());
            json!({
                "row": row, "on": figure.on, "what": figure.what, "value": figure.value, "unit": unit,
                "spread": figure.spread.map(|(least, most)| [least, most]), "goal": goal, "falls_short": figure.falls_short(),
            })
        })
        .collect();
    json!({"machine": machine.words(), "figures": figures, "failures": report.failures, "left_out": report.left_out})
}

/// The values of a saved run, by row, database and what they are of.
///
/// # Errors
/// It can't be read.
pub(crate) fn values(path: &Path) -> Result<BTreeMap<String, f64>, String> {
    let said = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let text = std::fs::read_to_string(path).map_err(|error| said(&error))?;
    let run: Value = serde_json::from_str(&text).map_err(|error| said(&error))?;
    let figures = run["figures"].as_array().ok_or_else(|| said(&"it is no run of the bench"))?;
    let text = |figure: &Value, name: &str| figure[name].as_str().unwrap_or_default().to_owned();
    let key = |figure: &Value| [text(figure, "row"), text(figure, "on"), text(figure, "what")].join(" | ");
    Ok(figures.iter().filter_map(|figure| Some((key(figure), figure["value"].as_f64()?))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figure::{Row, Unit};

    #[test]
    fn a_saved_run_is_read_by_the_keys_of_its_figures() {
        let mut report = Report::default();
        report.add(Row::Kills, "SQLite", "a restart", Unit::Seconds, &[0.5], Some(Goal::AtMost(1.0)));
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), json(&Machine::now(), &report).to_string()).unwrap();
        assert_eq!(values(file.path()), Ok(BTreeMap::from([(report.figures[0].key(), 0.5)])));
        std::fs::write(file.path(), "{}").unwrap();
        assert!(values(file.path()).is_err());
    }
}
