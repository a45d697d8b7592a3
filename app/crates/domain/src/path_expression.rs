//! Path expressions of a repository's settings: regular expressions that are anchored at the start.

use super::setting_sizes::LONGEST_TEXT;
use fancy_regex::{Regex, RegexBuilder};

/// Steps back that an expression with look-around may take on one path: a path has a few hundred
/// characters, so only an expression that tries every way of splitting them needs more, and those
/// of a file must not hold up all reports: a traceback may have thousands of paths.
const BACKTRACK_LIMIT: usize = 10_000;

/// Bytes of memory that a compiled expression may take, and as much again while it is asked. The
/// usual ones take some thousand; a counted repetition of a repetition could take all that there
/// is.
const LARGEST_COMPILED: usize = 256 << 10;

/// Compiles a path expression as the file means it. Look-around and back-references are allowed.
///
/// # Errors
/// The expression does not compile, or is too long or too large; a sentence says why.
pub fn anchored(text: &str) -> Result<Regex, String> {
    if text.len() > LONGEST_TEXT {
        return Err(format!("it is longer than {LONGEST_TEXT} bytes"));
    }
    // By itself first: a bracket too many must not be closed by ours.
    compiled(text).and_then(|_| compiled(&format!("^(?:{text})"))).map_err(|error| error.to_string())
}

fn compiled(text: &str) -> Result<Regex, fancy_regex::Error> {
    let mut builder = RegexBuilder::new(text);
    builder.backtrack_limit(BACKTRACK_LIMIT);
    builder.delegate_size_limit(LARGEST_COMPILED).delegate_dfa_size_limit(LARGEST_COMPILED).build()
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

    #[test]
    fn what_would_take_all_time_or_memory_does_not_compile_or_does_not_match() {
        for text in [&"a".repeat(1_001), r"\w{1000}{1000}", r"(?:(?:\pL{100}){100}){100}", &"(".repeat(900)] {
            assert!(anchored(text).is_err(), "{text}");
        }
        for text in [r"(?:a+)+(?!b)c", r"(a*)*\1b", r"(?=(a+a+)+b)", r"(?:(?=a)a){1,900}b"] {
            let expression = anchored(text).expect(text);
            assert!(!expression.is_match(&"a".repeat(1_000)).unwrap_or(false), "{text}");
        }
    }
}
