//! Which folders of a repository are deployed by themselves, as far as their manifests tell.

use super::Mirrors;
use super::error::MirrorError;
use domain::ids::RepositoryId;
use domain::settings::RUNTIME_DIRECTORIES;
use std::collections::BTreeSet;

/// Files that stand in the folder of a package or application.
const MANIFESTS: [&str; 14] = [
    "pyproject.toml",
    "setup.py",
    "requirements.txt",
    "package.json",
    "go.mod",
    "Cargo.toml",
    "pom.xml",
    "build.gradle",
    "build.gradle.kts",
    "pubspec.yaml",
    "Gemfile",
    "composer.json",
    "mix.exs",
    "Dockerfile",
];

/// Folders that are named: more are no list that a person reads.
const MOST: usize = 30;

impl Mirrors {
    /// The folders of the default branch's head that have a manifest, the nearest to the root
    /// first; the root itself is the empty one. What is in a package directory is left out.
    ///
    /// # Errors
    /// [`MirrorError::NoMirror`], [`MirrorError::Git`].
    pub fn package_folders(&self, id: RepositoryId) -> Result<Vec<String>, MirrorError> {
        let Some(head) = self.head(id)? else { return Ok(Vec::new()) };
        let mut found = BTreeSet::new();
        for name in MANIFESTS {
            for path in self.files_named(id, &head.commit, name)? {
                let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
                let within = format!("/{folder}/");
                if !RUNTIME_DIRECTORIES.iter().any(|name| within.contains(&format!("/{name}/"))) {
                    found.insert((folder.split('/').count(), folder.to_owned()));
                }
            }
        }
        let mut folders: Vec<String> = found.into_iter().map(|(_, folder)| folder).collect();
        folders.sort_by_key(|folder| !folder.is_empty());
        folders.truncate(MOST);
        Ok(folders)
    }
}
