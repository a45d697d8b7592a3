//! Seeing to it that the mirror has what a report needs, before the report is looked up in it.

use super::Attribute;
use crate::services::fetches::is_for_later;
use crate::services::mirror_sync::{CLONE_PATIENCE, is_unmirrorable};
use crate::services::{Failure, blocking};
use domain::commit::CommitId;
use domain::ids::RepositoryId;
use domain::timestamp::Timestamp;
use jiff::SignedDuration;
use mirror::{MirrorError, Mirrors, full_id};
use store::reports::StoredReport;
use store::repositories::RepositoryRow;

/// A report from a commit that the mirror lacks asks for a fetch, but not more often than this, and
/// waits for it.
const FETCH_PAUSE: SignedDuration = SignedDuration::from_secs(30);

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
        if !self.is_fetch_needed(row, stored, now).await? {
            return Ok(None);
        }
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
            Ok(()) => {
                self.fetch_deployed_commit(row, stored).await;
                Ok(None)
            }
            // Nothing is wrong with it: its turn comes. After a while it is told as it is.
            Err(failure) if is_for_later(&failure) && now - stored.received_at < CLONE_PATIENCE => Err(failure),
            Err(failure) if exists => {
                tracing::warn!(repository = %row.repository.full_name, %failure, "the mirror could not be brought up to date");
                let sentence =
                    "The mirror could not be brought up to date just now, so an older state of it was looked at.";
                Ok(Some(sentence.to_owned()))
            }
            // What can never be mirrored is not waited for.
            Err(failure) if is_unmirrorable(&failure) || now - stored.received_at >= CLONE_PATIENCE => {
                tracing::warn!(repository = %row.repository.full_name, %failure, "there is no mirror to look at");
                Ok(Some(format!("The repository could not be mirrored: {failure}.")))
            }
            Err(failure) => Err(failure),
        }
    }

    async fn is_fetch_needed(
        &self,
        row: &RepositoryRow,
        stored: &StoredReport,
        now: Timestamp,
    ) -> Result<bool, Failure> {
        let exists = self.mirrors.exists(row.repository.id);
        if !exists || row.fetched_at == Timestamp::UNIX_EPOCH || row.pushed_at > row.fetched_at {
            return Ok(true);
        }
        // What could not be read a moment ago is looked into, and cloned anew if it is damaged.
        if self.mirrors.is_suspected(row.repository.id) {
            return Ok(true);
        }
        // A fetch that began after the report came has brought all that there is.
        if row.fetched_at > stored.received_at || !self.lacks_revision(row.repository.id, stored).await {
            return Ok(false);
        }
        let pause = FETCH_PAUSE - (now - row.fetched_at);
        if pause.is_positive() {
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
    async fn fetch_deployed_commit(&self, row: &RepositoryRow, stored: &StoredReport) {
        let full = named_revisions(stored).iter().find_map(|name| full_id(name));
        let Some(commit) = full else { return };
        let (mirrors, id, wanted) = (self.mirrors.clone(), row.repository.id, commit.clone());
        let fetched = match blocking(move || mirrors.commit(id, &wanted)).await {
            Ok(None) => self.mirror_sync.fetch_commit(row, commit).await.map(|_| ()),
            other => other.map(|_| ()),
        };
        if let Err(failure) = fetched {
            tracing::info!(repository = %row.repository.full_name, %failure, "the deployed commit could not be fetched by its id");
        }
    }
}

/// Whether one of the names leads to a commit, or none could be a commit's.
fn has_revision(mirrors: &Mirrors, id: RepositoryId, named: &[String]) -> Result<bool, MirrorError> {
    for name in named {
        if mirrors.resolve(id, name)?.is_some() {
            return Ok(true);
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
