//! Looking a report up in the mirror: revision, files, lines, culprit and blame, all in one go, blocking.

use crate::domain::alert::{Place, Snippet};
use crate::domain::attribution::{Attribution, Findings, verdict};
use crate::domain::blame::Blame;
use crate::domain::culprit::{Choice, Drift, FrameAt, Located, choose, frames_in_order};
use crate::domain::drift::stand;
use crate::domain::ids::RepositoryId;
use crate::domain::line::{Identity, squeeze};
use crate::domain::report::{Frame, Report};
use crate::domain::repository::Repository;
use crate::domain::rule::Rules;
use crate::mirror::{MirrorError, Mirrors};
use std::collections::BTreeMap;

/// Lines shown before and after the culprit.
const SNIPPET_AROUND: u32 = 4;
/// Candidates of one path whose text is compared; the best suffixes come first.
const CANDIDATES_READ: usize = 20;
/// A text shorter than this, squeezed, stands in too many files to recognise one by.
const TELLING_TEXT: usize = 4;

/// What an examination found.
#[derive(Debug)]
pub(super) struct Examined {
    pub(super) choice: Choice,
    pub(super) attribution: Attribution,
}

/// Examines a report. Without a mirror, or where nothing fits, the attribution is by text.
pub(super) fn examine(
    mirrors: Option<&Mirrors>,
    repository: &Repository,
    report: &Report,
    rules: &Rules,
    trouble: Option<&str>,
) -> Result<Examined, MirrorError> {
    let id = repository.id;
    let mirrors = mirrors.filter(|mirrors| mirrors.exists(id));
    let (revision, pinned) = match mirrors {
        Some(mirrors) => revision_of(mirrors, repository, report)?,
        None => (None, false),
    };
    let at = mirrors.zip(revision.as_deref());
    let located = match at {
        Some((mirrors, commit)) => locate_all(mirrors, id, commit, report, rules)?,
        None => BTreeMap::new(),
    };
    let choice = choose(report, &located, rules);
    let (culprit, passed, only_raises) = match &choice {
        Choice::Culprit { at, passed, only_raises, .. } => (Some(*at), passed.as_slice(), *only_raises),
        Choice::Nobody { passed } => (None, passed.as_slice(), false),
        Choice::Dropped(_) => (None, [].as_slice(), false),
    };
    let found = culprit.and_then(|at| located.get(&at));
    let blame = match (at, found) {
        (Some((mirrors, commit)), Some(found)) if found.drift != Drift::Differs => {
            mirrors.blame(id, commit, &found.path, found.line)?
        }
        _ => None,
    };
    let unknown = (blame.is_none() && found.is_some_and(|found| found.drift != Drift::Differs))
        .then_some("Git could not say who wrote this line, so it is known by its text.");
    let words = verdict(&Findings {
        report,
        revision: revision.as_deref(),
        pinned,
        branch: repository.default_branch.as_deref(),
        located: &located,
        culprit,
        passed,
        only_raises,
        blame: blame.as_ref(),
        trouble: trouble.or(unknown),
    });
    let place = place_of(report, culprit, found);
    let identity = identity_of(report, &place, blame.as_ref());
    let snippet = match (at, found) {
        (Some((mirrors, commit)), Some(found)) => snippet_of(mirrors, id, commit, found)?,
        _ => Snippet::default(),
    };
    let attribution = Attribution {
        identity,
        place,
        revision,
        pinned,
        culprit,
        located,
        blame,
        snippet,
        function_lines: None,
        verdict: words,
    };
    Ok(Examined { choice, attribution })
}

/// The commit that ran: the report's own where it names one, else the default branch's head.
fn revision_of(
    mirrors: &Mirrors,
    repository: &Repository,
    report: &Report,
) -> Result<(Option<String>, bool), MirrorError> {
    for name in [&report.revision, &report.release].into_iter().flatten() {
        if let Some(commit) = mirrors.resolve(repository.id, name)? {
            return Ok((Some(commit), true));
        }
    }
    Ok((mirrors.head(repository.id)?.map(|head| head.commit), false))
}

/// Finds the frames that are in the repository. Equal frames (recursion) are looked up once.
fn locate_all(
    mirrors: &Mirrors,
    id: RepositoryId,
    commit: &str,
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
                let found = locate(mirrors, id, commit, frame, rules)?;
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

/// Finds one frame's file and line. The text decides between files that end alike, and whether a weak match is one.
fn locate(
    mirrors: &Mirrors,
    id: RepositoryId,
    commit: &str,
    frame: &Frame,
    rules: &Rules,
) -> Result<Option<Located>, MirrorError> {
    // `<string>`, `<anonymous>` and the like name no file, and the client's text for them is wrong.
    let names = [frame.abs_path.as_deref(), frame.filename.as_deref()];
    if names.iter().flatten().any(|name| base_name(name).starts_with('<')) || frame.line.is_none() {
        return Ok(None);
    }
    let mut best: Option<(u32, Located)> = None;
    for path in names.into_iter().flatten().filter(|path| !path.is_empty()) {
        let mapped = mapped(path, rules);
        let foreign = mapped.is_none() && is_foreign(path, rules);
        let tail = if foreign { package_tail(path, rules) } else { path };
        let candidates = match &mapped {
            Some(path) => mirrors.candidates(id, commit, path)?.into_iter().filter(|found| found.whole).collect(),
            None => mirrors.candidates(id, commit, tail)?,
        };
        for candidate in candidates.into_iter().take(CANDIDATES_READ) {
            let Some(lines) = mirrors.lines(id, commit, &candidate.path)? else { continue };
            let Some(stand) = stand(&lines, frame) else { continue };
            let text_agrees = matches!(stand.drift, Drift::None | Drift::Moved)
                && squeeze(frame.context_line.as_deref().unwrap_or("")).len() >= TELLING_TEXT;
            let components = u32::try_from(candidate.matched_components).unwrap_or(u32::MAX);
            // A file in the root has a name that many files elsewhere have: its text must not speak against it.
            let strong = components >= 2 || (candidate.whole && stand.drift != Drift::Differs);
            if !(text_agrees || (strong && !foreign)) {
                continue;
            }
            let score = stand.score * 16 + components.min(15);
            if best.as_ref().is_none_or(|(before, _)| score > *before) {
                let code = (stand.line as usize)
                    .checked_sub(1)
                    .and_then(|index| lines.get(index))
                    .filter(|_| stand.drift != Drift::Differs)
                    .cloned()
                    .or_else(|| frame.context_line.clone())
                    .unwrap_or_default();
                let drift = stand.drift;
                best = Some((score, Located { path: candidate.path, line: stand.line, code, drift }));
            }
        }
        if best.is_some() {
            break;
        }
    }
    Ok(best.map(|(_, located)| located))
}

/// The path that the repository's own `path_mappings` give.
fn mapped(path: &str, rules: &Rules) -> Option<String> {
    rules
        .settings
        .path_mappings
        .iter()
        .find_map(|mapping| Some(format!("{}{}", mapping.to, path.strip_prefix(&mapping.from)?)))
}

/// Code that was not deployed from the repository: an installed package or the language's own library. It is ours only
/// where its text says so (an application that was installed as a package).
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

fn place_of(report: &Report, culprit: Option<FrameAt>, found: Option<&Located>) -> Place {
    if let (Some(at), Some(found)) = (culprit, found) {
        let frame = &report.exceptions[at.0].frames[at.1];
        let code = frame.context_line.as_deref().filter(|text| !text.trim().is_empty()).unwrap_or(&found.code);
        return Place {
            path: found.path.clone(),
            function: frame.function_name().to_owned(),
            line: found.line,
            code: code.trim().to_owned(),
        };
    }
    // Nobody can be blamed: the place is where it was raised, as the client names it.
    let innermost = frames_in_order(report).first().map(|at| &report.exceptions[at.0].frames[at.1]);
    match innermost {
        Some(frame) => Place {
            path: frame.path().unwrap_or("?").to_owned(),
            function: frame.function_name().to_owned(),
            line: frame.line.unwrap_or(0),
            code: frame.context_line.as_deref().unwrap_or("").trim().to_owned(),
        },
        None => Place {
            path: report
                .logger
                .clone()
                .or_else(|| report.transaction.clone())
                .unwrap_or_else(|| "(no traceback)".to_owned()),
            function: "?".to_owned(),
            line: 0,
            code: String::new(),
        },
    }
}

fn identity_of(report: &Report, place: &Place, blame: Option<&Blame>) -> Identity {
    if let Some(blame) = blame {
        return Identity::of_blame(blame);
    }
    if place.code.is_empty() {
        // Without a text, the exception's type and what is constant of its message stand for it.
        return Identity::of_text(&place.path, &place.function, &constant_part(&report.headline()));
    }
    Identity::of_text(&place.path, &place.function, &place.code)
}

/// A message with its digits and quoted parts taken out: ids and values make every message another one.
fn constant_part(headline: &str) -> String {
    let mut out = String::with_capacity(headline.len());
    let mut quote = None;
    for c in headline.chars() {
        match quote {
            Some(open) if c == open => quote = None,
            Some(_) => {}
            None if c == '\'' || c == '"' => quote = Some(c),
            None if c.is_ascii_digit() => out.push('0'),
            None => out.push(c),
        }
    }
    while out.contains("00") {
        out = out.replace("00", "0");
    }
    out
}

fn snippet_of(mirrors: &Mirrors, id: RepositoryId, commit: &str, found: &Located) -> Result<Snippet, MirrorError> {
    let Some(lines) = mirrors.lines(id, commit, &found.path)? else { return Ok(Snippet::default()) };
    if found.line == 0 || found.drift == Drift::Differs {
        return Ok(Snippet::default());
    }
    let first = found.line.saturating_sub(SNIPPET_AROUND).max(1);
    let last = (found.line + SNIPPET_AROUND).min(u32::try_from(lines.len()).unwrap_or(u32::MAX));
    let texts = lines.get(first as usize - 1..last as usize).unwrap_or_default();
    Ok(Snippet { first, lines: texts.to_vec() })
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

    #[test]
    fn messages_are_compared_without_their_values() {
        assert_eq!(constant_part("Timeout: job 1234 of 'ada'"), constant_part("Timeout: job 9 of 'bob'"));
        assert_ne!(constant_part("Timeout: job 1"), constant_part("Refused: job 1"));
    }
}
