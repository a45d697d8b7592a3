//! Whether a new line is an old one that was edited: then its issue goes on, and no second one is
//! filed.

use crate::services::mirror_sync::CLONE_PATIENCE;
use crate::services::{Failure, blocking, latest_report};
use domain::delivery::{Channel, DeliveryState};
use domain::identity::squeeze;
use domain::timestamp::Timestamp;
use mirror::Mirrors;
use std::collections::HashSet;
use store::Store;
use store::lines::Line;

/// Lines of one function that raise the same exception and have open issues: more than these are
/// not compared.
const MOST_COMPARED: usize = 10;

/// The line that `line` was before somebody edited it: of the same function and exception, with an
/// open issue, written earlier, and gone from the version that failed now. Where a text still
/// stands somewhere in the file it is not gone: two lines of one function can fail alike, and each
/// is told of. Who is told was looked for a moment before, by a mirror that was mended if that
/// could be: what can't be read even then is not waited for. Without mirrors it is told of as a new
/// one.
///
/// # Errors
/// The database is out of reach; or, while the line is new, the mirror was found damaged here
/// first: the next time it is mended before.
pub(super) async fn edited_from(
    store: &Store,
    mirrors: Option<&Mirrors>,
    line: &Line,
    now: Timestamp,
) -> Result<Option<Line>, Failure> {
    let Some(mirrors) = mirrors else { return Ok(None) };
    let candidates = candidates(store, line).await?;
    if candidates.is_empty() {
        return Ok(None);
    }
    let attribution = latest_report(store, line.id).await?.attribution;
    let Some(revision) = attribution.and_then(|found| found.revision) else { return Ok(None) };
    let (mirrors, id, path) = (mirrors.clone(), line.repository, line.place.path.clone());
    let read = move || {
        let lines = mirrors.lines(id, &revision, &path)?;
        Ok(lines.map(|lines| lines.iter().map(|text| squeeze(text)).collect::<HashSet<String>>()))
    };
    let standing = match blocking(read).await {
        Ok(standing) => standing,
        Err(failure) if now - line.first_seen_at < CLONE_PATIENCE => return Err(failure),
        // It is told of as a new one, and once.
        Err(failure) => {
            tracing::warn!(line = line.id.0, %failure, "whether it was another line before can't be read in the mirror");
            None
        }
    };
    let Some(standing) = standing else { return Ok(None) };
    Ok(candidates.into_iter().find(|old| !standing.contains(&squeeze(&old.place.code))))
}

/// Lines of the same function and exception with an open issue that were written earlier.
async fn candidates(store: &Store, line: &Line) -> Result<Vec<Line>, Failure> {
    let (Some(written_at), true) = (line.written_at, line.place.function != "?") else { return Ok(Vec::new()) };
    let mut candidates = store::lines::alike_with_issue(store, line, MOST_COMPARED).await?;
    candidates.retain(|old| old.written_at.is_some_and(|old| old < written_at) && !squeeze(&old.place.code).is_empty());
    Ok(candidates)
}

/// The addresses that were told of a line.
///
/// # Errors
/// The database is out of reach.
pub(super) async fn told_of(store: &Store, line: &Line) -> Result<HashSet<String>, Failure> {
    let deliveries = store::deliveries::of_line(store, line.id).await?;
    let mails = deliveries.into_iter().filter(|it| it.channel == Channel::Mail && it.state != DeliveryState::GivenUp);
    Ok(mails.map(|it| it.recipient.to_lowercase()).collect())
}
