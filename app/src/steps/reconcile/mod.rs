//! Comparing what we know with what GitHub says: the repositories that are installed, and the webhooks that got lost.

mod issues;

use super::{Failure, Services};
use domain::command::{COMMAND_LABELS, LabelSpec, OUR_LABEL};
use domain::job::Job;
use domain::repository::Forge;
use github::{GitHub, HookDelivery};
use std::collections::{BTreeMap, HashSet};
use store::repositories::{NewRepository, RepositoryRow};

/// How often GitHub is asked.
pub const RECONCILE_EVERY_MS: i64 = 60 * 60_000;

/// GitHub can deliver again what is not older than three days
/// (<https://docs.github.com/en/webhooks/testing-and-troubleshooting-webhooks/redelivering-webhooks>).
const REDELIVERABLE_MS: i64 = 3 * 24 * 3_600_000;
/// What was delivered a moment ago may still be under way.
const UNDER_WAY_MS: i64 = 60_000;
/// Tries of one webhook after which it is given up: what we refuse five times we refuse for ever.
const MOST_TRIES: usize = 5;
/// Webhooks asked for again at one time; the next hour asks for the others.
const MOST_REDELIVERED: usize = 200;
/// What is acted on; all else may stay lost.
const HEEDED: [&str; 5] = ["installation", "installation_repositories", "issues", "push", "repository"];
/// The fact that says until when deliveries were looked through.
const LOOKED_UNTIL: &str = "deliveries_looked_until_ms";

/// Watches what is installed, and stops watching what is not any more.
///
/// # Errors
/// GitHub or the database is out of reach: to be tried again.
pub async fn reconcile(services: &Services, now_ms: i64) -> Result<(), Failure> {
    let Some(github) = services.app.github() else { return Ok(()) };
    let mut seen: HashSet<u64> = HashSet::new();
    for installation in github.installations().await? {
        if installation.suspended {
            store::repositories::set_suspended(&services.store, installation.id, now_ms).await?;
            for row in store::repositories::list(&services.store).await? {
                if let Some(forge) = row.repository.forge.filter(|forge| forge.installation == installation.id) {
                    seen.insert(forge.id);
                }
            }
            continue;
        }
        for found in github.repositories(installation.id).await? {
            seen.insert(found.id);
            let html_url = format!("{}/{}", services.forge_url, found.full_name);
            let new = NewRepository {
                clone_url: format!("{html_url}.git"),
                full_name: found.full_name,
                forge: Some(Forge { id: found.id, installation: installation.id, html_url }),
                public: !found.private,
            };
            services.watch(&new, now_ms).await?;
        }
    }
    for row in store::repositories::list(&services.store).await? {
        if row.repository.forge.as_ref().is_some_and(|forge| !seen.contains(&forge.id)) {
            services.unwatch(&row, now_ms).await?;
        }
    }
    redeliver(services, &github, now_ms).await?;
    for row in store::repositories::list(&services.store).await? {
        let Some(forge) = row.repository.forge.clone().filter(|_| row.suspended_at_ms.is_none()) else { continue };
        let looked = async {
            issues::issues(services, &github, &row, &forge, now_ms).await?;
            labels(services, &github, &row, &forge, now_ms).await
        };
        match looked.await {
            // One repository that can't be looked at keeps no other from it.
            Err(Failure::GiveUp(why)) => tracing::warn!(repository = %row.repository.full_name, why, "not compared"),
            other => other?,
        }
    }
    Ok(())
}

/// Has labels made again that somebody deleted: a command that can't be given is no command.
async fn labels(
    services: &Services,
    github: &GitHub,
    row: &RepositoryRow,
    forge: &Forge,
    now_ms: i64,
) -> Result<(), Failure> {
    if row.labelled_at_ms == 0 || row.is_shadow(now_ms) {
        return Ok(());
    }
    let wanted: Vec<LabelSpec> = COMMAND_LABELS.into_iter().chain([OUR_LABEL]).collect();
    if !github.missing_labels(forge.installation, &row.repository.full_name, &wanted).await?.is_empty() {
        store::repositories::record_labelled(&services.store, row.repository.id, 0).await?;
        store::jobs::enqueue(&services.store, Job::Write(forge.installation), now_ms, now_ms).await?;
    }
    Ok(())
}

/// Asks for the webhooks again that never arrived: GitHub does not repeat them by itself. Those that arrived under the same
/// id meanwhile change nothing.
async fn redeliver(services: &Services, github: &GitHub, now_ms: i64) -> Result<(), Failure> {
    let looked_ms = store::meta::by_name(&services.store, LOOKED_UNTIL)
        .await?
        .and_then(|text| text.parse::<i64>().ok())
        .unwrap_or(0);
    let tries = match github.hook_deliveries(looked_ms.max(now_ms - REDELIVERABLE_MS)).await {
        Ok(tries) => tries,
        // A server that is not GitHub's own may not know of them: then what is lost stays lost, as it does without asking.
        Err(error) if error.is_permanent() => {
            tracing::info!(%error, "lost webhooks can't be asked for");
            return Ok(());
        }
        Err(error) => return Err(error.into()),
    };
    let mut all: BTreeMap<&str, Vec<&HookDelivery>> = BTreeMap::new();
    for delivery in tries.iter().filter(|delivery| HEEDED.contains(&delivery.event.as_str())) {
        all.entry(&delivery.guid).or_default().push(delivery);
    }
    // In the order in which they happened.
    let mut all: Vec<_> = all.into_iter().collect();
    all.sort_by_key(|(_, tries)| tries.iter().map(|delivery| delivery.id).min());
    let mut asked = 0;
    let mut waiting = false;
    for (guid, tries) in all {
        if tries.iter().any(|delivery| delivery.is_delivered) || store::hooks::exists(&services.store, guid).await? {
            continue;
        }
        waiting = true;
        if tries.len() >= MOST_TRIES || asked >= MOST_REDELIVERED {
            continue;
        }
        // The latest stands first.
        match github.redeliver(tries[0].id).await {
            Ok(()) => asked += 1,
            Err(error) if error.is_permanent() => tracing::warn!(guid, %error, "a lost webhook can't be had again"),
            Err(error) => return Err(error.into()),
        }
    }
    if asked > 0 {
        tracing::info!(asked, "asked GitHub for webhooks that did not arrive");
    }
    if !waiting {
        store::meta::set(&services.store, LOOKED_UNTIL, &(now_ms - UNDER_WAY_MS).to_string()).await?;
    }
    Ok(())
}
