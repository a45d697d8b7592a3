//! Mirrors of real repositories over a real git server: nothing is faked but the history.

use crate::harness::git_repo::{ADA, Blamed, GRACE, GitRepo, LINUS};
use crate::harness::git_server::{Fault, GitServer};
use domain::commit::CommitId;
use domain::frame_names::parts_of;
use domain::ids::RepositoryId;
use domain::timestamp::Timestamp;
use mirror::{Head, MirrorError, Mirrors, Search, Source, full_id};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Barrier;
use std::time::Duration;

pub(crate) const ID: RepositoryId = RepositoryId(7);
const TOKEN: &str = "ghs_0123456789abcdefghijklmnopqrstuvwxyz";
pub(crate) const DAY: &str = "2026-02-03T04:05:06+02:00";

/// A repository `acme/shop`, its server, and mirrors that know neither yet.
pub(crate) struct World {
    pub(crate) mirrors: Mirrors,
    pub(crate) server: GitServer,
    pub(crate) repo: GitRepo,
    pub(crate) root: PathBuf,
    _directory: tempfile::TempDir,
}

impl World {
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let repo = GitRepo::init(directory.path().join("work"));
        let server = GitServer::start();
        server.host.serve("acme/shop", repo.git_dir());
        let root = directory.path().join("mirrors");
        Self { mirrors: Mirrors::open(root.clone()).unwrap(), server, repo, root, _directory: directory }
    }

    /// With one commit, mirrored.
    pub(crate) fn cloned() -> Self {
        let world = Self::new();
        world.commit(ADA, DAY, &[("shop/cart.py", "def total():\n    return 1\n")], "Add a cart");
        assert!(world.mirrors.sync(&world.source(None)).unwrap().cloned);
        world
    }

    pub(crate) fn source(&self, token: Option<&str>) -> Source {
        Source { id: ID, url: self.server.url("acme/shop"), token: token.map(str::to_owned) }
    }

    pub(crate) fn sync(&self) -> mirror::Synced {
        self.mirrors.sync(&self.source(None)).unwrap()
    }

    pub fn resolve(&self, revision: &str) -> Option<CommitId> {
        self.mirrors.resolve(ID, revision).unwrap()
    }

    pub(crate) fn commit(&self, person: &str, date: &str, files: &[(&str, &str)], message: &str) -> CommitId {
        CommitId::new(self.repo.commit(person, date, files, message))
    }

    pub(crate) fn head(&self) -> CommitId {
        CommitId::new(self.repo.head())
    }

    fn packs(&self) -> usize {
        let directory = self.root.join("7.git/objects/pack");
        fs::read_dir(directory)
            .unwrap()
            .filter(|entry| entry.as_ref().unwrap().path().extension().is_some_and(|e| e == "pack"))
            .count()
    }

    /// What git itself says of the mirror.
    fn refs(&self, of: &Path) -> Vec<String> {
        let git = GitRepo::open(of);
        let all = git.git(&["for-each-ref", "--format=%(refname) %(objectname)", "refs/heads", "refs/tags"]);
        all.lines().map(str::to_owned).collect()
    }

    pub(crate) fn assert_same_refs(&self) {
        assert_eq!(self.refs(&self.root.join("7.git")), self.refs(self.repo.path()));
        GitRepo::open(self.root.join("7.git")).git(&["fsck", "--strict", "--no-progress", "--no-dangling"]);
    }
}

/// Every file below a directory.
fn files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

#[test]
fn a_private_repository_is_cloned_with_a_token_that_is_written_nowhere() {
    let world = World::new();
    world.commit(ADA, DAY, &[("a.py", "one\n")], "One");
    world.server.host.accept_only(&[TOKEN]);
    let head = Head { branch: Some("main".into()), commit: world.head() };

    assert!(!world.mirrors.exists(ID));
    let synced = world.mirrors.sync(&world.source(Some(TOKEN))).unwrap();
    assert_eq!((synced.head.as_ref(), synced.cloned, synced.changed), (Some(&head), true, true));
    let again = world.mirrors.sync(&world.source(Some(TOKEN))).unwrap();
    assert_eq!((again.head.as_ref(), again.cloned, again.changed), (Some(&head), false, false));
    assert_eq!(world.mirrors.head(ID).unwrap(), Some(head));
    assert!(world.mirrors.exists(ID) && world.mirrors.progress(ID).is_none());

    for path in files(&world.root) {
        let content = fs::read(&path).unwrap();
        for secret in [TOKEN.as_bytes(), b"Authorization", b"x-access-token", b"eC1hY2Nlc3MtdG9rZW4"] {
            assert!(!content.windows(secret.len()).any(|window| window == secret), "{} has a secret", path.display());
        }
    }
    // A password in the URL of a plain repository is kept from the disk as well.
    let url = world.server.url("acme/shop").replace("http://", &format!("http://x-access-token:{TOKEN}@"));
    let source = Source { id: RepositoryId(8), url, token: None };
    world.mirrors.sync(&source).unwrap();
    for path in files(&world.root) {
        let content = fs::read(&path).unwrap();
        assert!(!content.windows(TOKEN.len()).any(|window| window == TOKEN.as_bytes()), "{} has it", path.display());
    }
}

#[test]
fn each_refusal_has_its_own_error() {
    let world = World::new();
    world.commit(ADA, DAY, &[("a.py", "one\n")], "One");
    world.server.host.accept_only(&[TOKEN]);
    for token in [None, Some("ghs_expired")] {
        let error = world.mirrors.sync(&world.source(token)).unwrap_err();
        assert!(matches!(error, MirrorError::Unauthorized { .. }), "{error:?}");
        assert!(!error.to_string().contains("ghs_"), "{error}");
    }
    world.mirrors.sync(&world.source(Some(TOKEN))).unwrap();
    world.server.host.accept_only(&["ghs_next"]);
    let error = world.mirrors.sync(&world.source(Some(TOKEN))).unwrap_err();
    assert!(matches!(error, MirrorError::Unauthorized { .. }), "{error:?}");
    world.mirrors.sync(&world.source(Some("ghs_next"))).unwrap();

    let mut source = world.source(Some("ghs_next"));
    source.url = world.server.url("acme/nothing");
    let error = world.mirrors.sync(&source).unwrap_err();
    assert!(matches!(error, MirrorError::NotFound { .. }) && !error.is_permanent(), "{error:?}");
    world.server.host.fault(Fault::Status(403));
    let error = world.mirrors.sync(&world.source(Some("ghs_next"))).unwrap_err();
    assert!(matches!(error, MirrorError::Forbidden { .. }), "{error:?}");
    world.server.host.fault(Fault::Status(503));
    let error = world.mirrors.sync(&world.source(Some("ghs_next"))).unwrap_err();
    assert!(matches!(error, MirrorError::Unreachable { .. }) && !error.is_permanent(), "{error:?}");
    // Nobody listens on the discard port of loopback.
    source.url = "http://127.0.0.1:9/acme/shop.git".into();
    let error = world.mirrors.sync(&source).unwrap_err();
    assert!(matches!(error, MirrorError::Unreachable { .. }) && !error.is_permanent(), "{error:?}");
    assert!(error.to_string().contains("refused"), "says why: {error}");
    assert_eq!(world.mirrors.head(RepositoryId(9)), Err(MirrorError::NoMirror(RepositoryId(9))));
}

#[test]
fn pushes_of_every_kind_arrive() {
    let world = World::cloned();
    let first = world.head();
    world.repo.tag("v1");
    world.repo.branch("topic");
    let topic = world.commit(GRACE, DAY, &[("b.py", "b\n")], "B");
    world.repo.annotated_tag("v2");
    assert!(world.sync().changed);
    world.assert_same_refs();
    assert_eq!(world.resolve("v2").as_ref(), Some(&topic));

    // A branch makes room for others below its name; one is deleted; a tag and a branch are forced
    // elsewhere.
    world.repo.switch("main");
    world.repo.delete_branch("topic");
    world.repo.branch("topic/one");
    world.repo.switch("main");
    world.commit(LINUS, DAY, &[("c.py", "c\n")], "C");
    world.repo.tag("v1");
    world.repo.git(&["tag", "--delete", "v2"]);
    assert!(world.sync().changed);
    world.assert_same_refs();
    let lost = world.head();
    world.repo.force(first.as_str());
    let head = world.commit(LINUS, DAY, &[("d.py", "d\n")], "D");
    let synced = world.sync();
    assert_eq!(synced.head, Some(Head { branch: Some("main".into()), commit: head.clone() }));
    world.assert_same_refs();
    assert!(!world.sync().changed);

    // What was deployed before the forced push can still be blamed.
    assert_eq!(world.resolve(lost.as_str()), Some(lost.clone()));
    assert!(world.mirrors.lines(ID, &lost, "c.py").unwrap().is_some());
    assert!(world.mirrors.contains(ID, &first, &lost).unwrap());
    assert!(!world.mirrors.contains(ID, &lost, &head).unwrap());
    assert!(world.mirrors.contains(ID, &head, &head).unwrap());

    // The default branch changes, and the old one goes.
    world.repo.git(&["branch", "--move", "main", "trunk"]);
    let synced = world.sync();
    assert!(synced.changed);
    assert_eq!(synced.head.unwrap().branch.as_deref(), Some("trunk"));
    world.assert_same_refs();
    // The source's HEAD at a bare commit.
    world.repo.git(&["switch", "--quiet", "--detach", first.as_str()]);
    assert_eq!(world.sync().head, Some(Head { branch: None, commit: first }));
}

#[test]
fn a_repository_without_commits_is_no_fault() {
    let world = World::new();
    let synced = world.sync();
    assert_eq!((synced.head, synced.cloned), (None, true));
    assert!(!world.sync().cloned);
    assert_eq!(world.mirrors.head_file(ID, "a.py"), Ok(None));
    assert_eq!(world.resolve("main"), None);
    let first = world.commit(ADA, DAY, &[("a.py", "one\n")], "One");
    assert_eq!(world.sync().head.unwrap().commit, first);
    let (_, text) = world.mirrors.head_file(ID, "a.py").unwrap().unwrap();
    assert_eq!(text, "one\n");
}

#[test]
fn what_a_killed_run_left_is_cleared_away() {
    let world = World::cloned();
    world.commit(GRACE, DAY, &[("b.py", "b\n")], "B");
    let World { mirrors, server, repo, root, _directory } = world;
    drop(mirrors);
    let left = [
        "9.git.tmp-123-0/objects/pack/.tmpAbC",
        "7.git/objects/pack/.tmpDeF",
        "7.git/refs/heads/main.lock",
        "7.git/packed-refs.lock",
    ];
    for path in left {
        fs::create_dir_all(root.join(path).parent().unwrap()).unwrap();
        fs::write(root.join(path), "").unwrap();
    }
    // A program that another story starts just now holds the lock for a moment, as every open file
    // until it is replaced.
    let mut mirrors = Mirrors::open(root.clone()).unwrap();
    for _ in 0..100 {
        if left.iter().all(|path| !root.join(path).exists()) {
            break;
        }
        drop(mirrors);
        std::thread::sleep(Duration::from_millis(20));
        mirrors = Mirrors::open(root.clone()).unwrap();
    }
    for path in left {
        assert!(!root.join(path).exists(), "{path}");
    }
    let synced = mirrors.sync(&Source { id: ID, url: server.url("acme/shop"), token: None }).unwrap();
    assert_eq!(synced.head.unwrap().commit, repo.head().as_str());

    // Beside a running process nothing is deleted: it may be at work there.
    fs::create_dir(root.join("9.git.tmp-9-9")).unwrap();
    let second = Mirrors::open(root.clone()).unwrap();
    assert!(root.join("9.git.tmp-9-9").exists() && second.exists(ID));
}

#[test]
fn a_cut_transfer_leaves_nothing_and_the_next_one_succeeds() {
    let world = World::new();
    let noise: String = (0..2000_u32).map(|n| format!("{}\n", n.wrapping_mul(2_654_435_761))).collect();
    world.commit(ADA, DAY, &[("noise.txt", &noise)], "Noise");
    world.server.host.fault(Fault::CutPack);
    let error = world.mirrors.sync(&world.source(None)).unwrap_err();
    assert!(!error.is_permanent(), "{error:?}");
    assert!(!world.mirrors.exists(ID));
    assert_eq!(fs::read_dir(&world.root).unwrap().filter(|entry| entry.as_ref().unwrap().path().is_dir()).count(), 0);
    world.sync();

    world.commit(ADA, DAY, &[("more.txt", &noise.replace('1', "x"))], "More");
    world.server.host.fault(Fault::CutPack);
    let error = world.mirrors.sync(&world.source(None)).unwrap_err();
    assert!(!error.is_permanent(), "{error:?}");
    assert!(world.sync().changed);
    world.assert_same_refs();
}

#[test]
fn a_damaged_mirror_is_cloned_anew() {
    let world = World::cloned();
    fs::write(world.root.join("7.git/HEAD"), "nonsense").unwrap();
    fs::remove_dir_all(world.root.join("7.git/objects")).unwrap();
    assert!(world.sync().cloned);
    world.assert_same_refs();
    world.remove();
    assert!(!world.mirrors.exists(ID));
    world.remove();
    assert!(matches!(world.mirrors.lines(ID, &world.head(), "shop/cart.py"), Err(MirrorError::NoMirror(_))));
    assert!(world.sync().cloned);
    assert_eq!(world.mirrors.lines(ID, &world.head(), "shop/cart.py").unwrap().unwrap().len(), 2);
}

#[test]
fn who_waits_for_a_fetch_shares_the_next_one() {
    let world = World::cloned();
    let head = world.commit(GRACE, DAY, &[("b.py", "b\n")], "B");
    let before = world.server.host.conversations();
    world.server.host.fault(Fault::Stall(Duration::from_millis(500)));
    let barrier = Barrier::new(8);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                barrier.wait();
                assert_eq!(world.sync().head.unwrap().commit, head);
            });
        }
    });
    // The first one's, and one for all that came while it ran.
    let made = world.server.host.conversations() - before;
    assert!((1..=2).contains(&made), "{made} conversations for 8 calls");
}

#[test]
fn two_processes_take_turns() {
    let world = World::cloned();
    let other = Mirrors::open(world.root.clone()).unwrap();
    std::thread::scope(|scope| {
        for mirrors in [&world.mirrors, &other] {
            let world = &world;
            scope.spawn(move || {
                for _ in 0..5 {
                    mirrors.sync(&world.source(None)).unwrap();
                }
            });
        }
        for n in 0..5 {
            world.commit(GRACE, DAY, &[("b.py", &format!("{n}\n"))], "B");
        }
    });
    // One removes and clones anew under the other's open store.
    let head = world.head();
    world.sync();
    assert_eq!(*other.lines(ID, &head, "b.py").unwrap().unwrap(), ["4"]);
    world.remove();
    let next = world.commit(GRACE, DAY, &[("b.py", "new\n")], "B");
    world.sync();
    assert_eq!(*other.lines(ID, &next, "b.py").unwrap().unwrap(), ["new"]);
}

#[test]
fn a_shutdown_stops_what_runs_and_what_comes() {
    let world = World::cloned();
    world.commit(GRACE, DAY, &[("b.py", "b\n")], "B");
    world.server.host.fault(Fault::Stall(Duration::from_millis(500)));
    std::thread::scope(|scope| {
        let running = scope.spawn(|| world.mirrors.sync(&world.source(None)));
        while world.server.host.conversations() < 2 {
            std::thread::sleep(Duration::from_millis(5));
        }
        assert_eq!(world.mirrors.progress(ID).unwrap().phase, "connecting");
        world.mirrors.interrupt();
        assert_eq!(running.join().unwrap(), Err(MirrorError::Interrupted));
    });
    assert_eq!(world.mirrors.sync(&world.source(None)), Err(MirrorError::Interrupted));
    assert!(world.mirrors.head(ID).unwrap().is_some(), "reading goes on");
}

#[test]
fn a_commit_that_no_branch_reaches_is_fetched_by_its_id() {
    let world = World::cloned();
    let first = world.head();
    let lost = world.commit(GRACE, DAY, &[("lost.py", "lost\n")], "Lost");
    world.repo.force(first.as_str());
    world.sync();
    assert_eq!(world.resolve(lost.as_str()), None);
    assert_eq!(full_id(&format!("shop@{lost}")), Some(lost.clone()));
    assert!(world.mirrors.fetch_commit(&world.source(None), &lost).unwrap());
    assert_eq!(world.resolve(&format!("shop@{lost}")), Some(lost.clone()));
    assert!(world.mirrors.fetch_commit(&world.source(None), &lost).unwrap(), "a second time is no fault");
    world.sync();
    assert_eq!(world.resolve(lost.as_str()), Some(lost.clone()), "pruning spares it");
    assert_eq!(world.mirrors.blame(ID, &lost, "lost.py", 1).unwrap().unwrap().commit, lost);
    let unknown = CommitId::new("0123456789".repeat(4));
    assert_eq!(world.mirrors.fetch_commit(&world.source(None), &unknown), Ok(false));
}

#[test]
fn what_is_being_fetched_is_called_off_and_deleted_the_next_time() {
    let world = World::cloned();
    world.commit(GRACE, DAY, &[("more.py", "more\n")], "More");
    world.server.host.fault(Fault::Stall(Duration::from_secs(2)));
    std::thread::scope(|scope| {
        let conversations = world.server.host.conversations();
        let running = scope.spawn(|| world.mirrors.sync(&world.source(None)));
        while world.server.host.conversations() == conversations {
            std::thread::sleep(Duration::from_millis(5));
        }
        assert!(!world.mirrors.remove(ID).unwrap(), "nobody waits for it");
        assert_eq!((running.join().unwrap().err(), world.mirrors.exists(ID)), (Some(MirrorError::Interrupted), true));
    });
    world.remove();
    assert!(!world.mirrors.exists(ID));
}

#[test]
fn a_commit_is_noted_to_come_by_its_id_before_it_arrives() {
    let world = World::cloned();
    let first = world.head();
    let lost = world.commit(GRACE, DAY, &[("lost.py", "lost\n")], "Lost");
    world.repo.force(first.as_str());
    world.sync();
    // The pack arrives, and its ref can't be written.
    let pinned = world.root.join("7.git/refs/pinned");
    let in_the_way = pinned.join(lost.as_str()).join("another");
    fs::create_dir_all(in_the_way.parent().unwrap()).unwrap();
    fs::write(&in_the_way, format!("{}\n", first.as_str())).unwrap();
    world.mirrors.fetch_commit(&world.source(None), &lost).unwrap_err();
    assert_eq!(world.resolve(lost.as_str()), Some(lost.clone()), "it is here");
    assert!(world.mirrors.is_stray(ID, &lost).unwrap());
    fs::remove_dir_all(&pinned).unwrap();
    world.sync();
    assert!(pinned.join(lost.as_str()).is_file() && world.mirrors.is_stray(ID, &lost).unwrap());
    assert!(!world.root.join("7.git").join("flawless-wanted").exists());
    // One that nobody has is not asked for again because of a note.
    let unknown = CommitId::new("0123456789".repeat(4));
    assert_eq!(world.mirrors.fetch_commit(&world.source(None), &unknown), Ok(false));
    assert!(!world.root.join("7.git").join("flawless-wanted").exists());
}

#[test]
fn a_revision_that_is_here_and_cannot_be_read_is_not_one_that_is_missing() {
    let world = World::cloned();
    let id = "0123456789".repeat(4);
    let folder = world.root.join("7.git").join("objects").join(&id[..2]);
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join(&id[2..]), "nonsense").unwrap();
    for name in [id.as_str(), "shop@1.0+0123456789"] {
        world.mirrors.resolve(ID, name).unwrap_err();
        assert!(world.mirrors.is_suspected(ID), "so that the next fetch looks into it");
    }
    let head = world.head();
    assert_eq!(world.resolve(&format!("{}+0123456789", head.as_str())), Some(head), "another meaning is found");
}

#[test]
fn packs_are_joined_before_they_become_too_many() {
    let world = World::cloned();
    let text = |n: usize| (0..=n).map(|line| format!("line {line}\n")).collect::<String>();
    let mut commits = vec![world.head()];
    let mut most = 0;
    for n in 0..60 {
        commits.push(world.commit(GRACE, DAY, &[("grows.py", &text(n))], &format!("Push {n}")));
        assert!(world.sync().changed);
        // A store that stays open while packs come and go.
        assert_eq!(world.mirrors.lines(ID, &commits[n + 1], "grows.py").unwrap().unwrap().len(), n + 1);
        most = most.max(world.packs());
    }
    assert!((40..=50).contains(&most), "at most {most} packs at a time");
    assert!(world.packs() < 20, "{} packs are left", world.packs());
    world.assert_same_refs();
    for (n, commit) in commits.iter().enumerate().skip(1) {
        assert_eq!(world.resolve(&commit.as_str()[..10]).as_ref(), Some(commit));
        assert_eq!(world.mirrors.blame(ID, &commits[60], "grows.py", n as u32).unwrap().unwrap().commit, *commit);
    }
}

#[test]
fn a_renamed_repository_is_found_at_its_new_name() {
    let world = World::cloned();
    world.server.host.rename("acme/shop", "acme/store");
    let head = world.commit(GRACE, DAY, &[("b.py", "b\n")], "B");
    assert_eq!(world.sync().head.unwrap().commit, head);
    // Over plain http a token travels as a header, with which gix follows no redirect by itself.
    world.server.host.accept_only(&[TOKEN]);
    let head = world.commit(GRACE, DAY, &[("b.py", "bb\n")], "B");
    assert_eq!(world.mirrors.sync(&world.source(Some(TOKEN))).unwrap().head.unwrap().commit, head);
    world.server.host.accept_only(&["ghs_other"]);
    let error = world.mirrors.sync(&world.source(Some(TOKEN))).unwrap_err();
    assert!(matches!(error, MirrorError::Unauthorized { .. }), "{error:?}");
}

#[test]
fn a_repository_on_this_machine_is_mirrored_by_its_path() {
    let world = World::cloned();
    let path = world.repo.path().to_str().unwrap().to_owned();
    for (id, url) in [(1, path.clone()), (2, format!("file://{path}")), (3, format!("{path}/.git"))] {
        let source = Source { id: RepositoryId(id), url, token: None };
        assert_eq!(world.mirrors.sync(&source).unwrap().head.unwrap().commit, world.head());
        assert!(!world.mirrors.sync(&source).unwrap().changed);
    }
    let empty = tempfile::tempdir().unwrap();
    let source = Source { id: RepositoryId(4), url: empty.path().to_str().unwrap().to_owned(), token: None };
    let error = world.mirrors.sync(&source).unwrap_err();
    // A volume that is not mounted looks the same: it is tried again.
    assert!(matches!(error, MirrorError::Unreachable { .. }) && !error.is_permanent(), "{error:?}");
}

#[test]
fn sources_that_cannot_be_blamed_are_refused_by_name() {
    let world = World::cloned();
    world.commit(GRACE, DAY, &[("b.py", "b\n")], "B");
    let directory = tempfile::tempdir().unwrap();
    let shallow = directory.path().join("shallow");
    world.repo.git(&[
        "clone",
        "--quiet",
        "--depth=1",
        &format!("file://{}", world.repo.path().display()),
        shallow.to_str().unwrap(),
    ]);
    world.server.host.serve("acme/shallow", shallow.join(".git"));
    let sha256 = GitRepo::init_with(directory.path().join("sha256"), &["--object-format=sha256"]);
    sha256.commit(ADA, DAY, &[("a.py", "a\n")], "A");
    world.server.host.serve("acme/sha256", sha256.git_dir());

    let sync =
        |name: &str| world.mirrors.sync(&Source { id: RepositoryId(9), url: world.server.url(name), token: None });
    let error = sync("acme/shallow").unwrap_err();
    assert!(matches!(error, MirrorError::Shallow { .. }) && error.is_permanent(), "{error:?}");
    let error = sync("acme/sha256").unwrap_err();
    assert!(matches!(error, MirrorError::Sha256 { .. }) && error.is_permanent(), "{error:?}");
    assert!(!world.mirrors.exists(RepositoryId(9)));
}

#[test]
fn releases_of_every_custom_lead_to_their_commit() {
    let world = World::cloned();
    let one = world.head();
    world.repo.annotated_tag("v1.4.2");
    world.repo.branch("release-2.0");
    let two = world.commit(GRACE, DAY, &[("b.py", "b\n")], "B");
    world.repo.tag("shop@3.0.0");
    world.repo.tag("worker/v3.0.0");
    world.repo.switch("main");
    let three = world.commit(GRACE, DAY, &[("c.py", "c\n")], "C");
    world.repo.tag("3.0.0");
    world.repo.tag("20240115");
    world.sync();
    let some = |id: &CommitId| Some(id.clone());
    for (release, commit) in [
        ("v1.4.2", some(&one)),
        ("1.4.2", some(&one)),
        ("shop@1.4.2", some(&one)),
        ("shop@v1.4.2", some(&one)),
        ("@acme/shop@1.4.2", some(&one)),
        ("refs/tags/v1.4.2", some(&one)),
        ("1.4.2+20240101", some(&one)),
        ("release-2.0", some(&two)),
        ("2.0", some(&two)),
        ("shop@3.0.0", some(&two)),
        ("worker@3.0.0", some(&two)),
        ("other@3.0.0", some(&three)),
        ("3.0.0", some(&three)),
        ("20240115", some(&three)),
        ("main", some(&three)),
        (one.as_str(), some(&one)),
        (&one.as_str().to_uppercase(), some(&one)),
        (&one.as_str()[..7], some(&one)),
        (&format!("shop@{}", &two.as_str()[..12]), some(&two)),
        (&format!("shop@1.4.2+{}", &two.as_str()[..7]), some(&two)),
        (&format!("1.4.3.dev1+g{}.d20240115", &three.as_str()[..8]), some(&three)),
        (&format!("v1.4.2-1-g{}-dirty", &three.as_str()[..9]), some(&three)),
        (&format!("https://ci.example.com/build/{two}/log"), some(&two)),
        (&one.as_str()[..6], None),
        ("9.9.9", None),
        ("HEAD", None),
        ("../../HEAD", None),
        ("v1.4.2^{tree}", None),
        ("", None),
        ("-", None),
        ("@", None),
    ] {
        assert_eq!(world.resolve(release), commit, "{release}");
    }
}

#[test]
fn an_ambiguous_abbreviation_names_nothing() {
    let world = World::cloned();
    // Two messages were looked for whose commits share their first 7 digits.
    let tree = world.repo.git(&["hash-object", "-t", "tree", "-w", "/dev/null"]);
    let twins = ["601", "24359"].map(|message| CommitId::new(world.repo.git(&["commit-tree", "-m", message, &tree])));
    assert_eq!(twins[0].short(), twins[1].short());
    world.repo.git(&["branch", "one", twins[0].as_str()]);
    world.sync();
    assert_eq!(world.resolve(twins[0].short()).as_ref(), Some(&twins[0]));
    world.repo.git(&["branch", "two", twins[1].as_str()]);
    world.sync();
    assert_eq!(world.resolve(twins[0].short()), None);
    for twin in &twins {
        assert_eq!(world.resolve(&twin.as_str()[..12]).as_ref(), Some(twin));
    }
    // A tree's id is no commit, however long.
    assert_eq!(world.resolve(&tree), None);
    assert_eq!(world.resolve(&tree[..12]), None);
}

#[test]
fn reported_paths_lead_to_files_of_the_tree_and_nowhere_else() {
    let world = World::new();
    let files = [
        "manage.py",
        "src/shop/cart.py",
        "tests/shop/cart.py",
        "src/shop/__init__.py",
        "tests/__init__.py",
        "src/unique.py",
    ];
    for path in files {
        world.repo.write(path, "x\n");
    }
    std::os::unix::fs::symlink("/etc/passwd", world.repo.path().join("link.py")).unwrap();
    use std::os::unix::ffi::OsStrExt as _;
    fs::write(world.repo.path().join(std::ffi::OsStr::from_bytes(b"odd-\xff.py")), "x\n").unwrap();
    let commit = world.commit(ADA, DAY, &[], "All");
    // A submodule, without fetching one.
    world.repo.git(&["update-index", "--add", "--cacheinfo", &format!("160000,{commit},vendored.py")]);
    world.repo.git(&["commit", "--quiet", "--message", "Submodule"]);
    let commit = world.head();
    world.sync();
    let ask = |at: &CommitId, path: &str| world.mirrors.candidates(ID, at, &parts_of(path), Search::default());
    let found = |path: &str| {
        let candidates = ask(&commit, path).unwrap();
        candidates.into_iter().map(|c| (c.path, c.matched_components)).collect::<Vec<_>>()
    };
    let one = |path: &str, matched: usize| vec![(path.to_owned(), matched)];
    assert_eq!(
        found("/app/releases/7/src/shop/cart.py"),
        [one("src/shop/cart.py", 3), one("tests/shop/cart.py", 2)].concat()
    );
    assert_eq!(found("C:\\app\\src\\shop\\cart.py")[0].0, "src/shop/cart.py");
    assert_eq!(found("/app/shop/cart.py").len(), 2);
    assert_eq!(found("/app/manage.py"), one("manage.py", 1));
    assert_eq!(found("manage.py"), one("manage.py", 1));
    assert_eq!([found("unique.py"), found("/app/unique.py")], [one("src/unique.py", 1), one("src/unique.py", 1)]);
    for nothing in [
        "/usr/lib/python3/email/__init__.py",
        "cart.py",
        "/etc/passwd",
        "../../../../etc/passwd",
        "link.py",
        "vendored.py",
        "",
        "/",
        "src/shop",
        "odd-\u{fffd}.py",
    ] {
        assert_eq!(found(nothing), [], "{nothing}");
    }
    assert_eq!(ask(&CommitId::new("0".repeat(40)), "manage.py"), Ok(Vec::new()));
    for (path, there) in [
        ("src/shop/cart.py", true),
        ("src/shop", false),
        ("link.py", false),
        ("vendored.py", false),
        ("../work/manage.py", false),
        ("/manage.py", false),
        ("", false),
        ("src//unique.py", false),
    ] {
        assert_eq!(world.mirrors.lines(ID, &commit, path).unwrap().is_some(), there, "{path}");
        assert_eq!(world.mirrors.blame(ID, &commit, path, 1).unwrap().is_some(), there, "{path}");
    }
}

#[test]
fn texts_are_read_as_they_are() {
    let world = World::new();
    let commit =
        world.commit(ADA, DAY, &[("crlf.py", "a\r\n\r\nb"), ("empty.py", ""), ("nul.bin", "a\0b")], "Texts\n\nBody");
    fs::write(world.repo.path().join("latin.py"), b"caf\xe9\n").unwrap();
    let second = world.commit("Zo\u{eb} <zoe@example.com>", DAY, &[], "Latin\u{2026}");
    world.sync();
    let lines = |path: &str| world.mirrors.lines(ID, &second, path).unwrap();
    assert_eq!(*lines("crlf.py").unwrap(), ["a", "", "b"]);
    assert!(lines("empty.py").unwrap().is_empty());
    assert_eq!(*lines("latin.py").unwrap(), ["caf\u{e9}"]);
    assert_eq!(lines("nul.bin"), None);
    assert_eq!(world.mirrors.blame(ID, &second, "empty.py", 1), Ok(None));
    assert_eq!(world.mirrors.blame(ID, &second, "crlf.py", 4), Ok(None));
    assert_eq!(world.mirrors.blame(ID, &second, "crlf.py", 0), Ok(None));
    assert_eq!(world.mirrors.blame(ID, &second, "crlf.py", u32::MAX), Ok(None));
    assert_eq!(world.mirrors.blame(ID, &second, "crlf.py", 3).unwrap().unwrap().commit, commit);
    let info = world.mirrors.commit(ID, &second).unwrap().unwrap();
    assert_eq!((info.summary.as_str(), info.author.name.as_str()), ("Latin\u{2026}", "Zo\u{eb}"));
    assert_eq!(info.authored_at, Timestamp::from_millis(1_770_084_306_000));
    assert_eq!(world.mirrors.commit(ID, &commit).unwrap().unwrap().summary, "Texts");
    assert_eq!(world.mirrors.commit(ID, &CommitId::new("0".repeat(40))), Ok(None));
}

#[test]
fn authors_go_by_the_mailmap_of_the_default_branch() {
    let world = World::cloned();
    let commit = world.commit("grace <g@old.example.com>", DAY, &[("b.py", "b\n")], "B");
    world.sync();
    let author = |world: &World| world.mirrors.blame(ID, &commit, "b.py", 1).unwrap().unwrap().author;
    assert_eq!((author(&world).name.as_str(), author(&world).email.as_str()), ("grace", "g@old.example.com"));
    let mailmap = "Grace Hopper <grace@example.com> grace <g@old.example.com>\n";
    world.commit(ADA, DAY, &[(".mailmap", mailmap)], "Mailmap");
    world.sync();
    assert_eq!((author(&world).name.as_str(), author(&world).email.as_str()), ("Grace Hopper", "grace@example.com"));
    assert_eq!(world.mirrors.commit(ID, &commit).unwrap().unwrap().author.email, "grace@example.com");
}

#[test]
fn the_default_branch_says_which_commits_are_not_blamed() {
    let world = World::cloned();
    let (old, new) = ("total = price * count\n", "total = self.price * self.count\n");
    let first = world.commit(ADA, DAY, &[("a.py", old)], "Total");
    let second = world.commit(GRACE, DAY, &[("a.py", new)], "Self");
    world.sync();
    let blamed = || world.mirrors.blame(ID, &second, "a.py", 1).unwrap().unwrap();
    assert_eq!((blamed().commit, blamed().passed.len()), (second.clone(), 0));
    world.repo.branch("topic");
    world.commit(ADA, DAY, &[(".git-blame-ignore-revs", second.as_str())], "List it");
    world.repo.switch("main");
    world.sync();
    assert_eq!(blamed().commit, second, "a list on another branch says nothing");
    world.repo.merge(ADA, DAY, "topic");
    world.sync();
    assert_eq!((blamed().commit, blamed().passed[0].commit.clone()), (first, second.clone()));
    let lines = world.mirrors.blame_lines(ID, &second, "a.py", 1..=2).unwrap();
    assert_eq!((lines[0].as_ref(), lines[1].as_ref()), (Some(&blamed()), None));
    // A shut-down server walks no further.
    world.mirrors.interrupt();
    assert_eq!(world.mirrors.blame(ID, &second, "a.py", 1), Err(MirrorError::Interrupted));
}

/// A history of edits, renames and merges that is the same each time.
fn long_history(repo: &GitRepo) {
    let mut seed = 1_u64;
    let mut next = move |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as usize % below
    };
    let mut texts: Vec<(String, Vec<String>)> = (0..3)
        .map(|file| {
            (format!("src/file{file}.py"), (0..40).map(|line| format!("value_{file}_{line} = {line}")).collect())
        })
        .collect();
    let people = [ADA, GRACE, LINUS];
    let commit = |texts: &[(String, Vec<String>)], n: usize, who: &str| {
        let joined: Vec<(&str, String)> =
            texts.iter().map(|(path, lines)| (path.as_str(), lines.join("\n") + "\n")).collect();
        let files: Vec<(&str, &str)> = joined.iter().map(|(path, text)| (*path, text.as_str())).collect();
        repo.commit(who, &format!("2026-01-{:02}T{:02}:00:00Z", 1 + n / 24, n % 24), &files, &format!("Change {n}"));
    };
    commit(&texts, 0, ADA);
    for n in 1..70 {
        let who = people[next(3)];
        let file = next(3);
        if n % 17 == 0 {
            let to = format!("src/moved{n}/file{file}.py");
            repo.rename(who, &format!("2026-02-{:02}T00:00:00Z", n / 3), &texts[file].0, &to);
            texts[file].0 = to;
        } else if n % 10 == 0 {
            // Two sides change apart from each other, then meet.
            let (path, lines) = texts[file].clone();
            let date = format!("2026-02-{:02}T01:00:00Z", n / 3);
            repo.branch(&format!("side{n}"));
            let mut side = lines.clone();
            side[2] = format!("side_{n} = {n}");
            repo.commit(who, &date, &[(&path, &(side.join("\n") + "\n"))], "Side");
            repo.switch("main");
            let mut main = lines.clone();
            main[30] = format!("main_{n} = {n}");
            main.push(format!("end_{n} = {n}"));
            repo.commit(people[next(3)], &date, &[(&path, &(main.join("\n") + "\n"))], "Main");
            repo.merge(who, &date, &format!("side{n}"));
            main[2].clone_from(&side[2]);
            texts[file].1 = main;
        } else {
            let lines = &mut texts[file].1;
            let at = next(lines.len());
            match next(3) {
                0 => lines[at] = format!("changed_{n} = {n}"),
                1 => lines.insert(at, format!("added_{n} = {n}")),
                _ if lines.len() > 35 => drop(lines.remove(at)),
                _ => lines.push(format!("appended_{n} = {n}")),
            }
            commit(&texts, n, who);
        }
    }
}

#[test]
fn blame_says_what_git_blame_says() {
    let world = World::new();
    long_history(&world.repo);
    world.sync();
    let head = world.head();
    let mut compared = 0;
    for commit in [head.clone(), CommitId::new(world.repo.git(&["rev-parse", "HEAD~25"]))] {
        for path in world.repo.git(&["ls-tree", "-r", "--name-only", commit.as_str()]).lines() {
            for (at, expected) in (1..).zip(world.repo.blame(commit.as_str(), path)) {
                let ours = world.mirrors.blame(ID, &commit, path, at).unwrap().unwrap();
                let ours = Blamed { commit: ours.commit.into(), path: ours.path, line: ours.line };
                assert_eq!(ours, expected, "{path}:{at} at {commit}");
                compared += 1;
            }
        }
    }
    assert!(compared > 200, "{compared} lines");
}
