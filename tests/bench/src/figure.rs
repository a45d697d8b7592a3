//! Figures with their goals, and what failed.

use clap::ValueEnum;
use std::fmt;

/// A row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Row {
    /// Repeats accepted, durably, beside a bare handler.
    Repeats,
    /// Repeats and pages with a million known lines.
    Growth,
    /// From the first sight of a line to its alert.
    Alerts,
    /// Who wrote one line, in a long history.
    Blame,
    /// Idle, under load, and with many new shapes.
    Memory,
    /// Killed in the middle of the load.
    Kills,
}

/// What a figure is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    PerSecond,
    Seconds,
    Milliseconds,
    Microseconds,
    /// A million bytes.
    Megabytes,
    Bytes,
    Percent,
    Times,
}

/// What a figure should be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Goal {
    AtLeast(f64),
    AtMost(f64),
}

/// What was measured.
#[derive(Clone, Debug)]
pub(crate) struct Figure {
    pub(crate) row: Row,
    /// SQLite, PostgreSQL, or whose it is.
    pub(crate) on: String,
    pub(crate) what: String,
    pub(crate) unit: Unit,
    /// In the middle of those of each turn.
    pub(crate) value: f64,
    /// The least and the greatest, where there were several turns.
    pub(crate) spread: Option<(f64, f64)>,
    pub(crate) goal: Option<Goal>,
}

/// All that a run found.
#[derive(Default)]
pub(crate) struct Report {
    pub(crate) figures: Vec<Figure>,
    /// What makes the run worth nothing: errors, lost or doubled rows, servers that ended.
    pub(crate) failures: Vec<String>,
    /// What was not measured, and why.
    pub(crate) left_out: Vec<String>,
}

impl Report {
    /// Adds a figure, by its value in each turn; none where there are no values.
    pub(crate) fn add(&mut self, row: Row, on: &str, what: &str, unit: Unit, values: &[f64], goal: Option<Goal>) {
        let mut values: Vec<f64> = values.iter().copied().filter(|value| value.is_finite()).collect();
        if values.is_empty() {
            return;
        }
        values.sort_by(f64::total_cmp);
        // Of an even number, what is between the two in the middle.
        let value = f64::midpoint(values[(values.len() - 1) / 2], values[values.len() / 2]);
        let spread = (values.len() > 1).then(|| (values[0], values[values.len() - 1]));
        let (on, what) = (on.to_owned(), what.to_owned());
        self.figures.push(Figure { row, on, what, unit, value, spread, goal });
    }
}

impl Goal {
    pub(crate) fn is_met(self, value: f64) -> bool {
        match self {
            Self::AtLeast(least) => value >= least,
            Self::AtMost(most) => value <= most,
        }
    }
}

impl Figure {
    pub(crate) fn falls_short(&self) -> bool {
        self.goal.is_some_and(|goal| !goal.is_met(self.value))
    }

    /// By what it is found in another run.
    pub(crate) fn key(&self) -> String {
        format!("{} | {} | {}", self.row, self.on, self.what)
    }
}

impl Unit {
    /// A value in words.
    pub(crate) fn shown(self, value: f64) -> String {
        let digits = if value.abs() >= 100.0 || value.fract() == 0.0 {
            0
        } else if value.abs() >= 10.0 {
            1
        } else {
            2
        };
        format!("{value:.digits$}{}", self.words())
    }

    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::PerSecond => "/s",
            Self::Seconds => " s",
            Self::Milliseconds => " ms",
            Self::Microseconds => " µs",
            Self::Megabytes => " MB",
            Self::Bytes => " B",
            Self::Percent => " %",
            Self::Times => "",
        }
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.to_possible_value().as_ref().map_or("", |it| it.get_name()))
    }
}

/// The value below which a part of all values is; NaN where there are none. Sorts them.
pub(crate) fn quantile(values: &mut [f64], part: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let last = values.len().saturating_sub(1);
    values.get((last as f64 * part).round() as usize).copied().unwrap_or(f64::NAN)
}

/// How much values grow from their first to their last, by the line that fits them best.
pub(crate) fn growth(values: &[f64]) -> f64 {
    let count = values.len() as f64;
    let (middle, mean) = ((count - 1.0) / 2.0, values.iter().sum::<f64>() / count);
    let (mut above, mut below) = (0.0, 0.0);
    for (at, value) in values.iter().enumerate() {
        let from_middle = at as f64 - middle;
        above += from_middle * (value - mean);
        below += from_middle * from_middle;
    }
    if below == 0.0 { 0.0 } else { above / below * (count - 1.0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_values() {
        let mut values: Vec<f64> = (0..=100).rev().map(f64::from).collect();
        assert_eq!(quantile(&mut values, 0.99), 99.0);
        assert_eq!(quantile(&mut values, 1.0), 100.0);
        assert!(quantile(&mut [], 0.5).is_nan());
    }

    #[test]
    fn growth_is_that_of_the_line_through_the_values() {
        assert!((growth(&[10.0, 11.0, 12.0, 13.0]) - 3.0).abs() < 1e-9);
        assert!((growth(&[10.0, 13.0, 13.0, 10.0])).abs() < 1e-9);
        assert_eq!(growth(&[5.0]), 0.0);
    }

    #[test]
    fn a_figure_is_the_middle_of_its_turns() {
        let mut report = Report::default();
        report.add(Row::Repeats, "SQLite", "rate", Unit::PerSecond, &[3.0, 1.0, 2.0], Some(Goal::AtLeast(2.5)));
        report.add(Row::Repeats, "SQLite", "unknown", Unit::PerSecond, &[], None);
        report.add(Row::Repeats, "SQLite", "two turns", Unit::PerSecond, &[4.0, 1.0], None);
        assert_eq!(report.figures.pop().map(|figure| figure.value), Some(2.5));
        let [figure] = report.figures.as_slice() else { panic!("{:?}", report.figures) };
        assert_eq!((figure.value, figure.spread, figure.falls_short()), (2.0, Some((1.0, 3.0)), true));
        assert!(Goal::AtMost(2.0).is_met(2.0));
    }
}
