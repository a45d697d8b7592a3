//! Lines without a statement of their own: where a file has one at a reported number, it is not the
//! file that runs.

use super::report::Frame;
use super::trivial_edit::is_slashed;

/// Endings of files in which `#` begins a comment.
const HASHED: &[&str] = &[
    "bash", "coffee", "cr", "ex", "exs", "gemspec", "jl", "nim", "php", "pl", "pm", "ps1", "psm1", "py", "pyi", "pyw",
    "pyx", "r", "rake", "rb", "ru", "sh",
];

/// Endings of files whose columns are those of what runs: nothing is compiled to another layout, or
/// a client that reports the source's line has its column from the same map.
const WITH_COLUMNS: &[&str] = &["cjs", "cts", "js", "jsx", "mjs", "mts", "rs", "ts", "tsx"];

/// Columns behind a line's end that a frame may still name: what is missing at its end is reported
/// there, and clients count from 0 or from 1.
const BEYOND: usize = 1;

/// Lines of a block comment that are gone back for its beginning: longer ones are licenses.
const LONGEST_COMMENT: usize = 500;

/// Whether nothing can be raised at a line of a file of this path: it is blank or a comment, or
/// ends before the frame's column. `number` is one-based, and a line of the file.
pub(crate) fn raises_nothing(lines: &[String], number: u32, path: &str, frame: &Frame) -> bool {
    let index = number as usize - 1;
    let line = lines[index].trim_start_matches('\u{feff}');
    line.trim().is_empty() || is_comment(&lines[..index], line.trim(), path) || ends_before(line, number, path, frame)
}

/// Whether a line only closes what others opened, by brackets or by a word: what is raised there,
/// if anything, is raised by what ends with it.
pub fn only_closes(line: &str) -> bool {
    let line = line.trim().trim_end_matches([';', ',']).trim_end();
    line == "end" || (!line.is_empty() && line.chars().all(|c| matches!(c, '}' | ')' | ']' | ';' | ' ')))
}

/// What is said of a line that only closes, as it is on `branch`.
pub fn only_closes_sentence(line: u32, branch: &str) -> String {
    format!("Line {line} only closes a block here: {branch} has probably moved on since what runs.")
}

fn is_comment(before: &[String], line: &str, path: &str) -> bool {
    let ending = path.rsplit_once('.').map_or("", |(_, ending)| ending);
    let is_page = matches!(ending, "svelte" | "vue" | "html");
    // A line of a text over several lines may look like one, and have code in it.
    if let Some(words) = line.strip_prefix('#').filter(|_| HASHED.contains(&ending)) {
        // `#[Attribute]` of PHP.
        let is_code = words.contains('{') || (ending == "php" && words.starts_with('['));
        return !is_code;
    }
    if !is_slashed(path) {
        return is_page && is_whole(line, "<!--", "-->");
    }
    let is_lone = |line: &str| line.starts_with("//") || is_whole(line, "/*", "*/");
    // JSX.
    let inner = line.strip_prefix('{').and_then(|line| line.strip_suffix('}')).map_or(line, str::trim);
    (is_lone(inner) && !line.contains("${"))
        || (is_page && is_whole(line, "<!--", "-->"))
        || (is_starred(line) && is_in_comment(before))
}

/// Whether a line is a single comment, or the beginning of one.
fn is_whole(line: &str, opening: &str, closing: &str) -> bool {
    line.strip_prefix(opening).is_some_and(|rest| rest.split_once(closing).is_none_or(|(_, after)| after.is_empty()))
}

/// Whether a line may be one within a block comment, as they are laid out by most; with nothing
/// behind it.
fn is_starred(line: &str) -> bool {
    line.starts_with('*') && line.split_once("*/").is_none_or(|(_, after)| after.is_empty())
}

fn is_in_comment(before: &[String]) -> bool {
    let mut above = before.iter().rev().take(LONGEST_COMMENT).map(|line| line.trim());
    let opening = above.find(|line| !line.starts_with('*') || line.contains("*/"));
    opening.is_some_and(|line| line.starts_with("/*") && !line.contains("*/"))
}

/// Whether the frame's column is behind the end of its line. Columns are counted in bytes, in
/// characters or in halves of them, of which the most is taken; of the first line, some runtimes
/// count what they put before it.
fn ends_before(line: &str, number: u32, path: &str, frame: &Frame) -> bool {
    let is_told = path.rsplit_once('.').is_some_and(|(_, ending)| WITH_COLUMNS.contains(&ending));
    let end = line.trim_end_matches(['\r', '\n']).len() + 1;
    is_told && number > 1 && frame.column.is_some_and(|column| column as usize > end + BEYOND)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_bare(text: &str, number: u32, path: &str) -> bool {
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        raises_nothing(&lines, number, path, &Frame::default())
    }

    #[test]
    fn nothing_is_raised_at_a_blank_line_or_a_comment() {
        for (text, number, path) in [
            ("a()\n\nb()\n", 2, "shop/cart.py"),
            ("a()\n  \t\nb()\n", 2, "shop/cart.go"),
            ("    # the till closes at six\n", 1, "shop/till.py"),
            ("# the till\n", 1, "lib/till.rb"),
            ("# the till\n", 1, "src/Till.php"),
            ("\t// the till\n", 1, "till.go"),
            ("/// The till.\n", 1, "src/till.rs"),
            ("//! The till.\n", 1, "src/till.rs"),
            ("/* the till */\n", 1, "Till.java"),
            ("/**\n * The till.\n */\n", 1, "Till.java"),
            ("/**\n * The till.\n */\n", 2, "Till.java"),
            ("/**\n * The till.\n */\n", 3, "Till.java"),
            ("  {/* the till */}\n", 1, "src/Till.tsx"),
            ("<!-- the till -->\n", 1, "src/Till.vue"),
        ] {
            assert!(is_bare(text, number, path), "{text:?} of {path}");
        }
    }

    #[test]
    fn what_only_looks_like_a_comment_is_code() {
        for (text, number, path) in [
            ("pay()  # at the till\n", 1, "shop/till.py"),
            ("#[Route('/till')]\n", 1, "src/Till.php"),
            ("#[derive(Debug)]\n", 1, "src/till.rs"),
            ("#include <till.h>\n", 1, "till.c"),
            ("#first { color: red }\n", 1, "till.js"),
            ("# {till.total} of {till.of}\n", 1, "shop/page.py"),
            ("# #{till.total}\n", 1, "lib/page.rb"),
            ("// ${till.total}\n", 1, "page.js"),
            ("//two\n", 1, "till.py"),
            ("/* the till */ pay();\n", 1, "Till.java"),
            ("*price = 1;\n", 1, "till.c"),
            ("let total = price\n  * count(till);\n", 2, "till.js"),
            ("/* the till */\n*price = 1;\n", 2, "till.c"),
            ("/*\n * The till.\n */ pay();\n", 3, "till.c"),
            ("}\n", 1, "till.go"),
        ] {
            assert!(!is_bare(text, number, path), "{text:?} of {path}");
        }
    }

    #[test]
    fn a_line_that_ends_before_the_column_is_another() {
        let lines = ["'use strict';", "pay();", "päy();"].map(str::to_owned);
        let ends = |number: u32, column: u32, path: &str| {
            raises_nothing(&lines, number, path, &Frame { column: Some(column), ..Frame::default() })
        };
        assert!(ends(2, 9, "till.js"), "one behind the end may be a count from 0");
        for column in [0, 1, 6, 7, 8] {
            assert!(!ends(2, column, "till.js"), "{column}");
        }
        assert!(!ends(3, 9, "till.ts"), "some count bytes");
        assert!(!ends(1, 62, "till.js"), "Node's wrapper stood before the first line");
        assert!(!ends(2, 40, "till.coffee"), "of what it is compiled to");
        assert!(!ends(2, 40, "Till.vue"));
    }

    #[test]
    fn brackets_and_ends_only_close() {
        for line in ["}", "  });", "\t)", "],", "end", "  end;", "}}", "} )"] {
            assert!(only_closes(line), "{line}");
        }
        for line in ["", "  ", ";", "end_sale()", "} else {", "};x", "{", "endless", "}, [])", "})()"] {
            assert!(!only_closes(line), "{line}");
        }
    }
}
