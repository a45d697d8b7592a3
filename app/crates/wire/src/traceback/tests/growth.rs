//! What is four times as long takes four times as long to read, whatever it is made of. Texts are
//! made of each language's lines, and lines of its marks: each many times over, and two of them in
//! every arrangement. What is compared is the time that a thread had a processor.

use super::super::*;
use rustix::time::{ClockId, clock_gettime};
use std::time::Duration;

type Reader = fn(&[&str]) -> Vec<Exception>;

/// Lines of the shorter text, and marks of the shorter line. Whole stairs, so that both texts end
/// alike.
const LINES: usize = 4 * STAIRS;
const MARKS: usize = 64 * STAIRS;
/// Bytes of the shorter name.
const NAME_BYTES: usize = 64 * 1024;
/// How much longer the longer one is.
const TIMES: usize = 4;
/// What reads in proportion takes [`TIMES`] as long, what reads in the square 16 times.
const MOST: u32 = 8;
/// Measurements before a text counts as slow: the least of them counts, for other programs only
/// ever add.
const TRIES: usize = 6;
/// How far indentation goes up, again and again. Even, for two things in turn.
const STAIRS: usize = 60;

/// Two things in turn, each many times, one before many of the other, and in turn on stairs: of so
/// many parts.
const ARRANGEMENTS: [fn(&str, &str, usize) -> Vec<String>; 4] = [
    |one, other, parts| [one, other].iter().cycle().take(parts).map(|it| (*it).to_owned()).collect(),
    |one, other, parts| {
        let half = |it: &str| vec![it.to_owned(); parts / 2];
        [half(one), half(other)].concat()
    },
    |one, other, parts| [vec![one.to_owned()], vec![other.to_owned(); parts]].concat(),
    |one, other, parts| {
        let stairs = |at| " ".repeat(at % STAIRS);
        (0..parts).map(|at| format!("{}{}", stairs(at), if at % 2 == 0 { one } else { other })).collect()
    },
];

fn processor_time() -> Duration {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(now.tv_sec.try_into().unwrap(), now.tv_nsec.try_into().unwrap())
}

fn time(read: Reader, text: &str) -> Duration {
    let lines = last_lines(text);
    let before = processor_time();
    within_limits(read(&lines));
    processor_time() - before
}

/// Fails where the longer text takes too long; `what` names it.
fn assert_in_proportion(read: Reader, text: impl Fn(usize) -> String, what: &str) {
    let (short, long) = (text(1), text(TIMES));
    let (mut of_short, mut of_long) = (Duration::MAX, Duration::MAX);
    for _ in 0..TRIES {
        of_short = of_short.min(time(read, &short));
        of_long = of_long.min(time(read, &long));
        if of_long <= of_short * MOST {
            return;
        }
    }
    panic!("{what} takes {of_short:?}, {TIMES} times as much of it {of_long:?}");
}

/// Reads lines, and lines of these marks below a beginning.
fn try_all(read: Reader, lines: &[&str], marks: &[&str]) {
    let beginning = lines[..2].join("\n");
    for arrangement in ARRANGEMENTS {
        for one in lines {
            for other in lines {
                let text = |times| arrangement(one, other, times * LINES).join("\n");
                assert_in_proportion(read, text, &format!("{:?}", arrangement(one, other, 4)));
            }
        }
        for one in marks {
            for other in marks {
                let text = |times: usize| {
                    format!("{beginning}\n{}\n{beginning}", arrangement(one, other, times * MARKS).concat())
                };
                assert_in_proportion(read, text, &format!("a line of {:?}", arrangement(one, other, 4)));
            }
        }
    }
}

#[test]
fn python() {
    let lines = [
        HEADER,
        "  File \"a.py\", line 1, in f",
        "    g()",
        "ValueError: x",
        "The above exception was the direct cause of the following exception:",
        "During handling of the above exception, another exception occurred:",
        "",
        "  + Exception Group Traceback (most recent call last):",
        "  | ExceptionGroup: x (2 sub-exceptions)",
        "  +-+---------------- 1 ----------------",
        "    +---------------- 2 ----------------",
        "    +------------------------------------",
        "SyntaxError: x",
    ];
    try_all(python::parse, &lines, &["  File \"", "\", line ", "1", ", in ", ": ", HEADER, "+-+---", "| ", "^", "A."]);
}

/// What a traceback of Python's begins with.
const HEADER: &str = "Traceback (most recent call last):";

#[test]
fn go() {
    let lines = [
        "panic: x",
        "goroutine 1 [running]:",
        "main.f(0x1)",
        "\t/srv/a.go:1 +0x1",
        "panic(0x1)",
        "fatal error: x",
        "x http: panic serving 1: x",
        "",
        "created by main.f in goroutine 1",
    ];
    try_all(go::parse, &lines, &["panic: ", " [recovered]", "goroutine ", "]:", "\t", ":1", " +0x", "(", ")"]);
}

#[test]
fn rust() {
    let lines = [
        "thread 'main' panicked at src/main.rs:1:2:",
        "stack backtrace:",
        "   0: a::f",
        "             at ./src/a.rs:1:2",
        "   1: core::panicking::panic_fmt",
        "thread 'main' panicked at 'x', src/main.rs:1:2",
        "Error: x",
        "Stack backtrace:",
        "",
        "x",
    ];
    let marks = ["panicked at ", "'", "', ", ":1:2", "1: ", "0x1", " - ", "::h", "[", "0123456789abcdef", "<a", " as "];
    try_all(rust::parse, &lines, &marks);
    // The marks of a function's name, in one.
    for mark in ["<a as ", "a::h0123456789abcdef", "[0123456789abcdef]", "&dyn "] {
        let name = |times: usize| {
            let name = mark.repeat(times * NAME_BYTES / mark.len());
            format!("thread 'main' panicked at a.rs:1:2:\nx\nstack backtrace:\n   0: {name}\n   1: a::f\n")
        };
        assert_in_proportion(rust::parse, name, mark);
    }
}

#[test]
fn java() {
    let lines = [
        "java.lang.E: x",
        "\tat a.B.f(B.java:1)",
        "Caused by: a.E: x",
        "\tSuppressed: a.E: x",
        "\t... 9999 more",
        "Exception in thread \"main\" a.E: x",
        "x",
        "",
    ];
    let marks = ["Caused by: ", "at ", "a.", "B", "(", ")", ":1", "/", ": ", " more", "Exception in thread \"", "\" "];
    try_all(java::parse, &lines, &marks);
}

#[test]
fn java_with_causes_that_share_all_frames() {
    // Each as long as what is kept of one, so that shared frames add to them.
    let frames = "\tat a.B.f(B.java:1)\n".repeat(MAX_OUTER_FRAMES + MAX_INNER_FRAMES - 1);
    let trace = format!("Caused by: a.E: x\n{frames}\t... 99999 more\n");
    let text = |times: usize| format!("a.E: x\n\tat a.B.f(B.java:1)\n{}", trace.repeat(times * 24));
    assert_in_proportion(java::parse, text, "a trace");
}

#[test]
fn node() {
    let lines = [
        "Error: x",
        "    at f (/srv/a.js:1:2)",
        "    at f (/srv/a.js:1:2) {",
        "  [cause]: Error: x",
        "[AggregateError: x] {",
        "  [errors]: [",
        "}",
        "/srv/a.js:1",
        "    ^",
        "",
        "x",
    ];
    let marks = ["at ", "f (", "/a.js", ":1:2", ")", " {", "eval at ", "[cause]: ", "Error", ": ", "[", "]", "async "];
    try_all(node::parse, &lines, &marks);
}

#[test]
fn ruby() {
    let lines = [
        "a.rb:1:in 'f': x (E)",
        "\tfrom a.rb:2:in 'g'",
        "a.rb:2:in 'g'",
        "E (x):",
        "x -- : x (E)",
        "\t2: from a.rb:2:in 'g'",
        "a.rb:1: x (E)",
        "",
        "x",
    ];
    let marks = ["a.rb", ":1", ":in ", "'f'", "': ", " (E)", " (", "from ", ": from ", "1", " -- : ", "):"];
    try_all(ruby::parse, &lines, &marks);
}
