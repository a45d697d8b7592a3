//! The places that exceptions name themselves (a template's line, code that did not compile), where
//! they are in the repository.

use super::evidence::MirrorCommit;
use domain::culprit::{FrameAt, Located};
use domain::drift::Drift;
use domain::frame_names::parts_of;
use domain::report::{Exception, Frame, Report};
use domain::rule::Rules;
use mirror::{MirrorError, Search};
use std::collections::BTreeMap;

/// Finds each place that an exception names and that one file of the repository fits, by its path
/// or by a name that no other file has. There is no text to go by, so nothing less will do; what is
/// not found is as if it had not been named.
pub(super) fn locate_named(
    at: MirrorCommit<'_>,
    report: &Report,
    rules: &Rules,
    located: &mut BTreeMap<FrameAt, Located>,
) -> Result<(), MirrorError> {
    for (index, exception) in report.exceptions.iter().enumerate() {
        for (place, frame) in exception.frames.iter().enumerate().filter(|(_, frame)| frame.is_named) {
            let found = if is_imported(exception, frame) { locate(at, frame, rules)? } else { None };
            match found {
                Some(found) => drop(located.insert((index, place), found)),
                None => drop(located.remove(&(index, place))),
            }
        }
    }
    Ok(())
}

fn locate(at: MirrorCommit<'_>, frame: &Frame, rules: &Rules) -> Result<Option<Located>, MirrorError> {
    let (Some(path), Some(line)) = (frame.path(), frame.line) else { return Ok(None) };
    if rules.in_package_directory(path) {
        return Ok(None);
    }
    let candidates = at.mirrors.candidates(at.id, at.commit, &parts_of(path), Search::default())?;
    let is_clear = match candidates.as_slice() {
        [] => false,
        [_] => true,
        [best, next, ..] => best.matched_components > next.matched_components || (best.whole && !next.whole),
    };
    let Some(best) = candidates.into_iter().next().filter(|_| is_clear) else { return Ok(None) };
    let Some(lines) = at.lines(&best.path)? else { return Ok(None) };
    let code = (line as usize).checked_sub(1).and_then(|index| lines.get(index)).cloned();
    Ok(code.map(|code| Located { path: best.path, line, code, drift: Drift::Unchecked }))
}

/// Whether the innermost call leads to the file: CPython names only the base name of what it could
/// not compile, and the line that imports it says its module.
fn is_imported(exception: &Exception, named: &Frame) -> bool {
    let path = named.path().unwrap_or_default();
    let Some(module) = path.strip_suffix(".py").filter(|module| !module.contains('/')) else { return true };
    let innermost = exception.frames.iter().rev().find(|frame| !frame.is_named);
    let code = innermost.and_then(|frame| frame.context_line.as_deref()).unwrap_or_default().trim_start();
    let imports = code.starts_with("import ") || code.starts_with("from ");
    !imports || code.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == module)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_imported_is_the_file_that_is_named() {
        let named = |path: &str| Frame { filename: Some(path.to_owned()), is_named: true, ..Frame::default() };
        let after = |code: &str, path: &str| {
            let call = Frame { context_line: Some(code.to_owned()), ..Frame::default() };
            let exception = Exception { frames: vec![call, named(path)], ..Exception::default() };
            is_imported(&exception, &named(path))
        };
        assert!(after("from shop import cart", "cart.py"));
        assert!(after("    import shop.cart as c", "cart.py"));
        assert!(!after("import requests", "cart.py"), "a library's own file of that name");
        assert!(after("load(module)", "cart.py"));
        assert!(after("import requests", "/srv/shop/cart.py"), "the path says it");
        assert!(after("import requests", "cart.html"));
    }
}
