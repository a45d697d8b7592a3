//! Issues and comments as files of the outbox directory, for repositories that are not on GitHub.

use super::issues::recipient;
use crate::services::Failure;
use crate::services::alert_content::AlertContent;
use crate::services::messages::reply_of;
use domain::timestamp::Timestamp;
use std::path::PathBuf;
use store::deliveries::Delivery;
use store::lines::Line;
use store::repositories::RepositoryRow;

/// Writes to the outbox directory.
#[derive(Clone)]
pub struct OutboxFiles {
    /// The directory.
    pub folder: PathBuf,
    /// Says what alerts say.
    pub content: AlertContent,
}

impl OutboxFiles {
    /// Writes the line's issue. The receipt is the file's name.
    pub(super) async fn issue(
        &self,
        row: &RepositoryRow,
        line: &Line,
        delivery: &Delivery,
        now: Timestamp,
    ) -> Result<String, Failure> {
        let issue = render::issue(&self.content.latest(row, line, recipient(line, None), now).await?)?;
        let text = format!("# {}\n\n{}\n", issue.title, issue.body);
        self.write(&format!("issue-{}.md", delivery.id), &text).await
    }

    /// Writes a comment. The receipt is the file's name.
    pub(super) async fn comment(
        &self,
        row: &RepositoryRow,
        line: &Line,
        delivery: &Delivery,
    ) -> Result<String, Failure> {
        let marker = format!("{}:{}", self.content.site.marker(line.id), delivery.id);
        let body = render::reply(&reply_of(&delivery.what)?, &marker, &row.repository)?;
        self.write(&format!("comment-{}.md", delivery.id), &format!("{body}\n")).await
    }

    /// Writes a file whole or not at all; a second attempt writes the same file again.
    pub(super) async fn write(&self, name: &str, text: &str) -> Result<String, Failure> {
        let path = self.folder.join(name);
        let failed = |error: std::io::Error| Failure::retry(format!("{}: {error}", path.display()));
        tokio::fs::create_dir_all(&self.folder).await.map_err(failed)?;
        let unfinished = self.folder.join(format!(".{name}.tmp"));
        tokio::fs::write(&unfinished, text).await.map_err(failed)?;
        tokio::fs::rename(&unfinished, &path).await.map_err(failed)?;
        Ok(name.to_owned())
    }
}
