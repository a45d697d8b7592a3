//! The files that a frame may be in by the name of its package: of a workspace, a class, a Dart
//! package, an Elixir application.

use super::frame_fits::Finder;
use super::manifests::package_clause;
use domain::deployed_root::Fit;
use domain::frame_names::parts_of;
use domain::report::Frame;
use mirror::{Candidate, MirrorError, PathStanding, Search};

/// Files of a class's base name whose package line is read: `Main.kt` is in each module.
const CLASSES_READ: usize = 40;

impl Finder<'_> {
    /// The file of a workspace's package, which is installed as a link.
    pub(super) fn by_workspace(&self, frame: &Frame, installed: &str) -> Result<Vec<Fit>, MirrorError> {
        let mut fits = Vec::new();
        for path in self.manifests.node_paths(&installed.replace('\\', "/"))? {
            if let PathStanding::File(file) = self.standing_of(&path)? {
                fits.extend(self.fit(frame, &parts_of(installed), &Candidate::exact(file), true, false)?);
            }
        }
        Ok(fits)
    }

    /// Source files of a class: their own package line decides, and where there is none, the
    /// folders.
    pub(super) fn by_class(
        &self,
        frame: &Frame,
        package: &[String],
        file: &str,
        reported: &[String],
    ) -> Result<Vec<Fit>, MirrorError> {
        let (mirrors, id, commit) = (self.at.mirrors, self.at.id, self.at.commit);
        let search = Search { below: self.deployment.folder, ..Search::default() };
        let mut candidates = mirrors.candidates(id, commit, reported, search)?;
        for path in mirrors.files_named(id, commit, file)? {
            if !candidates.iter().any(|one| one.path == path) {
                candidates.push(Candidate { whole: false, matched_components: 1, path, shown_as: None });
            }
        }
        let mut fits = Vec::new();
        for candidate in candidates.iter().take(CLASSES_READ) {
            let Some(lines) = self.at.lines(&candidate.path)? else { continue };
            let is_certain = match package_clause(&lines) {
                // Scala's packages may be nested in a file.
                Some(clause) if clause == package => true,
                Some(clause) if file.ends_with(".scala") && package.starts_with(&clause) => true,
                Some(_) => continue,
                None => package.is_empty(),
            };
            fits.extend(self.fit(frame, reported, candidate, is_certain, false)?);
        }
        Ok(fits)
    }

    /// Files of the Elixir application of a name: by its manifest, else as an umbrella has it.
    pub(super) fn by_application(
        &self,
        frame: &Frame,
        application: &str,
        rest: &[String],
        mut folders: Vec<String>,
    ) -> Result<Vec<Fit>, MirrorError> {
        if folders.is_empty() {
            folders.push(format!("apps/{application}"));
        }
        let mut fits = Vec::new();
        for folder in folders {
            let path = format!("{folder}/{}", rest.join("/"));
            if let PathStanding::File(file) = self.standing_of(path.trim_start_matches('/'))? {
                fits.extend(self.fit(frame, rest, &Candidate::exact(file), true, false)?);
            }
        }
        Ok(fits)
    }

    /// Files below `lib` of the Dart package of a name: of its manifest, else of its folder.
    pub(super) fn by_dart_package(
        &self,
        frame: &Frame,
        package: &str,
        rest: &[String],
    ) -> Result<Vec<Fit>, MirrorError> {
        let mut fits = Vec::new();
        let folders = self.manifests.dart_folders(package)?;
        for folder in &folders {
            let parts = folder.split('/').filter(|part| !part.is_empty()).map(str::to_owned);
            let path: Vec<String> = parts.chain(["lib".to_owned()]).chain(rest.iter().cloned()).collect();
            if let PathStanding::File(file) = self.standing_of(&path.join("/"))? {
                fits.extend(self.fit(frame, rest, &Candidate::exact(file), true, false)?);
            }
        }
        if folders.is_empty() {
            let named: Vec<String> =
                [package, "lib"].into_iter().map(str::to_owned).chain(rest.iter().cloned()).collect();
            fits = self.by_suffix(frame, &named, false)?;
            fits.retain(|fit| fit.matched == named.len());
        }
        Ok(fits)
    }
}
