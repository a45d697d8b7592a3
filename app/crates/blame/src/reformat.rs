//! Commits that only lay the same code out anew, though no list names them.

use crate::budget::Abort;
use crate::history::{FileVersion, History};
use crate::layout::Language;
use crate::text::{Text, solid};
use crate::trees::compare;
use gix::ObjectId;
use gix::diff::blob::Hunk;
use gix::diff::tree::recorder::Change;
use std::collections::HashMap;
use std::ops::Range;
use std::rc::Rc;

/// A commit that formats a whole code base changes more files than this.
const MANY_FILES: usize = 40;

/// Changed files of a commit that the sample is taken from.
const MOST_CHANGED: usize = 100_000;

/// As many of its files are looked at, spread evenly.
const SAMPLE: usize = 40;

/// Of a hundred changed lines in the sample, at most so many may be real changes.
const REAL_IN_A_HUNDRED: usize = 10;

/// Comparisons that are kept between the lines of a file.
const MOST_KEPT: usize = 1_000;

/// The lines that those of a change come from, where it only reformats.
type LineOrigins = Rc<Vec<Option<u32>>>;

/// What was found out about changes and commits.
#[derive(Default)]
pub(crate) struct Reformats {
    changes: HashMap<(ObjectId, ObjectId, usize), LineOrigins>,
    commits: HashMap<ObjectId, bool>,
}

impl Reformats {
    /// Where a line was before a change (by its number) that left the code the same.
    pub(crate) fn same_code(
        &mut self,
        history: &mut History<'_>,
        before: &FileVersion,
        after: &FileVersion,
        number: usize,
        line: u32,
    ) -> Result<Option<u32>, Abort> {
        let Some(changes) = history.changes(before.blob, after.blob)? else { return Ok(None) };
        let Some(hunk) = changes.hunks().get(number) else { return Ok(None) };
        let key = (before.blob, after.blob, number);
        if !self.changes.contains_key(&key) {
            let (Some(old), Some(new)) = (history.text(before.blob)?, history.text(after.blob)?) else {
                return Ok(None);
            };
            if self.changes.len() > MOST_KEPT {
                self.changes.clear();
            }
            spend_layout(history, &old, &new, hunk)?;
            let language = Language::of(&after.path);
            let lines = language.same_code(old.section(hunk.before.clone()), new.section(hunk.after.clone()));
            self.changes.insert(key, Rc::new(lines));
        }
        let lines = self.changes.get(&key);
        Ok(lines.and_then(|lines| lines.get((line - hunk.after.start) as usize).copied().flatten()))
    }

    /// Whether a commit formats the whole code base: it changes many files, and little in them
    /// really.
    pub(crate) fn everywhere(&mut self, history: &mut History<'_>, commit: ObjectId) -> Result<bool, Abort> {
        if let Some(known) = self.commits.get(&commit) {
            return Ok(*known);
        }
        let found = formats(history, commit)?;
        self.commits.insert(commit, found);
        Ok(found)
    }
}

/// Takes the work of comparing the code of a change without its layout.
fn spend_layout(history: &History<'_>, old: &Text, new: &Text, hunk: &Hunk) -> Result<(), Abort> {
    let bytes = |text: &Text, lines: Range<u32>| text.lines(lines).map(<[u8]>::len).sum::<usize>();
    history.budget.spend_comparing(bytes(old, hunk.before.clone()) + bytes(new, hunk.after.clone()))?;
    history.budget.spend_diffing(hunk.before.len().max(hunk.after.len()) as u32)
}

fn formats(history: &mut History<'_>, commit: ObjectId) -> Result<bool, Abort> {
    let links = history.links(commit)?;
    // What a merge changes against one parent is mostly what the other brings.
    let [parent] = links.parents.as_slice() else { return Ok(false) };
    let before = history.links(*parent)?.tree;
    let files: Vec<_> = compare(history.repo, &history.budget, before, links.tree, MOST_CHANGED)?
        .records
        .into_iter()
        .filter_map(|change| match change {
            Change::Modification { previous_entry_mode, previous_oid, entry_mode, oid, path }
                if previous_entry_mode.is_blob() && entry_mode.is_blob() && previous_oid != oid =>
            {
                Some((path, previous_oid, oid))
            }
            _ => None,
        })
        .collect();
    if files.len() <= MANY_FILES {
        return Ok(false);
    }
    let (mut changed, mut real) = (0, 0);
    for sample in 0..SAMPLE {
        let (path, before, after) = &files[sample * files.len() / SAMPLE];
        let (Some(old), Some(new)) = (history.text(*before)?, history.text(*after)?) else { continue };
        let Some(changes) = history.changes(*before, *after)? else { continue };
        let language = Language::of(path);
        for hunk in changes.hunks() {
            spend_layout(history, &old, &new, hunk)?;
            let coded = |text: &Text, line: u32| solid(text.line(line)).next().is_some();
            let lines = language.same_code(old.section(hunk.before.clone()), new.section(hunk.after.clone()));
            let new = hunk.after.clone().zip(&lines).filter(|(line, _)| coded(&new, *line));
            let (kept, added): (Vec<_>, Vec<_>) = new.partition(|(_, origin)| origin.is_some());
            // What was taken away shows only where nothing came instead.
            let removed = hunk.before.clone().filter(|line| coded(&old, *line)).count();
            let others = added.len().max(if kept.is_empty() { removed } else { 0 });
            changed += kept.len() + others;
            real += others;
        }
    }
    Ok(changed > 0 && real * 100 <= changed * REAL_IN_A_HUNDRED)
}
