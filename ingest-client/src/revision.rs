//! The commit that is checked out in a directory, read from git's files: servers often have no git.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Hexadecimal digits of a commit id: SHA-1 or SHA-256.
const ID_DIGITS: [usize; 2] = [40, 64];

/// `.git`, `HEAD` and references are lines; anything longer is something else. Packed references
/// are read line by line.
const POINTER_BYTES: u64 = 4096;

/// `packed-refs` of the largest repositories have a few hundred thousand lines; more is not worth a
/// slow start.
const PACKED_BYTES: u64 = 32 << 20;

/// The id of the commit that is checked out in `directory` or the nearest directory above it that
/// is a work tree. None where there is none, before the first commit, and for what this does not
/// read (reftables).
pub(crate) fn checked_out_at(directory: &Path) -> Option<String> {
    let git = directory.ancestors().find_map(git_directory)?;
    let head = pointer(&git.join("HEAD"))?;
    let Some(reference) = head.strip_prefix("ref:").map(str::trim) else {
        return id(&head);
    };
    // In a linked work tree, branches stand in the repository that it is linked to.
    let common = match pointer(&git.join("commondir")) {
        Some(path) => git.join(path),
        None => git,
    };
    match pointer(&common.join(reference)) {
        Some(loose) => id(&loose),
        None => packed(&common, reference),
    }
}

/// The git directory of a work tree: `.git`, or where the file `.git` points (linked work trees and
/// submodules).
fn git_directory(work_tree: &Path) -> Option<PathBuf> {
    let git = work_tree.join(".git");
    if git.is_dir() {
        return Some(git);
    }
    let pointer = pointer(&git)?;
    Some(work_tree.join(pointer.strip_prefix("gitdir:")?.trim()))
}

fn packed(common: &Path, reference: &str) -> Option<String> {
    let packed = text(&common.join("packed-refs"), PACKED_BYTES)?;
    packed
        .lines()
        .find_map(|line| line.split_once(' ').filter(|(_, name)| *name == reference))
        .and_then(|line| id(line.0))
}

fn pointer(path: &Path) -> Option<String> {
    text(path, POINTER_BYTES).map(|text| text.trim().to_owned())
}

fn text(path: &Path, at_most: u64) -> Option<String> {
    let mut text = String::new();
    fs::File::open(path).ok()?.take(at_most).read_to_string(&mut text).ok()?;
    Some(text)
}

fn id(text: &str) -> Option<String> {
    let is_id = ID_DIGITS.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_id.then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "89e6c98d92887913cadf06b2adb97f26cde4849b";
    const OTHER: &str = "2b66fd261ee5c6cfc8de7fa466bab600bcfe4f69";

    fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
        let tree = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = tree.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        tree
    }

    #[test]
    fn a_branch_is_followed_from_any_directory_below() {
        let head = (".git/HEAD", "ref: refs/heads/main\n");
        let tree = tree(&[head, (".git/refs/heads/main", &format!("{ID}\n")), ("src/deep/file", "")]);
        assert_eq!(checked_out_at(&tree.path().join("src/deep")).as_deref(), Some(ID));
    }

    #[test]
    fn a_packed_branch_is_found_by_its_whole_name() {
        let packed = format!("# pack-refs with: peeled\n{OTHER} refs/heads/main-2\n{ID} refs/heads/main\n^{OTHER}\n");
        let tree = tree(&[(".git/HEAD", "ref: refs/heads/main\n"), (".git/packed-refs", &packed)]);
        assert_eq!(checked_out_at(tree.path()).as_deref(), Some(ID));
    }

    #[test]
    fn a_detached_head_is_the_id_itself() {
        assert_eq!(checked_out_at(tree(&[(".git/HEAD", ID)]).path()).as_deref(), Some(ID));
    }

    #[test]
    fn a_linked_work_tree_reads_the_branch_of_its_repository() {
        let tree = tree(&[
            ("repo/.git/refs/heads/topic", ID),
            ("repo/.git/worktrees/linked/HEAD", "ref: refs/heads/topic\n"),
            ("repo/.git/worktrees/linked/commondir", "../..\n"),
            ("linked/.git", "gitdir: ../repo/.git/worktrees/linked\n"),
        ]);
        assert_eq!(checked_out_at(&tree.path().join("linked")).as_deref(), Some(ID));
    }

    #[test]
    fn what_is_no_commit_gives_none() {
        let unborn = tree(&[(".git/HEAD", "ref: refs/heads/main\n")]);
        assert_eq!(checked_out_at(unborn.path()), None);
        let reftable = tree(&[(".git/HEAD", "ref: refs/heads/.invalid\n"), (".git/reftable/tables.list", "")]);
        assert_eq!(checked_out_at(reftable.path()), None);
        let broken = tree(&[(".git/HEAD", "ref: refs/heads/main\n"), (".git/refs/heads/main", "not an id")]);
        assert_eq!(checked_out_at(broken.path()), None);
    }
}
