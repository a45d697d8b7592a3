//! By what paths are known where there are very many: 16 bits of a hash.

use crate::text::Fnv;
use crate::trees::{Changes, path_of};
use gix::bstr::BStr;
use gix::diff::tree::recorder::Change as TreeChange;

/// A commit that changes more paths is looked at each time: few do, and they would fill the memory.
const MOST_PATHS_OF_A_COMMIT: usize = 1_000;

/// So many changes tell that there are too many.
pub(crate) const MOST_LEARNT: usize = MOST_PATHS_OF_A_COMMIT + 1;

/// A path as it is looked up. Of two paths one in 65,536 is taken for the other, which costs a look
/// at a tree and no more.
#[derive(Clone, Copy)]
pub(crate) struct PathPrint(pub(crate) u16);

impl PathPrint {
    pub(crate) fn of(path: &BStr) -> Self {
        let mut hash = Fnv::new();
        path.iter().for_each(|byte| hash.add(*byte));
        let [a, b, c, d, e, f, g, h] = hash.take().to_le_bytes();
        Self([[a, b], [c, d], [e, f], [g, h]].into_iter().fold(0, |print, part| print ^ u16::from_le_bytes(part)))
    }
}

/// The prints of the files among some changes, in order, each once; `None`: there are too many.
pub(crate) fn prints(changes: &Changes) -> Option<Vec<u16>> {
    if changes.is_cut || changes.records.len() > MOST_PATHS_OF_A_COMMIT {
        return None;
    }
    let mut prints: Vec<u16> = changes.records.iter().filter_map(file_of).map(|path| PathPrint::of(path).0).collect();
    prints.sort_unstable();
    prints.dedup();
    Some(prints)
}

/// The path of a change, unless it is of a directory: nobody asks for those.
fn file_of(change: &TreeChange) -> Option<&BStr> {
    let is_directory = match change {
        TreeChange::Addition { entry_mode, .. } | TreeChange::Deletion { entry_mode, .. } => entry_mode.is_tree(),
        TreeChange::Modification { previous_entry_mode, entry_mode, .. } => {
            previous_entry_mode.is_tree() && entry_mode.is_tree()
        }
    };
    (!is_directory).then(|| path_of(change))
}
