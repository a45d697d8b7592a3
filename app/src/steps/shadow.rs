//! Shadow mode of a repository: begun by hand or for its first days, ended by hand, by its file or by time.

use super::{Failure, SHADOW_AGAIN_AFTER_MS, Services};
use domain::alert::{MailContent, Recipient};
use render;
use store::deliveries::{Channel, Delivery};
use store::repositories::RepositoryRow;
use store::shadow::FOR_EVER_MS;

/// What would have been sent, as its reader would have got it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preview {
    /// Subject of the mail, title of the issue; `None`: a comment has none.
    pub title: Option<String>,
    /// The text.
    pub text: String,
}

impl Services {
    /// Begins a shadow that lasts until somebody ends it.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn begin_shadow(&self, row: &RepositoryRow) -> Result<(), Failure> {
        store::shadow::set_until(&self.store, row.repository.id, Some(FOR_EVER_MS)).await?;
        tracing::info!(repository = %row.repository.full_name, "shadow mode: nothing is sent");
        Ok(())
    }

    /// Ends a shadow: what happens from now on is told.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn end_shadow(&self, row: &RepositoryRow, now_ms: i64) -> Result<(), Failure> {
        store::shadow::set_until(&self.store, row.repository.id, None).await?;
        store::shadow::end(&self.store, row.repository.id, now_ms).await?;
        self.epoch.turn();
        self.wake.notify_one();
        tracing::info!(repository = %row.repository.full_name, "shadow mode is over");
        Ok(())
    }

    /// Holds back what was decided before the shadow began. An alert that was never tried is kept to be shown, as those
    /// that come in the shadow are: its line is told of when it happens again. All else may be half done, or is said once
    /// (a regression): it goes on when the shadow is over. Answers whether it waits for that.
    ///
    /// # Errors
    /// The database is out of reach.
    pub(super) async fn hold_back(&self, delivery: &Delivery, now_ms: i64) -> Result<bool, Failure> {
        if delivery.attempts == 0 && delivery.what.purpose == "alert" {
            store::shadow::keep_delivery(&self.store, delivery.id).await?;
            return Ok(false);
        }
        let why = "nothing is sent in shadow mode";
        store::deliveries::record_failed(&self.store, delivery.id, why, now_ms.saturating_add(SHADOW_AGAIN_AFTER_MS))
            .await?;
        Ok(true)
    }

    /// What a delivery that was never sent would have said.
    ///
    /// # Errors
    /// The database is out of reach, or a row can't be read.
    pub async fn preview(&self, row: &RepositoryRow, delivery: &Delivery, now_ms: i64) -> Result<Preview, Failure> {
        let gone = || Failure::GiveUp("its line is not there any more".to_owned());
        let line = store::lines::by_id(&self.store, delivery.line).await?.ok_or_else(gone)?;
        let read = |error: serde_json::Error| Failure::GiveUp(error.to_string());
        if delivery.what.channel == Channel::Comment {
            let reply = serde_json::from_str(&delivery.what.content).map_err(read)?;
            let text = render::reply(&reply, &self.marker(&line), &row.repository)?;
            return Ok(Preview { title: None, text });
        }
        let latest = store::tracebacks::latest_of_line(&self.store, line.id, i64::MAX).await?;
        if delivery.what.channel == Channel::Issue {
            let login = line.logins().next().map(str::to_owned);
            let told = Recipient { login, ..Recipient::default() };
            let issue = render::issue(&self.alert(row, &line, latest, told, now_ms).await?)?;
            return Ok(Preview { title: Some(issue.title), text: issue.body });
        }
        let content: MailContent = serde_json::from_str(&delivery.what.content).map_err(read)?;
        let mut alert = self.alert(row, &line, latest, content.to, now_ms).await?;
        alert.header = content.header;
        let mail = render::mail(&alert)?;
        Ok(Preview { title: Some(mail.subject), text: mail.text })
    }
}

/// Ends the shadows whose time is over, or which the repository's file ended.
///
/// # Errors
/// The database is out of reach.
pub async fn end_what_is_over(services: &Services, now_ms: i64) -> Result<(), Failure> {
    for id in store::shadow::repositories(&services.store).await? {
        if let Some(row) = store::repositories::by_id(&services.store, id).await?
            && !row.is_shadow(now_ms)
        {
            services.end_shadow(&row, now_ms).await?;
        }
    }
    Ok(())
}
