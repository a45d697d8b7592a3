//! What GitHub refuses in a whole repository: why, as it says when it is asked, and noting it.

use domain::refusal::{LOOK_EVERY, LOOK_LATER, Refusal, RefusalReason, look_again_at};
use domain::timestamp::Timestamp;
use github::{GitHub, GitHubError};
use render::when;
use store::repositories::RepositoryRow;
use store::{Store, StoreError};

/// Why GitHub takes nothing in a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WhyRefused {
    /// Why.
    pub reason: RefusalReason,
    /// GitHub's words; empty where it says it by a state.
    pub said: String,
}

impl WhyRefused {
    /// What a refused request says by itself.
    pub fn of(error: &GitHubError) -> Self {
        let said = error.to_string();
        let reason = match error {
            GitHubError::Gone(_) | GitHubError::Uninstalled { .. } => RefusalReason::OutOfSight,
            GitHubError::Refused { status: 451, .. } => RefusalReason::Blocked,
            GitHubError::Refused { .. } if said.to_lowercase().contains("ip allow list") => RefusalReason::AllowList,
            _ => RefusalReason::Unexplained,
        };
        Self { reason, said }
    }

    /// The same for what nothing that can be read explains.
    pub fn unexplained(error: &GitHubError) -> Self {
        Self { reason: RefusalReason::Unexplained, said: error.to_string() }
    }

    /// Whether GitHub says it by a state of the repository, and not by refusing to show it.
    pub fn is_a_state(&self) -> bool {
        self.said.is_empty()
    }

    fn by_state(reason: RefusalReason) -> Self {
        Self { reason, said: String::new() }
    }
}

/// Asks GitHub why it takes nothing in a repository: `None` where all that can be read says that it
/// should.
///
/// # Errors
/// GitHub does not answer now, or the name is another repository's.
pub async fn why_refused(github: &GitHub, row: &RepositoryRow) -> Result<Option<WhyRefused>, GitHubError> {
    let Some(address) = row.repository.github_address() else { return Ok(None) };
    let seen = match github.repository(&address).await {
        Ok(seen) => seen,
        Err(error) if error.is_refusal() => return Ok(Some(WhyRefused::of(&error))),
        Err(error) => return Err(error),
    };
    if seen.archived {
        return Ok(Some(WhyRefused::by_state(RefusalReason::Archived)));
    }
    if seen.has_issues == Some(false) {
        return Ok(Some(WhyRefused::by_state(RefusalReason::IssuesOff)));
    }
    match github.may_write_issues(address.installation).await {
        Ok(may) => Ok((may == Some(false)).then(|| WhyRefused::by_state(RefusalReason::NoPermission))),
        Err(error) if error.is_refusal() => Ok(Some(WhyRefused::of(&error))),
        Err(error) => Err(error),
    }
}

/// Notes what GitHub refuses in a repository, and when it is looked again.
///
/// # Errors
/// The database is out of reach.
pub async fn note(
    store: &Store,
    row: &RepositoryRow,
    what: &str,
    why: WhyRefused,
    now: Timestamp,
) -> Result<(), StoreError> {
    let since = row.refusal.as_ref().map_or(now, |known| known.since);
    let look_at = match why.reason {
        RefusalReason::Unexplained => look_again_at(since, now),
        reason if reason.is_wanted() && !store::deliveries::waits_on_github(store, row.repository.id).await? => {
            now + LOOK_LATER
        }
        _ => now + LOOK_EVERY,
    };
    if row.refusal.as_ref().is_none_or(|known| known.reason != why.reason) {
        let (repository, reason, said) = (&row.repository.full_name, why.reason.words(), &why.said);
        tracing::warn!(%repository, reason, said, "GitHub refuses what is written there: it waits until that is over");
    }
    let refusal = Refusal { what: what.to_owned(), since, reason: why.reason, said: why.said, look_at };
    store::repositories::record_refused(store, row.repository.id, &refusal, now).await
}

/// What there is to say of it, in a sentence; `None`: nothing is refused.
pub fn why_nothing_is_filed(row: &RepositoryRow) -> Option<String> {
    row.refusal.as_ref().map(|refusal| refusal.sentence(&when(refusal.since)))
}

/// What there is to say of labels of the settings that GitHub refuses; `None`: it takes all.
pub fn labels_left_out(row: &RepositoryRow) -> Option<String> {
    let labels: Vec<String> = row.refused_labels.iter().map(|label| format!("{label:?}")).collect();
    let them = if labels.len() == 1 { "it" } else { "them" };
    (!labels.is_empty())
        .then(|| format!("GitHub refuses {} of issues.labels: issues are filed without {them}", labels.join(", ")))
}
