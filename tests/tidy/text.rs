//! What stands in the files: sizes, first sentences, words, the dialect of migrations, and whose
//! machine is named.

use super::source::{Source, below};
use super::{Broken, assert_kept, broken, files, read, root};

/// Lines that ship in one file: what fits into a head. Aim for half of it.
const MAX_PRODUCTION_LINES: usize = 400;
/// A file of stories or of their harness may be longer: each story stands for itself.
const MAX_TEST_LINES: usize = 800;

const SHIPPED: &[&str] = &["app/src/", "app/crates/", "ingest-client/src/"];
const TESTS: &[&str] = &["tests/", "ingest-client/tests/", "ingest-client/examples/"];
const ALL: &[&str] = &["app/", "ingest-client/", "tests/"];

/// Columns of a comment: what is read without moving the head.
const MAX_COMMENT_COLUMNS: usize = 100;
/// Where comments are that narrow, and every warning that is passed over is one that would be
/// given.
const STRICT: &[&str] = &["app/", "ingest-client/examples/", "ingest-client/src/", "tests/"];

/// Names of modules that say nothing, and so grow for ever.
const EMPTY_NAMES: &[&str] = &["common", "helper", "helpers", "manager", "misc", "util", "utils"];

/// Macros and words that leave something for later. In two parts, so that this file does not find
/// itself.
const LEFT_FOR_LATER: &[(&str, &str)] =
    &[("to", "do!"), ("unimplemen", "ted!"), ("db", "g!"), ("TO", "DO"), ("FIX", "ME"), ("XX", "X"), ("#[ign", "ore]")];

/// Words that one of SQLite and PostgreSQL does not know, or that sqlx's `Any` can't read from
/// both.
const DIALECT: &[(&str, &str)] = &[
    ("AUTOINCREMENT", "PostgreSQL does not know it: ids are made by an upsert or by the program"),
    ("SERIAL", "SQLite takes it for a plain column without numbers of its own"),
    ("BIGSERIAL", "SQLite takes it for a plain column without numbers of its own"),
    ("BOOLEAN", "sqlx's Any can't read it from SQLite: use a nullable …_at_ms BIGINT"),
    ("BOOL", "sqlx's Any can't read it from SQLite: use a nullable …_at_ms BIGINT"),
    ("JSON", "the databases disagree on it: use TEXT"),
    ("JSONB", "the databases disagree on it: use TEXT"),
    ("TIMESTAMP", "times are Unix milliseconds in a BIGINT"),
    ("TIMESTAMPTZ", "times are Unix milliseconds in a BIGINT"),
    ("DATETIME", "times are Unix milliseconds in a BIGINT"),
    ("NOW", "time is an argument"),
    ("CURRENT_TIMESTAMP", "time is an argument"),
    ("PRAGMA", "PostgreSQL does not know it: it belongs to the connection, in store/"),
    ("WITHOUT", "PostgreSQL does not know WITHOUT ROWID"),
    ("STRICT", "PostgreSQL does not know STRICT tables"),
    ("REPLACE", "PostgreSQL does not know INSERT OR REPLACE: use ON CONFLICT … DO UPDATE"),
];

/// What belongs to the machine that the project was written on. In two parts, so that this file
/// does not find itself.
const NOT_OURS: &[(&str, &str, &str)] = &[
    ("/wo", "rk/", "a folder of somebody's machine"),
    ("/ro", "ot/", "a folder of somebody's machine"),
    ("/home/", "runner", "a folder of somebody's machine"),
    ("static.crates", ".io", "a package registry's host: the client knows where it is"),
    ("index.crates", ".io", "a package registry's host: the client knows where it is"),
    ("registry.npm", "js.org", "a package registry's host: .npmrc leaves it out of the lock file"),
    ("registry.yarn", "pkg.com", "a package registry's host"),
    ("pypi", ".org", "a package registry's host"),
    ("files.python", "hosted.org", "a package registry's host"),
    ("deb.deb", "ian.org", "a package registry's host"),
];

/// Recordings of foreign programs, kept byte for byte.
const RECORDED: &[&str] = &["tests/data/"];

#[test]
fn files_are_short() {
    let long = |folders, most| below(folders).into_iter().filter_map(move |file| too_long(file, most));
    assert_kept(long(SHIPPED, MAX_PRODUCTION_LINES).chain(long(TESTS, MAX_TEST_LINES)).collect());
}

#[test]
fn files_open_with_a_sentence() {
    assert_kept(below(ALL).iter().filter_map(|file| no_sentence(&file.path, &file.text)).collect());
}

#[test]
fn nothing_is_left_for_later() {
    assert_kept(below(ALL).iter().flat_map(|file| left_for_later(&file.path, &file.text)).collect());
}

#[test]
fn modules_have_names_that_say_something() {
    assert_kept(below(ALL).iter().flat_map(|file| empty_names(file)).collect());
}

#[test]
fn comments_are_narrow() {
    assert_kept(below(STRICT).iter().flat_map(|file| wide_comments(&file.path, &file.text)).collect());
}

#[test]
fn warnings_that_are_passed_over_would_be_given() {
    let rule = "`#[expect(…, reason = …)]`, which says so when it is no longer needed, instead of `#[allow(…)]`";
    let allowed = |file: &&Source| file.allows.iter().map(|line| broken(&file.path, *line, rule)).collect::<Vec<_>>();
    assert_kept(below(STRICT).iter().flat_map(allowed).collect());
}

#[test]
fn migrations_run_on_both_databases() {
    let migrations: Vec<String> =
        files().into_iter().filter(|path| path.starts_with("migrations/") && path.ends_with(".sql")).collect();
    assert_kept(migrations.iter().flat_map(|path| dialect(path, &read(path))).collect());
}

#[test]
fn no_file_names_somebodys_machine() {
    let ours = |path: &String| !RECORDED.iter().any(|folder| path.starts_with(folder)) && path != "Cargo.lock";
    let text = |path: String| Some((String::from_utf8(std::fs::read(root().join(&path)).ok()?).ok()?, path));
    let texts: Vec<(String, String)> = files().into_iter().filter(ours).filter_map(text).collect();
    assert_kept(texts.iter().flat_map(|(text, path)| not_ours(path, text)).collect());
}

fn too_long(file: &Source, most: usize) -> Option<Broken> {
    let is_tests = file.path.ends_with("/tests.rs") || file.path.contains("/tests/");
    let (most, lines) = if is_tests { (MAX_TEST_LINES, file.text.lines().count()) } else { (most, file.shipped_lines) };
    let rule = || format!("{lines} lines, at most {most}: split it by sentence, one `//!` each, not by size");
    (lines > most).then(|| broken(&file.path, most + 1, rule()))
}

fn no_sentence(path: &str, text: &str) -> Option<Broken> {
    let paragraph: Vec<&str> =
        text.lines().map_while(|line| line.strip_prefix("//! ")).take_while(|line| !line.trim().is_empty()).collect();
    let is_sentence = paragraph.last().is_some_and(|line| line.trim_end().ends_with('.'));
    let rule = "a file opens with a `//! ` sentence that says what it is for, with a full stop";
    (!is_sentence).then(|| broken(path, 1, rule))
}

fn left_for_later(path: &str, text: &str) -> Vec<Broken> {
    let mut places = Vec::new();
    for (begin, end) in LEFT_FOR_LATER {
        let word = format!("{begin}{end}");
        let rule = format!("`{word}` leaves something for later: do it now, or say it in an issue");
        places.extend(words(text, &word).into_iter().map(|offset| broken(path, line_of(text, offset), rule.clone())));
    }
    places
}

fn empty_names(file: &Source) -> Vec<Broken> {
    let rule = |name: &str| format!("a module `{name}` says nothing and grows for ever: name it by what it does");
    let own = file.path.trim_end_matches(".rs").trim_end_matches("/mod").rsplit('/').next().unwrap_or_default();
    let declared = file.modules.iter().map(|(name, line)| (name.as_str(), *line));
    let empty = std::iter::once((own, 1)).chain(declared).filter(|(name, _)| EMPTY_NAMES.contains(name));
    empty.map(|(name, line)| broken(&file.path, line, rule(name))).collect()
}

/// Whole-line comments that are too wide and can be wrapped: no table, no code, no single long
/// word.
fn wide_comments(path: &str, text: &str) -> Vec<Broken> {
    let mut places = Vec::new();
    let mut is_code = false;
    for (number, line) in text.lines().enumerate() {
        let Some(comment) = line.trim_start().strip_prefix("//") else { continue };
        let comment = comment.strip_prefix(['/', '!']).unwrap_or(comment);
        is_code ^= comment.trim_start().starts_with("```");
        let columns = line.chars().count();
        let is_kept = is_code || comment.starts_with("     ") || comment.trim_start().starts_with(['|', '#']);
        if columns > MAX_COMMENT_COLUMNS && !is_kept && pieces(comment) > 1 {
            let rule = format!("a comment of {columns} columns, at most {MAX_COMMENT_COLUMNS}: wrap it");
            places.push(broken(path, number + 1, rule));
        }
    }
    places
}

/// In how many pieces a line can be torn: at spaces, but not within `code`.
fn pieces(text: &str) -> usize {
    text.split('`').step_by(2).flat_map(|words| words.trim().split(' ')).filter(|word| word.len() > 1).count()
        + usize::from(text.contains('`'))
}

fn dialect(path: &str, text: &str) -> Vec<Broken> {
    let upper = text.to_ascii_uppercase();
    let mut places = Vec::new();
    for (word, why) in DIALECT {
        for offset in words(&upper, word) {
            let line = line_of(&upper, offset);
            // What a comment says about the other database is no statement.
            let before = upper[..offset].rsplit('\n').next().unwrap_or_default();
            if !before.contains("--") {
                places.push(broken(path, line, format!("`{word}` is not portable: {why}")));
            }
        }
    }
    places
}

fn not_ours(path: &str, text: &str) -> Vec<Broken> {
    let mut places = Vec::new();
    for (begin, end, what) in NOT_OURS {
        let name = format!("{begin}{end}");
        let rule = format!("`{name}` is {what}: it has no place in the project");
        // A folder of somebody's machine begins at its root: "a/work/b" is any folder.
        let begins = |at: &usize| {
            let before = text[..*at].chars().next_back();
            !name.starts_with('/') || !before.is_some_and(|c| c.is_alphanumeric() || "._-~/}".contains(c))
        };
        let offsets = text.match_indices(&name).map(|(at, _)| at).filter(begins);
        places.extend(offsets.map(|at| broken(path, line_of(text, at), rule.clone())));
    }
    places
}

/// The line of a byte offset, counted from 1.
fn line_of(text: &str, offset: usize) -> usize {
    text[..offset].matches('\n').count() + 1
}

/// Where a word stands that is no part of a longer one.
fn words(text: &str, word: &str) -> Vec<usize> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word)
        .map(|(at, _)| at)
        .filter(|at| !text[..*at].chars().next_back().is_some_and(is_word))
        .filter(|at| !word.ends_with(is_word) || !text[at + word.len()..].chars().next().is_some_and(is_word))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::source::source;
    use super::*;

    #[test]
    fn a_long_file_is_found_and_its_tests_do_not_count() {
        let lines = "fn a() {}\n".repeat(MAX_PRODUCTION_LINES);
        let too_long = |text: &str| too_long(&source("app/src/a.rs", text), MAX_PRODUCTION_LINES).map(|it| it.line);
        assert_eq!(too_long(&lines), None);
        assert_eq!(too_long(&format!("{lines}#[cfg(test)]\nmod tests {{\n{lines}}}\n")), None);
        assert_eq!(too_long(&format!("{lines}// a comment counts\n")), Some(401));
    }

    #[test]
    fn a_file_without_a_sentence_is_found() {
        assert!(no_sentence("a.rs", "//! Reads mail.\n\nuse b;").is_none());
        assert!(no_sentence("a.rs", "//! Reads mail, and\n//! sorts it.\n//!\n//! More").is_none());
        for bad in ["use b;", "// Reads mail.", "//! mail\n", "//!\n//! Reads mail.", "\n//! Reads mail."] {
            assert!(no_sentence("a.rs", bad).is_some(), "{bad:?}");
        }
    }

    #[test]
    fn what_is_left_for_later_is_found() {
        for (begin, end) in LEFT_FOR_LATER {
            assert_eq!(left_for_later("a.rs", &format!("\n    {begin}{end}(x)")).len(), 1, "{begin}{end}");
        }
        assert_eq!(left_for_later("a.rs", "mastodon!(); #[ignore = \"needs Node\"]"), []);
    }

    #[test]
    fn a_name_that_says_nothing_is_found() {
        let lines = |path, text| empty_names(&source(path, text)).into_iter().map(|it| it.line).collect::<Vec<_>>();
        assert_eq!(lines("app/src/utils.rs", ""), [1]);
        assert_eq!(lines("app/src/helpers/mod.rs", ""), [1]);
        assert_eq!(lines("app/src/lib.rs", "pub mod common;\nmod util {\n}\n// mod misc;"), [1, 2]);
        assert_eq!(lines("app/src/lib.rs", "pub mod commands;"), [0; 0]);
    }

    #[test]
    fn a_wide_comment_is_found_where_it_can_be_wrapped() {
        let wide = format!("/// {}", "word ".repeat(21));
        let found = |text: &str| wide_comments("a.rs", text).into_iter().map(|it| it.line).collect::<Vec<_>>();
        assert_eq!(found(&format!("\n    {}\n{wide}", wide.trim())), [2, 3]);
        let long = "x".repeat(100);
        let kept =
            format!("//! <https://{long}>.\n// `a {long} b`\n/// | {long} | b |\n/// ```\n/// a {long}\n/// ```");
        assert_eq!(found(&kept), [0; 0]);
        assert_eq!(found(&format!("let a = 1; // {long} {long}")), [0; 0]);
    }

    #[test]
    fn a_dialect_is_found() {
        let text = "CREATE TABLE a (id integer primary key autoincrement, -- serial in PostgreSQL\n  b boolean)";
        let lines: Vec<usize> = dialect("migrations/1.sql", text).into_iter().map(|place| place.line).collect();
        assert_eq!(lines, [1, 2]);
        assert_eq!(dialect("migrations/1.sql", "known_at_ms BIGINT, serial_number TEXT"), []);
    }

    #[test]
    fn somebodys_machine_is_found() {
        for (begin, end, _) in NOT_OURS {
            assert_eq!(not_ours("README.md", &format!("\nsee {begin}{end}x")).len(), 1, "{begin}{end}");
        }
        assert_eq!(not_ours("README.md", &format!("../{begin}{end}x", begin = "wo", end = "rk/")), []);
        assert_eq!(not_ours("README.md", &format!("{{folder}}{}{}x", NOT_OURS[0].0, NOT_OURS[0].1)), []);
    }
}
