//! `flawless report`: a week's report for a terminal.

use super::Failed;
use crate::clock::Clock;
use crate::config::Config;
use crate::wiring::Handles;
use clap::Args;
use domain::names::RepositoryName;
use domain::timestamp::{Timestamp, WEEK};
use store::weekly::WeekQuery;

/// Which week.
#[derive(Debug, Args)]
pub struct Options {
    /// `this-week`, `last-week`, or a day of the week as YYYY-MM-DD.
    period: String,
    /// OWNER/NAME; all repositories where left out.
    #[arg(long)]
    repository: Option<RepositoryName>,
    /// Also known errors.
    #[arg(long)]
    known: bool,
}

/// Prints the report.
///
/// # Errors
/// The database is out of reach, or the arguments name nothing.
pub async fn run(options: Options, config: Config, clock: Clock) -> Result<(), Failed> {
    let now = clock.now();
    let week = match options.period.as_str() {
        "this-week" => now.week(),
        "last-week" => now.week() - WEEK,
        day => Timestamp::from_date(day)
            .ok_or_else(|| format!("{day:?} is no period; say this-week, last-week or a day as 2026-01-31"))?
            .week(),
    };
    let (handles, _) = Handles::open(&config).await?;
    let repository = match &options.repository {
        Some(name) => {
            let found = store::repositories::by_name(&handles.store, name).await?;
            Some(found.ok_or_else(|| format!("no repository called {name:?} is watched"))?.repository.id)
        }
        None => None,
    };
    let lines = store::weekly::lines(&handles.store, &WeekQuery { repository, week, known: options.known }).await?;
    if lines.is_empty() {
        println!("Nothing failed in that week.");
    }
    for found in lines {
        let place = &found.line.place;
        println!(
            "{:>8}  {}:{} in {}  {}  {}",
            found.count,
            place.path,
            place.line,
            place.function,
            found.line.exception,
            found.line.author_name.as_deref().unwrap_or("(nobody could be blamed)")
        );
    }
    handles.store.close().await;
    Ok(())
}
