//! What a commit's `.gitattributes` say of a file.

use super::Mirrors;
use super::error::MirrorError;
use super::read::{self, bytes};
use blame::encoding_called;
use domain::commit::CommitId;
use domain::ids::RepositoryId;
use domain::not_ours::Marks;
use encoding_rs::Encoding;
use gix::attrs::search::{MetadataCollection, Outcome};
use gix::attrs::{Search, StateRef};
use gix::bstr::ByteSlice;
use std::path::Path;

/// Where git reads them, in each folder.
const FILE: &str = ".gitattributes";

/// Bytes of such a file. The longest in use have some thousand; of a larger one nothing is read.
const LARGEST: usize = 64 << 10;

/// Folders above a file that are looked into: none is deeper that people made.
const MOST_FOLDERS: usize = 32;

/// The attributes that are asked for.
const ASKED: [&str; 4] = ["linguist-vendored", "linguist-generated", "encoding", "working-tree-encoding"];

/// What attributes say of one file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Attributes {
    /// Whether it is somebody else's, or a program's.
    pub(super) marks: Marks,
    /// What it is in. What it is to be in the work tree counts for a file that is no UTF-8, as git
    /// would have it in the repository.
    pub(super) encoding: Option<&'static Encoding>,
}

impl Mirrors {
    /// What the `.gitattributes` of a commit say of a file: whether it is vendored or generated.
    ///
    /// # Errors
    /// [`MirrorError::NoMirror`], [`MirrorError::Git`].
    pub fn marks(&self, id: RepositoryId, commit: &CommitId, path: &str) -> Result<Marks, MirrorError> {
        self.ask(id, |repo| Ok(attributes_at(repo, commit, path)?.marks))
    }
}

/// As git has it: a file nearer to the path goes before one further up, and a later line before an
/// earlier one.
pub(super) fn attributes_at(repo: &gix::Repository, commit: &CommitId, path: &str) -> Result<Attributes, MirrorError> {
    let failed = |error: gix::Error| MirrorError::git(format!("reading {FILE} for {path} in {commit}"), &error);
    let Some(mut tree) = read::tree(repo, commit)? else { return Ok(Attributes::default()) };
    let (mut search, mut collection) = (Search::default(), MetadataCollection::default());
    let mut folder = String::new();
    for part in path.split('/').take(MOST_FOLDERS) {
        let file = tree.find_entry(FILE).filter(|entry| entry.mode().is_blob()).map(|entry| entry.object_id());
        if let Some(file) = file
            && let Some(content) = bytes(repo, file)?.filter(|content| content.len() <= LARGEST)
        {
            let source = Path::new(&folder).join(FILE);
            let is_root = folder.is_empty();
            // From memory nothing can fail.
            let _ = search.add_patterns_buffer(&content, source, Some(Path::new("")), &mut collection, is_root);
        }
        let next = tree.find_entry(part).filter(|entry| entry.mode().is_tree()).map(|entry| entry.object_id());
        let Some(next) = next else { break };
        tree = repo.find_tree(next).map_err(failed)?;
        folder.push_str(part);
        folder.push('/');
    }
    let mut found = Outcome::default();
    found.initialize_with_selection(&collection, ASKED);
    search.pattern_matching_relative_path(path.into(), gix::glob::pattern::Case::Sensitive, Some(false), &mut found);
    let mut attributes = Attributes::default();
    let mut in_work_tree = None;
    for one in found.iter_selected() {
        let state = one.assignment.state;
        match one.assignment.name.as_str() {
            "linguist-vendored" => attributes.marks.vendored = flag(state),
            "linguist-generated" => attributes.marks.generated = flag(state),
            "encoding" => attributes.encoding = state.as_bstr().and_then(|name| encoding_called(name)),
            _ => in_work_tree = state.as_bstr().and_then(|name| encoding_called(name)),
        }
    }
    attributes.encoding = attributes.encoding.or(in_work_tree);
    Ok(attributes)
}

/// As GitHub reads them: `linguist-vendored`, `linguist-vendored=true`; `-linguist-vendored`,
/// `linguist-vendored=false`.
fn flag(state: StateRef<'_>) -> Option<bool> {
    match state {
        StateRef::Set => Some(true),
        StateRef::Unset => Some(false),
        StateRef::Value(value) => Some(value.as_bstr().to_str().is_ok_and(|value| value != "false")),
        StateRef::Unspecified => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use git_fixture::{ADA, GitRepo};

    const ID: RepositoryId = RepositoryId(7);

    fn marks(files: &[(&str, &str)], path: &str) -> (Option<bool>, Option<bool>) {
        let folder = tempfile::tempdir().expect("a folder");
        let repo = GitRepo::init(folder.path().join("work"));
        let commit = repo.commit(ADA, "2026-02-03T04:05:06Z", files, "One");
        let mirrors = Mirrors::open(folder.path().join("mirrors")).expect("a folder");
        mirrors.borrow(ID, repo.git_dir());
        let found = mirrors.marks(ID, &CommitId::new(commit), path).expect("a commit");
        (found.vendored, found.generated)
    }

    #[test]
    fn attributes_are_read_as_git_reads_them() {
        let root = "lib/** linguist-vendored\nlib/ours.py -linguist-vendored\n*_pb2.py linguist-generated=true\n\
                    lib/said.py linguist-vendored=false\n[attr]theirs linguist-vendored linguist-generated\n\
                    /copied/*.js theirs\nlib/undone.py !linguist-vendored\n# *.go linguist-generated\n";
        let files = [
            (".gitattributes", root),
            ("lib/deep/.gitattributes", "*.py -linguist-vendored\n/a.py linguist-generated\n"),
            ("lib/deep/down/a.py", ""),
        ];
        for (path, expected) in [
            ("lib/a.py", (Some(true), None)),
            ("lib/ours.py", (Some(false), None)),
            ("lib/said.py", (Some(false), None)),
            ("lib/undone.py", (None, None)),
            ("lib/deep/a.py", (Some(false), Some(true))),
            ("lib/deep/down/a.py", (Some(false), None)),
            ("lib/deep/down/a.js", (Some(true), None)),
            ("shop/cart_pb2.py", (None, Some(true))),
            ("copied/a.js", (Some(true), Some(true))),
            ("shop/copied/a.js", (None, None)),
            ("main.go", (None, None)),
        ] {
            assert_eq!(marks(&files, path), expected, "{path}");
        }
        assert_eq!(marks(&[("a.py", "")], "a.py"), (None, None));
        let huge = format!("a.py linguist-vendored\n{}", "#".repeat(LARGEST));
        assert_eq!(marks(&[(".gitattributes", &huge)], "a.py"), (None, None), "it is not read");
    }
}
