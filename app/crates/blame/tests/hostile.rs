//! Histories that were made to be walked slowly or in much memory: each question ends, after work
//! that is counted, with the right answer or with none.

#![expect(clippy::unwrap_used, reason = "tests")]

use blame::{ChangedPaths, IgnoreRevs, Walker, mailmap_of_head};
use git_fixture::{ADA, GRACE, GitRepo, isolated_git};
use gix::ObjectId;
use std::fmt::Write as _;
use std::io::Write as _;
use std::process::Stdio;
use std::sync::Arc;

const DAY: &str = "2026-02-03T04:05:06Z";
const TEXT: &str = "def total(basket):\n    return sum(basket)\n";

struct World {
    repo: GitRepo,
    _folder: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { repo: GitRepo::init(folder.path()), _folder: folder }
    }

    /// What git prints for an input.
    fn git(&self, arguments: &[&str], input: &[u8]) -> String {
        let mut command = isolated_git();
        command.envs([("GIT_AUTHOR_NAME", "Ada"), ("GIT_AUTHOR_EMAIL", "ada@x.com")]);
        command.envs([("GIT_COMMITTER_NAME", "Ada"), ("GIT_COMMITTER_EMAIL", "ada@x.com")]);
        command.current_dir(self.repo.path()).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut git = command.stderr(Stdio::null()).spawn().unwrap();
        git.stdin.take().unwrap().write_all(input).unwrap();
        let output = git.wait_with_output().unwrap();
        assert!(output.status.success(), "git {arguments:?}");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// A history as `git fast-import` reads it, on `main`.
    fn import(&self, stream: &str) {
        self.git(&["fast-import", "--quiet", "--force"], stream.as_bytes());
    }

    fn open(&self) -> gix::Repository {
        let mut repo = gix::open(self.repo.path()).unwrap();
        repo.object_cache_size_if_unset(blame::OBJECT_CACHE);
        repo
    }

    /// The first line of the message of the commit that wrote a line, as of `main`.
    fn who(&self, path: &str, line: u32) -> Option<String> {
        let repo = self.open();
        let found = Walker::new(&repo).line(self.main(), path, line).unwrap();
        found.map(|found| found.credits.summary.to_string())
    }

    fn main(&self) -> ObjectId {
        ObjectId::from_hex(self.repo.git(&["rev-parse", "main"]).as_bytes()).unwrap()
    }
}

/// A commit on `main` for `git fast-import`.
fn commit(stream: &mut String, at: usize, message: &str, files: &[(&str, &str)]) {
    let time = 1_700_000_000 + at;
    write!(stream, "commit refs/heads/main\nauthor Ada <ada@x.com> {time} +0000\n").unwrap();
    write!(stream, "committer Ada <ada@x.com> {time} +0000\ndata {}\n{message}\n", message.len()).unwrap();
    for (path, text) in files {
        write!(stream, "M 100644 inline {path}\ndata {}\n{text}\n", text.len()).unwrap();
    }
}

#[test]
fn a_file_of_a_million_lines_is_walked_and_a_longer_one_is_not() {
    let world = World::new();
    let mut stream = String::new();
    let lines: String = (0..1_000_000).map(|at| format!("{}\n", at % 10)).collect();
    let changed = format!("first\n{}", &lines[2..]);
    commit(&mut stream, 0, "Begin", &[("a.py", &lines), ("b.py", &format!("{lines}1\n"))]);
    commit(&mut stream, 1, "Change", &[("a.py", &changed), ("c.bin", &"\u{0}".repeat(100 << 20))]);
    world.import(&stream);
    assert_eq!(world.who("a.py", 1).as_deref(), Some("Change"));
    assert_eq!(world.who("a.py", 999_999).as_deref(), Some("Begin"));
    assert_eq!(world.who("b.py", 1), None, "too many lines");
    assert_eq!(world.who("c.bin", 1), None, "too many bytes");
}

#[test]
fn a_line_below_thousands_of_changes_is_found_for_as_much_as_that_costs() {
    let world = World::new();
    let mut stream = String::new();
    for at in 0..10_000 {
        commit(&mut stream, at, &format!("Commit {at}"), &[("a.py", &format!("{at}\nkept\n"))]);
    }
    world.import(&stream);
    assert_eq!(world.who("a.py", 2).as_deref(), Some("Commit 0"));
    assert_eq!(world.who("a.py", 1).as_deref(), Some("Commit 9999"));
    let repo = world.open();
    let walk = |units: u64| Walker::new(&repo).with_work_limit(units).line(world.main(), "a.py", 2).unwrap();
    assert!(walk(10_000).is_none() && walk(10_000_000).is_some());
    // Several lines together cost no more than four: the first of these spend it all.
    let mut walker = Walker::new(&repo).with_work_limit(1_000).with_changed_paths(Arc::<ChangedPaths>::default());
    let found = walker.lines(world.main(), "a.py", [2, 2, 2, 2, 2, 1]).unwrap();
    assert_eq!(found, vec![None; 6]);
}

#[test]
fn what_a_large_tree_or_commit_costs_is_counted() {
    let world = World::new();
    let blob = |text: &str| world.git(&["hash-object", "-w", "--stdin"], text.as_bytes());
    let (kept, other) = (blob("kept\n"), blob("other\n"));
    let many: String = (0..100_000).map(|at| format!("100644 blob {other}\tf{at:06}.py\n")).collect();
    let mut parent: Option<String> = None;
    for at in 0..4 {
        let entries = format!("100644 blob {kept}\ta.py\n100644 blob {}\tb.py\n{many}", blob(&at.to_string()));
        let tree = world.git(&["mktree"], entries.as_bytes());
        let message = format!("Commit {at}\n\n{}", "x".repeat(1 << 20));
        let parents: Vec<&str> = parent.iter().flat_map(|parent| ["-p", parent]).collect();
        parent = Some(world.git(&[&["commit-tree", &tree], &parents[..]].concat(), message.as_bytes()));
    }
    world.repo.git(&["update-ref", "refs/heads/main", &parent.unwrap()]);
    assert_eq!(world.who("a.py", 1).as_deref(), Some("Commit 0"));
    let repo = world.open();
    let walk = |units: u64| Walker::new(&repo).with_work_limit(units).line(world.main(), "a.py", 1).unwrap();
    assert!(walk(3_000).is_none(), "each commit has a megabyte, and each tree four");
}

#[test]
fn merges_that_cross_again_and_again_are_walked_once() {
    let world = World::new();
    let mut stream = String::new();
    let head = |stream: &mut String, branch: &str, at: usize| {
        write!(stream, "commit refs/heads/{branch}\nmark :{at}\ncommitter A <a@x.com> {} +0000\n", 1_700_000_000 + at)
            .unwrap();
        write!(stream, "data 1\nx\n").unwrap();
    };
    head(&mut stream, "main", 1);
    stream.push_str("M 100644 inline a.py\ndata 5\nkept\n\n");
    head(&mut stream, "other", 2);
    stream.push_str("from :1\nM 100644 inline b.py\ndata 5\nkept\n\n");
    let (mut ours, mut theirs) = (1, 2);
    for level in 1..3_000 {
        head(&mut stream, "main", level * 2 + 1);
        writeln!(stream, "from :{ours}\nmerge :{theirs}\nM 100644 inline n.py\ndata 6\n{level:05}\n\n").unwrap();
        head(&mut stream, "other", level * 2 + 2);
        writeln!(stream, "from :{theirs}\nmerge :{ours}\nM 100644 inline n.py\ndata 6\n{level:04}o\n\n").unwrap();
        (ours, theirs) = (level * 2 + 1, level * 2 + 2);
    }
    world.import(&stream);
    assert_eq!(world.who("a.py", 1).as_deref(), Some("x"));
}

#[test]
fn a_file_among_thousands_of_deleted_ones_is_told_from_them() {
    let world = World::new();
    let mut stream = String::new();
    let text = |at: usize| format!("number {at} of many\nanother line {at}\nand a third {at}\n");
    commit(&mut stream, 0, "Begin", &[]);
    for at in 0..10_000 {
        let text = text(at);
        write!(stream, "M 100644 inline old/f{at}.py\ndata {}\n{text}\n", text.len()).unwrap();
    }
    let moved = format!("{}# moved\n", text(7_000));
    commit(&mut stream, 1, "Move", &[("new/g.py", &moved)]);
    stream.push_str("D old\n");
    world.import(&stream);
    assert_eq!(world.who("new/g.py", 2).as_deref(), Some("Begin"));
    let repo = world.open();
    let found = Walker::new(&repo).with_work_limit(10_000).line(world.main(), "new/g.py", 2).unwrap();
    assert_eq!(found, None, "comparing with all of them costs more");
}

/// A tree of a dozen objects with ten thousand million files.
fn bomb(world: &World) -> String {
    let blob = world.git(&["hash-object", "-w", "--stdin"], b"boom\n");
    let entries = |kind: &str, id: &str| (0..10).map(|at| format!("{kind} {id}\td{at}\n")).collect::<String>();
    let mut tree = world.git(&["mktree"], entries("100644 blob", &blob).as_bytes());
    for _ in 0..9 {
        tree = world.git(&["mktree"], entries("040000 tree", &tree).as_bytes());
    }
    tree
}

#[test]
fn a_tree_with_more_files_than_any_memory_holds_ends_no_walk() {
    let world = World::new();
    let tree = bomb(&world);
    let mut stream = String::new();
    commit(&mut stream, 0, "Begin", &[("a.py", TEXT)]);
    commit(&mut stream, 1, "Bring the bomb", &[("a.py", &format!("{TEXT}more\n"))]);
    writeln!(stream, "M 040000 {tree} bomb").unwrap();
    commit(&mut stream, 2, "Take it away, and move", &[("b.py", &format!("{TEXT}more\n"))]);
    stream.push_str("D a.py\nD bomb\n");
    world.import(&stream);
    let repo = world.open();
    let before = ObjectId::from_hex(world.repo.git(&["rev-parse", "main~1"]).as_bytes()).unwrap();
    let found = Walker::new(&repo).lines(before, "a.py", [1, 3]).unwrap();
    let found: Vec<String> = found.iter().flatten().map(|found| found.credits.summary.to_string()).collect();
    assert_eq!(found, ["Begin", "Bring the bomb"]);
    // Among so many deleted files nobody looks for the one that it was.
    assert_eq!(world.who("b.py", 1).as_deref(), Some("Take it away, and move"));
}

#[test]
fn long_lists_of_people_and_commits_are_read_up_to_a_point() {
    let world = World::new();
    let people =
        |count: usize| (0..count).map(|at| format!("Ada <ada@x.com> <a{}@x.com>\n", count - at)).collect::<String>();
    let ids: String = (0..100_000).map(|at| format!("{at:040x}\n")).collect();
    world.repo.commit(ADA, DAY, &[("a.py", TEXT), (".mailmap", &people(2_000))], "Begin");
    assert_eq!(mailmap_of_head(&world.open()).entries().len(), 2_000);
    world.repo.commit(GRACE, DAY, &[(".mailmap", &people(100_000)), (".git-blame-ignore-revs", &ids)], "Lists");
    let repo = world.open();
    assert_eq!(mailmap_of_head(&repo).entries().len(), 0);
    let list = IgnoreRevs::of_head(&repo).unwrap();
    assert!(list.contains(&ObjectId::from_hex(format!("{:040x}", 99_999).as_bytes()).unwrap()));
    assert_eq!(world.who("a.py", 1).as_deref(), Some("Begin"));
}
