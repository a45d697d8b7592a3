//! Mirrors whose files were lost or changed, and repositories that were made to do harm.

use crate::harness::git_repo::{GRACE, GitRepo, isolated_git};
use crate::mirrors::{ID, World};
use domain::blame::Author;
use domain::commit::CommitId;
use domain::timestamp::Timestamp;
use mirror::{MirrorError, Mirrors, Source};
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

/// A pack of the mirror, or its index.
fn pack(mirror: &Path, ending: &str) -> PathBuf {
    let all = fs::read_dir(mirror.join("objects/pack")).unwrap().map(|entry| entry.unwrap().path());
    all.into_iter().find(|path| path.extension().is_some_and(|it| it == ending)).unwrap()
}

/// Another content in the place of a file's, as of the same moment: what a disk makes of it.
fn rot(file: &Path, change: impl Fn(Vec<u8>) -> Vec<u8>) {
    let (was, bytes) = (fs::metadata(file).unwrap().modified().unwrap(), fs::read(file).unwrap());
    fs::remove_file(file).unwrap();
    fs::write(file, change(bytes)).unwrap();
    fs::File::options().write(true).open(file).unwrap().set_modified(was).unwrap();
}

type Damage = (&'static str, fn(&Path));

const DAMAGE: &[Damage] = &[
    ("cut", |mirror| rot(&pack(mirror, "pack"), |bytes| bytes[..bytes.len() / 2].to_vec())),
    ("zeros", |mirror| rot(&pack(mirror, "pack"), |bytes| vec![0; bytes.len()])),
    ("noise", |mirror| {
        let noise = |bytes: Vec<u8>| bytes.iter().enumerate().map(|(at, byte)| byte ^ (at * 31) as u8).collect();
        rot(&pack(mirror, "pack"), noise);
    }),
    ("zeros in the index", |mirror| rot(&pack(mirror, "idx"), |bytes| vec![0; bytes.len()])),
    ("no index", |mirror| fs::remove_file(pack(mirror, "idx")).unwrap()),
    ("no pack", |mirror| fs::remove_file(pack(mirror, "pack")).unwrap()),
    ("no objects", |mirror| fs::remove_dir_all(mirror.join("objects")).unwrap()),
    ("HEAD is nonsense", |mirror| fs::write(mirror.join("HEAD"), "nonsense").unwrap()),
    ("no HEAD", |mirror| fs::remove_file(mirror.join("HEAD")).unwrap()),
    ("no configuration", |mirror| fs::remove_file(mirror.join("config")).unwrap()),
    ("refs are nonsense", |mirror| fs::write(mirror.join("packed-refs"), "nonsense").unwrap()),
    ("a ref without its commit", |mirror| {
        fs::create_dir_all(mirror.join("refs/heads")).unwrap();
        fs::write(mirror.join("refs/heads/main"), format!("{}\n", "1".repeat(40))).unwrap();
    }),
    ("objects elsewhere", |mirror| {
        fs::create_dir_all(mirror.join("objects/info")).unwrap();
        fs::write(mirror.join("objects/info/alternates"), "/nowhere\n").unwrap();
    }),
];

impl World {
    /// Removes the mirror. What another test starts has all open files until it begins, and with
    /// them the lock of this mirror, whose fetch has just ended.
    pub(crate) fn remove(&self) {
        let is_gone = (0..400).any(|_| {
            let is_gone = self.mirrors.remove(ID).unwrap();
            if !is_gone {
                std::thread::sleep(Duration::from_millis(25));
            }
            is_gone
        });
        assert!(is_gone);
    }
}

#[test]
fn damage_of_every_kind_is_said_and_mended_by_another_clone() {
    let world = World::cloned();
    for (what, damage) in DAMAGE {
        assert_eq!(world.mirrors.damage(ID).unwrap(), None, "before {what}");
        damage(&world.root.join("7.git"));
        // A process that another story starts has the mirror's lock, too, until it is what it is to
        // be; and a mirror that is at work is not looked at.
        let said = (0..100).find_map(|_| {
            std::thread::sleep(Duration::from_millis(10));
            world.mirrors.damage(ID).unwrap()
        });
        assert!(said.is_some(), "{what} is not seen");
        // Handles that were open before may know better for a while.
        let mirrors = Mirrors::open(world.root.clone()).unwrap();
        let _ = mirrors.lines(ID, &world.head(), "shop/cart.py");
        let synced = mirrors.sync(&world.source(None));
        assert!(synced.as_ref().is_ok_and(|synced| synced.cloned), "{what}: {said:?}, {synced:?}");
        assert_eq!(mirrors.damage(ID).unwrap(), None, "after {what}");
        assert_eq!(mirrors.lines(ID, &world.head(), "shop/cart.py").unwrap().unwrap().len(), 2, "{what}");
        world.assert_same_refs();
        assert!(!mirrors.sync(&world.source(None)).unwrap().cloned, "{what}: it is whole again");
    }
}

#[test]
fn a_damaged_mirror_stays_until_there_is_another() {
    let world = World::cloned();
    rot(&pack(&world.root.join("7.git"), "pack"), |bytes| vec![0; bytes.len()]);
    let mirrors = Mirrors::open(world.root.clone()).unwrap();
    assert!(matches!(mirrors.lines(ID, &world.head(), "shop/cart.py"), Err(MirrorError::Git { .. })));
    assert!(mirrors.is_suspected(ID));
    let gone = Source { url: format!("{}/nowhere.git", world.server.url("acme")), ..world.source(None) };
    assert!(mirrors.sync(&gone).is_err());
    assert!(mirrors.exists(ID) && mirrors.is_suspected(ID), "what is left of it is still there");
    assert!(mirrors.sync(&world.source(None)).unwrap().cloned);
    assert!(!mirrors.is_suspected(ID));
}

#[test]
fn what_is_broken_at_its_source_is_cloned_anew_once() {
    let world = World::cloned();
    let mirror = world.root.join("7.git");
    let missing = CommitId::new("2".repeat(40));
    // A commit whose tree nobody has.
    let commit = format!("tree {missing}\nauthor A <a@x.com> 1 +0000\ncommitter A <a@x.com> 1 +0000\n\nx\n");
    world.repo.write("commit", &commit);
    let broken = CommitId::new(world.repo.git(&["hash-object", "-t", "commit", "-w", "--literally", "commit"]));
    fs::remove_file(world.repo.path().join("commit")).unwrap();
    let from = world.repo.git_dir().join("objects").join(&broken.as_str()[..2]);
    let to = mirror.join("objects").join(&broken.as_str()[..2]);
    let bring = || {
        fs::create_dir_all(&to).unwrap();
        for entry in fs::read_dir(&from).unwrap() {
            let entry = entry.unwrap();
            let _ = fs::copy(entry.path(), to.join(entry.file_name()));
        }
    };
    bring();
    for expected in [true, false, false] {
        assert!(world.mirrors.lines(ID, &broken, "shop/cart.py").is_err());
        assert_eq!(world.sync().cloned, expected);
        bring();
    }
}

/// What git prints for an input.
fn git(repo: &GitRepo, arguments: &[&str], input: &[u8]) -> String {
    let mut command = isolated_git();
    command.current_dir(repo.path()).args(arguments);
    let mut git = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    git.stdin.take().unwrap().write_all(input).unwrap();
    let output = git.wait_with_output().unwrap();
    assert!(output.status.success(), "git {arguments:?}");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

#[test]
fn a_mirror_that_rots_again_is_cloned_again() {
    let world = World::cloned();
    let mirror = world.root.join("7.git");
    let blob = world.repo.git(&["rev-parse", "HEAD:shop/cart.py"]);
    for time in 1..=3 {
        let index = pack(&mirror, "idx");
        let listed = git(&world.repo, &["verify-pack", "-v", index.to_str().unwrap()], b"");
        let line = listed.lines().find(|line| line.starts_with(blob.trim())).unwrap();
        // Its size in the pack, and where it begins. HEAD and its tree can still be read.
        let numbers: Vec<usize> = line.split_whitespace().skip(3).take(2).map(|it| it.parse().unwrap()).collect();
        rot(&pack(&mirror, "pack"), |mut bytes| {
            bytes[numbers[1] + numbers[0] / 2] ^= 0xff;
            bytes
        });
        assert!(world.mirrors.lines(ID, &world.head(), "shop/cart.py").is_err(), "{time}");
        assert_eq!(world.mirrors.damage(ID).unwrap(), Some("something in it could not be read".to_owned()));
        assert!(world.sync().cloned, "{time}");
        assert_eq!(world.mirrors.damage(ID).unwrap(), None);
    }
}

#[test]
fn a_tree_that_is_too_large_to_be_listed_is_looked_up_by_whole_paths() {
    let world = World::new();
    let blob = git(&world.repo, &["hash-object", "-w", "--stdin"], b"boom\n");
    let entries = |kind: &str, id: &str| (0..10).map(|at| format!("{kind} {id}\td{at}.py\n")).collect::<String>();
    let mut tree = git(&world.repo, &["mktree"], entries("100644 blob", &blob).as_bytes());
    for _ in 0..9 {
        tree = git(&world.repo, &["mktree"], entries("040000 tree", &tree).as_bytes());
    }
    let shop = git(&world.repo, &["mktree"], format!("100644 blob {blob}\tcart.py\n").as_bytes());
    let root =
        git(&world.repo, &["mktree"], format!("040000 tree {tree}\tbomb\n040000 tree {shop}\tshop\n").as_bytes());
    let commit = world.repo.git(&["commit-tree", "-m", "Boom", &root]);
    world.repo.git(&["update-ref", "refs/heads/main", &commit]);
    world.sync();
    let commit = CommitId::new(commit);
    let found = world
        .mirrors
        .candidates(ID, &commit, &domain::frame_names::parts_of("/srv/app/shop/cart.py"), mirror::Search::default())
        .unwrap();
    assert_eq!(found.iter().map(|one| one.path.as_str()).collect::<Vec<_>>(), ["shop/cart.py"]);
    assert!(
        world
            .mirrors
            .candidates(ID, &commit, &domain::frame_names::parts_of("/srv/app/cart.py"), mirror::Search::default())
            .unwrap()
            .is_empty()
    );
    assert!(world.mirrors.files(ID, &commit).unwrap().len() <= 500_000);
    assert_eq!(world.mirrors.blame(ID, &commit, "shop/cart.py", 1).unwrap().unwrap().summary, "Boom");
}

#[test]
fn paths_names_and_messages_that_no_person_writes_do_no_harm() {
    let world = World::new();
    let blob = git(&world.repo, &["hash-object", "-w", "--stdin"], b"one\n");
    let link = git(&world.repo, &["hash-object", "-w", "--stdin"], b"link.py");
    let many = "one\n".repeat(500_001);
    let lines = git(&world.repo, &["hash-object", "-w", "--stdin"], many.as_bytes());
    let long = "x".repeat(1 << 20);
    let mut tree = Vec::new();
    for (mode, id, name) in [
        ("100644 blob", &blob, "a\nb.py"),
        ("100644 blob", &blob, "good.py"),
        ("120000 blob", &link, "link.py"),
        ("100644 blob", &lines, "many.py"),
        ("160000 commit", &"1".repeat(40), "module.py"),
        ("100644 blob", &blob, &format!("{long}.py")),
    ] {
        tree.extend(format!("{mode} {id}\t{name}\0").into_bytes());
    }
    tree.extend(format!("100644 blob {blob}\t").into_bytes());
    tree.extend(b"\xff\xfe.py\0");
    let tree = git(&world.repo, &["mktree", "-z", "--missing"], &tree);
    let mut raw =
        format!("tree {tree}\nauthor {long} <{long}@x.com> 1 +0000\ncommitter A <a@x.com> 1 +0000\n\n").into_bytes();
    raw.extend(b"\xff\xfe");
    raw.extend(long.as_bytes());
    let commit = git(&world.repo, &["hash-object", "-t", "commit", "-w", "--literally", "--stdin"], &raw);
    world.repo.git(&["update-ref", "refs/heads/main", &commit]);
    world.sync();
    let commit = CommitId::new(commit);
    assert_eq!(world.mirrors.files(ID, &commit).unwrap(), ["good.py", "many.py"]);
    for path in ["link.py", "module.py", "a\nb.py", "../good.py/..", "many.py"] {
        assert_eq!(
            world.mirrors.lines(ID, &commit, path).unwrap().filter(|lines| path != "a\nb.py" || lines.len() != 1),
            None,
            "{path}"
        );
    }
    let blame = world.mirrors.blame(ID, &commit, "good.py", 1).unwrap().unwrap();
    assert!(blame.author.name.len() <= 250 && blame.author.email.len() <= 250 && blame.summary.len() <= 800);
    assert!(blame.author.name.starts_with("xxx"));
    assert_eq!(world.mirrors.blame(ID, &commit, "a\nb.py", 1).unwrap(), None);
    let year = Timestamp::from_seconds(0);
    assert_eq!(world.mirrors.active_authors_of_file(ID, "good.py", year).unwrap().len(), 1);
}

/// A commit of the head's tree as no tool would write it; nothing checks it.
fn malformed(repo: &GitRepo, author: &str, committer: &str) -> String {
    let (tree, head) = (repo.git(&["rev-parse", "HEAD^{tree}"]), repo.head());
    let text = format!("tree {tree}\nparent {head}\n{author}{committer}\nOdd\n");
    let file = repo.path().join("odd");
    fs::write(&file, text).unwrap();
    let id = repo.git(&["hash-object", "-t", "commit", "-w", "--literally", file.to_str().unwrap()]);
    fs::remove_file(file).unwrap();
    id
}

#[test]
fn a_malformed_commit_keeps_no_mirror_from_following() {
    const SOUND: &str = "Ada <ada@example.com> 1770000000 +0000\n";
    let cases = [
        ("author Ada <ada@example.com 1770000000 +0000\n".to_owned(), format!("committer {SOUND}")),
        ("author Ada 1770000000 +0000\n".to_owned(), format!("committer {SOUND}")),
        (format!("author {SOUND}"), "committer Ada <ada@example.com 1770000000 +0000\n".to_owned()),
        (format!("author {SOUND}"), "committer Ada <ada@example.com> yesterday\n".to_owned()),
        ("author Ada <ada@example.com 1 +0000\n".to_owned(), "committer Ada 1 +0000\n".to_owned()),
        (String::new(), String::new()),
    ];
    for (author, committer) in cases {
        let what = format!("{author}{committer}");
        let world = World::cloned();
        let odd = malformed(&world.repo, &author, &committer);
        world.repo.force(&odd);
        for round in 0..3 {
            let synced = world.mirrors.sync(&world.source(None)).unwrap_or_else(|error| panic!("{what}{error}"));
            assert!(synced.changed, "{what}");
            assert_eq!(synced.head.unwrap().commit, world.head(), "{what}");
            let again = world.mirrors.sync(&world.source(None)).unwrap_or_else(|error| panic!("{what}{error}"));
            assert!(!again.changed && !again.cloned, "{what}");
            world.mirrors.newest_commit_at(ID).unwrap_or_else(|error| panic!("{what}{error}"));
            let ada = Author { name: "Ada".into(), email: "ada@example.com".into() };
            let last = world.mirrors.last_commit_of(ID, &ada, Timestamp::UNIX_EPOCH);
            assert!(last.unwrap_or_else(|error| panic!("{what}{error}")).is_some(), "{what}: what is older is read");
            let text = format!("def total():\n    return {round}\n");
            world.repo.commit(GRACE, "2026-02-04T04:05:06+02:00", &[("shop/cart.py", &text)], "Next");
        }
    }
}

#[test]
fn a_commit_with_a_message_that_fills_the_memory_is_not_read() {
    let world = World::cloned();
    let ada = Author { name: "Ada".into(), email: "ada@example.com".into() };
    let last = || world.mirrors.last_commit_of(ID, &ada, Timestamp::UNIX_EPOCH).unwrap();
    let message = world.root.with_file_name("message");
    fs::write(&message, vec![b'x'; (64 << 20) + 1]).unwrap();
    world.repo.git(&["commit", "--quiet", "--allow-empty", "--file", message.to_str().unwrap()]);
    let huge = world.head();
    assert_eq!(world.sync().head.unwrap().commit, huge);
    let error = world.mirrors.commit(ID, &huge).unwrap_err();
    assert!(
        matches!(error, MirrorError::NotRead { .. }) && error.to_string().ends_with("so it is not read"),
        "{error}"
    );
    assert_eq!((world.mirrors.newest_commit_at(ID), last()), (Ok(None), None));
    // The mirror is as sound as its source: nothing is cloned anew.
    assert!(!world.mirrors.is_suspected(ID));
    assert_eq!(world.mirrors.damage(ID), Ok(None));

    world.repo.commit(GRACE, "2026-02-04T04:05:06+02:00", &[("b.py", "b\n")], "Next");
    assert!(!world.sync().cloned);
    assert_eq!(world.mirrors.commit(ID, &world.head()).unwrap().unwrap().summary, "Next");
    assert!(world.mirrors.newest_commit_at(ID).unwrap().is_some());
}
