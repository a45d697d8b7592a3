//! Real applications as processes: started, listened to, and ended with the story.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

/// An interpreter and its packages are read from disk in a second or two; a machine busy with other
/// tests takes longer.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long a process that was asked to end may take before it is ended.
const FAREWELL: Duration = Duration::from_secs(5);
const POLL: Duration = Duration::from_millis(20);

/// How often one looks within this time.
pub fn looks(patience: Duration) -> u128 {
    patience.as_millis() / POLL.as_millis()
}

/// The time between two looks.
pub async fn pause() {
    tokio::time::sleep(POLL).await;
}

/// What of this machine's environment an application sees: nothing that could point it elsewhere.
const KEPT: [&str; 3] = ["PATH", "LANG", "LD_LIBRARY_PATH"];

/// A running application. It ends when this is dropped.
pub struct Application {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Application {
    /// Starts a program in a folder, with a home of its own and only these variables.
    ///
    /// # Panics
    /// Where it can't be started.
    pub fn start(program: &Path, arguments: &[&str], folder: &Path, variables: &[(&str, &str)]) -> Self {
        let home = tempfile::tempdir_in(folder.parent().unwrap()).unwrap().keep();
        let log = home.join("output.log");
        let out = File::create(&log).unwrap();
        let name = format!("{} {}", program.display(), arguments.join(" "));
        let child = Command::new(program)
            .args(arguments)
            .current_dir(folder)
            .env_clear()
            .envs(std::env::vars_os().filter(|(name, _)| KEPT.iter().any(|kept| name == kept)))
            .env("HOME", &home)
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(out.try_clone().unwrap())
            .stderr(out)
            .spawn()
            .unwrap_or_else(|error| panic!("{name} can't be started: {error}"));
        Self { name, child, log }
    }

    /// What it wrote so far.
    pub fn output(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// Waits until it has written this text, and gives what stands behind it in that line.
    ///
    /// # Panics
    /// With its output, where it ends before or takes too long.
    pub async fn says(&mut self, text: &str) -> String {
        for _ in 0..looks(PATIENCE) {
            let ended = self.child.try_wait().unwrap();
            let output = self.output();
            let after = output.split_once(text).and_then(|(_, after)| after.split_once('\n'));
            if let Some((rest, _)) = after {
                return rest.to_owned();
            }
            if let Some(status) = ended {
                panic!("{} ended ({status}) without {text:?}; it wrote:\n{output}", self.name);
            }
            pause().await;
        }
        panic!("{} did not say {text:?}; it wrote:\n{}", self.name, self.output());
    }

    /// Waits until it listens; gives its address.
    pub async fn address(&mut self) -> String {
        let rest = self.says("http://127.0.0.1:").await;
        let port: String = rest.chars().take_while(char::is_ascii_digit).collect();
        format!("http://127.0.0.1:{port}")
    }

    /// Waits until it ends by itself.
    ///
    /// # Panics
    /// With its output, where it takes too long.
    pub async fn ends(&mut self) -> ExitStatus {
        for _ in 0..looks(PATIENCE) {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            pause().await;
        }
        panic!("{} does not end; it wrote:\n{}", self.name, self.output());
    }

    /// Asks it to end, so that it ends its own children first; then does without asking.
    fn end(&mut self) {
        let asked = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).stderr(Stdio::null()).status();
        for _ in 0..if asked.is_ok_and(|status| status.success()) { looks(FAREWELL) } else { 0 } {
            if matches!(self.child.try_wait(), Ok(Some(_))) {
                return;
            }
            std::thread::sleep(POLL);
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Application {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            self.end();
        }
    }
}
