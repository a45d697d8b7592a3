//! Commits that no branch or tag reaches, each fetched by its id: how many bytes a mirror takes of
//! them.

use super::error::MirrorError;
use std::fs;
use std::path::Path;

/// Bytes of packs that one mirror takes for such commits, in all. A deployed commit that a forced
/// push removed is a few kilobytes beside its branch, so these are thousands. But a report may name
/// any commit that the source gives away (GitHub those of all forks), and whoever can send one must
/// not fill the disk.
const MOST: u64 = 256 << 20;

/// Bytes for one of them.
const MOST_OF_ONE: u64 = 32 << 20;

/// In a mirror's directory: how many bytes were received so far. A new clone begins without them.
const NOTE: &str = "flawless-unreached";

/// Bytes that may be received for one more such commit.
///
/// # Errors
/// [`MirrorError::Git`]: none.
pub(super) fn left(path: &Path, source: &str) -> Result<u64, MirrorError> {
    match MOST.saturating_sub(received(path)) {
        0 => Err(MirrorError::Git {
            what: format!("fetching a commit of {source} by its id"),
            why: format!(
                "commits that no branch or tag reaches took {} MiB; a new clone of the repository begins without them",
                MOST >> 20
            ),
        }),
        left => Ok(left.min(MOST_OF_ONE)),
    }
}

/// Notes that so many were received, whether or not all came.
pub(super) fn note(path: &Path, bytes: u64) -> Result<(), MirrorError> {
    let (file, new) = (path.join(NOTE), path.join(format!("{NOTE}.lock")));
    fs::write(&new, (received(path) + bytes).to_string())
        .and_then(|()| fs::rename(&new, &file))
        .map_err(|error| MirrorError::disk(format!("writing {}", file.display()), &error))
}

fn received(path: &Path) -> u64 {
    fs::read_to_string(path.join(NOTE)).ok().and_then(|noted| noted.trim().parse().ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mirror_takes_so_many_bytes_and_no_more() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path();
        assert_eq!(left(path, "x"), Ok(MOST_OF_ONE));
        note(path, MOST - 10).expect("a note");
        assert_eq!(left(path, "x"), Ok(10));
        note(path, 11).expect("a note");
        let error = left(path, "git://host/x").expect_err("it has them");
        assert!(error.to_string().contains("git://host/x") && error.to_string().contains("256 MiB"), "{error}");
    }
}
