//! Reading on where the frames end: the constructor or the signature that an exception speaks of.

use super::reading::Evidence;
use crate::code::Source;
use crate::domain::blame::Blame;
use crate::domain::elsewhere::{Wanted, wanted};
use crate::domain::heuristic::Heuristic;
use crate::domain::report::Exception;
use crate::domain::rule::Rules;
use crate::domain::source::{Block, LineFacts};
use crate::domain::suspects::{Rule, Suspect, changed_ms};
use crate::mirror::MirrorError;
use std::collections::BTreeMap;

/// A name that is defined more often than this is anybody's.
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
    /// Files of the located frames, the culprit's first: what is meant is mostly in one of them.
    pub(super) paths: &'a [&'a str],
    pub(super) rules: &'a Rules,
}

/// The place outside of the frames that is more to blame than the culprit's line, if there is one.
pub(super) fn elsewhere(reading: Evidence<'_>, start: &Start<'_>) -> Result<Option<Suspect>, MirrorError> {
    match wanted(start.exception, start.facts) {
        Some(Wanted::Constructor { class, field }) if start.rules.uses(Heuristic::Constructor) => constructor(reading, start, &class, &field),
        Some(Wanted::Signature { name }) if start.rules.uses(Heuristic::Signature) => signature(reading, start, &name),
        _ => Ok(None),
    }
}

/// The class's own constructor: the line that sets the field too late, else the last line of those that forgot it.
fn constructor(
    reading: Evidence<'_>,
    start: &Start<'_>,
    class: &str,
    field: &str,
) -> Result<Option<Suspect>, MirrorError> {
    let own = |block: &Block| block.is_class && block.name == class;
    let Some((path, class)) = definitions(reading, start.paths, class, &own)?.into_iter().next() else {
        return Ok(None);
    };
    let Some(text) = reading.text(&path)? else { return Ok(None) };
    let Some(source) = Source::parse(&path, &text) else { return Ok(None) };
    let name = format!("{}.__init__", class.qualified);
    let Some(constructor) = source.blocks().into_iter().find(|block| block.qualified == name) else {
        return Ok(None);
    };
    let line = source.field_set(&constructor, field).first().copied().unwrap_or(constructor.end);
    let blame = reading.blame(&path, line)?;
    let function_lines = Some((constructor.start, constructor.end));
    let function = constructor.qualified;
    Ok(Some(Suspect { path, line, function, frame: None, function_lines, blame, rule: Rule::Constructor }))
}

/// The definition of what was called, at its latest change, if that is later than the call's.
fn signature(reading: Evidence<'_>, start: &Start<'_>, name: &str) -> Result<Option<Suspect>, MirrorError> {
    let Some(called) = start.blame else { return Ok(None) };
    let found = definitions(reading, start.paths, name, &|block| block.name == name)?;
    if found.len() > DEFINITIONS {
        return Ok(None);
    }
    let Some((path, mut block)) = found.into_iter().next() else { return Ok(None) };
    if block.is_class {
        let name = format!("{}.__init__", block.qualified);
        block = reading.blocks(&path)?.into_iter().find(|block| block.qualified == name).unwrap_or(block);
    }
    if block.length() > LONGEST_DEFINITION {
        return Ok(None);
    }
    let origins = reading.blame_lines(&path, block.start..=block.end)?;
    // Of several lines that one commit changed, the first: it is the nearest to the signature.
    let latest = origins.into_iter().max_by_key(|(line, blame)| (changed_ms(blame), std::cmp::Reverse(*line)));
    let later = latest.filter(|(_, blame)| changed_ms(blame) > changed_ms(called));
    let function_lines = Some((block.start, block.end));
    let function = block.qualified;
    Ok(later.map(|(line, blame)| Suspect {
        path,
        line,
        function,
        frame: None,
        function_lines,
        blame: Some(blame),
        rule: Rule::Signature,
    }))
}

/// Where a name is defined: in the files given, else anywhere in files of the same language. Tests are left out: what is
/// defined there was not deployed.
fn definitions(
    reading: Evidence<'_>,
    paths: &[&str],
    name: &str,
    wanted: &dyn Fn(&Block) -> bool,
) -> Result<Vec<(String, Block)>, MirrorError> {
    let mut read: BTreeMap<String, ()> = BTreeMap::new();
    let mut found = Vec::new();
    for path in paths {
        if read.insert((*path).to_owned(), ()).is_none() {
            found.extend(matching(reading, path, wanted)?);
        }
    }
    if !found.is_empty() {
        return Ok(found);
    }
    let Some(ending) = paths.first().and_then(|path| Some(format!(".{}", path.rsplit_once('.')?.1))) else {
        return Ok(found);
    };
    for keyword in ["class", "def"] {
        for path in reading.containing(&ending, &format!("{keyword} {name}"))? {
            if !is_test(&path) && read.insert(path.clone(), ()).is_none() {
                found.extend(matching(reading, &path, wanted)?);
            }
        }
    }
    Ok(found)
}

fn matching(
    reading: Evidence<'_>,
    path: &str,
    wanted: &dyn Fn(&Block) -> bool,
) -> Result<Vec<(String, Block)>, MirrorError> {
    Ok(reading.blocks(path)?.into_iter().filter(|block| wanted(block)).map(|block| (path.to_owned(), block)).collect())
}

fn is_test(path: &str) -> bool {
    path.split('/').any(|part| matches!(part, "test" | "tests" | "testing") || part.starts_with("test_"))
}
