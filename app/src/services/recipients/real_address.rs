//! The address at which somebody is read, where the one that they committed with reaches nobody.

use super::candidates::Candidates;
use crate::services::Failure;
use domain::blame::Author;
use domain::person::Candidate;
use domain::routing::address_of;
use domain::unread_address::{is_machines, is_placeholder, is_unread};

impl Candidates<'_> {
    /// Gives somebody the address at which they are read: that of the same name or account in the
    /// history, else what GitHub says of the account. Where there is none, a machine's address
    /// says of nobody who it was.
    pub(super) async fn find_real_address(&self, it: &mut Candidate) -> Result<(), Failure> {
        let is_settled = |author: &Author| {
            address_of(&self.row.settings.email, author).is_some_and(|address| {
                // What the settings make of an address is their word.
                !address.eq_ignore_ascii_case(author.email.trim())
                    || !(is_placeholder(&address) || is_machines(&author.name, &author.email))
            })
        };
        if is_settled(&it.author) {
            return Ok(());
        }
        if let Some(found) = self.real_address_of(it).await? {
            it.author.email = found;
            return Ok(());
        }
        // Whose account is known is reached by the issue, if it is a person's.
        it.is_machine = is_machines(&it.author.name, &it.author.email)
            || (it.login.is_none() && !it.author.email.trim().is_empty() && is_unread(&it.author.email))
                && it.author.noreply().is_none();
        Ok(())
    }

    async fn real_address_of(&self, it: &Candidate) -> Result<Option<String>, Failure> {
        let (author, login) = (it.author.clone(), it.login.clone());
        let of_history = self.mirror(move |mirrors, id| mirrors.real_address(id, &author, login.as_ref())).await;
        if let Some(found) = of_history.flatten() {
            return Ok(Some(found));
        }
        // What a document's address is replaced by is somebody's name in the history.
        let Some(login) = it.login.as_ref().filter(|_| is_unread(&it.author.email)) else { return Ok(None) };
        let is_read = |email: &String| !is_unread(email) && !is_placeholder(email);
        let known = store::accounts::addresses_of(&self.recipients.store, login).await?;
        // Of several it is not known which one they read.
        if let [only] = known.into_iter().filter(is_read).collect::<Vec<_>>().as_slice() {
            return Ok(Some(only.clone()));
        }
        let shown = self.lookup.author_of_login(login).await?.map(|author| author.email);
        Ok(shown.filter(|email| !is_unread(email)))
    }
}
