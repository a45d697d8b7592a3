//! Looking for somebody by a mirror that is whole and has what failed. The report was attributed a
//! moment before, but maybe by another server, beside another mirror.

use super::Recipients;
use crate::services::fetches::after_others;
use crate::services::mirror_sync::CLONE_PATIENCE;
use crate::services::{Failure, blocking};
use domain::commit::CommitId;
use domain::person::{BlamedLine, ChosenRecipient};
use domain::timestamp::Timestamp;
use github::GitHubError;
use jiff::SignedDuration;
use store::repositories::RepositoryRow;

/// When a line is looked at again while other repositories are being fetched.
const ANOTHERS_TURN: SignedDuration = SignedDuration::from_secs(5);

impl Recipients {
    /// Finds who is told, as [`Recipients::find`]: with the mirror mended first that can't be read,
    /// and brought up to date that does not have what failed yet. Without that, where a new line
    /// waited for it as long as its report would.
    ///
    /// # Errors
    /// The database is out of reach, or, while the line is new, the mirror.
    pub(super) async fn find_by_whole_mirror(
        &self,
        row: &RepositoryRow,
        subject: &BlamedLine<'_>,
        now: Timestamp,
    ) -> Result<(ChosenRecipient, Option<GitHubError>), Failure> {
        let (mirrors, id) = (&self.mirror_sync.mirrors, row.repository.id);
        // An old line is told without what only a fetch would bring: that may be gone for good.
        let is_new = now - subject.first_failed_at < CLONE_PATIENCE;
        let needed = subject.revision.or(subject.commit);
        // What was attributed without a mirror needs none.
        if needed.is_none() || self.has(row, needed.filter(|_| is_new && !subject.is_stray)).await {
            let found = self.find(row, subject, now).await?;
            if !mirrors.is_suspected(id) {
                return Ok(found);
            }
        }
        match self.bring_up_to_date(row, now).await {
            Ok(()) => {}
            Err(failure) if is_new && !matches!(failure, Failure::GiveUp(_) | Failure::Panicked(_)) => {
                return Err(after_others(failure, now + ANOTHERS_TURN));
            }
            Err(failure) => {
                let repository = &row.repository.full_name;
                tracing::warn!(%repository, %failure, "who is told is looked for in a mirror that could not be mended");
            }
        }
        self.find(row, subject, now).await
    }

    /// Whether the mirror is here and has the commit that is needed, if any is.
    async fn has(&self, row: &RepositoryRow, needed: Option<&CommitId>) -> bool {
        let (mirrors, id, needed) = (self.mirror_sync.mirrors.clone(), row.repository.id, needed.cloned());
        let Some(needed) = needed else { return mirrors.exists(id) };
        blocking(move || Ok(mirrors.commit(id, &needed)?.is_some())).await.unwrap_or(false)
    }

    async fn bring_up_to_date(&self, row: &RepositoryRow, now: Timestamp) -> Result<(), Failure> {
        match row.why_unmirrorable(now) {
            // It is not asked for, and most of it received, once more for each line.
            Some(why) => Err(Failure::give_up(why.to_owned())),
            None => self.mirror_sync.bring_up_to_date(row, now).await,
        }
    }
}
