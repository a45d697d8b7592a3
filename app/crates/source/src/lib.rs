//! Reading source code with tree-sitter: functions and their bounds, and what the statement at a
//! line does.
//!
//! Six languages. What can't be parsed, or is in another language, is known by nothing: callers go
//! on without. A grammar goes on after mistakes, so code with a syntax error in one place, or in an
//! older version of a language, is still read.

mod language;
mod line;
mod outline;

pub use language::Language;

use domain::source::{Block, LineFacts};
use tree_sitter::{Parser, Tree};

/// Larger files are not read: a file of this size takes about a second to parse, and is generated
/// anyway.
const LARGEST_SOURCE: usize = 4 << 20;

/// A parsed file.
pub struct Source<'t> {
    language: Language,
    text: &'t str,
    tree: Tree,
}

impl std::fmt::Debug for Source<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Source").field("language", &self.language).field("bytes", &self.text.len()).finish()
    }
}

impl<'t> Source<'t> {
    /// Parses a file. `None`: its name says no language that is known here, or it is larger than 4
    /// MB.
    pub fn parse(path: &str, text: &'t str) -> Option<Self> {
        let language = Language::of_path(path)?;
        if text.len() > LARGEST_SOURCE {
            return None;
        }
        let mut parser = Parser::new();
        parser.set_language(&language.grammar()).ok()?;
        let tree = parser.parse(text, None)?;
        Some(Self { language, text, tree })
    }

    /// All functions and classes, in the order in which they begin.
    pub fn blocks(&self) -> Vec<Block> {
        outline::blocks(self.language, self.tree.root_node(), self.text)
    }

    /// The innermost function around a line (from 1).
    pub fn function_at(&self, line: u32) -> Option<Block> {
        self.blocks().into_iter().filter(|block| !block.is_class && block.covers(line)).min_by_key(Block::length)
    }

    /// What the source says of a line (from 1).
    pub fn line(&self, line: u32) -> LineFacts {
        line::facts(self.language, self.tree.root_node(), self.text, line, self.function_at(line))
    }

    /// The lines of a class or function at which a field of the object is set: `self.NAME = …`.
    pub fn field_set(&self, block: &Block, field: &str) -> Vec<u32> {
        line::field_set(self.language, self.tree.root_node(), self.text, block, field)
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

    fn names(path: &str, text: &str) -> Vec<String> {
        let source = Source::parse(path, text).expect("a known language");
        source.blocks().iter().map(|one| format!("{} {}-{}", one.qualified, one.start, one.end)).collect()
    }

    fn python(line: u32) -> LineFacts {
        Source::parse("a.py", PYTHON).expect("Python").line(line)
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
        let source = Source::parse("a.py", PYTHON).expect("Python");
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
            let source = Source::parse(path, text).expect("a known language");
            assert_eq!(source.function_at(line).expect("a function").parameters, ["x"], "{path}");
        }
        assert!(Source::parse("a.cobol", "").is_none());
        assert!(Source::parse("Makefile", "").is_none());
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
        let given = Source::parse("a.py", "def run(task):\n    return task()\n").expect("Python").line(2);
        assert!(given.calls_given && !given.forwards);
        let spread = Source::parse("a.js", "function f(...args) {\n  g(...args);\n}\n").expect("JavaScript").line(2);
        assert!(spread.forwards);
        let splat = Source::parse("a.rb", "def f(*args)\n  g(*args)\nend\n").expect("Ruby").line(2);
        assert!(splat.forwards);
        let list = Source::parse("a.py", "def f(a):\n    g(*[a, a])\n").expect("Python").line(2);
        assert!(!list.forwards, "it makes the list itself");
    }

    #[test]
    fn the_lines_that_set_a_field_are_found() {
        let source = Source::parse("a.py", PYTHON).expect("Python");
        let cart = source.blocks().into_iter().find(|one| one.name == "Cart").expect("the class");
        assert_eq!(source.field_set(&cart, "owner"), [13]);
        assert_eq!(source.field_set(&cart, "limit"), [0u32; 0]);
    }

    #[test]
    fn broken_and_strange_code_does_no_harm() {
        for text in ["", "\n\n", "def f(:\n  x = (\n", "\u{feff}def f():\n\tpass\r\n", "print 'old', x\nraise E, 'x'\n"]
        {
            let source = Source::parse("a.py", text).expect("Python");
            for line in 0..5 {
                source.line(line);
            }
        }
        let deep = format!("x = {}1{}\n", "(".repeat(20_000), ")".repeat(20_000));
        Source::parse("a.py", &deep).expect("Python").line(1);
    }
}
