//! Looking for somebody by a mirror that is whole and has what failed. The report was attributed a
//! moment before, but maybe by another server, beside another mirror.

use super::Recipients;
use crate::services::Failure;
use crate::services::fetches::{after_others, turn_after};
use crate::services::mirror_sync::{CLONE_PATIENCE, FETCH_PAUSE};
use domain::commit::CommitId;
use domain::person::{BlamedLine, ChosenRecipient};
use domain::timestamp::Timestamp;
use github::GitHubError;
use store::repositories::RepositoryRow;

impl Recipients {
    /// Finds who is told, as [`Recipients::find`]: with the mirror mended first that can't be read,
    /// and brought up to date that does not have what failed yet. Without that, where it could not
    /// be had and the line is not new any more, or waited for it as long as its report would.
    ///
    /// # Errors
    /// The database is out of reach, or, while the line is new, the mirror.
    pub(super) async fn find_by_whole_mirror(
        &self,
        row: &RepositoryRow,
        subject: &BlamedLine<'_>,
        now: Timestamp,
    ) -> Result<(ChosenRecipient, Option<GitHubError>), Failure> {
        let id = row.repository.id;
        let mirrors = &self.mirror_sync.mirrors;
        // What was attributed without a mirror needs none.
        let needed = subject.revision.or(subject.commit);
        let lacks = needed.is_some() && !self.has(row, needed).await;
        if needed.is_none() || (!lacks && !self.mirror_sync.is_behind(row).await) {
            let found = self.find(row, subject, now).await?;
            if !mirrors.is_suspected(id) {
                return Ok(found);
            }
        }
        // Also where the clock was set back since.
        let is_new = now - subject.first_failed_at < CLONE_PATIENCE;
        let waits = is_new && (lacks || mirrors.is_suspected(id));
        match self.mend(row, subject, needed, now).await {
            Ok(()) => {}
            Err(failure) if waits && !matches!(failure, Failure::GiveUp(_) | Failure::Panicked(_)) => {
                return Err(after_others(failure, now + turn_after(now - subject.first_failed_at)));
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
        let id = row.repository.id;
        match needed {
            Some(needed) => self.mirror_sync.has_commit(id, needed).await.unwrap_or(false),
            None => self.mirror_sync.mirrors.exists(id),
        }
    }

    /// Brings the mirror up to date, unless that was done a moment ago, and asks for the commit by
    /// its id that no branch brings.
    async fn mend(
        &self,
        row: &RepositoryRow,
        subject: &BlamedLine<'_>,
        needed: Option<&CommitId>,
        now: Timestamp,
    ) -> Result<(), Failure> {
        if let Some(why) = row.why_unmirrorable(now) {
            // It is not asked for, and most of it received, once more for each line.
            return Err(Failure::give_up(why.to_owned()));
        }
        let (sync, id) = (&self.mirror_sync, row.repository.id);
        let last = sync.mirrors.last_sync(id).filter(|_| !sync.mirrors.is_suspected(id));
        match last.filter(|last| last.pushed_at == row.pushed_at && now.is_within(FETCH_PAUSE, last.began_at)) {
            None => sync.bring_up_to_date(row, now).await?,
            // It began after the failure, so it brought all that branches and tags reach.
            Some(last) if last.began_at > subject.first_failed_at => {}
            Some(last) => {
                let why = "the mirror lacks what failed, and was fetched a moment ago";
                return Err(Failure::Retry { cause: why.into(), after: Some(FETCH_PAUSE - (now - last.began_at)) });
            }
        }
        match needed {
            Some(needed) => sync.fetch_commit(row, needed, subject.first_failed_at, now).await,
            None => Ok(()),
        }
    }
}
