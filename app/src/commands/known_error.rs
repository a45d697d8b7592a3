//! `flawless known-error`: errors that are counted but not alerted.

use super::Failed;
use super::repository::named;
use crate::clock::Clock;
use crate::config::Config;
use crate::terminal::say;
use crate::wiring::Handles;
use clap::{Args, Subcommand};
use domain::ids::{RepositoryId, RuleId};
use domain::names::RepositoryName;
use domain::rule::{MOST_MADE, Rule, RuleSource};
use domain::settings::{CodePattern, KnownError};
use domain::timestamp::Timestamp;
use render::when;
use store::Store;
use store::repositories::RepositoryRow;
use store::rules::{Insertion, NewRule, RuleRow};

/// Who makes and ends entries here.
const BY: &str = "command line";

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Action {
    /// Whitelist a file, a function of it, or a line of that.
    Add(Entry),
    /// List what is whitelisted.
    List {
        /// OWNER/NAME.
        repository: RepositoryName,
    },
    /// End an entry.
    Remove {
        /// OWNER/NAME.
        repository: RepositoryName,
        /// Its number, as listed.
        number: i64,
    },
}

/// What to whitelist.
#[derive(Debug, Args)]
pub struct Entry {
    /// OWNER/NAME.
    repository: RepositoryName,
    /// Path in the repository.
    #[arg(long)]
    file: String,
    /// Function; the whole file where left out.
    #[arg(long)]
    function: Option<String>,
    /// Text of the line or a part of it; the whole function where left out.
    #[arg(long)]
    code: Option<String>,
    /// Mail once this many were counted.
    #[arg(long)]
    min: Option<u64>,
    /// No mail once there were more than this many.
    #[arg(long)]
    max: Option<u64>,
    /// Mail at every multiple of this.
    #[arg(long)]
    every: Option<u64>,
    /// The last day on which this holds, as 2026-12-31.
    #[arg(long, value_parser = a_day)]
    until: Option<String>,
}

/// Runs the command.
///
/// # Errors
/// The database is out of reach, or the arguments name nothing.
pub async fn run(action: Action, config: Config, clock: Clock) -> Result<(), Failed> {
    let handles = Handles::open_existing(&config, &clock).await?;
    let (store, rules, now) = (&handles.store, handles.rules(), clock.now());
    match action {
        Action::Add(entry) => {
            let row = named(store, &entry.repository).await?;
            match rules.make(&rule_of(row.repository.id, entry), now).await? {
                Insertion::Made(id) => {
                    say!("Whitelisted, as number {id}. A running server heeds it within a second.")
                }
                Insertion::InForce(_) => say!("That is whitelisted already."),
                Insertion::TooMany => {
                    return Err(format!(
                        "{} has {MOST_MADE} entries that people made, the most that there may be. Nothing was added. `flawless known-error list {}` shows them, `remove` ends one",
                        row.repository.full_name, row.repository.full_name
                    )
                    .into());
                }
            }
        }
        Action::List { repository } => list(store, &named(store, &repository).await?).await?,
        Action::Remove { repository, number } => {
            let row = named(store, &repository).await?;
            if !rules.end(row.repository.id, RuleId(number), BY, now).await? {
                return Err(format!("{repository} has no entry number {number} in force").into());
            }
            say!("Ended.");
        }
    }
    handles.store.close().await;
    Ok(())
}

/// The rule that an entry asks for.
fn rule_of(repository: RepositoryId, entry: Entry) -> NewRule {
    NewRule {
        repository,
        rule: Rule::KnownError(KnownError {
            file: entry.file,
            function: entry.function,
            code: entry.code,
            min_alert_threshold: entry.min,
            max_alert_threshold: entry.max,
            alert_every_n_occurrences: entry.every,
            until: entry.until,
            ..KnownError::default()
        }),
        line: None,
        label: None,
        issue: None,
        origin: RuleSource::Terminal,
        commanded_at: None,
        by: BY.to_owned(),
    }
}

async fn list(store: &Store, row: &RepositoryRow) -> Result<(), Failed> {
    for rule in store::rules::in_force(store, row.repository.id).await? {
        let words = words(&rule.made.rule);
        say!("{}  {words}  from {}, {}", rule.made.id, made_by(&rule), when(rule.made_at));
    }
    for rule in Rule::of_file(&row.settings) {
        say!(".github/flawless.yml  {}", words(&rule));
    }
    Ok(())
}

fn made_by(rule: &RuleRow) -> String {
    match (rule.origin, &rule.label, rule.issue) {
        (RuleSource::Label, Some(label), Some(issue)) => format!("label {label} on #{issue} by {}", rule.by),
        (RuleSource::Label, ..) => format!("a label by {}", rule.by),
        (RuleSource::Page, ..) => format!("the form by {}", rule.by),
        (RuleSource::Mail, ..) => "the link in a mail".to_owned(),
        (RuleSource::Terminal, ..) => "a terminal".to_owned(),
    }
}

fn a_day(text: &str) -> Result<String, String> {
    Timestamp::from_date(text).map(|_| text.to_owned()).ok_or_else(|| "write a day as 2026-12-31".to_owned())
}

fn words(rule: &Rule) -> String {
    let CodePattern { file, function, code } = rule.pattern();
    let (what, thresholds) = match rule {
        Rule::KnownError(known) => ("known error", thresholds(known)),
        Rule::LibraryCode { .. } => ("library code", String::new()),
    };
    let mut out = format!("{what}: {file}");
    if let Some(function) = function {
        out.push_str(&format!(", {function}"));
    }
    if let Some(code) = code {
        out.push_str(&format!(", {code:?}"));
    }
    out.push_str(&thresholds);
    if let Some(day) = rule.until() {
        out.push_str(&format!(", until {day}"));
    }
    out
}

fn thresholds(known: &KnownError) -> String {
    let named = [
        ("min", known.min_alert_threshold),
        ("max", known.max_alert_threshold),
        ("every", known.alert_every_n_occurrences),
    ];
    named.iter().filter_map(|(name, value)| Some(format!(", {name} {}", (*value)?))).collect()
}
