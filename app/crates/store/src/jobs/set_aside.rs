//! Jobs that are set aside, for whoever looks after the server.

use crate::columns::{get, get_time};
use crate::{Store, StoreError};
use domain::job::Job;
use domain::names::RepositoryName;
use domain::timestamp::Timestamp;
use sqlx::AssertSqlSafe;

/// A job that is tried once a day only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetAside {
    /// What it does.
    pub job: Job,
    /// Since when.
    pub since: Timestamp,
    /// When it is tried again.
    pub run_at: Timestamp,
    /// What is known of its deaths.
    pub why: String,
}

/// The jobs that are set aside, the latest first; so many of them at most.
pub async fn list_set_aside(store: &Store, most: u32) -> Result<Vec<SetAside>, StoreError> {
    let rows = sqlx::query(
        "SELECT kind, subject, set_aside_at_ms, run_at_ms, COALESCE(error, '') AS error FROM jobs
         WHERE set_aside_at_ms IS NOT NULL ORDER BY set_aside_at_ms DESC, id LIMIT $1",
    )
    .bind(i64::from(most))
    .fetch_all(&store.pool)
    .await?;
    let read = |row| -> Result<Option<SetAside>, StoreError> {
        let kind: String = get(row, "kind")?;
        let Some(job) = Job::from_parts(&kind, get(row, "subject")?) else { return Ok(None) };
        let (since, run_at) = (get_time(row, "set_aside_at_ms")?, get_time(row, "run_at_ms")?);
        Ok(Some(SetAside { job, since, run_at, why: get(row, "error")? }))
    };
    rows.iter().filter_map(|row| read(row).transpose()).collect()
}

/// The repository that a job is about; `None`: it is about several, or its row is gone.
pub async fn repository_of(store: &Store, job: Job) -> Result<Option<RepositoryName>, StoreError> {
    let table = match job {
        Job::Attribute(_) => "reports",
        Job::Decide(_) => "lines",
        Job::Deliver(_) => "deliveries",
        Job::Storm(_) => "storms",
        Job::Fetch(_) => "repositories",
        Job::Write(_) | Job::Webhook(_) | Job::Reconcile | Job::Redeliver => return Ok(None),
    };
    let key = if table == "repositories" { "id" } else { "repository_id" };
    let sql = format!("SELECT r.full_name FROM repositories r JOIN {table} t ON t.{key} = r.id WHERE t.id = $1");
    let row = sqlx::query(AssertSqlSafe(sql)).bind(job.parts().1).fetch_optional(&store.pool).await?;
    row.map(|row| Ok(RepositoryName::new(get::<String>(&row, "full_name")?))).transpose()
}
