//! Rust source as the rules read it: what it mentions and defines, which modules it declares, where
//! its tests begin.

use proc_macro2::{Ident, TokenStream, TokenTree};
use std::sync::OnceLock;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Attribute, Item, ItemMod, ItemUse, Meta, UseTree};

/// A path that a file mentions: `use crate::{a::b, c as d}` is two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mention {
    /// The modules around it within its file.
    pub(super) inside: Vec<String>,
    /// `crate`, `a`, `b`; the last of a glob is `*`.
    pub(super) names: Vec<String>,
    /// What an import is called here; nothing of a path that is no import.
    pub(super) alias: Option<String>,
    pub(super) line: usize,
}

/// What the rules want to know of a Rust file.
#[derive(Debug, Default)]
pub(super) struct Source {
    pub(super) path: String,
    pub(super) text: String,
    /// Modules that are declared or written here, and the lines of their names.
    pub(super) modules: Vec<(String, usize)>,
    /// Lines with `#[allow(…)]`.
    pub(super) allows: Vec<usize>,
    /// How many lines there are before the tests at the end.
    pub(super) shipped_lines: usize,
    /// Of what ships: lines with a switch for tests, which should not be.
    pub(super) switches: Vec<usize>,
    /// Of what ships: all paths.
    pub(super) mentions: Vec<Mention>,
    /// Of what ships: lines with `async` or `.await`.
    pub(super) waits: Vec<usize>,
}

/// The project's Rust files below these folders; each is read once for all rules.
pub(super) fn below(folders: &[&str]) -> Vec<&'static Source> {
    static SOURCES: OnceLock<Vec<Source>> = OnceLock::new();
    let all = SOURCES.get_or_init(|| {
        let rust = super::files().into_iter().filter(|path| path.ends_with(".rs"));
        rust.map(|path| source(&path, &super::read(&path))).collect()
    });
    let is_below = |source: &&Source| folders.iter().any(|folder| source.path.starts_with(folder));
    let found: Vec<&Source> = all.iter().filter(is_below).collect();
    assert!(!found.is_empty(), "no Rust files below {folders:?}");
    found
}

/// Reads one file.
pub(super) fn source(path: &str, text: &str) -> Source {
    let mut file = syn::parse_file(text).unwrap_or_else(|error| panic!("{path}: {error}"));
    let mut all = Reader::default();
    all.visit_file(&file);
    let shipped_lines = cut_tests(&mut file.items).map_or(text.lines().count(), |line| line - 1);
    let mut shipped = Reader::default();
    shipped.visit_file(&file);
    let mut waits = Vec::new();
    lines_that_wait(text.parse().expect("it was parsed before"), &mut waits);
    waits.retain(|line| *line <= shipped_lines);
    Source {
        path: path.to_owned(),
        text: text.to_owned(),
        modules: all.modules,
        allows: all.allows,
        shipped_lines,
        switches: shipped.switches,
        mentions: shipped.mentions,
        waits,
    }
}

/// Takes off the module of tests that is the last item, and says in which line it began.
fn cut_tests(items: &mut Vec<Item>) -> Option<usize> {
    let Some(Item::Mod(last)) = items.last() else { return None };
    let line = last.attrs.iter().find(|it| is_switch(it)).map(line_of)?;
    items.pop();
    Some(line)
}

/// `#[cfg(test)]`, also with more in it.
fn is_switch(attribute: &Attribute) -> bool {
    let Meta::List(list) = &attribute.meta else { return false };
    list.path.is_ident("cfg") && list.tokens.to_string().split(|c: char| !c.is_alphanumeric()).any(|it| it == "test")
}

fn lines_that_wait(tokens: TokenStream, lines: &mut Vec<usize>) {
    for token in tokens {
        match token {
            TokenTree::Ident(word) if word == "async" || word == "await" => lines.push(line_of(&word)),
            TokenTree::Group(group) => lines_that_wait(group.stream(), lines),
            _ => {}
        }
    }
}

fn line_of(what: &impl Spanned) -> usize {
    what.span().start().line
}

/// Goes through a file's syntax.
#[derive(Default)]
struct Reader {
    inside: Vec<String>,
    modules: Vec<(String, usize)>,
    allows: Vec<usize>,
    switches: Vec<usize>,
    mentions: Vec<Mention>,
}

impl Reader {
    fn mention(&mut self, names: Vec<String>, alias: Option<String>, line: usize) {
        self.mentions.push(Mention { inside: self.inside.clone(), names, alias, line });
    }

    /// The leaves of `use a::{b, c::*}`.
    fn import(&mut self, tree: &UseTree, mut names: Vec<String>) {
        match tree {
            UseTree::Path(path) => {
                names.push(path.ident.to_string());
                self.import(&path.tree, names);
            }
            UseTree::Group(group) => group.items.iter().for_each(|item| self.import(item, names.clone())),
            UseTree::Glob(glob) => self.leaf(names, "*", "*", line_of(glob)),
            UseTree::Name(name) => self.leaf(names, &name.ident.to_string(), "", line_of(name)),
            UseTree::Rename(name) => self.leaf(names, &name.ident.to_string(), &name.rename.to_string(), line_of(name)),
        }
    }

    /// `alias` is empty where the import keeps its name; `a::self` is called `a`.
    fn leaf(&mut self, mut names: Vec<String>, name: &str, alias: &str, line: usize) {
        if name != "self" || names.is_empty() {
            names.push(name.to_owned());
        }
        let alias = if alias.is_empty() { names[names.len() - 1].clone() } else { alias.to_owned() };
        self.mention(names, Some(alias), line);
    }

    /// Paths of two names and more in a macro's or attribute's words, which no parser knows.
    fn scan(&mut self, tokens: TokenStream) {
        let mut path: Vec<Ident> = Vec::new();
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Punct(mark) if mark.as_char() == ':' => colons += 1,
                TokenTree::Ident(word) => {
                    if colons != 2 {
                        self.scanned(&mut path);
                    }
                    path.push(word);
                    colons = 0;
                }
                TokenTree::Group(group) => {
                    self.scanned(&mut path);
                    self.scan(group.stream());
                }
                _ => self.scanned(&mut path),
            }
        }
        self.scanned(&mut path);
    }

    fn scanned(&mut self, path: &mut Vec<Ident>) {
        let words = std::mem::take(path);
        if let [first, _, ..] = words.as_slice() {
            self.mention(words.iter().map(ToString::to_string).collect(), None, line_of(first));
        }
    }
}

impl<'ast> Visit<'ast> for Reader {
    fn visit_item_mod(&mut self, module: &'ast ItemMod) {
        self.modules.push((module.ident.to_string(), line_of(&module.ident)));
        self.inside.push(module.ident.to_string());
        visit::visit_item_mod(self, module);
        self.inside.pop();
    }

    fn visit_item_use(&mut self, import: &'ast ItemUse) {
        self.import(&import.tree, Vec::new());
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let names: Vec<String> = path.segments.iter().map(|it| it.ident.to_string()).collect();
        if names.len() > 1 {
            self.mention(names, None, line_of(path));
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        visit::visit_macro(self, call);
        self.scan(call.tokens.clone());
    }

    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        if is_switch(attribute) {
            self.switches.push(line_of(attribute));
        }
        if attribute.path().is_ident("allow") {
            self.allows.push(line_of(attribute));
        }
        if let Meta::List(list) = &attribute.meta {
            self.scan(list.tokens.clone());
        }
        visit::visit_attribute(self, attribute);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(text: &str) -> Vec<String> {
        let told = |it: &Mention| {
            let alias = it.alias.as_ref().map_or(String::new(), |alias| format!(" as {alias}"));
            format!("{} {}{alias}", it.line, it.names.join("::"))
        };
        source("a.rs", text).mentions.iter().map(told).collect()
    }

    #[test]
    fn imports_are_taken_apart() {
        let text = "use crate::{a::{self, B as C}, d::*};\nuse serde;\nuse {l::m, n};";
        let expected = [
            "1 crate::a as a",
            "1 crate::a::B as C",
            "1 crate::d::* as *",
            "2 serde as serde",
            "3 l::m as m",
            "3 n as n",
        ];
        assert_eq!(paths(text), expected);
    }

    #[test]
    fn paths_are_found_wherever_they_stand() {
        assert_eq!(
            paths("fn f() -> super::g::H {\n  crate::i::j::<k::K>()\n}"),
            ["1 super::g::H", "2 crate::i::j", "2 k::K"]
        );
        assert_eq!(paths("fn f(){ m!(a, b::c(x) => [d::e, f::<g::h>()]) }"), ["1 b::c", "1 d::e", "1 g::h"]);
        assert_eq!(paths("#[derive(clap::Parser)]\nstruct A;"), ["1 clap::Parser"]);
        assert_eq!(paths("// use c::d;\nconst E: &str = \"f::g\";"), [""; 0]);
    }

    #[test]
    fn tests_at_the_end_are_cut_off_and_switches_elsewhere_found() {
        let read = |text: &str| {
            let read = source("a.rs", text);
            (read.shipped_lines, read.switches)
        };
        assert_eq!(read("fn a() {}\n#[cfg(test)]\nmod tests { fn b() { } }\n"), (1, vec![]));
        assert_eq!(read("fn a() {}\n#[cfg(test)]\n#[path = \"x\"]\nmod tests;\n"), (1, vec![]));
        assert_eq!(read("fn a() {}\n#[cfg(test)]\nfn b() {}\n"), (3, vec![2]));
        assert_eq!(read("#[cfg(test)]\nmod tests { }\nfn a() {}\n"), (3, vec![1]));
        assert_eq!(read("struct A {\n #[cfg(any(test, unix))]\n a: u8 }\n"), (3, vec![2]));
    }

    #[test]
    fn what_waits_is_found() {
        assert_eq!(
            source("a.rs", "async fn f() {\n g().await }\n#[cfg(test)]\nmod tests { async fn h() {} }").waits,
            [1, 2]
        );
    }

    #[test]
    fn modules_and_allowed_warnings_are_found_in_tests_too() {
        let read = source("a.rs", "mod a;\n#[cfg(test)]\nmod tests {\n #![allow(x)]\n mod b {}\n}");
        assert_eq!(read.modules, [("a".to_owned(), 1), ("tests".to_owned(), 3), ("b".to_owned(), 5)]);
        assert_eq!(read.allows, [4]);
    }
}
