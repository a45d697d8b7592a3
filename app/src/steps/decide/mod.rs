//! Deciding: what a line's counts mean, who is told, and at which count to ask again.

mod carry;

use super::{Failure, Services};
use domain::alert::Reply;
use domain::decision::{Send, Tally, decide_known, decide_unknown};
use domain::ids::LineId;
use domain::rule::{KnownMatch, Rules};
use store::decisions::LineUpdate;
use store::deliveries::{Channel, DeliveryMode, NewDelivery};
use store::lines::Line;
use store::repositories::RepositoryRow;

/// Types of exceptions of one line that are told of, beside the first: a line that raises ever other ones is no news.
const MOST_NEW_EXCEPTIONS: usize = 5;

/// Decides about a line.
///
/// # Errors
/// The database is out of reach: to be tried again.
pub async fn decide(services: &Services, id: LineId, now_ms: i64) -> Result<(), Failure> {
    let Some(line) = store::lines::by_id(&services.store, id).await? else { return Ok(()) };
    let Some(row) = store::repositories::by_id(&services.store, line.repository).await? else { return Ok(()) };
    if row.removed_at_ms.is_some() {
        return Ok(());
    }
    let rules = store::rules::of_repository(&services.store, row.repository.id, row.settings.clone(), now_ms).await?;
    let known = known_match(&rules, &line);
    let mut decided = LineUpdate { total: line.total, known: known.is_some(), ..LineUpdate::default() };
    let mut send = Vec::new();
    let mut mode = if row.is_shadow(now_ms) { DeliveryMode::Shadow } else { DeliveryMode::Singly };
    if line.resolved_at_ms.is_some() && known.is_none() {
        // In shadow mode it stays to be told of: nobody but GitHub's issue knows that it was resolved.
        if line.regressed && mode != DeliveryMode::Shadow {
            decided.regressed = true;
            decided.alerted = true;
            decided.next_at = decide_unknown(&tally(&line, true), &Services::terms(&row)).next_at;
            send = regression(services, &row, &line, now_ms).await?;
        }
    } else if let Some(known) = &known {
        let decision = decide_known(&tally(&line, line.known_mailed), &known.entry);
        decided.next_at = decision.next_at;
        let purpose = match decision.send {
            Send::KnownEvery(multiple) => Some(format!("known:{multiple}")),
            Send::KnownMinimum => Some("known:minimum".to_owned()),
            Send::Nothing | Send::Alert => None,
        };
        if let Some(purpose) = purpose {
            decided.known_mailed = true;
            let header = known.entry.email_header.clone();
            send = services.mails(&row, &line, Some(&known.entry), (&purpose, header), now_ms).await?;
        }
    } else {
        let decision = decide_unknown(&tally(&line, line.alerted), &Services::terms(&row));
        decided.next_at = decision.next_at;
        if decision.send == Send::Alert {
            decided.alerted = true;
            send = services.mails(&row, &line, None, ("alert", None), now_ms).await?;
            if let Some(old) = carry::edited_from(services, &line).await?.filter(|_| mode == DeliveryMode::Singly) {
                let told = carry::told_of(services, &old).await?;
                send.retain(|mail| !told.contains(&mail.recipient.to_lowercase()));
                send.push(carried_over(&old, &line)?);
                decided.carried_from = old.issue.map(|issue| (old.id, issue));
                return finish(services, &row, &line, &decided, (&send, mode), now_ms).await;
            }
            if services.has_issues(&row) {
                send.push(delivery(Channel::Issue, "alert", "", String::new()));
            }
            mode = storm(services, &row, mode, now_ms).await?;
        } else if let Some(count) = decision.comment.filter(|_| line.issue.is_some()) {
            let counts = store::lines::counts(&services.store, &line).await?;
            let reply = Reply::Count { total: line.total, servers: counts.servers, releases: counts.releases };
            send.push(comment(&format!("count:{count}"), &reply)?);
        }
        if line.alerted && line.issue.is_some() {
            for exception in store::lines::exceptions_since_alert(&services.store, line.id, MOST_NEW_EXCEPTIONS).await?
            {
                let purpose = format!("exception:{exception}");
                let release = store::lines::counts(&services.store, &line).await?.releases.into_iter().next();
                send.push(comment(&purpose, &Reply::NewException { exception, release })?);
            }
        }
        if let Some(why) = decision.silent {
            tracing::debug!(line = id.0, why, "counted, not told");
        }
    }
    finish(services, &row, &line, &decided, (&send, mode), now_ms).await
}

/// Writes a decision.
async fn finish(
    services: &Services,
    row: &RepositoryRow,
    line: &Line,
    decided: &LineUpdate,
    (send, mode): (&[NewDelivery], DeliveryMode),
    now_ms: i64,
) -> Result<(), Failure> {
    if !send.is_empty() {
        tracing::info!(
            repository = %row.repository.full_name,
            path = %line.place.path,
            line = line.place.line,
            total = line.total,
            messages = send.len(),
            "telling of a line"
        );
    }
    if !store::decisions::record(&services.store, row.repository.id, line.id, decided, (send, mode), now_ms).await? {
        return Err(Failure::retry("the line that it was edited from changed at the same moment"));
    }
    services.wake.notify_one();
    Ok(())
}

fn carried_over(old: &Line, line: &Line) -> Result<NewDelivery, Failure> {
    let reply = Reply::CarriedOver {
        from: old.place.clone(),
        to: line.place.clone(),
        commit: line.commit.clone(),
        author: line.author_name.clone(),
    };
    comment(&format!("carried:{}", old.id), &reply)
}

/// How a new line is told of: by itself, or as one of a storm's, which it may begin.
async fn storm(
    services: &Services,
    row: &RepositoryRow,
    mode: DeliveryMode,
    now_ms: i64,
) -> Result<DeliveryMode, Failure> {
    let id = row.repository.id;
    if mode == DeliveryMode::Shadow {
        return Ok(mode);
    }
    if let Some(storm) = store::storms::open_of(&services.store, id).await? {
        return Ok(DeliveryMode::Storm(storm));
    }
    let since_ms = now_ms - row.settings.storm.window_ms();
    let before = store::lines::count_alerted_since(&services.store, id, since_ms).await?;
    if !row.settings.storm.is_storm(before) {
        return Ok(mode);
    }
    tracing::warn!(repository = %row.repository.full_name, lines = before + 1, "so many new lines at once are a storm");
    Ok(DeliveryMode::Storm(store::storms::insert(&services.store, id, since_ms, now_ms).await?))
}

/// The known error that covers a line.
fn known_match(rules: &Rules, line: &Line) -> Option<KnownMatch> {
    rules.known_error(line.code_at()).cloned()
}

fn tally(line: &Line, alerted: bool) -> Tally {
    Tally {
        total: line.total,
        decided: line.decided_total,
        alerted,
        error_threshold: line.error_threshold,
        written_ms: line.written_at_ms,
    }
}

async fn regression(
    services: &Services,
    row: &RepositoryRow,
    line: &Line,
    now_ms: i64,
) -> Result<Vec<NewDelivery>, Failure> {
    let purpose = format!("regression:{}", line.regressions + 1);
    let release = line.regressed_release.as_deref().or(line.regressed_revision.as_deref());
    let header = match release {
        Some(release) => format!("This line was resolved, and release {release} brought it back."),
        None => "This line was resolved, and it is back.".to_owned(),
    };
    let mut send = services.mails(row, line, None, (&purpose, Some(header)), now_ms).await?;
    let reply = Reply::Regressed {
        release: line.regressed_release.clone(),
        revision: line.regressed_revision.clone(),
        resolved: line.resolved_commit.clone(),
        total: line.total,
    };
    if services.has_issues(row) {
        send.push(comment(&purpose, &reply)?);
    }
    Ok(send)
}

fn comment(purpose: &str, reply: &Reply) -> Result<NewDelivery, Failure> {
    let content = serde_json::to_string(reply).map_err(|error| Failure::GiveUp(error.to_string()))?;
    Ok(delivery(Channel::Comment, purpose, "", content))
}

fn delivery(channel: Channel, purpose: &str, recipient: &str, content: String) -> NewDelivery {
    NewDelivery { channel, purpose: purpose.to_owned(), recipient: recipient.to_owned(), content }
}
