//! From a path that a client reports to the files of a commit that it may be.

use domain::commit::CommitId;
use domain::ids::RepositoryId;
use mirror::Mirrors;
use std::collections::BTreeSet;
use std::sync::OnceLock;

/// A repository that stands for a mirror, once for each process.
struct Mirrored {
    mirrors: Mirrors,
    head: CommitId,
    files: BTreeSet<String>,
    _folder: tempfile::TempDir,
}

static MIRRORED: OnceLock<Mirrored> = OnceLock::new();
const ID: RepositoryId = RepositoryId(1);
/// Candidates of one path, at most.
const MOST: usize = 50;

fn mirrored() -> Mirrored {
    let folder = tempfile::tempdir().unwrap();
    let repo = git_fixture::GitRepo::init(folder.path().join("repository"));
    let names =
        ["a.py", "shop/a.py", "shop/cart/a.py", "lib/shop/a.py", "src/b.rs", "a b/c d.js", "ü/é.py", "x/__init__.py"];
    let files: Vec<(&str, &str)> = names.iter().map(|name| (*name, "x = 1\n")).collect();
    repo.commit(git_fixture::ADA, "2026-01-05T10:00:00Z", &files, "Add files");
    let mirrors = Mirrors::open(folder.path().join("mirrors")).unwrap();
    mirrors.borrow(ID, repo.git_dir());
    let files = names.iter().map(|name| (*name).to_owned()).collect();
    Mirrored { mirrors, head: CommitId::new(repo.head()), files, _folder: folder }
}

/// Candidates are files of the commit, few, and the best first.
pub(super) fn paths(data: &[u8]) {
    let mirrored = MIRRORED.get_or_init(mirrored);
    let text = String::from_utf8_lossy(data);
    for path in text.lines().take(10) {
        let found = mirrored
            .mirrors
            .candidates(ID, &mirrored.head, &domain::frame_names::parts_of(path), mirror::Search::default())
            .unwrap();
        assert!(found.len() <= MOST, "{} candidates", found.len());
        assert!(found.is_sorted_by(|a, b| a.matched_components >= b.matched_components), "{found:?}");
        for candidate in &found {
            assert!(mirrored.files.contains(&candidate.path), "{} is none of its files", candidate.path);
        }
    }
}
