//! The people of a repository under their proper names: `.mailmap`.

use crate::encoding::utf8;
use gix::mailmap::{Snapshot, parse};

/// Where git reads it.
const FILE: &str = ".mailmap";

/// Bytes. The longest in use, Linux's, has 60,000; larger ones are not read.
const LARGEST: u64 = 1 << 20;

/// Entries; a file of more is not read. Putting them in order takes the square of their number,
/// some tenths of a second for so many.
const MOST_ENTRIES: usize = 10_000;

/// The `.mailmap` of the commit at HEAD; empty where there is none, or it has more than 1 MB or
/// 10,000 entries.
pub fn mailmap_of_head(repo: &gix::Repository) -> Snapshot {
    read(repo).unwrap_or_default()
}

fn read(repo: &gix::Repository) -> Option<Snapshot> {
    let tree = repo.head_commit().ok()?.tree().ok()?;
    let entry = tree.lookup_entry([FILE]).ok()??;
    // As git does, a link is not followed.
    if !entry.mode().is_blob() || repo.find_header(entry.object_id()).ok()?.size() > LARGEST {
        return None;
    }
    let file = entry.object().ok()?;
    // Names of commits are compared in UTF-8, too.
    let text = utf8(&file.data, None);
    let few = parse(&text).take(MOST_ENTRIES + 1).count() <= MOST_ENTRIES;
    few.then(|| Snapshot::from_bytes(&text))
}
