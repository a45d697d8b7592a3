//! From the path that a client reports to the files of a commit that it may be.

use super::Mirrors;
use super::error::MirrorError;
use super::read::{self, is_plain};
use super::tree_links::{Elsewhere, Followed};
use domain::commit::CommitId;
use domain::deployed_root::matched;
use domain::ids::RepositoryId;
use gix::bstr::BStr;
use gix::objs::tree::EntryRef;
use gix::traverse::tree::{Recorder, Visit, visit};
use std::cmp::Reverse;
use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::{Arc, OnceLock};

/// Most candidates that are returned: more than these that match equally well are decided by
/// nothing.
const MOST: usize = 50;

/// Of files of which nothing but the base name is the same, those that are returned where a text
/// tells them apart: each is read.
const MOST_OF_A_NAME: usize = 20;

/// Files and directories of one tree that are listed. Chromium has 450,000 files; and by having
/// each directory many times, a dozen objects can make a tree of more than any memory holds.
const MOST_LISTED: usize = 500_000;

/// Bytes of their paths.
const MOST_BYTES: usize = 64 << 20;

/// From this many matching components on, a path is hardly ever a foreign file's: of 11,660 files
/// of the standard library and of installed packages, 0.2 to 0.6 % matched another repository by
/// two components, 28 to 34 % by one.
const TELLING: usize = 2;

/// A file of the repository that a reported path may name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Path from the repository's root.
    pub path: String,
    /// How many components at the end are the same in both paths.
    pub matched_components: usize,
    /// The whole repository path is the end of the reported one.
    pub whole: bool,
    /// The path under which a symbolic link shows the file, where that is what was matched.
    pub shown_as: Option<String>,
}

impl Candidate {
    /// A file that is known to be the one.
    pub fn exact(path: String) -> Self {
        Self { path, matched_components: 0, whole: true, shown_as: None }
    }
}

/// How files are looked for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Search<'a> {
    /// Files below this folder come first, and are found by their name alone.
    pub below: Option<&'a str>,
    /// Upper and lower case are the same.
    pub folded: bool,
    /// There is a text to tell files of one base name apart by.
    pub by_text: bool,
}

/// What a path of a commit is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PathStanding {
    /// A regular file: its path, after symbolic links were followed.
    File(String),
    /// In this folder, which is another repository.
    Submodule(String),
    /// Below a symbolic link that leads out of the repository.
    Outside,
    /// There is no such file.
    Nothing,
}

/// The files of one tree by base name.
pub(super) struct TreeIndex {
    by_name: HashMap<Box<str>, Vec<(Box<str>, gix::ObjectId)>>,
    /// The names of files by their lower-case form; made where it is asked for.
    folded: OnceLock<HashMap<Box<str>, Vec<Box<str>>>>,
    /// What is in the tree and leads elsewhere.
    pub(super) elsewhere: Elsewhere,
    /// There are more files.
    is_cut: bool,
}

impl Mirrors {
    /// The files of a commit that a reported path may name, best first: those below the folder that
    /// is asked for, then by matching components from the end, then whole matches, then shorter
    /// paths. Two components must match, or the whole repository path (a file in its root), or the
    /// base name must be the only one of its kind in the tree, which says little unless the line's
    /// text agrees; where there is a text to go by, and nothing else, so do the few of its kind.
    /// What symbolic links of the tree show is found under their names as well. Files below
    /// `site-packages` and the like are the caller's to exclude. Unknown commits have no files.
    ///
    /// # Errors
    /// [`MirrorError::NoMirror`], [`MirrorError::Git`].
    pub fn candidates(
        &self,
        id: RepositoryId,
        commit: &CommitId,
        reported: &[String],
        search: Search<'_>,
    ) -> Result<Vec<Candidate>, MirrorError> {
        let Some(name) = reported.last() else { return Ok(Vec::new()) };
        let Some(index) = self.tree_index(id, commit)? else { return Ok(Vec::new()) };
        if index.is_cut {
            return self.suffixes(id, commit, reported);
        }
        let mut found: Vec<Candidate> = Vec::new();
        for path in index.named(name, search.folded) {
            found.push(compare(path, reported, search.folded));
        }
        let only_one = found.len() == 1;
        let mut shown = Vec::new();
        index.elsewhere.shown_as(name, found.iter().map(|candidate| candidate.path.as_str()), |path, shown_as| {
            let Candidate { matched_components, whole, .. } = compare(&shown_as, reported, search.folded);
            shown.push(Candidate { path, matched_components, whole, shown_as: Some(shown_as) });
        });
        found.extend(shown);
        let is_below = |path: &str| search.below.is_some_and(|folder| is_below(path, folder));
        let is_telling =
            |one: &Candidate| one.matched_components >= TELLING || one.whole || only_one || is_below(&one.path);
        let is_by_text = search.by_text && found.len() <= MOST_OF_A_NAME && !found.iter().any(is_telling);
        found.retain(|one| is_by_text || is_telling(one));
        found.sort_by(|a, b| {
            let rank = |c: &Candidate| {
                (Reverse(is_below(&c.path)), Reverse(c.matched_components), Reverse(c.whole), c.path.len())
            };
            rank(a).cmp(&rank(b)).then_with(|| a.path.cmp(&b.path))
        });
        found.truncate(MOST);
        Ok(found)
    }

    /// The files of a commit with a base name, the nearest to the root first, and no more than
    /// `MOST` of them; none of a tree that is too large to be listed.
    ///
    /// # Errors
    /// [`MirrorError::NoMirror`], [`MirrorError::Git`].
    pub fn files_named(&self, id: RepositoryId, commit: &CommitId, name: &str) -> Result<Vec<String>, MirrorError> {
        let Some(index) = self.tree_index(id, commit)? else { return Ok(Vec::new()) };
        let mut found: Vec<String> = index.named(name, false).map(str::to_owned).collect();
        found.sort_by_key(|path| (path.matches('/').count(), path.clone()));
        found.truncate(MOST);
        Ok(found)
    }

    /// What a path of a commit is, symbolic links followed.
    ///
    /// # Errors
    /// [`MirrorError::NoMirror`], [`MirrorError::Git`].
    pub fn standing_of(&self, id: RepositoryId, commit: &CommitId, path: &str) -> Result<PathStanding, MirrorError> {
        let Some(index) = self.tree_index(id, commit)? else { return Ok(PathStanding::Nothing) };
        Ok(match index.elsewhere.follow(path) {
            Followed::Path(path) => {
                let name = path.rsplit('/').next().unwrap_or(&path);
                if index.named(name, false).any(|there| there == path) {
                    PathStanding::File(path)
                } else {
                    PathStanding::Nothing
                }
            }
            Followed::Submodule(folder) => PathStanding::Submodule(folder),
            Followed::Outside => PathStanding::Outside,
        })
    }

    /// The folders of a commit that are other repositories.
    ///
    /// # Errors
    /// [`MirrorError::NoMirror`], [`MirrorError::Git`].
    pub fn submodules(&self, id: RepositoryId, commit: &CommitId) -> Result<Vec<String>, MirrorError> {
        Ok(self.tree_index(id, commit)?.map_or_else(Vec::new, |index| index.elsewhere.submodules()))
    }

    /// The same in a tree that is too large to be listed: files whose whole path is the end of the
    /// reported one.
    fn suffixes(
        &self,
        id: RepositoryId,
        commit: &CommitId,
        reported: &[String],
    ) -> Result<Vec<Candidate>, MirrorError> {
        self.ask(id, |repo| {
            let mut found = Vec::new();
            for from in 0..reported.len().min(MOST) {
                let path = reported[from..].join("/");
                if read::blob(repo, commit, &path)?.is_some() {
                    found.push(Candidate {
                        path,
                        matched_components: reported.len() - from,
                        whole: true,
                        shown_as: None,
                    });
                }
            }
            Ok(found)
        })
    }

    /// The regular files of a commit, by path, of a tree that is too large the first of them.
    /// Unknown commits have no files.
    ///
    /// # Errors
    /// [`MirrorError::NoMirror`], [`MirrorError::Git`].
    pub fn files(&self, id: RepositoryId, commit: &CommitId) -> Result<Vec<String>, MirrorError> {
        Ok(self.files_with_ids(id, commit)?.into_iter().map(|(path, _)| path).collect())
    }

    /// The same, each with the id of its content.
    pub(super) fn files_with_ids(
        &self,
        id: RepositoryId,
        commit: &CommitId,
    ) -> Result<Vec<(String, gix::ObjectId)>, MirrorError> {
        let Some(index) = self.tree_index(id, commit)? else { return Ok(Vec::new()) };
        let mut files: Vec<_> = index.by_name.values().flatten().map(|(path, id)| (path.to_string(), *id)).collect();
        files.sort_unstable();
        Ok(files)
    }

    fn tree_index(&self, id: RepositoryId, commit: &CommitId) -> Result<Option<Arc<TreeIndex>>, MirrorError> {
        self.ask(id, |repo| {
            let Some(tree) = read::tree(repo, commit)? else { return Ok(None) };
            if let Some(known) = self.inner.trees.get(&tree.id) {
                return Ok(Some(known));
            }
            let (weight, index) = TreeIndex::of(repo, &tree)?;
            Ok(Some(self.inner.trees.put(tree.id, weight, index)))
        })
    }
}

impl TreeIndex {
    /// The files of a base name.
    fn named(&self, name: &str, folded: bool) -> Box<dyn Iterator<Item = &str> + '_> {
        let exact = |name: &str| self.by_name.get(name).into_iter().flatten().map(|(path, _)| &**path);
        if !folded {
            return Box::new(exact(name));
        }
        let names = self.folded.get_or_init(|| {
            let mut names: HashMap<Box<str>, Vec<Box<str>>> = HashMap::new();
            for name in self.by_name.keys() {
                names.entry(name.to_lowercase().into()).or_default().push(name.clone());
            }
            names
        });
        Box::new(names.get(name.to_lowercase().as_str()).into_iter().flatten().flat_map(move |name| exact(name)))
    }

    /// Lists a tree: regular files by their names, as links and submodules have no lines; those are
    /// remembered as what they are. A path that is not UTF-8 cannot be reported.
    fn of(repo: &gix::Repository, tree: &gix::Tree<'_>) -> Result<(usize, Self), MirrorError> {
        let mut list = Bounded { recorder: Recorder::default(), listed: 0, bytes: 0, is_cut: false };
        let listed = tree.traverse().depthfirst(&mut list);
        let Bounded { recorder, is_cut, .. } = list;
        if !is_cut {
            listed.map_err(|error| MirrorError::git(format!("listing tree {}", tree.id), &error))?;
        }
        let mut by_name: HashMap<Box<str>, Vec<(Box<str>, gix::ObjectId)>> = HashMap::new();
        let mut weight = 1;
        let mut elsewhere = Elsewhere::default();
        for entry in recorder.records {
            let Some(path) = std::str::from_utf8(&entry.filepath).ok().filter(|path| is_plain(path)) else { continue };
            if !entry.mode.is_blob() {
                elsewhere.note(repo, path, &entry);
                continue;
            }
            let name = path.rsplit('/').next().unwrap_or(path);
            by_name.entry(name.into()).or_default().push((path.into(), entry.oid));
            weight += 1;
        }
        Ok((weight, Self { by_name, folded: OnceLock::new(), elsewhere, is_cut }))
    }
}

/// Records files, links and submodules until there are too many entries.
struct Bounded {
    recorder: Recorder,
    listed: usize,
    bytes: usize,
    is_cut: bool,
}

impl Bounded {
    fn is_full(&mut self) -> bool {
        self.listed += 1;
        self.bytes += self.recorder.path().len();
        self.is_cut |= self.listed > MOST_LISTED || self.bytes > MOST_BYTES;
        self.is_cut
    }
}

impl Visit for Bounded {
    fn pop_back_tracked_path_and_set_current(&mut self) {
        self.recorder.pop_back_tracked_path_and_set_current();
    }

    fn pop_front_tracked_path_and_set_current(&mut self) {
        self.recorder.pop_front_tracked_path_and_set_current();
    }

    fn push_back_tracked_path_component(&mut self, component: &BStr) {
        self.recorder.push_back_tracked_path_component(component);
    }

    fn push_path_component(&mut self, component: &BStr) {
        self.recorder.push_path_component(component);
    }

    fn pop_path_component(&mut self) {
        self.recorder.pop_path_component();
    }

    fn visit_tree(&mut self, _: &EntryRef<'_>) -> visit::Action {
        if self.is_full() { ControlFlow::Break(()) } else { ControlFlow::Continue(true) }
    }

    fn visit_nontree(&mut self, entry: &EntryRef<'_>) -> visit::Action {
        if self.is_full() {
            return ControlFlow::Break(());
        }
        self.recorder.visit_nontree(entry)
    }
}

fn compare(path: &str, reported: &[String], folded: bool) -> Candidate {
    let matched = matched(reported, path, folded);
    let whole = matched == path.split('/').count();
    Candidate { path: path.to_owned(), matched_components: matched, whole, shown_as: None }
}

/// Whether a path is in a folder.
fn is_below(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder.trim_matches('/')).is_some_and(|rest| rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::frame_names::parts_of;

    #[test]
    fn components_are_compared_from_the_end() {
        let reported = parts_of("/srv/releases/7/src/shop/cart.py");
        let cart = compare("src/shop/cart.py", &reported, false);
        assert_eq!((cart.matched_components, cart.whole), (3, true));
        let other = compare("tests/shop/cart.py", &reported, false);
        assert_eq!((other.matched_components, other.whole), (2, false));
        let old = compare("old/cart.py", &reported, false);
        assert_eq!((old.matched_components, old.whole), (1, false));
    }
}
