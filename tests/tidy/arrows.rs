//! Which room of the program may know which. Between the crates, Cargo.toml says so.

use super::source::{Mention, blanked, mentions, production};
use super::{Broken, assert_kept, broken, rust_files};

/// A room, and what it may know. `*` is everything: there the rooms are put together.
const ARROWS: &[(&str, &[&str])] = &[
    // The one reader of the system's clock.
    ("clock", &[]),
    // Time is an argument to them.
    ("config", &[]),
    ("vault", &[]),
    // What several steps and pages share. It knows no step, so that nothing goes round in a circle.
    ("services", &["vault"]),
    // The steps between the rows.
    ("steps", &["services"]),
    ("worker", &["clock", "services", "steps"]),
    // The HTTP side takes in and shows; what takes long is left to the worker.
    ("server", &["clock", "services", "steps::accept"]),
    ("commands", &["*"]),
    ("lib", &["*"]),
    ("main", &["*"]),
    ("serve", &["*"]),
    // The one place where all handles are known: each part is given those that it uses.
    ("wiring", &["*"]),
];

/// Rooms whose files never call each other: between two steps there is a row.
const NO_SIBLINGS: &[&str] = &["steps"];

#[test]
fn arrows_point_down() {
    let files = rust_files(&["app/src/"]);
    let modules: Vec<Vec<&str>> = files.iter().map(|(path, _)| module(path)).collect();
    assert_kept(files.iter().flat_map(|(path, text)| check(path, text, &modules)).collect());
}

/// `app/src/a/b.rs` → `a`, `b`; `app/src/a/mod.rs` → `a`; `app/src/lib.rs` → nothing.
fn module(path: &str) -> Vec<&str> {
    let path = path.trim_start_matches("app/src/").trim_end_matches(".rs");
    let mut names: Vec<&str> = path.split('/').collect();
    if matches!(names.last(), Some(&"mod")) || path == "lib" {
        names.pop();
    }
    names
}

fn check(path: &str, text: &str, modules: &[Vec<&str>]) -> Vec<Broken> {
    let own = module(path);
    let room = own.first().copied().unwrap_or("lib");
    if own.last() == Some(&"tests") {
        return Vec::new();
    }
    let Some((_, allowed)) = ARROWS.iter().find(|(known, _)| *known == room) else {
        let rule =
            format!("`{room}` is a new room: say in tests/tidy/arrows.rs whom it may know, and draw it on the map");
        return vec![broken(path, 1, rule)];
    };
    let text = blanked(text);
    let text = match production(&text) {
        Ok(text) => text,
        Err(line) => {
            let rule = "`cfg(test)` only on a module of tests at the file's end: what ships has no switch for tests";
            return vec![broken(path, line, rule)];
        }
    };
    mentions(text)
        .iter()
        .filter_map(|mention| {
            let known = absolute(mention, &own)?;
            let rule = arrow(room, allowed, &known).or_else(|| sibling(&own, &known, modules))?;
            Some(broken(path, mention.line, rule))
        })
        .collect()
}

/// Where a path leads in the crate; none where it leads out of it, or is relative.
fn absolute(mention: &Mention, own: &[&str]) -> Option<Vec<String>> {
    let mut names = mention.names.as_slice();
    let mut base = own;
    match names.first()?.as_str() {
        "crate" => (base, names) = (&[], &names[1..]),
        "self" => names = &names[1..],
        "super" => {
            while names.first().is_some_and(|name| name == "super") {
                base = &base[..base.len().checked_sub(1)?];
                names = &names[1..];
            }
        }
        _ => return None,
    }
    Some(base.iter().map(|name| (*name).to_owned()).chain(names.iter().cloned()).collect())
}

fn arrow(room: &str, allowed: &[&str], known: &[String]) -> Option<String> {
    let other = known.first()?;
    let leads_there = |to: &str| to == "*" || to.split("::").eq(known.iter().take(to.split("::").count()));
    if other == room || allowed.iter().any(|to| leads_there(to)) {
        return None;
    }
    let known = known.join("::");
    let may = if allowed.is_empty() { "nobody".to_owned() } else { allowed.join(", ") };
    Some(format!(
        "`{room}` may not know `{known}` (it may know: {may}): hand it in as an argument, or move what both need down"
    ))
}

fn sibling(own: &[&str], known: &[String], modules: &[Vec<&str>]) -> Option<String> {
    let ([room, step, ..], [other_room, other, ..]) = (own, known) else { return None };
    let is_step = modules.iter().any(|module| module.len() > 1 && module[0] == *room && module[1] == other);
    if !NO_SIBLINGS.contains(room) || other_room != room || other == step || !is_step {
        return None;
    }
    Some(format!(
        "`{room}::{step}` may not know its sibling `{other}`: between two steps there is a row, never a call; \
         what both need stands in `services`"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: [usize; 0] = [];

    fn lines(path: &str, text: &str) -> Vec<usize> {
        let modules = [vec!["steps"], vec!["steps", "accept"], vec!["steps", "decide"], vec!["server", "lines"]];
        check(path, text, &modules).into_iter().map(|place| place.line).collect()
    }

    #[test]
    fn an_arrow_sideways_or_up_is_found_however_it_is_written() {
        assert_eq!(lines("app/src/config.rs", "use crate::serve::Flawless;"), [1]);
        assert_eq!(lines("app/src/steps/decide.rs", "use crate::{\n services::Wake,\n server::router,\n};"), [3]);
        assert_eq!(lines("app/src/steps/decide.rs", "use super::super::server;"), [1]);
        assert_eq!(lines("app/src/vault.rs", "\nfn f() { super::config::g() }"), [2]);
        assert_eq!(lines("app/src/config.rs", "fn f(c: &crate::clock::Clock) {}"), [1]);
        assert_eq!(lines("app/src/worker.rs", "use crate::server::Server;"), [1]);
        assert_eq!(lines("app/src/server/pages.rs", "use crate::steps::decide::decide;"), [1]);
        assert_eq!(lines("app/src/server/pages.rs", "use crate::steps::*;"), [1]);
        assert_eq!(lines("app/src/services/rules.rs", "use crate::steps::decide::Decide;"), [1]);
        assert_eq!(lines("app/src/steps/decide.rs", "use crate::wiring::Handles;"), [1]);
    }

    #[test]
    fn an_arrow_down_is_none_of_ours() {
        assert_eq!(lines("app/src/steps/decide.rs", "use crate::services::Failure;\nuse lettre::X;"), NONE);
        assert_eq!(lines("app/src/vault.rs", "// use crate::config;\nlet s = \"crate::config::x\";"), NONE);
        assert_eq!(lines("app/src/vault.rs", "#[cfg(test)]\nmod tests {\n use crate::config::x;\n}"), NONE);
        assert_eq!(lines("app/src/server/hook.rs", "use crate::{clock::Clock, steps::accept::{self, Answer}};"), NONE);
        assert_eq!(lines("app/src/serve.rs", "use crate::{config, server};"), NONE);
    }

    #[test]
    fn a_step_that_calls_its_sibling_is_found() {
        assert_eq!(lines("app/src/steps/accept.rs", "use crate::steps::decide::decide;"), [1]);
        assert_eq!(lines("app/src/steps/accept.rs", "use super::{Retry, decide};"), [1]);
        assert_eq!(lines("app/src/steps/accept/fold.rs", "use super::super::decide::decide;"), [1]);
        assert_eq!(lines("app/src/steps/accept.rs", "use super::Retry;\nuse crate::steps::accept::x;"), NONE);
        assert_eq!(lines("app/src/steps/mod.rs", "use self::decide::decide;"), NONE);
        assert_eq!(lines("app/src/server/rules.rs", "use super::lines::x;"), NONE);
    }

    #[test]
    fn a_room_that_is_not_on_the_map_is_found() {
        assert_eq!(lines("app/src/sundries/mod.rs", ""), [1]);
    }

    #[test]
    fn a_switch_for_tests_is_found() {
        assert_eq!(lines("app/src/vault.rs", "\n#[cfg(test)]\nfn fake() {}"), [2]);
    }
}
