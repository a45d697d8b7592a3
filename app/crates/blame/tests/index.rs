//! What is known of a whole history changes no answer, whatever the history is like, and what is
//! not as it was written is nothing.

#![expect(clippy::unwrap_used, reason = "tests")]

use blame::{ChangedPaths, LineBlame, Walker};
use git_fixture::{ADA, Blamed, GRACE, GitRepo, isolated_git};
use gix::ObjectId;
use std::fmt::Write as _;
use std::io::Write as _;
use std::process::Stdio;
use std::sync::Arc;

const DAY: &str = "2026-02-03T04:05:06Z";

/// Numbers that come again with the same seed: Knuth's linear congruential generator.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % most
    }
}

/// A history with branches, merges that take a side or change more, files that move, come back and
/// become directories, and dates that go back.
fn history(folder: &std::path::Path, seed: u64, commits: usize) -> GitRepo {
    let repo = GitRepo::init(folder);
    let mut numbers = Numbers(seed);
    let mut stream = String::new();
    let paths = ["a.py", "b.py", "src/a.py", "src/lib/c.py", "src/lib/d.py", "doc", "doc/e.md", "other/f.py"];
    for at in 1..=commits {
        let time = 1_700_000_000 + at * 60 - numbers.below(2_000);
        let branch = ["main", "side"][numbers.below(4) / 3];
        let parent = if at == 1 { 0 } else { at - 1 - numbers.below(at.min(6) - 1) };
        write!(stream, "commit refs/heads/{branch}\nmark :{at}\ncommitter Ada <ada@x.com> {time} +0000\n").unwrap();
        write!(stream, "data 3\nOn.\n").unwrap();
        if parent > 0 {
            writeln!(stream, "from :{parent}").unwrap();
        }
        let other = at.saturating_sub(1 + numbers.below(9));
        if other > 0 && other != parent && numbers.below(4) == 0 {
            writeln!(stream, "merge :{other}").unwrap();
        }
        for _ in 0..numbers.below(4) {
            let path = paths[numbers.below(paths.len())];
            match numbers.below(8) {
                0 => writeln!(stream, "D {path}").unwrap(),
                _ => {
                    let text: String = (0..6).map(|line| format!("line {line} {}\n", numbers.below(3))).collect();
                    write!(stream, "M 100644 inline {path}\ndata {}\n{text}\n", text.len()).unwrap();
                }
            }
        }
        if at % 20 == 0 {
            let text = "moved\n".repeat(5);
            write!(stream, "M 100644 inline from{at}.py\ndata {}\n{text}\n", text.len()).unwrap();
        }
        if at % 20 == 1 && parent == at - 1 && at > 1 {
            writeln!(stream, "R from{parent}.py to{at}.py").unwrap();
        }
    }
    // What was written last on another branch is in as well.
    let last = commits;
    write!(stream, "reset refs/heads/main\nfrom :{last}\n\n").unwrap();
    import(&repo, &stream);
    repo
}

fn import(repo: &GitRepo, stream: &str) {
    let mut command = isolated_git();
    command.current_dir(repo.path()).args(["fast-import", "--quiet", "--force"]).stdin(Stdio::piped());
    let mut git = command.spawn().unwrap();
    git.stdin.take().unwrap().write_all(stream.as_bytes()).unwrap();
    assert!(git.wait().unwrap().success());
}

fn open(repo: &GitRepo) -> gix::Repository {
    let mut repo = gix::open_opts(repo.git_dir(), gix::open::Options::isolated()).unwrap();
    repo.object_cache_size_if_unset(blame::OBJECT_CACHE);
    repo
}

fn id(name: &str) -> ObjectId {
    ObjectId::from_hex(name.trim().as_bytes()).unwrap()
}

fn known(repo: &GitRepo, at: &str) -> ChangedPaths {
    let memory = ChangedPaths::default();
    memory.catch_up(&open(repo), [id(&repo.git(&["rev-parse", at]))], &mut || true).unwrap();
    memory
}

/// Every line of every file at a commit.
fn answers(repo: &GitRepo, at: &str, memory: Option<&Arc<ChangedPaths>>) -> Vec<(String, Option<LineBlame>)> {
    let (opened, commit) = (open(repo), id(&repo.git(&["rev-parse", at])));
    let files = repo.git(&["ls-tree", "-r", "--name-only", at]);
    let of_file = |path: &str| {
        let walker = Walker::new(&opened);
        let mut walker = match memory {
            Some(memory) => walker.with_changed_paths(Arc::clone(memory)),
            None => walker,
        };
        let lines = walker.lines(commit, path, 1..=6).unwrap();
        lines.into_iter().map(|line| (path.to_owned(), line)).collect::<Vec<_>>()
    };
    files.lines().flat_map(of_file).collect()
}

/// Every line of every file, asked as git answers, against git: walks that learn for themselves
/// could be wrong in the same way.
#[track_caller]
fn assert_as_git(repo: &GitRepo, memory: &Arc<ChangedPaths>) {
    let (opened, commit) = (open(repo), id(&repo.git(&["rev-parse", "main"])));
    for path in repo.git(&["ls-tree", "-r", "--name-only", "main"]).lines() {
        let gits = repo.blame_with(&["-w"], "main", path);
        let mut walker = Walker::new(&opened).as_git().with_changed_paths(Arc::clone(memory));
        let ours = walker.lines(commit, path, 1..=gits.len() as u32).unwrap();
        for (line, (ours, gits)) in (1..).zip(ours.into_iter().zip(gits)) {
            let ours =
                ours.map(|it| Blamed { commit: it.commit.to_string(), path: it.path.to_string(), line: it.line });
            assert_eq!(ours, Some(gits), "{path}:{line}");
        }
    }
}

#[test]
fn an_index_changes_no_answer() {
    for seed in 1..=12 {
        let folder = tempfile::tempdir().unwrap();
        let repo = history(folder.path(), seed, 150);
        let index = known(&repo, "main");
        let commits: usize = repo.git(&["rev-list", "--count", "main"]).trim().parse().unwrap();
        assert_eq!(index.commits(), commits, "history {seed}");
        let read = ChangedPaths::from_bytes(&index.to_bytes()).unwrap();
        assert_eq!(read.to_bytes(), index.to_bytes());
        let shared = Arc::new(read);
        for at in ["main", "main~5", "main~20"] {
            let without = answers(&repo, at, None);
            assert!(without.iter().any(|(_, line)| line.is_some()));
            assert_eq!(answers(&repo, at, Some(&shared)), without, "history {seed} at {at}");
        }
        assert_as_git(&repo, &shared);
    }
}

#[test]
fn an_index_that_grew_by_and_by_is_as_good() {
    for seed in 20..=23 {
        let folder = tempfile::tempdir().unwrap();
        let repo = history(folder.path(), seed, 200);
        let index = known(&repo, "main~30");
        let before = index.commits();
        // It is told to end at once: what it had done by then is kept, and the next one goes on.
        let head = id(&repo.git(&["rev-parse", "main"]));
        for _ in 0..20 {
            index.catch_up(&open(&repo), [head], &mut || false).unwrap();
        }
        index.catch_up(&open(&repo), [head], &mut || true).unwrap();
        assert!(index.commits() > before);
        assert_eq!(index.commits(), known(&repo, "main").commits());
        assert_eq!(index.catch_up(&open(&repo), [head], &mut || true).unwrap(), 0, "all is known");
        assert_as_git(&repo, &Arc::new(index));
    }
}

#[test]
fn an_index_of_what_was_pushed_away_or_of_another_repository_is_true() {
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let (repo, other) = (history(folders[0].path(), 31, 120), history(folders[1].path(), 32, 120));
    let index = known(&other, "main");
    let elsewhere = index.commits();
    repo.git(&["branch", "away", "main"]);
    index.catch_up(&open(&repo), [id(&repo.git(&["rev-parse", "main"]))], &mut || true).unwrap();
    assert!(index.commits() > elsewhere);
    repo.git(&["update-ref", "refs/heads/main", "main~40"]);
    repo.git(&["read-tree", "-u", "--reset", "main"]);
    repo.commit(ADA, DAY, &[("a.py", "another\nline 0 0\n")], "Forced");
    let shared = Arc::new(index);
    for at in ["main", "away"] {
        assert_eq!(answers(&repo, at, Some(&shared)), answers(&repo, at, None), "{at}");
    }
}

#[test]
fn what_is_damaged_is_no_index() {
    let folder = tempfile::tempdir().unwrap();
    let repo = history(folder.path(), 41, 30);
    let bytes = known(&repo, "main").to_bytes();
    assert!(ChangedPaths::from_bytes(&bytes).is_some());
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1 << bit;
            assert!(ChangedPaths::from_bytes(&damaged).is_none(), "bit {bit} of byte {at}");
        }
        assert!(ChangedPaths::from_bytes(&bytes[..at]).is_none(), "cut off at {at}");
        assert!(ChangedPaths::from_bytes(&bytes[at..]).is_none() || at == 0, "without the first {at}");
    }
    for more in [vec![0], vec![0; 4], bytes.clone()] {
        assert!(ChangedPaths::from_bytes(&[bytes.clone(), more].concat()).is_none());
    }
    assert!(ChangedPaths::from_bytes(&[0; 4_096]).is_none() && ChangedPaths::from_bytes(&[0xff; 4_096]).is_none());
    // Of nothing is an index, too.
    assert_eq!(ChangedPaths::from_bytes(&ChangedPaths::default().to_bytes()).map(|empty| empty.commits()), Some(0));
    let announced = |bytes: &[u8]| ChangedPaths::announced(bytes.get(..ChangedPaths::BEGINNING)?);
    assert_eq!(
        (announced(&bytes), announced(&[0; 64]), announced(&[])),
        (Some(known(&repo, "main").commits()), None, None)
    );
}

#[test]
fn a_shallow_clone_and_one_that_lacks_much_are_not_indexed() {
    let folder = tempfile::tempdir().unwrap();
    let repo = history(&folder.path().join("whole"), 51, 250);
    let head = id(&repo.git(&["rev-parse", "main"]));
    let shallow = folder.path().join("shallow");
    repo.git(&[
        "clone",
        "--quiet",
        "--bare",
        "--depth=3",
        &format!("file://{}", repo.path().display()),
        shallow.to_str().unwrap(),
    ]);
    let opened = gix::open_opts(&shallow, gix::open::Options::isolated()).unwrap();
    let index = ChangedPaths::default();
    assert_eq!(index.catch_up(&opened, [head], &mut || true).unwrap(), 0);
    // All trees are gone.
    let partial = folder.path().join("partial");
    repo.git(&["config", "uploadpack.allowFilter", "true"]);
    let url = format!("file://{}", repo.path().display());
    repo.git(&["clone", "--quiet", "--bare", "--filter=tree:0", &url, partial.to_str().unwrap()]);
    let opened = gix::open_opts(&partial, gix::open::Options::isolated()).unwrap();
    index.catch_up(&opened, [head], &mut || true).unwrap_err();
    assert_eq!(index.commits(), 0);
    // Nor do commits that are not there hinder those that are.
    let nobody = ObjectId::from_hex(&[b'1'; 40]).unwrap();
    assert!(index.catch_up(&open(&repo), [nobody, head], &mut || true).unwrap() > 100);
}

#[test]
fn a_commit_that_changes_very_much_is_looked_at_each_time() {
    let folder = tempfile::tempdir().unwrap();
    let repo = GitRepo::init(folder.path());
    let first = repo.commit(ADA, DAY, &[("a.py", "one\ntwo\n")], "One");
    let many: Vec<(String, &str)> = (0..1_100).map(|at| (format!("many/{at}.py"), "x\n")).collect();
    let mut files: Vec<(&str, &str)> = many.iter().map(|(path, text)| (path.as_str(), *text)).collect();
    files.push(("a.py", "one\n2\n"));
    let second = repo.commit(GRACE, DAY, &files, "Two");
    repo.commit(ADA, DAY, &[("b.py", "b\n")], "Three");
    let index = Arc::new(known(&repo, "main"));
    assert!(index.to_bytes().len() < 500, "it keeps none of those paths");
    let opened = open(&repo);
    let mut walker = Walker::new(&opened).with_changed_paths(index);
    let found = walker.lines(id(&repo.head()), "a.py", 1..=2).unwrap();
    let commits: Vec<_> = found.into_iter().map(|line| line.unwrap().commit).collect();
    assert_eq!(commits, [id(&first), id(&second)]);
}

#[test]
fn a_first_question_is_cheap_with_an_index() {
    let folder = tempfile::tempdir().unwrap();
    let repo = GitRepo::init(folder.path());
    let mut stream = String::new();
    for at in 1..=3_000 {
        let path = if at == 1 { "src/a.py".to_owned() } else { format!("src/b{}.py", at % 7) };
        write!(stream, "commit refs/heads/main\ncommitter Ada <ada@x.com> {} +0000\n", 1_700_000_000 + at).unwrap();
        let text = format!("{at}\n");
        write!(stream, "data 3\nOn.\nM 100644 inline {path}\ndata {}\n{text}\n", text.len()).unwrap();
    }
    import(&repo, &stream);
    let (opened, head) = (open(&repo), id(&repo.git(&["rev-parse", "main"])));
    let index = Arc::new(known(&repo, "main"));
    // Some microseconds for each commit would be too much.
    let walker = || Walker::new(&opened).with_work_limit(4_000);
    assert_eq!(walker().line(head, "src/a.py", 1).unwrap(), None);
    let found = walker().with_changed_paths(index).line(head, "src/a.py", 1).unwrap().unwrap();
    assert_eq!(found.credits.summary, "On.");
}
