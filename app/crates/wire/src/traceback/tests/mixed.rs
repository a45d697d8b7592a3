//! Texts in which tracebacks stand beside what only looks like one, and in forms cut short.

use super::*;

/// Type, message, innermost path and line, and function of a text's raised exception.
fn read(text: &str) -> String {
    let Ok(report) = parse(text) else { return "none".to_owned() };
    let raised = report.raised().unwrap();
    let frame = raised.frames.last().unwrap();
    let line = frame.line.map_or_else(String::new, |line| format!(":{line}"));
    let value = raised.value.as_deref().unwrap_or("-");
    format!("{} {value} {}{line} {}", raised.kind, frame.path().unwrap_or("?"), frame.function_name())
}

#[test]
fn which_code_made_a_query_is_no_backtrace() {
    let queries = "  Tea Load (0.4ms)  SELECT \"teas\".* FROM \"teas\"\n  ↳ app/controllers/teas_controller.rb:3:in `index'\n  \
                   Cup Load (0.4ms)  SELECT \"cups\".* FROM \"cups\"\n  ↳ app/views/teas/index.html.erb:9:in `block in view'\n\
                   Completed 200 OK in 5ms\n";
    assert_eq!(read(queries), "none");
    let logged: String =
        queries.lines().map(|line| format!("D, [2026-03-11T08:15:01.1 #7] DEBUG -- : {line}\n")).collect();
    assert_eq!(read(&logged), "none");
    let composed: String = queries.lines().map(|line| format!("web-1  | {line}\n")).collect();
    assert_eq!(read(&composed), "none");
    let error = "NoMethodError (undefined method `name' for nil):\n  \napp/models/cup.rb:12:in `fill'\n\
                 app/controllers/cups_controller.rb:5:in `show'\n\n";
    assert_eq!(
        read(&format!("{error}{queries}")),
        "NoMethodError undefined method `name' for nil app/models/cup.rb:12 fill"
    );
    assert_eq!(read("QUERY OK source=\"cups\" db=0.4ms\n↳ Shop.Cups.fill/1, at: lib/shop/cups.ex:12\n"), "none");
    // Between the lines of an error, too.
    let (first, rest) = error.split_at(error.find("app/controllers").unwrap());
    assert_eq!(
        read(&format!("{first}  ↳ app/models/x.rb:3:in `x'\n{rest}")),
        "NoMethodError undefined method `name' for nil app/models/cup.rb:12 fill"
    );
}

#[test]
fn advice_on_queries_is_no_error() {
    let calls = "  /srv/app/views/cups/index.html.erb:5:in `block in view'\n  /srv/app/controllers/cups_controller.rb:9:in `index'\n";
    for title in ["Call stack", "Call stack:", "call stack:"] {
        let text = format!("USE eager loading detected\n  Cup => [:tea]\n{title}\n{calls}");
        assert_eq!(read(&text), "none", "{text}");
    }
    // Places that do not stand together are what a log mentions.
    assert_eq!(read("saved by\n/srv/a.rb:3:in 'f'\nsaved by\n/srv/b.rb:4:in 'g'\n"), "none");
    assert_eq!(
        read("it went wrong\n/srv/a.rb:3:in 'f'\n/srv/b.rb:4:in 'g'\n"),
        "Exception it went wrong /srv/a.rb:3 f"
    );
}

#[test]
fn of_two_languages_the_last_traceback_counts() {
    let python = "Traceback (most recent call last):\n  File \"/srv/a.py\", line 9, in f\n    g()\n  \
                  File \"/srv/b.py\", line 8, in g\n    h()\n  File \"/srv/c.py\", line 7, in h\n    i()\nKeyError: 'tea'\n";
    let node = "TypeError: no tea\n    at pour (/srv/cup.js:3:5)\n";
    let ruby = "/srv/cup.rb:3:in 'fill': no tea (NoTea)\n\tfrom /srv/cup.rb:9:in '<main>'\n";
    let java = "shop.NoTea: none\n\tat shop.Cup.fill(Cup.java:3)\n\tat shop.Cup.main(Cup.java:9)\n";
    let go = "panic: no tea\n\ngoroutine 1 [running]:\nmain.fill()\n\t/srv/cup.go:3 +0x1d\nmain.main()\n\t/srv/cup.go:9 +0x1d\n";
    let rust = "thread 'main' panicked at src/cup.rs:3:5:\nempty pot\nnote: run with `RUST_BACKTRACE=1` environment variable to display a backtrace\n";
    let all = [python, node, ruby, java, go, rust];
    for (at, one) in all.iter().enumerate() {
        for other in all.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, other)| other) {
            for between in ["\n", "\n2026-11-22 11:25:15 INFO going on\n\n"] {
                let text = format!("{one}{between}{other}");
                assert_eq!(read(&text), read(other), "{text}");
            }
        }
    }
    assert_eq!(
        read(&format!(
            "{python}make: *** [Makefile:3: test] Error 1\ncleanup skipped at /usr/local/bin/tidy.pl line 3.\n"
        )),
        "KeyError 'tea' /srv/c.py:7 h"
    );
    // Nor does a place in a log have the title above it.
    let logged = "Traceback (most recent call last):\n  File \"/srv/a.py\", line 9, in f\n    g()\nKeyError: 'tea'\n\
                  ERROR:root:cup.rb:12:in `f'\nINFO:root:done at /srv/cup.js:3:4\n";
    assert!(read(logged).ends_with(" /srv/a.py:9 f"), "{}", read(logged));
    // What a command printed is quoted by what raised because of it.
    let quoting = python
        .replace("KeyError: 'tea'", "CommandFailed: exit status 1: TypeError: no tea\n    at pour (/srv/cup.js:3:5)");
    assert!(read(&quoting).starts_with("CommandFailed exit status 1"), "{}", read(&quoting));
}

#[test]
fn a_handler_of_deaths_is_not_where_perl_died() {
    let callers = "\tmain::__ANON__(\"no tea at shop.pl line 3.\\x{a}\") called at shop.pl line 3\n\
                   \tmain::pour(1) called at shop.pl line 9\n";
    assert_eq!(
        read(&format!("no tea at shop.pl line 3.\n at shop.pl line 1.\n{callers}")),
        "die no tea shop.pl:3 main::pour"
    );
    assert_eq!(
        read(&format!("no tea at shop.pl line 3.\n at shop.pl line 3.\n{callers}")),
        "die no tea shop.pl:3 main::pour"
    );
    assert_eq!(
        read(
            "no tea at lib/Shop.pm line 3, <STDIN> line 4.\n at bin/shop line 1, <STDIN> line 4.\n\
              \tmain::__ANON__(\"no tea\") called at lib/Shop.pm line 3\n\tShop::pour(1) called at bin/shop line 9\n"
        ),
        "die no tea lib/Shop.pm:3 Shop::pour"
    );
    let thrice = format!(
        "no tea at shop.pl line 3.\n at -e line 1.\n{callers} at -e line 1.\n\tmain::__ANON__(\"no tea at shop.pl line 3.\\x{{a}}\") called at -e line 1\n"
    );
    assert_eq!(read(&thrice), "die no tea shop.pl:3 main::pour");
    // What was caught is told once more by a caller.
    let again =
        parse("no tea at shop.pl line 3.\n at shop.pl line 6.\n\tmain::g() called at shop.pl line 9\n").unwrap();
    let lines: Vec<_> = again.exceptions[0].frames.iter().map(|frame| frame.line.unwrap()).collect();
    assert_eq!((again.headline().as_str(), lines), ("die: no tea", vec![9, 6, 3]));
}

#[test]
fn a_panics_backtrace_is_rusts_without_its_first_line() {
    let frames = "   0: rust_begin_unwind\n             at /rustc/0f0b/library/std/src/panicking.rs:695:5\n   \
                  1: core::panicking::panic_fmt\n             at /rustc/0f0b/library/core/src/panicking.rs:75:14\n   \
                  2: shop::pour\n             at ./src/cup.rs:3:5\n   3: shop::main\n             at ./src/main.rs:9:5\n";
    for begin in ["stack backtrace:\n", "2026 INFO going on\nstack backtrace:\n"] {
        let text = format!("{begin}{frames}note: Some details are omitted, run with `RUST_BACKTRACE=full`\n");
        assert_eq!(parse(&text).unwrap().platform, Platform::Native);
        assert_eq!(read(&text), "panic - src/cup.rs:3 shop::pour");
    }
    assert_eq!(read("it stopped\n    at ./src/cup.rs:3:5\n    at ./src/main.rs:9:5\n"), "none");
}

#[test]
fn levels_that_ruby_leaves_out_are_no_end() {
    let deep = "/srv/cup.rb:3:in 'fill': stack level too deep (SystemStackError)\n\tfrom /srv/cup.rb:4:in 'fill'\n\t ... 10067 levels...\n";
    let last = "\tfrom /srv/cup.rb:9:in 'pour'\n\tfrom /srv/cup.rb:12:in '<main>'\n";
    for text in [format!("{deep}{last}"), deep.to_owned()] {
        assert_eq!(read(&text), "SystemStackError stack level too deep /srv/cup.rb:3 fill");
    }
    let lines: Vec<_> =
        parse(&format!("{deep}{last}")).unwrap().exceptions[0].frames.iter().map(|f| f.line.unwrap()).collect();
    assert_eq!(lines, [12, 9, 4, 3]);
    let logged = "SystemStackError: stack level too deep\n/srv/cup.rb:3:in 'fill'\n ... 10067 levels...\n/srv/cup.rb:9:in 'pour'\n";
    assert_eq!(read(logged), "SystemStackError stack level too deep /srv/cup.rb:3 fill");
    assert_eq!(parse(logged).unwrap().exceptions[0].frames.len(), 2);
}

#[test]
fn what_ruby_prints_in_the_place_of_a_message() {
    let below = "\tfrom /srv/cup.rb:9:in 'pour'\n";
    for (text, expected) in [
        (format!("/srv/cup.rb:3:in 'sleep': Interrupt\n{below}"), "Interrupt - /srv/cup.rb:3 sleep"),
        (format!("/srv/cup.rb:3:in 'fill': Shop::NoTea\n{below}"), "Shop::NoTea - /srv/cup.rb:3 fill"),
        (format!("/srv/cup.rb:3:in 'fill': unhandled exception\n{below}"), "RuntimeError - /srv/cup.rb:3 fill"),
        (format!("/srv/cup.rb:3:in 'fill': no tea\n{below}"), "Exception no tea /srv/cup.rb:3 fill"),
        (
            "#<Shop::NoTea: none: left>\n/srv/cup.rb:3:in 'fill'\n/srv/cup.rb:9:in 'pour'\n".to_owned(),
            "Shop::NoTea none: left /srv/cup.rb:3 fill",
        ),
        (
            "08:15:01 failed with #<NoTea: none>\n/srv/cup.rb:3:in 'fill'\n/srv/cup.rb:9:in 'pour'\n".to_owned(),
            "NoTea none /srv/cup.rb:3 fill",
        ),
    ] {
        assert_eq!(read(&text), expected);
    }
}

#[test]
fn lambda_says_above_a_traceback_what_was_raised() {
    let calls =
        "Traceback (most recent call last):\n  File \"/var/task/cup.py\", line 8, in fill\n    tea = event['tea']\n";
    assert_eq!(read(&format!("[ERROR] KeyError: 'tea'\n{calls}")), "KeyError 'tea' /var/task/cup.py:8 fill");
    assert_eq!(read(&format!("[ERROR] it failed\n{calls}KeyError: 'tea'\n")), "KeyError 'tea' /var/task/cup.py:8 fill");
    assert_eq!(read(&format!("[ERROR] it failed\n{calls}")), "Exception - /var/task/cup.py:8 fill");
}
