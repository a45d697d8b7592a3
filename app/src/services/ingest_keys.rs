//! Making, limiting and revoking a repository's keys, which the page and the terminal both do.

use super::{Epoch, Failure};
use domain::counted::counted;
use domain::key_limits::{DefaultLimits, KeyLimits};
use domain::timestamp::Timestamp;
use render::{thousands, when};
use store::ingest_keys::{Dropped, MOST_KEYS, Over, Refused};
use store::repositories::RepositoryRow;
use store::{Store, StoreError};

/// Bytes of a key's folder: as long as a path that git has.
const LONGEST_FOLDER: usize = 1_000;

/// Makes a repository another key, for all of it or for a folder, and returns it.
///
/// # Errors
/// The database is out of reach, or there are too many keys already.
pub async fn add(
    store: &Store,
    row: &RepositoryRow,
    label: Option<&str>,
    folder: Option<&str>,
    now: Timestamp,
) -> Result<String, Failure> {
    let folder = folder.map(checked_folder).transpose().map_err(Failure::give_up)?.flatten();
    let made = store::ingest_keys::insert(store, row.repository.id, label, folder.as_deref(), now).await?;
    let key = made.ok_or_else(|| {
        Failure::give_up(format!("{MOST_KEYS} keys are in force already: revoke one that nobody uses"))
    })?;
    tracing::info!(repository = %row.repository.full_name, "made a key");
    Ok(key)
}

/// A folder as paths of the repository name it; `None`: it is the whole repository.
///
/// # Errors
/// It can be none, in a sentence.
pub fn checked_folder(folder: &str) -> Result<Option<String>, String> {
    let folder = folder.trim().trim_start_matches("./").trim_matches('/');
    if matches!(folder, "" | ".") {
        return Ok(None);
    }
    let is_path = folder.len() <= LONGEST_FOLDER
        && !folder.chars().any(char::is_control)
        && folder.split('/').all(|part| !matches!(part, "" | "." | ".."));
    if is_path { Ok(Some(folder.to_owned())) } else { Err(format!("{folder:?} is no folder of the repository")) }
}

/// Revokes a key: in force at once in this process, and within a second in others. What came by it
/// alone and waits is dropped. `None`: there is no such key.
///
/// # Errors
/// The database is out of reach.
pub async fn revoke(store: &Store, epoch: &Epoch, key: &str, now: Timestamp) -> Result<Option<Dropped>, StoreError> {
    let Some((repository, id)) = store::ingest_keys::revoke(store, key, now).await? else { return Ok(None) };
    // First of all nothing more is let in.
    epoch.turn();
    let dropped = store::ingest_keys::drop_queued(store, repository, id, now).await?;
    tracing::info!(project = repository.0, reports = dropped.reports, lines = dropped.lines, "revoked a key");
    Ok(Some(dropped))
}

/// Sets how much a key may bring: in force at once in this process, and within a second in others.
/// `false`: there is no such key in force.
///
/// # Errors
/// The database is out of reach.
pub async fn limit(store: &Store, epoch: &Epoch, key: &str, limits: KeyLimits) -> Result<bool, StoreError> {
    let Some(repository) = store::ingest_keys::set_limits(store, key, limits).await? else { return Ok(false) };
    epoch.turn();
    tracing::info!(project = repository.0, rate = limits.rate, budget = limits.budget, "set the limits of a key");
    Ok(true)
}

/// How much a key may bring, in words.
pub fn limits_words(own: KeyLimits, defaults: DefaultLimits) -> String {
    let DefaultLimits { rate, budget } = own.or(defaults);
    let rate = match rate {
        0 => "any number of requests a minute".to_owned(),
        most => format!("{} a minute", counted(thousands(u64::from(most)), "request", "requests")),
    };
    let budget = match budget {
        0 => "any number of new kinds of errors".to_owned(),
        most => format!("{} at once", counted(thousands(u64::from(most)), "new kind of error", "new kinds of errors")),
    };
    let whose = if own == KeyLimits::default() { ", as the server's configuration says" } else { "" };
    format!("{rate}, {budget}{whose}")
}

/// What was refused of a key lately because it brought too much, in a sentence.
pub fn refused_words(over: Over, refused: &Refused) -> String {
    let Refused { count, first_at, last_at } = refused;
    let why = match over {
        Over::Rate => "it sent more requests a minute than it may",
        Over::Budget => "it brought more kinds of errors that were never seen before than it may",
    };
    let times = if first_at == last_at {
        format!("at {}", when(*last_at))
    } else {
        format!("since {}, the last at {}", when(*first_at), when(*last_at))
    };
    format!("{} in the last 24 hours, because {why}: {times}", counted(thousands(*count), "request", "requests"))
}

/// What was dropped with a key, in a sentence.
pub fn dropped_words(dropped: &Dropped) -> String {
    let Dropped { reports, occurrences, lines } = dropped;
    if *reports == 0 && *lines == 0 {
        return "Nothing that came by it alone was waiting.".to_owned();
    }
    let waiting = counted(thousands(*reports), "report that waited", "reports that waited");
    let alerts = format!("what was to be told of {}", counted(thousands(*lines), "line", "lines"));
    let times = if *reports == 0 {
        String::new()
    } else {
        format!(" ({})", counted(thousands(*occurrences), "occurrence", "occurrences"))
    };
    format!("Dropped, because it came by this key alone: {waiting}{times}, and {alerts}.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::SignedDuration;

    #[test]
    fn a_folder_is_named_as_in_the_repository() {
        let ok = |folder: &str| checked_folder(folder).unwrap();
        assert_eq!(ok(" shop/billing/ ").as_deref(), Some("shop/billing"));
        assert_eq!(ok("./shop").as_deref(), Some("shop"));
        assert_eq!(ok("/shop").as_deref(), Some("shop"));
        assert_eq!((ok(""), ok("/"), ok(".")), (None, None, None));
        for bad in ["../shop", "a//b", "a/../b", "a\nb", &"x".repeat(1_001)] {
            assert!(checked_folder(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn limits_and_what_they_refused_are_said_in_words() {
        let all = DefaultLimits { rate: 60_000, budget: 1 };
        let words = |rate, budget| limits_words(KeyLimits { rate, budget }, all);
        assert_eq!(
            words(None, None),
            "60,000 requests a minute, 1 new kind of error at once, as the server's configuration says"
        );
        assert_eq!(words(Some(1), None), "1 request a minute, 1 new kind of error at once");
        assert_eq!(words(Some(0), Some(0)), "any number of requests a minute, any number of new kinds of errors");
        let at = Timestamp::from_seconds(1_795_347_060);
        let once = Refused { count: 1, first_at: at, last_at: at };
        let said = refused_words(Over::Rate, &once);
        assert!(
            said.ends_with("because it sent more requests a minute than it may: at 2026-11-22 11:31 UTC"),
            "{said}"
        );
        let often = Refused { count: 1_204, last_at: at + SignedDuration::from_mins(5), ..once };
        let said = refused_words(Over::Budget, &often);
        assert!(said.starts_with("1,204 requests in the last 24 hours, because it brought more kinds"), "{said}");
        assert!(said.ends_with("since 2026-11-22 11:31 UTC, the last at 2026-11-22 11:36 UTC"), "{said}");
    }

    #[test]
    fn what_was_dropped_is_said_in_the_right_number() {
        let said = dropped_words(&Dropped { reports: 1, occurrences: 1, lines: 1 });
        assert!(said.ends_with("1 report that waited (1 occurrence), and what was to be told of 1 line."), "{said}");
        let said = dropped_words(&Dropped { reports: 2, occurrences: 1_001, lines: 0 });
        assert!(
            said.ends_with("2 reports that waited (1,001 occurrences), and what was to be told of 0 lines."),
            "{said}"
        );
    }
}
