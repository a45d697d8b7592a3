//! `flawless move-to`: an installation on SQLite goes on with PostgreSQL.

use super::Failed;
use crate::clock::Clock;
use crate::config::Config;
use crate::terminal::say;
use crate::wiring::find_data;
use clap::Args;
use domain::url_text::without_secrets;
use store::Store;

/// Where to.
#[derive(Debug, Args)]
pub struct Options {
    /// An empty database, as postgres://user:password@host/name; special characters
    /// percent-encoded.
    #[arg(required_unless_present = "take_back")]
    database: Option<String>,
    /// Let a server go on with the file that was moved, as it was then. What happened in the other
    /// database since then is not in it.
    #[arg(long, conflicts_with = "database")]
    take_back: bool,
}

/// Moves all that the file holds, which a server must not be at work on.
///
/// # Errors
/// Why it can't be moved; nothing was moved then.
pub async fn run(options: Options, config: Config, clock: Clock) -> Result<(), Failed> {
    find_data(&config)?;
    let Some(to) = options.database.filter(|_| !options.take_back) else {
        let store = Store::open(&config.database_url).await?;
        match store::moving::take_back(&store).await? {
            true => say!("A server goes on with this file when it is started, as it was when it was moved."),
            false => say!("It was not moved: a server goes on with this file in any case."),
        }
        store.close().await;
        return Ok(());
    };
    let mut rows = 0;
    store::moving::move_all(&config.database_url, &to, clock.now(), |table| {
        rows += table.rows;
        if table.rows > 0 {
            say!("{:>10}  {}", table.rows, table.name);
        }
    })
    .await?;
    say!("{rows:>10}  rows in all are in {} now, compared table by table.", without_secrets(&to));
    say!("Set DATABASE_URL to it in flawless.toml or in the environment, and start the server. Its data directory");
    say!("({}) stays: the mirrors, the outbox and the key of secrets are there.", config.data_dir.display());
    say!("The file is left as it was; a server refuses to start on it. `flawless move-to --take-back` undoes that.");
    Ok(())
}
