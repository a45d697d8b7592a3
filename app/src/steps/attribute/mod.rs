//! Attribution: from a stored report to the line that failed, who wrote it, and the words for it.

mod elsewhere;
mod evidence;
mod examine;
mod locate;
mod naming;
mod test_report;

use super::{Failure, Services, blocking};
use domain::attribution::Attribution;
use domain::culprit::Choice;
use domain::ids::ReportId;
use domain::test_report::TEST_EXCEPTION;
pub use evidence::{Evidence, KnownFacts, Reading};
pub use examine::{Case, Examined, examine};
use mirror::{Source, full_id};
pub use naming::{Accusation, accuse};
use std::sync::Arc;
use store::attributions::AttributionOutcome;
use store::reports::StoredReport;
use store::repositories::RepositoryRow;

/// How long a report waits for a mirror that can't be cloned before it is told without one: an outage of the forge is
/// mostly over by then, and an exception that nobody hears of for longer is worse than one without an author.
const CLONE_PATIENCE_MS: i64 = 30 * 60_000;
/// A report from a commit that the mirror lacks asks for a fetch, but not more often than this, and waits for it.
const FETCH_PAUSE_MS: i64 = 30_000;
/// A report that names no revision can't say whether it comes from before or after a fix. So long after the resolution it
/// is taken to come from after it: deployments take hours, not days.
pub const UNKNOWN_REVISION_DELAY_MS: i64 = 24 * 3_600_000;

/// Attributes a stored report.
///
/// # Errors
/// The mirror or the database is out of reach: to be tried again.
pub async fn attribute(services: &Services, id: ReportId, now_ms: i64) -> Result<(), Failure> {
    let Some(stored) = store::reports::by_id(&services.store, id).await? else { return Ok(()) };
    let Some(row) = store::repositories::by_id(&services.store, stored.repository).await? else {
        return Err(Failure::GiveUp("the repository is not watched any more".to_owned()));
    };
    if is_test(services, &stored).await? {
        return test_report::conclude(services, &row, &stored, now_ms).await;
    }
    let trouble = ready_mirror(services, &row, &stored, now_ms).await?;
    // Read again: the fetch may have brought another head and other settings.
    let Some(row) = store::repositories::by_id(&services.store, stored.repository).await? else { return Ok(()) };
    let rules =
        Arc::new(store::rules::of_repository(&services.store, row.repository.id, row.settings.clone(), now_ms).await?);
    let look = async |trouble: Option<String>, with_mirror: bool| {
        let (mirrors, repository, report) = (services.mirrors.clone(), row.repository.clone(), stored.report.clone());
        let rules = Arc::clone(&rules);
        let event_ms = stored.received_at_ms;
        blocking(move || {
            examine(Case {
                mirrors: with_mirror.then_some(&mirrors),
                repository: &repository,
                report: &report,
                rules: &rules,
                event_ms,
                trouble: trouble.as_deref(),
            })
        })
        .await
    };
    let Examined { choice, attribution } = match look(trouble, true).await {
        // A mirror that can't be read for so long will not be read by waiting: somebody has to hear of the exception.
        Err(failure) if now_ms - stored.received_at_ms >= CLONE_PATIENCE_MS => {
            tracing::error!(repository = %row.repository.full_name, %failure, "the mirror can't be read");
            look(Some(format!("The mirror of the repository could not be read: {failure}.")), false).await?
        }
        other => other?,
    };
    if let Choice::Dropped(why) = &choice {
        tracing::debug!(repository = %row.repository.full_name, ?why, "a report is not counted");
        let outcome = outcome_of(&row, None, false, None);
        store::attributions::record(&services.store, &stored, &outcome, now_ms).await?;
        return Ok(());
    }
    let (regressed, recheck_at_ms) = regression(services, &row, &stored, &attribution).await?;
    tracing::info!(
        repository = %row.repository.full_name,
        path = %attribution.place.path,
        line = attribution.place.line,
        author = attribution.blame.as_ref().map(|blame| blame.author.email.as_str()),
        "attributed a report"
    );
    let outcome = outcome_of(&row, Some(attribution), regressed, recheck_at_ms);
    store::attributions::record(&services.store, &stored, &outcome, now_ms).await?;
    Ok(())
}

/// Whether it is the test report that a person asked for on our page. Others of its type are real ones.
async fn is_test(services: &Services, stored: &StoredReport) -> Result<bool, Failure> {
    if stored.report.raised().is_none_or(|raised| raised.kind != TEST_EXCEPTION) {
        return Ok(false);
    }
    Ok(store::test_reports::exists(&services.store, stored.repository, &stored.report.event_id).await?)
}

fn outcome_of(
    row: &RepositoryRow,
    attribution: Option<Attribution>,
    regressed: bool,
    recheck_at_ms: Option<i64>,
) -> AttributionOutcome {
    AttributionOutcome {
        code_generation: row.code_generation,
        rules_generation: row.rules_generation,
        attribution,
        regressed,
        recheck_at_ms,
    }
}

/// Sees to it that the mirror has what the report needs. A sentence for the verdict where it could not be had.
async fn ready_mirror(
    services: &Services,
    row: &RepositoryRow,
    stored: &StoredReport,
    now_ms: i64,
) -> Result<Option<String>, Failure> {
    let id = row.repository.id;
    let there = services.mirrors.exists(id);
    let mut needed = !there || row.fetched_at_ms == 0 || row.pushed_at_ms > row.fetched_at_ms;
    // A fetch that began after the report came has brought all that there is.
    if !needed && row.fetched_at_ms <= stored.received_at_ms {
        // A release that is not in the mirror may have been pushed a moment ago, its webhook still under way.
        let named = named_revisions(stored);
        let mirrors = services.mirrors.clone();
        let resolved = blocking(move || {
            for name in &named {
                if mirrors.resolve(id, name)?.is_some() {
                    return Ok(true);
                }
            }
            Ok(named.is_empty() || !named.iter().any(|name| looks_like_commit(name)))
        })
        .await
        // A mirror that can't be read is brought up to date, which mends most of what can be wrong with it.
        .unwrap_or(false);
        needed = !resolved;
        let pause_ms = FETCH_PAUSE_MS - (now_ms - row.fetched_at_ms);
        if needed && pause_ms > 0 {
            // Told now, it would be told as nobody's, and once and for all.
            let why =
                "it comes from a commit that is not here yet, and the repository was fetched a moment ago".to_owned();
            return Err(Failure::Retry { why, after_ms: Some(pause_ms) });
        }
    }
    if !needed {
        return Ok(None);
    }
    match services.bring_up_to_date(row, now_ms).await {
        Ok(()) => {
            fetch_deployed_commit(services, row, stored).await;
            Ok(None)
        }
        Err(failure) if there => {
            tracing::warn!(repository = %row.repository.full_name, %failure, "the mirror could not be brought up to date");
            Ok(Some(
                "The mirror could not be brought up to date just now, so an older state of it was looked at."
                    .to_owned(),
            ))
        }
        Err(failure) if now_ms - stored.received_at_ms < CLONE_PATIENCE_MS => Err(failure),
        Err(failure) => {
            tracing::warn!(repository = %row.repository.full_name, %failure, "there is no mirror to look at");
            Ok(Some(format!("The repository could not be mirrored: {failure}.")))
        }
    }
}

/// What the report says it runs, the surer first.
fn named_revisions(stored: &StoredReport) -> Vec<String> {
    [&stored.report.revision, &stored.report.release].into_iter().flatten().cloned().collect()
}

/// 7 to 40 hexadecimal digits somewhere in the name: a commit that a fetch may bring.
fn looks_like_commit(name: &str) -> bool {
    name.split(|c: char| !c.is_ascii_alphanumeric()).any(|part| {
        let digits = part.strip_prefix('g').unwrap_or(part);
        (7..=40).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
    })
}

/// A deployed commit that no branch holds any more can still be asked for by its id.
async fn fetch_deployed_commit(services: &Services, row: &RepositoryRow, stored: &StoredReport) {
    let full = named_revisions(stored).iter().find_map(|name| full_id(name));
    let (Some(commit), Ok(token)) = (full, services.token(row).await) else { return };
    let source = Source { id: row.repository.id, url: row.repository.clone_url.clone(), token };
    let mirrors = services.mirrors.clone();
    let fetched = blocking(move || match mirrors.resolve(source.id, &commit)? {
        Some(_) => Ok(true),
        None => mirrors.fetch_commit(&source, &commit),
    })
    .await;
    if let Err(failure) = fetched {
        tracing::info!(repository = %row.repository.full_name, %failure, "the deployed commit could not be fetched by its id");
    }
}

/// Whether a report shows that a resolved line is back; else, until when its fingerprint need not be looked at again.
async fn regression(
    services: &Services,
    row: &RepositoryRow,
    stored: &StoredReport,
    attribution: &Attribution,
) -> Result<(bool, Option<i64>), Failure> {
    let key = attribution.identity.key();
    let Some(resolution) = store::lines::resolution_by_identity(&services.store, row.repository.id, &key).await? else {
        return Ok((false, None));
    };
    let Some(resolved) = resolution.commit else { return Ok((true, None)) };
    match (&attribution.revision, attribution.pinned) {
        (Some(revision), true) => {
            let (mirrors, id, revision) = (services.mirrors.clone(), row.repository.id, revision.clone());
            Ok((blocking(move || mirrors.contains(id, &resolved, &revision)).await?, None))
        }
        _ => {
            let after = resolution.at_ms + UNKNOWN_REVISION_DELAY_MS;
            Ok(if stored.received_at_ms >= after { (true, None) } else { (false, Some(after)) })
        }
    }
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
