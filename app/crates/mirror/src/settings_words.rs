//! What the reader of YAML says, in words for somebody who writes a settings file and knows neither
//! its types nor its grammar.

use super::settings_tree::Fault;

/// What it says of a text, and what that means. The first that fits is said.
const WORDS: [(&[&str], &str); 16] = [
    (&["duplicate mapping key"], "this key stands there twice"),
    (&["unknown anchor", "anchor or alias"], "a text that begins with * or & has to be in quotes"),
    (&["multiple YAML documents"], "there are several documents, divided by ---; write one"),
    (&["string scalar", "null into string"], "a key has to be a text, as in key: value"),
    (&[" tab", "tabs "], "there is a tab before this: indent by spaces"),
    (&["mapping values are not", "':' indicator"], "a colon with a space stands in a text: put the text in quotes"),
    (&["trailing content after"], "something stands behind the end of a text in quotes"),
    (&["misplaced bracket"], "there is a ] or } here, and no [ or { that it ends"),
    (&["quoted scalar"], r"a \ in double quotes means something here: write \\, or use single quotes"),
    (&["block scalar"], "the text below | or > is not indented as it has to be"),
    (&["flow "], "a [ or { is not closed, or there is no comma between two of its entries"),
    (&[" a tag", " TAG"], "a text that begins with ! has to be in quotes"),
    (&["directive"], "a text that begins with % has to be in quotes"),
    (
        &["block", "indent", "simple key", "mapping keys are not", "node content"],
        "it is not indented as what stands around it, or a colon or - is missing",
    ),
    (&["<document start>"], "what stands here belongs to nothing before it"),
    (&["eof", "EOF"], "the file ends in the middle of this"),
];

/// What is said where a file is more than a settings file can be.
const TOO_MUCH: [&str; 5] = ["budget", "depth", "nest", "alias", "recursi"];

/// A fault of the file as a whole: it can't be read as YAML.
pub(super) fn of_yaml(error: &serde_saphyr::Error) -> Fault {
    let text = error.without_snippet().to_string();
    let text = text.lines().map(str::trim).collect::<Vec<_>>().join(" ");
    // It says the place again at its end.
    let text = text.split(" at line ").next().unwrap_or_default();
    Fault { line: error.location().map(|at| at.line()), key: String::new(), text: in_words(text) }
}

fn in_words(text: &str) -> String {
    let says = |words: &[&str]| words.iter().any(|word| text.contains(word));
    if let Some(character) = text.strip_prefix("unexpected character: ") {
        let character = character.trim_matches(['`', '\'']);
        return format!("a text that begins with {character} has to be in quotes");
    }
    if text.starts_with("unclosed") || text.starts_with("mismatched bracket") {
        return text.to_owned();
    }
    if let Some((_, words)) = WORDS.iter().find(|(said, _)| says(said)) {
        return (*words).to_owned();
    }
    let lower = text.to_lowercase();
    if TOO_MUCH.iter().any(|word| lower.contains(word)) {
        return format!("it is nested too deeply, or has or repeats too much ({text})");
    }
    format!("it can't be read as YAML ({text})")
}
