//! What the database and the outbox hold, read beside the server.

use sqlx::{AnyConnection, Connection, Row};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use crate::scene;

/// Occurrences, by the index of the failing line.
pub(crate) struct Counts(Vec<u64>);

impl Counts {
    pub(crate) fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    /// Each line has grown by exactly what was acknowledged of it.
    pub(crate) fn assert_grown(&self, after: &Self, acknowledged: &[u64]) {
        for (line, more) in acknowledged.iter().enumerate() {
            assert_eq!(after.0[line] - self.0[line], *more, "line {line}");
        }
    }

    /// No line has grown by less than what was acknowledged of it.
    pub(crate) fn assert_covers(&self, after: &Self, acknowledged: &[u64]) {
        for (line, more) in acknowledged.iter().enumerate() {
            assert!(after.0[line] - self.0[line] >= *more, "line {line}: {more} acknowledged");
        }
    }
}

/// The counts of all lines. Every occurrence is attributed by then, and the hours say the same as
/// the totals.
pub(crate) async fn counts(data: &Path) -> Counts {
    let mut database = open(data).await;
    folded(&mut database).await;
    let sql = "SELECT l.path, l.line_number, l.total,
                   (SELECT CAST(SUM(h.occurrences) AS BIGINT) FROM line_hours h WHERE h.line_id = l.id) AS by_hours
               FROM lines l";
    let rows = sqlx::query(sql).fetch_all(&mut database).await.unwrap();
    let mut counts = vec![0; rows.len()];
    for row in rows {
        let total: i64 = row.get("total");
        assert_eq!(row.get::<i64, _>("by_hours"), total, "the hours add up to the total");
        counts[scene::index_of(row.get("path"), row.get("line_number"))] = total.unsigned_abs();
    }
    let held = sqlx::query("SELECT COUNT(*) AS held FROM pending_occurrences").fetch_one(&mut database).await.unwrap();
    assert_eq!(held.get::<i64, _>("held"), 0, "nothing waits to be attributed");
    database.close().await.unwrap();
    Counts(counts)
}

/// Waits until what was acknowledged is added to lines. A build without a journal adds it at once.
async fn folded(database: &mut AnyConnection) {
    while let Ok(Some(_)) = sqlx::query("SELECT id FROM journal LIMIT 1").fetch_optional(&mut *database).await {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Seconds from acknowledged to alert file, for each line that was acknowledged (Unix time, 0 where
/// not).
pub(crate) async fn alert_delays(data: &Path, acknowledged_at: &[f64]) -> Vec<f64> {
    let mut database = open(data).await;
    let sql = "SELECT d.id, l.path, l.line_number FROM deliveries d JOIN lines l ON l.id = d.line_id WHERE d.channel = 'mail'";
    let rows = sqlx::query(sql).fetch_all(&mut database).await.unwrap();
    database.close().await.unwrap();
    let lines: HashMap<i64, usize> =
        rows.iter().map(|row| (row.get("id"), scene::index_of(row.get("path"), row.get("line_number")))).collect();
    let mut delays = Vec::new();
    for file in alert_files(data) {
        // DATE-flawless.DELIVERY.INSTALLATION@HOST.eml
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let delivery: i64 = name.split('.').nth(1).unwrap().parse().unwrap();
        let sent_at = acknowledged_at[lines[&delivery]];
        let written = file.metadata().unwrap().modified().unwrap().duration_since(UNIX_EPOCH).unwrap().as_secs_f64();
        if sent_at > 0.0 {
            // Work begins before the client has read the answer, so an alert may be there first.
            delays.push((written - sent_at).max(0.0));
        }
    }
    delays
}

/// The mails in the outbox.
pub(crate) fn alert_files(data: &Path) -> Vec<PathBuf> {
    let Ok(files) = std::fs::read_dir(data.join("outbox")) else { return Vec::new() };
    files
        .map(|file| file.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "eml"))
        .collect()
}

async fn open(data: &Path) -> AnyConnection {
    sqlx::any::install_default_drivers();
    AnyConnection::connect(&format!("sqlite://{}", data.join("flawless.db").display())).await.unwrap()
}
