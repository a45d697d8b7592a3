//! By what a line of a traceback is known, whatever language it is of.

use crate::traceback::{dotnet, perl};
use regex::Regex;
use std::sync::LazyLock;

/// Ends of the names of files that have code in them.
const CODE: &str = "rb|erb|haml|slim|rake|ru|thor|jbuilder|builder|py|pyx|pyw|js|mjs|cjs|jsx|ts|mts|cts|tsx|vue|svelte|go|s|rs|java|kt|kts|scala|groovy|clj|\
                    php|phtml|twig|pl|pm|t|cs|fs|vb|cshtml|razor|ex|exs|eex|heex|erl|hrl|swift|m|mm|c|cc|cpp|cxx|h|hh|hpp|dart|lua|bundle|html|ejs|pug|hbs|jinja|j2";

/// What is surely a line of a traceback from there on, wherever it stands.
static SURELY: LazyLock<String> = LazyLock::new(|| {
    let alternatives = |texts: &[&str]| texts.iter().map(|text| regex::escape(text)).collect::<Vec<_>>().join("|");
    let (at, said, because) = (alternatives(dotnet::AT), alternatives(perl::SAID), alternatives(perl::BECAUSE));
    [
        // C and C++: Boost's, Valgrind's, glog's, glibc's, lldb's.
        r"(?-u:\b)[0-9]{1,4}# \S.* (?:at|in) \S",
        "==[0-9]+== +(?:at|by) 0x",
        "@ +0x[0-9a-f]{4,16} ",
        r"[^\s(]+\([^\s()]*\+0x[0-9a-f]+\) ?\[0x",
        r"\* frame #[0-9]+: 0x|frame #[0-9]+: 0x",
        r"[^\s:]+: \S+:[0-9]+: [^`]*: Assertion `",
        // Swift's backtraces, and Apple's reports.
        r"(?-u:\b)[0-9]{1,4}[ \t]+(?:[0-9A-Za-z_.?+\[\]-]+[ \t]+){0,3}0x[0-9a-f]{6,16} \S",
        r"(?:Fatal error|Precondition failed|Assertion failed): .*file \S+\.swift, line [0-9]",
        // Dart's terse ones.
        r"(?:package:|dart:)\S+ [0-9]+:[0-9]+ +\S|[^\s:\[\]]+\.dart [0-9]+:[0-9]+ +\S",
        // .NET's, Unity's.
        &format!(r"\b(?:{at}) [^\s(]+\(.*\) \S+ \S.*:\p{{L}}+ [0-9]"),
        r"[^\s()]+ ?\([^()]*\) \(at \S.*:[0-9]+\)",
        // Erlang's shell and terms, Elixir's.
        r"in (?:function|call from) +\S+/[0-9]",
        r#"(?:\[*\{[^\s"]*,)?\[\{file,"|\[*\{[^"]*\[file: (?:~c)?["']"#,
        r"\([a-z_0-9]+ [0-9][^()\s]*\) \S+\.(?:exs?|erl|[hl]?eex):[0-9]",
        r"\*\* \([A-Z][0-9A-Za-z_.]*Error\) ",
        // Perl's callers, and what it says itself.
        r"(?:[A-Za-z_][0-9A-Za-z_]*(?:::[0-9A-Za-z_]+)*(?:\(.*\))?|eval \{\.\.\.\}|eval '.*'|require \S+) called at \S.* line [0-9]",
        &format!(r"(?:{said}|{because}|Trace begun).* ?(?-u:\b)at \S.* line [0-9]"),
        // Test runners': Vitest's calls, Minitest's places, failed tests of TAP, JUnit's console;
        // and Firefox's calls.
        r"❯ (?:\S+ )?\S+\.[a-z]+:[0-9]+:[0-9]+",
        r"[^\s\[\]]+[#(][^\[\]]* \[[^\[\]]+\.rb:[0-9]+\]:",
        "not ok [0-9]",
        r"# \./\S+\.rb:[0-9]+:in [`']",
        r"Error Trace:\s",
        r"\S+\.(?:cs|fs|vb)\([0-9]+,[0-9]+\): at ",
        r"(?:\S+: )?\S+: syntax errors? found \(SyntaxError\)",
        r"(?:[a-z_][0-9A-Za-z_]*\.)+[A-Z][^\s()]*\([^\s()]+\.(?:java|kt|scala|groovy):[0-9]+\)",
        r"[^\s:\]]+ https?://\S+\.[jt]sx?(?:\?\S*)?:[0-9]+(?::[0-9]+)?$",
        // PHP's: Xdebug's table, and what names its place.
        &format!(r"(?:PHP +)?(?:[0-9]+\.[0-9]+ +[0-9]+ +)?(?-u:\b)[0-9]{{1,4}}\. [^\s(]+\(.*\) \S.*\.(?:{CODE}):[0-9]"),
        r"[A-Za-z_\\][0-9A-Za-z_\\{}]*(?:(?:->|::)[0-9A-Za-z_\\{}]+)?\(\) at /\S+:[0-9]+",
        r"(?:PHP )?(?:Fatal|Parse|Recoverable fatal) error: .* in \S.* on line [0-9]",
    ]
    .join("|")
});
/// How a line of a traceback begins, without its indentation.
static BEGINS: LazyLock<Regex> = LazyLock::new(|| {
    let surely = &*SURELY;
    pattern(&format!(
        r#"^\s*(?:File "[^"]*", line [0-9]|File \S+:[0-9]+, in |at (?:[^\s(]*\(|\S.*[:(][0-9]|\S.*\(<?[a-z]+|native\b|<anonymous>)|(?:[0-9]+: ?)?from \S+:[0-9]|(?:\([^()]+\) )?(?:[A-Za-z]:)?[^\s:("{{\[|]*\.(?:{CODE}):[0-9]|\(irb\):[0-9]|goroutine [0-9]+ \[|thread '.*panicked at |Traceback \(most recent call last\)|Caused by: |Wrapped by: |#[0-9]+ +(?:0x|[^0-9\s])|[0-9]+: [^\s].*::|[^\s@]*@\S+:[0-9]+:[0-9]+$|[^\s:]+ at \S+\.(?:rb|java):[0-9]+$|{surely})"#
    ))
});
/// The same anywhere in a line; faster, and never less.
static WITHIN: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&format!(
        r#"File "|File \S|\bat \S|from \S|\.(?:{CODE}):[0-9]|\(irb\)|goroutine [0-9]|panicked at |Traceback \(|Caused by: |Wrapped by: |#[0-9]+ |[0-9]: \S|@\S+:[0-9]|[0-9]# |\b0x[0-9a-f]|\+0x[0-9a-f]|: Assertion `|file \S+\.swift, line|\.dart [0-9]|(?:package|dart):\S+ [0-9]|:\p{{L}}+ [0-9]|in (?:function|call from) |file(?:,\\*"|: )|\*\* \([A-Z]| on line [0-9]|not ok [0-9]|Error Trace:|\([0-9]+,[0-9]+\): at |syntax errors? found|https?://\S+\.[jt]sx?[?:]"#
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
        let surely = &*SURELY;
        pattern(&format!(
            r#"File "[^"]*", line [0-9]|\bat [^\s(]+\([^\s()]+\)|\bat [^()]*\([^()\s]+:[0-9]+|\bat (?:async )?[^\s():]+:[0-9]+:[0-9]+|from \S+:[0-9]+(?::in)?|(?:[A-Za-z]:)?[^\s:("]*\.(?:{CODE}):[0-9]+|goroutine [0-9]+ \[|thread '|[0-9]+: [0-9A-Za-z_<]+::|#[0-9]+ +(?:0x[0-9a-f]|\S.*[:(][0-9]|\{{main\}})|{surely}"#
        ))
    });
    SURE.find(line).map(|found| found.start())
}
