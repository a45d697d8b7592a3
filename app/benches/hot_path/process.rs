//! The processes that are measured, and what the system says of them.

use crate::ROLE;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// Clock ticks of a second in /proc, on every Linux: sysconf(_SC_CLK_TCK).
const TICKS: f64 = 100.0;

/// A process that listens. It ends with its handle.
pub(crate) struct Process {
    child: Child,
    pub(crate) port: u16,
}

/// What a process has cost so far.
pub(crate) struct Usage {
    /// Its CPU time, user and system, in seconds.
    pub(crate) server_s: f64,
    /// The same of this process.
    pub(crate) client_s: f64,
    /// The most memory it ever held (VmHWM), in MB of a million bytes.
    pub(crate) peak_mb: f64,
}

impl Process {
    /// The server on this data directory.
    pub(crate) fn server(data: &Path) -> Self {
        Self::spawn(command(data).arg("serve"))
    }

    /// This program as the bare handler.
    pub(crate) fn bare() -> Self {
        Self::spawn(Command::new(std::env::current_exe().unwrap()).env(ROLE, "bare"))
    }

    /// Starts it and reads from its standard output where it listens.
    fn spawn(command: &mut Command) -> Self {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let port = loop {
            let line = lines.next().expect("it says where it listens before it ends").unwrap();
            if let Some(address) = line.strip_prefix("Flawless is at http://127.0.0.1:") {
                break address.parse().unwrap();
            }
        };
        // Reads on, so that what it prints later finds a reader.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, port }
    }

    /// Ends it at once, without a chance to finish anything (SIGKILL).
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub(crate) fn usage(&self) -> Usage {
        let id = self.child.id().to_string();
        let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        let peak_kib: f64 = peak.trim().trim_end_matches("kB").trim().parse().unwrap();
        Usage { server_s: cpu_seconds(&id), client_s: cpu_seconds("self"), peak_mb: peak_kib * 1024.0 / 1e6 }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn cpu_seconds(process: &str) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    // The name, in parentheses, may hold spaces; utime and stime are the 12th and 13th fields after
    // it (proc(5)).
    let (_, fields) = stat.rsplit_once(')').unwrap();
    let ticks: f64 = fields.split_whitespace().skip(11).take(2).map(|ticks| ticks.parse::<f64>().unwrap()).sum();
    ticks / TICKS
}

/// Watches a repository; answers key and project of its DSN.
pub(crate) fn watch(data: &Path, repository: &Path) -> (String, i64) {
    let output = command(data).args(["repository", "add"]).arg(repository).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let dsn = said.lines().find_map(|line| line.strip_prefix("DSN: http://"));
    let dsn = dsn.unwrap_or_else(|| panic!("{said}{}", String::from_utf8_lossy(&output.stderr)));
    let (key, place) = dsn.split_once('@').unwrap();
    let (_, project) = place.rsplit_once('/').unwrap();
    (key.to_owned(), project.parse().unwrap())
}

/// The program, with nothing of this machine's configuration.
fn command(data: &Path) -> Command {
    let program =
        std::env::var_os("FLAWLESS_BENCH_APP").map_or_else(|| env!("CARGO_BIN_EXE_flawless").into(), PathBuf::from);
    let mut command = Command::new(program);
    for name in app::config::NAMES {
        command.env_remove(name);
    }
    command.current_dir(data).env("DATA_DIR", data).env("PORT", "0").env("LOG_LEVEL", "warn").env("KEY_BUDGET", "0");
    command
}
