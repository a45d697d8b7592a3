//! Issues and comments as files of the outbox directory, for repositories that are not on GitHub.

use super::forge::recipient;
use super::reply_of;
use crate::steps::{Failure, Services};
use render;
use std::path::Path;
use store::deliveries::Delivery;
use store::lines::Line;
use store::repositories::RepositoryRow;

/// Writes the line's issue. The receipt is the file's name.
pub(super) async fn issue(
    services: &Services,
    row: &RepositoryRow,
    line: &Line,
    delivery: &Delivery,
    now_ms: i64,
) -> Result<String, Failure> {
    let told = recipient(line, None);
    let latest = store::tracebacks::latest_of_line(&services.store, line.id, i64::MAX).await?;
    let issue = render::issue(&services.alert(row, line, latest, told, now_ms).await?)?;
    let text = format!("# {}\n\n{}\n", issue.title, issue.body);
    write(&services.outbox, &format!("issue-{}.md", delivery.id), &text).await
}

/// Writes a comment. The receipt is the file's name.
pub(super) async fn comment(
    services: &Services,
    row: &RepositoryRow,
    line: &Line,
    delivery: &Delivery,
) -> Result<String, Failure> {
    let marker = format!("{}:{}", services.marker(line), delivery.id);
    let body = render::reply(&reply_of(delivery)?, &marker, &row.repository)?;
    write(&services.outbox, &format!("comment-{}.md", delivery.id), &format!("{body}\n")).await
}

/// Writes a file of the outbox whole or not at all; a second attempt writes the same file again.
pub(super) async fn write(outbox: &Path, name: &str, text: &str) -> Result<String, Failure> {
    let failed = |error: std::io::Error| Failure::retry(format!("{}: {error}", outbox.join(name).display()));
    tokio::fs::create_dir_all(outbox).await.map_err(failed)?;
    let unfinished = outbox.join(format!(".{name}.tmp"));
    tokio::fs::write(&unfinished, text).await.map_err(failed)?;
    tokio::fs::rename(&unfinished, outbox.join(name)).await.map_err(failed)?;
    Ok(name.to_owned())
}
