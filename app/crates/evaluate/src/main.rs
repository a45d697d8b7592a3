//! How often are the verdicts right? Judges recorded exceptions whose culprit is known:
//! `cargo run -p evaluate --release -- CASES --mirrors DIR`.
//!
//! Predictions go to standard output, a JSON object a line; the tables to standard error.
#![expect(clippy::print_stderr, reason = "it is a command for a terminal")]

mod case;
mod judge;
mod score;
mod table;

use case::Case;
use clap::Parser;
use domain::heuristic::Heuristic;
use judge::{Judge, Verdict};
use std::collections::BTreeMap;
use std::error::Error;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use table::Row;

/// What the command failed with: a sentence for the terminal.
type Failed = Box<dyn Error + Send + Sync>;

/// Judges recorded exceptions whose culprit is known, and prints how often the verdict is right.
#[derive(Debug, Parser)]
#[command(version, about, max_term_width = 100)]
struct Options {
    /// A folder of cases (`*.json`), or one such file.
    cases: PathBuf,
    /// A folder with the repositories, each as OWNER+NAME: a bare repository, or a folder that
    /// holds one as `repo` or `repo/.git`. Without it, frames are judged by what the case says of
    /// them, and no code is read.
    #[arg(long)]
    mirrors: Option<PathBuf>,
    /// Print no tables.
    #[arg(long)]
    quiet: bool,
}

fn main() -> ExitCode {
    match evaluate(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("evaluate: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Judges all cases. One whose repository can't be read is judged without it, and said to be.
///
/// # Errors
/// The cases can't be read, or standard output is closed.
fn evaluate(options: &Options) -> Result<(), Failed> {
    let cases = load(&options.cases)?;
    let judge = Judge::new(options.mirrors.as_deref())?;
    let mut out = std::io::stdout().lock();
    let (mut failed, mut judged) = (0, Vec::new());
    for case in &cases {
        let verdict = match judge.judge(case, &[]) {
            Ok(verdict) => verdict,
            // One missing repository must not stop the others from being counted.
            Err(error) => {
                eprintln!("{}: {error}. It is judged by what the case says itself.", case.case_id);
                failed += 1;
                Judge::by_case(case, &[])?
            }
        };
        for prediction in &verdict.predictions {
            writeln!(out, "{}", serde_json::to_string(prediction)?)?;
        }
        judged.push((case, verdict));
    }
    out.flush()?;
    if !options.quiet {
        report(&judge, judged)?;
    }
    if failed > 0 {
        eprintln!("{failed} of {} cases were judged without their repositories.", cases.len());
    }
    Ok(())
}

fn report(judge: &Judge, judged: Vec<(&Case, Verdict)>) -> Result<(), Failed> {
    let all = judged.len();
    let known: Vec<(&Case, Verdict)> = judged.into_iter().filter(|(case, _)| case.truth.is_some()).collect();
    if known.is_empty() {
        eprintln!("None of the {all} cases says what was to blame, so there is nothing to compare with.");
        return Ok(());
    }
    let mut rows = Vec::new();
    for (case, verdict) in known {
        // What had no part in it would not be missed.
        let mut without = BTreeMap::new();
        for &heuristic in &verdict.used {
            without.insert(heuristic, judge.judge_anyhow(case, &[heuristic])?.predictions);
        }
        let plain = if verdict.used.is_empty() {
            verdict.predictions.clone()
        } else {
            judge.judge_anyhow(case, &Heuristic::ALL)?.predictions
        };
        rows.push(Row { case, full: verdict.predictions, plain, without });
    }
    eprint!("{}", table::tables(&rows));
    Ok(())
}

fn load(path: &Path) -> Result<Vec<Case>, Failed> {
    let mut files = if path.is_dir() {
        std::fs::read_dir(path)
            .map_err(|error| format!("{} can't be read: {error}", path.display()))?
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<Result<Vec<_>, _>>()?
    } else {
        vec![path.to_owned()]
    };
    files.retain(|file| !path.is_dir() || file.extension().is_some_and(|ending| ending == "json"));
    files.sort();
    if files.is_empty() {
        return Err(format!("there is no case (*.json) in {}", path.display()).into());
    }
    files
        .iter()
        .map(|file| {
            let said = |error: &dyn std::fmt::Display| format!("{} can't be read as a case: {error}", file.display());
            let text = std::fs::read_to_string(file).map_err(|error| said(&error))?;
            Ok(serde_json::from_str(&text).map_err(|error| said(&error))?)
        })
        .collect()
}
