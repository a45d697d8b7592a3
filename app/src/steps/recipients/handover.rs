//! Whom an author's lines of a file were handed on to, and remembering it.

use super::candidates::{Candidates, Named};
use super::subject_of;
use crate::steps::{Failure, Services};
use domain::blame::Author;
use domain::event::HookAccount;
use domain::handover::{Handover, Meaning, Part, Successor};
use domain::person::Candidate;
use store::accounts::KnownAccount;
use store::handovers::NewHandover;
use store::lines::Line;

impl Candidates<'_> {
    /// The handover that holds for the line, and to whom.
    pub(super) async fn handover(&self) -> Result<Option<(Handover, Option<Candidate>)>, Failure> {
        let subject = self.subject;
        let Some(part) = subject.author.and_then(|author| Part::of(subject.path, author)) else { return Ok(None) };
        let store = &self.services.store;
        let id = self.row.repository.id;
        let Some(handover) = store::handovers::in_force(store, id, &part, subject.first_failed_ms).await? else {
            return Ok(None);
        };
        // Whom somebody named is there, commits or not.
        let appointed = Named { seen_ms: Some(i64::MAX), ..Named::default() };
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

impl Services {
    /// The author's part of the file that a line is in, and their account; `None` where nobody wrote it, or a program did.
    ///
    /// # Errors
    /// The database is out of reach.
    pub(in crate::steps) async fn part_of(&self, line: &Line) -> Result<Option<(Part, KnownAccount)>, Failure> {
        let found = match store::tracebacks::latest_of_line(&self.store, line.id, i64::MAX).await? {
            Some(latest) => store::attributions::of_fingerprint(&self.store, latest.fingerprint).await?,
            None => None,
        };
        let by_row = line.author();
        let subject = subject_of(line, by_row.as_ref(), found.as_ref());
        let Some(author) = subject.author else { return Ok(None) };
        let account = store::accounts::by_email(&self.store, &author.email, i64::MIN).await?.unwrap_or_default();
        Ok(Part::of(subject.path, author).filter(|_| !account.is_bot).map(|part| (part, account)))
    }

    /// Remembers what was said of whose a line is: by whom, and whether they are its author.
    ///
    /// # Errors
    /// The database is out of reach.
    pub(in crate::steps) async fn remember_handover(
        &self,
        line: &Line,
        part: Part,
        meaning: Meaning,
        (by, by_author): (&str, bool),
        now_ms: i64,
    ) -> Result<(), Failure> {
        match meaning {
            Meaning::HandedOn(to) => {
                let (repository, by) = (line.repository, by.to_owned());
                let new = NewHandover { repository, part, to, by_author, by, line: line.id };
                store::handovers::insert(&self.store, &new, now_ms).await?;
            }
            Meaning::GivenBack => {
                store::handovers::record_given_back(&self.store, line.repository, &part, (line.id, by), now_ms).await?;
            }
            Meaning::Nothing => {}
        }
        Ok(())
    }
}
