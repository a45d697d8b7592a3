//! The sentences that say who is told, and who was not.

use super::{Person, Step};

/// What helps where nobody is told.
const NAME_ONE: &str = "To have somebody told, name one in .github/flawless.yml: email: { default_contact: … }.";

impl Person {
    /// How they were chosen, for anybody to read. Nothing where the author is told.
    pub fn sentences(&self) -> Vec<String> {
        let mut words = Vec::new();
        if !self.passed.is_empty() {
            let names: Vec<String> = self.passed.iter().map(|(who, why)| format!("{who} ({why})")).collect();
            words.push(format!("Passed over as the one to tell: {}.", names.join(", ")));
        }
        let name = self.name();
        match &self.step {
            Step::Author => words.extend(self.role.as_ref().map(|role| format!("Told: {name}, who {role}."))),
            Step::HandedOn { said, .. } => words.push(format!("{said}, so {name} is told.")),
            Step::DefaultContact if self.passed.is_empty() => {
                words.push("Told: the default contact, because no author is known.".to_owned());
            }
            Step::DefaultContact => {
                words.push("Told: the default contact, because nobody else could be found.".to_owned());
            }
            Step::AfterAll => words.push(format!("Told: {name} all the same, because nobody else could be found.")),
            Step::Nobody => {
                let why =
                    if self.passed.is_empty() { "no author is known" } else { "all who were found are passed over" };
                words.push(if self.to_operator {
                    format!("Told: who runs this server, because {why} and the settings name no default contact.")
                } else {
                    format!("Told to nobody: {why}, and the settings name no default contact. {NAME_ONE}")
                });
            }
            _ => words.push(format!("Told: {name}, {}.", self.because("who", "whom"))),
        }
        words
    }

    /// Why they are told, in a sentence to themselves.
    pub fn why_you(&self) -> String {
        match &self.step {
            Step::Author => match &self.role {
                Some(role) => format!("You {role}."),
                None => "You wrote this line.".to_owned(),
            },
            Step::HandedOn { said_to_you, .. } => format!("{said_to_you}, so this line is yours."),
            Step::AfterAll => "You brought this line, and nobody else could be found who can be told.".to_owned(),
            Step::DefaultContact | Step::Nobody if self.passed.is_empty() => {
                "You are the default contact: it is not known who wrote the code that failed (why: see below)."
                    .to_owned()
            }
            Step::DefaultContact | Step::Nobody => {
                "You are the default contact: nobody else could be found for this line.".to_owned()
            }
            _ => match self.passed.first() {
                Some((who, why)) => {
                    format!("You are told as somebody {}. Passed over: {who} ({why}).", self.because("who", "whom"))
                }
                None => format!("You are told as somebody {}.", self.because("who", "whom")),
            },
        }
    }

    /// Why they are told, in a sentence to others.
    pub fn why_them(&self, author: Option<&str>) -> String {
        let name = self.name();
        match (&self.step, author) {
            (Step::Author, _) => format!("{name} {}.", self.role.as_deref().unwrap_or("wrote this line")),
            (Step::HandedOn { said, .. }, _) => format!("{said}, so this line is theirs."),
            (Step::AfterAll, _) => format!("{name} is told because nobody else could be found."),
            (Step::DefaultContact | Step::Nobody, Some(author)) => format!("{author} wrote this line."),
            (Step::DefaultContact | Step::Nobody, None) => "No author of this line could be found.".to_owned(),
            _ => format!("{name} is told as somebody {}.", self.because("who", "whom")),
        }
    }

    fn because(&self, who: &str, whom: &str) -> String {
        match &self.step {
            Step::PullAuthor(number) => format!("{who} opened pull request #{number}, which brought this line"),
            Step::Merger(number) => format!("{who} merged pull request #{number}, which brought this line"),
            Step::CoAuthor => format!("{whom} the commit names as co-author"),
            Step::Committer => format!("{who} committed this line"),
            Step::Function => format!("{who} wrote more of this function than others who are still there"),
            Step::File => format!("{who} changed this file most often in the last year"),
            Step::CodeOwner { pattern, owner } if owner.contains('/') => {
                format!("{who} is a member of {owner}, which CODEOWNERS names for {pattern}")
            }
            Step::CodeOwner { pattern, .. } => format!("{whom} CODEOWNERS names for {pattern}"),
            Step::HandedOn { .. } | Step::Author | Step::DefaultContact | Step::AfterAll | Step::Nobody => {
                String::new()
            }
        }
    }
}
