//! Which deleted file a new one was renamed from: of all deleted in the commit, the most alike, but
//! only for the one file that is followed.

use crate::budget::Abort;
use crate::history::{FileVersion, History};
use crate::text::Fnv;
use crate::trees::compare;
use gix::ObjectId;
use gix::bstr::{BStr, BString, ByteSlice};
use std::collections::HashMap;

/// Files are compared piece by piece: lines, and what is left of a long one after each of these
/// bytes, as git does.
const PIECE: usize = 64;

/// Bytes at the beginning in which a NUL means that a file is no text: git's own rule.
const BINARY_PROBE: usize = 8000;

/// The likeness of identical files: git's own scale, so that what is more alike to git is so here.
const IDENTICAL: u64 = 60_000;

/// Less alike than this is another file: git's default of a half.
const ALIKE: u64 = IDENTICAL / 2;

/// A deleted file of the same name is taken without looking at others if it is so much alike, which
/// gitdiffcore(7) describes as "sufficiently similar".
const ALIKE_AND_SAME_NAME: u64 = IDENTICAL / 4 * 3;

/// Changes of a commit among which a deleted file is looked for. One that changes more is no
/// renaming that anybody could follow.
const MOST_CHANGES: usize = 100_000;

/// A deleted file.
struct Deleted {
    path: BString,
    blob: ObjectId,
}

/// The file of `before` that the followed one was renamed from, if any.
pub(crate) fn source(
    history: &History<'_>,
    before: ObjectId,
    after: ObjectId,
    followed: &FileVersion,
) -> Result<Option<(BString, ObjectId)>, Abort> {
    let deleted = deleted(history, before, after)?;
    let name = base(followed.path.as_bstr());
    let mut same_name = deleted.iter().filter(|source| base(source.path.as_bstr()) == name);
    let identical = |source: &&Deleted| source.blob == followed.blob;
    let exact = same_name.clone().find(identical).or_else(|| deleted.iter().find(identical));
    if let Some(exact) = exact {
        return Ok(Some((exact.path.clone(), exact.blob)));
    }
    let Some(wanted) = Pieces::of(history, followed.blob)? else { return Ok(None) };
    if let (Some(only), None) = (same_name.next(), same_name.next())
        && wanted.alike(history, only.blob)? >= ALIKE_AND_SAME_NAME
    {
        return Ok(Some((only.path.clone(), only.blob)));
    }
    // Of several that are equally alike the last: where names count versions, that is the newest.
    let mut best: Option<(u64, bool, &Deleted)> = None;
    for source in &deleted {
        let score = wanted.alike(history, source.blob)?;
        let rank = (score, base(source.path.as_bstr()) == name);
        if score >= ALIKE && best.is_none_or(|(score, named, _)| rank >= (score, named)) {
            best = Some((rank.0, rank.1, source));
        }
    }
    Ok(best.map(|(.., source)| (source.path.clone(), source.blob)))
}

fn base(path: &BStr) -> &[u8] {
    path.rsplit_once_str("/").map_or(path.as_bytes(), |(_, name)| name)
}

/// All regular files that `before` has and `after` has not, by their paths; none where too much
/// changed.
fn deleted(history: &History<'_>, before: ObjectId, after: ObjectId) -> Result<Vec<Deleted>, Abort> {
    use gix::diff::tree::recorder::Change;
    let changes = compare(history.repo, &history.budget, before, after, MOST_CHANGES)?;
    if changes.is_cut {
        return Ok(Vec::new());
    }
    let mut files: Vec<Deleted> = changes
        .records
        .into_iter()
        .filter_map(|change| match change {
            Change::Deletion { entry_mode, oid, path, .. } if entry_mode.is_blob() => Some(Deleted { path, blob: oid }),
            _ => None,
        })
        .collect();
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

/// A file's pieces: how many bytes each has in all.
struct Pieces {
    size: u64,
    bytes: HashMap<u64, u64>,
}

impl Pieces {
    fn of(history: &History<'_>, blob: ObjectId) -> Result<Option<Self>, Abort> {
        let Some(text) = history.text(blob)? else { return Ok(None) };
        Ok(Some(Self::new(text.data())))
    }

    fn new(data: &[u8]) -> Self {
        // In a text the CR of a CRLF does not count.
        let is_text = !data.iter().take(BINARY_PROBE).any(|byte| *byte == 0);
        let mut bytes = HashMap::new();
        let (mut hash, mut length) = (Fnv::new(), 0);
        for (at, byte) in data.iter().enumerate() {
            if is_text && *byte == b'\r' && data.get(at + 1) == Some(&b'\n') {
                continue;
            }
            hash.add(*byte);
            length += 1;
            if length == PIECE || *byte == b'\n' {
                *bytes.entry(hash.take()).or_default() += length as u64;
                length = 0;
            }
        }
        if length > 0 {
            *bytes.entry(hash.take()).or_default() += length as u64;
        }
        Self { size: data.len() as u64, bytes }
    }

    /// How much of the larger file both have.
    fn alike(&self, history: &History<'_>, other: ObjectId) -> Result<u64, Abort> {
        let size = history.size(other)?;
        let (small, large) = (size.min(self.size), size.max(self.size));
        // Even if the whole of the smaller one were in the larger.
        if small * IDENTICAL < large * ALIKE || small == 0 {
            return Ok(0);
        }
        let Some(text) = history.text(other)? else { return Ok(0) };
        history.budget.spend_comparing(text.size())?;
        let other = Self::new(text.data());
        let common: u64 =
            self.bytes.iter().map(|(piece, bytes)| other.bytes.get(piece).map_or(0, |others| *bytes.min(others))).sum();
        Ok(common * IDENTICAL / large)
    }
}
