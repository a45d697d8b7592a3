//! `flawless check`: does everything work? A line each, and what to do where something does not.

use super::Failed;
use crate::clock::Clock;
use crate::config::Config;
use crate::services::readiness::Clocks;
use crate::terminal::say;
use crate::wiring::Handles;
use domain::finding::{Finding, Level};
use std::process::ExitCode;
use store::Store;

/// Checks everything. Exit code 1 where something does not work.
///
/// # Errors
/// None beyond what the lines say.
pub async fn check(config: Config, clock: Clock) -> Result<ExitCode, Failed> {
    say(&Finding::fine("configuration", "every setting is understood"));
    let found = match Handles::open(&config).await {
        Ok((handles, _)) => {
            follow_the_database(&clock, &handles.store).await;
            let clocks = Clocks { now: clock.now(), machine: clock.machine() };
            let found = handles.doctor().examine(clocks).await;
            handles.store.close().await;
            found
        }
        Err(error) => {
            vec![Finding::failure("services", error.to_string(), "Nothing else can be looked at before that works.")]
        }
    };
    found.iter().for_each(say);
    let is_sound = found.iter().all(|finding| finding.level < Level::Failure);
    Ok(if is_sound { ExitCode::SUCCESS } else { ExitCode::FAILURE })
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
