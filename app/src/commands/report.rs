//! `flawless report`: a week's report for a terminal.

use super::Failed;
use super::repository::named;
use crate::clock::Clock;
use crate::config::Config;
use crate::services::kept::gone_of_week;
use crate::terminal::say;
use crate::wiring::Handles;
use clap::Args;
use domain::decision::Terms;
use domain::names::RepositoryName;
use domain::report::within;
use domain::timestamp::{Timestamp, WEEK};
use std::collections::HashMap;
use store::weekly::{LineInWeek, WeekQuery};

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
    /// Also lines that were last changed before the repository's minimum date.
    #[arg(long)]
    old: bool,
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
    let handles = Handles::open_existing(&config, &clock).await?;
    let repository = match &options.repository {
        Some(name) => Some(named(&handles.store, name).await?.repository.id),
        None => None,
    };
    handles.counts.bring_up_to_date(now).await?;
    let wanted = WeekQuery { repository, week, known: options.known };
    let lines = store::weekly::lines(&handles.store, &wanted).await?;
    let all = store::weekly::count_lines(&handles.store, &wanted).await?;
    let rows = store::repositories::list(&handles.store).await?;
    let terms: HashMap<i64, Terms> = rows.iter().map(|row| (row.repository.id.0, Terms::of(&row.settings))).collect();
    let is_old = |found: &LineInWeek| {
        terms.get(&found.line.repository.0).is_some_and(|terms| terms.is_too_old(found.line.written_at))
    };
    let (old, shown): (Vec<_>, Vec<_>) = lines.iter().partition(|found| !options.old && is_old(found));
    for found in &shown {
        let place = &found.line.place;
        say!(
            "{:>8}  {}:{}{}  {}  {}",
            found.count,
            place.path,
            place.line,
            within(&place.function),
            found.line.exception,
            found.line.whose().as_deref().unwrap_or("(nobody known)")
        );
    }
    if shown.is_empty() {
        let known = if options.known { "" } else { ", known errors aside (--known)" };
        say!("Nothing failed in that week{known}.");
    }
    if !old.is_empty() {
        say!("Left out, as last changed before the minimum date (--old shows them): {}", old.len());
    }
    let more = all.saturating_sub(lines.len() as u64);
    if more > 0 {
        say!("Left out, with fewer errors: {more}");
    }
    let of: Vec<_> = rows.iter().filter(|row| repository.is_none_or(|id| row.repository.id == id)).collect();
    for sentence in gone_of_week(&handles.store, handles.kept, &of, week, now).await? {
        say!("{sentence}");
    }
    handles.store.close().await;
    Ok(())
}
