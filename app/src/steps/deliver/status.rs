//! Bringing an issue's status block up to date: one write, and none where nothing would change.

use super::forge::forge_of;
use super::turn::Turn;
use crate::steps::{Failure, Services};
use domain::ids::LineId;
use domain::status::{State, Status, has_block, replace_block};
use github::{IssueState, IssueUpdate};
use render;
use store::lines::Line;
use store::repositories::RepositoryRow;

/// How long a status that could not be written is left alone: nobody waits for it.
const AGAIN_AFTER_MS: i64 = 15 * 60_000;

/// Writes the status block of a line's issue.
pub(super) async fn status(services: &Services, turn: &Turn<'_>, id: LineId, now_ms: i64) -> Result<(), Failure> {
    store::statuses::claim(&services.store, id).await?;
    let Some(line) = store::lines::by_id(&services.store, id).await? else { return Ok(()) };
    let Some(row) = store::repositories::by_id(&services.store, line.repository).await? else { return Ok(()) };
    let result = if row.is_shadow(now_ms) {
        Err(Failure::retry("nothing is sent in shadow mode"))
    } else {
        write(services, turn, &row, &line, now_ms).await
    };
    match result {
        Err(Failure::Retry { after_ms, why }) => {
            store::statuses::set_due(&services.store, id, now_ms + AGAIN_AFTER_MS).await?;
            tracing::debug!(repository = %row.repository.full_name, line = id.0, why, "an issue's status has to wait");
            Err(Failure::Retry { after_ms, why })
        }
        Err(Failure::GiveUp(why)) => {
            tracing::warn!(repository = %row.repository.full_name, line = id.0, why, "an issue's status can't be written");
            Ok(store::statuses::record_written(&services.store, id, line.total, true, now_ms).await?)
        }
        other => other,
    }
}

async fn write(
    services: &Services,
    turn: &Turn<'_>,
    row: &RepositoryRow,
    line: &Line,
    now_ms: i64,
) -> Result<(), Failure> {
    let (github, forge) = forge_of(services, row)?;
    let name = &row.repository.full_name;
    let Some(number) = line.issue else { return Ok(()) };
    let IssueState::Present(issue) = github.issue(forge.installation, name, number).await? else {
        return Err(Failure::GiveUp("the issue is not there any more".to_owned()));
    };
    let block = render::status_block(&status_of(services, line).await?, &row.repository)?;
    let Some(body) = replace_block(&issue.body, &block) else {
        return Ok(store::statuses::record_written(&services.store, line.id, line.total, true, now_ms).await?);
    };
    if !has_block(&issue.body, &block) {
        turn.take().await?;
        let update = IssueUpdate { body: Some(body), ..IssueUpdate::default() };
        github.update_issue(forge.installation, name, number, &update).await?;
    }
    Ok(store::statuses::record_written(&services.store, line.id, line.total, false, now_ms).await?)
}

async fn status_of(services: &Services, line: &Line) -> Result<Status, Failure> {
    let state = match (line.known, line.resolved_at_ms) {
        (true, _) => State::Known,
        (false, Some(at_ms)) => State::Resolved { commit: line.resolved_commit.clone(), at_ms },
        (false, None) => State::Open,
    };
    Ok(Status {
        counts: store::lines::counts(&services.store, line).await?,
        days: store::lines::count_by_day(&services.store, line).await?,
        state,
        regressions: line.regressions,
        owner: line.owner_login.clone(),
    })
}
