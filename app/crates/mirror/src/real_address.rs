//! The address at which somebody is read who committed with one at which nobody is: another one of
//! the same person's, as the history or `.mailmap` has it.

use super::Mirrors;
use super::error::MirrorError;
use super::tips::named;
use blame::mailmap_of_head;
use domain::blame::{Author, Noreply};
use domain::ids::RepositoryId;
use domain::names::Login;
use domain::unread_address::{is_placeholder, is_unread};
use gix::bstr::ByteSlice;

impl Mirrors {
    /// The address of somebody who is read there: one with which the same full name committed, or
    /// a name that the same account of GitHub's commits with. Nothing where it may be somebody
    /// else's of that name, or the name is a single word, as many people have it. Of very long
    /// histories the newest commits are looked at; what no branch or tag reaches says nothing.
    ///
    /// # Errors
    /// [`MirrorError::NoMirror`], [`MirrorError::Git`].
    pub fn real_address(
        &self,
        id: RepositoryId,
        author: &Author,
        login: Option<&Login>,
    ) -> Result<Option<String>, MirrorError> {
        let history = self.commits_since(id, named, i64::MIN)?;
        let mapped = self.ask(id, |repo| {
            let text = |it: Option<&gix::bstr::BStr>| it.map(|it| it.to_str_lossy().into_owned());
            let snapshot = mailmap_of_head(repo);
            let entries = snapshot.iter().map(|entry| Author {
                name: text(entry.new_name()).unwrap_or_default(),
                email: text(entry.new_email()).or_else(|| text(Some(entry.old_email()))).unwrap_or_default(),
            });
            Ok(entries.collect::<Vec<_>>())
        })?;
        let all = || history.commits.iter().map(|(_, _, author)| author).chain(&mapped);
        Ok(real_address_among(all, author, login))
    }
}

/// The same among these, the newest first.
fn real_address_among<'a, I: Iterator<Item = &'a Author>>(
    all: impl Fn() -> I,
    author: &Author,
    login: Option<&Login>,
) -> Option<String> {
    let own = author.noreply().or_else(|| login.map(|login| Noreply { account: None, login: login.clone() }));
    let is_own = |other: &Noreply| own.as_ref().is_some_and(|own| is_same_account(own, other));
    let mut names: Vec<String> = full_name(author).into_iter().collect();
    for it in all().filter(|it| it.noreply().is_some_and(|it| is_own(&it))) {
        names.extend(full_name(it).filter(|name| !names.contains(name)));
    }
    let mut addresses: Vec<String> = Vec::new();
    let mut account = own.clone();
    for it in all().filter(|it| full_name(it).is_some_and(|name| names.contains(&name))) {
        match it.noreply() {
            // Two accounts of one name are two people.
            Some(other) if account.as_ref().is_some_and(|known| !is_same_account(known, &other)) => return None,
            Some(other) => account = account.or(Some(other)),
            None if is_unread(&it.email) => {}
            None => {
                let email = it.email.trim();
                if !addresses.iter().any(|known| known.eq_ignore_ascii_case(email)) {
                    addresses.push(email.to_owned());
                }
            }
        }
    }
    if addresses.iter().any(|it| !is_placeholder(it)) {
        addresses.retain(|it| !is_placeholder(it));
    }
    let newest = addresses.first()?;
    // Who has the same name at two domains is one person with two addresses; with another name
    // before the `@` it may be two, of whom the account is the one that is called as it is.
    let is_one = addresses.iter().all(|it| local(it).eq_ignore_ascii_case(local(newest)));
    let is_accounts = |it: &&String| own.as_ref().is_some_and(|own| own.login.as_str().eq_ignore_ascii_case(local(it)));
    if is_one { Some(newest.clone()) } else { addresses.iter().find(is_accounts).cloned() }
}

/// What stands before the `@`, without what somebody added to sort their mail: `ada+git`.
fn local(email: &str) -> &str {
    let local = email.rsplit_once('@').map_or(email, |(local, _)| local);
    local.split_once('+').map_or(local, |(name, _)| name)
}

/// By number where both have one: logins are renamed.
fn is_same_account(one: &Noreply, other: &Noreply) -> bool {
    match (one.account, other.account) {
        (Some(one), Some(other)) => one == other,
        _ => one.login == other.login,
    }
}

/// A name of two words at least, in lower case.
fn full_name(author: &Author) -> Option<String> {
    let words: Vec<&str> = author.name.split_whitespace().collect();
    (words.len() > 1).then(|| words.join(" ").to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn by(person: &str) -> Author {
        let (name, email) = person.split_once(" <").expect("Name <address>");
        Author { name: name.into(), email: email.trim_end_matches('>').into() }
    }

    fn found(who: &str, login: Option<&str>, history: &[&str]) -> Option<String> {
        let history: Vec<Author> = history.iter().map(|it| by(it)).collect();
        real_address_among(|| history.iter(), &by(who), login.map(Login::from).as_ref())
    }

    const HIDDEN: &str = "Ada Lovelace <7+ada@users.noreply.github.com>";

    #[test]
    fn somebody_is_found_by_full_name_or_account() {
        let real = Some("ada@acme.dev".to_owned());
        assert_eq!(found(HIDDEN, None, &["Ada Lovelace <ada@acme.dev>"]), real);
        assert_eq!(found("Ada  LOVELACE <ada@macbook.local>", None, &["Ada Lovelace <ada@acme.dev>"]), real);
        // The old form, and an account that was renamed meanwhile.
        let other = "Ada Lovelace <ada@users.noreply.github.com>";
        assert_eq!(found("ada <7+ada@users.noreply.github.com>", None, &[other, "Ada Lovelace <ada@acme.dev>"]), real);
        let renamed = "Ada Lovelace <7+lovelace@users.noreply.github.com>";
        assert_eq!(found(HIDDEN, None, &[renamed, "Ada Lovelace <ada@acme.dev>"]), real);
        // By the account alone, of which GitHub told.
        assert_eq!(found("ada <ada@(none)>", Some("ada"), &[HIDDEN, "Ada Lovelace <ada@acme.dev>"]), real);
    }

    #[test]
    fn a_name_that_may_be_two_peoples_leads_to_nobody() {
        assert_eq!(found("Ada <7+ada@users.noreply.github.com>", None, &["Ada <ada@acme.dev>"]), None);
        assert_eq!(found(HIDDEN, None, &["Ada Byron <ada@acme.dev>"]), None);
        let two = ["Ada Lovelace <al@acme.dev>", "Ada Lovelace <lovelace@acme.dev>"];
        assert_eq!(found(HIDDEN, None, &two), None);
        let namesake = ["Ada Lovelace <9+lovelace@users.noreply.github.com>", "Ada Lovelace <ada@acme.dev>"];
        assert_eq!(found(HIDDEN, None, &namesake), None);
        assert_eq!(found(HIDDEN, None, &["Ada Lovelace <ada@laptop>", "Ada Lovelace <ci@acme.dev>"]), None);
    }

    #[test]
    fn of_several_addresses_one_may_be_the_accounts() {
        let two = ["Ada Lovelace <lovelace@acme.dev>", "Ada Lovelace <ada@acme.dev>"];
        assert_eq!(found(HIDDEN, None, &two).as_deref(), Some("ada@acme.dev"));
        assert_eq!(found("Ada Lovelace <9+al@users.noreply.github.com>", None, &two), None);
        let sorted = ["Ada Lovelace <ada+git@acme.dev>", "Ada Lovelace <ada@acme.dev>"];
        assert_eq!(found("Ada Lovelace <ada@laptop>", None, &sorted).as_deref(), Some("ada+git@acme.dev"));
        let other = ["Ada Lovelace <adam+ada@acme.dev>", "Ada Lovelace <eve@acme.dev>"];
        assert_eq!(found(HIDDEN, None, &other), None);
    }

    #[test]
    fn an_address_of_documents_is_the_last_choice() {
        let both = ["Ada Lovelace <ada@example.com>", "Ada Lovelace <al@acme.dev>"];
        assert_eq!(found(HIDDEN, None, &both).as_deref(), Some("al@acme.dev"));
        assert_eq!(found(HIDDEN, None, &both[..1]).as_deref(), Some("ada@example.com"));
        let moved = ["Ada Lovelace <ada@acme.dev>", "Ada Lovelace <ada@old.dev>"];
        assert_eq!(found(HIDDEN, None, &moved).as_deref(), Some("ada@acme.dev"), "the newest");
    }
}
