//! How a git directory keeps what it has, where that is not what we, or anybody, can read all of.

use super::Mirrors;
use super::error::MirrorError;
use super::read::find_commit;
use domain::commit::CommitId;
use domain::ids::RepositoryId;
use gix::config::File;
use std::path::{Path, PathBuf};

/// What is peculiar about a git directory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Storage {
    /// It names its objects by SHA-256.
    pub is_sha256: bool,
    /// It keeps its refs in tables.
    pub is_reftable: bool,
    /// It has fetched a part of its objects, and fetches others when git needs them.
    pub is_partial: bool,
    /// Its history is cut off.
    pub is_shallow: bool,
    /// It has parents written over commits' own, in a file.
    pub has_grafts: bool,
}

impl Storage {
    /// Looks at a git directory, a linked work tree's own included.
    pub fn of(git_directory: &Path) -> Self {
        let common = common(git_directory);
        let config = File::from_path_no_includes(common.join("config"), gix::config::Source::Local).ok();
        let value = |key: &str| config.as_ref().and_then(|config| config.string(key));
        let is =
            |key: &str, wanted: &str| value(key).is_some_and(|value| value.eq_ignore_ascii_case(wanted.as_bytes()));
        let filled = |file: &str| common.join(file).metadata().is_ok_and(|file| file.len() > 0);
        let mut remotes = config.as_ref().and_then(|config| config.sections_by_name("remote")).into_iter().flatten();
        Self {
            is_sha256: is("extensions.objectFormat", "sha256"),
            is_reftable: is("extensions.refStorage", "reftable"),
            is_partial: value("extensions.partialClone").is_some()
                || remotes.any(|remote| remote.value("partialclonefilter").is_some()),
            is_shallow: filled("shallow"),
            has_grafts: filled("info/grafts"),
        }
    }
}

/// Where a linked work tree's repository is.
fn common(git_directory: &Path) -> PathBuf {
    let named = std::fs::read_to_string(git_directory.join("commondir"));
    named.map_or_else(|_| git_directory.to_owned(), |named| git_directory.join(named.trim_end()))
}

impl Mirrors {
    /// Whether a commit is the last that a shallow clone has: what it is said to have changed, an
    /// older one may have.
    ///
    /// # Errors
    /// [`MirrorError::NoMirror`], [`MirrorError::Git`].
    pub fn is_cut_off_at(&self, id: RepositoryId, commit: &CommitId) -> Result<bool, MirrorError> {
        self.ask(id, |repo| {
            let failed = |error: gix::Error| MirrorError::git("reading where the history is cut off", &error);
            let Some(last) = repo.shallow_commits().map_err(failed)? else { return Ok(false) };
            let commit = find_commit(repo, commit)?.filter(|commit| last.iter().any(|last| *last == commit.id));
            // Git lists a history's first commit as well, where it is as deep as was asked for.
            Ok(commit.is_some_and(|commit| commit.parent_ids().next().is_some()))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use git_fixture::{ADA, GitRepo};

    #[test]
    fn a_git_directory_tells_what_it_is() {
        let folder = tempfile::tempdir().expect("a folder");
        let of = |name: &str| Storage::of(&folder.path().join(name));
        let full = GitRepo::init(folder.path().join("full"));
        full.commit(ADA, "2026-02-03T04:05:06Z", &[("a.py", "one\n")], "One");
        full.commit(ADA, "2026-02-03T04:05:07Z", &[("a.py", "two\n")], "Two");
        full.git(&["config", "uploadpack.allowFilter", "true"]);
        assert_eq!(of("full/.git"), Storage::default());
        let url = format!("file://{}", full.path().display());
        let clone = |name: &str, option: &str| {
            full.git(&["clone", "--quiet", option, &url, &folder.path().join(name).display().to_string()]);
        };
        clone("shallow", "--depth=1");
        assert_eq!(of("shallow/.git"), Storage { is_shallow: true, ..Storage::default() });
        clone("partial", "--filter=blob:none");
        assert_eq!(of("partial/.git"), Storage { is_partial: true, ..Storage::default() });
        GitRepo::init_with(folder.path().join("sha256"), &["--object-format=sha256"]);
        assert_eq!(of("sha256/.git"), Storage { is_sha256: true, ..Storage::default() });
        let shallow = GitRepo::open(folder.path().join("shallow"));
        shallow.git(&["worktree", "add", "--quiet", "../linked"]);
        assert!(of("shallow/.git/worktrees/linked").is_shallow);
        full.write(".git/info/grafts", &full.head());
        assert_eq!(of("full/.git"), Storage { has_grafts: true, ..Storage::default() });
        assert_eq!(of("nowhere"), Storage::default());
    }

    #[test]
    fn a_shallow_clone_ends_at_its_last_commits_and_no_other_ends() {
        let folder = tempfile::tempdir().expect("a folder");
        let full = GitRepo::init(folder.path().join("full"));
        let date = |day: u32| format!("2026-02-0{day}T04:05:06Z");
        let ids: Vec<String> =
            (1..=3).map(|day| full.commit(ADA, &date(day), &[("a.py", &format!("{day}\n"))], "Change")).collect();
        let (url, path) = (format!("file://{}", full.path().display()), folder.path().join("shallow"));
        full.git(&["clone", "--quiet", "--depth=2", &url, &path.display().to_string()]);
        let whole = folder.path().join("whole");
        full.git(&["clone", "--quiet", "--depth=3", &url, &whole.display().to_string()]);
        let mirrors = Mirrors::open(folder.path().join("mirrors")).expect("a folder");
        mirrors.borrow(RepositoryId(1), path.join(".git"));
        mirrors.borrow(RepositoryId(2), full.git_dir());
        mirrors.borrow(RepositoryId(3), whole.join(".git"));
        let cut = |id, commit: &String| mirrors.is_cut_off_at(RepositoryId(id), &CommitId::new(commit.clone()));
        let cut = |id, commit| cut(id, commit).expect("a repository");
        assert_eq!([&ids[0], &ids[1], &ids[2]].map(|id| cut(1, id)), [false, true, false]);
        for whole in [2, 3] {
            assert_eq!([&ids[0], &ids[1], &ids[2]].map(|id| cut(whole, id)), [false, false, false]);
        }
    }
}
