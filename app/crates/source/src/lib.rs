//! Reading source code with tree-sitter: functions and their bounds, and what the statement at a
//! line does.
//!
//! Six languages. What is in another language, or is too much to be read, is known by nothing:
//! callers go on without. A grammar goes on after mistakes, so code with a syntax error in one
//! place, or in an older version of a language, is still read.
//!
//! Whoever writes into a repository chooses what is read here. So nothing recurses, all work is
//! counted ([`Work`]), and names, functions and nodes are no more than some number: a file takes
//! 300 MB of memory at most, while it is parsed.

mod language;
mod line;
mod outline;
mod parse;
mod variables;
mod walk;
mod work;

pub use language::Language;
pub use work::{MOST_WORK, Work};

use domain::source::{Block, LineFacts};
use line::Reading;
use std::cell::RefCell;
use std::rc::Rc;
use tree_sitter::{Node, Tree};
use variables::Variables;
use work::TooMuch;

/// Functions that are looked through in a step for the one around a line.
const BLOCKS_OF_A_STEP: usize = 20;

/// Why a file is not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unread {
    /// Its name says no language that is known here.
    OtherLanguage,
    /// It is larger, or nested more deeply, than code that people write, or reading it takes more
    /// work than is left.
    TooMuch,
}

impl From<TooMuch> for Unread {
    fn from(_: TooMuch) -> Self {
        Self::TooMuch
    }
}

/// A parsed file.
pub struct Source<'t> {
    language: Language,
    text: &'t str,
    tree: Tree,
    blocks: Vec<Block>,
    work: &'t Work,
    /// The variables of the function (by its node) that was asked for last: frames of one traceback
    /// are mostly asked for function by function.
    variables: RefCell<Option<(usize, Rc<Variables>)>>,
}

impl std::fmt::Debug for Source<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Source").field("language", &self.language).field("bytes", &self.text.len()).finish()
    }
}

impl<'t> Source<'t> {
    /// Parses a file, for as much of the work as it takes.
    ///
    /// # Errors
    /// Why it is not read.
    pub fn parse(path: &str, text: &'t str, work: &'t Work) -> Result<Self, Unread> {
        let language = Language::of_path(path).ok_or(Unread::OtherLanguage)?;
        let tree = parse::tree(language, text, work)?;
        let blocks = outline::blocks(language, tree.root_node(), text, work)?;
        Ok(Self { language, text, tree, blocks, work, variables: RefCell::default() })
    }

    /// All functions and classes, in the order in which they begin.
    pub fn blocks(&self) -> &[Block] {
        &self.blocks
    }

    /// The innermost function around a line (from 1).
    pub fn function_at(&self, line: u32) -> Option<&Block> {
        self.blocks.iter().filter(|block| !block.is_class && block.covers(line)).min_by_key(|block| block.length())
    }

    /// What the source says of a line (from 1).
    ///
    /// # Errors
    /// No work is left for it.
    pub fn line(&self, line: u32) -> Result<LineFacts, Unread> {
        self.work.take((self.blocks.len() / BLOCKS_OF_A_STEP) as u64)?;
        let function = self.function_at(line).cloned();
        Ok(line::facts(self.reading(), line, function, |scope| self.variables(scope))?)
    }

    /// The lines of a class or function at which a field of the object is set: `self.NAME = …`.
    ///
    /// # Errors
    /// No work is left for it.
    pub fn field_set(&self, block: &Block, field: &str) -> Result<Vec<u32>, Unread> {
        Ok(line::field_set(self.reading(), block, field)?)
    }

    fn reading(&self) -> Reading<'_> {
        Reading { language: self.language, root: self.tree.root_node(), text: self.text, work: self.work }
    }

    fn variables(&self, scope: Node<'_>) -> Result<Rc<Variables>, TooMuch> {
        if let Some((of, known)) = &*self.variables.borrow()
            && *of == scope.id()
        {
            return Ok(Rc::clone(known));
        }
        let found = Rc::new(Variables::of(scope, self.text, self.work)?);
        *self.variables.borrow_mut() = Some((scope.id(), Rc::clone(&found)));
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::source::{Role, ValueOrigin};

    const PYTHON: &str = "\
import json

@decorated
def total(items, *rest, price: int = 3, **more):
    result = fetch(items)
    other = price
    for one in result:
        one.net += other
    return helper(result, price)

class Cart(Base):
    def __init__(self, owner):
        self.owner = owner

    def pay(self, amount):
        def inner(x):
            return amount(x)
        if amount > self.limit:
            self.fail('too much')
        return self.wallet.pay(
            amount,
        )

def wrapper(func):
    def wrapped(*args, **kwargs):
        return func(*args, **kwargs)
    return wrapped
";

    fn source<'t>(path: &str, text: &'t str) -> Source<'t> {
        Source::parse(path, text, Box::leak(Box::default())).expect("a known language")
    }

    fn names(path: &str, text: &str) -> Vec<String> {
        let source = source(path, text);
        source.blocks().iter().map(|one| format!("{} {}-{}", one.qualified, one.start, one.end)).collect()
    }

    fn python(line: u32) -> LineFacts {
        facts("a.py", PYTHON, line)
    }

    fn facts(path: &str, text: &str, line: u32) -> LineFacts {
        source(path, text).line(line).expect("little work")
    }

    fn origins(facts: &LineFacts, role: &Role) -> Vec<ValueOrigin> {
        facts.uses.iter().filter(|one| one.role == *role).map(|one| one.origin.clone()).collect()
    }

    #[test]
    fn functions_and_classes_are_found_with_their_bounds() {
        assert_eq!(
            names("a.py", PYTHON),
            [
                "total 4-9",
                "Cart 11-22",
                "Cart.__init__ 12-13",
                "Cart.pay 15-22",
                "Cart.pay.inner 16-17",
                "wrapper 24-27",
                "wrapper.wrapped 25-26"
            ]
        );
        let source = source("a.py", PYTHON);
        assert_eq!(source.function_at(8).expect("a function").parameters, ["items", "rest", "price", "more"]);
        assert!(source.function_at(1).is_none());
        assert_eq!(source.function_at(17).expect("the innermost").qualified, "Cart.pay.inner");
    }

    #[test]
    fn six_languages_are_read() {
        let script = "const f = (a) => {\n  return a.b;\n};\nclass Cart {\n  total(x) {\n    return x;\n  }\n}\n";
        assert_eq!(names("a.js", script), ["f 1-3", "Cart 4-8", "Cart.total 5-7"]);
        let typed = "export class Cart {\n  total(x: number): number {\n    return x;\n  }\n}\n";
        assert_eq!(names("a.ts", typed), ["Cart 1-5", "Cart.total 2-4"]);
        assert_eq!(names("a.tsx", typed), ["Cart 1-5", "Cart.total 2-4"]);
        let ruby = "class Cart\n  def total(x)\n    x.net\n  end\nend\n";
        assert_eq!(names("a.rb", ruby), ["Cart 1-5", "Cart.total 2-4"]);
        let go = "package a\n\nfunc (c *Cart) Total(x int) int {\n\treturn x\n}\n\nfunc main() {\n}\n";
        assert_eq!(names("a.go", go), ["Cart.Total 3-5", "main 7-8"]);
        let java = "class Cart {\n  int total(int x) {\n    return x;\n  }\n}\n";
        assert_eq!(names("a.java", java), ["Cart 1-5", "Cart.total 2-4"]);
        let rust = "impl<T> Price for Cart<T> {\n    fn total(&self, x: u32) -> u32 {\n        x\n    }\n}\n";
        assert_eq!(names("a.rs", rust), ["Cart 1-5", "Cart.total 2-4"]);
        for (path, text, line) in [
            ("a.js", script, 5),
            ("a.ts", typed, 2),
            ("a.rb", ruby, 2),
            ("a.go", go, 3),
            ("a.java", java, 2),
            ("a.rs", rust, 2),
        ] {
            let source = source(path, text);
            assert_eq!(source.function_at(line).expect("a function").parameters, ["x"], "{path}");
        }
        let unread = |path: &str| Source::parse(path, "", &Work::default()).err();
        assert_eq!((unread("a.cobol"), unread("Makefile")), (Some(Unread::OtherLanguage), Some(Unread::OtherLanguage)));
    }

    #[test]
    fn what_came_in_is_told_from_what_was_made_here() {
        let called = python(9);
        assert_eq!(origins(&called, &Role::Argument), [ValueOrigin::Local, ValueOrigin::Given("price".into())]);
        let adds = python(8);
        assert!(
            origins(&adds, &Role::Operand).contains(&ValueOrigin::Given("price".into())),
            "followed through `other`"
        );
        assert_eq!(origins(&python(7), &Role::Iterated), [ValueOrigin::Local]);
        let compares = python(18);
        assert_eq!(
            origins(&compares, &Role::Operand),
            [ValueOrigin::Given("amount".into()), ValueOrigin::Own("limit".into())]
        );
        // A line in the middle of a statement is the statement's.
        assert!(origins(&python(21), &Role::Attribute("pay".into())).contains(&ValueOrigin::Own("wallet".into())));
    }

    #[test]
    fn wrappers_and_helpers_are_recognised() {
        assert!(python(26).forwards);
        assert!(!python(9).forwards);
        assert!(python(19).raises);
        assert!(!python(18).raises, "the condition does not raise, its body does");
        let given = facts("a.py", "def run(task):\n    return task()\n", 2);
        assert!(given.calls_given && !given.forwards);
        let spread = facts("a.js", "function f(...args) {\n  g(...args);\n}\n", 2);
        assert!(spread.forwards);
        let splat = facts("a.rb", "def f(*args)\n  g(*args)\nend\n", 2);
        assert!(splat.forwards);
        let list = facts("a.py", "def f(a):\n    g(*[a, a])\n", 2);
        assert!(!list.forwards, "it makes the list itself");
    }

    #[test]
    fn the_lines_that_set_a_field_are_found() {
        let source = source("a.py", PYTHON);
        let cart = source.blocks().iter().find(|one| one.name == "Cart").expect("the class");
        assert_eq!(source.field_set(cart, "owner").as_deref(), Ok(&[13][..]));
        assert_eq!(source.field_set(cart, "limit").as_deref(), Ok(&[][..]));
    }

    #[test]
    fn broken_and_strange_code_does_no_harm() {
        for text in ["", "\n\n", "def f(:\n  x = (\n", "\u{feff}def f():\n\tpass\r\n", "print 'old', x\nraise E, 'x'\n"]
        {
            let source = source("a.py", text);
            for line in 0..5 {
                source.line(line).expect("little work");
            }
        }
        let deep = format!("x = {}1{}\n", "(".repeat(900), ")".repeat(900));
        facts("a.py", &deep, 1);
    }
}
