//! Handing an author's lines of a file on to somebody else, by a reassignment or by "Not me", and
//! giving them back.

use super::recipients::{Recipients, subject_of};
use super::{Failure, latest_report};
use domain::handover::{HandoverChange, Part, Successor};
use domain::names::Login;
use domain::timestamp::Timestamp;
use store::accounts::KnownAccount;
use store::handovers::{HandoverWrite, NewHandover};
use store::lines::Line;
use store::repositories::RepositoryRow;
use store::{Store, StoreError};

/// What became of a wish to hand lines on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HandoverOutcome {
    /// It holds for the author's next lines of the file.
    Remembered,
    /// Why it can't be: a sentence.
    Refused(String),
    /// Who says so has a link alone, which is not enough for this: a sentence.
    NotByLink(String),
}

/// Who says "Not me", and by what right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Saying<'a> {
    /// Somebody who may triage, by login or name.
    SignedIn(&'a str),
    /// Whoever has the link out of a mail, as they are called. Mails are forwarded, and what is
    /// told holds local variables and fresh links: they can name who is known already, and have
    /// nobody else written to.
    ByLink(&'a str),
}

impl<'a> Saying<'a> {
    fn name(self) -> &'a str {
        match self {
            Self::SignedIn(name) | Self::ByLink(name) => name,
        }
    }
}

/// The author's part of the file that a line is in, and their account; `None` where nobody wrote
/// it, or a program did.
///
/// # Errors
/// The database is out of reach.
pub async fn part_of(store: &Store, line: &Line) -> Result<Option<(Part, KnownAccount)>, StoreError> {
    let latest = latest_report(store, line.id).await?;
    let author = line.author();
    let subject = subject_of(line, author.as_ref(), latest.attribution.as_ref());
    let Some(author) = subject.author else { return Ok(None) };
    let account =
        store::accounts::by_email(store, &author.email).await?.map(|(account, _)| account).unwrap_or_default();
    Ok(Part::of(subject.path, author).filter(|_| !account.is_bot).map(|part| (part, account)))
}

/// What is remembered of what was said of whose a line is: by whom, and whether they are its
/// author.
pub fn as_write(line: &Line, part: Part, change: HandoverChange, by: &str, by_author: bool) -> HandoverWrite {
    let (repository, by, line) = (line.repository, by.to_owned(), line.id);
    match change {
        HandoverChange::HandedOn(to) => {
            HandoverWrite::HandedOn(NewHandover { repository, part, to, by_author, by, line })
        }
        HandoverChange::GivenBack => HandoverWrite::GivenBack { repository, part, line, by },
        HandoverChange::Nothing => HandoverWrite::Nothing,
    }
}

/// "Not me", said on a page: hands the author's lines of a line's file on, and the line itself to a
/// login that is named.
///
/// # Errors
/// The database is out of reach.
pub async fn not_me(
    recipients: &Recipients,
    row: &RepositoryRow,
    line: &Line,
    to: Successor,
    saying: Saying<'_>,
    now: Timestamp,
) -> Result<HandoverOutcome, Failure> {
    let (store, by) = (&recipients.store, saying.name());
    let Some((part, account)) = part_of(store, line).await? else {
        let why =
            "No person is known to have written this line, so nothing can be handed on: reassign its issue instead.";
        return Ok(HandoverOutcome::Refused(why.to_owned()));
    };
    let author = account.login.as_ref().or(line.author_login.as_ref());
    if let Some(why) = refusal(line, &part, author, &to) {
        return Ok(HandoverOutcome::Refused(why));
    }
    if let (Saying::ByLink(_), Some(name)) = (saying, to.name())
        && !recipients.knows(row, &to, now).await?
    {
        let why =
            format!("Nobody called {name} is known in {}: sign in to name somebody new.", row.repository.full_name);
        return Ok(HandoverOutcome::NotByLink(why));
    }
    if matches!(saying, Saying::ByLink(_)) && line.is_stray {
        let why = format!(
            "This line was found in a commit that no branch or tag of {} has, so a link alone hands nothing on: sign in \
             to do it.",
            row.repository.full_name
        );
        return Ok(HandoverOutcome::NotByLink(why));
    }
    let by_author = matches!(saying, Saying::SignedIn(by) if author.is_some_and(|author| *author == *by));
    let login = to.login.clone();
    // Whoever wrote the line is told no more: what was done without a session can be found here.
    tracing::info!(
        repository = %row.repository.full_name, path = part.path, line = %line.id, by,
        to = to.name().unwrap_or("nobody"), "an author's lines of a file were handed on"
    );
    as_write(line, part, HandoverChange::HandedOn(to), by, by_author).write(store, now).await?;
    if let Some(login) = login {
        store::lines::set_owner(store, line.id, Some(&login)).await?;
        // By GitHub's clock, which dates what is done to the issue.
        let at = recipients.github_app.github().and_then(|github| github.clock()).unwrap_or(now);
        store::lines::record_assigned_at(store, line.id, at).await?;
    }
    Ok(HandoverOutcome::Remembered)
}

/// Why lines can't be handed on to somebody, if they can't: a sentence.
fn refusal(line: &Line, part: &Part, author: Option<&Login>, to: &Successor) -> Option<String> {
    if to.email.as_deref() == Some(part.email.as_str()) || to.login.as_ref().is_some_and(|login| author == Some(login))
    {
        let name = to.name().unwrap_or_default();
        return Some(format!("{name} wrote this line: name somebody else."));
    }
    let told = line.told.as_ref().map(|told| &told.person).filter(|person| !person.is_author());
    let person = told.filter(|_| to.name().is_none())?;
    let instead = if person.name().is_empty() { "The default contact" } else { person.name() };
    Some(format!("{instead} is told in place of the author: name who is to be told then."))
}
