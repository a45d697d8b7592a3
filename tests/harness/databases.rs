//! A database for each story, on the server that `FLAWLESS_TEST_DATABASE` names, or in a file.

use sqlx::postgres::PgConnection;
use sqlx::{Connection as _, Row as _};
use std::path::Path;
use store::Store;
use tokio::sync::OnceCell;

/// From this version on, PostgreSQL is told how to copy a database (`server_version_num`). Earlier
/// ones know one way, which is the same.
const TOLD_HOW_TO_COPY: i32 = 150_000;

/// The database that the others of this process are copies of, by its name.
static MIGRATED: OnceCell<String> = OnceCell::const_new();

/// A story's own: a SQLite file that is not there yet, or a new database with all tables on the
/// server that `FLAWLESS_TEST_DATABASE` names.
pub(super) async fn database(folder: &Path) -> String {
    let name = format!("story_{}", name_of(folder));
    match std::env::var("FLAWLESS_TEST_DATABASE") {
        Ok(server) => copied(&server, &name).await,
        Err(_) => format!("sqlite://{}", folder.join("flawless.db").display()),
    }
}

/// Another of the story's, empty, on the server that `FLAWLESS_TEST_DATABASE` names, if it names
/// one.
pub(super) async fn another_postgres(folder: &Path) -> Option<String> {
    let server = std::env::var("FLAWLESS_TEST_DATABASE").ok()?;
    Some(made(&server, &format!("another_{}", name_of(folder)), "").await)
}

fn name_of(folder: &Path) -> String {
    folder.file_name().unwrap().to_string_lossy().trim_start_matches('.').to_lowercase()
}

/// A copy of one that was migrated. To migrate takes PostgreSQL as long as all that most stories
/// then ask of it, and one that was is what each start but an installation's first finds.
async fn copied(server: &str, name: &str) -> String {
    let migrated = MIGRATED.get_or_init(async || {
        let url = made(server, "migrated", "").await;
        Store::open(&url).await.unwrap().close().await;
        url::Url::parse(&url).unwrap().path().trim_start_matches('/').to_owned()
    });
    let mut options = format!("TEMPLATE \"{}\"", migrated.await);
    let mut connection = PgConnection::connect(server).await.unwrap();
    let version = sqlx::query("SELECT current_setting('server_version_num')::int AS version");
    if version.fetch_one(&mut connection).await.unwrap().get::<i32, _>("version") >= TOLD_HOW_TO_COPY {
        // Page by page through the log takes half as long again.
        options.push_str(" STRATEGY FILE_COPY");
    }
    connection.close().await.unwrap();
    made(server, name, &options).await
}

/// Makes a database of this process's; its URL.
async fn made(server: &str, name: &str, options: &str) -> String {
    let name = format!("{name}_{}", std::process::id());
    let mut connection = PgConnection::connect(server).await.unwrap();
    let sql = format!("CREATE DATABASE \"{name}\" {options}");
    sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    let mut url = url::Url::parse(server).unwrap();
    url.set_path(&name);
    url.to_string()
}
