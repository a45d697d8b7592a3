//! The release program as a process: started, stopped, frozen and killed by its process id.

use crate::clockwork::Control;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long a start may take before it counts as failed.
const START_PATIENCE: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(5);
/// The lines of a log that are shown of a server that failed.
const LAST_WORDS: usize = 20;

/// One server, with a data directory of its own. Killed when dropped.
pub struct Server {
    pub control: Arc<Control>,
    pub data: PathBuf,
    pub url: String,
    program: PathBuf,
    variables: BTreeMap<String, String>,
    log: PathBuf,
    child: Option<Child>,
}

impl Server {
    /// A server that is not started yet. `settings` are those of all servers of a stage.
    pub fn new(program: &Path, shim: &Path, folder: &Path, control: Arc<Control>, settings: &[(&str, String)]) -> Self {
        std::fs::create_dir_all(folder).unwrap();
        let port = postgres_fixture::free_port();
        let data = folder.join("data");
        let mut variables: BTreeMap<String, String> =
            settings.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        variables.insert("PORT".to_owned(), port.to_string());
        variables.insert("DATA_DIR".to_owned(), data.display().to_string());
        variables.extend(control.variables(shim).map(|(name, value)| (name.to_owned(), value)));
        // Its last words are printed.
        variables.insert("NO_COLOR".to_owned(), "1".to_owned());
        for name in ["PATH", "HOME"] {
            if let Ok(value) = std::env::var(name) {
                variables.insert(name.to_owned(), value);
            }
        }
        let (url, log) = (format!("http://127.0.0.1:{port}"), folder.join("server.log"));
        Self { control, data, url, program: program.to_owned(), variables, log, child: None }
    }

    /// Starts it, and gives the time until it answers `/healthz`.
    ///
    /// # Errors
    /// With its log's end, where it does not.
    pub async fn start(&mut self) -> Result<Duration, String> {
        let log = std::fs::File::options().append(true).create(true).open(&self.log).unwrap();
        let began = Instant::now();
        let child = self.command(&[]).stdout(Stdio::null()).stderr(log).spawn().unwrap();
        self.child = Some(child);
        while began.elapsed() < START_PATIENCE {
            if self.is_well().await {
                return Ok(began.elapsed());
            }
            if let Some(status) = self.ended() {
                return Err(format!("it ended at its start ({status}): {}", self.last_words()));
            }
            tokio::time::sleep(POLL).await;
        }
        Err(format!("it did not answer within {START_PATIENCE:?}: {}", self.last_words()))
    }

    /// Its address, without a scheme.
    pub fn address(&self) -> String {
        self.url.trim_start_matches("http://").to_owned()
    }

    /// The program with these arguments and the server's settings, for a command beside it. It
    /// begins with as many descriptors as most systems give, whatever this process has.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", "ulimit -S -n 1024; exec \"$0\" \"$@\""]).arg(&self.program);
        command.args(arguments).env_clear().envs(&self.variables).stdin(Stdio::null());
        command.current_dir(self.data.parent().unwrap());
        command
    }

    async fn is_well(&self) -> bool {
        let asked = reqwest::Client::new().get(format!("{}/healthz", self.url)).timeout(Duration::from_secs(5));
        asked.send().await.is_ok_and(|answer| answer.status().is_success())
    }

    /// Its process id while it runs.
    pub fn pid(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// What it ended with, where it ended by itself.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        let status = self.child.as_mut()?.try_wait().unwrap();
        if status.is_some() {
            self.child = None;
        }
        status
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// SIGTERM, and the time until it has ended; `None`: it has not within this time, and was
    /// killed.
    pub async fn terminate(&mut self, patience: Duration) -> Option<Duration> {
        let began = Instant::now();
        self.signal("TERM");
        while began.elapsed() < patience {
            if self.child.is_none() || self.ended().is_some() {
                return Some(began.elapsed());
            }
            tokio::time::sleep(POLL).await;
        }
        self.kill();
        None
    }

    /// Sends a signal by its name, such as `STOP`.
    pub fn signal(&self, name: &str) {
        if let Some(pid) = self.pid() {
            signal(pid, name);
        }
    }

    /// The most memory that it has held, in kilobytes.
    pub fn peak_memory(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid()?)).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        line.split_whitespace().next()?.parse().ok()
    }

    /// From now on the peak counts anew.
    pub fn forget_peak_memory(&self) {
        if let Some(pid) = self.pid() {
            // 5 resets the peak (proc(5), clear_refs).
            let _ = std::fs::write(format!("/proc/{pid}/clear_refs"), "5");
        }
    }

    /// The last lines of its log.
    pub fn last_words(&self) -> String {
        let log = std::fs::read(&self.log).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let lines: Vec<&str> = log.lines().rev().take(LAST_WORDS).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join("\n    ")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Sends a signal to one process.
pub fn signal(pid: u32, name: &str) {
    let _ = Command::new("kill").args([&format!("-{name}"), &pid.to_string()]).stderr(Stdio::null()).status();
}
