//! Seeing to it that the mirror has what a report needs, before the report is looked up in it.

use super::Attribute;
use crate::services::fetches::is_for_later;
use crate::services::mirror_sync::{CLONE_PATIENCE, FETCH_PAUSE, is_unmirrorable};
use crate::services::{Failure, blocking};
use domain::commit::CommitId;
use domain::ids::RepositoryId;
use domain::timestamp::Timestamp;
use mirror::{MirrorError, Mirrors, full_id};
use store::reports::StoredReport;
use store::repositories::RepositoryRow;

impl Attribute {
    /// Sees to it that the mirror has what the report needs. A sentence for the verdict where it
    /// could not be had.
    ///
    /// # Errors
    /// It may be had later.
    pub(super) async fn ready_mirror(
        &self,
        row: &RepositoryRow,
        stored: &StoredReport,
        now: Timestamp,
    ) -> Result<Option<String>, Failure> {
        let older =
            if self.is_sync_needed(row, stored, now).await? { self.synced(row, stored, now).await? } else { None };
        if older.is_none() {
            self.fetch_deployed_commit(row, stored, now).await?;
        }
        Ok(older)
    }

    /// Brings the mirror up to date. A sentence for the verdict where that could not be done.
    async fn synced(
        &self,
        row: &RepositoryRow,
        stored: &StoredReport,
        now: Timestamp,
    ) -> Result<Option<String>, Failure> {
        let exists = self.mirrors.exists(row.repository.id);
        if let Some(error) = row.why_unmirrorable(now) {
            // It is not asked for, and most of it received, once more for each report.
            return Ok(Some(if exists {
                format!(
                    "An older state of the repository was looked at, as the mirror could not be brought up to date: {error}."
                )
            } else {
                format!("The repository could not be mirrored: {error}.")
            }));
        }
        match self.mirror_sync.bring_up_to_date(row, now).await {
            Ok(()) => Ok(None),
            // Nothing is wrong with it: its turn comes. After a while it is told as it is.
            Err(failure) if is_for_later(&failure) && now.is_within(CLONE_PATIENCE, stored.received_at) => Err(failure),
            Err(failure) if exists => {
                tracing::warn!(repository = %row.repository.full_name, %failure, "the mirror could not be brought up to date");
                let sentence =
                    "The mirror could not be brought up to date just now, so an older state of it was looked at.";
                Ok(Some(sentence.to_owned()))
            }
            // What can never be mirrored is not waited for.
            Err(failure) if is_unmirrorable(&failure) || !now.is_within(CLONE_PATIENCE, stored.received_at) => {
                tracing::warn!(repository = %row.repository.full_name, %failure, "there is no mirror to look at");
                Ok(Some(format!("The repository could not be mirrored: {failure}.")))
            }
            Err(failure) => Err(failure),
        }
    }

    /// Whether the mirror is to be brought up to date first. That another server's was says
    /// nothing: where several share a database, each has one of its own.
    async fn is_sync_needed(
        &self,
        row: &RepositoryRow,
        stored: &StoredReport,
        now: Timestamp,
    ) -> Result<bool, Failure> {
        let id = row.repository.id;
        let Some(last) = self.mirrors.last_sync(id) else { return Ok(true) };
        // What could not be read a moment ago is looked into, and cloned anew if it is damaged.
        if self.mirrors.is_suspected(id) || self.mirror_sync.is_behind(row).await {
            return Ok(true);
        }
        // A fetch that began after the report came has brought all that branches and tags reach.
        let is_newer = last.began_at > stored.received_at && last.began_at <= now;
        if is_newer || !self.lacks_revision(id, stored).await {
            return Ok(false);
        }
        // One of a moment to come was noted before the clock was set back.
        let pause = FETCH_PAUSE - (now - last.began_at);
        if pause.is_positive() && last.began_at <= now {
            // Told now, it would be told as nobody's, and once and for all.
            let why = "it comes from a commit that is not here yet, and the repository was fetched a moment ago";
            return Err(Failure::Retry { cause: why.into(), after: Some(pause) });
        }
        Ok(true)
    }

    /// Whether the report runs a commit that the mirror lacks: it may have been pushed a moment
    /// ago, its webhook still under way. A mirror that can't be read is brought up to date, which
    /// mends most of what can be wrong with it.
    async fn lacks_revision(&self, id: RepositoryId, stored: &StoredReport) -> bool {
        let (mirrors, named) = (self.mirrors.clone(), named_revisions(stored));
        !blocking(move || has_revision(&mirrors, id, &named)).await.unwrap_or(false)
    }

    /// A deployed commit that no branch holds any more can still be asked for by its id.
    async fn fetch_deployed_commit(
        &self,
        row: &RepositoryRow,
        stored: &StoredReport,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let full = named_revisions(stored).iter().find_map(|name| full_id(name));
        let Some(commit) = full else { return Ok(()) };
        if !self.lacks_revision(row.repository.id, stored).await {
            return Ok(());
        }
        match self.mirror_sync.fetch_commit(row, &commit, stored.received_at, now).await {
            // It was asked for by another report, or others are being fetched: its turn comes.
            Err(failure) if is_waiting(&failure) && now.is_within(CLONE_PATIENCE, stored.received_at) => Err(failure),
            Err(failure) => {
                tracing::info!(repository = %row.repository.full_name, %failure, "the deployed commit could not be fetched by its id");
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }
}

/// Whether nothing was asked, and will be once it may.
fn is_waiting(failure: &Failure) -> bool {
    is_for_later(failure) || matches!(failure, Failure::Retry { after: Some(_), .. })
}

/// Whether the surest of the names that can be a commit's leads to one, or none can be.
fn has_revision(mirrors: &Mirrors, id: RepositoryId, named: &[String]) -> Result<bool, MirrorError> {
    for name in named {
        if mirrors.resolve(id, name)?.is_some() {
            return Ok(true);
        }
        if looks_like_commit(name) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// What the report says it runs, the surer first.
fn named_revisions(stored: &StoredReport) -> Vec<String> {
    [&stored.report.revision, &stored.report.release].into_iter().flatten().cloned().collect()
}

/// 7 to 40 hexadecimal digits somewhere in the name: a commit that a fetch may bring.
fn looks_like_commit(name: &str) -> bool {
    name.split(|c: char| !c.is_ascii_alphanumeric()).any(|part| {
        let digits = part.strip_prefix('g').unwrap_or(part);
        (7..=CommitId::DIGITS).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
    })
}

#[cfg(test)]
mod tests {
    use super::looks_like_commit;

    #[test]
    fn releases_that_name_a_commit_are_told_from_versions() {
        for name in ["3f1c9a7", "shop@1.4.2+3f1c9a7", "v1.2-14-g3f1c9a7", "a91c3fa91c3fa91c3fa91c3fa91c3fa91c3fa91c"] {
            assert!(looks_like_commit(name), "{name}");
        }
        for name in ["shop@1.4.2", "v2.0.0", "release-candidate", "2026.11"] {
            assert!(!looks_like_commit(name), "{name}");
        }
    }
}
