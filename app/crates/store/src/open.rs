//! Opening a database: connected to once by itself, so that what is wrong is said in its own words
//! and at once.

use crate::Dialect;
use crate::connections::Opener;
use crate::dialect::{Named, named};
use crate::error::{StoreError, Trouble, code_of};
use crate::private::make_private_file;
use crate::size::INCREMENTAL;
use crate::whereabouts::Whereabouts;
use domain::url_text::{is_plain_parameter, without_secrets};
use sqlx::any::AnyConnectOptions;
use sqlx::{AnyConnection, Connection, Error, Row as _};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout_at};
use url::form_urlencoded;

/// How long a database that does not answer at the start is waited for: one that is started beside
/// this server takes about as long, and people do not want to wait longer for what is wrong.
const START_WITHIN: Duration = Duration::from_secs(4);
/// How often one that refuses is asked again meanwhile.
const ASK_AGAIN_AFTER: Duration = Duration::from_millis(250);

/// Opens it, and brings its tables up to date; what opens further connections, and where its
/// file is.
pub(crate) async fn open(url: &str) -> Result<(Opener, Option<Whereabouts>), StoreError> {
    sqlx::any::install_default_drivers();
    let database = named(url)?;
    let shown = without_secrets(url);
    // The file is made below, once: a connection that is opened after it was moved away must not
    // put an empty one there, in the way of who moves it back.
    let url = if database.file.is_some() { database.url.replace("mode=rwc", "mode=rw") } else { database.url.clone() };
    let options = AnyConnectOptions::from_str(&url)
        .map_err(|error| StoreError::Url { url: shown.clone(), why: without_values(&error.to_string(), &url) })?;
    if let Some(file) = &database.file {
        make_private_file(file).map_err(|error| refused_file(&shown, file, &error))?;
    }
    let opener = Opener::new(options, database.dialect);
    let explained = |error: Error| explain(&shown, &database, &error);
    let mut connection = first_connection(&opener).await.map_err(explained)?;
    sqlx::migrate!("../../../migrations").run(&mut connection).await?;
    if database.dialect == Dialect::Sqlite {
        make_shrinkable(&mut connection).await;
    }
    // It was for this only; what can't be closed in an orderly way ends all the same.
    let _ = connection.close().await;
    let whereabouts = |file: &PathBuf| Whereabouts::of(file).map_err(|error| refused_file(&shown, file, &error));
    let whereabouts = database.file.as_ref().map(whereabouts).transpose()?;
    Ok((opener, whereabouts))
}

/// A SQLite file of up to so many bytes is written anew where it was made by a version whose files
/// never became smaller: within a second. Of a larger one the doctor says so.
const WRITTEN_ANEW: i64 = 64 << 20;

/// Has SQLite's file written anew if it can't be made smaller step by step. Where that fails (no
/// room for a second one, or somebody else uses it) it stays as it is, and the next start tries.
async fn make_shrinkable(connection: &mut AnyConnection) {
    let mut numbers = Vec::new();
    for sql in ["PRAGMA auto_vacuum", "PRAGMA page_count", "PRAGMA page_size"] {
        let row = sqlx::query(sql).fetch_one(&mut *connection).await;
        let Some(number) = row.ok().and_then(|row| row.try_get::<i64, _>(0).ok()) else { return };
        numbers.push(number);
    }
    if numbers[0] != INCREMENTAL && numbers[1].saturating_mul(numbers[2]) <= WRITTEN_ANEW {
        let _ = sqlx::raw_sql("PRAGMA busy_timeout = 0; PRAGMA auto_vacuum = INCREMENTAL; VACUUM")
            .execute(&mut *connection)
            .await;
    }
}

/// What sqlx says of a URL, without the values of its parameters that it repeats.
fn without_values(said: &str, url: &str) -> String {
    let query = url.split_once('?').map_or("", |(_, query)| query);
    let pairs = form_urlencoded::parse(query.as_bytes());
    let secret = pairs.filter(|(name, value)| !value.is_empty() && !is_plain_parameter(name, value));
    secret.fold(said.to_owned(), |said, (_, value)| said.replace(&*value, "…"))
}

/// The first connection. A server that is just being started refuses for a moment.
async fn first_connection(opener: &Opener) -> Result<AnyConnection, Error> {
    let until = Instant::now() + START_WITHIN;
    let mut last = None;
    loop {
        match timeout_at(until, opener.open(opener.dialect().migration_session())).await {
            Ok(Err(error)) if is_starting(&error) && Instant::now() + ASK_AGAIN_AFTER < until => {
                last = Some(error);
                sleep(ASK_AGAIN_AFTER).await;
            }
            Ok(connected) => return connected,
            Err(_) => {
                let silent = || Error::Io(std::io::Error::new(ErrorKind::TimedOut, silence()));
                return Err(last.unwrap_or_else(silent));
            }
        }
    }
}

fn silence() -> String {
    format!("no answer within {} s", START_WITHIN.as_secs())
}

fn is_starting(error: &Error) -> bool {
    match error {
        Error::Io(error) => error.kind() == ErrorKind::ConnectionRefused,
        error => code_of(error).as_deref() == Some("57P03"),
    }
}

/// What to do about a file that is no database.
const NO_DATABASE: &str = "the file is damaged, or no database of SQLite's: put a backup in its place, save what can be \
                           read (sqlite3 FILE .recover), or take it away to begin anew";

/// Why a file can't be the database.
pub(crate) fn refused_file(shown: &str, file: &Path, error: &std::io::Error) -> StoreError {
    let todo = match error.kind() {
        ErrorKind::StorageFull => "free some space on its disk".to_owned(),
        ErrorKind::InvalidData => NO_DATABASE.to_owned(),
        ErrorKind::IsADirectory => "DATABASE_URL has to name a file, or one that is to be made".to_owned(),
        _ => "see that its folder exists, and that this user may write there".to_owned(),
    };
    StoreError::Open { database: shown.to_owned(), why: format!("{}: {error}", file.display()), todo }
}

/// What is wrong, and what to do.
fn explain(shown: &str, database: &Named, error: &Error) -> StoreError {
    let (code, trouble) = (code_of(error).unwrap_or_default(), Trouble::of_sql(error));
    let todo = match (database.dialect, code.as_str(), trouble) {
        (Dialect::Postgres, "28P01" | "28000", _) => "correct the user or the password in DATABASE_URL".to_owned(),
        (Dialect::Postgres, "3D000", _) => {
            "create it (`createdb NAME`), or correct the name at the end of DATABASE_URL".to_owned()
        }
        (Dialect::Postgres, "42501", _) => "give this user the right to it".to_owned(),
        (Dialect::Postgres, _, Some(Trouble::Busy)) => "it takes no more connections: see who holds them".to_owned(),
        (Dialect::Postgres, _, _) => {
            "see that PostgreSQL runs, and that DATABASE_URL names its host and port".to_owned()
        }
        (Dialect::Sqlite, _, Some(Trouble::Damaged)) => NO_DATABASE.to_owned(),
        (Dialect::Sqlite, _, Some(Trouble::Busy)) => "another program holds it: end that one first".to_owned(),
        (Dialect::Sqlite, _, Some(trouble)) => trouble.todo().to_owned(),
        (Dialect::Sqlite, _, None) => "see that DATABASE_URL names a file that this user may read and write".to_owned(),
    };
    StoreError::Open { database: shown.to_owned(), why: without_values(&plain(error), &database.url), todo }
}

/// The error without sqlx's own words around it.
fn plain(error: &Error) -> String {
    match error {
        Error::Database(error) => error.message().to_owned(),
        Error::Io(error) => error.to_string(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use crate::Store;
    use std::path::Path;
    use std::time::Duration;
    use tokio::time::{Instant, timeout};

    /// Why a database can't be opened, as it is said within five seconds.
    async fn refused(url: &str) -> String {
        let opened = timeout(Duration::from_secs(5), Store::open(url)).await.expect("it is said at once");
        opened.expect_err("it has to be refused").to_string()
    }

    fn url(file: &Path) -> String {
        format!("sqlite://{}", file.display())
    }

    #[tokio::test]
    async fn a_file_that_is_no_database_is_called_so_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.db");
        std::fs::write(&file, "no database, but text that is long enough to be one ".repeat(100)).unwrap();
        let said = refused(&url(&file)).await;
        assert!(said.contains("file is not a database") && said.contains("or take it away to begin anew"), "{said}");
    }

    #[tokio::test]
    async fn a_name_may_have_what_means_something_else_in_a_url() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}/a%25%3Fb%23%0A.db", folder.path().display());
        Store::open(&url).await.unwrap().close().await;
        let names: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["a%?b#\n.db"]);
    }

    #[tokio::test]
    async fn a_file_that_was_damaged_is_called_so_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.db");
        Store::open(&url(&file)).await.unwrap().close().await;
        let mut bytes = std::fs::read(&file).unwrap();
        bytes[4096..].fill(0xa5);
        std::fs::write(&file, bytes).unwrap();
        let said = refused(&url(&file)).await;
        assert!(said.contains("malformed") && said.contains("or take it away to begin anew"), "{said}");
    }

    #[tokio::test]
    async fn what_a_url_says_is_not_repeated() {
        let folder = tempfile::tempdir().unwrap();
        let file = url(&folder.path().join("a.db"));
        for url in [
            "postgres://ada:hunter2@127.0.0.1:9/f?sslmode=hunter%32",
            "postgres://ada:a#hunter2@127.0.0.1:9/f",
            &format!("{file}?mode=hunt%65r2"),
            &format!("{file}?key=hunter2"),
            "mysql://ada:hunter2@db/f",
        ] {
            let said = refused(url).await;
            assert!(!said.contains("hunter2"), "{url}: {said}");
        }
    }

    #[tokio::test]
    async fn a_folder_or_a_place_that_cannot_be_written_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let said = refused(&url(folder.path())).await;
        assert!(said.contains("has to name a file"), "{said}");
        let said = refused("sqlite:///proc/x/a.db").await;
        assert!(said.contains("/proc/x/a.db") && said.contains("this user may write there"), "{said}");
    }

    #[tokio::test]
    async fn a_server_that_refuses_or_says_nothing_is_waited_for_some_seconds() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (postgres, begun) = (format!("postgres://ada:secret@127.0.0.1:{port}/flawless"), Instant::now());
        // It takes connections, and never answers.
        let said = refused(&postgres).await;
        assert!(said.contains("no answer within 4 s") && said.contains("see that PostgreSQL runs"), "{said}");
        assert!(!said.contains("secret"), "{said}");
        assert!(begun.elapsed() > Duration::from_secs(3), "one that is being started beside is waited for");
        drop(listener);
        let begun = Instant::now();
        let said = refused(&postgres).await;
        assert!(begun.elapsed() > Duration::from_secs(3), "one that is not there yet, too");
        assert!(said.contains("refused") && said.contains("see that PostgreSQL runs"), "{said}");
    }
}
