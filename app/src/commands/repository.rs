//! `app repository`: watching plain git repositories, without GitHub.

use super::Failed;
use crate::clock::Clock;
use crate::config::Config;
use crate::pipeline::Rooms;
use crate::serve::open_rooms;
use crate::store::repositories::NewRepository;
use clap::Subcommand;
use std::path::Path;

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Action {
    /// Watch a repository by its git URL or path; prints its DSN.
    Add {
        /// https, ssh or file URL, or a path on this machine.
        url: String,
        /// OWNER/NAME to show it under; taken from the URL where left out.
        #[arg(long)]
        name: Option<String>,
    },
    /// List the watched repositories and their DSNs.
    List,
    /// Stop watching a repository: its mirror and tracebacks are deleted, its counts stay.
    Remove {
        /// OWNER/NAME, as listed.
        name: String,
    },
}

/// Runs the command.
///
/// # Errors
/// The database is out of reach, or the arguments name nothing.
pub async fn run(action: Action, config: Config, clock: Clock) -> Result<(), Failed> {
    let (rooms, _) = open_rooms(&config).await?;
    match action {
        Action::Add { url, name } => {
            let clone_url = absolute(&url)?;
            let full_name = match name {
                Some(name) => checked_name(&name)?,
                None => name_of(&clone_url),
            };
            if let Some(other) = rooms.store.repository_named(&full_name).await?
                && other.repository.clone_url != clone_url
            {
                return Err(format!(
                    "{full_name} is watched already, from {}; choose another --name",
                    other.repository.clone_url
                )
                .into());
            }
            let new = NewRepository { full_name: full_name.clone(), clone_url, forge: None, public: false };
            let id = rooms.watch(&new, clock.now_ms()).await?;
            println!("Watching {full_name}. The server clones it now, or when it is started.");
            for key in rooms.store.keys(id).await? {
                println!("DSN: {}", dsn(rooms.linker.base(), &key, id.0));
            }
        }
        Action::List => list(&rooms).await?,
        Action::Remove { name } => {
            let row =
                rooms.store.repository_named(&name).await?.ok_or_else(|| {
                    format!("no repository called {name:?} is watched; `app repository list` shows them")
                })?;
            rooms.unwatch(&row, clock.now_ms()).await?;
            println!("Not watching {} any more.", row.repository.full_name);
        }
    }
    rooms.store.close().await;
    Ok(())
}

async fn list(rooms: &Rooms) -> Result<(), Failed> {
    let rows = rooms.store.repositories().await?;
    if rows.is_empty() {
        println!("No repository is watched yet: `app repository add URL`, or install the GitHub App on one.");
    }
    for row in rows {
        let state = match (&row.fetch_error, &row.repository.head) {
            (Some(error), _) => format!("not fetched: {error}"),
            (None, Some(head)) => format!("at {}", crate::domain::attribution::short(head)),
            (None, None) => "not cloned yet".to_owned(),
        };
        println!("{}  ({}; {state})", row.repository.full_name, without_credentials(&row.repository.clone_url));
        for key in rooms.store.keys(row.repository.id).await? {
            println!("  DSN: {}", dsn(rooms.linker.base(), &key, row.repository.id.0));
        }
    }
    Ok(())
}

/// `http(s)://KEY@HOST[/PREFIX]/PROJECT`.
pub fn dsn(base: &str, key: &str, project: i64) -> String {
    match base.split_once("://") {
        Some((scheme, rest)) => format!("{scheme}://{key}@{rest}/{project}"),
        None => format!("{key}@{base}/{project}"),
    }
}

/// A clone URL without the account that it may hold.
fn without_credentials(url: &str) -> String {
    match url::Url::parse(url) {
        Ok(mut url) if url.password().is_some() => {
            // Both fail only for URLs that can't have an account, which this one has.
            let _ = url.set_password(None);
            let _ = url.set_username("");
            url.to_string()
        }
        _ => url.to_owned(),
    }
}

/// A path is made absolute, because the server may run elsewhere.
fn absolute(url: &str) -> Result<String, Failed> {
    if url.contains("://") || (url.contains('@') && url.contains(':')) {
        return Ok(url.trim_end_matches('/').to_owned());
    }
    let path = Path::new(url).canonicalize().map_err(|error| format!("{url}: {error}"))?;
    Ok(path.display().to_string())
}

/// OWNER/NAME from the last two parts of a URL.
fn name_of(url: &str) -> String {
    let cleaned = url.trim_end_matches('/').trim_end_matches(".git").trim_end_matches("/.git");
    let mut parts = cleaned.rsplit(['/', ':', '\\']).filter(|part| !part.is_empty());
    let name = parts.next().unwrap_or("repository");
    let owner = parts.next().unwrap_or("local");
    format!("{}/{}", plain(owner), plain(name))
}

fn plain(part: &str) -> String {
    part.chars().map(|c| if c.is_alphanumeric() || matches!(c, '-' | '_' | '.') { c } else { '-' }).collect()
}

fn checked_name(name: &str) -> Result<String, Failed> {
    match name.split_once('/') {
        Some((owner, rest))
            if plain(owner) == owner && plain(rest) == rest && !owner.is_empty() && !rest.is_empty() =>
        {
            Ok(name.to_owned())
        }
        _ => Err(format!("--name is {name:?}: it has to be OWNER/NAME, of letters, digits, -, _ and .").into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_from_urls_and_paths() {
        assert_eq!(name_of("https://git.example.com/acme/shop.git"), "acme/shop");
        assert_eq!(name_of("git@example.com:acme/shop.git"), "acme/shop");
        assert_eq!(name_of("/srv/git/shop"), "git/shop");
        assert_eq!(name_of("/srv/my repos/shop/.git"), "my-repos/shop");
        assert_eq!(
            without_credentials("https://ada:secret@git.example.com/a/b.git"),
            "https://git.example.com/a/b.git"
        );
        assert_eq!(without_credentials("git@example.com:a/b.git"), "git@example.com:a/b.git");
        assert!(checked_name("shop").is_err());
        assert!(checked_name("a/b/c").is_err());
    }

    #[test]
    fn a_dsn_has_the_form_that_sdks_insist_on() {
        assert_eq!(dsn("https://x.example/errors", "ab", 7), "https://ab@x.example/errors/7");
    }
}
