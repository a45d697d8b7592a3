//! What the database and the outbox hold, read beside the server.

use crate::client::Answer;
use crate::event;
use crate::fill::COPIED;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe, Connection as _, Row as _};
use std::collections::HashMap;
use std::path::Path;
use std::time::{Duration, Instant, UNIX_EPOCH};

/// How long anything may take before the bench gives up.
const PATIENCE: Duration = Duration::from_secs(600);
const POLL: Duration = Duration::from_millis(20);

/// A database, by the address of its rows.
#[derive(Clone)]
pub(crate) struct Database {
    pub(crate) url: String,
}

/// Occurrences of a repository's lines, by index, and of all its lines together.
pub(crate) struct Counts {
    lines: HashMap<usize, u64>,
    pub(crate) total: u64,
}

impl Counts {
    pub(crate) fn of(&self, line: usize) -> u64 {
        self.lines.get(&line).copied().unwrap_or_default()
    }
}

impl Database {
    /// A server's SQLite file.
    pub(crate) fn file(data: &Path) -> Self {
        Self { url: format!("sqlite://{}", data.join("flawless.db").display()) }
    }

    pub(crate) fn is_sqlite(&self) -> bool {
        self.url.starts_with("sqlite:")
    }

    pub(crate) async fn connect(&self) -> AnyConnection {
        let mut connection = AnyConnection::connect(&self.url).await.unwrap();
        if self.is_sqlite() {
            sqlx::query("PRAGMA busy_timeout = 60000").execute(&mut connection).await.unwrap();
        }
        connection
    }

    pub(crate) async fn rows(&self, sql: &str) -> Vec<AnyRow> {
        let mut connection = self.connect().await;
        let rows = sqlx::query(AssertSqlSafe(sql.to_owned())).fetch_all(&mut connection).await;
        let rows = rows.unwrap_or_else(|error| panic!("{sql}: {error}"));
        connection.close().await.unwrap();
        rows
    }

    /// The number that a query answers; it calls it `n`.
    pub(crate) async fn number(&self, sql: &str) -> i64 {
        self.rows(sql).await[0].get("n")
    }

    /// Waits until a query answers this number or more.
    ///
    /// # Panics
    /// It does not for too long.
    pub(crate) async fn wait_for(&self, sql: &str, wanted: i64) {
        let began = Instant::now();
        loop {
            let found = self.number(sql).await;
            if found >= wanted {
                return;
            }
            assert!(began.elapsed() < PATIENCE, "{sql} says {found}, not {wanted}, after {PATIENCE:?}");
            tokio::time::sleep(POLL).await;
        }
    }

    /// Waits until nothing is left to be done: reports attributed, decided and told, and counts
    /// where people see them.
    pub(crate) async fn settle(&self) {
        self.wait_for(
            "SELECT CASE WHEN EXISTS (SELECT 1 FROM reports) OR EXISTS (SELECT 1 FROM pending_occurrences)
                 OR EXISTS (SELECT 1 FROM jobs WHERE kind IN ('attribute', 'decide', 'deliver', 'write')) THEN 0 ELSE 1 END AS n",
            1,
        )
        .await;
        self.fold().await;
    }

    /// Waits until appended counts are in the lines, where there is a journal of them.
    pub(crate) async fn fold(&self) {
        if self.has_journal().await {
            self.wait_for("SELECT CASE WHEN EXISTS (SELECT 1 FROM journal) THEN 0 ELSE 1 END AS n", 1).await;
        }
    }

    async fn has_journal(&self) -> bool {
        let tables = if self.is_sqlite() {
            "sqlite_master WHERE name = 'journal'"
        } else {
            "information_schema.tables WHERE table_name = 'journal'"
        };
        self.number(&format!("SELECT COUNT(*) AS n FROM {tables}")).await > 0
    }

    /// The counts of a repository's lines. Every occurrence is attributed and folded by then, and
    /// the hours say the same as the totals. Lines that were copied count in the total only.
    pub(crate) async fn counts(&self, repository: &str) -> Counts {
        let sql = format!(
            "SELECT path, line_number, CAST(SUM(total) AS BIGINT) AS total,
                 CAST(SUM((SELECT SUM(h.occurrences) FROM line_hours h WHERE h.line_id = l.id)) AS BIGINT) AS by_hours
             FROM lines l WHERE repository_id = {repository} AND identity NOT LIKE '{COPIED}%'
             GROUP BY path, line_number"
        );
        let all = format!(
            "SELECT CAST(COALESCE(SUM(total), 0) AS BIGINT) AS n FROM lines WHERE repository_id = {repository}"
        );
        let mut counts = Counts { lines: HashMap::new(), total: self.number(&all).await.unsigned_abs() };
        for row in self.rows(&sql).await {
            let count: i64 = row.get("total");
            let by_hours: i64 = row.get("by_hours");
            assert_eq!(by_hours, count, "the hours do not add up to the totals");
            if let Some(line) = event::line_at(row.get("path"), row.get("line_number")) {
                counts.lines.insert(line, count.unsigned_abs());
            }
        }
        counts
    }

    /// Bytes of the database, as far as it can be asked.
    pub(crate) async fn size(&self) -> f64 {
        if !self.is_sqlite() {
            return self.number("SELECT pg_database_size(current_database()) AS n").await as f64;
        }
        let file = self.url.trim_start_matches("sqlite://");
        let length = |path: String| std::fs::metadata(path).map_or(0, |it| it.len());
        (length(file.to_owned()) + length(format!("{file}-wal"))) as f64
    }

    /// Seconds from sent to the alert's file in the outbox, for each line that has one; a line's is
    /// its first.
    pub(crate) async fn alert_delays(&self, data: &Path, repository: &str, answers: &[Answer]) -> Vec<f64> {
        let sql = format!(
            "SELECT d.id, l.path, l.line_number FROM deliveries d JOIN lines l ON l.id = d.line_id
             WHERE d.channel = 'mail' AND l.repository_id = {repository}"
        );
        let rows = self.rows(&sql).await;
        let mut lines: HashMap<i64, usize> = HashMap::new();
        for row in rows {
            lines.extend(event::line_at(row.get("path"), row.get("line_number")).map(|line| (row.get("id"), line)));
        }
        let sent: HashMap<usize, f64> = answers.iter().map(|answer| (answer.index, answer.sent_at)).collect();
        let files = std::fs::read_dir(data.join("outbox")).into_iter().flatten().flatten();
        let mails = files.filter(|file| file.path().extension().is_some_and(|ending| ending == "eml"));
        let delay = |file: std::fs::DirEntry| {
            // DATE-flawless.DELIVERY.INSTALLATION@HOST.eml
            let name = file.file_name().to_string_lossy().into_owned();
            let delivery: i64 = name.split('.').nth(1)?.parse().ok()?;
            let sent_at = sent.get(lines.get(&delivery)?)?;
            let written = file.metadata().ok()?.modified().ok()?.duration_since(UNIX_EPOCH).ok()?.as_secs_f64();
            // The system's stamps of files are some milliseconds behind its clock.
            Some((written - sent_at).max(0.0))
        };
        mails.filter_map(delay).collect()
    }
}
