//! Whether the function that a frame names is the one around its line in a file: where the client
//! sent no text, nothing else tells that the file has changed since.

use super::source::Block;

/// What a file says of the function that a frame names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum FunctionFit {
    /// The line is in another function.
    Contradicts,
    /// Nothing can be said: the language is not read, or the function has no name of its own.
    #[default]
    Unknown,
    /// The line is in it.
    Agrees,
}

/// Where a line is, and where it was to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misplaced {
    /// The function around the line; `None`: it is in none.
    pub there: Option<String>,
    /// The function that the frame names, which is elsewhere in the file.
    pub wanted: String,
}

impl Misplaced {
    /// In a sentence: of a line, as it is on `branch`.
    pub fn sentence(&self, line: u32, branch: &str) -> String {
        let Self { there, wanted } = self;
        let there = there.as_ref().map_or_else(|| "no function".to_owned(), Clone::clone);
        format!("Line {line} is in {there} here, not in {wanted}: {branch} has probably moved on since what runs.")
    }
}

/// Names that runtimes and compilers give to what has none in the source.
const NOT_IN_SOURCE: [&str; 13] = [
    "anonymous",
    "init",
    "glob",
    "eval",
    "exports",
    "constructor",
    "initialize",
    "lambda",
    "invoke",
    "doCall",
    "require",
    "new",
    "call",
];

/// The name of a function as its source has it, without what runtimes put around it; `None`: it has
/// none there, or one that can't be told.
pub fn bare_name(function: &str) -> Option<String> {
    let name = function.trim();
    // What Ruby runs within a method, and what JavaScript calls by another name.
    let name = name.rsplit_once(" in ").map_or(name, |(_, name)| name);
    if name.contains("[as ") || name.starts_with("new ") || name.starts_with("lambda$") {
        return None;
    }
    let name = name.strip_prefix("async ").unwrap_or(name);
    let name = without_arguments(name);
    // Nothing is left of `Object.<anonymous>` and `Till#[]` but what they stand in.
    if name.ends_with(['.', '#', ':']) {
        return None;
    }
    let mut parts: Vec<&str> = name.split(['.', ':', '#', '/']).filter(|part| !part.is_empty()).collect();
    while parts.last().is_some_and(|part| is_closure(part)) {
        parts.pop();
    }
    let last = parts.last()?.trim_end_matches("-fm");
    let rest = last.trim_end_matches(['?', '!', '=']);
    let is_name = !rest.is_empty()
        && !rest.starts_with(|c: char| c.is_ascii_digit())
        && rest.chars().all(|c| c.is_alphanumeric() || c == '_');
    (is_name && !NOT_IN_SOURCE.contains(&rest)).then(|| last.to_owned())
}

/// Without type parameters and arguments: `f[...]`, `f::<T>`, `f/2`, `(*Cart).Pay`, `pay(int)`.
fn without_arguments(name: &str) -> String {
    let mut depth = 0_usize;
    let mut out = String::with_capacity(name.len());
    for c in name.chars() {
        match c {
            '[' | '<' | '(' => depth += 1,
            ']' | '>' | ')' => depth = depth.saturating_sub(1),
            // Of `<T as Price>::total` what follows is kept, of `<lambda>` nothing.
            _ if depth == 0 => out.push(c),
            _ => {}
        }
    }
    out
}

/// `func1`, `2`, `{{closure}}`, the hash that Rust puts behind a name.
fn is_closure(part: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_hash = part.len() == 17
        && part.strip_prefix('h').is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_hexdigit()));
    let numbered = |word: &str| part.strip_prefix(word).is_some_and(digits);
    digits(part) || is_hash || part.starts_with('{') || ["func", "gowrap", "deferwrap"].into_iter().any(numbered)
}

/// Compares a frame's function with those of a file around a line; where it is elsewhere, says so.
pub fn compare(function: &str, line: u32, blocks: &[Block]) -> (FunctionFit, Option<Misplaced>) {
    let is_of_class = function.contains("<class:");
    let Some(wanted) = bare_name(function).filter(|_| !is_of_class) else { return (FunctionFit::Unknown, None) };
    let around = || blocks.iter().filter(|block| block.covers(line));
    if around().any(|block| block.name == wanted) {
        return (FunctionFit::Agrees, None);
    }
    if around().any(|block| !block.is_class && bare_name(&block.name).is_none()) {
        return (FunctionFit::Unknown, None);
    }
    let innermost = around().filter(|block| !block.is_class).min_by_key(|block| block.length());
    let there = innermost.map(|block| block.name.clone());
    let is_elsewhere = blocks.iter().any(|block| !block.is_class && block.name == wanted);
    match (is_elsewhere, there) {
        (true, there) => (FunctionFit::Contradicts, Some(Misplaced { there, wanted })),
        (false, Some(_)) => (FunctionFit::Contradicts, None),
        // What is in no function may be made by what is called there.
        (false, None) => (FunctionFit::Unknown, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_compared_as_its_source_has_it() {
        for (function, bare) in [
            ("pay", "pay"),
            ("Till#pay!", "pay!"),
            ("Till.open?", "open?"),
            ("block (2 levels) in Till#pay", "pay"),
            ("rescue in pay", "pay"),
            ("shop/till.(*Till).Pay.func1.2", "Pay"),
            ("main.Total[...]", "Total"),
            ("shop::till::pay::{{closure}}", "pay"),
            ("<shop::Till as shop::Price>::total", "total"),
            ("shop::till::pay::h0123456789abcdef", "pay"),
            ("Till.pay", "pay"),
            ("main.main", "main"),
            ("async Till.pay", "pay"),
            ("pay.<locals>.inner", "inner"),
            ("com.example.Till.pay", "pay"),
        ] {
            assert_eq!(bare_name(function).as_deref(), Some(bare), "{function}");
        }
        for none in [
            "?",
            "",
            "<module>",
            "<lambda>",
            "<anonymous>",
            "Object.<anonymous>",
            "<init>",
            "<main>",
            "lambda$pay$0",
            "glob..func1",
            "get total [as total]",
            "new Till",
            "Till#[]",
            "Till#==",
            "<top (required)>",
        ] {
            assert!(bare_name(none).is_none(), "{none}: {:?}", bare_name(none));
        }
    }

    #[test]
    fn a_line_in_another_function_is_told() {
        let block = |name: &str, start, end, is_class| Block {
            name: name.to_owned(),
            qualified: name.to_owned(),
            start,
            end,
            is_class,
            parameters: Vec::new(),
        };
        let blocks = [
            block("Till", 1, 20, true),
            block("newest", 2, 5, false),
            block("pay", 7, 9, false),
            block("<lambda>", 11, 14, false),
        ];
        let fit = |function: &str, line| compare(function, line, &blocks);
        assert_eq!(fit("Till#pay", 8), (FunctionFit::Agrees, None));
        assert_eq!(fit("Till", 3), (FunctionFit::Agrees, None), "the body of the class");
        let (contradicts, misplaced) = fit("Till#pay", 3);
        assert_eq!(contradicts, FunctionFit::Contradicts);
        assert_eq!(
            misplaced.map(|one| one.sentence(3, "main")).as_deref(),
            Some("Line 3 is in newest here, not in pay: main has probably moved on since what runs.")
        );
        let outside = fit("pay", 16).1.map(|one| one.sentence(16, "main"));
        assert!(outside.is_some_and(|text| text.starts_with("Line 16 is in no function here, not in pay:")));
        assert_eq!(fit("ship", 3), (FunctionFit::Contradicts, None));
        assert_eq!(fit("ship", 16), (FunctionFit::Unknown, None));
        assert_eq!(fit("ship", 12), (FunctionFit::Unknown, None), "a function without a name");
        assert_eq!(fit("<module>", 3), (FunctionFit::Unknown, None));
        assert_eq!(fit("block in <class:Till>", 3), (FunctionFit::Unknown, None));
    }
}
