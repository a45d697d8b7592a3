//! "Not me", said on a page.

use crate::steps::{Failure, Services};
use domain::handover::{Meaning, Successor};
use store::lines::Line;

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// It holds for the author's next lines of the file.
    Remembered,
    /// Why it can't be: a sentence.
    Refused(String),
}

/// Hands the author's lines of a line's file on, and the line itself to a login that is named.
///
/// # Errors
/// The database is out of reach.
pub async fn not_me(services: &Services, line: &Line, to: Successor, by: &str, now_ms: i64) -> Result<Said, Failure> {
    let Some((part, account)) = services.part_of(line).await? else {
        let why =
            "No person is known to have written this line, so nothing can be handed on: reassign its issue instead.";
        return Ok(Said::Refused(why.to_owned()));
    };
    let author = account.login.as_deref().or(line.author_login.as_deref());
    let is_author = |login: &str| author.is_some_and(|author| author.eq_ignore_ascii_case(login));
    if to.email.as_deref() == Some(part.email.as_str()) || to.login.as_deref().is_some_and(is_author) {
        let name = to.name().unwrap_or_default();
        return Ok(Said::Refused(format!("{name} wrote this line: name somebody else.")));
    }
    let told = line.told.as_ref().map(|told| &told.person).filter(|person| !person.is_author());
    if let Some(person) = told.filter(|_| to.name().is_none()) {
        let instead = if person.name().is_empty() { "The default contact" } else { person.name() };
        return Ok(Said::Refused(format!("{instead} is told in place of the author: name who is to be told then.")));
    }
    let login = to.login.clone();
    services.remember_handover(line, part, Meaning::HandedOn(to), (by, is_author(by)), now_ms).await?;
    if let Some(login) = login {
        store::lines::set_owner(&services.store, line.id, Some(&login)).await?;
    }
    Ok(Said::Remembered)
}
