//! From a text to its tree, within bounds of work and memory.

use super::language::Language;
use super::work::{TooMuch, Work};
use std::cell::Cell;
use std::ops::ControlFlow;
use std::sync::{Mutex, PoisonError};
use tree_sitter::{ParseOptions, Parser, Tree};

/// Bytes. Larger files are not read: what is larger is generated, and parsing can take 270 bytes of
/// memory for each byte of a file that was made for it.
const LARGEST_SOURCE: usize = 1 << 20;

/// Brackets that may be open at once. In 3,000 files of popular packages it was 63 at most, those
/// in their strings and comments counted; a parser keeps something for each that is open.
const DEEPEST: usize = 1_000;

/// How the parser's work is reported: the library calls back after so many steps.
const STEPS_OF_A_CALL: u64 = 100;

/// The text is handed to the parser in pieces of so many bytes, so that reading the same text again
/// and again (an unclosed string at each quote) is seen and counted.
const PIECE: usize = 512;

/// Reading a piece, in steps.
const STEPS_OF_A_PIECE: u64 = 4;

/// Files of more bytes than this are parsed one at a time in the whole process, so that several
/// together take no more memory than one.
const ALONE: usize = 64 << 10;

/// Held while a large file is parsed.
static LARGE: Mutex<()> = Mutex::new(());

/// The tree of a text, or nothing where it is too large, too deeply nested, or too much work.
pub(super) fn tree(language: Language, text: &str, work: &Work) -> Result<Tree, TooMuch> {
    if text.len() > LARGEST_SOURCE || deepest(text) > DEEPEST {
        return Err(TooMuch);
    }
    let _alone = (text.len() > ALONE).then(|| LARGE.lock().unwrap_or_else(PoisonError::into_inner));
    let (tree, spent) = parsed(language, text, work.for_parsing());
    work.take(spent)?;
    tree.ok_or(TooMuch)
}

/// The tree of a text, unless it is more work than allowed; and how much it was.
fn parsed(language: Language, text: &str, allowed: u64) -> (Option<Tree>, u64) {
    let mut parser = Parser::new();
    if parser.set_language(&language.grammar()).is_err() {
        return (None, 0);
    }
    let spent = Cell::new(0_u64);
    let is_spent = || spent.get() > allowed;
    let mut count = |_: &tree_sitter::ParseState| {
        spent.set(spent.get() + STEPS_OF_A_CALL);
        if is_spent() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let mut piece = |from: usize, _| {
        spent.set(spent.get() + STEPS_OF_A_PIECE);
        // The library can't be stopped while it reads: it takes this for the end of the text.
        let from = if is_spent() { text.len() } else { from.min(text.len()) };
        &text.as_bytes()[from..text.len().min(from + PIECE)]
    };
    let tree = parser.parse_with_options(&mut piece, None, Some(ParseOptions::new().progress_callback(&mut count)));
    (tree.filter(|_| !is_spent()), spent.get())
}

/// How many brackets are open at once, as far as that can be told without knowing the language.
fn deepest(text: &str) -> usize {
    let (mut open, mut most) = (0_usize, 0_usize);
    for byte in text.bytes() {
        match byte {
            b'(' | b'[' | b'{' => open += 1,
            b')' | b']' | b'}' => open = open.saturating_sub(1),
            _ => continue,
        }
        most = most.max(open);
    }
    most
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_brackets_are_counted() {
        assert_eq!((deepest("f(a[1], {b})"), deepest(")))((("), deepest("")), (2, 3, 0));
    }

    #[test]
    fn parsing_ends_with_the_work_that_is_allowed() {
        let text = "a = [(1, {2: f(x)})]\n".repeat(500);
        for allowed in [0, 1_000, 5_000] {
            let (tree, spent) = parsed(Language::Python, &text, allowed);
            assert!(tree.is_none(), "it is more than {allowed}");
            assert!(spent <= allowed + STEPS_OF_A_CALL, "{spent} of {allowed}");
        }
        let (tree, spent) = parsed(Language::Python, &text, 1_000_000);
        assert!(tree.is_some() && spent > 5_000, "{spent}");
    }
}
