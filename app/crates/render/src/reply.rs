//! What the bot says under an issue.

use super::engine::{RenderError, render, render_words};
use super::format::{function, occurrences};
use domain::alert::{Place, Reply};
use domain::command::LabelCommand;
use domain::commit::CommitId;
use domain::markdown::code_span;
use domain::repository::Repository;
use domain::visible::clip;
use minijinja::{Value, context};

/// Servers or releases named in one comment.
const MOST_NAMES: usize = 8;

/// Characters of a name, path or line of code in a comment.
const MOST_CHARS: usize = 200;

/// One comment in GitHub's Markdown, its first line the hidden marker. It mentions nobody: who
/// acted knows it.
///
/// # Errors
/// [`RenderError`] where a template is faulty, whatever the reply.
pub fn reply(reply: &Reply, marker: &str, repository: &Repository) -> Result<String, RenderError> {
    let values = match reply {
        Reply::Done { command, place, by } => {
            context! { kind => "done", by => cut(by.as_str()), done => done(*command, place)? }
        }
        Reply::RuleEnded { label, place: at, by } => {
            context! { kind => "ended", label => cut(label), by => cut(by.as_str()), place => place(at) }
        }
        Reply::LabelDeleted { label, place: at } => {
            context! { kind => "label_deleted", label => cut(label), place => place(at) }
        }
        Reply::Reassigned { to, by } => {
            context! { kind => "reassigned", to => cut(to.as_str()), by => cut(by.as_str()) }
        }
        Reply::Resolved { commit: at, by_person, by } => {
            let at = commit(repository, at.as_ref());
            context! { kind => "resolved", by => cut(by.as_str()), commit => at, by_person }
        }
        Reply::Regressed { release, revision, resolved, total } => context! {
            kind => "regressed",
            release => release.as_deref().map(cut),
            revision => commit(repository, revision.as_ref()),
            resolved => commit(repository, resolved.as_ref()),
            total => occurrences(*total),
        },
        Reply::NewException { exception, release } => context! {
            kind => "new_exception",
            exception => cut(exception),
            release => release.as_deref().map(cut),
        },
        Reply::CarriedOver { from, to, commit: at, author } => context! {
            kind => "carried_over",
            from => place(from),
            place => place(to),
            number => to.line,
            commit => commit(repository, at.as_ref()),
            author => author.as_deref().map(cut),
        },
        Reply::Refused { label, meant, by } => {
            context! { kind => "refused", label => cut(label), meant, by => cut(by.as_str()) }
        }
        Reply::Double { stays } => context! { kind => "double", stays },
        Reply::Count { total, servers, releases } => context! {
            kind => "count",
            total => occurrences(*total),
            servers => names(servers),
            releases => names(releases),
        },
    };
    render("issue/reply.md", context! { marker, ..values })
}

/// What a command did, in the words of its entry.
fn done(command: LabelCommand, place: &Place) -> Result<Value, RenderError> {
    let safe = Value::from_safe_string;
    let span = |text: &str| safe(code_span(&cut(text)));
    let file = span(&place.path);
    let values = context! {
        place => function(place).map_or_else(|| file.clone(), |name| safe(format!("{} in {file}", span(&name)))),
        code => if place.code.trim().is_empty() { safe(String::new()) } else { safe(format!(" ({})", span(place.code.trim()))) },
        file,
    };
    render_words(command.spec().done, values)
}

fn place(place: &Place) -> Value {
    let code = cut(place.code.trim());
    context! { path => cut(&place.path), function => function(place).map(|name| cut(&name)), code => (!code.is_empty()).then_some(code) }
}

/// A commit by its first digits, and its page where the repository has one.
fn commit(repository: &Repository, commit: Option<&CommitId>) -> Option<Value> {
    let commit = commit?;
    Some(context! { short => commit.short(), url => repository.commit_url(commit) })
}

fn names(names: &[String]) -> Value {
    let shown: Vec<String> = names.iter().take(MOST_NAMES).map(|name| cut(name)).collect();
    context! { count => names.len(), more => names.len().saturating_sub(MOST_NAMES), shown }
}

fn cut(text: &str) -> String {
    clip(text, MOST_CHARS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;
    use domain::command::{COMMANDS, Scope};
    use domain::names::Login;

    fn say(what: &Reply) -> String {
        let said = reply(what, "flawless reply 3", &sample::repository()).expect("renders");
        let (marker, text) = said.split_once('\n').expect("two lines");
        assert_eq!(marker, "<!-- flawless reply 3 -->");
        text.to_owned()
    }

    fn commit(digit: &str) -> Option<CommitId> {
        Some(CommitId::new(digit.repeat(40)))
    }

    fn texts(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|&text| text.to_owned()).collect()
    }

    #[test]
    fn every_command_is_confirmed_in_words() {
        let by = || Login::new("ada");
        let at = || sample::alert().place;
        let done = |command| say(&Reply::Done { command, place: at(), by: by() });
        let whitelisted = |scope| done(LabelCommand::KnownError(scope));
        insta::assert_snapshot!(whitelisted(Scope::Line), @"Done, ada: this line of `total` in `shop/cart.py` is a known error (`price = self.prices[sku]`). It is still counted, but nobody is told of it again. To undo this, take the label off or open the issue again.");
        insta::assert_snapshot!(whitelisted(Scope::Function), @"Done, ada: everything in `total` in `shop/cart.py` is a known error. It is still counted, but nobody is told of it again. To undo this, take the label off or open the issue again.");
        insta::assert_snapshot!(whitelisted(Scope::File), @"Done, ada: everything in the file `shop/cart.py` is a known error. It is still counted, but nobody is told of it again. To undo this, take the label off or open the issue again.");
        insta::assert_snapshot!(done(LabelCommand::LibraryCode), @"Done, ada: `total` in `shop/cart.py` is library code from now on. The line that calls it is blamed, and gets an alert of its own. To undo this, take the label off or open the issue again.");
        let ended = Reply::RuleEnded { label: "known-error".to_owned(), place: at(), by: by() };
        insta::assert_snapshot!(say(&ended), @"Done, ada: `known-error` no longer applies to `total` in `shop/cart.py`. The next error there is alerted as usual.");
        insta::assert_snapshot!(say(&Reply::Reassigned { to: "grace".into(), by: by() }), @"Noted, ada: this line belongs to grace from now on, here and in the weekly report.");
        let closed = |commit, by_person| say(&Reply::Resolved { commit, by_person, by: by() });
        insta::assert_snapshot!(closed(commit("a"), false), @"Thanks, ada: resolved as of [aaaaaaa](https://github.com/acme/shop/commit/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa). I will open this again only if the error comes from a version that contains that commit.");
        insta::assert_snapshot!(closed(commit("a"), true), @"Thanks, ada: resolved as of [aaaaaaa](https://github.com/acme/shop/commit/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa). I will open this again only if the error comes from a version that contains that commit and was deployed after this: what runs now may lack the fix.");
        insta::assert_snapshot!(closed(None, true), @"Thanks, ada: resolved. I will open this again only if the error comes from a version that was deployed after this: what runs now may lack the fix.");
    }

    #[test]
    fn every_command_has_words_for_any_place() {
        for place in [sample::alert().place, Place { path: "a.py".to_owned(), ..Place::default() }] {
            for spec in COMMANDS {
                let text = say(&Reply::Done { command: spec.command, place: place.clone(), by: "ada".into() });
                assert!(
                    text.starts_with("Done, ada: ") && text.trim_end().ends_with("open the issue again."),
                    "{text}"
                );
                assert!(text.contains(&format!("`{}`", place.path)) && !text.contains("()"), "{text}");
            }
        }
    }

    #[test]
    fn news_of_the_line_is_told() {
        let back = |release: Option<&str>, revision, resolved| {
            say(&Reply::Regressed { release: release.map(str::to_owned), revision, resolved, total: 1 })
        };
        insta::assert_snapshot!(back(Some("shop@2.5"), commit("b"), commit("a")), @"This is back: the release `shop@2.5` ([bbbbbbb](https://github.com/acme/shop/commit/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb)) contains [aaaaaaa](https://github.com/acme/shop/commit/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa), where this was resolved, and fails here again. 1 occurrence so far.");
        insta::assert_snapshot!(back(None, commit("b"), None), @"This is back: the version [bbbbbbb](https://github.com/acme/shop/commit/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb) contains the code with which this was resolved and fails here again. 1 occurrence so far.");
        insta::assert_snapshot!(back(None, None, commit("a")), @"This is back: a newer version contains [aaaaaaa](https://github.com/acme/shop/commit/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa), where this was resolved, and fails here again. 1 occurrence so far.");
        let servers: Vec<String> = (1..=10).map(|n| format!("web-{n}")).collect();
        let many = Reply::Count { total: 1_000, servers, releases: texts(&["shop@2.4", "shop@2.3"]) };
        insta::assert_snapshot!(say(&many), @"1,000 occurrences so far, on 10 servers (`web-1`, `web-2`, `web-3`, `web-4`, `web-5`, `web-6`, `web-7`, `web-8` and 2 more), in releases `shop@2.4`, `shop@2.3`.");
        insta::assert_snapshot!(say(&Reply::Double { stays: 7 }), @"Duplicate of #7, sorry: GitHub made this issue twice. Please go on there: labels and closing have no effect here. I close this one, unless people have commented on it.");
        let few = Reply::Count { total: 10, servers: texts(&["web-1"]), releases: Vec::new() };
        insta::assert_snapshot!(say(&few), @"10 occurrences so far, on 1 server (`web-1`).");
    }

    #[test]
    fn names_of_strangers_stay_names() {
        let place =
            Place { path: "`@ada`".to_owned(), function: "*#1*".to_owned(), line: 1, code: "```\n@ada".to_owned() };
        let text =
            say(&Reply::Done { command: LabelCommand::KnownError(Scope::Line), place, by: "@org/team #1".into() });
        insta::assert_snapshot!(text, @"Done, @&#8203;org/team #&#8203;1: this line of `*#1*` in `` `@ada` `` is a known error (```` ``` @ada ````). It is still counted, but nobody is told of it again. To undo this, take the label off or open the issue again.");
        let plain = Repository { github: None, ..sample::repository() };
        let said = reply(&Reply::Resolved { commit: commit("a"), by_person: true, by: "ada".into() }, "m", &plain)
            .expect("renders");
        assert!(said.contains("as of `aaaaaaa`"), "{said}");
    }
}
