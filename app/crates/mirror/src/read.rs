//! Reading a mirror: files, their lines, commits and how they descend from each other.

use super::Mirrors;
use super::error::MirrorError;
use super::source_text::SourceText;
use blame::{CommitWords, Credits};
use domain::blame::Author;
use domain::commit::CommitId;
use domain::ids::RepositoryId;
use domain::timestamp::Timestamp;
use gix::bstr::ByteSlice;

/// Larger files have no lines for us: they are data or generated, and one would fill the memory of
/// texts.
const LARGEST_TEXT: u64 = 8 << 20;

/// Bytes of a person's name or address, and of a message's first line, that are kept: more is none
/// that people write.
const LONGEST_WORDS: usize = 250;

/// Bytes. Of a longer path no report could say all, and PostgreSQL's indexes would not take it.
const LONGEST_PATH: usize = 1_000;

/// What a commit says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitInfo {
    /// First line of the message.
    pub summary: String,
    /// Who wrote it, after `.mailmap`.
    pub author: Author,
    /// Author date.
    pub authored_at: Timestamp,
}

/// A file of the default branch that people write for us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HeadFile {
    /// There is no such file, or no commit yet.
    Missing,
    /// It is there, and can't be read.
    Unread {
        /// Its id, which tells whether it changed.
        blob: String,
        /// Why, in a sentence.
        why: String,
    },
    /// It is there.
    Text {
        /// Its id, which tells whether it changed.
        blob: String,
        /// What it says.
        text: String,
    },
}

impl Mirrors {
    /// A file of the default branch, if it is a text of at most so many bytes.
    ///
    /// # Errors
    /// [`MirrorError::NoMirror`], [`MirrorError::Git`].
    pub fn head_file_of(&self, id: RepositoryId, path: &str, most: usize) -> Result<HeadFile, MirrorError> {
        let Some(head) = self.head(id)? else { return Ok(HeadFile::Missing) };
        self.ask(id, |repo| {
            let Some((blob, is_file)) = entry(repo, &head.commit, path)? else { return Ok(HeadFile::Missing) };
            let unread = |why: String| Ok(HeadFile::Unread { blob: blob.to_string(), why });
            if !is_file {
                return unread("it is no regular file, so it is not read".to_owned());
            }
            let header = repo.find_header(blob);
            let size = header.map_err(|error| MirrorError::git(format!("reading {blob}"), &error))?.size();
            if size > most as u64 {
                return unread(format!("it is larger than {} KiB, so it is not read", most >> 10));
            }
            match text(repo, blob)? {
                Some(text) => Ok(HeadFile::Text { blob: blob.to_string(), text }),
                None => unread("it is no text, as it has NUL bytes".to_owned()),
            }
        })
    }

    /// Whether `ancestor` is `descendant` or one of its ancestors. `false` where the mirror lacks
    /// one of them.
    ///
    /// # Errors
    /// [`MirrorError::NoMirror`], [`MirrorError::Git`].
    pub fn contains(&self, id: RepositoryId, ancestor: &CommitId, descendant: &CommitId) -> Result<bool, MirrorError> {
        self.ask(id, |repo| {
            let (Some(ancestor), Some(descendant)) = (find_commit(repo, ancestor)?, find_commit(repo, descendant)?)
            else {
                return Ok(false);
            };
            let base = repo
                .merge_base(ancestor.id, descendant.id)
                .map_err(|error| MirrorError::git("comparing two commits", &error))?;
            Ok(base.is_some_and(|base| base.detach() == ancestor.id))
        })
    }

    /// A text file of the default branch: its blob id, which tells whether it changed, and its
    /// text. `None`: no such file, or no commit yet.
    ///
    /// # Errors
    /// [`MirrorError::NoMirror`], [`MirrorError::Git`].
    pub fn head_file(&self, id: RepositoryId, path: &str) -> Result<Option<(String, String)>, MirrorError> {
        let Some(head) = self.head(id)? else { return Ok(None) };
        self.ask(id, |repo| {
            let Some(blob) = blob(repo, &head.commit, path)? else { return Ok(None) };
            Ok(text(repo, blob)?.map(|text| (blob.to_string(), text)))
        })
    }

    /// When a commit was made, as it says itself; `None` where the mirror has no such commit.
    ///
    /// # Errors
    /// [`MirrorError::NoMirror`], [`MirrorError::Git`].
    pub fn committed_at(&self, id: RepositoryId, commit: &CommitId) -> Result<Option<Timestamp>, MirrorError> {
        self.ask(id, |repo| {
            Ok(find_commit(repo, commit)?.map(|commit| time_of(CommitWords::of(&commit.data).commit_time)))
        })
    }

    /// What a commit says of itself; `None` where the mirror has no such commit.
    ///
    /// # Errors
    /// [`MirrorError::NoMirror`], [`MirrorError::Git`].
    pub fn commit(&self, id: RepositoryId, commit: &CommitId) -> Result<Option<CommitInfo>, MirrorError> {
        self.ask(id, |repo| {
            let Some(commit) = find_commit(repo, commit)? else { return Ok(None) };
            Ok(Some(info_of(&Credits::of(&commit, &blame::mailmap_of_head(repo)))))
        })
    }
}

/// An object's id, which is a commit's.
pub(super) fn commit_id(id: gix::ObjectId) -> CommitId {
    CommitId::new(id.to_string())
}

/// The commit of an id, if the mirror has it.
pub(super) fn find_commit<'repo>(
    repo: &'repo gix::Repository,
    id: &CommitId,
) -> Result<Option<gix::Commit<'repo>>, MirrorError> {
    let Ok(id) = gix::ObjectId::from_hex(id.as_str().as_bytes()) else { return Ok(None) };
    let object = repo.try_find_object(id).map_err(|error| MirrorError::git(format!("reading {id}"), &error))?;
    Ok(object.and_then(|object| object.try_into_commit().ok()))
}

/// The root tree of a commit.
pub(super) fn tree<'repo>(
    repo: &'repo gix::Repository,
    commit: &CommitId,
) -> Result<Option<gix::Tree<'repo>>, MirrorError> {
    let Some(commit) = find_commit(repo, commit)? else { return Ok(None) };
    let tree = commit.tree().map_err(|error| MirrorError::git(format!("reading the tree of {}", commit.id), &error))?;
    Ok(Some(tree))
}

/// The regular file at a path. A path is only ever looked up in trees, so what a report says can
/// lead nowhere else.
pub(super) fn blob(
    repo: &gix::Repository,
    commit: &CommitId,
    path: &str,
) -> Result<Option<gix::ObjectId>, MirrorError> {
    Ok(entry(repo, commit, path)?.filter(|(_, is_file)| *is_file).map(|(id, _)| id))
}

/// What is at a path, and whether it is a regular file.
fn entry(repo: &gix::Repository, commit: &CommitId, path: &str) -> Result<Option<(gix::ObjectId, bool)>, MirrorError> {
    let Some(tree) = tree(repo, commit)? else { return Ok(None) };
    let entry = tree
        .lookup_entry(path.split('/').map(str::as_bytes))
        .map_err(|error| MirrorError::git(format!("looking for {path} in {commit}"), &error))?;
    Ok(entry.map(|entry| (entry.object_id(), entry.mode().is_blob())))
}

/// The text of a blob, if it is one of a bearable size.
pub(super) fn text(repo: &gix::Repository, blob: gix::ObjectId) -> Result<Option<String>, MirrorError> {
    Ok(bytes(repo, blob)?.and_then(|bytes| SourceText { bytes: &bytes, attribute: None }.read()))
}

/// The content of a blob, if it is of a bearable size.
pub(super) fn bytes(repo: &gix::Repository, blob: gix::ObjectId) -> Result<Option<Vec<u8>>, MirrorError> {
    let failed = |error: gix::Error| MirrorError::git(format!("reading {blob}"), &error);
    if repo.find_header(blob).map_err(failed)?.size() > LARGEST_TEXT {
        return Ok(None);
    }
    Ok(Some(repo.find_object(blob).map_err(failed)?.detach().data))
}

/// Lines as git counts them: ended by LF, a CR before it belonging to the end.
pub(super) fn split(text: &str) -> impl Iterator<Item = String> + '_ {
    text.lines().map(str::to_owned)
}

fn info_of(credits: &Credits) -> CommitInfo {
    CommitInfo {
        summary: cut(&credits.summary),
        author: author_of(&credits.author),
        authored_at: time_of(credits.author_time),
    }
}

/// A person of a commit.
pub(super) fn author_of(person: &gix::actor::Identity) -> Author {
    Author { name: cut(&person.name), email: cut(&person.email) }
}

/// As much of a name, an address or a message's first line as is kept.
pub(super) fn cut(words: &[u8]) -> String {
    let text = words[..words.len().min(LONGEST_WORDS)].to_str_lossy();
    // What was cut within a character is one that can't be read.
    let text = if words.len() > LONGEST_WORDS { text.trim_end_matches(char::REPLACEMENT_CHARACTER) } else { &*text };
    text.to_owned()
}

/// Whether a file can be deployed under this path and reported by it. Git has others, with line
/// breaks or `..` in them, which only somebody makes who wants to be read wrongly.
pub(super) fn is_plain(path: &str) -> bool {
    path.len() <= LONGEST_PATH
        && !path.chars().any(char::is_control)
        && path.split('/').all(|part| !matches!(part, "" | "." | ".."))
}

/// A moment of a commit.
pub(super) fn time_of(time: gix::date::Time) -> Timestamp {
    Timestamp::from_seconds(time.seconds)
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn lines_end_as_git_ends_them() {
        let lines = |text: &str| split(text).collect::<Vec<_>>();
        assert_eq!(lines("a\r\nb\n\nc"), ["a", "b", "", "c"]);
        assert_eq!(lines("a\n"), ["a"]);
        assert_eq!(lines("form\u{c}feed\rsame line\n"), ["form\u{c}feed\rsame line"]);
        assert!(lines("").is_empty());
    }
}
