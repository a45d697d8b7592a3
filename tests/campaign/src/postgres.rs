//! A PostgreSQL of the campaign's own, whose clock and disk listen to the campaign.

use crate::clockwork::Control;
use postgres_fixture::{Cluster, is_root, programs};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Makes a cluster below this folder and starts it; `None`: there is none on this machine.
pub fn start(folder: &Path, shim: &Path, control: &Control) -> Option<Cluster> {
    if is_root() {
        // The database's user has to read them.
        assert!(Command::new("chmod").arg("644").args(control_files(folder)).status().unwrap().success());
    }
    let variables = control.variables(shim).map(|(name, value)| (name.to_owned(), value));
    Some(Cluster::start(&programs()?, folder, &variables, &["max_connections=100", "full_page_writes=off"]))
}

fn control_files(folder: &Path) -> Vec<PathBuf> {
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    files.filter(|path| path.extension().is_some_and(|it| it == "control" || it == "so")).collect()
}
