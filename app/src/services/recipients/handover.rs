//! Whom an author's lines of a file were handed on to.

use super::candidates::{Candidates, Named};
use crate::services::Failure;
use domain::blame::Author;
use domain::event::HookAccount;
use domain::handover::{Handover, Part, Successor};
use domain::person::Candidate;
use domain::timestamp::Timestamp;

impl Candidates<'_> {
    /// The handover that holds for the line, and to whom.
    pub(super) async fn handover(&self) -> Result<Option<(Handover, Option<Candidate>)>, Failure> {
        let subject = self.subject;
        let Some(part) = subject.author.and_then(|author| Part::of(subject.path, author)) else { return Ok(None) };
        let store = &self.recipients.store;
        let id = self.row.repository.id;
        let Some(handover) = store::handovers::in_force(store, id, &part, subject.first_failed_at).await? else {
            return Ok(None);
        };
        // Whom somebody named is there, commits or not.
        let appointed = Named { seen_at: Some(Timestamp::MAX), ..Named::default() };
        let to = match &handover.to {
            Successor { login: Some(login), .. } => {
                let account = HookAccount { login: login.clone(), ..HookAccount::default() };
                Some(self.candidate(Named { account: Some(&account), ..appointed }).await?)
            }
            Successor { email: Some(email), .. } => {
                let author = Author { name: String::new(), email: email.clone() };
                Some(self.candidate(Named { author, ..appointed }).await?)
            }
            Successor { .. } => None,
        };
        Ok(Some((handover, to)))
    }
}
