//! Files of a repository that anybody may have written: settings, code owners, expressions, source.

use domain::codeowners::owners_of;
use domain::path_expression::anchored;
use source::{Source, Work};

/// The languages that are read, by the first byte.
const FILES: [&str; 8] = ["a.py", "a.js", "a.ts", "a.tsx", "a.rb", "a.go", "A.java", "a.rs"];
/// Lines that are asked about of one file.
const MOST_ASKED: usize = 12;

/// Settings that are read say the same when they are read again; those that are refused, say why.
pub(super) fn settings(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match mirror::settings::parse(text) {
        Ok(settings) => {
            assert_eq!(Some(&settings), mirror::settings::parse(text).ok().as_ref(), "they are read otherwise");
            assert!(settings.faults().is_empty(), "settings with faults were taken: {:?}", settings.faults());
        }
        Err(error) => assert!(error.faults().count() > 0, "refused without a reason"),
    }
}

/// The first line is a path; the owners are those of a line that is there.
pub(super) fn codeowners(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (path, text) = text.split_once('\n').unwrap_or((&text, ""));
    if let Ok(Some(owned)) = owners_of(text, path) {
        assert!((1..=text.lines().count()).contains(&owned.line), "line {} of {}", owned.line, text.lines().count());
    }
}

/// The first line is an expression, the others are paths. One that compiles gives an answer or says
/// that it is too much work.
pub(super) fn path_expression(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut lines = text.lines();
    let Ok(expression) = anchored(lines.next().unwrap_or_default()) else { return };
    for path in lines.take(MOST_ASKED) {
        let _ = expression.is_match(path);
    }
}

/// The first byte is the language. Functions are within the file, and so are the lines that are
/// asked about.
pub(super) fn source(data: &[u8]) {
    let Some((first, text)) = data.split_first() else { return };
    let text = String::from_utf8_lossy(text);
    let work = Work::default();
    let Ok(source) = Source::parse(FILES[usize::from(*first) % FILES.len()], &text, &work) else { return };
    let lines = text.split('\n').count();
    for block in source.blocks() {
        assert!(block.start >= 1 && block.start <= block.end, "{block:?}");
        assert!(block.end as usize <= lines, "{block:?} of {lines} lines");
    }
    for line in (0..=lines + 1).take(MOST_ASKED) {
        let line = u32::try_from(line).unwrap();
        let _ = source.line(line);
        if let Some(block) = source.function_at(line) {
            assert!((block.start..=block.end).contains(&line), "line {line} is not in {block:?}");
        }
    }
}
