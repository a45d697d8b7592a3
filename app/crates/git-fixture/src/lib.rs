//! Real git repositories for tests, with a history as the test wants it, made by the `git` program
//! apart from this machine's settings.
//!
//! Every function panics where git or the disk fails, and says why: that is a broken test.
#![expect(clippy::unwrap_used, reason = "for tests, which say by panicking what went wrong")]

mod example;

pub use example::{CART, example};

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;
use std::{env, fs};

/// Somebody who commits: `Name <address>`.
pub const ADA: &str = "Ada Lovelace <ada@example.com>";
/// Somebody else.
pub const GRACE: &str = "Grace Hopper <grace@example.com>";
/// A third.
pub const LINUS: &str = "Linus Torvalds <linus@example.com>";

/// A repository with a work tree. Committing to it is what a push to its server would do.
pub struct GitRepo {
    directory: PathBuf,
}

/// What `git blame` says of one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blamed {
    /// The commit that wrote it, a full id.
    pub commit: String,
    /// What the file was called there.
    pub path: String,
    /// Which line it was there, from 1.
    pub line: u32,
}

impl GitRepo {
    /// A new repository with no commits, on branch `main`.
    pub fn init(directory: impl Into<PathBuf>) -> Self {
        Self::init_with(directory, &[])
    }

    /// The same with more arguments for `git init`.
    pub fn init_with(directory: impl Into<PathBuf>, options: &[&str]) -> Self {
        let directory = directory.into();
        fs::create_dir_all(&directory).unwrap();
        let repo = Self { directory };
        repo.git(&[&["init", "--quiet", "--initial-branch=main"], options].concat());
        repo
    }

    /// An existing repository.
    pub fn open(directory: impl Into<PathBuf>) -> Self {
        Self { directory: directory.into() }
    }

    /// The root of its files.
    pub fn path(&self) -> &Path {
        &self.directory
    }

    /// The directory that servers serve.
    pub fn git_dir(&self) -> PathBuf {
        self.directory.join(".git")
    }

    /// Runs git here and returns what it printed, without the last line's end. Panics where git
    /// fails.
    pub fn git(&self, arguments: &[&str]) -> String {
        self.git_as(ADA, "2026-01-01T00:00:00Z", arguments)
    }

    /// The same as somebody at some time.
    pub fn git_as(&self, person: &str, date: &str, arguments: &[&str]) -> String {
        let (name, email) = person.trim_end_matches('>').split_once(" <").unwrap();
        let output = isolated_git()
            .current_dir(&self.directory)
            .args(["-c", "core.autocrlf=false", "-c", "commit.gpgSign=false"])
            .args(arguments)
            .envs([("GIT_AUTHOR_NAME", name), ("GIT_AUTHOR_EMAIL", email), ("GIT_AUTHOR_DATE", date)])
            .envs([("GIT_COMMITTER_NAME", name), ("GIT_COMMITTER_EMAIL", email), ("GIT_COMMITTER_DATE", date)])
            .output()
            .unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "git {arguments:?} in {}: {stderr}", self.directory.display());
        String::from_utf8_lossy(&output.stdout).trim_end_matches('\n').to_owned()
    }

    /// Writes a file without committing it.
    pub fn write(&self, path: &str, text: &str) {
        let path = self.directory.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Commits these files with these texts (and whatever else was changed); `date` is ISO 8601.
    /// Returns the commit's id.
    pub fn commit(&self, person: &str, date: &str, files: &[(&str, &str)], message: &str) -> String {
        for (path, text) in files {
            self.write(path, text);
        }
        self.git(&["add", "--all"]);
        self.git_as(person, date, &["commit", "--quiet", "--allow-empty", "--message", message]);
        self.head()
    }

    /// Renames a file in a commit of its own.
    pub fn rename(&self, person: &str, date: &str, from: &str, to: &str) -> String {
        fs::create_dir_all(self.directory.join(to).parent().unwrap()).unwrap();
        fs::rename(self.directory.join(from), self.directory.join(to)).unwrap();
        self.commit(person, date, &[], &format!("Move {from} to {to}"))
    }

    /// Merges a branch, always by a merge commit.
    pub fn merge(&self, person: &str, date: &str, branch: &str) -> String {
        let message = format!("Merge {branch}");
        self.git_as(person, date, &["merge", "--quiet", "--no-ff", "--message", &message, branch]);
        self.head()
    }

    /// Creates a branch here and switches to it.
    pub fn branch(&self, name: &str) {
        self.git(&["switch", "--quiet", "--create", name]);
    }

    /// Switches to a branch.
    pub fn switch(&self, name: &str) {
        self.git(&["switch", "--quiet", name]);
    }

    /// Deletes a branch, merged or not.
    pub fn delete_branch(&self, name: &str) {
        self.git(&["branch", "--quiet", "-D", name]);
    }

    /// Tags the current commit, or moves the tag there.
    pub fn tag(&self, name: &str) {
        self.git(&["tag", "--force", name]);
    }

    /// The same by a tag object.
    pub fn annotated_tag(&self, name: &str) {
        self.git(&["tag", "--force", "--annotate", "--message", name, name]);
    }

    /// What a forced push does: the branch is elsewhere, and what it had may be reachable no more.
    pub fn force(&self, to: &str) {
        self.git(&["reset", "--quiet", "--hard", to]);
    }

    /// The current commit.
    pub fn head(&self) -> String {
        self.git(&["rev-parse", "HEAD"])
    }

    /// What `git blame` says of every line of a file.
    pub fn blame(&self, commit: &str, path: &str) -> Vec<Blamed> {
        self.blame_with(&[], commit, path)
    }

    /// The same with more arguments for `git blame`.
    pub fn blame_with(&self, options: &[&str], commit: &str, path: &str) -> Vec<Blamed> {
        let printed = self.git(&[&["blame", "--line-porcelain"], options, &[commit, "--", path]].concat());
        let (mut all, mut current) = (Vec::new(), None);
        for text in printed.lines() {
            if text.starts_with('\t') {
                current = None;
            } else if let Some((commit, line)) = &current {
                let path = text.strip_prefix("filename ").map(str::to_owned);
                all.extend(path.map(|path| Blamed { commit: String::clone(commit), path, line: *line }));
            } else {
                let mut words = text.split(' ');
                let commit = words.next().unwrap_or_default().to_owned();
                current = Some((commit, words.next().unwrap().parse().unwrap()));
            }
        }
        all
    }
}

/// Where git is. A program that is named by its path is started by `posix_spawn`, which shares this
/// process's memory for that moment; one that is to be looked for in another environment's PATH by
/// `fork`, which copies the tables of its pages: from a large test that takes longer than git does.
static GIT: LazyLock<PathBuf> = LazyLock::new(|| {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).map(|folder| folder.join("git")).find(|file| file.is_file()).unwrap_or_else(|| "git".into())
});

/// The `git` program, without what this machine's users and administrators have set.
pub fn isolated_git() -> Command {
    let mut command = Command::new(&*GIT);
    command.env_clear().envs(env::vars_os().filter(|(name, _)| name == "PATH"));
    command.envs([("HOME", "/nonexistent"), ("GIT_CONFIG_GLOBAL", "/dev/null"), ("GIT_CONFIG_NOSYSTEM", "1")]);
    command.envs([("LC_ALL", "C.UTF-8"), ("TZ", "UTC"), ("GIT_TERMINAL_PROMPT", "0")]);
    command
}
