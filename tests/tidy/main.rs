//! The house rules, as tests: each reads the source tree, and says where which rule is
//! broken and what to do.

mod circles;
mod crates;
mod features;
mod layers;
mod modules;
mod source;
mod text;

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// One place that breaks a rule.
#[derive(Debug, PartialEq, Eq)]
struct Broken {
    path: String,
    line: usize,
    rule: String,
}

impl fmt::Display for Broken {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}: {}", self.path, self.line, self.rule)
    }
}

fn broken(path: &str, line: usize, rule: impl Into<String>) -> Broken {
    Broken { path: path.to_owned(), line, rule: rule.into() }
}

/// Fails with all places at once, so that one run shows all there is to mend.
fn assert_kept(places: Vec<Broken>) {
    let list: Vec<String> = places.iter().map(|place| format!("  {place}\n")).collect();
    assert!(places.is_empty(), "{} places break a rule of the house:\n{}", places.len(), list.concat());
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("tests/tidy stands in the workspace").to_owned()
}

/// The project's files, `/` between folders: those that git tracks, and those that it would.
fn files() -> Vec<String> {
    let listed = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(root())
        .output()
        .expect("git lists the project's files");
    assert!(listed.status.success(), "git can't list the project's files: {}", String::from_utf8_lossy(&listed.stderr));
    let listed = String::from_utf8(listed.stdout).expect("file names are UTF-8");
    // A file that was deleted but not yet committed is still listed.
    let files: Vec<String> =
        listed.split_terminator('\0').filter(|path| root().join(path).is_file()).map(str::to_owned).collect();
    assert!(files.iter().any(|path| path == "app/src/lib.rs"), "the project's files were not found: {files:?}");
    files
}

/// Folders of the crates that are the app.
fn crate_folders() -> Vec<String> {
    let manifests = files().into_iter().filter(|path| path.starts_with("app/") && path.ends_with("/Cargo.toml"));
    manifests.map(|path| path.trim_end_matches("/Cargo.toml").to_owned()).collect()
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}
