//! The mails of a line: who gets one, and why.

use crate::steps::{Failure, Services};
use domain::alert::MailContent;
use domain::person::Step;
use domain::routing::{Route, recipients};
use domain::settings::KnownError;
use store::deliveries::{Channel, DeliveryMode, NewDelivery};
use store::lines::Line;
use store::repositories::RepositoryRow;

impl Services {
    /// Tells somebody else, after a mail's address was refused: whoever is chosen now that this is known. Whether anybody is.
    ///
    /// # Errors
    /// The database is out of reach.
    pub(in crate::steps) async fn mail_another(
        &self,
        row: &RepositoryRow,
        line: &Line,
        refused: &NewDelivery,
        mode: DeliveryMode,
        now_ms: i64,
    ) -> Result<bool, Failure> {
        if !store::refused_addresses::contains(&self.store, &refused.recipient, now_ms).await? {
            return Ok(false);
        }
        let content: MailContent =
            serde_json::from_str(&refused.content).map_err(|error| Failure::GiveUp(error.to_string()))?;
        let told = store::deliveries::of_line(&self.store, line.id).await?;
        let mut more = false;
        for mail in self.mails(row, line, None, (&refused.purpose, content.header), now_ms).await? {
            let is = |address: &str| address.eq_ignore_ascii_case(&mail.recipient);
            let is_told = told.iter().any(|one| one.channel == Channel::Mail && is(&one.recipient));
            // Who watches was told, or is not to be told of this.
            if !is_told && !row.settings.watchers.iter().any(|watcher| is(&watcher.email)) {
                store::deliveries::insert(&self.store, row.repository.id, line.id, (&mail, mode), now_ms).await?;
                more = true;
            }
        }
        self.wake.notify_one();
        Ok(more)
    }

    /// A mail for each who is told of a line.
    ///
    /// # Errors
    /// The database is out of reach.
    pub(in crate::steps) async fn mails(
        &self,
        row: &RepositoryRow,
        line: &Line,
        known: Option<&KnownError>,
        (purpose, header): (&str, Option<String>),
        now_ms: i64,
    ) -> Result<Vec<NewDelivery>, Failure> {
        let traceback = store::tracebacks::latest_of_line(&self.store, line.id, i64::MAX).await?;
        let found = match &traceback {
            Some(traceback) => store::attributions::of_fingerprint(&self.store, traceback.fingerprint).await?,
            None => None,
        };
        let passed_through: Vec<String> =
            found.iter().flat_map(|found| found.located.values().map(|located| located.path.clone())).collect();
        let (told, _) = self.look_for_person_of(row, line, found.as_ref(), now_ms).await?;
        let line = &Line { told: Some(told.clone()), ..line.clone() };
        let person = &told.person;
        let why = person.why_you();
        let route = Route {
            settings: &row.settings,
            path: &line.place.path,
            passed_through: &passed_through,
            author: person.who.as_ref().map(|who| &who.author),
            why: (line.author_email.is_some() || person.step != Step::Nobody).then_some(why.as_str()),
            reassigned: line.is_reassigned(),
            known,
        };
        recipients(&route)
            .into_iter()
            .map(|to| {
                let recipient = to.email.clone().unwrap_or_default();
                let content = MailContent { to, header: header.clone() };
                let content = serde_json::to_string(&content).map_err(|error| Failure::GiveUp(error.to_string()))?;
                Ok(NewDelivery { channel: Channel::Mail, purpose: purpose.to_owned(), recipient, content })
            })
            .collect()
    }
}
