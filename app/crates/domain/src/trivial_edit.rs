//! Whether a line was changed in one literal or operator only, so that who wrote it before knows
//! it as well.

use serde::{Deserialize, Serialize};

/// Characters of a line that is compared: longer ones are data, or written by a program.
const LONGEST_LINE: usize = 500;

/// Characters that stand together as one operator.
const OPERATORS: &str = "+-*/%<>=!&|^~?";

/// Endings of files in which `//` and `/*` begin comments.
const SLASHED: &[&str] = &[
    "c", "cc", "cjs", "cpp", "cs", "cts", "cxx", "dart", "fs", "go", "groovy", "h", "hpp", "java", "js", "jsx", "kt",
    "kts", "m", "mjs", "mm", "mts", "php", "rs", "scala", "svelte", "swift", "ts", "tsx", "vue", "zig",
];

/// What was changed in a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TrivialEdit {
    /// A number.
    Number,
    /// A text in quotes.
    Text,
    /// `true`, `None` and their like.
    Constant,
    /// `<` to `<=`, and their like.
    Operator,
    /// Only what stands beside the code.
    Comment,
}

impl TrivialEdit {
    /// `a number`.
    pub fn words(self) -> &'static str {
        match self {
            Self::Number => "a number",
            Self::Text => "a text",
            Self::Constant => "a constant",
            Self::Operator => "an operator",
            Self::Comment => "a comment",
        }
    }

    /// What makes the line before the line after in a file of this path, if it is one literal or
    /// operator and nothing else: white space and comments are not counted.
    pub fn between(before: &str, after: &str, path: &str) -> Option<Self> {
        if before.len().max(after.len()) > LONGEST_LINE {
            return None;
        }
        let is_slashed = is_slashed(path);
        let is_other = before.split_whitespace().ne(after.split_whitespace());
        let (before, after) = (tokens(before, is_slashed), tokens(after, is_slashed));
        if before == after && before.len() > 1 {
            return is_other.then_some(Self::Comment);
        }
        // Of a line that has a single token there is nothing left that is the same.
        if before.len() != after.len() || before.len() < 3 {
            return None;
        }
        let mut changed = before.iter().zip(&after).filter(|(one, other)| one != other);
        let (one, other) = changed.next()?;
        let edit = kind_of(one).filter(|kind| kind_of(other) == Some(*kind));
        // What stands in braces may be code: `f"{total} EUR"`, `"#{total}"`, `${total}`.
        let edit = edit.filter(|kind| *kind != Self::Text || in_braces(one).eq(in_braces(other)));
        edit.filter(|_| changed.next().is_none())
    }
}

/// Whether `//` and `/*` begin comments in a file of this path.
pub(crate) fn is_slashed(path: &str) -> bool {
    path.rsplit_once('.').is_some_and(|(_, ending)| SLASHED.contains(&ending))
}

fn kind_of(token: &str) -> Option<TrivialEdit> {
    let first = token.chars().next()?;
    match token {
        _ if token.trim_start_matches(['-', '+']).starts_with(|c: char| c.is_ascii_digit()) => {
            Some(TrivialEdit::Number)
        }
        // One that does not end is no text: an apostrophe of a comment.
        _ if matches!(first, '"' | '\'' | '`') => {
            (token.len() > 1 && token.ends_with(first)).then_some(TrivialEdit::Text)
        }
        "true" | "false" | "True" | "False" | "None" | "null" | "nil" | "undefined" => Some(TrivialEdit::Constant),
        // An assignment is no comparison, nor is an arrow.
        "=" | "=>" | "->" | "<-" => None,
        "and" | "or" | "in" | "not in" | "is" | "is not" => Some(TrivialEdit::Operator),
        _ if OPERATORS.contains(first) => Some(TrivialEdit::Operator),
        _ => None,
    }
}

/// What stands in the braces of a text.
fn in_braces(text: &str) -> impl Iterator<Item = &str> {
    text.split('{').skip(1).map(|rest| rest.split_once('}').map_or(rest, |(code, _)| code))
}

/// The tokens of a line in any language, roughly: words, numbers with their sign, texts in quotes,
/// operators, and all other characters one by one; a comment behind them is left out.
fn tokens(line: &str, is_slashed: bool) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut rest = line.trim_start();
    while let Some(first) = rest.chars().next().filter(|_| !begins_comment(line, rest, &found, is_slashed)) {
        if let Some(comment) = rest.strip_prefix("/*").filter(|_| is_slashed) {
            rest = comment.split_once("*/").map_or("", |(_, code)| code.trim_start());
            continue;
        }
        let is_digit = |c: char| c.is_ascii_digit();
        let is_sign = matches!(first, '-' | '+') && rest[1..].starts_with(is_digit) && is_before_value(found.last());
        let within_number = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.');
        let length = match first {
            '"' | '\'' | '`' => quoted(rest, first),
            _ if is_sign => 1 + run(&rest[1..], within_number),
            _ if is_digit(first) => run(rest, within_number),
            _ if is_word(first) => run(rest, is_word),
            _ if OPERATORS.contains(first) => run(rest, |c| OPERATORS.contains(c)),
            _ => first.len_utf8(),
        };
        let (token, after) = rest.split_at(length);
        match found.last_mut() {
            // Python's operators of two words.
            Some(last) if (last.as_str(), token) == ("not", "in") => *last = "not in".to_owned(),
            Some(last) if (last.as_str(), token) == ("is", "not") => *last = "is not".to_owned(),
            _ => found.push(token.to_owned()),
        }
        rest = after.trim_start();
    }
    found
}

/// Whether the rest of a line is a comment: `# …` behind white space, `//` where that begins one,
/// and elsewhere `// …` behind the end of what is said (in Python it divides).
fn begins_comment(line: &str, rest: &str, found: &[String], is_slashed: bool) -> bool {
    let is_apart = line[..line.len() - rest.len()].chars().next_back().is_none_or(char::is_whitespace);
    let is_end = || found.last().is_none_or(|last| matches!(last.as_str(), ";" | "{" | "}" | ","));
    (is_slashed && rest.starts_with("//"))
        || is_apart && (rest.starts_with("# ") || (rest.starts_with("// ") && is_end()))
}

/// Whether a value follows what was said last, so that a sign belongs to it.
fn is_before_value(last: Option<&String>) -> bool {
    let Some(last) = last else { return true };
    matches!(last.as_str(), "(" | "[" | "{" | "," | ":" | ";" | "return" | "and" | "or" | "in" | "else" | "yield")
        || last.starts_with(|c: char| OPERATORS.contains(c)) && kind_of(last) != Some(TrivialEdit::Number)
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '$')
}

fn run(text: &str, within: impl Fn(char) -> bool) -> usize {
    text.find(|c| !within(c)).unwrap_or(text.len())
}

/// A text in quotes with both of them; one that does not end goes to the line's end.
fn quoted(text: &str, quote: char) -> usize {
    let mut is_escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            _ if c == quote => return at + quote.len_utf8(),
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn between(before: &str, after: &str) -> Option<TrivialEdit> {
        TrivialEdit::between(before, after, "shop/cart.py")
    }

    #[test]
    fn a_comment_beside_the_code_is_a_trivial_edit() {
        for (path, before, after) in [
            ("a.py", "price = PRICES[sku]", "price = PRICES[sku]  # in cents"),
            ("a.rb", "price = prices[sku] # it's in cents", "price = prices[sku] # in euros"),
            ("a.go", "price := prices[sku]", "price := prices[sku] // in cents"),
            ("a.ts", "return sum / count //mean", "return sum / count"),
            ("a.java", "total(/* all */ lines);", "total(lines);"),
            ("a.rs", "retry(5); // five", "retry(5);"),
        ] {
            assert_eq!(TrivialEdit::between(before, after, path), Some(TrivialEdit::Comment), "{path} {before}");
        }
        for (path, before, after) in [
            ("a.py", "share = total // count", "share = total // lines"),
            ("a.py", "    price = PRICES[sku]", "price  = PRICES[sku]"),
            ("a.ts", "link = \"http://a.example.com\" + path", "link = \"http://a.example.com\" + file"),
            ("a.py", "# in cents", "# in euros"),
            ("a.ts", "// in cents", "// in euros"),
        ] {
            assert_eq!(TrivialEdit::between(before, after, path), None, "{path} {before}");
        }
        assert_eq!(TrivialEdit::between("a /* b", "a /* b */ + c", "a.c"), None);
    }

    #[test]
    fn one_literal_or_operator_is_a_trivial_edit() {
        for (before, after, expected) in [
            ("price = round(sum, 2)", "price = round(sum, 3)", TrivialEdit::Number),
            ("    retry(5)", "retry( 0x1F )", TrivialEdit::Number),
            ("raise KeyError('no \\' price')", "raise KeyError(\"none\")", TrivialEdit::Text),
            ("if (a < b) {", "if (a <= b) {", TrivialEdit::Operator),
            ("total += price", "total -= price", TrivialEdit::Operator),
            ("return a and b", "return a or b", TrivialEdit::Operator),
            ("cache(strict=True)", "cache(strict=False)", TrivialEdit::Constant),
            ("price = round(sum, 4)", "price = round(sum, -4)", TrivialEdit::Number),
            ("offset = 4 * step", "offset = -4 * step", TrivialEdit::Number),
            ("total = sum - 4", "total = sum + 4", TrivialEdit::Operator),
            ("if line in seen:", "if line not in seen:", TrivialEdit::Operator),
            ("if line is None:", "if line is not None:", TrivialEdit::Operator),
            ("retry(5)  # five times", "retry(6)  # six times, don't ask", TrivialEdit::Number),
            ("retry(5); // five times", "retry(6);", TrivialEdit::Number),
            ("say(f\"{total} EUR\")", "say(f\"{total} USD\")", TrivialEdit::Text),
        ] {
            assert_eq!(between(before, after), Some(expected), "{before} → {after}");
        }
    }

    #[test]
    fn anything_more_is_not() {
        for (before, after) in [
            ("price = round(sum, 2)", "price = round(total, 2)"),
            ("price = round(sum, 2)", "price = floor(sum, 3)"),
            ("f(1, 2)", "f(2, 3)"),
            ("f(1)", "f(1)"),
            ("f(1)", "f(None)"),
            ("f(1)", "f('1')"),
            ("x = 1", "x == 1"),
            ("1", "2"),
            ("", ""),
            ("return a", "return a or 0"),
            ("say(f\"{total} EUR\")", "say(f\"{sum} EUR\")"),
            ("say(\"#{total} EUR\")", "say(\"#{total / 0} EUR\")"),
            ("say(`${total}`)", "say(`${total.value}`)"),
            ("share = total // 2 + first", "share = total // 3 + second"),
        ] {
            assert_eq!(between(before, after), None, "{before} → {after}");
        }
        let long = |n: u32| format!("f({}, {n})", "x".repeat(LONGEST_LINE));
        assert_eq!(between(&long(1), &long(2)), None);
        assert_eq!(between("f('open, 1", "f('opened, 2"), None, "they do not end");
    }
}
