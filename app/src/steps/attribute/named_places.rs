//! The places that exceptions name themselves (a template's line, code that did not compile), where
//! they are in the repository.

use super::evidence::MirrorCommit;
use domain::culprit::{FrameAt, Located};
use domain::drift::Drift;
use domain::frame_names::{names_of, parts_of};
use domain::report::{Exception, Frame, Platform, Report};
use domain::rule::Rules;
use mirror::{Candidate, MirrorError, Search};
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
            let is_ours = |innermost: usize| {
                let path = exception.frames[innermost].path().unwrap_or_default();
                located.contains_key(&(index, innermost)) && !rules.in_package_directory(path)
            };
            let is_imported = is_imported(exception, frame, is_ours);
            let found = if is_imported { locate(at, frame, report.platform, rules)? } else { None };
            match found {
                Some(found) => drop(located.insert((index, place), found)),
                None => drop(located.remove(&(index, place))),
            }
        }
    }
    Ok(())
}

fn locate(
    at: MirrorCommit<'_>,
    frame: &Frame,
    platform: Platform,
    rules: &Rules,
) -> Result<Option<Located>, MirrorError> {
    let (Some(path), Some(line)) = (frame.path(), frame.line) else { return Ok(None) };
    let names = names_of(frame, platform, None);
    if rules.in_package_directory(path) || names.is_foreign || is_temporary(path) {
        return Ok(None);
    }
    let candidates = at.mirrors.candidates(at.id, at.commit, &parts_of(path), Search::default())?;
    let is_clear = match candidates.as_slice() {
        [] => false,
        [best] => says_enough(path, best),
        [best, next, ..] => {
            says_enough(path, best)
                && (best.matched_components > next.matched_components || (best.whole && !next.whole))
        }
    };
    let Some(best) = candidates.into_iter().next().filter(|_| is_clear) else { return Ok(None) };
    let Some(lines) = at.lines(&best.path)? else { return Ok(None) };
    let code = (line as usize).checked_sub(1).and_then(|index| lines.get(index)).cloned();
    Ok(code.map(|code| Located { path: best.path, line, code, drift: Drift::Unchecked }))
}

/// Folders of what is made or received while a program runs.
const TEMPORARY: [&str; 7] = [
    "/tmp/",
    "/var/tmp/",
    "/private/tmp/",
    "/var/folders/",
    "/private/var/folders/",
    "/dev/shm/",
    "/AppData/Local/Temp/",
];

/// Whether a path is of a temporary file, such as an upload, which no repository has.
fn is_temporary(path: &str) -> bool {
    let path = path.replace('\\', "/");
    TEMPORARY.iter().any(|folder| {
        let is_anywhere = folder.starts_with("/AppData");
        path.starts_with(folder) || (is_anywhere && path.contains(folder))
    })
}

/// Whether a file of the repository has enough in common with a path: an absolute one says where
/// the file is, so its name alone is not enough.
fn says_enough(path: &str, candidate: &Candidate) -> bool {
    let is_absolute = path.starts_with(['/', '\\'])
        || path.contains("://")
        || path.get(1..3).is_some_and(|it| matches!(it, ":\\" | ":/"));
    !is_absolute || candidate.whole || candidate.matched_components > 1
}

/// Whether the innermost call leads to the file: CPython names only the base name of what it could
/// not compile. Code of the repository imports it, and the line that does says its module; what a
/// package imports is its own.
fn is_imported(exception: &Exception, named: &Frame, is_ours: impl Fn(usize) -> bool) -> bool {
    let path = named.path().unwrap_or_default();
    let Some(module) = path.strip_suffix(".py").filter(|module| !module.contains(['/', '\\'])) else { return true };
    let is_importer = |frame: &Frame| {
        frame
            .path()
            .is_some_and(|path| path.starts_with("<frozen importlib") || path.ends_with("importlib/__init__.py"))
    };
    let innermost = exception.frames.iter().enumerate().rev().find(|(_, frame)| !frame.is_named && !is_importer(frame));
    // A report without any frame is all that there is.
    let Some((innermost, call)) = innermost else { return true };
    let code = call.context_line.as_deref().unwrap_or_default().trim_start();
    let imports = code.starts_with("import ") || code.starts_with("from ");
    let says_module = || code.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == module);
    is_ours(innermost) && (!imports || says_module())
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
            is_imported(&exception, &named(path), |_| true)
        };
        assert!(after("from shop import cart", "cart.py"));
        assert!(after("    import shop.cart as c", "cart.py"));
        assert!(!after("import requests", "cart.py"), "a library's own file of that name");
        assert!(after("load(module)", "cart.py"));
        assert!(after("import requests", "/srv/shop/cart.py"), "the path says it");
        assert!(after("import requests", "cart.html"));
    }

    #[test]
    fn what_a_package_imports_is_its_own() {
        let named = Frame { filename: Some("cart.py".to_owned()), is_named: true, ..Frame::default() };
        let call = |path: &str| Frame { filename: Some(path.to_owned()), ..Frame::default() };
        let frames = |paths: &[&str]| paths.iter().map(|path| call(path)).chain([named.clone()]).collect();
        let is_imported = |paths: &[&str]| {
            let exception = Exception { frames: frames(paths), ..Exception::default() };
            let is_ours = |at: usize| exception.frames[at].path().is_some_and(|path| path.starts_with("shop/"));
            is_imported(&exception, &named, is_ours)
        };
        assert!(is_imported(&["shop/app.py"]));
        assert!(is_imported(&[
            "shop/app.py",
            "/usr/lib/python3.12/importlib/__init__.py",
            "<frozen importlib._bootstrap>"
        ]));
        assert!(!is_imported(&["shop/app.py", "/venv/site-packages/plug/load.py"]));
        assert!(!is_imported(&["shop/app.py", "/usr/lib/python3.12/runpy.py"]));
        assert!(is_imported(&[]));
    }

    #[test]
    fn an_absolute_path_needs_more_than_its_name() {
        let of = |matched_components: usize, whole: bool| Candidate {
            path: "config/shop.yml".to_owned(),
            matched_components,
            whole,
            shown_as: None,
        };
        for path in ["/etc/shop.yml", "C:\\shop\\shop.yml", "C:/shop/shop.yml"] {
            assert!(!says_enough(path, &of(1, false)), "{path}");
            assert!(says_enough(path, &of(2, false)) && says_enough(path, &of(1, true)), "{path}");
        }
        assert!(says_enough("shop.yml", &of(1, false)));
        for path in ["/tmp/up/config/shop.yml", "/var/tmp/shop.yml", "C:\\Users\\ada\\AppData\\Local\\Temp\\shop.yml"] {
            assert!(is_temporary(path), "{path}");
        }
        assert!(!is_temporary("/srv/shop/tmp/shop.yml") && !is_temporary("tmp/shop.yml"));
    }
}
