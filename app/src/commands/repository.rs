//! `flawless repository`: watching plain git repositories, without GitHub, and the keys of all.

use super::Failed;
use crate::clock::Clock;
use crate::config::Config;
use crate::services::repositories::Repositories;
use crate::services::{Site, ingest_keys, own_routes};
use crate::terminal::say;
use crate::wiring::Handles;
use clap::Subcommand;
use domain::ids::RepositoryId;
use domain::key_limits::{DefaultLimits, KeyLimits, read_budget, read_rate};
use domain::names::RepositoryName;
use domain::timestamp::Timestamp;
use domain::url_text::without_secrets;
use mirror::{Mirrors, Source};
use render::when;
use std::path::Path;
use store::Store;
use store::ingest_keys::KeyRow;
use store::repositories::{NewRepository, RepositoryRow};

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Action {
    /// Watch a repository by its git URL or path; prints its DSN.
    Add {
        /// https, ssh or file URL, or a path on this machine.
        url: String,
        /// OWNER/NAME to show it under; taken from the URL where left out.
        #[arg(long)]
        name: Option<RepositoryName>,
    },
    /// List the watched repositories and their DSNs.
    List,
    /// Stop watching a repository: its mirror and tracebacks are deleted, its counts stay.
    Remove {
        /// OWNER/NAME, as listed.
        name: RepositoryName,
        /// Delete its counts, rules and keys as well, also those of a repository that is not
        /// watched any more. Can't be undone.
        #[arg(long)]
        with_counts: bool,
    },
    /// List a repository's keys, also the revoked ones.
    Keys {
        /// OWNER/NAME, as listed.
        name: RepositoryName,
    },
    /// Make, limit or revoke a key, for any watched repository.
    Key {
        /// What to do with it.
        #[command(subcommand)]
        action: KeyAction,
    },
}

/// What to do with a key.
#[derive(Debug, Subcommand)]
pub enum KeyAction {
    /// Make a repository another key; prints its DSN.
    Add {
        /// OWNER/NAME, as listed.
        name: RepositoryName,
        /// What to call it, such as the application that will use it.
        #[arg(long)]
        label: Option<String>,
        /// The folder of the repository that the application is deployed from, where it has several
        /// such: the files of its reports are looked for there first.
        #[arg(long)]
        folder: Option<String>,
    },
    /// Set how much a key may bring, at the latest after a second; what is left out stays.
    Limit {
        /// The key, 32 digits, or the DSN that it stands in.
        key: String,
        /// Requests a minute; 0: no limit; default: as KEY_RATE says.
        #[arg(long)]
        rate: Option<String>,
        /// Kinds of errors never seen before at once; 0: no limit; default: as KEY_BUDGET says.
        #[arg(long)]
        budget: Option<String>,
    },
    /// Revoke a key for ever: reports with it are refused, at the latest after a second.
    Revoke {
        /// The key, 32 digits, or the DSN that it stands in.
        key: String,
    },
}

/// Runs the command.
///
/// # Errors
/// The database is out of reach, or the arguments name nothing.
pub async fn run(action: Action, config: Config, clock: Clock) -> Result<(), Failed> {
    let handles = match &action {
        // It may be the first thing that is done.
        Action::Add { .. } => Handles::open(&config, &clock).await?.0,
        _ => Handles::open_existing(&config, &clock).await?,
    };
    let (store, now) = (&handles.store, clock.now());
    match action {
        Action::Add { url, name } => add(store, &handles.site, &handles.repositories(), &url, name, now).await?,
        Action::List => list(store, &handles.site).await?,
        Action::Remove { name, with_counts } => {
            remove(store, &handles.repositories(), &name, with_counts, now).await?;
        }
        Action::Keys { name } => {
            for key in store::ingest_keys::of_repository(store, named(store, &name).await?.repository.id).await? {
                print_key(&handles.site, &key, config.key_limits);
            }
        }
        Action::Key { action: KeyAction::Add { name, label, folder } } => {
            let row = named(store, &name).await?;
            let key = ingest_keys::add(store, &row, label.as_deref(), folder.as_deref(), now).await?;
            say!("DSN: {}", handles.site.linker.dsn(&key, row.repository.id));
            if let Some(lack) = folder.as_deref().and_then(|folder| lack_of(&handles.mirrors, &row, folder)) {
                say!("{lack}");
            }
        }
        Action::Key { action: KeyAction::Limit { key, rate, budget } } => {
            limit(&handles, key_of(&key), config.key_limits, rate.as_deref(), budget.as_deref()).await?;
        }
        Action::Key { action: KeyAction::Revoke { key } } => {
            let key = key_of(&key);
            let Some(dropped) = ingest_keys::revoke(store, handles.epoch(), key, now).await? else {
                return Err(no_key(key));
            };
            say!("Revoked. A running server refuses it from now on, or within a second.");
            say!("{}", ingest_keys::dropped_words(&dropped));
        }
    }
    handles.store.close().await;
    Ok(())
}

async fn add(
    store: &Store,
    site: &Site,
    repositories: &Repositories,
    url: &str,
    name: Option<RepositoryName>,
    now: Timestamp,
) -> Result<(), Failed> {
    let clone_url = absolute(url)?;
    let source = Source { id: RepositoryId(0), url: clone_url.clone(), token: None };
    source
        .check()
        .map_err(|error| format!("{error}; name a folder with .git in it, a bare repository, or a git URL"))?;
    let full_name = match name {
        Some(name) => checked_name(name)?,
        None => name_of(&clone_url),
    };
    if let Some(fault) = own_routes::fault_of_name(&full_name) {
        return Err(fault.into());
    }
    let other = store::repositories::by_name(store, &full_name).await?.map(|row| row.repository.clone_url);
    if let Some(other) = other.filter(|other| *other != clone_url) {
        return Err(
            format!("{full_name} is watched already, from {}; choose another --name", without_secrets(&other)).into()
        );
    }
    let was = store::repositories::list(store).await?.into_iter().map(|row| row.repository);
    let was = was.filter(|one| one.github.is_none() && one.clone_url == clone_url && one.full_name != full_name);
    let was: Option<RepositoryName> = was.map(|one| one.full_name).next();
    let new = NewRepository { full_name: full_name.clone(), clone_url, github: None, public: false };
    let id = repositories.watch(&new, now).await?;
    // Somebody asks: what the last fetch was refused for may be mended.
    store::repositories::record_push(store, id, now, now).await?;
    match source.shortfall() {
        Some(lack) => say!("Watching {full_name}, which can't be cloned as it is: {lack}."),
        None => say!("Watching {full_name}. The server clones it now, or when it is started."),
    }
    if let Some(was) = was {
        say!("It was {was}; for another key: `flawless repository key add {full_name}`.");
    }
    let keys = store::ingest_keys::in_force(store, id).await?;
    for key in &keys {
        say!("DSN: {}", site.linker.dsn(key, id));
    }
    say!("How to connect an application: {}/{full_name}/connect", site.linker.base());
    if keys.is_empty() {
        say!("All its keys are revoked: `flawless repository key add {full_name}` makes one.");
    }
    Ok(())
}

async fn remove(
    store: &Store,
    repositories: &Repositories,
    name: &RepositoryName,
    with_counts: bool,
    now: Timestamp,
) -> Result<(), Failed> {
    let removed = if with_counts { store::repositories::removed_by_name(store, name).await? } else { None };
    let id = match (store::repositories::by_name(store, name).await?, removed) {
        (Some(row), _) => {
            repositories.unwatch(&row, now).await?;
            say!("Not watching {} any more.", row.repository.full_name);
            row.repository.id
        }
        (None, Some(id)) => id,
        (None, None) => named(store, name).await?.repository.id,
    };
    if with_counts {
        store::repositories::delete(store, id).await?;
        say!("Everything that was known of {name} is deleted.");
    }
    Ok(())
}

/// The watched repository of a name.
pub(super) async fn named(store: &Store, name: &RepositoryName) -> Result<RepositoryRow, Failed> {
    let found = store::repositories::by_name(store, name).await?;
    // A URL may have got into its place.
    let name = without_secrets(name.as_str());
    Ok(found
        .ok_or_else(|| format!("no repository called {name:?} is watched; `flawless repository list` shows them"))?)
}

/// Why a key's folder covers nothing now, where that is so. What can't be read says nothing.
fn lack_of(mirrors: &Mirrors, row: &RepositoryRow, folder: &str) -> Option<String> {
    let folder = ingest_keys::checked_folder(folder).ok()??;
    let id = row.repository.id;
    let head = mirrors.exists(id).then(|| mirrors.head(id)).transpose().ok()??;
    let files = mirrors.files(id, &head?.commit).ok()?;
    let branch = row.repository.default_branch.as_deref().unwrap_or("the default branch");
    let is_below = |path: &String| path.strip_prefix(&folder).is_some_and(|rest| rest.starts_with('/'));
    if files.contains(&folder) {
        return Some(format!(
            "{folder} is a file in {branch}, not a folder; the key is made, and holds once it is one."
        ));
    }
    (!files.iter().any(is_below))
        .then(|| format!("There is no folder {folder} in {branch} yet; the key is made, and holds once there is."))
}

/// Sets what is said of a key's limits, and says what holds.
async fn limit(
    handles: &Handles,
    key: &str,
    defaults: DefaultLimits,
    rate: Option<&str>,
    budget: Option<&str>,
) -> Result<(), Failed> {
    let (store, epoch) = (&handles.store, handles.epoch());
    let before = store::ingest_keys::limits_of_key(store, key).await?.ok_or_else(|| no_key(key))?;
    let limits = KeyLimits {
        rate: rate.map(read_rate).transpose()?.unwrap_or(before.rate),
        budget: budget.map(read_budget).transpose()?.unwrap_or(before.budget),
    };
    if !ingest_keys::limit(store, epoch, key, limits).await? {
        return Err("the key is revoked: nothing gets in by it".into());
    }
    say!("It may bring {}.", ingest_keys::limits_words(limits, defaults));
    say!("A running server goes by it from now on, or within a second.");
    Ok(())
}

fn no_key(key: &str) -> Failed {
    format!("there is no key {:?}; `flawless repository keys NAME` shows them", without_secrets(key)).into()
}

fn print_key(site: &Site, key: &KeyRow, defaults: DefaultLimits) {
    let used = key.last_used_at.map_or_else(|| "not used yet".to_owned(), |at| format!("last used {}", when(at)));
    let state = key.revoked_at.map_or(used, |at| format!("revoked {}", when(at)));
    let label = key.label.as_ref().map(|label| format!(" {label:?}")).unwrap_or_default();
    let folder = key.folder.as_ref().map(|folder| format!(" for {folder}/")).unwrap_or_default();
    say!("{}{label}{folder}  (made {}; {state})", key.key, when(key.created_at));
    if key.revoked_at.is_none() {
        say!("  DSN: {}", site.linker.dsn(&key.key, key.repository));
        say!("  may bring {}", ingest_keys::limits_words(key.limits, defaults));
    }
}

/// The key of a DSN, or what is one already.
fn key_of(text: &str) -> &str {
    let after_scheme = text.split_once("://").map_or(text, |(_, rest)| rest);
    let account = after_scheme.split_once('@').map_or(after_scheme, |(account, _)| account);
    // Old DSNs have a secret behind the key.
    account.split(':').next().unwrap_or_default().trim()
}

async fn list(store: &Store, site: &Site) -> Result<(), Failed> {
    let rows = store::repositories::list(store).await?;
    if rows.is_empty() {
        say!("No repository is watched yet: `flawless repository add URL`, or install the GitHub App on one.");
    }
    for row in rows {
        let state = match (&row.fetch_error, &row.repository.head) {
            (Some(error), _) => format!("not fetched: {error}"),
            (None, Some(head)) => format!("at {}", head.short()),
            (None, None) => "not cloned yet".to_owned(),
        };
        say!("{}  ({}; {state})", row.repository.full_name, without_secrets(&row.repository.clone_url));
        for key in store::ingest_keys::in_force(store, row.repository.id).await? {
            say!("  DSN: {}", site.linker.dsn(&key, row.repository.id));
        }
    }
    Ok(())
}

/// A path is made absolute, because the server may run elsewhere.
fn absolute(url: &str) -> Result<String, Failed> {
    if url.contains("://") || (url.contains('@') && url.contains(':')) {
        return Ok(url.trim_end_matches('/').to_owned());
    }
    let path = Path::new(url).canonicalize().map_err(|error| format!("{}: {error}", without_secrets(url)))?;
    Ok(path.display().to_string())
}

/// OWNER/NAME from the last two parts of a URL.
fn name_of(url: &str) -> RepositoryName {
    let path = path_of(url);
    let cleaned = path.trim_end_matches('/').trim_end_matches(".git").trim_end_matches("/.git");
    let mut parts = cleaned.rsplit(['/', ':', '\\']).filter(|part| !part.is_empty());
    let name = parts.next().unwrap_or("repository");
    let owner = parts.next().unwrap_or("local");
    RepositoryName::new(format!("{}/{}", plain(owner), plain(name)))
}

/// What of a URL names the repository: neither its account nor its query, where tokens may be.
fn path_of(url: &str) -> &str {
    // Of a path any character is a part.
    let Some((_, rest)) = url.split_once("://") else { return url };
    let rest = rest.split(['?', '#']).next().unwrap_or_default();
    let authority = rest.split('/').next().unwrap_or_default();
    &rest[authority.rfind('@').map_or(0, |at| at + 1)..]
}

fn plain(part: &str) -> String {
    part.chars().map(|c| if c.is_alphanumeric() || matches!(c, '-' | '_' | '.') { c } else { '-' }).collect()
}

fn checked_name(name: RepositoryName) -> Result<RepositoryName, Failed> {
    match name.as_str().split_once('/') {
        Some((owner, rest))
            if plain(owner) == owner && plain(rest) == rest && !owner.is_empty() && !rest.is_empty() =>
        {
            Ok(name)
        }
        _ => Err(format!(
            "--name is {:?}: it has to be OWNER/NAME, of letters, digits, -, _ and .",
            without_secrets(name.as_str())
        )
        .into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_from_urls_and_paths() {
        assert_eq!(name_of("https://git.example.com/acme/shop.git"), "acme/shop");
        assert_eq!(name_of("https://git.example.com/acme/shop.git?token=secret#x"), "acme/shop");
        assert_eq!(name_of("git@example.com:acme/shop.git"), "acme/shop");
        assert_eq!(name_of("https://secret@git.example.com/shop.git"), "git.example.com/shop");
        assert_eq!(name_of("https://ada:secret@git.example.com"), "local/git.example.com");
        assert_eq!(name_of("https://ada:se@cret@git.example.com/a@b"), "git.example.com/a-b");
        assert_eq!(name_of("/srv/git/shop"), "git/shop");
        assert_eq!(name_of("/srv/my repos/shop/.git"), "my-repos/shop");
        assert!(checked_name("shop".into()).is_err());
        assert!(checked_name("a/b/c".into()).is_err());
    }

    #[test]
    fn a_key_is_taken_bare_or_out_of_its_dsn() {
        assert_eq!(key_of("ab12"), "ab12");
        assert_eq!(key_of("https://ab12@x.example/errors/7"), "ab12");
        assert_eq!(key_of("https://ab12:cd34@x.example/7"), "ab12");
    }
}
