//! The run as text: the figures that have a goal, what each load cost, then all others.

use crate::figure::{Figure, Goal, Report, Row};
use std::collections::BTreeMap;
use std::fmt;

/// What is said of each load in a line of its own.
const LOAD: [&str; 8] = [
    "accepted",
    "p50",
    "p99",
    "longest",
    "CPU a request",
    "CPU of the database a request",
    "memory at most",
    "written a request",
];

/// A report, with another run's figures beside it where there are some.
pub(crate) struct Table<'a> {
    pub(crate) report: &'a Report,
    /// Values of another run, by [`Figure::key`].
    pub(crate) earlier: Option<&'a BTreeMap<String, f64>>,
    /// Whether figures are held against their goals.
    pub(crate) is_judged: bool,
}

impl Table<'_> {
    fn verdict(&self, figure: &Figure) -> &'static str {
        match self.is_judged {
            false => "not judged",
            true if figure.falls_short() => "**falls short**",
            true => "met",
        }
    }

    /// How a figure compares with the other run's.
    fn beside(&self, figure: &Figure) -> String {
        let Some(earlier) = self.earlier else { return String::new() };
        let ratio = earlier.get(&figure.key()).filter(|value| **value != 0.0).map(|value| figure.value / value);
        ratio.map_or_else(|| " – |".to_owned(), |ratio| format!(" × {ratio:.2} |"))
    }

    fn loads(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rates: Vec<_> =
            self.report.figures.iter().filter(|figure| load_of(figure).is_some_and(|it| it.1 == LOAD[0])).collect();
        if rates.is_empty() {
            return Ok(());
        }
        writeln!(f)?;
        self.heading(f, &[&["load", "on"], LOAD.as_slice()].concat())?;
        for rate in rates {
            let load = load_of(rate).map_or("", |it| it.0);
            let cell = |of: &&str| {
                let is_it = |figure: &&Figure| figure.on == rate.on && load_of(figure) == Some((load, *of));
                self.report.figures.iter().find(is_it).map_or_else(String::new, shown)
            };
            let cells: Vec<String> = LOAD.iter().map(cell).collect();
            writeln!(f, "| {load} | {} | {} |{}", rate.on, cells.join(" | "), self.beside(rate))?;
        }
        Ok(())
    }

    fn heading(&self, f: &mut fmt::Formatter<'_>, columns: &[&str]) -> fmt::Result {
        let mut columns = columns.to_vec();
        columns.extend(self.earlier.is_some().then_some("beside the other run"));
        writeln!(f, "| {} |", columns.join(" | "))?;
        writeln!(f, "|{}", " --- |".repeat(columns.len()))
    }
}

impl fmt::Display for Table<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.heading(f, &["row", "on", "what", "goal", "figure", ""])?;
        for figure in &self.report.figures {
            let Some(goal) = figure.goal else { continue };
            let (row, on, what, verdict) = (figure.row, &figure.on, &figure.what, self.verdict(figure));
            let goal = match goal {
                Goal::AtLeast(least) => format!("≥ {}", figure.unit.shown(least)),
                Goal::AtMost(most) => format!("≤ {}", figure.unit.shown(most)),
            };
            writeln!(f, "| {row} | {on} | {what} | {goal} | {} | {verdict} |{}", shown(figure), self.beside(figure))?;
        }
        self.loads(f)?;
        writeln!(f)?;
        self.heading(f, &["row", "on", "what", "figure"])?;
        for figure in self.report.figures.iter().filter(|figure| figure.goal.is_none() && load_of(figure).is_none()) {
            let (row, on, what) = (figure.row, &figure.on, &figure.what);
            writeln!(f, "| {row} | {on} | {what} | {} |{}", shown(figure), self.beside(figure))?;
        }
        for what in &self.report.left_out {
            writeln!(f, "\nNOT MEASURED: {what}")?;
        }
        for what in &self.report.failures {
            writeln!(f, "\nFAILED: {what}")?;
        }
        Ok(())
    }
}

/// The load that a figure is of, and what of it.
fn load_of(figure: &Figure) -> Option<(&str, &str)> {
    let (load, of) = figure.what.rsplit_once(": ").filter(|_| figure.row == Row::Repeats)?;
    LOAD.contains(&of).then_some((load, of))
}

/// A value with its spread.
fn shown(figure: &Figure) -> String {
    let value = figure.unit.shown(figure.value);
    let bare = |value: f64| figure.unit.shown(value).trim_end_matches(figure.unit.words()).to_owned();
    let spread = figure.spread.map(|(least, most)| format!(" ({} to {})", bare(least), bare(most)));
    value + &spread.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figure::Unit;

    #[test]
    fn goals_stand_beside_their_figures() {
        let mut report = Report::default();
        report.add(
            Row::Repeats,
            "SQLite",
            "of the bare handler's",
            Unit::Percent,
            &[48.5, 51.0, 50.0],
            Some(Goal::AtLeast(60.0)),
        );
        report.add(Row::Memory, "SQLite", "idle", Unit::Megabytes, &[31.25], Some(Goal::AtMost(40.0)));
        report.add(Row::Repeats, "SQLite", "1 line: accepted", Unit::PerSecond, &[11_654.3], None);
        report.add(Row::Repeats, "SQLite", "1 line: p99", Unit::Milliseconds, &[9.5], None);
        report.add(Row::Repeats, "SQLite", "database afterwards", Unit::Megabytes, &[3.5], None);
        report.failures.push("line 7 has 3 more, and 4 were acknowledged".to_owned());
        let earlier = BTreeMap::from([("repeats | SQLite | 1 line: accepted".to_owned(), 10_000.0)]);
        let table = Table { report: &report, earlier: Some(&earlier), is_judged: true }.to_string();
        let expected = "\
| row | on | what | goal | figure |  | beside the other run |
| --- | --- | --- | --- | --- | --- | --- |
| repeats | SQLite | of the bare handler's | ≥ 60 % | 50 % (48.5 to 51) | **falls short** | – |
| memory | SQLite | idle | ≤ 40 MB | 31.2 MB | met | – |

| load | on | accepted | p50 | p99 | longest | CPU a request | CPU of the database a request | memory at most | written a request | beside the other run |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
| 1 line | SQLite | 11654/s |  | 9.50 ms |  |  |  |  |  | × 1.17 |

| row | on | what | figure | beside the other run |
| --- | --- | --- | --- | --- |
| repeats | SQLite | database afterwards | 3.50 MB | – |

FAILED: line 7 has 3 more, and 4 were acknowledged
";
        assert_eq!(table, expected);
        let alone = Table { report: &report, earlier: None, is_judged: false }.to_string();
        assert!(alone.contains("| memory | SQLite | idle | ≤ 40 MB | 31.2 MB | not judged |\n"), "{alone}");
    }
}
