//! Who hands an author's lines of a file on to whom, and what of that holds for a new line.

use super::address::is_address;
use super::blame::Author;
use super::bots::{is_bot, is_bot_name};
use super::event::HookAccount;
use super::ids::{HandoverId, LineId};
use super::names::Login;
use crate::timestamp::Timestamp;

/// Whose lines, and in which file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The file.
    pub path: String,
    /// The author's name.
    pub name: String,
    /// The author's address, lower case.
    pub email: String,
}

impl Part {
    /// The author's part of a file; `None` for a program, nobody and no file: those hand nothing
    /// on.
    pub fn of(path: &str, author: &Author) -> Option<Self> {
        let email = author.email.trim().to_lowercase();
        let is_somebody = !path.is_empty() && !email.is_empty() && !is_bot(author);
        is_somebody.then(|| Self { path: path.to_owned(), name: author.name.trim().to_owned(), email })
    }
}

/// To whom. Neither: nobody was named.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Successor {
    /// Their login on GitHub.
    pub login: Option<Login>,
    /// Their address.
    pub email: Option<String>,
}

impl Successor {
    /// How they are called.
    pub fn name(&self) -> Option<&str> {
        self.login.as_ref().map(Login::as_str).or(self.email.as_deref())
    }

    /// Whether it is the same person.
    pub fn is(&self, other: &Self) -> bool {
        let same = |one: &String, two: &String| one.eq_ignore_ascii_case(two);
        let same_email = match (&self.email, &other.email) {
            (Some(one), Some(two)) => same(one, two),
            (one, two) => one == two,
        };
        self.login == other.login && same_email
    }
}

/// A handover, as it is remembered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handover {
    /// Its number.
    pub id: HandoverId,
    /// What is handed on.
    pub part: Part,
    /// To whom.
    pub to: Successor,
    /// The author themselves said so.
    pub by_author: bool,
    /// Login or name of who said so.
    pub by: String,
    /// When.
    pub made_at: Timestamp,
    /// The line of which it was said.
    pub line: LineId,
}

impl Handover {
    /// What was done and when, as the end of a sentence about somebody:
    /// `Ada handed shop/cart.py on to them on 2026-11-20`.
    pub fn said(&self, them: &str) -> String {
        let (by, path, on) = (&self.by, &self.part.path, self.made_at.date());
        let author = if self.part.name.is_empty() { &self.part.email } else { &self.part.name };
        if self.by_author {
            return format!("{author} handed {path} on to {them} on {on}");
        }
        format!("{by} handed what {author} wrote in {path} on to {them} on {on}")
    }

    /// Why the author is passed over.
    pub fn why_not_author(&self) -> String {
        let (path, on) = (&self.part.path, self.made_at.date());
        match (self.by_author, self.to.name()) {
            (true, Some(to)) => format!("handed {path} on to {to} on {on}"),
            (true, None) => format!("said on {on} that {path} is not theirs"),
            (false, Some(to)) => format!("{} handed their part of {path} on to {to} on {on}", self.by),
            (false, None) => format!("{} said on {on} that {path} is not theirs", self.by),
        }
    }
}

/// What somebody said changes of whose an author's lines of a file are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HandoverChange {
    /// The author's lines of the file are theirs from now on.
    HandedOn(Successor),
    /// The author has them back.
    GivenBack,
    /// Nothing that is to be remembered.
    Nothing,
}

impl HandoverChange {
    /// What it means that `by` assigned an issue to `to`.
    pub fn of_assignment(to: &HookAccount, by: &HookAccount, author: Option<&Login>) -> Self {
        let is_bot = |account: &HookAccount| account.kind == "Bot" || is_bot_name(account.login.as_str());
        if to.login.is_empty() || is_bot(to) || is_bot(by) {
            return Self::Nothing;
        }
        if author == Some(&to.login) {
            return Self::GivenBack;
        }
        Self::HandedOn(Successor { login: Some(to.login.clone()), email: None })
    }
}

/// Share of accepted alerts in per cent, rounded down: 100 only where none was refused.
pub fn percent_accepted(alerts: u64, refused: u64) -> u64 {
    alerts.saturating_sub(refused).saturating_mul(100).checked_div(alerts).unwrap_or(100)
}

/// Most characters of a login on GitHub.
const MOST_OF_LOGIN: usize = 39;

/// What was typed into "who then?": nothing, a login or an address.
///
/// # Errors
/// A sentence that says what is wrong with it.
pub fn successor(typed: &str) -> Result<Successor, String> {
    let typed = typed.trim();
    let login = typed.strip_prefix('@').unwrap_or(typed);
    if typed.is_empty() {
        return Ok(Successor::default());
    }
    if is_bot_name(login) {
        return Err(format!("{login} is a bot: name a person."));
    }
    if let Some((_, domain)) = login.split_once('@') {
        let is_domain = domain.contains('.') && !domain.starts_with('.') && !domain.ends_with('.');
        if is_domain && is_address(login) {
            return Ok(Successor { login: None, email: Some(login.to_lowercase()) });
        }
        return Err(format!("{typed} is not an address: write one like ada@example.com, or a login."));
    }
    let is_login = login.len() <= MOST_OF_LOGIN
        && login.chars().all(|it| it.is_ascii_alphanumeric() || it == '-')
        && login.starts_with(|it: char| it.is_ascii_alphanumeric());
    if is_login {
        Ok(Successor { login: Some(login.into()), email: None })
    } else {
        Err(format!("{typed} is neither a login nor an address."))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn handover(by_author: bool, to: &str) -> Handover {
        Handover {
            id: HandoverId(1),
            part: Part { path: "lib/cart.py".into(), name: "Ada".into(), email: "ada@x.com".into() },
            to: successor(to).unwrap(),
            by_author,
            by: if by_author { "Ada" } else { "owner" }.into(),
            made_at: Timestamp::from_millis(1_795_132_800_000),
            line: LineId(1),
        }
    }

    #[test]
    fn what_was_done_is_a_plain_sentence() {
        assert_eq!(handover(true, "linus").said("Linus"), "Ada handed lib/cart.py on to Linus on 2026-11-20");
        assert_eq!(
            handover(false, "linus").said("you"),
            "owner handed what Ada wrote in lib/cart.py on to you on 2026-11-20"
        );
        assert_eq!(handover(true, "").why_not_author(), "said on 2026-11-20 that lib/cart.py is not theirs");
        assert_eq!(
            handover(false, "linus").why_not_author(),
            "owner handed their part of lib/cart.py on to linus on 2026-11-20"
        );
    }

    #[test]
    fn only_people_hand_on_to_people_and_to_the_author_is_back() {
        let meaning = |(to, to_bot): (&str, bool), (by, by_bot): (&str, bool), author: Option<&str>| {
            let account = |login: &str, is_bot: bool| HookAccount {
                login: login.into(),
                kind: if is_bot { "Bot" } else { "User" }.to_owned(),
                ..HookAccount::default()
            };
            HandoverChange::of_assignment(&account(to, to_bot), &account(by, by_bot), author.map(Login::from).as_ref())
        };
        let linus = HandoverChange::HandedOn(Successor { login: Some("linus".into()), email: None });
        assert_eq!(meaning(("linus", false), ("ada", false), Some("ada")), linus);
        assert_eq!(meaning(("linus", false), ("ada", false), None), linus);
        assert_eq!(meaning(("Ada", false), ("linus", false), Some("ada")), HandoverChange::GivenBack);
        assert_eq!(meaning(("copilot", true), ("ada", false), Some("ada")), HandoverChange::Nothing);
        assert_eq!(meaning(("renovate[bot]", false), ("ada", false), None), HandoverChange::Nothing);
        assert_eq!(meaning(("linus", false), ("auto", true), None), HandoverChange::Nothing);
        assert_eq!(meaning(("", false), ("ada", false), None), HandoverChange::Nothing);
    }

    #[test]
    fn all_are_accepted_only_where_none_was_refused() {
        assert_eq!(percent_accepted(0, 0), 100);
        assert_eq!(percent_accepted(3, 1), 66);
        assert_eq!(percent_accepted(1_000, 1), 99);
        assert_eq!(percent_accepted(5, 0), 100);
    }

    #[test]
    fn a_successor_is_nobody_a_login_or_an_address() {
        assert_eq!(successor("  "), Ok(Successor::default()));
        assert_eq!(successor("@linus").unwrap().login, Some("linus".into()));
        assert_eq!(successor("Linus@X.com").unwrap().email.as_deref(), Some("linus@x.com"));
        for bad in [
            "Linus Torvalds",
            "-linus",
            "a@b",
            "a@b c.de",
            "x@y@z.de",
            "renovate[bot]",
            "a\nb@c.de",
            "<i>",
            "a@b.c\0",
            "a@b.c%00",
            "a@[127.0.0.1]",
        ] {
            assert!(successor(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn programs_and_nobody_hand_nothing_on() {
        let author = |name: &str, email: &str| Author { name: name.into(), email: email.into() };
        assert_eq!(Part::of("a.py", &author("Ada", "Ada@X.com")).unwrap().email, "ada@x.com");
        assert_eq!(Part::of("", &author("Ada", "ada@x.com")), None);
        assert_eq!(Part::of("a.py", &author("Ada", " ")), None);
        assert_eq!(Part::of("a.py", &author("renovate[bot]", "bot@renovateapp.com")), None);
    }
}
