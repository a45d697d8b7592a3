//! Where a file stood before a commit: the parents that have it, by its path or by the one that it was renamed from.

use super::effort::{Cut, Effort, LOOK_UP};
use super::renames;
use super::text::{Changes, Text};
use super::touches::{LESSONS, PathHash, Touch, Touches};
use crate::MirrorError;
use crate::recent::Recent;
use gix::ObjectId;
use gix::bstr::{BStr, BString, ByteSlice};
use gix::hashtable::{HashMap, HashSet};
use gix::objs::tree::EntryMode;
use std::rc::Rc;
use std::sync::Arc;

/// Larger files have no lines for us: they are data or generated.
const LARGEST_TEXT: u64 = 8 << 20;

/// Texts of files that are kept while walking, in bytes: the versions of one file follow each other.
const TEXTS: usize = 32 << 20;

/// Answers of each kind that are kept between the lines of a file; beyond them all are forgotten. About 100 bytes each.
const MOST_KEPT: usize = 200_000;

/// Comparisons of two versions that are kept: a list of changes may be long.
const MOST_COMPARED: usize = 5_000;

/// On the way to a file's last change every so many commits are remembered, for walks that join it there.
const WAYPOINT: usize = 32;

/// A file at a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) commit: ObjectId,
    pub(super) path: Rc<BString>,
    pub(super) blob: ObjectId,
}

/// What a walk needs of a commit.
pub(super) struct Links {
    pub(super) tree: ObjectId,
    pub(super) parents: Vec<ObjectId>,
}

/// A path's trees and file, from the root down, in one commit.
type Levels = Vec<ObjectId>;

/// A file's last change before a commit.
#[derive(Clone)]
pub(super) struct Touched {
    /// The file at the commit that changed it.
    pub(super) here: Place,
    /// What it was at each parent that has it in another form.
    pub(super) before: Rc<[Place]>,
}

/// One of a commit's parents, as a file sees it.
enum Parent {
    Same(Levels),
    Other(Place),
    Lacks(ObjectId),
}

/// The history of one repository, with what was learnt of it.
pub(super) struct History<'repo> {
    pub(super) repo: &'repo gix::Repository,
    pub(super) effort: Effort<'repo>,
    touches: Arc<Touches>,
    /// How many commits this question may still learn about.
    lessons: usize,
    /// The last commits of a shallow clone.
    cut_off: HashSet<ObjectId>,
    links: HashMap<ObjectId, Rc<Links>>,
    touched: std::collections::HashMap<(ObjectId, Rc<BString>), Touched>,
    texts: Recent<ObjectId, Text>,
    changes: std::collections::HashMap<(ObjectId, ObjectId), Rc<Changes>>,
}

impl<'repo> History<'repo> {
    pub(super) fn new(repo: &'repo gix::Repository, effort: Effort<'repo>, touches: Arc<Touches>) -> Self {
        let cut_off = repo.shallow_commits().ok().flatten();
        Self {
            repo,
            effort,
            touches,
            lessons: LESSONS,
            cut_off: cut_off.iter().flat_map(|all| all.iter().copied()).collect(),
            links: HashMap::default(),
            touched: std::collections::HashMap::new(),
            texts: Recent::new(TEXTS),
            changes: std::collections::HashMap::new(),
        }
    }

    /// Begins the next question, and forgets what is too much to keep.
    pub(super) fn begin(&mut self) {
        self.effort.renew();
        self.lessons = LESSONS;
        if self.links.len() > MOST_KEPT {
            self.links.clear();
        }
        if self.touched.len() > MOST_KEPT {
            self.touched.clear();
        }
        if self.changes.len() > MOST_COMPARED {
            self.changes.clear();
        }
    }

    /// The regular file at a path of a commit.
    pub(super) fn place(&mut self, commit: ObjectId, path: &BStr) -> Result<Option<Place>, Cut> {
        let tree = self.links(commit)?.tree;
        let levels = self.levels(tree, path, &[])?;
        let blob = levels.and_then(|levels| levels.last().copied());
        Ok(blob.map(|blob| Place { commit, path: Rc::new(path.to_owned()), blob }))
    }

    /// Walks back to the commit that last changed a file, passing those that left it as it was.
    pub(super) fn touched(&mut self, start: &Place) -> Result<Touched, Cut> {
        let key = (start.commit, Rc::clone(&start.path));
        if let Some(known) = self.touched.get(&key) {
            return Ok(known.clone());
        }
        let mut here = start.clone();
        let tree = self.links(here.commit)?.tree;
        let mut levels = self.levels(tree, here.path.as_bstr(), &[])?.unwrap_or_default();
        let mut waypoints = Vec::new();
        let mut steps = 0_usize;
        let mut hash = PathHash::of(here.path.as_bstr());
        let found = loop {
            steps += 1;
            let key = (here.commit, Rc::clone(&here.path));
            if let Some(known) = self.touched.get(&key) {
                break known.clone();
            }
            if steps.is_multiple_of(WAYPOINT) {
                waypoints.push(key);
            }
            // `levels` stay true: what is below a tree is the same in every commit.
            if let Touch::No(parent) = self.touch(here.commit, hash)? {
                self.effort.spend(1)?;
                here.commit = parent;
                continue;
            }
            let links = self.links(here.commit)?;
            let mut parents = Vec::with_capacity(links.parents.len());
            let mut same = None;
            for parent in &links.parents {
                match self.parent(*parent, &here, &levels)? {
                    Parent::Same(levels) => {
                        same = Some((*parent, levels));
                        break;
                    }
                    other => parents.push(other),
                }
            }
            if let Some((parent, at)) = same {
                here.commit = parent;
                levels = at;
                continue;
            }
            let mut before: Vec<Place> = Vec::with_capacity(parents.len());
            let mut renamed = None;
            for (parent, commit) in parents.into_iter().zip(&links.parents) {
                let place = match parent {
                    Parent::Other(place) => place,
                    Parent::Lacks(tree) => {
                        let Some((path, blob)) = renames::source(self, tree, links.tree, &here)? else { continue };
                        Place { commit: *commit, path: Rc::new(path), blob }
                    }
                    Parent::Same(_) => continue,
                };
                if place.blob == here.blob {
                    renamed = Some(place);
                    break;
                }
                // A parent with the same version has nothing to add.
                if before.iter().all(|known| known.blob != place.blob) {
                    before.push(place);
                }
            }
            if let Some(place) = renamed {
                let tree = self.links(place.commit)?.tree;
                levels = self.levels(tree, place.path.as_bstr(), &[])?.unwrap_or_default();
                hash = PathHash::of(place.path.as_bstr());
                here = place;
                continue;
            }
            break Touched { here, before: before.into() };
        };
        let end = (found.here.commit, Rc::clone(&found.here.path));
        self.touched.insert(end, found.clone());
        for key in waypoints.into_iter().chain([key]) {
            self.touched.insert(key, found.clone());
        }
        Ok(found)
    }

    /// Whether a commit touched a path, compared with its first parent.
    fn touch(&mut self, commit: ObjectId, path: PathHash) -> Result<Touch, Cut> {
        let known = self.touches.ask(&commit, path);
        if known != Touch::Unknown || self.lessons == 0 {
            return Ok(known);
        }
        let links = self.links(commit)?;
        let Some(parent) = links.parents.first() else { return Ok(Touch::Unknown) };
        self.lessons -= 1;
        let before = self.links(*parent)?.tree;
        let changes = renames::compare(self, before, links.tree)?;
        self.touches.learn(commit, *parent, changes.iter().map(renames::path_of));
        Ok(self.touches.ask(&commit, path))
    }

    /// The file in a parent. `levels` are the path's trees at `here`: where one is the parent's as well, all below is.
    fn parent(&mut self, commit: ObjectId, here: &Place, levels: &[ObjectId]) -> Result<Parent, Cut> {
        let tree = self.links(commit)?.tree;
        let Some(found) = self.levels(tree, here.path.as_bstr(), levels)? else { return Ok(Parent::Lacks(tree)) };
        Ok(match found.last() {
            Some(blob) if *blob != here.blob => {
                Parent::Other(Place { commit, path: Rc::clone(&here.path), blob: *blob })
            }
            _ => Parent::Same(found),
        })
    }

    /// The path's trees and at last its regular file, below a root tree. What is equal to `known` is not read.
    fn levels(&self, root: ObjectId, path: &BStr, known: &[ObjectId]) -> Result<Option<Levels>, Cut> {
        let mut levels = Vec::with_capacity(known.len().max(4));
        levels.push(root);
        let mut names = path.split_str("/").peekable();
        while let Some(name) = names.next() {
            let at = levels.len() - 1;
            if known.get(at) == Some(&levels[at]) {
                levels.extend_from_slice(&known[at + 1..]);
                return Ok(Some(levels));
            }
            let Some((id, mode)) = self.entry(levels[at], name.as_bstr())? else { return Ok(None) };
            let fits = if names.peek().is_some() { mode.is_tree() } else { mode.is_blob() };
            if !fits {
                return Ok(None);
            }
            levels.push(id);
        }
        Ok(Some(levels))
    }

    fn entry(&self, tree: ObjectId, name: &BStr) -> Result<Option<(ObjectId, EntryMode)>, Cut> {
        self.effort.spend(LOOK_UP)?;
        let tree = self.repo.find_tree(tree).map_err(|error| MirrorError::git("reading a tree", &error))?;
        for entry in tree.iter() {
            let entry = entry.map_err(|error| MirrorError::git("reading a tree", &error))?;
            if entry.filename() == name {
                return Ok(Some((entry.object_id(), entry.mode())));
            }
        }
        Ok(None)
    }

    /// A commit's tree and parents.
    pub(super) fn links(&mut self, commit: ObjectId) -> Result<Rc<Links>, Cut> {
        if let Some(known) = self.links.get(&commit) {
            return Ok(Rc::clone(known));
        }
        self.effort.spend(LOOK_UP)?;
        let failed = |error: gix::Error| MirrorError::git(format!("reading the commit {commit}"), &error);
        let object = self.repo.find_commit(commit).map_err(failed)?;
        let tree = object.tree_id().map_err(failed)?.detach();
        // Where a shallow clone is cut off, git takes the commit for a first one.
        let cut = self.cut_off.contains(&commit);
        let parents = if cut { Vec::new() } else { object.parent_ids().map(gix::Id::detach).collect() };
        let links = Rc::new(Links { tree, parents });
        self.links.insert(commit, Rc::clone(&links));
        Ok(links)
    }

    /// The content of a file. `None`: it is too large to have lines.
    pub(super) fn text(&self, blob: ObjectId) -> Result<Option<Arc<Text>>, Cut> {
        if let Some(known) = self.texts.get(&blob) {
            return Ok(Some(known));
        }
        let failed = |error: gix::Error| MirrorError::git(format!("reading {blob}"), &error);
        if self.size(blob)? > LARGEST_TEXT {
            return Ok(None);
        }
        let data = self.repo.find_object(blob).map_err(failed)?.detach().data;
        self.effort.spend_reading(data.len())?;
        let text = Text::new(data);
        Ok(Some(self.texts.put(blob, text.size(), text)))
    }

    /// Whether a file's content is there: a partial clone lacks some.
    pub(super) fn has(&self, blob: ObjectId) -> bool {
        self.repo.has_object(blob)
    }

    /// A file's size in bytes.
    pub(super) fn size(&self, blob: ObjectId) -> Result<u64, Cut> {
        self.effort.spend(LOOK_UP)?;
        let header =
            self.repo.find_header(blob).map_err(|error| MirrorError::git(format!("reading {blob}"), &error))?;
        Ok(header.size())
    }

    /// What changed between two files. `None`: one of them is too large to have lines.
    pub(super) fn changes(&mut self, before: ObjectId, after: ObjectId) -> Result<Option<Rc<Changes>>, Cut> {
        if let Some(known) = self.changes.get(&(before, after)) {
            return Ok(Some(Rc::clone(known)));
        }
        let (Some(old), Some(new)) = (self.text(before)?, self.text(after)?) else { return Ok(None) };
        self.effort.spend_comparing(old.size() + new.size())?;
        self.effort.spend_diffing(old.differing(&new))?;
        let changes = Rc::new(Changes::between(&old, &new));
        self.changes.insert((before, after), Rc::clone(&changes));
        Ok(Some(changes))
    }
}
