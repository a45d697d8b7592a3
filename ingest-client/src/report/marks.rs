//! Whether a text holds something like a traceback: what fails without one is not sent anywhere.
//!
//! The server reads the text and has the last word. This only has to miss nothing that it would
//! understand, so that a line of a source file is enough.

/// What only a traceback says, wherever it stands in a line: Python, Rust, Rust's anyhow, Node with
/// a thrown value.
///
/// Behind these: PHP, PHP's loggers, Elixir, Erlang, sanitizers, C++.
const WORDS: [&str; 12] = [
    "Traceback (most recent call last):",
    "panicked at ",
    "Stack backtrace:",
    "node --trace-uncaught",
    "Uncaught ",
    "[object] (",
    "Exception trace:",
    "[{file,\"",
    "in function  ",
    "Sanitizer: ",
    ": runtime error: ",
    ": Assertion `",
];

/// How Python begins a line about a file that it can't read as Python: there is no traceback yet.
const SYNTAX_ERRORS: [&str; 3] = ["SyntaxError: ", "IndentationError: ", "TabError: "];

/// Endings of the files that errors name.
const SOURCES: [&str; 62] = [
    "c", "cc", "cjs", "clj", "cljs", "coffee", "cpp", "cs", "cshtml", "cts", "cxx", "dart", "eex", "ejs", "erb", "erl",
    "ex", "exs", "feature", "fs", "go", "groovy", "h", "haml", "hbs", "heex", "hpp", "hs", "html", "java", "jinja",
    "j2", "jl", "js", "json", "jsx", "kt", "kts", "liquid", "lua", "m", "mjs", "mm", "mts", "php", "phtml", "pl", "pm",
    "py", "pyx", "rb", "rs", "scala", "slim", "svelte", "swift", "t", "ts", "tsx", "twig", "vb", "vue",
];
/// Characters between a file's name and its line: `", line 3`, `","lineNumber": 3`.
const PLACE: usize = 24;

/// How much in a text looks like a traceback.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Likeness {
    /// Nothing.
    None,
    /// It names lines of source files, as a compiler does, too.
    Places,
    /// It has lines of a traceback, as languages print them.
    Traceback,
}

/// How much `text` looks like a traceback of any language that the server reads.
pub(super) fn likeness(text: &[u8]) -> Likeness {
    let mut found = Likeness::None;
    for line in text.split(|byte| *byte == b'\n') {
        let line = String::from_utf8_lossy(line);
        if is_mark(&line) {
            return Likeness::Traceback;
        }
        if found == Likeness::None && names_place(&line) {
            found = Likeness::Places;
        }
    }
    found
}

/// A source file with a number right behind it.
fn names_place(line: &str) -> bool {
    line.match_indices('.').any(|(at, _)| {
        let rest = &line[at + 1..];
        let length = rest.bytes().take_while(u8::is_ascii_alphanumeric).count();
        let (ending, behind) = rest.split_at(length);
        SOURCES.contains(&ending)
            && line[..at].ends_with(|c: char| c.is_alphanumeric() || "_-])>\"'".contains(c))
            && behind.chars().take(PLACE).any(|c| c.is_ascii_digit())
    })
}

fn is_mark(line: &str) -> bool {
    WORDS.iter().any(|word| line.contains(word))
        || SYNTAX_ERRORS.iter().any(|name| line.starts_with(name))
        || is_goroutine(line)
        || is_call(line)
        || is_ruby(line)
        || is_php(line)
        || is_dotnet(line)
        || is_numbered(line)
        || is_placed(line)
}

/// Go: `goroutine 1 [running]:`
fn is_goroutine(line: &str) -> bool {
    line.split_once("goroutine ").is_some_and(|(_, rest)| begins_with_digit(rest) && rest.trim_end().ends_with("]:"))
}

/// Java and Node: `    at f (file.js:1:2)`, `\tat pkg.Class.f(File.java:1)`,
/// `    at file:///job.mjs:1:2`, and Java's calls without a line.
fn is_call(line: &str) -> bool {
    line.match_indices("at ").any(|(start, at)| {
        let (before, call) = (&line[..start], &line[start + at.len()..]);
        // A log may put something before the line, but the indent is there.
        let is_indented = before.ends_with("  ") || before.ends_with('\t');
        is_indented && (has_line(call) || call.contains("(Native Method)") || call.contains("(Unknown Source)"))
    })
}

/// Ruby: `job.rb:3:in 'total'`, with a backquote before Ruby 3.4.
fn is_ruby(line: &str) -> bool {
    let ends_with_line = |before: &str| before.ends_with(|last: char| last.is_ascii_digit());
    [":in '", ":in `"].iter().any(|mark| line.match_indices(mark).any(|(at, _)| ends_with_line(&line[..at])))
}

/// PHP: `PHP Warning:  … in /srv/a.php on line 3`.
fn is_php(line: &str) -> bool {
    let ends = line.rsplit_once(" on line ").is_some_and(|(_, rest)| begins_with_digit(rest));
    ends && ["Warning", "Notice", "error", "Deprecated"].iter().any(|word| line.contains(word))
}

/// .NET: `   at Shop.Total() in /src/Cart.cs:line 3`, in any language, and calls without a line.
fn is_dotnet(line: &str) -> bool {
    let is_indented = line.starts_with("  ") || line.starts_with('\t');
    let numbered = line.rsplit_once(':').is_some_and(|(_, rest)| rest.contains(|c: char| c.is_ascii_digit()));
    is_indented
        && line.contains(['('])
        && (numbered && line.contains(") ") || line.trim_end().ends_with(')') && line.contains("at "))
}

/// Dart, gdb, sanitizers and Elixir: `#0      f (package:shop/a.dart:3:12)`,
/// `(shop 0.1.0) lib/shop/cart.ex:3: Shop.Cart.total/1`.
fn is_numbered(line: &str) -> bool {
    let line = line.trim_start();
    let number = line.strip_prefix('#').and_then(|rest| rest.split_once(' '));
    let call = number.filter(|(number, _)| number.bytes().all(|byte| byte.is_ascii_digit()));
    let is_call = call.is_some_and(|(_, call)| call.contains('(') || call.contains(" in "));
    let is_elixir =
        [".ex:", ".exs:", ".erl:", ".eex:", ".heex:"].iter().any(|mark| line.contains(mark)) && has_line(line);
    is_call || line.starts_with("0# ") || line.starts_with("** (") || is_elixir
}

/// Perl and Swift: `no price at job.pl line 3.`, `job.swift:3: Fatal error: no price`.
fn is_placed(line: &str) -> bool {
    let perl =
        line.split_once(" line ").is_some_and(|(before, rest)| before.contains("at ") && begins_with_digit(rest));
    perl || line.contains(".swift") && has_line(line) || line.contains(".swift, line ") || line.contains("Crashed:")
}

/// Whether a colon and a digit stand in it.
fn has_line(place: &str) -> bool {
    place.split(':').skip(1).any(begins_with_digit)
}

fn begins_with_digit(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_language_is_known_by_its_lines() {
        let texts = [
            "Mon cron[7]: Traceback (most recent call last):\n  File \"job.py\", line 3, in total\nKeyError: 'tea'\n",
            "  File \"job.py\", line 1\n    def (\n        ^\nSyntaxError: invalid syntax\n",
            "TypeError: x is not a function\n    at total (/srv/job.js:3:9)\n",
            "Error: no\n    at file:///srv/job.mjs:1:7\n",
            "Uncaught 'no'\n(Use `node --trace-uncaught ...` to show where the exception was thrown)\n",
            "Exception in thread \"main\" shop.Error: no\n\tat shop.Job.total(Job.java:3)\n",
            "shop.Error\r\n\tat shop.Job.total(Native Method)\r\n",
            "job.rb:3:in 'total': no price (KeyError)\n\tfrom job.rb:9:in '<main>'\n",
            "job.rb:3:in `total': no price (KeyError)\n",
            "panic: no price\n\ngoroutine 1 [running]:\nmain.main()\n\t/srv/job.go:3 +0x1d\n",
            "thread 'main' (7) panicked at src/main.rs:3:5:\nno price\n",
            "PHP Fatal error:  Uncaught NoPrice: tea in /srv/job.php:3\nStack trace:\n#0 {main}\n",
            "PHP Warning:  Undefined variable $tea in /srv/job.php on line 3\n",
            "no price at job.pl line 3.\n",
            "NoPrice: tea\n   bei Shop.Job.Total() in C:\\job\\Job.cs:Zeile 3.\n",
            "System.Exception: no\n   at Shop.Job.Total()\n",
            "** (KeyError) key :tea not found\n    (shop 0.1.0) lib/shop/job.ex:3: Shop.Job.total/1\n",
            "  in function  job:total/1 (src/job.erl, line 3)\n",
            "Unhandled exception:\nBad state: no\n#0      total (package:shop/job.dart:3:5)\n",
            "shop/job.swift:3: Fatal error: no price\n",
            "==7==ERROR: AddressSanitizer: heap-use-after-free on address 0x1\n",
            "job: job.c:3: total: Assertion `price > 0' failed.\n",
            "Error: no price\n\nStack backtrace:\n   0: job::total\n             at ./src/main.rs:3:5\n",
        ];
        for text in texts {
            assert_eq!(likeness(text.as_bytes()), Likeness::Traceback, "{text}");
        }
    }

    #[test]
    fn what_a_failing_command_says_otherwise_is_none() {
        let texts = [
            "",
            "ls: cannot access 'nothing': No such file or directory\n",
            "connected at 10:31:07\nfailed at last\n",
            "make: *** [Makefile:3: all] Error 1\n",
            "look at this\n  meet me at 10:30\n",
            "\u{0}\u{1}\u{2}",
        ];
        for text in texts {
            assert_eq!(likeness(text.as_bytes()), Likeness::None, "{text}");
        }
        assert_eq!(likeness(&[0xff; 9000]), Likeness::None);
    }

    #[test]
    fn a_line_of_a_source_file_is_for_the_server_to_read() {
        for text in [
            "error: could not compile `job` (bin) due to 1 previous error\n --> src/main.rs:3:5\n",
            "  1) Failure:\nJobTest#test_total [test/job_test.rb:12]:\nExpected: 1\n",
            "test_job.py:12: AssertionError\n",
            "--- FAIL: TestTotal (0.00s)\n    job_test.go:12: got 3\n",
            "Fatal Python error: Segmentation fault\n\n  File \"/srv/job.py\", line 3 in total\n",
            "{\"errorType\":\"KeyError\",\"stackTrace\":[\"  File \\\"/var/task/job.py\\\", line 3, in f\"]}\n",
            "{\"frames\":[{\"filename\":\"/srv/job.py\",\"lineno\":3,\"name\":\"total\"}]}\n",
            " \u{276f} total src/job.test.ts:5:13\n",
            "Location:\n    src/main.rs:3\n",
        ] {
            assert_eq!(likeness(text.as_bytes()), Likeness::Places, "{text}");
        }
    }

    #[test]
    fn no_recorded_traceback_is_missed() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data/tracebacks");
        let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
        let texts: Vec<_> = files.filter(|path| path.extension().is_some_and(|ending| ending == "txt")).collect();
        assert!(texts.len() > 50, "{} recordings", texts.len());
        for path in texts {
            assert_ne!(likeness(&std::fs::read(&path).unwrap()), Likeness::None, "{}", path.display());
        }
    }
}
