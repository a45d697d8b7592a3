//! Finding the frames of a report in a commit: which file of the repository each is in, and at
//! which line.

use super::evidence::MirrorCommit;
use domain::culprit::{FrameAt, Located, frames_in_order};
use domain::drift::Drift;
use domain::drift::{Stand, stand};
use domain::identity::squeeze;
use domain::report::{Frame, Report};
use domain::rule::Rules;
use mirror::{Candidate, MirrorError};
use std::collections::BTreeMap;

/// Candidates of one path whose text is compared; the best suffixes come first.
const CANDIDATES_READ: usize = 20;
/// A text shorter than this, squeezed, stands in too many files to recognise one by.
const TELLING_TEXT: usize = 4;

/// Finds the frames that are in the repository. Equal frames (recursion) are looked up once.
pub(super) fn locate_frames(
    reading: MirrorCommit<'_>,
    report: &Report,
    rules: &Rules,
) -> Result<BTreeMap<FrameAt, Located>, MirrorError> {
    let mut located = BTreeMap::new();
    let mut seen: BTreeMap<(&str, Option<u32>, &str), Option<Located>> = BTreeMap::new();
    for at in frames_in_order(report) {
        let frame = &report.exceptions[at.0].frames[at.1];
        let Some(path) = frame.path() else { continue };
        let key = (path, frame.line, frame.context_line.as_deref().unwrap_or(""));
        let found = match seen.get(&key) {
            Some(found) => found.clone(),
            None => {
                let found = locate(reading, frame, rules)?;
                seen.insert(key, found.clone());
                found
            }
        };
        if let Some(found) = found {
            located.insert(at, found);
        }
    }
    Ok(located)
}

/// Finds one frame's file and line. The text decides between files that end alike, and whether a
/// weak match is one.
fn locate(at: MirrorCommit<'_>, frame: &Frame, rules: &Rules) -> Result<Option<Located>, MirrorError> {
    // `<string>`, `<anonymous>` and the like name no file, and the client's text for them is wrong.
    let names = [frame.abs_path.as_deref(), frame.filename.as_deref()];
    if names.iter().flatten().any(|name| base_name(name).starts_with('<')) || frame.line.is_none() {
        return Ok(None);
    }
    for path in names.into_iter().flatten().filter(|path| !path.is_empty()) {
        let found = locate_path(at, frame, path, rules)?;
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

/// The file that fits one name of a frame's best.
fn locate_path(at: MirrorCommit<'_>, frame: &Frame, path: &str, rules: &Rules) -> Result<Option<Located>, MirrorError> {
    let mapped = mapped(path, rules);
    let foreign = mapped.is_none() && is_foreign(path, rules);
    let mut best: Option<(u32, Located)> = None;
    for candidate in candidates(at, path, mapped, foreign, rules)?.into_iter().take(CANDIDATES_READ) {
        let Some(lines) = at.lines(&candidate.path)? else { continue };
        let Some(stand) = stand(&lines, frame) else { continue };
        let components = u32::try_from(candidate.matched_components).unwrap_or(u32::MAX);
        // A file in the root has a name that many files elsewhere have: its text must not speak
        // against it.
        let strong = components >= 2 || (candidate.whole && stand.drift != Drift::Differs);
        if !(text_agrees(&stand, frame) || (strong && !foreign)) {
            continue;
        }
        let score = stand.score * 16 + components.min(15);
        if best.as_ref().is_none_or(|(before, _)| score > *before) {
            best = Some((score, located(candidate.path, &lines, stand, frame)));
        }
    }
    Ok(best.map(|(_, located)| located))
}

/// Files that may be the one of a path, the best suffixes first.
fn candidates(
    at: MirrorCommit<'_>,
    path: &str,
    mapped: Option<String>,
    foreign: bool,
    rules: &Rules,
) -> Result<Vec<Candidate>, MirrorError> {
    let tail = if foreign { package_tail(path, rules) } else { path };
    let mut found = at.mirrors.candidates(at.id, at.commit, mapped.as_deref().unwrap_or(tail))?;
    found.retain(|candidate| mapped.is_none() || candidate.whole);
    Ok(found)
}

fn text_agrees(stand: &Stand, frame: &Frame) -> bool {
    matches!(stand.drift, Drift::None | Drift::Moved)
        && squeeze(frame.context_line.as_deref().unwrap_or("")).len() >= TELLING_TEXT
}

fn located(path: String, lines: &[String], stand: Stand, frame: &Frame) -> Located {
    let index = (stand.line as usize).checked_sub(1).filter(|_| stand.drift != Drift::Differs);
    let text = index.and_then(|index| lines.get(index)).cloned();
    let code = text.or_else(|| frame.context_line.clone()).unwrap_or_default();
    Located { path, line: stand.line, code, drift: stand.drift }
}

/// The path that the repository's own `path_mappings` give.
fn mapped(path: &str, rules: &Rules) -> Option<String> {
    rules
        .settings
        .path_mappings
        .iter()
        .find_map(|mapping| Some(format!("{}{}", mapping.to, path.strip_prefix(&mapping.from)?)))
}

/// Code that was not deployed from the repository: an installed package or the language's own
/// library. It is ours only where its text says so (an application that was installed as a
/// package).
fn is_foreign(path: &str, rules: &Rules) -> bool {
    rules.in_package_directory(path)
        || path.starts_with("/rustc/")
        || path.starts_with("node:")
        || path.split('/').any(|part| {
            part.strip_prefix("python").is_some_and(|version| version.starts_with(|c: char| c.is_ascii_digit()))
        })
}

/// What follows the package directory: `requests/api.py`.
fn package_tail<'a>(path: &'a str, rules: &Rules) -> &'a str {
    rules
        .settings
        .report_runtime_package_directory_names
        .iter()
        .filter_map(|name| path.rsplit_once(&format!("/{}/", name.trim_matches('/'))))
        .map(|(_, tail)| tail)
        .min_by_key(|tail| tail.len())
        .unwrap_or(path)
}

fn base_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_code_is_recognised_by_where_it_is() {
        let rules = Rules::default();
        assert!(is_foreign("/usr/lib/python3.11/json/decoder.py", &rules));
        assert!(is_foreign("/srv/venv/lib/python3.11/site-packages/requests/api.py", &rules));
        assert!(!is_foreign("/srv/app/shop/cart.py", &rules));
        let tail = package_tail("/srv/venv/lib/python3.11/site-packages/requests/api.py", &rules);
        assert_eq!(tail, "requests/api.py");
    }
}
