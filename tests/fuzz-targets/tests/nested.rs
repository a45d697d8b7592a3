//! Every target, with things in one another as deep as fits: on half the stack that a thread of the
//! program has, not optimised, where each call takes several times as much.

use fuzz_targets::{TARGETS, target};

/// Bytes of the stack: what calls the reader has its share, too.
const STACK: usize = 1 << 20;
/// Threads that share the work: continuous integration has two processors.
const THREADS: usize = 2;
/// How deep: around what serde_json allows, and regex, and far beyond.
const DEPTHS: [usize; 6] = [10, 37, 126, 128, 250, 8_000];

/// A target, what stands before, what is opened again and again, and what closes it.
type Nesting = (&'static str, String, &'static str, &'static str);

fn nestings() -> Vec<Nesting> {
    let json = [("[", "]"), ("{\"a\":", "}"), ("[{\"values\":", "}]"), ("[[0],", "]")];
    let fields = [
        "message",
        "logentry",
        "exception",
        "extra",
        "contexts",
        "tags",
        "request",
        "user",
        "breadcrumbs",
        "exception\":{\"values\":[{\"value",
        "exception\":{\"values\":[{\"stacktrace\":{\"frames\":[{\"vars",
        "exception\":{\"values\":[{\"stacktrace\":{\"frames\":[{\"vars\":{\"a",
        "exception\":{\"values\":[{\"stacktrace\":{\"frames\":[{\"context_line",
        "request\":{\"data",
        "request\":{\"headers",
        "threads\":{\"values\":[{\"stacktrace",
        "nobody_knows_it",
    ];
    let event = fields.iter().map(|field| format!("{{\"{field}\":"));
    let mut all: Vec<Nesting> = Vec::new();
    for (open, close) in json {
        all.extend(event.clone().map(|before| ("event", before, open, close)));
        all.push(("event", String::new(), open, close));
        all.push(("envelope", "{\"a\":".to_owned(), open, close));
        all.push(("envelope", "{}\n{\"type\":\"event\",\"a\":".to_owned(), open, close));
        for kind in ["issues", "push", "installation", "repository", "issue_comment"] {
            for field in ["issue", "commits", "repositories", "sender", "action", "nobody_knows_it"] {
                all.push(("webhook", format!("{kind}\n{{\"{field}\":"), open, close));
            }
        }
    }
    let mut more = |target, before: &str, pairs: &[(&'static str, &'static str)]| {
        all.extend(pairs.iter().map(|(open, close)| (target, before.to_owned(), *open, *close)));
    };
    more("encoding", "\u{4}", &[("[", "]")]);
    let yaml =
        [("a: [", "]"), ("[", "]"), ("{a: ", "}"), ("- ", ""), ("? ", ""), ("[? ", "]"), ("&a [", "]"), ("!a [", "]")];
    more("settings", "a: ", &yaml);
    more("settings", "a:\n  ", &yaml);
    more("codeowners", "a/b/c\n", &[("**/", ""), ("*", ""), ("a/", ""), ("(", ")"), ("\\", "")]);
    let expressions = [
        ("(?:", ")"),
        ("(", ")"),
        ("(?=", ")"),
        ("(?<!", ")"),
        ("(?>", ")"),
        ("(?i:", ")"),
        ("[", "]"),
        ("[^", "]"),
        ("", "{1}"),
    ];
    more("path_expression", "", &expressions);
    more("path_expression", "(?=x)", &expressions);
    more("path_expression", "(?:(?:(?=", &expressions);
    for language in 0..8 {
        let before = char::from(language).to_string();
        let code = [
            ("(", ")"),
            ("{", "}"),
            ("[", "]"),
            ("a(", ")"),
            ("if a {\n", "}\n"),
            ("-", ""),
            ("a.", ""),
            ("<a>", "</a>"),
        ];
        more("source", &before, &code);
    }
    more("traceback_rust", "   0: ", &[("<a as ", ">"), ("<&dyn ", ">")]);
    more("traceback_node", "Error: x\n", &[("    at f (/a.js:1:2) {\n [cause]: Error: x\n", "}\n")]);
    more("traceback_java", "", &[("Caused by: a.E: x\n\tat a.B.f(B.java:1)\n\t... 9 more\n", "")]);
    more("traceback_python", "", &[("  + Exception Group Traceback (most recent call last):\n  +-+---- 1 ----\n", "")]);
    more("traceback_ruby", "", &[("a.rb:1:in 'f': x (E)\n\tfrom a.rb:2:in 'g'\n", "")]);
    more("traceback_go", "", &[("panic: x\n\tpanic: y [recovered]\n", "")]);
    more(
        "traceback_dotnet",
        "",
        &[("A.XException: x\n ---> ", "\n   at A.F() in a.cs:line 1\n   --- End of inner exception stack trace ---\n")],
    );
    more("traceback_php", "", &[("Next E: x in a.php:3\n#0 {main}\n", "")]);
    more(
        "traceback_dart",
        "",
        &[("Unhandled exception:\n", "#0      f (package:a/a.dart:3:12)\n<asynchronous suspension>\n")],
    );
    more(
        "traceback_perl",
        "",
        &[("x at a.pl line 3.\n\t...propagated", " at b.pl line 4.\n"), ("main::f('", "') called at a.pl line 9\n")],
    );
    more("traceback_swift", "", &[("a.swift:3: Fatal error: x", "\n0 [ra] 0x1 f() in a at /srv/a.swift:3:5\n")]);
    more("traceback_cpp", "", &[("#0 0x1 in f<", ">(int) /srv/a.cc:3:5\n"), ("a::b(", ")\n")]);
    more("traceback_elixir", "", &[("{a,f,[", "],[{file,\"a.erl\"},{line,3}]}\n")]);
    more("links", "", &[("a/", ""), ("%25", "")]);
    more("paths", "", &[("a/", ""), ("../", ""), ("./", "")]);
    all
}

/// Each further in than the one before, as people nest causes and groups.
fn indented(text: &str) -> String {
    text.lines().enumerate().map(|(at, line)| format!("{}{line}\n", "  ".repeat(at % 200))).collect()
}

fn tried((name, before, open, close): &Nesting) {
    let run = target(name).run;
    for depth in DEPTHS {
        let opened = format!("{before}{}", open.repeat(depth));
        run(opened.as_bytes());
        run(format!("{opened}1{}\n", close.repeat(depth)).as_bytes());
        if open.contains('\n') {
            run(indented(&opened).as_bytes());
        }
    }
}

#[test]
fn no_nesting_needs_more_stack_than_a_thread_has() {
    let all = nestings();
    for target in &TARGETS {
        assert!(all.iter().any(|(name, ..)| *name == target.name), "{} is not tried", target.name);
    }
    // Two at a time, each on a stack of its own.
    let work = |first: usize| {
        let all = all.clone();
        let work = move || all.iter().skip(first).step_by(THREADS).for_each(tried);
        std::thread::Builder::new().stack_size(STACK).spawn(work).unwrap()
    };
    let threads: Vec<_> = (0..THREADS).map(work).collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}
