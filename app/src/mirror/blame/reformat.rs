//! Commits that only lay the same code out anew, though no list names them.

use super::effort::Cut;
use super::history::{History, Place};
use super::layout::Reading;
use super::renames::compare;
use gix::ObjectId;
use gix::diff::tree::recorder::Change;
use std::collections::HashMap;
use std::rc::Rc;

/// A commit that formats a whole code base changes more files than this.
const MANY_FILES: usize = 40;

/// As many of its files are looked at, spread evenly.
const SAMPLE: usize = 40;

/// Of a hundred changed lines in the sample, at most so many may be real changes.
const REAL_IN_A_HUNDRED: usize = 10;

/// Comparisons that are kept between the lines of a file.
const MOST_KEPT: usize = 1_000;

/// The lines that those of a change come from, if it only reformats.
type Layout = Option<Rc<Vec<Option<u32>>>>;

/// What was found out about changes and commits.
#[derive(Default)]
pub(super) struct Reformats {
    changes: HashMap<(ObjectId, ObjectId, usize), Layout>,
    commits: HashMap<ObjectId, bool>,
}

impl Reformats {
    /// Where a line was before a change (by its number) that left the code the same.
    pub(super) fn same_code(
        &mut self,
        history: &mut History<'_>,
        before: &Place,
        after: &Place,
        number: usize,
        line: u32,
    ) -> Result<Option<u32>, Cut> {
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
            let reading = Reading::of(&after.path);
            let lines = reading.same_code((&old, hunk.before.clone()), (&new, hunk.after.clone()));
            self.changes.insert(key, lines.map(Rc::new));
        }
        let lines = self.changes.get(&key).and_then(Option::as_ref);
        Ok(lines.and_then(|lines| lines.get((line - hunk.after.start) as usize).copied().flatten()))
    }

    /// Whether a commit formats the whole code base: it changes many files, and little in them really.
    pub(super) fn everywhere(&mut self, history: &mut History<'_>, commit: ObjectId) -> Result<bool, Cut> {
        if let Some(known) = self.commits.get(&commit) {
            return Ok(*known);
        }
        let found = formats(history, commit)?;
        self.commits.insert(commit, found);
        Ok(found)
    }
}

fn formats(history: &mut History<'_>, commit: ObjectId) -> Result<bool, Cut> {
    let links = history.links(commit)?;
    // What a merge changes against one parent is mostly what the other brings.
    let [parent] = links.parents.as_slice() else { return Ok(false) };
    let before = history.links(*parent)?.tree;
    let files: Vec<_> = compare(history, before, links.tree)?
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
        let reading = Reading::of(path);
        for hunk in changes.hunks() {
            let lines = hunk.before.len().max(hunk.after.len());
            let blank = |text: &super::text::Text, range: &std::ops::Range<u32>| {
                text.lines(range.clone()).all(|line| super::text::solid(line).next().is_none())
            };
            if blank(&old, &hunk.before) && blank(&new, &hunk.after) {
                continue;
            }
            changed += lines;
            if reading.same_code((&old, hunk.before.clone()), (&new, hunk.after.clone())).is_none() {
                real += lines;
            }
        }
    }
    Ok(changed > 0 && real * 100 <= changed * REAL_IN_A_HUNDRED)
}
