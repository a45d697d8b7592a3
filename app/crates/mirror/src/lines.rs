//! The lines of a mirror's files, decoded and remembered.

use super::Mirrors;
use super::attributes::attributes_at;
use super::error::MirrorError;
use super::read::{blob, bytes, split};
use super::source_text::SourceText;
use domain::commit::CommitId;
use domain::ids::RepositoryId;
use std::sync::Arc;

/// A text of more lines has none for us, either: each takes 40 bytes beside its own.
const MOST_LINES: usize = 500_000;

/// A blob, and how its bytes were read where a client's lines said more than the file itself.
pub(super) type TextKey = (gix::ObjectId, &'static str);

/// As the file itself says.
const BY_ITSELF: &str = "";

impl Mirrors {
    /// The lines of a file at a commit, without their ends, decoded from what the file is in.
    /// `None`: there is no such commit or regular file, or it is no text, or it is larger than 8
    /// MB or has more than 500,000 lines.
    ///
    /// # Errors
    /// [`MirrorError::NoMirror`], [`MirrorError::Git`].
    pub fn lines(
        &self,
        id: RepositoryId,
        commit: &CommitId,
        path: &str,
    ) -> Result<Option<Arc<Vec<String>>>, MirrorError> {
        self.lines_seen(id, commit, path, &[])
    }

    /// The same, of a file of which a client read these lines: they tell in which encoding it did.
    ///
    /// # Errors
    /// [`MirrorError::NoMirror`], [`MirrorError::Git`].
    pub fn lines_seen(
        &self,
        id: RepositoryId,
        commit: &CommitId,
        path: &str,
        seen: &[String],
    ) -> Result<Option<Arc<Vec<String>>>, MirrorError> {
        self.ask(id, |repo| {
            let Some(blob) = blob(repo, commit, path)? else { return Ok(None) };
            let by_itself = match self.inner.texts.get(&(blob, BY_ITSELF)) {
                Some(known) => known,
                None => {
                    let Some(bytes) = bytes(repo, blob)? else { return Ok(None) };
                    let Some(text) = text_of(repo, commit, path, &bytes)? else { return Ok(None) };
                    let Some(lines) = self.keep((blob, BY_ITSELF), &text) else { return Ok(None) };
                    lines
                }
            };
            let stands = |line: &String| by_itself.iter().any(|ours| ours.contains(line.trim()));
            if seen.is_empty() || seen.iter().any(stands) {
                return Ok(Some(by_itself));
            }
            let Some(bytes) = bytes(repo, blob)? else { return Ok(Some(by_itself)) };
            let read = SourceText { bytes: &bytes, attribute: None }.read_as_seen(seen);
            Ok(read.and_then(|(encoding, text)| self.keep((blob, encoding), &text)).or(Some(by_itself)))
        })
    }

    fn keep(&self, key: TextKey, text: &str) -> Option<Arc<Vec<String>>> {
        if text.lines().count() > MOST_LINES {
            return None;
        }
        let lines: Vec<String> = split(text).collect();
        // What a String costs beside its text matters for files of short lines.
        let weight = text.len() + lines.len() * size_of::<String>();
        Some(self.inner.texts.put(key, weight, lines))
    }
}

/// What a file's bytes say; `.gitattributes` are asked where the bytes don't.
fn text_of(repo: &gix::Repository, commit: &CommitId, path: &str, bytes: &[u8]) -> Result<Option<String>, MirrorError> {
    let attribute = match std::str::from_utf8(bytes).is_ok() {
        true => None,
        false => attributes_at(repo, commit, path)?.encoding,
    };
    Ok(SourceText { bytes, attribute }.read())
}
