//! Who is told, case by case.

use super::*;
use crate::timestamp::Timestamp;

fn someone(name: &str) -> Candidate {
    let login = name.split(' ').next().unwrap_or_default().to_lowercase();
    Candidate {
        author: Author { name: name.into(), email: format!("{login}@x.com") },
        login: Some(login.into()),
        is_assignable: Some(true),
        can_be_mailed: true,
        ..Candidate::default()
    }
}

fn bot(name: &str) -> Candidate {
    Candidate { is_bot: true, ..someone(name) }
}

fn gone(name: &str) -> Candidate {
    Candidate { has_left: true, ..someone(name) }
}

fn facts(author: Candidate) -> Facts {
    Facts { author: Some(author), ..Facts::default() }
}

fn pull(author: Candidate, merger: Option<Candidate>) -> Option<PullPeople> {
    Some(PullPeople { number: 12, author: Some(author), merger })
}

#[test]
fn an_author_who_is_there_is_told_without_a_word() {
    let person = choose(&facts(someone("Ada")));
    assert_eq!((person.name(), &person.step), ("Ada", &Step::Author));
    assert!(person.is_found() && person.is_author() && person.sentences().is_empty());
    assert_eq!(person.why_you(), "You wrote this line.");
    assert_eq!(person.why_them(Some("Ada")), "Ada wrote this line.");
}

#[test]
fn a_bot_is_passed_over_for_the_co_author_then_the_pull_requests_author_then_the_merger() {
    let mut facts = Facts { pull: pull(someone("Grace"), Some(someone("Linus"))), ..facts(bot("renovate")) };
    facts.co_authors = vec![bot("dependabot"), someone("Barbara")];
    let person = choose(&facts);
    assert_eq!((person.name(), &person.step), ("Barbara", &Step::CoAuthor));
    assert_eq!(
        person.sentences(),
        ["Passed over as the one to tell: renovate (a bot).", "Told: Barbara, whom the commit names as co-author."]
    );
    facts.co_authors = vec![bot("dependabot"), gone("Barbara")];
    let person = choose(&facts);
    assert_eq!((person.name(), &person.step), ("Grace", &Step::PullAuthor(12)));
    let passed: Vec<&str> = person.passed.iter().map(|(who, _)| who.as_str()).collect();
    assert_eq!(passed, ["renovate", "Barbara"], "a bot that is a co-author is no candidate");
    facts.co_authors.clear();
    assert_eq!(
        choose(&facts).why_you(),
        "You are told as somebody who opened pull request #12, which brought this line. Passed over: renovate (a bot)."
    );
    facts.pull = pull(bot("renovate"), Some(someone("Linus")));
    assert_eq!(choose(&facts).step, Step::Merger(12));
    facts.pull = None;
    assert_eq!(choose(&facts), Person { passed: vec![("renovate".into(), "a bot".into())], ..Person::default() });
}

#[test]
fn a_machines_address_is_passed_over_as_a_bot_is() {
    let root = Candidate { is_machine: true, can_be_mailed: false, login: None, ..someone("root") };
    let mut facts = Facts { pull: pull(someone("Grace"), None), ..facts(root) };
    facts.co_authors = vec![someone("Barbara")];
    let person = choose(&facts);
    assert_eq!((person.name(), &person.step), ("Barbara", &Step::CoAuthor));
    assert_eq!(person.passed, [("root".to_owned(), "a machine's address".to_owned())]);
    facts.co_authors.clear();
    assert_eq!(choose(&facts).step, Step::PullAuthor(12));
    facts.pull = None;
    assert_eq!(choose(&facts).step, Step::Nobody);
}

#[test]
fn who_committed_what_a_program_wrote_is_told_before_who_merged_it() {
    let mut facts = Facts { pull: pull(bot("renovate"), Some(someone("Linus"))), ..facts(bot("renovate")) };
    facts.committer = Some(someone("Grace"));
    let person = choose(&facts);
    assert_eq!((person.name(), &person.step), ("Grace", &Step::Committer));
    assert_eq!(person.why_you(), "You are told as somebody who committed this line. Passed over: renovate (a bot).");
    assert_eq!(person.why_them(None), "Grace is told as somebody who committed this line.");
    facts.pull = pull(someone("Barbara"), Some(someone("Linus")));
    assert_eq!(choose(&facts).step, Step::PullAuthor(12), "who rebased it may have written nothing of it");
    facts.co_authors = vec![someone("Alan")];
    assert_eq!(choose(&facts).step, Step::CoAuthor);
    (facts.pull, facts.co_authors) = (pull(bot("renovate"), Some(someone("Linus"))), Vec::new());
    facts.committer = Some(bot("renovate"));
    let person = choose(&facts);
    assert_eq!((person.name(), person.passed.len()), ("Linus", 1), "a program that committed is no candidate");
    // Who rebased or picked what a person wrote is nobody to tell.
    facts.author = Some(gone("Ada"));
    facts.committer = Some(someone("Grace"));
    assert_eq!(choose(&facts).step, Step::AfterAll);
}

#[test]
fn co_authors_are_told_only_where_the_author_cannot_be() {
    let mut facts = Facts { co_authors: vec![someone("Barbara")], ..facts(someone("Ada")) };
    assert_eq!(choose(&facts).step, Step::Author);
    facts.author = Some(gone("Ada"));
    facts.function = vec![someone("Grace")];
    let person = choose(&facts);
    assert_eq!((person.name(), &person.step), ("Barbara", &Step::CoAuthor));
}

#[test]
fn who_only_squashed_a_pull_request_is_asked_after_those_who_wrote_it() {
    let mut facts = Facts {
        is_whole_pull: true,
        pull: pull(bot("copilot"), Some(someone("Linus"))),
        co_authors: vec![bot("copilot"), someone("Grace")],
        ..facts(someone("Linus"))
    };
    let person = choose(&facts);
    assert_eq!((person.name(), &person.step), ("Grace", &Step::CoAuthor));
    facts.co_authors.truncate(1);
    assert_eq!(choose(&facts).step, Step::Author, "nobody else wrote it");
    // Who opened, wrote and merged it is its author, whoever helped.
    facts.pull = pull(someone("Linus"), Some(someone("Linus")));
    facts.co_authors = vec![someone("Grace")];
    assert_eq!(choose(&facts).step, Step::Author);
}

#[test]
fn a_whole_pull_request_is_its_authors() {
    let mut facts = Facts { is_whole_pull: true, pull: pull(someone("Grace"), None), ..facts(someone("Ada")) };
    let person = choose(&facts);
    assert_eq!((person.name(), &person.step), ("Grace", &Step::PullAuthor(12)));
    assert_eq!(person.sentences(), ["Told: Grace, who opened pull request #12, which brought this line."]);
    // One of several commits of a pull request is its own author's.
    facts.is_whole_pull = false;
    assert_eq!(choose(&facts).step, Step::Author);
    // Mostly it is the same person, and nothing has to be said.
    facts = Facts { is_whole_pull: true, pull: pull(someone("Ada"), None), ..facts };
    assert_eq!(choose(&facts).step, Step::Author);
    facts.pull = pull(bot("renovate"), None);
    assert_eq!(choose(&facts).step, Step::Author);
    facts.pull = pull(gone("Grace"), None);
    let person = choose(&facts);
    assert_eq!((person.name(), person.passed.len()), ("Ada", 1));
}

#[test]
fn one_who_has_left_is_passed_over_down_to_the_default_contact() {
    let owners = Owners {
        pattern: "shop/".into(),
        people: vec![("@acme/payments".into(), gone("Alan")), ("@acme/payments".into(), someone("Barbara"))],
        unreadable: vec!["@acme/secret".into()],
        ..Owners::default()
    };
    let mut facts = Facts {
        function: vec![gone("Ada"), someone("Grace")],
        file: vec![someone("Linus")],
        owners,
        default_contact: Some("oncall@x.com".into()),
        ..facts(gone("Ada"))
    };
    let person = choose(&facts);
    assert_eq!((person.name(), &person.step), ("Grace", &Step::Function));
    assert_eq!(person.passed, [("Ada".to_owned(), "no commit in this repository for a year".to_owned())]);
    facts.function.truncate(1);
    assert_eq!(choose(&facts).step, Step::File);
    facts.file.clear();
    let person = choose(&facts);
    assert_eq!(person.name(), "Barbara");
    assert_eq!(
        person.sentences()[1],
        "Told: Barbara, who is a member of @acme/payments, which CODEOWNERS names for shop/."
    );
    facts.owners.people.truncate(1);
    let person = choose(&facts);
    assert_eq!((person.name(), &person.step), ("", &Step::DefaultContact));
    assert_eq!(
        person.sentences(),
        [
            "Passed over as the one to tell: Ada (no commit in this repository for a year), Alan (no commit in this repository for a year), \
             @acme/secret (its members can't be read).",
            "Told: the default contact, because nobody else could be found.",
        ]
    );
    facts.default_contact = None;
    let person = choose(&facts);
    assert_eq!((person.name(), &person.step, person.is_found()), ("Ada", &Step::AfterAll, false));
    assert_eq!(person.sentences()[1], "Told: Ada all the same, because nobody else could be found.");
}

#[test]
fn what_keeps_a_message_from_somebody_is_said() {
    let because = |change: fn(&mut Candidate)| {
        let mut ada = someone("Ada");
        change(&mut ada);
        let facts = Facts { file: vec![someone("Linus")], ..facts(ada) };
        let person = choose(&facts);
        (person.name().to_owned(), person.passed.first().map(|(_, why)| why.clone()).unwrap_or_default())
    };
    let passed = |why: &str| ("Linus".to_owned(), why.to_owned());
    let told = ("Ada".to_owned(), String::new());
    assert_eq!(
        because(|ada| ada.is_assignable = Some(false)),
        passed("issues of this repository can't be assigned to them")
    );
    assert_eq!(because(|ada| ada.is_refused = true), passed("the mail server refuses their address"));
    assert_eq!(
        because(|ada| (ada.can_be_mailed, ada.login, ada.is_assignable) = (false, None, None)),
        passed("no address or account by which to reach them")
    );
    // Nobody asked GitHub, or it is down: the issue reaches them later.
    assert_eq!(because(|ada| (ada.can_be_mailed, ada.is_assignable) = (false, None)), told);
    // An address that GitHub knows no account of gets its mail.
    assert_eq!(because(|ada| (ada.login, ada.is_assignable) = (None, None)), told);
    assert_eq!(because(|ada| ada.can_be_mailed = false), told);
}

#[test]
fn one_who_cannot_be_assigned_gets_mail_before_the_default_contact_does() {
    let mut ada = someone("Ada");
    ada.is_assignable = Some(false);
    let mut facts = Facts { default_contact: Some("oncall@x.com".into()), ..facts(ada.clone()) };
    let person = choose(&facts);
    assert_eq!((person.name(), &person.step), ("Ada", &Step::AfterAll));
    assert_eq!(person.why_you(), "You brought this line, and nobody else could be found who can be told.");
    ada.can_be_mailed = false;
    facts.author = Some(ada);
    assert_eq!(choose(&facts).step, Step::DefaultContact);
}

#[test]
fn nobody_is_told_after_all_whom_nothing_reaches() {
    let mut ada = gone("Ada");
    (ada.is_refused, ada.is_assignable) = (true, Some(false));
    assert_eq!(choose(&facts(ada)).step, Step::Nobody);
    assert_eq!(choose(&facts(bot("renovate"))).step, Step::Nobody);
    assert_eq!(choose(&Facts::default()).step, Step::Nobody);
    let mut refused = someone("Ada");
    refused.is_refused = true;
    assert_eq!(choose(&facts(refused)).step, Step::AfterAll, "by the issue");
    let mut hidden = gone("Ada");
    hidden.can_be_mailed = false;
    assert_eq!(choose(&facts(hidden)).step, Step::AfterAll, "the issue reaches them");
}

#[test]
fn the_same_person_is_passed_over_once() {
    let mut other = gone("Ada Lovelace");
    other.author.email = "ADA@x.com".into();
    let facts = Facts { function: vec![other.clone()], file: vec![other, someone("Linus")], ..facts(gone("Ada")) };
    assert_eq!(choose(&facts).passed.len(), 1);
}

fn handover(to: &str, successor: Option<Candidate>) -> Option<(Handover, Option<Candidate>)> {
    let part = crate::handover::Part { path: "a.py".into(), name: "Ada".into(), email: "ada@x.com".into() };
    let made = Handover {
        id: HandoverId(1),
        part,
        to: crate::handover::successor(to).expect("a login"),
        by_author: true,
        by: "ada".into(),
        made_at: Timestamp::UNIX_EPOCH,
        line: crate::ids::LineId(1),
    };
    Some((made, successor))
}

#[test]
fn a_handover_goes_before_the_author_who_is_told_again_only_after_everybody_else() {
    let mut facts = Facts { handover: handover("linus", Some(someone("Linus"))), ..facts(someone("Ada")) };
    let person = choose(&facts);
    assert!(person.is_found() && person.passed.is_empty() && !person.is_author());
    assert_eq!(person.sentences(), ["Ada handed a.py on to Linus on 1970-01-01, so Linus is told."]);
    assert_eq!(person.why_you(), "Ada handed a.py on to you on 1970-01-01, so this line is yours.");
    assert_eq!(person.why_them(None), "Ada handed a.py on to Linus on 1970-01-01, so this line is theirs.");
    facts.handover = handover("linus", Some(gone("Linus")));
    facts.file = vec![someone("Ada"), someone("Grace")];
    let person = choose(&facts);
    assert_eq!((person.name(), &person.step), ("Grace", &Step::File));
    assert_eq!(person.passed[1], ("Ada".to_owned(), "handed a.py on to linus on 1970-01-01".to_owned()));
    facts.handover = handover("", None);
    facts.file.clear();
    let person = choose(&facts);
    assert_eq!((person.name(), &person.step), ("Ada", &Step::AfterAll));
    facts.default_contact = Some("oncall@x.com".into());
    assert_eq!(choose(&facts).step, Step::DefaultContact);
}

#[test]
fn a_stranger_is_told_in_no_case() {
    let mallory = Candidate { is_stranger: true, ..someone("Mallory Marsh") };
    let why = "no commit of theirs is on a branch or tag of this repository";
    let person = choose(&facts(mallory.clone()));
    assert_eq!((person.name(), &person.step), ("", &Step::Nobody), "not after all, either");
    assert_eq!(person.passed, [("Mallory Marsh".to_owned(), why.to_owned())]);
    let file = vec![mallory.clone(), someone("Grace")];
    assert_eq!(choose(&Facts { file, ..facts(mallory) }).name(), "Grace");
}

#[test]
fn where_git_names_nobody_it_is_said_and_what_would_help() {
    let default_contact = Facts { default_contact: Some("oncall@x.com".into()), ..Facts::default() };
    let person = choose(&default_contact);
    assert_eq!(person.sentences(), ["Told: the default contact, because no author is known."]);
    assert!(person.why_you().contains("it is not known who wrote the code"), "{}", person.why_you());
    let nobody = choose(&Facts::default()).sentences();
    assert!(nobody[0].starts_with("Told to nobody: no author is known, and the settings name no default contact."));
    let to_operator = Person { to_operator: true, ..choose(&Facts::default()) }.sentences();
    assert_eq!(
        to_operator,
        ["Told: who runs this server, because no author is known and the settings name no default contact."]
    );
    assert!(nobody[0].contains(".github/flawless.yml: email: { default_contact: … }"), "{nobody:?}");
    let mut bot = someone("Bot");
    bot.is_bot = true;
    let passed = choose(&Facts { author: Some(bot), ..Facts::default() }).sentences();
    assert!(passed[1].starts_with("Told to nobody: all who were found are passed over, and"), "{passed:?}");
}
