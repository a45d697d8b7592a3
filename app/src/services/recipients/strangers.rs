//! Who is named by commits of elsewhere only, so that nobody has them written to.

use super::candidates::Candidates;
use crate::services::Failure;
use domain::blame::Author;
use domain::commit::CommitId;
use domain::names::Login;
use domain::person::Candidate;

impl Candidates<'_> {
    /// Whether the commit by which somebody is named is on no branch or tag; without one of theirs,
    /// the line's. Where no mirror can be read that says it, they are taken to be anybody's.
    pub(super) async fn is_named_by_stray(&self, commit: Option<&CommitId>) -> bool {
        let Some(commit) = commit.or(self.subject.commit).cloned() else { return true };
        self.mirror(move |mirrors, id| mirrors.is_stray(id, &commit)).await.unwrap_or(true)
    }

    /// Whether somebody has no commit that a branch or tag reaches: by their address, or one of
    /// their account's. A name alone proves nothing. Where the mirror can't be read, they are taken
    /// to have none.
    pub(super) async fn is_stranger(&self, it: &Candidate) -> Result<bool, Failure> {
        let author = it.author.clone();
        let mapped = self.mirror(move |mirrors, id| mirrors.mapped_address(id, &author)).await;
        let Some(login) = &it.login else { return Ok(!self.has_committed(mapped.into_iter().collect(), None).await) };
        let mut addresses = store::accounts::addresses_of(&self.recipients.store, login).await?;
        addresses.extend(mapped);
        if self.has_committed(addresses, Some(login)).await {
            return Ok(false);
        }
        let as_seen_there = self.lookup.author_of_login(login).await?.map(|author| author.email);
        Ok(!self.has_committed(as_seen_there.into_iter().collect(), None).await)
    }

    /// Whether there is a commit by one of these addresses, or by a noreply address of the account.
    async fn has_committed(&self, addresses: Vec<String>, login: Option<&Login>) -> bool {
        let addresses: Vec<String> = addresses.iter().map(|address| address.trim().to_lowercase()).collect();
        let login = login.cloned();
        let is_theirs = move |address: &str| {
            let noreply = || Author { name: String::new(), email: address.to_owned() }.noreply();
            addresses.iter().any(|it| it == address)
                || login.as_ref().is_some_and(|login| noreply().is_some_and(|it| it.login == *login))
        };
        self.mirror(move |mirrors, id| mirrors.has_address(id, is_theirs)).await.unwrap_or(false)
    }
}
