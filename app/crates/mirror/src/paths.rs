//! From the path that a client reports to the files of a commit that it may be.

use super::Mirrors;
use super::error::MirrorError;
use super::read::{self, is_plain};
use domain::commit::CommitId;
use domain::ids::RepositoryId;
use gix::bstr::BStr;
use gix::objs::tree::EntryRef;
use gix::traverse::tree::{Recorder, Visit, visit};
use std::cmp::Reverse;
use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::Arc;

/// Most candidates that are returned: more than these that match equally well are decided by
/// nothing.
const MOST: usize = 50;

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
}

/// The files of one tree by base name.
pub(super) struct TreeIndex {
    by_name: HashMap<Box<str>, Vec<(Box<str>, gix::ObjectId)>>,
    /// There are more files.
    is_cut: bool,
}

impl Mirrors {
    /// The files of a commit that a reported path may name, best first: by matching components from
    /// the end, then whole matches, then shorter paths. Two components must match, or the whole
    /// repository path (a file in its root), or the base name must be the only one of its kind in
    /// the tree, which says little unless the line's text agrees. Files below `site-packages` and
    /// the like are the caller's to exclude. Unknown commits have no files.
    ///
    /// # Errors
    /// [`MirrorError::NoMirror`], [`MirrorError::Git`].
    pub fn candidates(
        &self,
        id: RepositoryId,
        commit: &CommitId,
        runtime_path: &str,
    ) -> Result<Vec<Candidate>, MirrorError> {
        let cleaned = cleaned(runtime_path);
        let Some(name) = cleaned.last() else { return Ok(Vec::new()) };
        let Some(index) = self.tree_index(id, commit)? else { return Ok(Vec::new()) };
        if index.is_cut {
            return self.suffixes(id, commit, &cleaned);
        }
        let Some(same_name) = index.by_name.get(name.as_str()) else { return Ok(Vec::new()) };
        let mut found: Vec<Candidate> = same_name.iter().map(|(path, _)| compare(path, &cleaned)).collect();
        let only_one = found.len() == 1;
        found.retain(|candidate| candidate.matched_components >= TELLING || candidate.whole || only_one);
        found.sort_by(|a, b| {
            let rank = |c: &Candidate| (Reverse(c.matched_components), Reverse(c.whole), c.path.len());
            rank(a).cmp(&rank(b)).then_with(|| a.path.cmp(&b.path))
        });
        found.truncate(MOST);
        Ok(found)
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
                    found.push(Candidate { path, matched_components: reported.len() - from, whole: true });
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
            let (weight, index) = TreeIndex::of(&tree)?;
            Ok(Some(self.inner.trees.put(tree.id, weight, index)))
        })
    }
}

impl TreeIndex {
    /// Lists a tree: regular files only, as links and submodules have no lines. A path that is not
    /// UTF-8 cannot be reported.
    fn of(tree: &gix::Tree<'_>) -> Result<(usize, Self), MirrorError> {
        let mut list = Bounded { recorder: Recorder::default(), listed: 0, bytes: 0, is_cut: false };
        let listed = tree.traverse().depthfirst(&mut list);
        let Bounded { recorder, is_cut, .. } = list;
        if !is_cut {
            listed.map_err(|error| MirrorError::git(format!("listing tree {}", tree.id), &error))?;
        }
        let mut by_name: HashMap<Box<str>, Vec<(Box<str>, gix::ObjectId)>> = HashMap::new();
        let mut weight = 1;
        for entry in recorder.records {
            let Some(path) = std::str::from_utf8(&entry.filepath).ok().filter(|path| is_plain(path)) else { continue };
            let name = path.rsplit('/').next().unwrap_or(path);
            by_name.entry(name.into()).or_default().push((path.into(), entry.oid));
            weight += 1;
        }
        Ok((weight, Self { by_name, is_cut }))
    }
}

/// Records regular files until there are too many entries.
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
        if entry.mode.is_blob() { self.recorder.visit_nontree(entry) } else { ControlFlow::Continue(true) }
    }
}

fn compare(path: &str, reported: &[String]) -> Candidate {
    let matched = path.rsplit('/').zip(reported.iter().rev()).take_while(|(ours, theirs)| ours == theirs).count();
    let whole = matched == path.split('/').count();
    Candidate { path: path.to_owned(), matched_components: matched, whole }
}

/// The components of a reported path without what its runtime puts before or after it: schemes of
/// URLs and bundlers, drive letters, query strings, `.` and `..`.
fn cleaned(reported: &str) -> Vec<String> {
    let text = reported.trim().replace('\\', "/");
    let text = match text.split_once("://") {
        // file:///srv/x, app:///x and webpack:///./x have an empty authority; https://host/x and
        // webpack://name/./x do not.
        Some((scheme, rest)) if scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte)) => {
            let path = rest.split_once('/').map_or("", |(_, path)| path);
            path.split(['?', '#']).next().unwrap_or_default().to_owned()
        }
        _ => text.split('?').next().unwrap_or_default().to_owned(),
    };
    let mut components: Vec<String> = Vec::new();
    for component in text.split('/') {
        match component {
            "" | "." | "~" => {}
            ".." => drop(components.pop()),
            component => components.push(component.to_owned()),
        }
    }
    components
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_runtimes_put_around_a_path_is_taken_off() {
        for (reported, path) in [
            ("/srv/app/shop/cart.py", "srv/app/shop/cart.py"),
            ("C:\\app\\shop\\cart.py", "C:/app/shop/cart.py"),
            ("file:///srv/shop/cart.mjs", "srv/shop/cart.mjs"),
            ("webpack:///./src/cart.ts?af12", "src/cart.ts"),
            ("webpack://shop/./src/cart.ts", "src/cart.ts"),
            ("webpack-internal:///./src/cart.ts", "src/cart.ts"),
            ("app:///src/cart.js", "src/cart.js"),
            ("https://shop.example.com/static/cart.js?v=2#x", "static/cart.js"),
            ("~/static/cart.js", "static/cart.js"),
            ("/srv/shop/../common/./a.py", "srv/common/a.py"),
            ("../../../etc/passwd", "etc/passwd"),
            ("", ""),
            ("///", ""),
        ] {
            assert_eq!(cleaned(reported).join("/"), path, "{reported}");
        }
    }

    #[test]
    fn components_are_compared_from_the_end() {
        let reported = cleaned("/srv/releases/7/src/shop/cart.py");
        let cart = compare("src/shop/cart.py", &reported);
        assert_eq!((cart.matched_components, cart.whole), (3, true));
        let other = compare("tests/shop/cart.py", &reported);
        assert_eq!((other.matched_components, other.whole), (2, false));
        let old = compare("old/cart.py", &reported);
        assert_eq!((old.matched_components, old.whole), (1, false));
    }
}
