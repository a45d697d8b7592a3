//! What is four times as long takes four times as long to read, whatever it is made of. Texts are
//! made of each language's lines, and lines of its marks: each many times over, and two of them in
//! every arrangement. What is compared is the time that a thread had a processor.

use super::super::*;
use proportion::{ARRANGEMENTS, Arrangement, assert_in_proportion, stairs};

#[path = "../../../tests/proportion/mod.rs"]
mod proportion;

type Reader = fn(&[&str]) -> Vec<Exception>;

/// Lines of the shorter text, and marks of the shorter line.
const LINES: usize = stairs(4);
const MARKS: usize = stairs(64);
/// Bytes of the shorter name.
const NAME_BYTES: usize = 64 * 1024;

/// Two things in turn, indented further and further, again and again.
const ON_STAIRS: Arrangement = |one, other, parts| {
    let indented = |at| " ".repeat(at % stairs(1));
    (0..parts).map(|at| format!("{}{}", indented(at), if at % 2 == 0 { one } else { other })).collect()
};

fn of(read: Reader) -> impl Fn(&str) {
    move |text| drop(within_limits(read(&last_lines(text))))
}

/// Reads lines, and lines of these marks below a beginning.
fn try_all(read: Reader, lines: &[&str], marks: &[&str]) {
    let beginning = lines[..2].join("\n");
    for arrangement in ARRANGEMENTS.into_iter().chain([ON_STAIRS]) {
        for one in lines {
            for other in lines {
                let text = |times| arrangement(one, other, times * LINES).join("\n");
                assert_in_proportion(of(read), text, &format!("{:?}", arrangement(one, other, 4)));
            }
        }
    }
    for arrangement in ARRANGEMENTS {
        for one in marks {
            for other in marks {
                let text = |times: usize| {
                    format!("{beginning}\n{}\n{beginning}", arrangement(one, other, times * MARKS).concat())
                };
                assert_in_proportion(of(read), text, &format!("a line of {:?}", arrangement(one, other, 4)));
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

#[test]
fn python_of_others() {
    let lines = [
        "multiprocessing.pool.RemoteTraceback: ",
        "\"\"\"",
        HEADER,
        "File \"a.py\", line 1, in f",
        "KeyError: x",
        "",
        "KeyError                 Traceback (most recent call last)",
        "/srv/a.py in f(x)",
        "----> 1 x",
        "E   KeyError: x",
        "a.py:1: in f",
        "a.py:1: KeyError",
        "Fatal Python error: x",
        "Current thread 0x1 (most recent call first):",
        "  File \"a.py\", line 1 in f",
    ];
    try_all(python::parse, &lines, &["\"\"\"", "E   ", ".py:1: ", "in ", "│ ", "❱ 1 │"]);
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
        "main.f",
        "  /srv/a.go:1",
        "SIGQUIT: quit",
        "goroutine 0 [idle]:",
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
        "Location:",
        "The application panicked (crashed).",
        "━━━ BACKTRACE ━━━",
    ];
    let marks = ["panicked at ", "'", "', ", ":1:2", "1: ", "0x1", " - ", "::h", "[", "0123456789abcdef", "<a", " as "];
    try_all(rust::parse, &lines, &marks);
    // The marks of a function's name, in one.
    for mark in ["<a as ", "a::h0123456789abcdef", "[0123456789abcdef]", "&dyn "] {
        let name = |times: usize| {
            let name = mark.repeat(times * NAME_BYTES / mark.len());
            format!("thread 'main' panicked at a.rs:1:2:\nx\nstack backtrace:\n   0: {name}\n   1: a::f\n")
        };
        assert_in_proportion(of(rust::parse), name, mark);
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
        "Wrapped by: a.E: x",
        "\t[x]",
        "OddException: x",
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
    assert_in_proportion(of(java::parse), text, "a trace");
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
        "    ... 9 lines matching cause stack trace ...",
        "Caused by: Error: x",
        "f@https://example.com/a.js:1:2",
        "  > 1 | x",
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
        "OddError: x",
        "Causes:",
        "Caused by:",
        "# a.rb:3",
        "f at a.rb:3",
    ];
    let marks = ["a.rb", ":1", ":in ", "'f'", "': ", " (E)", " (", "from ", ": from ", "1", " -- : ", "):"];
    try_all(ruby::parse, &lines, &marks);
}

#[test]
fn prefixes() {
    let lines = [
        "web-1  |   File \"a.py\", line 1, in f",
        "db-1  | 2026-11-20T03:00:07.1Z stderr P     at f (/a.js:1:2)",
        "{\"log\":\"\\tat a.B.f(B.java:1)\\n\",\"stream\":\"stderr\"}",
        "{\"err\":{\"stack\":\"E: x\\n    at f (/a.js:1:2)\"}}",
        "stack=\"E: x\\n    at f (/a.js:1:2)\\n\"",
        "[a] [b] > > a.rb:1:in 'f'",
        "~~ 7   File \"a.py\", line 1, in f",
        "~~ 7 x",
        "    Traceback (most recent call last):",
        "Nov 20 03:00:07 box shop[1]: goroutine 1 [running]:",
        "~~ 7 f(1) called at a.pl line 3",
        "PHP   1. f($a) /a.php:3",
        "{f,g,1,[{file,\"a.erl\"},{line,3}]},",
        "x",
        "",
    ];
    let marks = [
        "web-1  | ",
        "[a] ",
        "> ",
        "# ",
        "2026-11-20T03:00:07Z ",
        "box shop[1]: ",
        "a: ",
        "- ",
        "{",
        "\"",
        "\\n",
        "}",
        "ERROR ",
        "at f (/a.js:1:2)",
        "7",
        "f(",
        ") called at ",
        "1. f(",
        "Can't locate ",
        "bei A.b(",
        "0 a ",
        "[{file,",
    ];
    try_all(|lines| prefix::read(lines, |_| None).map(|(_, found)| found).unwrap_or_default(), &lines, &marks);
}

#[test]
fn php() {
    let lines = [
        "PHP Fatal error:  Uncaught E: x in /a.php:3",
        "Stack trace:",
        "#0 /a.php(3): f()",
        "#1 {main}",
        "  thrown in /a.php on line 3",
        "Next E: x in /a.php:3",
        "x [object] (E(code: 0): x at /a.php:3)",
        "PHP Warning:  x in /a.php on line 3",
        "PHP   1. f() /a.php:3",
        "Exception trace:",
        " C->f() at /a.php:3",
        "at /a.php:3",
        "  [E\\F]",
        "",
    ];
    let marks =
        ["#0 ", " #1 ", "Stack trace:", " in ", "/a.php", ":3", "(3): ", r"\n", "Uncaught ", ": ", "<b>", " on line 3"];
    try_all(php::parse, &lines, &marks);
}

#[test]
fn perl() {
    let lines = [
        "x at a.pl line 3.",
        "\tmain::f(1) called at a.pl line 3",
        "\teval {...} called at a.pl line 3",
        "Compilation failed in require at a.pl line 3.",
        "Trace begun at a.pl line 3",
        "x",
        "",
    ];
    try_all(perl::parse, &lines, &[" at ", "a.pl", " line ", "3", ".", " called", "(", "x", ", <", "::"]);
}

#[test]
fn dotnet() {
    let lines = [
        "A.XException: x",
        "   at A.B.F(C c) in /a.cs:line 3",
        "   at A.B.F(C c)",
        " ---> A.YException: y ---> A.ZException: z",
        "   --- End of inner exception stack trace ---",
        "--- End of stack trace from previous location ---",
        " ---> (Inner Exception #0) A.YException: y",
        "<---",
        "x",
        "",
    ];
    let marks =
        ["at ", "A.", "F", "(", ")", " in ", "/a.cs", ":line 3", " ---> ", "Exception", ": ", "<F>d__1", "+", "`1"];
    try_all(dotnet::parse, &lines, &marks);
}

#[test]
fn elixir() {
    let lines = [
        "** (KeyError) x",
        "    (a 0.1.0) lib/a.ex:3: A.f/1",
        "** (EXIT) x",
        "  exception error: x",
        "  in function  a:f/1 (a.erl, line 3)",
        "  in call from a:f/1 (a.erl, line 3)",
        "  {a,f,[x],[{file,\"a.erl\"},{line,3}]},",
        "  [{file,\"a.erl\"},",
        "x",
        "",
    ];
    let marks =
        ["** (", ") ", "{file,\"", "[file: ", "\"},{line,3}", "lib/a.ex", ":3: ", "A.f/1", "[", "]", "{", "file"];
    try_all(elixir::parse, &lines, &marks);
}

#[test]
fn swift() {
    let lines = [
        "a.swift:3: Fatal error: x",
        "Fatal error: x: file a.swift, line 3",
        "0 [ra] 0x1 f() + 1 in a at /a.swift:3:5",
        "1 f() in a at /a.swift:3:5",
        "Thread 0 Crashed:",
        "0   a   0x1 f() + 1 (a.swift:3)",
        "Exception Type: X",
        "",
        "x",
    ];
    let marks = ["Fatal error", ": ", "file ", "a.swift", ", line 3", ":3", " in ", " at ", "0x1 ", "[ra] ", " + 1"];
    try_all(swift::parse, &lines, &marks);
}

#[test]
fn cpp() {
    let lines = [
        "==1==ERROR: AddressSanitizer: x on y",
        "    #0 0x1 in f(int) /a.cc:3:5",
        "    #1 0x1 in f(int) (/a+0x1)",
        "#0  f (x=1) at a.c:3",
        "    y=2) at a.c:3",
        "==1==    at 0x1: f (a.c:3)",
        "    @ 0x1 f",
        "./a(f+0x1)[0x1]",
        "a.c:3:5: runtime error: x",
        "terminate called after throwing an instance of 'x'",
        "",
        "x",
    ];
    let marks = ["#0 ", "0x1", " in ", "f(int) ", "/a.cc", ":3", " at ", " (", ")", "==", "[0x1]", "+0x1", " from /"];
    try_all(cpp::parse, &lines, &marks);
}

#[test]
fn dart() {
    let lines = [
        "Unhandled exception:",
        "#0      f (package:a/a.dart:3:5)",
        "#1      f",
        "package:a/a.dart:3",
        "package:a/a.dart 3:5  f",
        "<asynchronous suspension>",
        "The following E was thrown building a(b,",
        "E: x",
        "I/flutter (1): #0      f (package:a/a.dart:3:5)",
        "",
        "x",
    ];
    let marks = ["#0 ", "f (", "package:", "a.dart", ":3", ")", " ", "/flutter (", "): ", "Exception", "exception:"];
    try_all(dart::parse, &lines, &marks);
}

#[test]
fn colours_and_line_ends() {
    let marks = ["\u{1b}[", "\u{1b}", "[", "31;", "m", "\r", "\n", "é", "\u{fffd}"];
    for arrangement in ARRANGEMENTS {
        for one in marks {
            for other in marks {
                let text = |times: usize| arrangement(one, other, times * 4 * LINES).concat();
                let read = |text: &str| drop(parse(text));
                assert_in_proportion(read, text, &format!("{:?}", arrangement(one, other, 4)));
            }
        }
    }
}

#[test]
fn runners_of_ruby_and_elixir() {
    let lines = [
        "Failure:",
        "CartTest#test_total [test/cart_test.rb:9]:",
        "Failure: test_total(CartTest)",
        "test/cart_test.rb:9:in 'test_total'",
        " FAIL CartTest#test_total (0.01s)",
        "",
        "a.rb:3: syntax error, unexpected end",
        "> 3 | end",
    ];
    try_all(ruby::parse, &lines, &["Failure:", " [", "a.rb:3", "]:", ": ", "syntax error, unexpected "]);
    let lines = [
        "  1) test totals (ShopTest)",
        "     test/shop_test.exs:5",
        "     ** (KeyError) x",
        "     stacktrace:",
        "       test/shop_test.exs:7: (test)",
        "     The following output was logged:",
        "     in call from shop:f/2 (src/shop.erl, line 41)",
        "        called as f(1)",
        "**error:badarith",
        "",
    ];
    try_all(elixir::parse, &lines, &["1) ", "test ", " (Shop", ")", "a.exs:3", "called as ", "in call from "]);
}

#[test]
fn runners_of_javascript() {
    let lines = [
        "  ● cart › totals",
        " FAIL  test/cart.test.ts > totals",
        "    expect(received).toBe(expected)",
        "    > 6 |   expect(total()).toBe(4);",
        "        |         ^",
        "      at total (src/cart.js:2:19)",
        " ❯ total src/cart.ts:2:19",
        "error: x",
        "console.log",
        "The above error occurred in the <Cart> component:",
        "    total http://localhost:8080/app.js:1",
        "",
    ];
    try_all(node::parse, &lines, &["❯ ", "a.ts", ":1", " ", "● ", "error: ", "http://", "| "]);
    let lines = [
        "not ok 1 - totals",
        "  ---",
        "  error: |-",
        "  stack: |-",
        "    total (/srv/cart.js:6:10)",
        "  at:",
        "    line: 3",
        "  ...",
    ];
    try_all(node::parse, &lines, &["not ok 1 ", "- ", "# todo", ": ", "at ", "---"]);
}

#[test]
fn runners_of_others() {
    let lines = [
        "--- FAIL: TestTotal (0.00s)",
        "=== RUN   TestTotal",
        "    cart_test.go:12: got 3",
        "        \tError Trace:\tcart_test.go:14",
        "        \tError:      \tNot equal:",
        "--- PASS: TestTotal (0.00s)",
        "",
    ];
    try_all(go::parse, &lines, &["--- FAIL: ", "a.go:1", ": ", "Error Trace:", "\t"]);
    let lines = [
        "1) CartTest::testTotal",
        "   FAILED  Tests\\CartTest > it totals    ErrorException",
        "Failed asserting that 3 is 4.",
        "/srv/tests/CartTest.php:12",
        "  at tests/CartTest.php:12",
        "  ➜   9▕     x",
        "",
    ];
    try_all(php::parse, &lines, &["1) ", "A::b", "FAILED  ", " > ", "  ", "a.php:1"]);
    let lines = [
        "CartTest > total() FAILED",
        "    java.lang.Error at CartTest.java:12",
        "        Caused by: java.lang.Error at Cart.java:20",
        "    => java.lang.Error: x",
        "       com.example.CartTest.total(CartTest.java:12)",
        "1) total(com.example.CartTest)",
        "\tat com.example.CartTest.total(CartTest.java:12)",
        "",
    ];
    try_all(java::parse, &lines, &["a.B > ", " FAILED", "=> ", "a.B", " at A.java:1", "("]);
    let lines = [
        "  Error Message:",
        "   System.Exception : x",
        "  Stack Trace:",
        "     at Shop.Cart.Total() in /src/Cart.cs:line 9",
        "    Shop.CartTests.Total [FAIL]",
        "Assert.Equal() Failure",
        "/src/Cart.cs(9,0): at Shop.Cart.Total()",
        "  failed Total (20ms)",
    ];
    try_all(dotnet::parse, &lines, &["a.B", " : ", "(9,0): at ", " [FAIL]", "failed x (", "20ms ", ")"]);
    let lines = [
        "=================== FAILURES ===================",
        "------ Captured log call ------",
        "shop/cart.py:3: KeyError: 'sku'",
        "E       KeyError: 'sku'",
        "shop/cart.py:3: KeyError",
        HEADER,
        "  File \"a.py\", line 1, in f",
        "During handling of the above exception, another exception occurred:",
        "",
    ];
    try_all(python::parse, &lines, &["a.py:3: ", "KeyError", ": ", "====", " FAILURES "]);
}
