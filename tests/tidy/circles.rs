//! No circles of modules: where two modules of a crate know each other, directly or through others,
//! neither is understood without the other. A parent and its own modules may know each other: they
//! are one.

use super::modules::{Module, Modules, module};
use super::source::{Source, below};
use super::{Broken, assert_kept, broken, crate_folders};
use std::collections::{BTreeMap, BTreeSet};

/// Arrows that close a circle and may: from, to, and why. ARCHITECTURE.md says the same under
/// "Circles".
const ALLOWED: &[(&str, &str, &str)] = &[
    ("app::steps::webhook::issue_command", "app::steps::webhook::issue", "a command acts on the issue that gave it"),
    ("blame::history", "blame::renames", "a file's history goes on where it was renamed from"),
    ("store::repositories", "store::writes", "a repository that comes back has writes that waited"),
];

/// An arrow between two modules of the same parent, both as `CRATE::a::b`.
type Arrow = (String, String);
/// Where it was found first, and how often it is.
type Found = (String, usize, usize);

#[test]
fn modules_know_each_other_in_one_direction() {
    let mut arrows = BTreeMap::new();
    for folder in crate_folders() {
        let folder = format!("{folder}/src/");
        arrows.extend(arrows_of(&folder, &below(&[&folder])));
    }
    assert_kept(check(&arrows, ALLOWED));
}

/// All arrows between siblings in a crate.
fn arrows_of(folder: &str, files: &[&Source]) -> BTreeMap<Arrow, Found> {
    let name = folder.trim_end_matches("/src/").rsplit('/').next().unwrap_or_default();
    let modules = Modules::read(folder, files);
    let mut arrows: BTreeMap<Arrow, Found> = BTreeMap::new();
    for file in files.iter().filter(|file| !file.path.ends_with("/tests.rs")) {
        let own = module(folder, &file.path);
        for mention in &file.mentions {
            let here = [own.as_slice(), &mention.inside].concat();
            let there = modules.target(&own, mention).map(|it| it.module);
            if let Some(arrow) = there.and_then(|there| between_siblings(name, &here, &there)) {
                arrows.entry(arrow).or_insert_with(|| (file.path.clone(), mention.line, 0)).2 += 1;
            }
        }
    }
    arrows
}

/// The arrow as the first two modules have it in which the paths part; none between a module and
/// one within it.
fn between_siblings(name: &str, here: &Module, there: &Module) -> Option<Arrow> {
    let shared = here.iter().zip(there).take_while(|(a, b)| a == b).count();
    let full = |module: &Module| {
        module.get(shared)?;
        Some([&[name.to_owned()], &module[..=shared]].concat().join("::"))
    };
    Some((full(here)?, full(there)?))
}

fn check(arrows: &BTreeMap<Arrow, Found>, allowed: &[(&str, &str, &str)]) -> Vec<Broken> {
    let is_allowed = |(from, to): &Arrow| allowed.iter().any(|(a, b, _)| (a, b) == (&from.as_str(), &to.as_str()));
    let rest: BTreeSet<&Arrow> = arrows.keys().filter(|arrow| !is_allowed(arrow)).collect();
    let all: BTreeSet<&Arrow> = arrows.keys().collect();
    let circles = rest.iter().filter(|(from, to)| leads(&rest, to, from)).map(|arrow| {
        let (from, to) = arrow;
        let (path, line, times) = &arrows[*arrow];
        let rule = format!(
            "`{from}` knows `{to}` ({times} times), which knows it in turn: move what both need down, or up to who calls \
             both"
        );
        broken(path, *line, rule)
    });
    let stale = allowed.iter().filter(|(from, to, why)| {
        let arrow = ((*from).to_owned(), (*to).to_owned());
        why.is_empty() || !all.contains(&arrow) || !leads(&all, to, from)
    });
    let stale = stale.map(|(from, to, _)| {
        broken("tests/tidy/circles.rs", 1, format!("`{from}` → `{to}` closes no circle any more, or gives no reason"))
    });
    circles.chain(stale).collect()
}

/// Whether one can go along arrows from one module to another.
fn leads(arrows: &BTreeSet<&Arrow>, from: &str, to: &str) -> bool {
    let mut seen = BTreeSet::new();
    let mut left = vec![from];
    while let Some(at) = left.pop() {
        if at == to {
            return true;
        }
        if seen.insert(at) {
            left.extend(arrows.iter().filter(|(a, _)| a == at).map(|(_, b)| b.as_str()));
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::super::source::source;
    use super::*;

    fn circles(files: &[(&str, &str)], allowed: &[(&str, &str, &str)]) -> Vec<String> {
        let sources: Vec<Source> = files.iter().map(|(path, text)| source(path, text)).collect();
        let arrows = arrows_of("app/crates/x/src/", &sources.iter().collect::<Vec<_>>());
        check(&arrows, allowed)
            .into_iter()
            .map(|place| format!("{} {}", place.path.rsplit('/').next().unwrap(), place.line))
            .collect()
    }

    const A: (&str, &str) = ("app/crates/x/src/a.rs", "use crate::b::B;\npub struct A;");
    const LIB: (&str, &str) = ("app/crates/x/src/lib.rs", "mod a; mod b; pub use a::A;");

    #[test]
    fn a_circle_is_found_with_all_its_arrows() {
        assert_eq!(circles(&[LIB, A, ("app/crates/x/src/b.rs", "\nuse crate::A;")], &[]), ["a.rs 1", "b.rs 2"]);
        let b = ("app/crates/x/src/b.rs", "use crate::c::C;");
        let c = ("app/crates/x/src/c/mod.rs", "fn f() -> crate::a::A { crate::a::A }");
        assert_eq!(circles(&[LIB, A, b, c], &[]), ["a.rs 1", "b.rs 1", "mod.rs 1"]);
    }

    #[test]
    fn a_parent_and_its_modules_are_one() {
        let b = ("app/crates/x/src/b/mod.rs", "mod c; use self::c::C; pub struct B;");
        let c = ("app/crates/x/src/b/c.rs", "use super::B; pub struct C;");
        assert_eq!(circles(&[LIB, A, b, c], &[]), [""; 0]);
        let c = ("app/crates/x/src/b/c.rs", "use super::B; use crate::a::A; pub struct C;");
        assert_eq!(circles(&[LIB, A, b, c], &[]), ["a.rs 1", "c.rs 1"]);
    }

    #[test]
    fn an_allowed_arrow_ends_a_circle_and_is_taken_off_when_there_is_none() {
        let b = ("app/crates/x/src/b.rs", "use crate::A;");
        assert_eq!(circles(&[LIB, A, b], &[("x::b", "x::a", "why")]), [""; 0]);
        assert_eq!(circles(&[LIB, A, b], &[("x::b", "x::a", "")]), ["circles.rs 1"]);
        assert_eq!(circles(&[LIB, A, ("app/crates/x/src/b.rs", "")], &[("x::a", "x::b", "why")]), ["circles.rs 1"]);
    }
}
