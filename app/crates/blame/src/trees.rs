//! What differs between the trees of two commits, as far as that is worth knowing.

use crate::Error;
use crate::budget::{Abort, Budget};
use gix::ObjectId;
use gix::bstr::{BStr, BString, ByteSlice};
use gix::diff::tree::recorder::Change;
use gix::diff::tree::{Recorder, Visit, visit};
use gix::objs::TreeRefIter;
use std::ops::ControlFlow;

/// Bytes of paths that are kept of one comparison.
const MOST_BYTES: usize = 16 << 20;

/// Some changes of files and directories.
pub(crate) struct Changes {
    pub(crate) records: Vec<Change>,
    /// There are more.
    pub(crate) is_cut: bool,
}

/// The path that a change is about.
pub(crate) fn path_of(change: &Change) -> &BStr {
    use Change::{Addition, Deletion, Modification};
    let (Addition { path, .. } | Deletion { path, .. } | Modification { path, .. }) = change;
    path.as_bstr()
}

/// What differs between two root trees, at most so many changes: a tree of a dozen objects can have
/// more files than there are grains of sand, by having each directory many times.
pub(crate) fn compare(
    repo: &gix::Repository,
    budget: &Budget<'_>,
    before: ObjectId,
    after: ObjectId,
    most: usize,
) -> Result<Changes, Abort> {
    let failed = || format!("comparing the trees {before} and {after}");
    let old = repo.find_tree(before).map_err(Error::git(failed))?;
    let new = repo.find_tree(after).map_err(Error::git(failed))?;
    budget.spend_looking_up(old.data.len() + new.data.len())?;
    let mut found = Bounded { recorder: Recorder::default(), most, bytes: 0, is_cut: false };
    let kind = repo.object_hash();
    let compared = gix::diff::tree(
        TreeRefIter::from_bytes(&old.data, kind),
        TreeRefIter::from_bytes(&new.data, kind),
        gix::diff::tree::State::default(),
        &repo.objects,
        &mut found,
    );
    let Bounded { recorder, is_cut, .. } = found;
    if !is_cut {
        compared.map_err(gix::Error::from_error).map_err(Error::git(failed))?;
    }
    budget.spend(recorder.records.len() as u64)?;
    Ok(Changes { records: recorder.records, is_cut })
}

/// Records changes until there are too many.
struct Bounded {
    recorder: Recorder,
    most: usize,
    bytes: usize,
    is_cut: bool,
}

impl Visit for Bounded {
    fn pop_front_tracked_path_and_set_current(&mut self) {
        self.recorder.pop_front_tracked_path_and_set_current();
    }

    fn push_back_tracked_path_component(&mut self, component: &BStr) {
        self.recorder.push_back_tracked_path_component(component);
    }

    fn push_path_component(&mut self, component: &BStr) {
        self.recorder.push_path_component(component);
    }

    fn pop_path_component(&mut self) {
        self.recorder.pop_path_component();
    }

    fn visit(&mut self, change: visit::Change) -> visit::Action {
        self.bytes += self.recorder.path().len() + size_of::<BString>();
        self.is_cut = self.recorder.records.len() >= self.most || self.bytes > MOST_BYTES;
        if self.is_cut { ControlFlow::Break(()) } else { self.recorder.visit(change) }
    }
}
