//! A PostgreSQL of the bench's own, which syncs to the disk as in production, or the one that was
//! named.

use sqlx::{AnyConnection, Connection as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Where Debian keeps the server; elsewhere it is in the `PATH`.
const DEBIAN: &str = "/usr/lib/postgresql";
const POLL: Duration = Duration::from_millis(50);
/// It starts within a second; a busy machine takes longer.
const START_PATIENCE: Duration = Duration::from_secs(60);

/// A server. One of our own ends when this is dropped.
pub(crate) struct Postgres {
    /// Its address, with the database that is always there.
    url: String,
    own: Option<Own>,
}

struct Own {
    child: Child,
    data: PathBuf,
}

impl Postgres {
    /// The one at an address, whose user may create databases.
    pub(crate) fn at(url: &str) -> Self {
        Self { url: url.to_owned(), own: None }
    }

    /// Makes a cluster below this folder and starts it; `None`: there is none on this machine.
    ///
    /// # Panics
    /// With what it said, where it does not start.
    pub(crate) fn start(folder: &Path) -> Option<Self> {
        let programs = programs()?;
        let home = folder.join("postgres");
        std::fs::create_dir_all(&home).unwrap();
        let root = Command::new("id").arg("-u").output().is_ok_and(|id| id.stdout == b"0\n");
        if root {
            // The database's user has to reach its own folder.
            run(Command::new("chmod").args(["711"]).arg(folder));
            run(Command::new("chown").arg(account()).arg(&home));
        }
        let data = home.join("data");
        let mut made = unprivileged(root, &programs.join("initdb"));
        made.arg("-D").arg(&data).args(["-U", "flawless", "--auth=trust", "--encoding=UTF8", "--no-locale"]);
        run(made.arg("--no-sync").stdout(Stdio::null()));
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
        let log = folder.join("postgres.log");
        let mut command = unprivileged(root, &programs.join("postgres"));
        command.arg("-D").arg(&data).args(["-p", &port]);
        // Its own defaults, syncs to the disk among them.
        command.args(["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="]);
        let child = command.stdout(Stdio::null()).stderr(std::fs::File::create(&log).unwrap()).spawn().unwrap();
        let url = format!("postgres://flawless@127.0.0.1:{port}/postgres");
        let server = Self { url, own: Some(Own { child, data }) };
        for _ in 0..START_PATIENCE.as_millis() / POLL.as_millis() {
            let asked = Command::new(programs.join("pg_isready"))
                .args(["-q", "-h", "127.0.0.1", "-U", "flawless", "-p", &port])
                .status();
            if asked.is_ok_and(|status| status.success()) {
                return Some(server);
            }
            std::thread::sleep(POLL);
        }
        panic!("PostgreSQL does not start: {}", std::fs::read_to_string(log).unwrap());
    }

    /// Makes a database; its address.
    pub(crate) async fn create(&self, name: &str) -> String {
        let mut connection = AnyConnection::connect(&self.url).await.unwrap();
        sqlx::query(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"))).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
        let mut url = url::Url::parse(&self.url).unwrap();
        url.set_path(name);
        url.into()
    }

    /// Takes a database away again, as only one that is not our own needs.
    pub(crate) async fn delete(&self, name: &str) {
        if self.own.is_none() {
            let mut connection = AnyConnection::connect(&self.url).await.unwrap();
            let sql = format!("DROP DATABASE IF EXISTS {name}");
            sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
            connection.close().await.unwrap();
        }
    }

    /// The process whose children are all of it, where it is our own.
    pub(crate) fn pid(&self) -> Option<u32> {
        pid_in(&self.own.as_ref()?.data)
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        // By its own process id: the child may be runuser.
        let pid = pid_in(&self.data);
        for (signal, patience) in [("-INT", 100), ("-QUIT", 40)] {
            if let Some(pid) = pid {
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

fn pid_in(data: &Path) -> Option<u32> {
    std::fs::read_to_string(data.join("postmaster.pid")).ok()?.lines().next()?.trim().parse().ok()
}

/// Where its programs are.
fn programs() -> Option<PathBuf> {
    let mut versions: Vec<PathBuf> =
        std::fs::read_dir(DEBIAN).into_iter().flatten().filter_map(|it| Some(it.ok()?.path().join("bin"))).collect();
    versions.sort();
    let path = std::env::var_os("PATH").unwrap_or_default();
    versions.extend(std::env::split_paths(&path));
    versions.into_iter().find(|folder| folder.join("initdb").exists() && folder.join("postgres").exists())
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
