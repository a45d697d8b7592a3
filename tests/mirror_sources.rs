//! Where mirrors come from: git's own server, one that says nothing, one with very many tags.

use crate::harness::git_repo::{ADA, GRACE};
use crate::mirrors::{DAY, ID, World};
use mirror::{MirrorError, Source};
use std::fs;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

#[test]
fn a_repository_of_gits_own_server_is_mirrored_and_followed() {
    let world = World::new();
    world.commit(ADA, DAY, &[("a.py", "one\n")], "One");
    let daemon = GitDaemon::start(world.repo.git_dir().parent().unwrap());
    let source = Source { id: ID, url: daemon.url(world.repo.git_dir()), token: None };
    assert!(world.mirrors.sync(&source).unwrap().cloned);
    world.assert_same_refs();
    world.commit(GRACE, DAY, &[("b.py", "b\n")], "B");
    let synced = world.mirrors.sync(&source).unwrap();
    assert!(synced.changed && !synced.cloned);
    world.assert_same_refs();
}

#[test]
fn a_silent_server_is_left_as_soon_as_nobody_waits_for_it() {
    let world = World::new();
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("git://{}/shop.git", silent.local_addr().unwrap());
    let source = Source { id: ID, url, token: None };
    std::thread::scope(|scope| {
        let running = scope.spawn(|| world.mirrors.sync(&source));
        let _connection = silent.accept().unwrap();
        world.mirrors.interrupt();
        assert_eq!(running.join().unwrap(), Err(MirrorError::Interrupted));
    });
}

#[test]
fn a_server_that_talks_without_end_is_not_listened_to() {
    let world = World::new();
    for (scheme, greeting) in [
        ("git", &b"000eversion 2\n"[..]),
        (
            "http",
            b"HTTP/1.1 200 OK\r\ncontent-type: application/x-git-upload-pack-advertisement\r\n\r\n000eversion 2\n",
        ),
    ] {
        let talking = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("{scheme}://{}/shop.git", talking.local_addr().unwrap());
        std::thread::spawn(move || {
            let (mut line, _) = talking.accept().unwrap();
            let _ = line.read(&mut [0; 1024]);
            let capability = format!("c00fcap{:x>49160}", "");
            line.write_all(greeting).unwrap();
            // It ends, so that what listens on is seen and takes not all memory.
            let _ = (0..2_000).try_for_each(|_| line.write_all(capability.as_bytes()));
        });
        let refused = world.mirrors.sync(&Source { id: ID, url, token: None }).expect_err("nothing was sent");
        assert!(refused.to_string().contains("more than 32 MiB"), "{refused}");
    }
}

#[test]
fn commits_that_no_branch_reaches_fill_no_disk() {
    let world = World::cloned();
    let first = world.head();
    let large: String = (0..40_000_u32).map(|n| format!("{:x}\n", n.wrapping_mul(2_654_435_761))).collect();
    let lost = world.commit(GRACE, DAY, &[("lost.py", &large)], "Lost");
    let small = world.commit(GRACE, DAY, &[("lost.py", "lost\n")], "Lost, too");
    world.repo.force(first.as_str());
    world.sync();
    let mirror = world.root.join("7.git");
    let packs = || fs::read_dir(mirror.join("objects/pack")).unwrap().count();
    let before = packs();
    // Of 256 MiB.
    fs::write(mirror.join("flawless-unreached"), ((256 << 20) - 10_000).to_string()).unwrap();
    let refused = world.mirrors.fetch_commit(&world.source(None), &lost).expect_err("there is no room for it");
    assert!(refused.to_string().contains("more than the 10000 bytes"), "{refused}");
    assert_eq!((world.resolve(lost.as_str()), packs()), (None, before), "and nothing of it is kept");
    let refused = world.mirrors.fetch_commit(&world.source(None), &small).expect_err("there is no room at all");
    assert!(refused.to_string().contains("begins without them"), "{refused}");
    fs::remove_file(mirror.join("flawless-unreached")).unwrap();
    assert_eq!(world.mirrors.fetch_commit(&world.source(None), &lost), Ok(true));
    let noted: u64 = fs::read_to_string(mirror.join("flawless-unreached")).unwrap().parse().unwrap();
    assert!((100_000..400_000).contains(&noted), "{noted} bytes were received");
}

#[test]
fn of_many_tags_only_those_that_moved_are_written() {
    let world = World::new();
    world.commit(ADA, DAY, &[("a.py", "one\n")], "One");
    let stay: String = (0..600).map(|number| format!("create refs/tags/t{number} {}\n", world.head())).collect();
    let orders = world.root.with_file_name("orders");
    fs::write(&orders, stay).unwrap();
    let update = format!("git update-ref --stdin < '{}'", orders.display());
    world.repo.git(&["-c", &format!("alias.all=!{update}"), "all"]);
    assert!(world.sync().cloned);
    // Whoever is about to write this one finds that somebody else is.
    let tags = world.root.join("7.git/refs/tags");
    fs::create_dir_all(&tags).unwrap();
    fs::write(tags.join("t500.lock"), "").unwrap();
    assert!(!world.sync().changed);

    world.commit(GRACE, DAY, &[("b.py", "b\n")], "B");
    world.repo.git(&["tag", "--force", "t1"]);
    world.repo.git(&["tag", "new"]);
    world.repo.git(&["tag", "--delete", "t2"]);
    world.repo.git(&["branch", "beside"]);
    let synced = world.sync();
    assert!(synced.changed && !synced.cloned);
    assert_eq!(synced.head.unwrap().commit, world.head());
    world.assert_same_refs();

    world.repo.git(&["tag", "--delete", "t3"]);
    assert!(world.sync().changed, "one that is gone is news");
    world.repo.git(&["symbolic-ref", "HEAD", "refs/heads/beside"]);
    let synced = world.sync();
    assert!(synced.changed);
    assert_eq!(synced.head.unwrap().branch.as_deref(), Some("beside"));
    assert!(!world.sync().changed);
    world.assert_same_refs();
}

/// `git daemon` for what is below a folder, while it lives.
struct GitDaemon {
    child: std::process::Child,
    port: u16,
}

impl GitDaemon {
    fn start(folder: &Path) -> Self {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let child = std::process::Command::new("git")
            .args(["daemon", "--export-all", "--reuseaddr", "--listen=127.0.0.1"])
            .args([format!("--port={free}"), format!("--base-path={}", folder.display())])
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        while std::net::TcpStream::connect(("127.0.0.1", free)).is_err() {
            std::thread::sleep(Duration::from_millis(10));
        }
        Self { child, port: free }
    }

    fn url(&self, git_dir: PathBuf) -> String {
        format!("git://127.0.0.1:{}/{}", self.port, git_dir.file_name().unwrap().to_string_lossy())
    }
}

impl Drop for GitDaemon {
    fn drop(&mut self) {
        // `git daemon` is a child of `git`, which passes this signal on.
        let _ = std::process::Command::new("kill").arg(self.child.id().to_string()).status();
        let _ = self.child.wait();
    }
}
