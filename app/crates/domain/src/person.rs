//! Who is told of a blamed line, and who was passed over on the way and why.

mod blamed_line;
mod words;

pub use blamed_line::BlamedLine;
use jiff::SignedDuration;

use super::blame::Author;
use super::handover::Handover;
use super::ids::HandoverId;
use super::names::Login;
use super::pull::Pull;
use serde::{Deserialize, Serialize};

/// A year, after which somebody without a commit is taken to have left.
pub const GONE_AFTER: SignedDuration = SignedDuration::from_hours(365 * 24);

/// Somebody who could be told, with what is known of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidate {
    /// Name and address; either may be empty.
    pub author: Author,
    /// Login on GitHub.
    pub login: Option<Login>,
    /// It is a program.
    pub is_bot: bool,
    /// A machine's address is all that is known: it says nothing of who it was.
    #[serde(default)]
    pub is_machine: bool,
    /// They are named by a commit that no branch or tag reaches, and have none that one does: who
    /// makes a fork writes into it whom they want.
    #[serde(default)]
    pub is_stranger: bool,
    /// No commit anywhere in the repository for [`GONE_AFTER`], while others went on.
    pub has_left: bool,
    /// Whether GitHub lets issues be assigned to them; `None`: not known.
    pub is_assignable: Option<bool>,
    /// Mail can be sent to the address.
    pub can_be_mailed: bool,
    /// The mail server refused the address.
    pub is_refused: bool,
}

impl Candidate {
    /// Their name, else login, else the address.
    pub fn name(&self) -> &str {
        let name = self.author.name.trim();
        if !name.is_empty() {
            return name;
        }
        let login = self.login.as_ref().map(Login::as_str).filter(|login| !login.is_empty());
        login.unwrap_or(self.author.email.trim())
    }

    /// Whether it is no person: a program, or a machine by whose address somebody committed.
    pub fn is_nobody(&self) -> bool {
        self.is_bot || self.is_machine
    }

    /// Whether nothing stands between them and a message.
    pub fn can_be_told(&self) -> bool {
        self.obstacle().is_none()
    }

    /// Why they can't be told; `None`: they can.
    fn obstacle(&self) -> Option<Obstacle> {
        if self.is_bot {
            Some(Obstacle::Bot)
        } else if self.is_machine {
            Some(Obstacle::Machine)
        } else if self.is_stranger {
            Some(Obstacle::Stranger)
        } else if self.has_left {
            Some(Obstacle::Left)
        } else if self.is_assignable == Some(false) {
            Some(Obstacle::NotAssignable)
        } else if self.is_refused {
            Some(Obstacle::Refused)
        } else if !self.can_be_mailed && self.login.is_none() {
            // With a login the issue reaches them, if not now.
            Some(Obstacle::NoAddress)
        } else {
            None
        }
    }

    /// Whether it is the same person, by account or address.
    fn is(&self, other: &Self) -> bool {
        let same = |one: &str, two: &str| !one.trim().is_empty() && one.trim().eq_ignore_ascii_case(two.trim());
        same(&self.author.email, &other.author.email)
            || self.login.as_ref().is_some_and(|login| !login.is_empty() && self.login == other.login)
    }
}

/// What stands between somebody and a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Obstacle {
    Bot,
    Machine,
    Stranger,
    Left,
    NotAssignable,
    Refused,
    NoAddress,
    HandedOn,
}

impl Obstacle {
    fn words(self) -> &'static str {
        match self {
            Self::Bot => "a bot",
            Self::Machine => "a machine's address",
            Self::Stranger => "no commit of theirs is on a branch or tag of this repository",
            Self::Left => "no commit in this repository for a year",
            Self::NotAssignable => "issues of this repository can't be assigned to them",
            Self::Refused => "the mail server refuses their address",
            Self::NoAddress => "no address or account by which to reach them",
            Self::HandedOn => "handed this file on",
        }
    }
}

/// The people of the pull request that brought the line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PullPeople {
    /// Its number.
    pub number: u64,
    /// Who opened it.
    pub author: Option<Candidate>,
    /// Who merged it.
    pub merger: Option<Candidate>,
}

/// Whom CODEOWNERS names for the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Owners {
    /// The pattern of its line.
    pub pattern: String,
    /// Each with the name that the file has for them, `@acme/payments` for a member of that team.
    pub people: Vec<(String, Candidate)>,
    /// Teams whose members could not be read.
    pub unreadable: Vec<String>,
    /// Why the file is not read, where it is there.
    pub unread: Option<String>,
}

/// What is known. What was not looked for yet is empty: each step costs more than the one before,
/// so it is looked for only where the steps before found nobody.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// The commit's author; `None` where git could not say.
    pub author: Option<Candidate>,
    /// What holds for the author's lines of the file, and to whom they were handed on.
    pub handover: Option<(Handover, Option<Candidate>)>,
    /// The commit is a whole pull request, squashed or merged by GitHub.
    pub is_whole_pull: bool,
    /// The pull request that brought the line.
    pub pull: Option<PullPeople>,
    /// Whom the commit names as co-authors.
    pub co_authors: Vec<Candidate>,
    /// Who committed what a program or a machine wrote; looked for only then.
    pub committer: Option<Candidate>,
    /// Who wrote the function, those with most of its lines first.
    pub function: Vec<Candidate>,
    /// Who changed the file in the last year, those who did most often first.
    pub file: Vec<Candidate>,
    /// Whom CODEOWNERS names.
    pub owners: Owners,
    /// Whom the settings name for what is nobody's.
    pub default_contact: Option<String>,
}

/// The step at which somebody was found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Whom the author's lines of the file were handed on to.
    HandedOn {
        /// What was done, up to who got them: `Ada handed lib/cart.py on to them on 2026-11-20`.
        said: String,
        /// The same, to themselves.
        said_to_you: String,
    },
    /// The line's author.
    Author,
    /// Who opened the pull request of this number.
    PullAuthor(u64),
    /// Who merged the pull request of this number.
    Merger(u64),
    /// Whom the commit names as co-author.
    CoAuthor,
    /// Who committed what a program wrote.
    Committer,
    /// Who wrote most of the function, of those who are there.
    Function,
    /// Who changed the file most often in the last year.
    File,
    /// Whom CODEOWNERS names.
    CodeOwner {
        /// By this pattern.
        pattern: String,
        /// As this.
        owner: String,
    },
    /// The default contact of the settings.
    DefaultContact,
    /// The first one who was passed over, because nobody else was found.
    AfterAll,
    /// Nobody was found.
    #[default]
    Nobody,
}

/// Who is told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// Them; `None` for the default contact, whom the settings name, and where nobody was found.
    pub who: Option<Candidate>,
    /// The step that found them.
    pub step: Step,
    /// Who was passed over, and why, in order.
    pub passed: Vec<(String, String)>,
    /// What the author did, where that is not writing the failing line: the words that follow a
    /// name.
    #[serde(default)]
    pub role: Option<String>,
    /// Nobody was found, so its alert went to who runs this server.
    #[serde(default)]
    pub to_operator: bool,
}

/// Who is told of a line, and which pull request brought it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChosenRecipient {
    /// Who.
    pub person: Person,
    /// The pull request.
    pub pull: Option<Pull>,
    /// The handover by which it was decided.
    #[serde(default)]
    pub handover: Option<HandoverId>,
    /// GitHub answered whatever it was asked; else it is to be asked again when there is time.
    pub is_complete: bool,
}

/// Chooses who is told: whom the author's lines were handed on to, else the author, or for who
/// can't be told and a squashed pull request its people; else those who know the function, then
/// the file; then CODEOWNERS; then the default contact.
pub fn choose(facts: &Facts) -> Person {
    let mut passed: Vec<(&Candidate, Obstacle)> = Vec::new();
    let mut person = Person::default();
    for (step, candidate) in candidates(facts) {
        if passed.iter().any(|(known, _)| known.is(candidate)) {
            continue;
        }
        let handed_on = facts.has_handed_on(candidate).then_some(Obstacle::HandedOn);
        match candidate.obstacle().or(handed_on) {
            Some(obstacle) => passed.push((candidate, obstacle)),
            None => {
                (person.who, person.step) = (Some(candidate.clone()), step);
                break;
            }
        }
    }
    let words = |(it, obstacle): &(&Candidate, Obstacle)| {
        let handover = facts.handover.as_ref().filter(|_| *obstacle == Obstacle::HandedOn);
        let why = handover.map_or_else(|| obstacle.words().to_owned(), |(handover, _)| handover.why_not_author());
        (it.name().to_owned(), why)
    };
    person.passed = passed.iter().map(words).collect();
    if person.who.is_none() {
        let unreadable = facts.owners.unreadable.iter();
        person.passed.extend(unreadable.map(|team| (team.clone(), "its members can't be read".to_owned())));
        let unread = facts.owners.unread.iter();
        person.passed.extend(unread.map(|why| ("CODEOWNERS".to_owned(), why.clone())));
        if let Some(it) = after_all(&passed, facts.default_contact.is_some()) {
            (person.who, person.step) = (Some(it.clone()), Step::AfterAll);
        } else if facts.default_contact.is_some() {
            person.step = Step::DefaultContact;
        }
    }
    person
}

/// Everybody who could be told, in the order in which they are asked.
fn candidates(facts: &Facts) -> impl Iterator<Item = (Step, &Candidate)> {
    let successor = facts.handover.iter().filter_map(|(handover, to)| {
        let to = to.as_ref()?;
        let (said, said_to_you) = (handover.said(to.name()), handover.said("you"));
        Some((Step::HandedOn { said, said_to_you }, to))
    });
    let pattern = &facts.owners.pattern;
    let owner = |owner: &String| Step::CodeOwner { pattern: pattern.clone(), owner: owner.clone() };
    successor
        .chain(bringers(facts))
        .chain(facts.function.iter().map(|it| (Step::Function, it)))
        .chain(facts.file.iter().map(|it| (Step::File, it)))
        .chain(facts.owners.people.iter().map(move |(name, it)| (owner(name), it)))
}

/// Of those who were passed over, who is told all the same where nobody else is left: who is there
/// and gets mail knows more of the line than the default contact does; others only before nobody.
fn after_all<'a>(passed: &[(&'a Candidate, Obstacle)], has_default_contact: bool) -> Option<&'a Candidate> {
    let gets_mail = |it: &Candidate| it.can_be_mailed && !it.is_refused;
    let by_mail = |(it, obstacle): &&(&Candidate, Obstacle)| *obstacle == Obstacle::NotAssignable && gets_mail(it);
    let in_any_way = |(it, obstacle): &&(&Candidate, Obstacle)| match obstacle {
        Obstacle::Left | Obstacle::HandedOn => gets_mail(it) || it.is_assignable == Some(true),
        Obstacle::Refused => it.is_assignable == Some(true),
        // Whoever has the public key of a DSN could have anybody written to.
        Obstacle::Stranger => false,
        Obstacle::Bot | Obstacle::Machine | Obstacle::NotAssignable | Obstacle::NoAddress => false,
    };
    let found = passed.iter().find(by_mail);
    found.or_else(|| passed.iter().find(in_any_way).filter(|_| !has_default_contact)).map(|(it, _)| *it)
}

impl Facts {
    /// An author who named somebody is told again only where nobody else is found.
    fn has_handed_on(&self, it: &Candidate) -> bool {
        let Some((_, to)) = &self.handover else { return false };
        let is_successor = to.as_ref().is_some_and(|to| to.is(it));
        !is_successor && self.author.as_ref().is_some_and(|author| author.is(it))
    }
}

/// Who brought the line, in the order in which they are asked.
fn bringers(facts: &Facts) -> Vec<(Step, &Candidate)> {
    let mut all: Vec<(Step, &Candidate)> = Vec::new();
    let author = facts.author.as_ref();
    let pull = facts.pull.as_ref();
    let opener = pull.and_then(|pull| Some((Step::PullAuthor(pull.number), pull.author.as_ref()?)));
    // A program that is named beside somebody wrote it for them: there is nobody to tell.
    let co_authors = facts.co_authors.iter().filter(|it| !it.is_nobody()).map(|it| (Step::CoAuthor, it));
    let opened_by_another =
        opener.as_ref().filter(|(_, it)| !it.is_nobody() && !author.is_some_and(|author| author.is(it)));
    if facts.is_whole_pull && author.is_none_or(|author| !author.is_nobody()) {
        all.extend(opened_by_another.cloned());
        // Who only merged wrote nothing of it, if others say that they did.
        let merger = pull.and_then(|pull| pull.merger.as_ref());
        let is_opener = opener.as_ref().is_some_and(|(_, opener)| author.is_some_and(|author| author.is(opener)));
        if !is_opener && merger.zip(author).is_some_and(|(merger, author)| merger.is(author)) {
            all.extend(co_authors.clone());
        }
    }
    all.extend(author.map(|author| (Step::Author, author)));
    if author.is_some_and(|author| author.obstacle().is_some()) {
        all.extend(co_authors);
    }
    if author.is_some_and(Candidate::is_nobody) {
        all.extend(opener);
        // A program that commits what it wrote says nothing of whom it did so for.
        let committer = facts.committer.as_ref().filter(|it| !it.is_nobody());
        all.extend(committer.map(|it| (Step::Committer, it)));
        all.extend(pull.and_then(|pull| Some((Step::Merger(pull.number), pull.merger.as_ref()?))));
    }
    all
}

impl Person {
    /// Whether further steps need not be looked at.
    pub fn is_found(&self) -> bool {
        self.who.is_some() && self.step != Step::AfterAll
    }

    /// They are told as the author of the failing line itself.
    pub fn wrote_the_line(&self) -> bool {
        self.is_author() && self.role.is_none()
    }

    /// Whether it is the line's author, as it mostly is.
    pub fn is_author(&self) -> bool {
        self.step == Step::Author
    }

    /// Name of who is told, where it is a person.
    pub fn name(&self) -> &str {
        self.who.as_ref().map_or("", Candidate::name)
    }
}

#[cfg(test)]
mod tests;
