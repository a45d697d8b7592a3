//! `flawless check`: does everything work? A line each, and what to do where something does not.

use super::{Failed, Scratch};
use crate::clock::Clock;
use crate::config::Config;
use crate::data_dir::NoData;
use crate::services::doctor::DATABASE;
use crate::services::readiness::Clocks;
use crate::terminal::say;
use crate::wiring::{Handles, find_data};
use domain::finding::{Finding, Level};
use std::process::ExitCode;
use store::Store;

/// Checks everything. Exit code 1 where something does not work.
///
/// # Errors
/// None beyond what the lines say.
pub async fn check(config: Config, clock: Clock) -> Result<ExitCode, Failed> {
    say(&Finding::fine("configuration", "every setting is understood"));
    if let Err(missing) = find_data(&config) {
        return Ok(without_data(config, &missing, &clock).await);
    }
    let found = examine(&config, &clock).await;
    found.iter().for_each(say);
    Ok(code(&found))
}

/// What can be looked at before a server has run: all but what it keeps. Nothing is made where it
/// would be, for this may be the wrong folder.
async fn without_data(config: Config, missing: &NoData, clock: &Clock) -> ExitCode {
    let todo = "All of this is made when the server is first started. If one was, this is not its folder.";
    say(&Finding::warning("data", missing.to_string(), todo));
    let scratch = Scratch::new("check");
    let (folder, place) = (config.data_dir.display().to_string(), scratch.path().display().to_string());
    let mut elsewhere = Config { data_dir: scratch.path().to_owned(), ..config };
    let is_file = store::database_file(&elsewhere.database_url).is_some();
    if is_file {
        elsewhere.database_url = format!("sqlite://{place}/flawless.db");
    }
    let mut found = examine(&elsewhere, clock).await;
    found.retain(|finding| !(is_file && finding.about == DATABASE));
    for finding in &mut found {
        finding.what = finding.what.replace(&place, &folder);
    }
    found.iter().for_each(say);
    code(&found)
}

async fn examine(config: &Config, clock: &Clock) -> Vec<Finding> {
    match Handles::open(config, clock).await {
        Ok((handles, _)) => {
            follow_the_database(clock, &handles.store).await;
            let clocks = Clocks { now: clock.now(), machine: clock.machine() };
            let found = handles.doctor().examine(clocks).await;
            handles.store.close().await;
            found
        }
        Err(error) => {
            vec![Finding::failure("services", error.to_string(), "Nothing else can be looked at before that works.")]
        }
    }
}

fn code(found: &[Finding]) -> ExitCode {
    let is_sound = found.iter().all(|finding| finding.level < Level::Failure);
    if is_sound { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// As the server does. A database that does not answer is what the doctor says.
async fn follow_the_database(clock: &Clock, store: &Store) {
    if let Ok(Some(theirs)) = store::clock::of_server(store).await {
        clock.follow(theirs);
    }
}

fn say(finding: &Finding) {
    say!("{:<5} {}: {}", finding.level.word(), finding.about, finding.what);
    if let Some(todo) = &finding.todo {
        say!("      → {todo}");
    }
}
