//! Making a repository's labels, one write at a time.

use super::forge::forge_of;
use super::turn::Turn;
use crate::steps::{Failure, Services};
use domain::command::{COMMAND_LABELS, LabelSpec, OUR_LABEL};
use domain::ids::RepositoryId;

/// How long labels that could not be made are left alone: issues can do without, GitHub makes what they name in grey.
const AGAIN_AFTER_MS: i64 = 15 * 60_000;

/// Makes one of the labels that the repository lacks, or notes that it has all of them.
pub(super) async fn label(services: &Services, turn: &Turn<'_>, id: RepositoryId, now_ms: i64) -> Result<(), Failure> {
    let Some(row) = store::repositories::by_id(&services.store, id).await? else { return Ok(()) };
    if row.is_shadow(now_ms) {
        return Ok(store::repositories::set_labels_due(&services.store, id, now_ms + AGAIN_AFTER_MS).await?);
    }
    let result = async {
        let (github, forge) = forge_of(services, &row)?;
        let name = &row.repository.full_name;
        let wanted: Vec<LabelSpec> = COMMAND_LABELS.into_iter().chain([OUR_LABEL]).collect();
        let missing = github.missing_labels(forge.installation, name, &wanted).await?;
        if let Some(label) = missing.first() {
            turn.take().await?;
            github.create_label(forge.installation, name, label).await?;
        }
        if missing.len() <= 1 {
            store::repositories::record_labelled(&services.store, id, now_ms).await?;
        }
        Ok(())
    };
    let result: Result<(), Failure> = result.await;
    if let Err(Failure::Retry { why, .. } | Failure::GiveUp(why)) = &result {
        tracing::warn!(repository = %row.repository.full_name, why, "the labels could not be made");
        store::repositories::set_labels_due(&services.store, id, now_ms + AGAIN_AFTER_MS).await?;
    }
    result
}
