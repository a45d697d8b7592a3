//! Where mirrors come from: git's own server, one that says nothing.

use crate::harness::git_repo::{ADA, GRACE};
use crate::mirrors::{DAY, ID, World};
use mirror::{MirrorError, Source};
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
