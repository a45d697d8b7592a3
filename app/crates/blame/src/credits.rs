//! What a commit says of itself: who wrote it, with whom, and when.

use crate::CommitWords;
use gix::actor::{Identity, IdentityRef, SignatureRef};
use gix::bstr::{BStr, BString, ByteSlice};
use gix::date::Time;
use gix::mailmap::Snapshot;

/// The trailer that names who wrote a commit with its author, as forges read it.
const CO_AUTHOR: &[u8] = b"co-authored-by:";

/// More co-authors than these are not kept: a squashed branch may name a whole company.
const MOST_CO_AUTHORS: usize = 20;

/// Trailers that are looked at for them.
const MOST_READ: usize = 200;

/// Who wrote a commit, with whom, when, and the first line of what they say of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Credits {
    /// Who wrote it, after `.mailmap`. Empty where the commit names nobody that can be read.
    pub author: Identity,
    /// When the author wrote it; the epoch where that can't be read, as git has it.
    pub author_time: Time,
    /// When it came to where it is, after rebases, and merges by a forge; the epoch where that
    /// can't be read.
    pub commit_time: Time,
    /// Who else wrote it, by its `Co-authored-by` trailers and `.mailmap`: 20 at most, each address
    /// once, without the author.
    pub co_authors: Vec<Identity>,
    /// First line of the message.
    pub summary: BString,
}

impl Credits {
    /// Reads a commit, leniently: history holds commits whose author line no tool would write
    /// today.
    ///
    /// `mailmap` is [`mailmap_of_head`](crate::mailmap_of_head)'s, read once for many commits.
    pub fn of(commit: &gix::Commit<'_>, mailmap: &Snapshot) -> Self {
        let words = CommitWords::of(&commit.data);
        let author = person(
            mailmap,
            SignatureRef { name: words.author.name.as_bstr(), email: words.author.email.as_bstr(), time: "" },
        );
        let co_authors = co_authors_beside(&author, mailmap, words.message.as_bstr());
        let summary = words.summary();
        let CommitWords { author_time, commit_time, .. } = words;
        Self { author, author_time, commit_time, co_authors, summary }
    }
}

/// The people of `Co-authored-by: Name <address>` lines in a commit's message, as written and in
/// order; lines that name nobody with an address are left out.
///
/// Such a line counts anywhere in the message, not only at its end: a squash merge puts the
/// messages of all its commits, with their trailers, one below the other.
pub fn co_authors(message: &BStr) -> impl Iterator<Item = IdentityRef<'_>> {
    message.lines().filter_map(|line| {
        let (key, named) = line.trim().split_at_checked(CO_AUTHOR.len())?;
        let person = key.eq_ignore_ascii_case(CO_AUTHOR).then(|| IdentityRef::from_bytes(named))?;
        person.ok().map(|person| person.trim()).filter(|person| !person.email.is_empty())
    })
}

fn co_authors_beside(author: &Identity, mailmap: &Snapshot, message: &BStr) -> Vec<Identity> {
    let mut found: Vec<Identity> = Vec::new();
    for IdentityRef { name, email } in co_authors(message).take(MOST_READ) {
        let person = person(mailmap, SignatureRef { name, email, time: "" });
        let same = |other: &Identity| other.email.eq_ignore_ascii_case(&person.email);
        if !person.email.is_empty() && !same(author) && !found.iter().any(same) {
            found.push(person);
        }
    }
    found.truncate(MOST_CO_AUTHORS);
    found
}

/// A person as `.mailmap` has them.
fn person(mailmap: &Snapshot, signature: SignatureRef<'_>) -> Identity {
    let person = mailmap.resolve_cow(signature.trim());
    Identity { name: person.name.into_owned(), email: person.email.into_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn co_authors_are_read_from_anywhere_in_the_message() {
        let message = "Add a cart\n\nCo-Authored-By: Ada L <ada@x.com>\nco-authored-by:Grace <grace@x.com>\n\n* more\n\
                       Co-authored-by: nobody\nCo-authored-by: <>\nSigned-off-by: L <l@x.com>\nÄÖ";
        let people: Vec<String> =
            co_authors(message.into()).map(|person| format!("{} {}", person.name, person.email)).collect();
        assert_eq!(people, ["Ada L ada@x.com", "Grace grace@x.com"]);
    }
}
