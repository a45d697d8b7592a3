//! A million known lines, written into the database of a server that is stopped: copies of one that
//! it made itself, so that whatever columns there are have values of its own.

use crate::database::Database;
use crate::event::{Template, function, place_of};
use sqlx::{AnyConnection, AssertSqlSafe, Column as _, Connection as _, Row as _};
use std::fmt::Write as _;
use wire::{sentry, sentry_event};

/// Rows of one transaction.
const CHUNK: usize = 50_000;
/// Rows of one statement, where they are written out.
const STATEMENT: usize = 500;
/// Where ids of copies begin: below those that servers make, which begin with the time.
const FIRST_ID: usize = 1_000_000;
/// Lines failed last in any of so many days.
const DAYS: usize = 365;
const DAY_MS: usize = 24 * 60 * 60 * 1000;
/// What identities of copies begin with.
pub(crate) const COPIED: &str = "bench-";

/// What a table is copied from, and which of its columns differ.
struct Copy<'a> {
    table: &'a str,
    /// The row that is copied.
    of: String,
    differing: Vec<(&'a str, String)>,
}

/// Writes lines from `first` on until `all` are known, with an hour and a fingerprint each.
pub(crate) async fn fill(database: &Database, repository: &str, template: &Template, first: usize, all: usize) {
    let mut connection = database.connect().await;
    if database.is_sqlite() {
        execute(&mut connection, "PRAGMA synchronous = OFF").await;
        // Fingerprints come in no order, and their index would be read from the file again and
        // again: 400 MB of it stay in memory.
        execute(&mut connection, "PRAGMA cache_size = -400000").await;
    }
    let sql = format!("SELECT id, last_seen_ms FROM lines WHERE repository_id = {repository} ORDER BY id LIMIT 1");
    let row = sqlx::query(AssertSqlSafe(sql)).fetch_one(&mut connection).await.unwrap();
    let (line, last_seen): (i64, i64) = (row.get("id"), row.get("last_seen_ms"));
    // The text of a function that differs by its number is enough: nobody blames these lines.
    let (path, number) = place_of(first);
    let code = function(first).lines().nth(3).unwrap_or_default().trim().to_owned();
    let hours_ms = 60 * 60 * 1000;
    let seen = format!("({last_seen} - CAST((n.i % {DAYS}) AS BIGINT) * {DAY_MS})");
    for begin in (first..all).step_by(CHUNK) {
        let end = all.min(begin + CHUNK);
        let numbers =
            format!("WITH RECURSIVE n(i) AS (SELECT {begin} UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {end})");
        execute(&mut connection, "BEGIN").await;
        let lines = Copy {
            table: "lines",
            of: format!("id = {line}"),
            differing: vec![
                ("id", format!("{FIRST_ID} + n.i")),
                ("identity", format!("'{COPIED}' || CAST(n.i AS TEXT)")),
                ("path", format!("'{path}'")),
                ("line_number", format!("{number} + n.i")),
                ("code", format!("'{code}'")),
                ("total", "1".to_owned()),
                ("decided_total", "1".to_owned()),
                ("first_seen_ms", seen.clone()),
                ("last_seen_ms", seen.clone()),
            ],
        };
        lines.run(&mut connection, &numbers, "n").await;
        let hours = Copy {
            table: "line_hours",
            of: format!("line_id = {line}"),
            differing: vec![
                ("line_id", format!("{FIRST_ID} + n.i")),
                ("hour_ms", format!("{seen} / {hours_ms} * {hours_ms}")),
                ("occurrences", "1".to_owned()),
            ],
        };
        hours.run(&mut connection, &numbers, "n").await;
        for begin in (begin..end).step_by(STATEMENT) {
            let values = (begin..end.min(begin + STATEMENT))
                .map(|index| format!("({index}, '{}')", fingerprint(template, index)))
                .collect::<Vec<_>>()
                .join(", ");
            let fingerprints = Copy {
                table: "fingerprints",
                of: format!("line_id = {line}"),
                differing: vec![
                    ("id", format!("{FIRST_ID} + n.column1")),
                    ("line_id", format!("{FIRST_ID} + n.column1")),
                    ("fingerprint", "n.column2".to_owned()),
                ],
            };
            fingerprints.run(&mut connection, "", &format!("(VALUES {values}) n")).await;
        }
        execute(&mut connection, "COMMIT").await;
    }
    // As PostgreSQL does by itself, a while later: one that grew for a year has been vacuumed.
    let last = if database.is_sqlite() { "PRAGMA wal_checkpoint(TRUNCATE)" } else { "VACUUM ANALYZE" };
    execute(&mut connection, last).await;
    connection.close().await.unwrap();
}

impl Copy<'_> {
    /// Copies the row for each number of `from`.
    async fn run(&self, connection: &mut AnyConnection, numbers: &str, from: &str) {
        let Self { table, of, differing } = self;
        let one = format!("SELECT * FROM {table} WHERE {of} LIMIT 1");
        let row = sqlx::query(AssertSqlSafe(one.clone())).fetch_one(&mut *connection).await.unwrap();
        let (mut columns, mut values) = (String::new(), String::new());
        for column in row.columns() {
            let name = column.name();
            let other = differing.iter().find(|(differing, _)| *differing == name);
            let value = other.map_or_else(|| format!("t.{name}"), |(_, value)| value.clone());
            let comma = if columns.is_empty() { "" } else { ", " };
            write!(columns, "{comma}{name}").unwrap();
            write!(values, "{comma}{value}").unwrap();
        }
        let sql = format!("{numbers} INSERT INTO {table} ({columns}) SELECT {values} FROM {from}, ({one}) t");
        execute(connection, &sql).await;
    }
}

async fn execute(connection: &mut AnyConnection, sql: &str) {
    if let Err(error) = sqlx::query(AssertSqlSafe(sql.to_owned())).execute(connection).await {
        panic!("{}: {error}", &sql[..sql.len().min(400)]);
    }
}

/// What the server knows the event at an index by.
fn fingerprint(template: &Template, index: usize) -> String {
    let envelope = template.envelope(index);
    let envelope = sentry::envelope(&envelope).unwrap();
    let mut scratch = String::new();
    let event = sentry_event::parse(envelope.event.unwrap(), &mut scratch).unwrap();
    event.fingerprint(&event.batched()).to_hex()
}
