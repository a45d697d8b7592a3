//! Files of changed paths: written beside mirrors, read by the next process, and made anew where
//! they are not what was written.

use super::*;
use crate::{Mirrors, Source};
use git_fixture::{ADA, GRACE, GitRepo, isolated_git};
use std::io::Write as _;
use std::process::Stdio;
use std::sync::atomic::AtomicUsize;

const ID: RepositoryId = RepositoryId(7);
const DAY: &str = "2026-02-03T04:05:06Z";

struct World {
    repo: GitRepo,
    folder: tempfile::TempDir,
}

impl World {
    /// A repository of some commits.
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let repo = GitRepo::init(folder.path().join("work"));
        repo.commit(ADA, DAY, &[("a.py", "one\ntwo\n"), ("b.py", "b\n")], "One");
        repo.commit(GRACE, DAY, &[("a.py", "one\n2\n")], "Two");
        repo.commit(ADA, DAY, &[("b.py", "c\n")], "Three");
        Self { repo, folder }
    }

    fn source(&self) -> Source {
        Source { id: ID, url: self.repo.git_dir().display().to_string(), token: None }
    }

    /// The mirrors as a process of their own has them.
    fn process(&self) -> Mirrors {
        Mirrors::open(self.folder.path().join("mirrors")).expect("a folder")
    }

    fn mirror(&self) -> PathBuf {
        self.folder.path().join("mirrors/7.git")
    }

    fn file(&self) -> PathBuf {
        self.mirror().join(FILE)
    }

    /// One that fetched, and did what follows.
    fn synced(&self) -> Mirrors {
        let mirrors = self.process();
        mirrors.sync(&self.source()).expect("a clone or fetch");
        mirrors.inner.changed_paths.settle();
        mirrors
    }

    /// Many commits, none of which changes `a.py`.
    fn push(&self, commits: usize) {
        let mut git = isolated_git();
        git.current_dir(self.repo.path()).args(["fast-import", "--quiet"]).stdin(Stdio::piped());
        let mut git = git.spawn().expect("git");
        let mut stream = git.stdin.take().expect("a pipe");
        for at in 0..commits {
            let from = if at == 0 { "from refs/heads/main^0\n" } else { "" };
            let head = "commit refs/heads/main\ncommitter Ada <ada@x.com> 1800000000 +0000\ndata 3\nOn.\n";
            let change = format!("{head}{from}M 100644 inline b.py\ndata 8\n{at:08}\n");
            stream.write_all(change.as_bytes()).expect("git reads");
        }
        drop(stream);
        assert!(git.wait().expect("git").success());
    }

    /// By whom the lines of `a.py` are, as somebody who is asked first says.
    fn authors(&self, mirrors: &Mirrors) -> Vec<String> {
        let head = mirrors.head(ID).expect("a mirror").expect("a commit").commit;
        let found = mirrors.blame_lines(ID, &head, "a.py", 1..=2).expect("a mirror");
        found.into_iter().map(|line| line.map_or_else(String::new, |line| line.author.name)).collect()
    }
}

impl PathMemories {
    /// Waits until nothing is under way.
    fn settle(&self) {
        while self.shared.queue().is_running {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

/// Of how many commits a process knows.
fn known(mirrors: &Mirrors) -> usize {
    mirrors.inner.changed_paths.of(ID, &mirrors.inner.directory).commits()
}

#[test]
fn a_clone_has_a_file_that_the_next_process_reads() {
    let world = World::new();
    drop(world.synced());
    let bytes = fs::read(world.file()).expect("it was written");
    let next = world.process();
    assert_eq!(known(&next), 3, "without looking at any commit");
    assert_eq!(world.authors(&next), ["Ada Lovelace", "Grace Hopper"]);
    next.inner.changed_paths.settle();
    assert_eq!(fs::read(world.file()).expect("it is there"), bytes);
    let left = fs::read_dir(world.mirror()).expect("a folder").flatten().map(|file| file.file_name());
    assert_eq!(left.filter(|name| name.to_string_lossy().ends_with(".lock")).count(), 0);
    assert!(next.remove(ID).expect("nobody uses it") && !world.file().exists(), "it goes with its mirror");
}

#[test]
fn a_fetch_is_looked_at_and_written_once_that_is_worth_it() {
    let world = World::new();
    let mirrors = world.synced();
    assert_eq!(known(&mirrors), 3);
    let bytes = fs::read(world.file()).expect("it was written");
    let push = |commits: usize| {
        world.push(commits);
        mirrors.sync(&world.source()).expect("a fetch");
        mirrors.inner.changed_paths.settle();
    };
    push(2);
    assert_eq!(known(&mirrors), 5);
    assert!(fs::read(world.file()).expect("it is there") == bytes, "two commits are not worth it");
    push(WORTH_WRITING);
    assert_eq!((known(&mirrors), announced(&world.mirror())), (5 + WORTH_WRITING, Some(5 + WORTH_WRITING)));
    assert_eq!(world.authors(&world.process()), ["Ada Lovelace", "Grace Hopper"]);
}

#[test]
fn what_is_not_what_was_written_is_made_anew_and_nobody_notices() {
    let (world, other) = (World::new(), World::new());
    drop(world.synced());
    other.repo.commit(ADA, DAY, &[("a.py", "else\nwhere\n")], "Four");
    drop(other.synced());
    let whole = fs::read(world.file()).expect("it was written");
    let flipped = |at: usize| {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x10;
        bytes
    };
    let anothers = fs::read(other.file()).expect("it was written");
    let damaged = [
        ("in its version", flipped(7)),
        ("in its number of commits", flipped(8)),
        ("in its content", flipped(60)),
        ("at its end", flipped(whole.len() - 1)),
        ("cut off", whole[..whole.len() / 2].to_vec()),
        ("empty", Vec::new()),
        ("of zeros", vec![0; whole.len()]),
        ("too large", vec![7; ChangedPaths::MOST_BYTES + 2]),
    ];
    for (what, bytes) in damaged {
        fs::write(world.file(), bytes).expect("a file");
        let mirrors = world.process();
        assert_eq!(world.authors(&mirrors), ["Ada Lovelace", "Grace Hopper"], "{what}");
        mirrors.inner.changed_paths.settle();
        assert!(!mirrors.is_suspected(ID), "{what}");
        assert!(fs::read(world.file()).expect("it is there") == whole, "{what}: it was made anew");
    }
    fs::remove_file(world.file()).expect("a file");
    assert_eq!(world.authors(&world.process()), ["Ada Lovelace", "Grace Hopper"]);
    // What another repository's says is true, if nothing to the purpose.
    fs::write(world.file(), anothers).expect("a file");
    let mirrors = world.process();
    assert_eq!(world.authors(&mirrors), ["Ada Lovelace", "Grace Hopper"]);
    mirrors.inner.changed_paths.settle();
    assert!(known(&mirrors) > 3);
}

#[test]
fn a_forced_push_and_a_clone_anew_change_no_answer() {
    let world = World::new();
    let mirrors = world.synced();
    world.repo.force("HEAD~2");
    world.repo.commit(GRACE, DAY, &[("a.py", "1\ntwo\n")], "Forced");
    mirrors.sync(&world.source()).expect("a fetch");
    mirrors.inner.changed_paths.settle();
    assert_eq!(world.authors(&mirrors), ["Grace Hopper", "Ada Lovelace"]);
    // It is written from memory again where the mirror's folder was replaced.
    fs::remove_file(world.mirror().join("HEAD")).expect("a file");
    assert!(mirrors.sync(&world.source()).expect("a clone").cloned);
    mirrors.inner.changed_paths.settle();
    assert_eq!(world.authors(&mirrors), ["Grace Hopper", "Ada Lovelace"]);
    assert_eq!(announced(&world.mirror()), Some(known(&mirrors)));
}

#[test]
fn two_processes_write_it_at_once_and_a_third_finds_a_whole_one() {
    let world = World::new();
    drop(world.synced());
    let (first, second) = (world.process(), world.process());
    let writers = AtomicUsize::new(2);
    let found = std::thread::scope(|threads| {
        for mirrors in [&first, &second] {
            threads.spawn(|| {
                for _ in 0..60 {
                    let _ = fs::remove_file(world.file());
                    mirrors.inner.changed_paths.catch_up(ID, &mirrors.inner.directory);
                    mirrors.inner.changed_paths.settle();
                }
                writers.fetch_sub(1, Ordering::Relaxed);
            });
        }
        let mut found = 0;
        while writers.load(Ordering::Relaxed) > 0 {
            if let Ok(bytes) = fs::read(world.file()) {
                assert_eq!(ChangedPaths::from_bytes(&bytes).map(|index| index.commits()), Some(3));
                found += 1;
            }
            std::thread::yield_now();
        }
        found
    });
    assert!(found > 0, "somebody wrote it");
    assert_eq!(world.authors(&first), world.authors(&second));
}

#[test]
fn what_is_only_read_is_not_written_to_but_read() {
    let world = World::new();
    let mirrors = world.process();
    mirrors.borrow(ID, world.repo.git_dir());
    assert_eq!(world.authors(&mirrors), ["Ada Lovelace", "Grace Hopper"]);
    mirrors.inner.changed_paths.settle();
    assert!(!world.repo.git_dir().join(FILE).exists());
    // A command that reads a server's mirror knows what that one knows.
    drop(world.synced());
    let command = Mirrors::open(world.folder.path().join("elsewhere")).expect("a folder");
    command.borrow(ID, world.mirror());
    assert_eq!(known(&command), 3);
}

#[test]
fn who_stops_all_ends_it_and_a_mirror_that_is_gone_is_none_to_look_at() {
    let world = World::new();
    let mirrors = world.synced();
    fs::remove_file(world.file()).expect("a file");
    mirrors.inner.changed_paths.catch_up(RepositoryId(8), &mirrors.inner.directory);
    mirrors.inner.changed_paths.settle();
    assert!(!world.folder.path().join("mirrors/8.git").exists());
    mirrors.interrupt();
    mirrors.inner.changed_paths.catch_up(ID, &mirrors.inner.directory);
    mirrors.inner.changed_paths.settle();
    assert!(!world.file().exists());
}

#[test]
fn the_same_question_has_the_same_answer_until_head_says_otherwise() {
    let world = World::new();
    let mirrors = world.synced();
    let head = mirrors.head(ID).expect("a mirror").expect("a commit").commit;
    let name = || mirrors.blame(ID, &head, "a.py", 2).expect("a mirror").map(|line| line.author.name);
    assert_eq!(name().as_deref(), Some("Grace Hopper"));
    assert_eq!(name().as_deref(), Some("Grace Hopper"));
    assert_eq!(mirrors.blame(ID, &head, "a.py", 3), Ok(None));
    assert_eq!(
        mirrors.blame(ID, &head, "b.py", 1).expect("a mirror").map(|line| line.summary).as_deref(),
        Some("Three")
    );
    world.repo.commit(ADA, DAY, &[(".mailmap", "Rear Admiral Hopper <grace@example.com>\n")], "A mailmap");
    mirrors.sync(&world.source()).expect("a fetch");
    assert_eq!(name().as_deref(), Some("Rear Admiral Hopper"), "people are called what HEAD says");
}
