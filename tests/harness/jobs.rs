//! What the product does not need to know of its jobs.

use domain::timestamp::Timestamp;
use sqlx::{AnyConnection, Connection as _, Row as _};

/// When the next turn of a queue of writes is due; `None`: there is nothing to write.
pub async fn next_write_due(database: &str) -> Option<Timestamp> {
    let mut connection = AnyConnection::connect(database).await.unwrap();
    let sql = "SELECT MIN(run_at_ms) AS due FROM jobs WHERE kind = 'write' AND holder IS NULL";
    let row = sqlx::query(sql).fetch_one(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    row.get::<Option<i64>, _>("due").map(Timestamp::from_millis)
}

/// Ends the leases of all jobs, as two minutes without a word of their holders do.
pub async fn end_leases(database: &str) {
    let mut connection = AnyConnection::connect(database).await.unwrap();
    sqlx::query("UPDATE jobs SET locked_until_ms = 0").execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}
