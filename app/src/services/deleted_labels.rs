//! Labels of commands that somebody deleted in a repository: GitHub takes them off all issues with
//! that, which is nothing that somebody said of a line.

use super::Failure;
use super::messages::comment;
use domain::alert::Reply;
use domain::command::{COMMAND_LABELS, LabelSpec};
use domain::delivery::{DeliveryMode, Purpose};
use domain::timestamp::Timestamp;
use github::GitHub;
use store::Store;
use store::lines::Line;
use store::repositories::RepositoryRow;

/// Whether a command's label is not in the repository any more. Where GitHub does not say,
/// it is there.
///
/// # Errors
/// GitHub does not answer now.
pub async fn is_deleted(github: &GitHub, row: &RepositoryRow, label: &str) -> Result<bool, Failure> {
    let wanted: Vec<LabelSpec> =
        COMMAND_LABELS.into_iter().filter(|spec| spec.name.eq_ignore_ascii_case(label)).collect();
    let Some(address) = row.repository.github_address() else { return Ok(false) };
    match github.missing_labels(&address, &wanted).await {
        Ok(missing) => Ok(!missing.is_empty()),
        Err(error) if error.is_permanent() => {
            let repository = &row.repository.full_name;
            tracing::info!(%repository, label, %error, "whether a label is there is not known");
            Ok(false)
        }
        Err(error) => Err(error.into()),
    }
}

/// Keeps what such a label commanded of a line in force, and asks on its issue whether it is to
/// end: once.
///
/// # Errors
/// The database is out of reach.
pub async fn ask(store: &Store, row: &RepositoryRow, line: &Line, label: &str, now: Timestamp) -> Result<(), Failure> {
    let mode = if row.is_shadow(now) { DeliveryMode::Shadow } else { DeliveryMode::Singly };
    for rule in store::rules::in_force(store, row.repository.id).await? {
        let is_its = rule.label.as_deref().is_some_and(|made| made.eq_ignore_ascii_case(label));
        if rule.line != Some(line.id) || !is_its {
            continue;
        }
        let reply =
            Reply::LabelDeleted { label: label.to_owned(), place: rule.made.rule.pattern().place(line.place.line) };
        let question = comment(Purpose::LabelDeleted(rule.made.id, now), &reply)?;
        if store::rules::record_label_deleted(store, &rule, line.id, &question, mode, now).await? {
            tracing::info!(repository = %row.repository.full_name, label, "a label was deleted: what it commanded stays");
        }
    }
    Ok(())
}
