//! Moving all that a SQLite file holds into an empty PostgreSQL: whole, or not at all.

use crate::columns::{get, get_count};
use crate::dialect::named;
use crate::open::open;
use crate::transaction::execute;
use crate::{Dialect, ServerLock, Store, StoreError};
use domain::timestamp::Timestamp;
use domain::url_text::without_secrets;
use sqlx::any::{AnyArguments, AnyRow};
use sqlx::query::Query;
use sqlx::{Any, AnyConnection, AssertSqlSafe, Connection as _};

/// Rows of one statement: PostgreSQL takes 65,535 parameters, the widest table has some sixty
/// columns, and a report may have 300 KiB.
const ROWS: usize = 100;
/// The fact that a file was moved, and where to.
const MOVED: &str = "moved_to";
/// What must come to the same in both, beside the number of rows.
const SUMS: [&str; 2] = [
    "SELECT CAST(COALESCE(SUM(total), 0) AS BIGINT) AS n FROM lines",
    "SELECT CAST(COALESCE(SUM(occurrences), 0) AS BIGINT) AS n FROM line_hours",
];

/// A table, and how many rows of it were moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MovedTable {
    /// Its name.
    pub name: String,
    /// Its rows.
    pub rows: u64,
}

/// A table as it is to be copied.
struct Table {
    name: String,
    columns: Vec<(String, Type)>,
}

/// What a column holds, as the migrations write it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Type {
    Number,
    Text,
    Bytes,
}

/// Moves everything from one database to another; tells of each table as it is done. The file stays
/// as it is, with a note that keeps a server from going on with it.
///
/// # Errors
/// A server works on the file; the source is no file or was moved before; the target is no
/// PostgreSQL or not empty; either is out of reach. Nothing was moved then.
pub async fn move_all(
    from: &str,
    to: &str,
    now: Timestamp,
    mut done: impl FnMut(&MovedTable),
) -> Result<(), StoreError> {
    if named(from)?.file.is_none() {
        return Err(unmovable("only a SQLite file can be moved, and DATABASE_URL names none"));
    }
    if named(to)?.dialect != Dialect::Postgres {
        return Err(unmovable("a file is moved to a PostgreSQL: name one as postgres://user:password@host/name"));
    }
    let _lock = ServerLock::take(from)?;
    let (source, _) = open(from).await?;
    let (target, _) = open(to).await?;
    let mut source = source.open(source.dialect().migration_session()).await?;
    let mut target = target.open(target.dialect().migration_session()).await?;
    // Commands of the terminal, which need no lock, wait from here on.
    run(&mut source, "BEGIN IMMEDIATE").await?;
    if let Some(where_to) = moved_to(&mut source).await? {
        return Err(StoreError::MovedAway { to: where_to });
    }
    run(&mut target, "BEGIN").await?;
    let tables = tables(&mut source).await?;
    for table in &tables {
        if count(&mut target, &table.name).await? > 0 {
            return Err(unmovable(&format!(
                "{} holds something already (in its table {}): name an empty database",
                without_secrets(to),
                table.name
            )));
        }
    }
    for table in &tables {
        let rows = copy(&mut source, &mut target, table).await?;
        done(&MovedTable { name: table.name.clone(), rows });
    }
    // Nobody works there yet, so what ran when the last server ended is free.
    run(
        &mut target,
        "UPDATE jobs SET locked_until_ms = 0, holder = NULL, deaths = deaths + 1 WHERE holder IS NOT NULL",
    )
    .await?;
    compare(&mut source, &mut target, &tables).await?;
    // Where even this can't be written, nothing was moved.
    sqlx::query("INSERT INTO meta (name, value) VALUES ($1, $2)")
        .bind(MOVED)
        .bind(format!("{} on {}", without_secrets(to), now.date()))
        .execute(&mut source)
        .await?;
    run(&mut target, "COMMIT").await?;
    run(&mut source, "COMMIT").await?;
    // What can't be closed in an orderly way ends with the process.
    let _ = source.close().await;
    let _ = target.close().await;
    Ok(())
}

/// Fails where what this database holds was moved elsewhere: two servers that go on from the same
/// state would tell everything twice.
///
/// # Errors
/// It was, or the database is out of reach.
pub async fn refuse_if_moved(store: &Store) -> Result<(), StoreError> {
    match crate::meta::by_name(store, MOVED).await? {
        Some(to) => Err(StoreError::MovedAway { to }),
        None => Ok(()),
    }
}

/// Lets a server go on with a file that was moved; `false` where it was not.
///
/// # Errors
/// The database is out of reach.
pub async fn take_back(store: &Store) -> Result<bool, StoreError> {
    let was_moved = crate::meta::by_name(store, MOVED).await?.is_some();
    execute(store, sqlx::query("DELETE FROM meta WHERE name = $1").bind(MOVED)).await?;
    Ok(was_moved)
}

fn unmovable(why: &str) -> StoreError {
    StoreError::Unmovable { why: why.to_owned() }
}

async fn run(connection: &mut AnyConnection, sql: &'static str) -> Result<(), StoreError> {
    sqlx::raw_sql(sql).execute(connection).await?;
    Ok(())
}

async fn moved_to(source: &mut AnyConnection) -> Result<Option<String>, StoreError> {
    let row = sqlx::query("SELECT value FROM meta WHERE name = $1").bind(MOVED).fetch_optional(source).await?;
    row.as_ref().map(|row| get(row, "value")).transpose()
}

/// All tables, in the order in which they were made: none refers to a later one.
async fn tables(source: &mut AnyConnection) -> Result<Vec<Table>, StoreError> {
    let sql = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
         AND name NOT LIKE '\\_sqlx\\_%' ESCAPE '\\' ORDER BY rowid";
    let mut tables = Vec::new();
    for row in sqlx::query(sql).fetch_all(&mut *source).await? {
        let name: String = get(&row, "name")?;
        let rows = sqlx::query("SELECT name, type FROM pragma_table_info($1) ORDER BY cid").bind(&name);
        let mut columns = Vec::new();
        for column in rows.fetch_all(&mut *source).await? {
            let kind = match get::<String>(&column, "type")?.as_str() {
                "BIGINT" => Type::Number,
                "TEXT" => Type::Text,
                "BYTEA" => Type::Bytes,
                other => return Err(StoreError::content("a table", format!("nothing is known of the type {other}"))),
            };
            columns.push((get(&column, "name")?, kind));
        }
        tables.push(Table { name, columns });
    }
    Ok(tables)
}

async fn count(connection: &mut AnyConnection, table: &str) -> Result<u64, StoreError> {
    let sql = format!("SELECT COUNT(*) AS n FROM {table}");
    get_count(&sqlx::query(AssertSqlSafe(sql)).fetch_one(connection).await?, "n")
}

/// Copies a table's rows; how many.
async fn copy(source: &mut AnyConnection, target: &mut AnyConnection, table: &Table) -> Result<u64, StoreError> {
    let names: Vec<&str> = table.columns.iter().map(|(name, _)| name.as_str()).collect();
    let names = names.join(", ");
    let select = format!(
        "SELECT rowid AS row_of_file, {names} FROM {} WHERE rowid > $1 ORDER BY rowid LIMIT {ROWS}",
        table.name
    );
    let (mut after, mut moved) = (i64::MIN, 0);
    loop {
        let rows = sqlx::query(AssertSqlSafe(select.as_str())).bind(after).fetch_all(&mut *source).await?;
        let Some(last) = rows.last() else { return Ok(moved) };
        after = get(last, "row_of_file")?;
        let values = crate::rows::values(rows.len(), table.columns.len());
        let insert = format!("INSERT INTO {} ({names}) VALUES {values}", table.name);
        let mut query = sqlx::query(AssertSqlSafe(insert));
        for row in &rows {
            for (place, (_, kind)) in table.columns.iter().enumerate() {
                query = bind(query, row, place + 1, *kind)?;
            }
        }
        query.execute(&mut *target).await?;
        moved += rows.len() as u64;
    }
}

/// Binds what a row holds at a place.
fn bind<'q>(
    query: Query<'q, Any, AnyArguments>,
    row: &AnyRow,
    place: usize,
    kind: Type,
) -> Result<Query<'q, Any, AnyArguments>, StoreError> {
    use sqlx::Row as _;
    let failed = |error| StoreError::content("a value to be moved", error);
    Ok(match kind {
        Type::Number => query.bind(row.try_get::<Option<i64>, _>(place).map_err(failed)?),
        Type::Text => query.bind(row.try_get::<Option<String>, _>(place).map_err(failed)?),
        Type::Bytes => query.bind(row.try_get::<Option<Vec<u8>>, _>(place).map_err(failed)?),
    })
}

/// Both hold the same.
async fn compare(source: &mut AnyConnection, target: &mut AnyConnection, tables: &[Table]) -> Result<(), StoreError> {
    for table in tables {
        let (here, there) = (count(source, &table.name).await?, count(target, &table.name).await?);
        if here != there {
            return Err(unmovable(&format!(
                "of {here} rows of {} only {there} arrived, so none was moved",
                table.name
            )));
        }
    }
    for sql in SUMS {
        let sum =
            async |connection: &mut AnyConnection| get::<i64>(&sqlx::query(sql).fetch_one(connection).await?, "n");
        if sum(source).await? != sum(target).await? {
            return Err(unmovable("the sums of counts differ, so nothing was moved"));
        }
    }
    Ok(())
}
