//! Delivering: one e-mail, issue or comment, sent once however often the step runs.

mod files;
mod forge;
mod labels;
mod status;
mod storm;
mod turn;

pub use storm::storm;
pub use turn::turn;

use super::{Failure, SHADOW_AGAIN_AFTER_MS, Services};
use domain::alert::{MailContent, Reply};
use domain::ids::DeliveryId;
use domain::job::Job;
use email::{MailError, OutgoingMail};
use render;
use store::deliveries::{Channel, Delivery, DeliveryMode};
use store::lines::Line;
use store::repositories::RepositoryRow;

/// Sends a delivery.
///
/// # Errors
/// The mail server, GitHub or the database is out of reach: to be tried again. What can never be sent is noted as given
/// up, and is no error.
pub async fn deliver(services: &Services, id: DeliveryId, now_ms: i64) -> Result<(), Failure> {
    let Some(delivery) = store::deliveries::claim_attempt(&services.store, id).await? else { return Ok(()) };
    if delivery.settled {
        return Ok(());
    }
    let (Some(line), Some(row)) = (
        store::lines::by_id(&services.store, delivery.line).await?,
        store::repositories::by_id(&services.store, delivery.repository).await?,
    ) else {
        return Ok(());
    };
    if row.removed_at_ms.is_some() {
        store::deliveries::record_given_up(&services.store, id, "the repository is not watched any more", now_ms)
            .await?;
        return Ok(());
    }
    if row.is_shadow(now_ms) {
        return match services.hold_back(&delivery, now_ms).await? {
            true => Err(Failure::Again { at_ms: now_ms.saturating_add(SHADOW_AGAIN_AFTER_MS) }),
            false => Ok(()),
        };
    }
    let result = match delivery.what.channel {
        Channel::Mail => mail(services, &row, &line, &delivery, now_ms).await,
        Channel::Issue | Channel::Comment => match &row.repository.forge {
            // It was decided before the repository was GitHub's, or by a version that had no queue.
            Some(forge) => {
                store::jobs::enqueue(&services.store, Job::Write(forge.installation), now_ms, now_ms).await?;
                return Ok(());
            }
            None if services.app.get().is_some() => {
                Err(Failure::GiveUp("a plain git repository has no issues".to_owned()))
            }
            None if delivery.what.channel == Channel::Issue => {
                files::issue(services, &row, &line, &delivery, now_ms).await
            }
            None => files::comment(services, &row, &line, &delivery).await,
        },
    };
    match result {
        Ok(receipt) => {
            store::deliveries::record_sent(&services.store, id, &receipt, now_ms).await?;
            tracing::info!(repository = %row.repository.full_name, channel = ?delivery.what.channel, receipt, "delivered");
            Ok(())
        }
        Err(Failure::GiveUp(why)) => {
            tracing::warn!(repository = %row.repository.full_name, channel = ?delivery.what.channel, why, "a delivery was given up");
            // First somebody else: cut off in between, it is tried once more.
            if delivery.what.channel == Channel::Mail {
                services.mail_another(&row, &line, &delivery.what, DeliveryMode::Singly, now_ms).await?;
            }
            store::deliveries::record_given_up(&services.store, id, &why, now_ms).await?;
            Ok(())
        }
        Err(retry) => {
            store::deliveries::record_failed(&services.store, id, &retry.to_string(), now_ms).await?;
            Err(retry)
        }
    }
}

/// Sends a mail. A crash between sending and noting it sends it again, under the same Message-ID, which mail programs and
/// servers show once.
async fn mail(
    services: &Services,
    row: &RepositoryRow,
    line: &Line,
    delivery: &Delivery,
    now_ms: i64,
) -> Result<String, Failure> {
    let content: MailContent =
        serde_json::from_str(&delivery.what.content).map_err(|error| Failure::GiveUp(error.to_string()))?;
    let latest = store::tracebacks::latest_of_line(&services.store, line.id, i64::MAX).await?;
    let mut alert = services.alert(row, line, latest, content.to, now_ms).await?;
    alert.header = content.header;
    let mail = render::mail(&alert)?;
    let host = host_of(services.linker.base());
    let message_id = format!("flawless.{}.{}@{host}", delivery.id, services.installation);
    let outgoing = OutgoingMail {
        message_id: message_id.clone(),
        to_name: alert.told.name.clone(),
        to_email: delivery.what.recipient.clone(),
        subject: mail.subject,
        text: mail.text,
        html: mail.html,
        date_ms: delivery.created_at_ms,
        reply_to: None,
        list_id: Some(format!("{}.{host}", row.repository.full_name.replace('/', "-"))),
        repository: row.repository.full_name.clone(),
        line: Some(line.id.0),
    };
    match services.mailer.send(&outgoing).await {
        Ok(()) => Ok(message_id),
        Err(error) => Err(unsent(services, &outgoing.to_email, &error, now_ms).await?),
    }
}

/// What becomes of a mail that could not be sent. That its address is refused is remembered.
async fn unsent(services: &Services, address: &str, error: &MailError, now_ms: i64) -> Result<Failure, Failure> {
    if error.is_about_the_address() {
        store::refused_addresses::record(&services.store, address, &error.to_string(), now_ms).await?;
    }
    Ok(if error.is_worth_a_retry() { Failure::retry(error) } else { Failure::GiveUp(error.to_string()) })
}

/// The right-hand side of Message-IDs: the server's own name.
fn host_of(base: &str) -> String {
    url::Url::parse(base)
        .ok()
        .and_then(|url| url.host_str().map(str::to_owned))
        .unwrap_or_else(|| "localhost".to_owned())
}

/// What a comment says.
fn reply_of(delivery: &Delivery) -> Result<Reply, Failure> {
    serde_json::from_str(&delivery.what.content).map_err(|error| Failure::GiveUp(error.to_string()))
}
