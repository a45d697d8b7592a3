//! By what a line of a traceback is known, whatever language it is of.

use regex::Regex;
use std::sync::LazyLock;

/// Ends of the names of files that have code in them.
const CODE: &str = "rb|erb|haml|slim|rake|ru|thor|jbuilder|builder|py|pyx|pyw|js|mjs|cjs|jsx|ts|mts|cts|tsx|vue|svelte|go|s|rs|java|kt|kts|scala|groovy|clj|\
                    php|phtml|twig|pl|pm|t|cs|fs|vb|cshtml|razor|ex|exs|eex|heex|erl|hrl|swift|m|mm|c|cc|cpp|cxx|h|hh|hpp|dart|lua|bundle|html|ejs|pug|hbs|jinja|j2";

/// How a line of a traceback begins, without its indentation.
static BEGINS: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&format!(
        r#"^\s*(?:File "[^"]*", line [0-9]|File \S+:[0-9]+, in |at (?:[^\s(]*\(|\S.*[:(][0-9]|\S.*\(<?[a-z]+|native\b|<anonymous>)|(?:[0-9]+: ?)?from \S+:[0-9]|(?:\([^()]+\) )?(?:[A-Za-z]:)?[^\s:("{{\[|]*\.(?:{CODE}):[0-9]|\(irb\):[0-9]|goroutine [0-9]+ \[|thread '.*panicked at |Traceback \(most recent call last\)|Caused by: |Wrapped by: |#[0-9]+ +(?:0x|[^0-9\s])|[0-9]+: [^\s].*::|[^\s@]*@\S+:[0-9]+:[0-9]+$|[^\s:]+ at \S+\.(?:rb|java):[0-9]+$|.*\) called at \S+ line [0-9])"#
    ))
});
/// The same anywhere in a line; faster, and never less.
static WITHIN: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&format!(
        r#"File "|File \S|\bat \S|from \S|\.(?:{CODE}):[0-9]|\(irb\)|goroutine [0-9]|panicked at |Traceback \(|Caused by: |Wrapped by: |#[0-9]+ |[0-9]: \S|@\S+:[0-9]"#
    ))
});

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a constant pattern compiles")
}

/// Whether a line of a traceback may be here, behind something else.
pub(super) fn may_be_in(line: &str) -> bool {
    WITHIN.is_match(line)
}

/// Whether the line is one of a traceback, with nothing before it.
pub(super) fn begins(line: &str) -> bool {
    BEGINS.is_match(line)
}

/// Where the line's part begins that is of a traceback: of what is surely one, wherever it stands.
pub(super) fn place(line: &str) -> Option<usize> {
    static SURE: LazyLock<Regex> = LazyLock::new(|| {
        pattern(&format!(
            r#"File "[^"]*", line [0-9]|\bat [^\s(]+\([^\s()]+\)|\bat [^()]*\([^()\s]+:[0-9]+|\bat (?:async )?[^\s():]+:[0-9]+:[0-9]+|from \S+:[0-9]+(?::in)?|(?:[A-Za-z]:)?[^\s:("]*\.(?:{CODE}):[0-9]+|goroutine [0-9]+ \[|thread '|[0-9]+: [0-9A-Za-z_<]+::"#
        ))
    });
    SURE.find(line).map(|found| found.start())
}
