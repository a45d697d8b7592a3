//! The git checkout around a folder, for commands that look at one.

use std::path::{Path, PathBuf};

/// A repository that somebody works in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkout {
    /// Its git directory.
    pub git_directory: PathBuf,
    /// The root of its files; `None`: it is bare.
    pub root: Option<PathBuf>,
}

/// The repository that a folder belongs to, looked for upwards as git does. `None`: it is in none.
pub fn checkout_around(folder: &Path) -> Option<Checkout> {
    let (found, _) = gix::discover::upwards(folder).ok()?;
    let (git_directory, root) = found.into_repository_and_work_tree_directories();
    // A linked work tree's own directory has its HEAD, which is what is asked for; gix finds the
    // objects from there.
    Some(Checkout { git_directory, root: root.and_then(|root| std::fs::canonicalize(root).ok()) })
}
