//! Reading on where the frames end: the constructor or the signature that an exception speaks
//! of.

use super::evidence::Evidence;
use domain::blame::Blame;
use domain::elsewhere::{Wanted, wanted};
use domain::heuristic::Heuristic;
use domain::report::Exception;
use domain::rule::Rules;
use domain::source::{Block, LineFacts};
use domain::suspects::{Suspect, SuspectedBy};
use mirror::MirrorError;

/// A name that is defined more often than this is ambiguous.
const DEFINITIONS: usize = 3;

/// A definition longer than this is not read for its latest change: it changes for many reasons.
const LONGEST_DEFINITION: u32 = 300;

/// What is to be read on from.
pub(super) struct Start<'a> {
    pub(super) exception: &'a Exception,
    /// The culprit's line.
    pub(super) facts: &'a LineFacts,
    /// Who wrote the culprit's line.
    pub(super) blame: Option<&'a Blame>,
    /// Frames were stepped over: the culprit's call is not the one that did not fit.
    pub(super) stepped: bool,
    /// Files of the located frames, the culprit's first: what is meant is mostly in one of them.
    pub(super) paths: &'a [&'a str],
    pub(super) rules: &'a Rules,
}

/// The place outside of the frames that is more to blame than the culprit's line, if there is one.
pub(super) fn elsewhere(reading: Evidence<'_>, start: &Start<'_>) -> Result<Option<Suspect>, MirrorError> {
    match wanted(start.exception, start.facts) {
        Some(Wanted::Constructor { class, field }) if start.rules.uses(Heuristic::Constructor) => {
            constructor(reading, start, &class, &field)
        }
        Some(Wanted::Signature { name }) if start.rules.uses(Heuristic::Signature) && !start.stepped => {
            signature(reading, start, &name)
        }
        _ => Ok(None),
    }
}

/// The class's own constructor: the line that sets the field too late, else its last line. To be
/// told of it is who wrote the line that asks for the field: the constructor was there before, and
/// whole.
fn constructor(
    reading: Evidence<'_>,
    start: &Start<'_>,
    class: &str,
    field: &str,
) -> Result<Option<Suspect>, MirrorError> {
    let own = |block: &Block| block.is_class && block.name == class;
    let Some((path, class)) =
        definitions(reading, start.rules, start.paths, &format!("class {class}"), &own)?.into_iter().next()
    else {
        return Ok(None);
    };
    let name = format!("{}.__init__", class.qualified);
    let found = reading.read(&path, |source| {
        let Some(constructor) = source.blocks().iter().find(|block| block.qualified == name) else { return Ok(None) };
        let line = source.field_set(constructor, field)?.first().copied().unwrap_or(constructor.end);
        Ok(Some((constructor.clone(), line)))
    })?;
    let Some((constructor, line)) = found.flatten() else { return Ok(None) };
    let function_lines = Some((constructor.start, constructor.end));
    let (function, blame) = (constructor.qualified, start.blame.cloned());
    Ok(Some(Suspect { path, line, function, frame: None, function_lines, blame, rule: SuspectedBy::Constructor }))
}

/// The definition of what was called, at its latest change, if that is later than the call's.
fn signature(reading: Evidence<'_>, start: &Start<'_>, name: &str) -> Result<Option<Suspect>, MirrorError> {
    let Some(called) = start.blame else { return Ok(None) };
    let Some((path, mut block)) = definition(reading, start.rules, start.paths, name)? else { return Ok(None) };
    if block.is_class {
        let name = format!("{}.__init__", block.qualified);
        block = reading.blocks(&path)?.into_iter().find(|block| block.qualified == name).unwrap_or(block);
    }
    if block.length() > LONGEST_DEFINITION {
        return Ok(None);
    }
    let origins = reading.blame_lines(&path, block.start..=block.end)?;
    // Of several lines that one commit changed, the first: it is the nearest to the signature.
    let latest = origins.into_iter().max_by_key(|(line, blame)| (blame.changed_at(), std::cmp::Reverse(*line)));
    let later = latest.filter(|(_, blame)| blame.changed_at() > called.changed_at());
    let function_lines = Some((block.start, block.end));
    let function = block.qualified;
    Ok(later.map(|(line, blame)| Suspect {
        path,
        line,
        function,
        frame: None,
        function_lines,
        blame: Some(blame),
        rule: SuspectedBy::Signature,
    }))
}

/// What a call by this name means, where that is clear.
fn definition(
    reading: Evidence<'_>,
    rules: &Rules,
    paths: &[&str],
    name: &str,
) -> Result<Option<(String, Block)>, MirrorError> {
    let near = definitions(reading, rules, paths, "", &|block| block.name == name)?;
    if !near.is_empty() {
        let is_clear = near.len() <= DEFINITIONS;
        return Ok(near.into_iter().next().filter(|_| is_clear));
    }
    // Far from the call, a method of that name may be any object's: only what stands by itself is
    // meant.
    let alone = |block: &Block| block.name == name && block.qualified == name;
    let mut far = Vec::new();
    for keyword in ["class", "def"] {
        far.extend(definitions(reading, rules, paths, &format!("{keyword} {name}"), &alone)?);
    }
    Ok(far.pop().filter(|_| far.is_empty()))
}

/// Where a name is defined: in the files given, else anywhere in files of the same language that
/// contain `needle`, if that says something. Tests are left out: what is defined there was not
/// deployed.
fn definitions(
    reading: Evidence<'_>,
    rules: &Rules,
    paths: &[&str],
    needle: &str,
    wanted: &dyn Fn(&Block) -> bool,
) -> Result<Vec<(String, Block)>, MirrorError> {
    let mut found = Vec::new();
    for path in paths {
        found.extend(matching(reading, rules, path, wanted)?);
    }
    let ending = paths.first().and_then(|path| Some(format!(".{}", path.rsplit_once('.')?.1)));
    let Some(ending) = ending.filter(|_| found.is_empty() && !needle.is_empty()) else { return Ok(found) };
    for path in reading.containing(&ending, needle)? {
        if !is_test(&path) && !paths.contains(&path.as_str()) {
            found.extend(matching(reading, rules, &path, wanted)?);
        }
    }
    Ok(found)
}

fn matching(
    reading: Evidence<'_>,
    rules: &Rules,
    path: &str,
    wanted: &dyn Fn(&Block) -> bool,
) -> Result<Vec<(String, Block)>, MirrorError> {
    // What others or a program wrote is not to be mended there.
    if reading.not_ours(path, rules)?.is_some() {
        return Ok(Vec::new());
    }
    Ok(reading.blocks(path)?.into_iter().filter(|block| wanted(block)).map(|block| (path.to_owned(), block)).collect())
}

fn is_test(path: &str) -> bool {
    path.split('/').any(|part| matches!(part, "test" | "tests" | "testing") || part.starts_with("test_"))
}
