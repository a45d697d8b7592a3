//! The labels of a new issue, and which of them GitHub refuses.

use domain::command::OUR_LABEL;
use github::GitHubError;
use store::repositories::RepositoryRow;
use store::{Store, StoreError};

/// Labels of a new issue: ours, and the repository's own but for those that GitHub refuses.
pub(super) fn labels(row: &RepositoryRow) -> Vec<String> {
    std::iter::once(OUR_LABEL.name.to_owned()).chain(own(row).cloned()).collect()
}

fn own(row: &RepositoryRow) -> impl Iterator<Item = &String> {
    let is_ours = |label: &str| label.eq_ignore_ascii_case(OUR_LABEL.name);
    row.settings.issues.labels.iter().filter(move |label| !is_ours(label) && !row.refused_labels.contains(label))
}

/// Whether an issue was refused because of the repository's own labels: it is filed without them
/// from now on, until the settings change. Those that GitHub names, else all of them where it names
/// labels at all, or nothing while it goes on (`is_lasting`).
///
/// # Errors
/// The database is out of reach.
pub(super) async fn leave_labels_out(
    store: &Store,
    row: &RepositoryRow,
    error: &GitHubError,
    is_lasting: bool,
) -> Result<bool, StoreError> {
    let GitHubError::Refused { status: 422, message } = error else { return Ok(false) };
    let message = message.to_lowercase();
    let named: Vec<String> =
        own(row).filter(|label| message.contains(&format!("{:?}", label.to_lowercase()))).cloned().collect();
    let refused = match named.is_empty() && (is_lasting || message.contains("label")) {
        true => own(row).cloned().collect(),
        false => named,
    };
    if refused.is_empty() {
        return Ok(false);
    }
    tracing::warn!(repository = %row.repository.full_name, ?refused, "GitHub refuses labels of the settings: issues go without");
    store::repositories::add_refused_labels(store, row, &refused).await?;
    Ok(true)
}
