//! Looking for a text in the files of a commit.

use super::Mirrors;
use super::error::MirrorError;
use super::read;
use domain::commit::CommitId;
use domain::ids::RepositoryId;

/// Most bytes that one search reads: a checkout of this size takes about two seconds, and a larger
/// one is mostly not code.
const MOST_BYTES: usize = 128 << 20;

/// Most files that are named: a text that more have says nothing.
const MOST_FILES: usize = 20;

impl Mirrors {
    /// Files of a commit whose name ends in `ending` and that contain `needle`, by path, at
    /// most 20. Gives up, with none, at 128 MB. Unknown commits have no files.
    ///
    /// # Errors
    /// [`MirrorError::NoMirror`], [`MirrorError::Git`].
    pub fn containing(
        &self,
        id: RepositoryId,
        commit: &CommitId,
        ending: &str,
        needle: &str,
    ) -> Result<Vec<String>, MirrorError> {
        let files = self.files_with_ids(id, commit)?.into_iter().filter(|(path, _)| path.ends_with(ending));
        self.ask(id, |repo| {
            let (mut found, mut bytes) = (Vec::new(), 0);
            for (path, blob) in files {
                let Some(text) = read::text(repo, blob)? else { continue };
                bytes += text.len();
                if bytes > MOST_BYTES {
                    return Ok(Vec::new());
                }
                if text.contains(needle) {
                    found.push(path);
                    if found.len() == MOST_FILES {
                        break;
                    }
                }
            }
            Ok(found)
        })
    }
}
