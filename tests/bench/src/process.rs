//! The processes that are measured, and what the system says of them.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// Clock ticks of a second in /proc, on every Linux: sysconf(_SC_CLK_TCK).
const TICKS: f64 = 100.0;
/// What a server says at its start, before its port.
pub(crate) const SAYS: &str = "Flawless is at http://127.0.0.1:";
/// Settings by which a key has no limits.
const NO_LIMITS: [(&str, &str); 2] = [("KEY_BUDGET", "0"), ("KEY_RATE", "0")];
/// What a server's log said last, where it ended.
const LAST_WORDS: usize = 20;
/// The admin token of every server here.
pub(crate) const ADMIN_TOKEN: &str = "admin-token-of-the-bench";

/// What one key may bring.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Limits {
    /// As much as it can: what is measured is what the server can do.
    Off,
    /// What the server allows by itself.
    Usual,
}

/// How a server is started.
#[derive(Clone)]
pub(crate) struct Launch {
    pub(crate) program: PathBuf,
    /// DATA_DIR.
    pub(crate) data: PathBuf,
    /// DATABASE_URL; `None`: SQLite in the data directory.
    pub(crate) database: Option<String>,
    pub(crate) limits: Limits,
}

/// A process that listens. It ends with its handle.
pub(crate) struct Process {
    child: Child,
    pub(crate) port: u16,
    log: Option<PathBuf>,
}

/// What a process has cost so far.
#[derive(Clone, Copy, Default)]
pub(crate) struct Usage {
    /// Its CPU time, user and system, in seconds.
    pub(crate) cpu: f64,
    /// The memory that it holds, in MB of a million bytes.
    pub(crate) memory: f64,
    /// The most that it held since [`forget_peak`].
    pub(crate) peak: f64,
    /// Bytes that it had written to a disk; `None`: the system does not say so to this user.
    pub(crate) written: Option<f64>,
}

impl Process {
    /// The server, until it says where it listens.
    pub(crate) fn server(launch: &Launch) -> Self {
        let log = launch.data.join("server.log");
        let file = fs::File::options().append(true).create(true).open(&log).unwrap();
        Self::spawn(launch.command().arg("serve").stderr(file), Some(log))
    }

    /// This program as the bare handler, or the one that syncs ([`crate::bare`]).
    pub(crate) fn bare(role: &str) -> Self {
        Self::spawn(Command::new(std::env::current_exe().unwrap()).env(crate::bare::ROLE, role), None)
    }

    /// Starts it and reads from its standard output where it listens.
    fn spawn(command: &mut Command, log: Option<PathBuf>) -> Self {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let port = loop {
            let Some(line) = lines.next() else { panic!("it ended at its start: {}", last_words(log.as_deref())) };
            if let Some(port) = line.unwrap().strip_prefix(SAYS) {
                break port.parse().unwrap();
            }
        };
        // Reads on, so that what it prints later finds a reader.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, port, log }
    }

    /// Ends it at once, without a chance to finish anything (SIGKILL).
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn usage(&self) -> Usage {
        usage(self.pid())
    }

    /// Why it is not the process any more that was started; `None`: it runs.
    pub(crate) fn ended(&mut self) -> Option<String> {
        let status = self.child.try_wait().unwrap()?;
        Some(format!("the server ended ({status}): {}", last_words(self.log.as_deref())))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Launch {
    /// The program, with nothing of this machine's configuration.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        for name in app::config::NAMES {
            command.env_remove(name);
        }
        command.current_dir(&self.data).env("DATA_DIR", &self.data).env("PORT", "0").env("LOG_LEVEL", "warn");
        command.env("ADMIN_TOKEN", ADMIN_TOKEN);
        if self.limits == Limits::Off {
            command.envs(NO_LIMITS);
        }
        if let Some(database) = &self.database {
            command.env("DATABASE_URL", database);
        }
        command
    }

    /// Watches a repository under a name; key and project of its DSN.
    pub(crate) fn watch(&self, repository: &Path, name: &str) -> (String, String) {
        let output = self.command().args(["repository", "add", "--name", name]).arg(repository).output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        let dsn = said.lines().find_map(|line| line.strip_prefix("DSN: http://"));
        let dsn = dsn.unwrap_or_else(|| panic!("{said}{}", String::from_utf8_lossy(&output.stderr)));
        let (key, place) = dsn.split_once('@').unwrap();
        let (_, project) = place.rsplit_once('/').unwrap();
        (key.to_owned(), project.to_owned())
    }
}

/// What any process has cost so far; zeros where it is gone.
pub(crate) fn usage(pid: u32) -> Usage {
    let read = |file: &str| fs::read_to_string(format!("/proc/{pid}/{file}")).unwrap_or_default();
    let (status, io) = (read("status"), read("io"));
    let number = |text: &str, name: &str| -> Option<f64> {
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_whitespace().next()?.parse().ok()
    };
    let megabytes = |name: &str| number(&status, name).unwrap_or_default() * 1024.0 / 1e6;
    let written = number(&io, "write_bytes:");
    Usage { cpu: cpu_seconds(&read("stat")), memory: megabytes("VmRSS:"), peak: megabytes("VmHWM:"), written }
}

/// The same of a process and its children together, as PostgreSQL's are.
pub(crate) fn usage_with_children(pid: u32) -> Usage {
    let mut sum = usage(pid);
    let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    for child in children.split_whitespace().filter_map(|child| child.parse().ok()) {
        let one = usage(child);
        sum.cpu += one.cpu;
        sum.memory += one.memory;
        sum.peak += one.peak;
        sum.written = sum.written.zip(one.written).map(|(all, one)| all + one);
    }
    sum
}

/// The peak counts anew from now on (proc(5), clear_refs), where this user may say so.
pub(crate) fn forget_peak(pid: u32) {
    let _ = fs::write(format!("/proc/{pid}/clear_refs"), "5");
}

fn cpu_seconds(stat: &str) -> f64 {
    // The name, in parentheses, may hold spaces; utime and stime are the 12th and 13th fields after
    // it (proc(5)).
    let Some((_, fields)) = stat.rsplit_once(')') else { return 0.0 };
    let ticks: f64 = fields.split_whitespace().skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum();
    ticks / TICKS
}

fn last_words(log: Option<&Path>) -> String {
    let log = log.and_then(|log| fs::read(log).ok()).unwrap_or_default();
    let log = String::from_utf8_lossy(&log);
    let lines: Vec<&str> = log.lines().rev().take(LAST_WORDS).collect();
    lines.into_iter().rev().collect::<Vec<_>>().join("\n    ")
}
