//! Texts of thirteen languages, real ones where the language was at hand, and what becomes of them
//! when they are damaged.

mod frameworks;
mod growth;
mod layouts;
mod machines;
mod mixed;
mod newer;
mod prefixes;
mod runners;
mod warned;

use super::*;
use std::fmt::Write;

macro_rules! samples {
    ($($name:ident),* $(,)?) => {
        &[$((
            stringify!($name),
            include_str!(concat!("../../../../../tests/data/tracebacks/", stringify!($name), ".txt")),
            include_str!(concat!("../../../../../tests/data/tracebacks/", stringify!($name), ".read")),
        )),*]
    };
}

/// Name, text, and what is read out of it.
const ALL: &[(&str, &str, &str)] = samples!(
    cpp_asan,
    cpp_boost,
    cpp_gdb,
    cpp_ubsan,
    cpp_valgrind,
    dart_async,
    dart_flutter,
    dart_terse,
    dotnet_aggregate,
    dotnet_async,
    dotnet_german,
    dotnet_inner,
    elixir_compile,
    elixir_genserver,
    elixir_plug,
    elixir_report,
    elixir_terms,
    go_fatal,
    go_gin,
    go_nil,
    go_panic,
    go_recovered,
    java_log,
    java_main,
    java_thread,
    node_aggregate,
    node_cause,
    node_missing_module,
    node_module,
    node_rejection,
    node_stack,
    node_string,
    node_syntax,
    node_uncaught,
    perl_compile,
    perl_confess,
    perl_die,
    perl_trace,
    php_laravel,
    php_next,
    php_one_line,
    php_phpunit,
    php_symfony,
    php_uncaught,
    php_xdebug,
    python_313_note,
    python_broken_script,
    python_chain,
    python_docker,
    python_group,
    python_logged,
    python_note,
    python_recursion,
    python_syntax,
    ruby_33,
    ruby_34_cause,
    ruby_logged,
    ruby_rails,
    ruby_reversed,
    rust_anyhow,
    rust_backtrace,
    rust_full,
    rust_old,
    rust_short,
    rust_threads,
    rust_unwrap,
    swift_backtrace,
    swift_fatal,
    swift_report
);

/// An exception a line, its frames below it, oldest call first.
fn shown(report: &Report) -> String {
    let mut text = format!("{:?}\n", report.platform);
    for exception in &report.exceptions {
        let number = |number: Option<u32>| number.map_or_else(|| "-".to_owned(), |number| number.to_string());
        let _ = write!(text, "{}", exception.dotted_name());
        let _ = write!(text, " {:?}", exception.value.as_deref().unwrap_or("(nothing)"));
        if let Some(source) = &exception.source {
            let _ = write!(text, ", {source}");
        }
        if exception.is_group {
            text.push_str(", group");
        }
        text.push('\n');
        for frame in &exception.frames {
            let path = frame.path().unwrap_or("?");
            let _ = write!(text, "  {path}:{} {}", number(frame.line), frame.function_name());
            if let Some(code) = &frame.context_line {
                let _ = write!(text, " | {code}");
            }
            text.push('\n');
        }
    }
    text
}

#[test]
fn each_text_is_read_as_expected() {
    for (name, text, expected) in ALL {
        let report = parse(text).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(shown(&report), *expected, "{name}");
        assert_eq!((report.level.as_str(), report.count), ("error", 1), "{name}");
    }
}

#[test]
fn what_a_terminal_or_a_log_adds_makes_no_difference() {
    for (name, text, expected) in ALL {
        let colored = text.replace('(', "\u{1b}[1;31m(").replace('"', "\u{1b}[0m\"");
        assert_eq!(shown(&parse(&colored).unwrap()), *expected, "{name} in colours");
        let windows = text.replace('\n', "\r\n");
        assert_eq!(shown(&parse(&windows).unwrap()), *expected, "{name} with the line ends of Windows");
        let filled = format!("{}\n{text}", "some line of a log\n".repeat(70_000));
        assert_eq!(shown(&parse(&filled).unwrap()), *expected, "{name} at the end of a long log");
    }
}

#[test]
fn of_several_tracebacks_the_last_is_taken() {
    // A prefix is one of all lines or of none.
    let one_form = || ALL.iter().filter(|(name, ..)| *name != "python_docker");
    for (name, text, expected) in one_form() {
        let language = name.split('_').next().unwrap();
        let others = one_form().filter(|(other, ..)| other.starts_with(language));
        for (other, before, _) in others {
            let both = format!("{before}\n2026-11-22 11:25:15 INFO going on\n\n{text}");
            assert_eq!(shown(&parse(&both).unwrap()), *expected, "{name} after {other}");
        }
    }
}

#[test]
fn what_is_no_traceback_is_refused() {
    for text in [
        "",
        "\n\n",
        "Error: something",
        "Traceback (most recent call last):",
        "panic: x",
        "at home (with tea)",
        "a.rb:3: x",
        "\u{1b}[",
        "ä:1:2",
    ] {
        assert!(matches!(parse(text), Err(WireError::Unrecognised(_))), "{text:?}");
    }
    let message = parse("hello").unwrap_err().to_string();
    for language in
        ["Python", "Node", "Ruby", "Java", "Go", "Rust", "PHP", "NET", "Elixir", "Dart", "Perl", "Swift", "C++"]
    {
        assert!(message.contains(language), "{message}");
    }
}

#[test]
fn of_a_long_log_the_last_lines_are_looked_at() {
    let text = "/a:1:in 'b'\n".repeat(TEXT_BYTES / 12);
    let lines = last_lines(&text);
    assert!(text.lines().count() > 4 * TEXT_LINES && lines.len() == TEXT_LINES && lines.capacity() <= 2 * TEXT_LINES);
    // Nothing but parts of characters, and one that is cut in two.
    assert!(plain(&vec![0x80; 3 * TEXT_BYTES]).is_empty());
    let cut = ["é".repeat(TEXT_BYTES).as_bytes(), b"x"].concat();
    assert!(plain(&cut).len() < TEXT_BYTES && plain(&cut).ends_with("éx"));
}

#[test]
fn a_traceback_without_end_stays_small() {
    let frames = "  File \"/srv/app/a.py\", line 1, in f\n".repeat(10_000);
    let text = format!("Traceback (most recent call last):\n{frames}ValueError: {}\n", "x".repeat(10_000));
    let report = parse(&text).unwrap();
    let exception = &report.exceptions[0];
    assert_eq!(exception.frames.len(), MAX_OUTER_FRAMES + MAX_INNER_FRAMES);
    assert_eq!(exception.value.as_ref().unwrap().len(), MAX_MESSAGE + UNCUT, "it is cut when it is scrubbed");
    // Each of many causes claims to share many frames.
    let frames = "\tat shop.A.f(A.java:1)\n".repeat(1_000);
    let text = format!(
        "shop.A: x\n{frames}{}",
        "Caused by: shop.B: y\n\tat shop.B.g(B.java:2)\n\t... 1000 more\n".repeat(5_000)
    );
    let report = parse(&text).unwrap();
    assert!(serde_json::to_vec(&report).unwrap().len() < FRAME_BYTES * 2);
    // Boxes in boxes, braces in braces.
    let boxes: String = (0..300).fold("  + Exception Group Traceback (most recent call last):\n".to_owned(), |mut text, depth| {
        let indent = "  ".repeat(depth + 1);
        let _ = writeln!(text, "{indent}|   File \"/srv/app/a.py\", line 1, in f\n{indent}| G: x\n{indent}+-+---------------- 1 ----------------");
        let _ = writeln!(text, "{indent}  | Exception Group Traceback (most recent call last):");
        text
    });
    assert!(parse(&boxes).unwrap().exceptions.len() <= MAX_EXCEPTIONS);
    let causes: String = (0..300).fold(String::new(), |mut text, depth| {
        let indent = "  ".repeat(depth);
        let _ = writeln!(text, "{indent}[cause]: Error: x\n{indent}    at f (/srv/a.js:1:1) {{");
        text
    });
    assert!(parse(&causes).unwrap().exceptions.len() <= MAX_EXCEPTIONS);
}

/// A text damaged in some way, the next number each time.
fn damaged(text: &str, random: &mut u64) -> String {
    let mut next = |below: usize| {
        // xorshift: the same damage in each run.
        *random ^= *random << 13;
        *random ^= *random >> 7;
        *random ^= *random << 17;
        (*random % below.max(1) as u64) as usize
    };
    let mut chars: Vec<char> = text.chars().collect();
    const ODD: &[char] = &[
        '\n', ' ', '\t', ':', '(', ')', '"', '\'', '`', '|', '+', '-', '.', '/', '{', '}', '[', ']', '0', 'é',
        '\u{1b}', '\u{202e}',
    ];
    for _ in 0..=next(8) {
        if chars.is_empty() {
            break;
        }
        let at = next(chars.len());
        match next(5) {
            0 => chars.insert(at, ODD[next(ODD.len())]),
            1 => chars[at] = ODD[next(ODD.len())],
            2 => drop(chars.remove(at)),
            3 => chars.truncate(at.max(1)),
            _ => {
                let end = (at + next(200)).min(chars.len());
                let copy = chars[at..end].to_vec();
                let place = next(chars.len());
                chars.splice(place..place, copy);
            }
        }
    }
    chars.into_iter().collect()
}

#[test]
fn groups_that_begin_anew_within_a_member_do_not_nest() {
    let unit =
        "  + Exception Group Traceback (most recent call last):\n  |   File \"a\", line 1, in f\n  +-+---- 1 ----\n";
    // As many as the limits allow, on a stack as the server's threads have it.
    let read = move || parse(&unit.repeat(6_000)).is_ok();
    let thread = std::thread::Builder::new().stack_size(2 << 20).spawn(read).unwrap();
    thread.join().unwrap();
}

#[test]
fn damage_breaks_nothing() {
    let mut random = 0x5eed;
    for (_, text, _) in ALL {
        for end in (0..text.len()).filter(|&end| text.is_char_boundary(end)).step_by(5) {
            let _ = parse(&text[..end]);
        }
        for _ in 0..100 {
            if let Ok(report) = parse(&damaged(text, &mut random)) {
                assert!(!report.exceptions.is_empty());
            }
        }
    }
}

#[test]
fn a_byte_order_mark_is_no_part_of_the_first_line() {
    for text in [
        "Traceback (most recent call last):\n  File \"a.py\", line 1, in f\n    x()\nKeyError: 'a'\n",
        "java.lang.IllegalStateException: gone\n\tat shop.Cart.total(Cart.java:9)\n",
    ] {
        assert_eq!(shown(&parse(&format!("\u{feff}{text}")).unwrap()), shown(&parse(text).unwrap()));
    }
}
