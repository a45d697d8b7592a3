//! The files of a commit that one frame may be in, by each way in which its name can be meant; by
//! the names of packages: `package_fits`.

use super::evidence::Evidence;
use super::evidence::MirrorCommit;
use super::frame_signs::{drop_undecided, may_differ_in_case, module_standing, telling};
use super::manifests::Manifests;
use domain::deployed_root::{Fit, Root, Sighting};
use domain::drift::{Drift, around, stand};
use domain::frame_names::{Spelling, names_of, parts_of, resource_of};
use domain::function_names::{FunctionFit, Misplaced, compare};
use domain::identity::squeeze;
use domain::not_ours::third_party_at;
use domain::report::{Frame, Platform};
use domain::rule::Rules;
use domain::source::Block;
use mirror::{Candidate, MirrorError, PathStanding, Search};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

/// Candidates of one name whose text is compared; the best suffixes come first.
const CANDIDATES_READ: usize = 20;
/// A text shorter than this, squeezed, stands in too many files to recognise one by.
const TELLING_TEXT: usize = 4;

/// What is known of where a report comes from.
#[derive(Clone, Copy, Debug, Default)]
pub struct Deployment<'a> {
    /// `owner/name` of the repository.
    pub repository: Option<&'a str>,
    /// The folder of the repository that the report's key is for.
    pub folder: Option<&'a str>,
    /// Roots that earlier reports of the same server or release have shown.
    pub remembered: &'a [Root],
}

/// Looks for files.
pub(super) struct Finder<'a> {
    pub(super) at: MirrorCommit<'a>,
    rules: &'a Rules,
    platform: Platform,
    pub(super) deployment: Deployment<'a>,
    pub(super) manifests: Manifests<'a>,
    /// The functions of files whose lines were asked for.
    blocks: RefCell<BTreeMap<String, Rc<[Block]>>>,
}

/// A frame, and what it may be.
#[derive(Debug, Default)]
pub(super) struct Sought {
    /// The files that fit.
    pub(super) sighting: Sighting,
    /// The paths that it has as reported, where it has any: what a root is applied to.
    pub(super) paths: Vec<Vec<String>>,
    /// It is of an application that the repository does not have.
    pub(super) is_package: bool,
}

impl<'a> Finder<'a> {
    pub(super) fn new(at: MirrorCommit<'a>, rules: &'a Rules, platform: Platform, deployment: Deployment<'a>) -> Self {
        Self { at, rules, platform, deployment, manifests: Manifests::new(at), blocks: RefCell::default() }
    }

    /// What a path of the commit is.
    pub(super) fn standing_of(&self, path: &str) -> Result<PathStanding, MirrorError> {
        self.at.mirrors.standing_of(self.at.id, self.at.commit, path)
    }

    /// The folders that are submodules.
    pub(super) fn submodules(&self) -> Result<Vec<String>, MirrorError> {
        self.at.mirrors.submodules(self.at.id, self.at.commit)
    }

    /// The files that a frame may be in.
    pub(super) fn seek(&self, frame: &Frame) -> Result<Sought, MirrorError> {
        let names = names_of(frame, self.platform, self.deployment.repository);
        if names.spellings.is_empty() {
            return Ok(Sought::default());
        }
        let texts = [frame.abs_path.as_deref(), frame.filename.as_deref()].map(|text| text.map(resource_of));
        for text in texts.into_iter().flatten() {
            if let Some(mapped) = self.mapped(text) {
                let mut fits = self.by_suffix(frame, &parts_of(&mapped), false)?;
                fits.retain(|fit| fit.is_whole);
                fits.iter_mut().for_each(|fit| fit.is_certain = true);
                if !fits.is_empty() {
                    return Ok(Sought { sighting: Sighting { fits, ..Sighting::default() }, ..Sought::default() });
                }
            }
        }
        let package = texts.into_iter().flatten().find(|path| self.rules.in_package_directory(path));
        let mut sought = Sought::default();
        if let Some(path) = package {
            sought.sighting.fits = self.by_workspace(frame, path)?;
            if !sought.sighting.fits.is_empty() {
                return Ok(sought);
            }
        }
        sought.sighting.is_foreign = names.is_foreign || package.is_some();
        let mut spellings = names.spellings;
        if let Some(path) = package {
            let tail = parts_of(self.package_tail(path));
            spellings.retain(|spelling| !matches!(spelling, Spelling::Path(_)));
            let is_go = self.platform == Platform::Go && spellings.is_empty();
            spellings.extend(is_go.then(|| Spelling::GoImport(tail.clone())));
            spellings.push(Spelling::Path(tail));
        }
        for spelling in &spellings {
            if self.seek_as(frame, spelling, spellings.len() == 1, &mut sought)? {
                break;
            }
        }
        let fits = &mut sought.sighting.fits;
        fits.retain(|fit| fit.agrees || fit.is_certain || !self.is_third_party(fit, &sought.paths));
        if fits.len() > 1 {
            for fit in fits.iter_mut() {
                fit.function = self.compare_function(frame, fit)?.0;
            }
        }
        Ok(sought)
    }

    /// Whether a file's root, as it was deployed, is in a folder for other people's code.
    fn is_third_party(&self, fit: &Fit, paths: &[Vec<String>]) -> bool {
        let prefix: Vec<String> = fit.root.prefix.split('/').map(str::to_owned).collect();
        let name = fit.path.rsplit('/').next().unwrap_or_default().to_owned();
        let deployed: Vec<String> = prefix.iter().cloned().chain([name]).collect();
        let Some(at) = third_party_at(&deployed) else { return false };
        let of_root = paths.iter().filter(|path| path.starts_with(&prefix));
        !of_root.clone().any(|path| self.rules.is_own(&path[at..].join("/")))
    }

    /// Whether the line is in the function that the frame names, where no text tells.
    pub(super) fn compare_function(
        &self,
        frame: &Frame,
        fit: &Fit,
    ) -> Result<(FunctionFit, Option<Misplaced>), MirrorError> {
        if fit.stand.drift != Drift::Unchecked {
            return Ok((FunctionFit::Unknown, None));
        }
        let known = self.blocks.borrow().get(&fit.path).cloned();
        let blocks = match known {
            Some(known) => known,
            None => {
                let read: Rc<[Block]> = Evidence::Mirror(self.at).blocks(&fit.path)?.into();
                self.blocks.borrow_mut().insert(fit.path.clone(), Rc::clone(&read));
                read
            }
        };
        Ok(compare(frame.function_name(), fit.stand.line, &blocks))
    }

    /// Adds the files that a name leads to; whether they are certainly all.
    fn seek_as(
        &self,
        frame: &Frame,
        spelling: &Spelling,
        is_only: bool,
        sought: &mut Sought,
    ) -> Result<bool, MirrorError> {
        let reported = spelling.parts();
        match spelling {
            Spelling::Path(_) => {
                let is_foreign = sought.sighting.is_foreign;
                let fits = self.by_suffix(frame, &reported, !is_foreign)?;
                for fit in fits {
                    let known = &mut sought.sighting.fits;
                    match known.iter_mut().find(|known| known.path == fit.path) {
                        // The same file, of which another name says more.
                        Some(known) if known.matched < fit.matched => *known = fit,
                        Some(_) => {}
                        None => known.push(fit),
                    }
                }
                sought.paths.push(reported);
                Ok(false)
            }
            Spelling::Rooted(_) => {
                let path = reported.join("/");
                match self.standing_of(&path)? {
                    PathStanding::File(file) => {
                        sought.sighting.fits.extend(self.fit(
                            frame,
                            &reported,
                            &Candidate::exact(file),
                            true,
                            false,
                        )?);
                        Ok(true)
                    }
                    PathStanding::Submodule(_) | PathStanding::Outside => {
                        sought.paths.push(reported);
                        Ok(true)
                    }
                    PathStanding::Nothing => {
                        sought.sighting.is_foreign = true;
                        sought.sighting.fits.extend(self.by_suffix(frame, &reported, false)?);
                        Ok(false)
                    }
                }
            }
            Spelling::Class { package, file } => {
                sought.sighting.fits.extend(self.by_class(frame, package, file, &reported)?);
                Ok(true)
            }
            Spelling::Dart { package, rest } => {
                let fits = self.by_dart_package(frame, package, rest)?;
                // What names a package names no path: another of that end is another's.
                sought.sighting.is_foreign |= fits.is_empty() && !is_only;
                let is_found = !fits.is_empty();
                sought.sighting.fits.extend(fits);
                Ok(is_found)
            }
            Spelling::Mix { application, rest } => {
                let folders = self.manifests.mix_folders(application)?;
                let is_other = folders.as_ref().is_some_and(Vec::is_empty);
                let fits = self.by_application(frame, application, rest, folders.unwrap_or_default())?;
                let is_found = !fits.is_empty();
                // A repository that says what its applications are called has no file of another.
                sought.is_package = is_other && !is_found;
                sought.sighting.is_foreign |= sought.is_package;
                sought.sighting.fits.extend(fits);
                Ok(is_found || sought.is_package)
            }
            Spelling::GoImport(import) => {
                let known = self.manifests.go_paths(import)?;
                for path in &known {
                    let fit = self.fit(frame, &reported, &Candidate::exact(path.clone()), true, false)?;
                    sought.sighting.fits.extend(fit);
                }
                if !known.is_empty() {
                    sought.sighting.is_foreign = false;
                    return Ok(true);
                }
                if self.manifests.has_go_modules()? {
                    sought.sighting.is_foreign = true;
                }
                if is_only {
                    return self.seek_as(frame, &Spelling::Path(reported), true, sought);
                }
                Ok(false)
            }
        }
    }

    /// Files whose path ends as a reported one does; without regard to case where that alone leads
    /// anywhere.
    pub(super) fn by_suffix(
        &self,
        frame: &Frame,
        reported: &[String],
        may_fold: bool,
    ) -> Result<Vec<Fit>, MirrorError> {
        let mut fits = Vec::new();
        for folded in [false, true] {
            let says_more = |fit: &Fit| fit.agrees || fit.is_whole || fit.is_below_key || fit.matched > 1;
            if folded && (!may_fold || fits.iter().any(says_more)) {
                break;
            }
            let by_text = may_fold && !folded && telling(frame).is_some_and(|text| squeeze(text).len() >= TELLING_TEXT);
            let search = Search { below: self.deployment.folder, folded, by_text };
            let candidates = self.at.mirrors.candidates(self.at.id, self.at.commit, reported, search)?;
            for candidate in candidates.iter().take(CANDIDATES_READ) {
                let fit = self.fit(frame, reported, candidate, false, folded)?;
                if let Some(fit) =
                    fit.filter(|fit| !folded || (says_more(fit) && (fit.agrees || may_differ_in_case(frame))))
                {
                    fits.retain(|known: &Fit| known.path != fit.path || !folded);
                    fits.push(fit);
                }
            }
            if by_text {
                drop_undecided(&mut fits);
            }
        }
        Ok(fits)
    }

    /// A file to which a root leads.
    pub(super) fn fit_by_root(
        &self,
        frame: &Frame,
        reported: &[String],
        file: &str,
        root: &Root,
    ) -> Result<Option<Fit>, MirrorError> {
        let fit = self.fit(frame, reported, &Candidate::exact(file.to_owned()), false, false)?;
        Ok(fit.map(|fit| Fit { root: root.clone(), ..fit }))
    }

    /// A file, with where the frame's line is in it; `None`: it is no text, or has no such line.
    pub(super) fn fit(
        &self,
        frame: &Frame,
        reported: &[String],
        candidate: &Candidate,
        is_certain: bool,
        folded: bool,
    ) -> Result<Option<Fit>, MirrorError> {
        let Some(lines) = self.at.lines(&candidate.path)? else { return Ok(None) };
        let Some(stand) = stand(&lines, frame, &candidate.path) else { return Ok(None) };
        let of_module = module_standing(frame, &candidate.path, &lines);
        if of_module == Some(false) {
            return Ok(None);
        }
        let is_certain = is_certain || of_module == Some(true);
        let shown_as = candidate.shown_as.as_deref().unwrap_or(&candidate.path);
        let (root, matched) = Root::of(reported, shown_as, folded);
        let agrees = matches!(stand.drift, Drift::None | Drift::Moved)
            && telling(frame).is_some_and(|text| squeeze(text).len() >= TELLING_TEXT);
        let around = if stand.drift == Drift::Differs { around(&lines, frame) } else { (0, 0) };
        let is_below = |folder: &str| candidate.path.starts_with(&format!("{}/", folder.trim_matches('/')));
        let is_below_key = self.deployment.folder.is_some_and(is_below);
        let is_whole = matched == shown_as.split('/').count();
        let is_folded = folded && domain::deployed_root::matched(reported, shown_as, false) < matched;
        Ok(Some(Fit {
            path: candidate.path.clone(),
            root,
            matched,
            is_whole,
            is_certain,
            is_below_key,
            stand,
            agrees,
            around,
            function: FunctionFit::Unknown,
            is_folded,
        }))
    }

    /// The path that the repository's own `path_mappings` give.
    fn mapped(&self, path: &str) -> Option<String> {
        let mappings = &self.rules.settings.path_mappings;
        let key = self.deployment.folder;
        let of_key = |folder: &str| key.is_some_and(|key| key == folder.trim_matches('/'));
        let mut mappings = mappings.iter().filter(|one| one.key_folder.as_deref().is_none_or(of_key));
        mappings.find_map(|mapping| Some(format!("{}{}", mapping.to, path.strip_prefix(&mapping.from)?)))
    }

    /// What follows the package directory: `requests/api.py`.
    fn package_tail<'p>(&self, path: &'p str) -> &'p str {
        let names = &self.rules.settings.report_runtime_package_directory_names;
        names
            .iter()
            .filter_map(|name| path.rsplit_once(&format!("/{}/", name.trim_matches('/'))))
            .map(|(_, tail)| tail)
            .min_by_key(|tail| tail.len())
            .unwrap_or(path)
    }
}
