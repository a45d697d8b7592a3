//! Seeing to it that the mirror has what a report needs, before the report is looked up in it.

use super::Attribute;
use crate::services::fetches::{is_for_later, is_under_way};
use crate::services::mirror_sync::{CLONE_PATIENCE, FETCH_PAUSE, is_unmirrorable};
use crate::services::repositories::UNNAMED_AGAIN_AFTER;
use crate::services::{Failure, blocking};
use domain::commit::CommitId;
use domain::ids::RepositoryId;
use domain::timestamp::Timestamp;
use mirror::{MirrorError, Mirrors, full_id};
use std::collections::HashSet;
use std::time::Duration;
use store::reports::StoredReport;
use store::repositories::RepositoryRow;
use tokio::time::Instant;

/// How long a report whose time is over waits for a fetch that is under way, and how often it
/// looks.
const LAST_WAIT: Duration = Duration::from_secs(10);
const LAST_LOOK: Duration = Duration::from_millis(250);

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
        let is_needed = self.is_sync_needed(row, stored, now).await?;
        if row.unnamed_since.is_some() {
            // Nothing is fetched until GitHub names it again.
            return if is_needed { Err(Failure::Again { at: now + UNNAMED_AGAIN_AFTER }) } else { Ok(None) };
        }
        let older = if is_needed { self.synced(row, stored, now).await? } else { None };
        if older.is_none() {
            self.fetch_deployed_commit(row, stored, now).await?;
        }
        Ok(older)
    }

    /// Whether the mirror has what the report needs already; `ready` are those that it has for
    /// sure, by repository and by what reports said that they run.
    ///
    /// # Errors
    /// It will be had in a moment.
    pub(super) async fn is_mirror_ready(
        &self,
        row: &RepositoryRow,
        stored: &StoredReport,
        ready: &mut HashSet<(RepositoryId, Vec<String>)>,
        now: Timestamp,
    ) -> Result<bool, Failure> {
        let id = row.repository.id;
        let needed = (id, named_revisions(stored));
        if row.unnamed_since.is_some() {
            return Ok(false);
        }
        if ready.contains(&needed) {
            return Ok(true);
        }
        let lacks = self.lacks_revision(id, stored).await;
        if !lacks
            && self.mirrors.last_sync(id).is_some()
            && !self.mirrors.is_suspected(id)
            && !self.mirror_sync.is_behind(row).await
        {
            ready.insert(needed);
            return Ok(true);
        }
        let is_asked_for = needed.1.iter().any(|name| full_id(name).is_some());
        Ok(!(self.is_sync_needed(row, stored, now).await? || lacks && is_asked_for))
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
        // Also where the clock was set back since.
        let is_new = now - stored.received_at < CLONE_PATIENCE;
        let mut synced = self.mirror_sync.bring_up_to_date(row, now).await;
        // It may have been so long only by a clock that leapt: what is under way ends mostly within
        // seconds.
        let begun_at = Instant::now();
        while exists && !is_new && synced.as_ref().is_err_and(is_under_way) && begun_at.elapsed() < LAST_WAIT {
            tokio::time::sleep(LAST_LOOK).await;
            synced = self.mirror_sync.bring_up_to_date(row, now).await;
        }
        match synced {
            Ok(()) => Ok(None),
            // Nothing is wrong with it: its turn comes, maybe on another server. After a while it
            // is told as it is.
            Err(failure) if is_new && (is_for_later(&failure) || is_of_this_server(&failure)) => Err(failure),
            Err(failure) if exists => {
                tracing::warn!(repository = %row.repository.full_name, %failure, "the mirror could not be brought up to date");
                let sentence =
                    "The mirror could not be brought up to date just now, so an older state of it was looked at.";
                Ok(Some(sentence.to_owned()))
            }
            // What can never be mirrored is not waited for.
            Err(failure) if is_unmirrorable(&failure) || !is_new => {
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
            Err(failure)
                if now - stored.received_at < CLONE_PATIENCE
                    && (is_waiting(&failure) || is_of_this_server(&failure)) =>
            {
                Err(failure)
            }
            Err(failure) => {
                tracing::info!(repository = %row.repository.full_name, %failure, "the deployed commit could not be fetched by its id");
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }
}

/// Whether it failed by this machine, as for want of space or because it stops: another server's
/// mirror may have what is needed, or this one's soon.
fn is_of_this_server(failure: &Failure) -> bool {
    let Failure::Retry { cause, .. } = failure else { return false };
    matches!(cause.downcast_ref::<MirrorError>(), Some(MirrorError::Disk { .. } | MirrorError::Interrupted))
}

/// Whether nothing was asked, and will be once it may.
fn is_waiting(failure: &Failure) -> bool {
    is_for_later(failure) || matches!(failure, Failure::Retry { after: Some(_), .. })
}

/// Whether one of the names leads to a commit before one that is a commit's for certain, or none
/// can be.
fn has_revision(mirrors: &Mirrors, id: RepositoryId, named: &[String]) -> Result<bool, MirrorError> {
    for name in named {
        if mirrors.resolve(id, name)?.is_some() {
            return Ok(true);
        }
        // Shorter ones may be a number or a word.
        if full_id(name).is_some() {
            return Ok(false);
        }
    }
    Ok(!named.iter().any(|name| looks_like_commit(name)))
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
