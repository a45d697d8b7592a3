//! The tables of an evaluation: hits by rule, what each rule of thumb gains and loses, and whether
//! it pays where it was not looked at.

use super::case::Case;
use super::score::{Hit, Prediction, best_frame, hit, newest_line};
use domain::heuristic::Heuristic;
use domain::suspects::SuspectedBy;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// What the columns of hits are.
const METRICS: [&str; 3] = ["function", "author", "commit"];

/// A case with its predictions: by all rules of thumb, by none, and without each that had a part in
/// it.
pub(super) struct Row<'a> {
    pub(super) case: &'a Case,
    pub(super) full: Vec<Prediction>,
    pub(super) plain: Vec<Prediction>,
    pub(super) without: BTreeMap<Heuristic, Vec<Prediction>>,
}

impl Row<'_> {
    fn without(&self, heuristic: Heuristic) -> &[Prediction] {
        self.without.get(&heuristic).unwrap_or(&self.full)
    }
}

/// All tables as text.
pub(super) fn tables(rows: &[Row<'_>]) -> String {
    let mut text = String::new();
    let repositories: BTreeSet<&str> = rows.iter().map(|row| row.case.repo.as_str()).collect();
    let _ = writeln!(text, "{} cases of {} repositories; hits in %", rows.len(), repositories.len());
    let _ = writeln!(text, "{:48}{:>10}{:>10}{:>10}", "", METRICS[0], METRICS[1], METRICS[2]);
    let full = |suspects| -> Vec<Hit> { rows.iter().map(|row| hit(row.case, &row.full, suspects)).collect() };
    let plain = |suspects| -> Vec<Hit> { rows.iter().map(|row| hit(row.case, &row.plain, suspects)).collect() };
    line(&mut text, "innermost frame of the repository", &plain(1));
    line(&mut text, "… and its caller", &plain(2));
    let by_case = |of: &dyn Fn(&Case) -> Hit| -> Vec<Hit> { rows.iter().map(|row| of(row.case)).collect() };
    line(&mut text, "Sentry's: newest line of all frames, < 1 year", &by_case(&newest_line));
    line(&mut text, "the line of the best frame that there is", &by_case(&best_frame));
    line(&mut text, "with all rules of thumb, one suspect", &full(1));
    line(&mut text, "… two suspects", &full(2));
    line(&mut text, "… three suspects", &full(3));
    line(&mut text, "… one, each rule only where it paid elsewhere", &left_one_out(rows));
    macro_line(&mut text, "mean of repositories, innermost frame", rows, &plain(1));
    macro_line(&mut text, "mean of repositories, one suspect", rows, &full(1));
    macro_line(&mut text, "mean of repositories, two suspects", rows, &full(2));
    gains(&mut text, rows);
    by_rule(&mut text, rows);
    text
}

fn differs(one: &[Prediction], other: &[Prediction]) -> bool {
    let first = |predictions: &[Prediction]| predictions.first().map(|one| (one.path.clone(), one.lineno));
    first(one) != first(other)
}

/// Each case is judged with the rules of thumb that pay in all other repositories: without the one
/// that decided it, where its hits elsewhere are no more than without it.
fn left_one_out(rows: &[Row<'_>]) -> Vec<Hit> {
    let judged = |row: &Row<'_>| {
        let deciding = Heuristic::ALL.into_iter().find(|one| differs(row.without(*one), &row.full));
        let Some(heuristic) = deciding else { return hit(row.case, &row.full, 1) };
        let elsewhere = rows.iter().filter(|other| other.case.repo != row.case.repo);
        let pays = elsewhere.map(|other| net(other.case, &other.full, other.without(heuristic))).sum::<i64>() > 0;
        hit(row.case, if pays { &row.full } else { row.without(heuristic) }, 1)
    };
    rows.iter().map(judged).collect()
}

fn net(case: &Case, with: &[Prediction], without: &[Prediction]) -> i64 {
    let count = |predictions: &[Prediction]| hit(case, predictions, 1).each().iter().filter(|hit| **hit).count();
    i64::try_from(count(with)).unwrap_or(0) - i64::try_from(count(without)).unwrap_or(0)
}

fn gains(text: &mut String, rows: &[Row<'_>]) {
    let _ = writeln!(text, "\nrule of thumb      decides  gained / lost (repositories): function, author, commit");
    for heuristic in Heuristic::ALL {
        let mut moved = 0;
        let mut gained: [BTreeMap<&str, u32>; 3] = Default::default();
        let mut lost: [BTreeMap<&str, u32>; 3] = Default::default();
        for row in rows {
            let (case, without) = (row.case, row.without(heuristic));
            moved += u32::from(differs(without, &row.full));
            let (now, before) = (hit(case, &row.full, 1).each(), hit(case, without, 1).each());
            for metric in 0..3 {
                if now[metric] && !before[metric] {
                    *gained[metric].entry(&case.repo).or_default() += 1;
                } else if before[metric] && !now[metric] {
                    *lost[metric].entry(&case.repo).or_default() += 1;
                }
            }
        }
        let _ = write!(text, "{:18}{moved:>8} ", heuristic.name());
        for metric in 0..3 {
            let sum = |map: &BTreeMap<&str, u32>| format!("{} ({})", map.values().sum::<u32>(), map.len());
            let _ = write!(text, "   {:>8} / {:<8}", sum(&gained[metric]), sum(&lost[metric]));
        }
        text.push('\n');
    }
}

/// How often the first suspect is right by the rule that named it: what confidence is made from.
fn by_rule(text: &mut String, rows: &[Row<'_>]) {
    let mut rules: BTreeMap<SuspectedBy, Vec<Hit>> = BTreeMap::new();
    for row in rows {
        if let Some(first) = row.full.first() {
            rules.entry(first.rule).or_default().push(hit(row.case, &row.full, 1));
        }
    }
    let _ = writeln!(text, "\nfirst suspect named by");
    for (rule, hits) in rules {
        line(text, &format!("  {rule:?}, {} cases", hits.len()), &hits);
    }
}

fn line(text: &mut String, name: &str, hits: &[Hit]) {
    let _ = write!(text, "{name:48}");
    for metric in 0..3 {
        let _ = write!(text, "{:>10.1}", percent(hits.iter(), metric));
    }
    text.push('\n');
}

fn macro_line(text: &mut String, name: &str, rows: &[Row<'_>], hits: &[Hit]) {
    let mut by: BTreeMap<&str, Vec<&Hit>> = BTreeMap::new();
    for (row, hit) in rows.iter().zip(hits) {
        by.entry(&row.case.repo).or_default().push(hit);
    }
    let _ = write!(text, "{name:48}");
    for metric in 0..3 {
        let sum: f64 = by.values().map(|hits| percent(hits.iter().copied(), metric)).sum();
        let _ = write!(text, "{:>10.1}", sum / f64::from(u32::try_from(by.len().max(1)).unwrap_or(u32::MAX)));
    }
    text.push('\n');
}

fn percent<'a>(hits: impl ExactSizeIterator<Item = &'a Hit>, metric: usize) -> f64 {
    let all = f64::from(u32::try_from(hits.len().max(1)).unwrap_or(u32::MAX));
    let right = hits.filter(|hit| hit.each()[metric]).count();
    100.0 * f64::from(u32::try_from(right).unwrap_or(u32::MAX)) / all
}
