//! A PostgreSQL of the campaign's own, whose clock and disk listen to the campaign.

use crate::clockwork::Control;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Where Debian keeps the server; elsewhere it is in the `PATH`.
const DEBIAN: &str = "/usr/lib/postgresql";
const POLL: Duration = Duration::from_millis(50);
/// It starts within a second; a busy machine takes longer.
const START_PATIENCE: Duration = Duration::from_secs(60);

/// A running server. Its processes end when this is dropped.
pub struct Postgres {
    child: Child,
    home: PathBuf,
    pub port: u16,
}

/// Where its programs are; `None`: there is none on this machine.
pub fn programs() -> Option<PathBuf> {
    let mut versions: Vec<PathBuf> =
        std::fs::read_dir(DEBIAN).into_iter().flatten().filter_map(|it| Some(it.ok()?.path().join("bin"))).collect();
    versions.sort();
    let path = std::env::var_os("PATH").unwrap_or_default();
    versions.extend(std::env::split_paths(&path));
    versions.into_iter().find(|folder| folder.join("initdb").exists() && folder.join("postgres").exists())
}

impl Postgres {
    /// Makes a cluster below this folder and starts it, with syncs to disk as in production.
    ///
    /// # Panics
    /// With what it said, where it does not start.
    pub async fn start(programs: &Path, folder: &Path, shim: &Path, control: &Control) -> Self {
        let home = folder.join("postgres");
        std::fs::create_dir_all(&home).unwrap();
        let root = is_root();
        if root {
            // The database's user has to reach its own folder.
            run(Command::new("chmod").args(["711"]).arg(folder));
            run(Command::new("chmod").args(["644"]).args(control_files(folder)));
            run(Command::new("chown").arg(account()).arg(&home));
        }
        let data = home.join("data");
        let mut made = unprivileged(root, &programs.join("initdb"));
        made.arg("-D").arg(&data).args(["-U", "flawless", "--auth=trust", "--encoding=UTF8", "--no-locale"]);
        run(made.arg("--no-sync").stdout(Stdio::null()));
        let port = free_port();
        let log = std::fs::File::create(folder.join("postgres.log")).unwrap();
        let mut command = unprivileged(root, Path::new("env"));
        command
            .args(control.variables(shim).map(|(name, value)| format!("{name}={value}")))
            .arg(programs.join("postgres"))
            .arg("-D")
            .arg(&data)
            .args(["-p", &port.to_string(), "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="])
            .args(["-c", "max_connections=100", "-c", "full_page_writes=off"]);
        let child = command.stdout(Stdio::null()).stderr(log).spawn().unwrap();
        let server = Self { child, home, port };
        for _ in 0..START_PATIENCE.as_millis() / POLL.as_millis() {
            let ready = Command::new(programs.join("pg_isready"))
                .args(["-q", "-h", "127.0.0.1", "-U", "flawless", "-p", &port.to_string()])
                .status();
            if ready.is_ok_and(|status| status.success()) {
                return server;
            }
            tokio::time::sleep(POLL).await;
        }
        panic!("PostgreSQL does not start: {}", std::fs::read_to_string(folder.join("postgres.log")).unwrap());
    }

    /// Its address, by this port.
    pub fn url(&self, port: u16) -> String {
        format!("postgres://flawless@127.0.0.1:{port}/postgres")
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // By its own process id, which it writes itself: the child may be runuser.
        let pid = std::fs::read_to_string(self.home.join("data/postmaster.pid")).unwrap_or_default();
        let pid = pid.lines().next().and_then(|pid| pid.trim().parse().ok());
        for (signal, patience) in [("INT", 100), ("QUIT", 40)] {
            if let Some(pid) = pid {
                crate::server::signal(pid, signal);
            }
            for _ in 0..patience {
                if matches!(self.child.try_wait(), Ok(Some(_))) {
                    return;
                }
                std::thread::sleep(POLL);
            }
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whether this process may mount a file system and has to give PostgreSQL another user.
pub fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output();
    id.is_ok_and(|id| id.stdout == b"0\n")
}

/// A port of loopback that nobody has yet.
pub fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn control_files(folder: &Path) -> Vec<PathBuf> {
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    files.filter(|path| path.extension().is_some_and(|it| it == "control" || it == "so")).collect()
}

/// The user that PostgreSQL runs as where we are root, as which it refuses to run.
fn account() -> &'static str {
    let there = Command::new("id").arg("postgres").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if there.is_ok_and(|status| status.success()) { "postgres" } else { "nobody" }
}

fn unprivileged(root: bool, program: &Path) -> Command {
    let mut command = Command::new(if root { Path::new("runuser") } else { program });
    if root {
        command.args(["-u", account(), "--"]).arg(program);
    }
    command.current_dir("/").stdin(Stdio::null());
    command
}

fn run(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}
