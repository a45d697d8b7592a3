//! Path expressions of a repository's settings: regular expressions that are anchored at the start.

use fancy_regex::{Regex, RegexBuilder};

/// Steps back that an expression with look-around may take on one path: a path has a few hundred
/// characters, so only an expression that tries every way of splitting them needs more, and one of
/// those must not hold up all reports.
const BACKTRACK_LIMIT: usize = 100_000;

/// Compiles a path expression as the file means it. Look-around and back-references are allowed.
///
/// # Errors
/// The expression does not compile; a sentence says why.
pub fn anchored(text: &str) -> Result<Regex, String> {
    // By itself first: a bracket too many must not be closed by ours.
    Regex::new(text)
        .and_then(|_| RegexBuilder::new(&format!("^(?:{text})")).backtrack_limit(BACKTRACK_LIMIT).build())
        .map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_begins_where_the_path_does() {
        let expression = anchored("src/|lib/").expect("compiles");
        let matches = |path| expression.is_match(path).expect("within the limit");
        assert!(matches("src/a.py") && matches("lib/a.py") && !matches("tests/src/a.py"));
        assert!(anchored("src/)|(lib/").is_err(), "brackets are not closed by ours");
    }
}
