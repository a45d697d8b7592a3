//! A PostgreSQL server of its own for programs that test or measure: made in an empty folder,
//! reached on loopback only, and ended with its handle.
#![expect(clippy::unwrap_used, reason = "a program that can't have its database says so and ends")]

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Where Debian keeps the server; elsewhere it is in the `PATH`.
const DEBIAN: &str = "/usr/lib/postgresql";
const POLL: Duration = Duration::from_millis(50);
/// It starts within a second; a busy machine takes longer.
const START_PATIENCE: Duration = Duration::from_secs(60);

/// A running server. Its processes end when this is dropped.
#[derive(Debug)]
pub struct Cluster {
    child: Child,
    data: PathBuf,
    port: u16,
}

/// Where the server's programs are; `None`: there are none on this machine.
pub fn programs() -> Option<PathBuf> {
    let mut versions: Vec<PathBuf> =
        std::fs::read_dir(DEBIAN).into_iter().flatten().filter_map(|it| Some(it.ok()?.path().join("bin"))).collect();
    versions.sort();
    let path = std::env::var_os("PATH").unwrap_or_default();
    versions.extend(std::env::split_paths(&path));
    versions.into_iter().find(|folder| folder.join("initdb").exists() && folder.join("postgres").exists())
}

/// Whether this process is root, as which PostgreSQL refuses to run: it is given another user.
pub fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output();
    id.is_ok_and(|id| id.stdout == b"0\n")
}

/// A port of loopback that nobody has yet.
pub fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl Cluster {
    /// Makes a cluster in the folder `postgres` below this one and starts it, with these variables
    /// in its environment and these settings (`name=value`); syncs to the disk are as in
    /// production. Its log is `postgres.log` beside.
    ///
    /// # Panics
    /// With what it said, where it does not start.
    pub fn start(programs: &Path, folder: &Path, variables: &[(String, String)], settings: &[&str]) -> Self {
        let home = folder.join("postgres");
        std::fs::create_dir_all(&home).unwrap();
        let root = is_root();
        if root {
            // The database's user has to reach its own folder.
            run(Command::new("chmod").args(["711"]).arg(folder));
            run(Command::new("chown").arg(account()).arg(&home));
        }
        let data = home.join("data");
        let mut made = unprivileged(root, &programs.join("initdb"));
        made.arg("-D").arg(&data).args(["-U", "flawless", "--auth=trust", "--encoding=UTF8", "--no-locale"]);
        run(made.arg("--no-sync").stdout(Stdio::null()));
        let (port, log) = (free_port(), folder.join("postgres.log"));
        let mut command = unprivileged(root, Path::new("env"));
        command.args(variables.iter().map(|(name, value)| format!("{name}={value}")));
        command.arg(programs.join("postgres")).arg("-D").arg(&data).args(["-p", &port.to_string()]);
        for setting in ["listen_addresses=127.0.0.1", "unix_socket_directories="].iter().chain(settings) {
            command.args(["-c", setting]);
        }
        let child = command.stdout(Stdio::null()).stderr(std::fs::File::create(&log).unwrap()).spawn().unwrap();
        let cluster = Self { child, data, port };
        for _ in 0..START_PATIENCE.as_millis() / POLL.as_millis() {
            let ready = Command::new(programs.join("pg_isready"))
                .args(["-q", "-h", "127.0.0.1", "-U", "flawless", "-p", &port.to_string()])
                .status();
            if ready.is_ok_and(|status| status.success()) {
                return cluster;
            }
            std::thread::sleep(POLL);
        }
        panic!("PostgreSQL does not start: {}", std::fs::read_to_string(log).unwrap());
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The address of the database that is always there, by this port: its own, or that of
    /// something in between.
    pub fn url(&self, port: u16) -> String {
        format!("postgres://flawless@127.0.0.1:{port}/postgres")
    }

    /// The process whose children are all of it, once it runs.
    pub fn pid(&self) -> Option<u32> {
        // Which it writes itself: the child may be runuser.
        std::fs::read_to_string(self.data.join("postmaster.pid")).ok()?.lines().next()?.trim().parse().ok()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let pid = self.pid();
        for (signal, patience) in [("-INT", 100), ("-QUIT", 40)] {
            if let Some(pid) = pid {
                // One that has ended meanwhile needs none.
                let _ = Command::new("kill").args([signal, &pid.to_string()]).stderr(Stdio::null()).status();
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

/// The user that PostgreSQL runs as where we are root.
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
