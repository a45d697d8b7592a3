//! The effects of webhooks, and the life of rules: what GitHub tells and what people command, by a label or on a page.

mod issue;
mod not_me;

pub use not_me::{Said, not_me};

use super::{Failure, Services};
use domain::event::{Event, HookRepository};
use domain::ids::{HookId, RepositoryId, RuleId};
use domain::job::Job;
use domain::repository::Forge;
use domain::rule::{MadeRule, RuleKind, Rules};
use domain::settings::KnownError;
use std::collections::BTreeSet;
use store::repositories::{NewRepository, RepositoryRow};
use store::rules::{Baseline, NewRule, RuleRow};

/// Acts on a stored webhook delivery.
///
/// # Errors
/// The database or GitHub is out of reach: to be tried again.
pub async fn process(services: &Services, id: HookId, now_ms: i64) -> Result<(), Failure> {
    let Some((event, received_at_ms)) = store::hooks::pending_by_id(&services.store, id).await? else { return Ok(()) };
    match &event {
        Event::Push { repository, git_ref } => {
            if let Some(row) = known(services, repository).await? {
                tracing::debug!(repository = %row.repository.full_name, git_ref, "a push was announced");
                store::repositories::record_push(&services.store, row.repository.id, received_at_ms, now_ms).await?;
                services.wake.notify_one();
            }
        }
        Event::Issue { repository, action, issue, sender } => {
            if let Some(row) = known(services, repository).await? {
                issue::process(services, &row, id, action, issue, sender, now_ms).await?;
            }
        }
        Event::Installed { installation, repositories } => {
            for repository in repositories {
                watch(services, *installation, repository, now_ms).await?;
            }
            // The payload can be incomplete, or empty after an unsuspension: GitHub is asked as well.
            store::jobs::enqueue(&services.store, Job::Reconcile, now_ms, now_ms).await?;
            services.wake.notify_one();
        }
        Event::RepositoriesRemoved { repositories, .. } => {
            for repository in repositories {
                unwatch(services, repository.id, now_ms).await?;
            }
        }
        Event::Uninstalled { installation } => {
            for row in store::repositories::list(&services.store).await? {
                if row.repository.forge.as_ref().is_some_and(|forge| forge.installation == *installation) {
                    services.unwatch(&row, now_ms).await?;
                }
            }
        }
        Event::Suspended { installation } => {
            store::repositories::set_suspended(&services.store, *installation, now_ms).await?
        }
        Event::RepositoryChanged { repository } => {
            if let Some(row) = known(services, repository).await? {
                let ours = row.repository.forge.as_ref().map(|forge| forge.installation);
                if let Some(theirs) = repository.installation.filter(|theirs| Some(*theirs) != ours) {
                    // It went to another account that has the App: writes go through that one's queue from now on.
                    watch(services, theirs, repository, now_ms).await?;
                }
                store::repositories::record_push(&services.store, row.repository.id, received_at_ms, now_ms).await?;
            }
        }
        Event::RepositoryDeleted { repository } => unwatch(services, repository.id, now_ms).await?,
        Event::Ignored => {}
    }
    store::hooks::record_processed(&services.store, id, now_ms).await?;
    Ok(())
}

/// The watched repository that a payload names, brought up to date with what the payload says: every one tells the name.
async fn known(services: &Services, named: &HookRepository) -> Result<Option<RepositoryRow>, Failure> {
    let Some(row) = store::repositories::by_forge_id(&services.store, named.id).await? else { return Ok(None) };
    if row.removed_at_ms.is_some() {
        return Ok(None);
    }
    let public = named.private.map(|private| !private);
    let unchanged =
        row.repository.full_name == named.full_name && public.is_none_or(|public| public == row.repository.public);
    if unchanged || named.full_name.is_empty() {
        return Ok(Some(row));
    }
    let html_url = format!("{}/{}", services.forge_url, named.full_name);
    let clone_url = format!("{html_url}.git");
    store::repositories::record_changed(
        &services.store,
        row.repository.id,
        &named.full_name,
        &html_url,
        &clone_url,
        public,
    )
    .await?;
    Ok(store::repositories::by_id(&services.store, row.repository.id).await?)
}

async fn watch(services: &Services, installation: u64, named: &HookRepository, now_ms: i64) -> Result<(), Failure> {
    let html_url = format!("{}/{}", services.forge_url, named.full_name);
    let new = NewRepository {
        full_name: named.full_name.clone(),
        clone_url: format!("{html_url}.git"),
        forge: Some(Forge { id: named.id, installation, html_url }),
        // What is not known to be public is treated as public: messages carry data.
        public: named.private != Some(true),
    };
    services.watch(&new, now_ms).await?;
    Ok(())
}

async fn unwatch(services: &Services, forge_id: u64, now_ms: i64) -> Result<(), Failure> {
    if let Some(row) = store::repositories::by_forge_id(&services.store, forge_id).await?
        && row.removed_at_ms.is_none()
    {
        services.unwatch(&row, now_ms).await?;
    }
    Ok(())
}

/// Makes a rule and puts it in force at once. `None`: it was in force already.
///
/// # Errors
/// The database is out of reach.
pub async fn make_rule(services: &Services, new: &NewRule, now_ms: i64) -> Result<Option<RuleId>, Failure> {
    let covered = covered(services, new.repository, &new.entry).await?;
    let made = store::rules::insert(&services.store, new, &covered, now_ms).await?;
    judge_again(services, new.repository, &new.entry.file, now_ms).await?;
    Ok(made)
}

/// Changes a rule that is in force, wherever it came from; `false` where it is not.
///
/// # Errors
/// The database is out of reach.
pub async fn change_rule(
    services: &Services,
    repository: RepositoryId,
    rule: RuleId,
    entry: &KnownError,
    (by, now_ms): (&str, i64),
) -> Result<bool, Failure> {
    let Some(before) = rule_of(services, repository, rule).await? else { return Ok(false) };
    let covered = covered(services, repository, entry).await?;
    release_line(services, &before, Some(entry), now_ms).await?;
    let changed = store::rules::update(&services.store, repository, rule, entry, &covered, (by, now_ms)).await?;
    judge_again(services, repository, &before.made.entry.file, now_ms).await?;
    if before.made.entry.file != entry.file {
        judge_again(services, repository, &entry.file, now_ms).await?;
    }
    Ok(changed)
}

/// Ends a rule; `false` where it was not in force. One that a label made leaves its issue closed: the line counts as
/// resolved then, so that its next report opens the issue again.
///
/// # Errors
/// The database is out of reach.
pub async fn end_rule(
    services: &Services,
    repository: RepositoryId,
    rule: RuleId,
    by: &str,
    now_ms: i64,
) -> Result<bool, Failure> {
    let Some(row) = rule_of(services, repository, rule).await? else { return Ok(false) };
    release_line(services, &row, None, now_ms).await?;
    let ended = store::rules::end(&services.store, repository, rule, by, now_ms).await?;
    judge_again(services, repository, &row.made.entry.file, now_ms).await?;
    Ok(ended)
}

/// Before a label's rule ends or is changed: if nothing else covers its line then, the line counts as resolved, for its issue is
/// closed, and nothing would ever open it again. It comes first, so that whoever is cut off in between can do it once more: while
/// the rule is in force, it is the one that decides.
async fn release_line(
    services: &Services,
    rule: &RuleRow,
    becomes: Option<&KnownError>,
    now_ms: i64,
) -> Result<(), Failure> {
    let Some(id) = rule.line.filter(|_| rule.made.kind == RuleKind::KnownError) else { return Ok(()) };
    let Some(line) = store::lines::by_id(&services.store, id).await? else { return Ok(()) };
    let Some(row) = store::repositories::by_id(&services.store, line.repository).await? else { return Ok(()) };
    let made = store::rules::in_force(&services.store, line.repository).await?.into_iter().map(|row| row.made);
    let then = made.filter_map(|made| match becomes {
        _ if made.id != rule.made.id => Some(made),
        Some(entry) => Some(MadeRule { entry: entry.clone(), ..made }),
        None => None,
    });
    let rules = Rules::new(row.settings, then.collect(), now_ms);
    if rules.known_error(line.code_at()).is_none() {
        store::lines::resolve(&services.store, id, None, now_ms).await?;
        services.epoch.turn();
    }
    Ok(())
}

/// Ends what holds until a day that is over, and lets lines be told again that only such entries of a file covered.
///
/// # Errors
/// The database is out of reach.
pub async fn end_what_is_over(services: &Services, now_ms: i64) -> Result<(), Failure> {
    for row in store::repositories::list(&services.store).await? {
        let id = row.repository.id;
        for rule in
            store::rules::in_force(&services.store, id).await?.iter().filter(|rule| rule.made.entry.is_over(now_ms))
        {
            end_rule(services, id, rule.made.id, "its last day", now_ms).await?;
        }
        let over: BTreeSet<&str> =
            row.settings.known_errors.iter().filter(|it| it.is_over(now_ms)).map(|it| it.file.as_str()).collect();
        for file in over {
            if judge_again(services, id, file, now_ms).await? > 0 {
                store::rules::record_lapsed(&services.store, id).await?;
                services.epoch.turn();
            }
        }
    }
    Ok(())
}

async fn rule_of(services: &Services, repository: RepositoryId, rule: RuleId) -> Result<Option<RuleRow>, Failure> {
    Ok(store::rules::in_force(&services.store, repository).await?.into_iter().find(|row| row.made.id == rule))
}

/// The lines that an entry covers, with their counts.
async fn covered(services: &Services, repository: RepositoryId, entry: &KnownError) -> Result<Vec<Baseline>, Failure> {
    let pattern = entry.pattern();
    let lines = store::lines::of_path(&services.store, repository, &entry.file).await?;
    Ok(lines.iter().filter(|line| pattern.matches(line.code_at())).map(|line| (line.id, line.total)).collect())
}

/// Marks the lines of a file as known or not, as the rules now say, so that pages agree with them at once. Returns how many
/// changed.
async fn judge_again(services: &Services, repository: RepositoryId, file: &str, now_ms: i64) -> Result<usize, Failure> {
    services.epoch.turn();
    let Some(row) = store::repositories::by_id(&services.store, repository).await? else { return Ok(0) };
    let rules = store::rules::of_repository(&services.store, repository, row.settings, now_ms).await?;
    let mut changed = 0;
    for line in store::lines::of_path(&services.store, repository, file).await? {
        let known = rules.known_error(line.code_at()).is_some();
        if known != line.known {
            store::lines::set_known(&services.store, line.id, known).await?;
            changed += 1;
        }
    }
    Ok(changed)
}
