//! The modules of a crate, and where a path leads among them: through imports and what modules show
//! of each other.

use super::source::{Mention, Source};
use std::collections::BTreeMap;

/// A module by its names below the crate; the crate itself has none.
pub(super) type Module = Vec<String>;

/// The modules of one crate.
pub(super) struct Modules<'a> {
    all: BTreeMap<Module, Shown<'a>>,
}

/// What stands in a module.
#[derive(Default)]
struct Shown<'a> {
    /// Imports by what they are called here.
    imports: BTreeMap<&'a str, &'a [String]>,
    /// Modules of which all is imported.
    globs: Vec<&'a [String]>,
}

/// Where a path leads.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Reached {
    pub(super) module: Module,
    /// What is named of it; nothing where the module itself is.
    pub(super) item: Vec<String>,
}

/// How many imports one path may lead through: more is a circle of imports.
const LONGEST: usize = 16;

impl<'a> Modules<'a> {
    /// Of a crate's files, by the folder of its `lib.rs`.
    pub(super) fn read(folder: &str, files: &[&'a Source]) -> Self {
        let mut all: BTreeMap<Module, Shown<'a>> = BTreeMap::new();
        for file in files {
            let own = module(folder, &file.path);
            all.entry(own.clone()).or_default();
            for mention in &file.mentions {
                let shown = all.entry([own.as_slice(), &mention.inside].concat()).or_default();
                match mention.alias.as_deref() {
                    Some("*") => shown.globs.push(&mention.names[..mention.names.len() - 1]),
                    Some(alias) => _ = shown.imports.insert(alias, &mention.names),
                    None => {}
                }
            }
        }
        Self { all }
    }

    /// The module that a mention in module `own` leads to; none where it leads out of the crate.
    pub(super) fn target(&self, own: &[String], mention: &Mention) -> Option<Reached> {
        self.from(&[own, &mention.inside].concat(), &mention.names, LONGEST, mention.alias.as_deref())
    }

    /// `own_import` is the import that is being followed: it does not lead to itself.
    fn from(&self, scope: &[String], names: &[String], left: usize, own_import: Option<&str>) -> Option<Reached> {
        let (first, rest) = names.split_first()?;
        match first.as_str() {
            "crate" => self.down(&[], rest, left),
            "self" => self.down(scope, rest, left),
            "super" => self.up(scope, names, left),
            name if self.is_child(scope, name) => self.down(scope, names, left),
            name if own_import == Some(name) => None,
            _ => self.shown(scope, names, left),
        }
    }

    fn up(&self, scope: &[String], names: &[String], left: usize) -> Option<Reached> {
        let ups = names.iter().take_while(|name| *name == "super").count();
        self.down(&scope[..scope.len().checked_sub(ups)?], &names[ups..], left)
    }

    /// From a module to those in it, as far as the names are modules; what it only shows is
    /// followed to its own.
    fn down(&self, scope: &[String], names: &[String], left: usize) -> Option<Reached> {
        let here = || Some(Reached { module: scope.to_vec(), item: names.to_vec() });
        let Some((first, rest)) = names.split_first() else { return here() };
        if self.is_child(scope, first) {
            return self.down(&[scope, std::slice::from_ref(first)].concat(), rest, left);
        }
        self.shown(scope, names, left).or_else(here)
    }

    /// Where an import of the module leads, by name or by a glob.
    fn shown(&self, scope: &[String], names: &[String], left: usize) -> Option<Reached> {
        let (left, shown) = (left.checked_sub(1)?, self.all.get(scope)?);
        let (first, rest) = names.split_first()?;
        if let Some(import) = shown.imports.get(first.as_str()) {
            let is_itself = import.first() == Some(first);
            let path = [*import, rest].concat();
            return self.from(scope, &path, left, is_itself.then_some(first.as_str()));
        }
        let through = |glob: &&[String]| {
            let module = self.from(scope, glob, left, None)?.module;
            if self.is_child(&module, first) {
                self.down(&module, names, left)
            } else {
                self.shown(&module, names, left)
            }
        };
        shown.globs.iter().find_map(through)
    }

    fn is_child(&self, scope: &[String], name: &str) -> bool {
        self.all.contains_key(&[scope, &[name.to_owned()]].concat())
    }
}

/// `FOLDER/a/b.rs` → `a`, `b`; `FOLDER/a/mod.rs` → `a`; `FOLDER/lib.rs` → nothing.
pub(super) fn module(folder: &str, path: &str) -> Module {
    let path = path.trim_start_matches(folder).trim_end_matches(".rs");
    let mut names: Module = path.split('/').map(str::to_owned).collect();
    if names.last().is_some_and(|last| last == "mod") || path == "lib" {
        names.pop();
    }
    names
}

#[cfg(test)]
mod tests {
    use super::super::source::source;
    use super::*;

    /// Where the mentions of `path` lead, in a crate of these files.
    fn targets(path: &str, files: &[(&str, &str)]) -> Vec<String> {
        let sources: Vec<Source> = files.iter().map(|(path, text)| source(path, text)).collect();
        let modules = Modules::read("src/", &sources.iter().collect::<Vec<_>>());
        let file = sources.iter().find(|file| file.path == path).expect("one of them");
        let own = module("src/", path);
        let told = |mention| modules.target(&own, mention).map_or("outside".to_owned(), |it| it.module.join("::"));
        file.mentions.iter().map(told).collect()
    }

    const LIB: (&str, &str) = ("src/lib.rs", "pub mod a; mod b; pub use b::Shown; pub struct Own;");

    #[test]
    fn a_path_leads_to_a_module() {
        let b = ("src/b.rs", "pub struct Shown;");
        let a = "use crate::b::{self, Shown};\nuse super::b::*;\nuse crate::Own;\nuse serde::a;\nuse b as it;";
        assert_eq!(targets("src/a.rs", &[LIB, b, ("src/a.rs", a)]), ["b", "b", "b", "", "outside", "b"]);
    }

    #[test]
    fn what_a_module_shows_is_followed_to_where_it_stands() {
        let b = ("src/b.rs", "pub struct Shown;");
        let files = |text| {
            [LIB, b, ("src/a/mod.rs", "mod c; use super::*; pub use super::b::Shown as Other;"), ("src/a/c.rs", text)]
        };
        assert_eq!(targets("src/a/c.rs", &files("use crate::Shown;\nuse super::Other;")), ["b", "b"]);
        assert_eq!(targets("src/a/c.rs", &files("use super::Shown;\nuse super::c;")), ["b", "a::c"]);
        assert_eq!(targets("src/a/c.rs", &files("use super::super::b;\nfn f(x: b::Shown) {}")), ["b", "b"]);
    }

    #[test]
    fn an_import_that_has_the_name_of_a_library_leads_out() {
        assert_eq!(
            targets("src/lib.rs", &[("src/lib.rs", "use url::Url;\nuse toml;\nfn f(t: toml::Table) {}")]),
            ["outside"; 3]
        );
    }

    #[test]
    fn modules_within_a_file_are_modules() {
        assert_eq!(
            targets(
                "src/lib.rs",
                &[("src/lib.rs", "mod a { use super::b::f; }\nmod b { pub fn f() {} fn g() {} use super::a; }")]
            ),
            ["b", "a"]
        );
    }
}
