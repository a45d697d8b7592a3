//! Where a file stood before a commit: the parents that have it, by its path or by the one that it
//! was renamed from.

use crate::Error;
use crate::budget::{Abort, Budget, LOOK_UP};
use crate::changed_paths::{Change, ChangedPaths, LEARNT_PER_QUESTION};
use crate::path_prints::{MOST_LEARNT, PathPrint};
use crate::renames;
use crate::text::{Changes, Text};
use crate::trees::compare;
use clru::{CLruCache, CLruCacheConfig, WeightScale};
use gix::ObjectId;
use gix::bstr::{BStr, BString, ByteSlice};
use gix::hashtable::{HashMap, HashSet, hash};
use gix::objs::tree::EntryMode;
use std::cell::RefCell;
use std::num::NonZeroUsize;
use std::rc::Rc;
use std::sync::Arc;

/// Bytes. A larger file has no lines for us: it is data or generated.
pub const LARGEST_FILE: u64 = 8 << 20;

/// A file of more lines has none for us, either: each takes 12 bytes beside its own.
const MOST_LINES: usize = 1_000_000;

/// Texts of files that are kept while walking, in bytes: the versions of one file follow each
/// other.
const MOST_TEXTS: NonZeroUsize = NonZeroUsize::new(32 << 20).unwrap();

/// Answers of each kind that are kept between the lines of a file; beyond them all are forgotten.
/// About 100 bytes each.
const MOST_KEPT: usize = 200_000;

/// Comparisons of two versions that are kept: a list of changes may be long.
const MOST_COMPARED: usize = 5_000;

/// On the way to a file's last change every so many commits are remembered, for walks that join it
/// there.
const WAYPOINT: usize = 32;

/// A file as it is at a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FileVersion {
    pub(crate) commit: ObjectId,
    pub(crate) path: Rc<BString>,
    pub(crate) blob: ObjectId,
}

/// A path at a commit.
type PathAt = (ObjectId, Rc<BString>);

impl FileVersion {
    fn path_at(&self) -> PathAt {
        (self.commit, Rc::clone(&self.path))
    }
}

/// What a walk needs of a commit.
pub(crate) struct Links {
    pub(crate) tree: ObjectId,
    pub(crate) parents: Vec<ObjectId>,
}

/// A path's trees and file, from the root down, in one commit.
type Levels = Vec<ObjectId>;

/// A file's last change before a commit.
#[derive(Clone)]
pub(crate) struct LastChange {
    /// The file at the commit that changed it.
    pub(crate) after: FileVersion,
    /// What it was at each parent that has it in another form.
    pub(crate) before: Rc<[FileVersion]>,
}

/// How far back a file was followed.
struct Position {
    file: FileVersion,
    levels: Levels,
    print: PathPrint,
}

/// A file in a parent of its commit.
enum InParent {
    Same(Levels),
    Other(FileVersion),
    /// By the parent's tree.
    Missing(ObjectId),
}

/// What a file was before the commit that changed it.
enum Before {
    /// The same under another path.
    Moved(FileVersion),
    /// Other versions, one of each parent that has one.
    Changed(Vec<FileVersion>),
}

/// A text weighs what it takes in memory.
struct TextSize;

impl WeightScale<ObjectId, Rc<Text>> for TextSize {
    fn weight(&self, _: &ObjectId, text: &Rc<Text>) -> usize {
        text.memory()
    }
}

type Texts = CLruCache<ObjectId, Rc<Text>, hash::Builder, TextSize>;

/// The history of one repository, with what was learnt of it.
pub(crate) struct History<'repo> {
    pub(crate) repo: &'repo gix::Repository,
    pub(crate) budget: Budget<'repo>,
    pub(crate) changed_paths: Arc<ChangedPaths>,
    /// How many commits this question may still learn about.
    may_learn: usize,
    /// The last commits of a shallow clone.
    shallow: HashSet<ObjectId>,
    links: HashMap<ObjectId, Rc<Links>>,
    last_changes: std::collections::HashMap<PathAt, LastChange>,
    texts: RefCell<Texts>,
    changes: std::collections::HashMap<(ObjectId, ObjectId), Rc<Changes>>,
}

impl<'repo> History<'repo> {
    pub(crate) fn new(repo: &'repo gix::Repository) -> Self {
        let shallow = repo.shallow_commits().ok().flatten();
        let texts = CLruCacheConfig::new(MOST_TEXTS).with_hasher(hash::Builder).with_scale(TextSize);
        Self {
            repo,
            budget: Budget::default(),
            changed_paths: Arc::default(),
            may_learn: LEARNT_PER_QUESTION,
            shallow: shallow.iter().flat_map(|all| all.iter().copied()).collect(),
            links: HashMap::default(),
            last_changes: std::collections::HashMap::new(),
            texts: RefCell::new(CLruCache::with_config(texts)),
            changes: std::collections::HashMap::new(),
        }
    }

    /// Begins the next question.
    pub(crate) fn begin(&mut self) {
        self.budget.renew();
        self.may_learn = LEARNT_PER_QUESTION;
    }

    /// The regular file at a path of a commit.
    pub(crate) fn file_at(&mut self, commit: ObjectId, path: &BStr) -> Result<Option<FileVersion>, Abort> {
        let tree = self.links(commit)?.tree;
        let levels = self.levels(tree, path, &[])?;
        let blob = levels.and_then(|levels| levels.last().copied());
        Ok(blob.map(|blob| FileVersion { commit, path: Rc::new(path.to_owned()), blob }))
    }

    /// Walks back to the commit that last changed a file, passing those that left it as it was.
    pub(crate) fn last_change(&mut self, start: &FileVersion) -> Result<LastChange, Abort> {
        if let Some(known) = self.last_changes.get(&start.path_at()) {
            return Ok(known.clone());
        }
        let mut at = self.position(start.clone())?;
        let mut waypoints = vec![start.path_at()];
        let mut steps = 0_usize;
        let found = loop {
            steps += 1;
            let here = at.file.path_at();
            if let Some(known) = self.last_changes.get(&here) {
                break known.clone();
            }
            if steps.is_multiple_of(WAYPOINT) && waypoints.len() < MOST_KEPT {
                waypoints.push(here);
            }
            if let Some(change) = self.step_back(&mut at)? {
                break change;
            }
        };
        waypoints.push(found.after.path_at());
        if self.last_changes.len() > MOST_KEPT {
            self.last_changes.clear();
        }
        self.last_changes.extend(waypoints.into_iter().map(|waypoint| (waypoint, found.clone())));
        Ok(found)
    }

    fn position(&mut self, file: FileVersion) -> Result<Position, Abort> {
        let tree = self.links(file.commit)?.tree;
        let levels = self.levels(tree, file.path.as_bstr(), &[])?.unwrap_or_default();
        let print = PathPrint::of(file.path.as_bstr());
        Ok(Position { file, levels, print })
    }

    /// To a parent that has the same file, in the same place or another; else the commit changed
    /// it.
    fn step_back(&mut self, at: &mut Position) -> Result<Option<LastChange>, Abort> {
        // The levels stay true: what is below a tree is the same in every commit.
        let (passed, commit) = self.changed_paths.pass(&at.file.commit, at.print);
        if passed > 0 {
            self.budget.spend(passed)?;
            at.file.commit = commit;
            return Ok(None);
        }
        if let Change::No(parent) = self.change(at.file.commit, at.print)? {
            self.budget.spend(1)?;
            at.file.commit = parent;
            return Ok(None);
        }
        let links = self.links(at.file.commit)?;
        let mut others = Vec::with_capacity(links.parents.len());
        for parent in &links.parents {
            match self.in_parent(*parent, &at.file, &at.levels)? {
                InParent::Same(levels) => {
                    (at.file.commit, at.levels) = (*parent, levels);
                    return Ok(None);
                }
                other => others.push((*parent, other)),
            }
        }
        match self.before(&at.file, links.tree, others)? {
            Before::Moved(file) => {
                *at = self.position(file)?;
                Ok(None)
            }
            Before::Changed(before) => Ok(Some(LastChange { after: at.file.clone(), before: before.into() })),
        }
    }

    /// What the file was at the parents of its commit, none of which has it as it is.
    fn before(&self, file: &FileVersion, tree: ObjectId, parents: Vec<(ObjectId, InParent)>) -> Result<Before, Abort> {
        let mut found: Vec<FileVersion> = Vec::with_capacity(parents.len());
        for (commit, parent) in parents {
            let version = match parent {
                InParent::Other(version) => Some(version),
                InParent::Missing(parent) => renames::source(self, parent, tree, file)?
                    .map(|(path, blob)| FileVersion { commit, path: Rc::new(path), blob }),
                InParent::Same(_) => None,
            };
            let Some(version) = version else { continue };
            if version.blob == file.blob {
                return Ok(Before::Moved(version));
            }
            // A parent with the same version has nothing to add.
            if found.iter().all(|known| known.blob != version.blob) {
                found.push(version);
            }
        }
        Ok(Before::Changed(found))
    }

    /// Whether a commit changed a path, compared with its first parent.
    fn change(&mut self, commit: ObjectId, path: PathPrint) -> Result<Change, Abort> {
        let known = self.changed_paths.ask(&commit, path);
        if known != Change::Unknown || self.may_learn == 0 {
            return Ok(known);
        }
        let links = self.links(commit)?;
        let Some(parent) = links.parents.first() else { return Ok(Change::Unknown) };
        self.may_learn -= 1;
        let before = self.links(*parent)?.tree;
        let changes = compare(self.repo, &self.budget, before, links.tree, MOST_LEARNT)?;
        self.changed_paths.learn(commit, *parent, &changes);
        Ok(self.changed_paths.ask(&commit, path))
    }

    /// The file in a parent. `levels` are its path's trees: where one is the parent's as well, all
    /// below is.
    fn in_parent(&mut self, commit: ObjectId, file: &FileVersion, levels: &[ObjectId]) -> Result<InParent, Abort> {
        let tree = self.links(commit)?.tree;
        let found = self.levels(tree, file.path.as_bstr(), levels)?;
        Ok(match found {
            None => InParent::Missing(tree),
            Some(found) => match found.last() {
                Some(blob) if *blob != file.blob => {
                    InParent::Other(FileVersion { commit, path: Rc::clone(&file.path), blob: *blob })
                }
                _ => InParent::Same(found),
            },
        })
    }

    /// The path's trees and at last its regular file, below a root tree. What is equal to `known`
    /// is not read.
    fn levels(&self, root: ObjectId, path: &BStr, known: &[ObjectId]) -> Result<Option<Levels>, Abort> {
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

    fn entry(&self, tree: ObjectId, name: &BStr) -> Result<Option<(ObjectId, EntryMode)>, Abort> {
        let failed = || format!("reading the tree {tree}");
        let tree = self.repo.find_tree(tree).map_err(Error::git(failed))?;
        self.budget.spend_looking_up(tree.data.len())?;
        for entry in tree.iter() {
            let entry = entry.map_err(Error::git(failed))?;
            if entry.filename() == name {
                return Ok(Some((entry.object_id(), entry.mode())));
            }
        }
        Ok(None)
    }

    /// A commit's tree and parents.
    pub(crate) fn links(&mut self, commit: ObjectId) -> Result<Rc<Links>, Abort> {
        if let Some(known) = self.links.get(&commit) {
            return Ok(Rc::clone(known));
        }
        let failed = || format!("reading the commit {commit}");
        let object = self.repo.find_commit(commit).map_err(Error::git(failed))?;
        self.budget.spend_looking_up(object.data.len())?;
        let tree = object.tree_id().map_err(Error::git(failed))?.detach();
        // Where a shallow clone is cut off, git takes the commit for a first one.
        let is_last = self.shallow.contains(&commit);
        let parents = if is_last { Vec::new() } else { object.parent_ids().map(gix::Id::detach).collect() };
        let links = Rc::new(Links { tree, parents });
        if self.links.len() > MOST_KEPT {
            self.links.clear();
        }
        self.links.insert(commit, Rc::clone(&links));
        Ok(links)
    }

    /// The content of a file. `None`: it is too large to have lines.
    pub(crate) fn text(&self, blob: ObjectId) -> Result<Option<Rc<Text>>, Abort> {
        if let Some(known) = self.texts.borrow_mut().get(&blob) {
            return Ok(Some(Rc::clone(known)));
        }
        if self.size(blob)? > LARGEST_FILE {
            return Ok(None);
        }
        let object = self.repo.find_object(blob).map_err(Error::git(|| format!("reading the file {blob}")))?;
        let data = object.detach().data;
        self.budget.spend_reading(data.len())?;
        if data.iter().filter(|byte| **byte == b'\n').count() > MOST_LINES {
            return Ok(None);
        }
        let text = Rc::new(Text::new(data));
        // One that does not fit is not kept.
        let _ = self.texts.borrow_mut().put_with_weight(blob, Rc::clone(&text));
        Ok(Some(text))
    }

    /// A file's size in bytes.
    pub(crate) fn size(&self, blob: ObjectId) -> Result<u64, Abort> {
        self.budget.spend(LOOK_UP)?;
        let header = self.repo.find_header(blob).map_err(Error::git(|| format!("reading the file {blob}")))?;
        Ok(header.size())
    }

    /// What changed between two files. `None`: one of them is too large to have lines.
    pub(crate) fn changes(&mut self, before: ObjectId, after: ObjectId) -> Result<Option<Rc<Changes>>, Abort> {
        if let Some(known) = self.changes.get(&(before, after)) {
            return Ok(Some(Rc::clone(known)));
        }
        let (Some(old), Some(new)) = (self.text(before)?, self.text(after)?) else { return Ok(None) };
        self.budget.spend_comparing(old.size() + new.size())?;
        self.budget.spend_diffing(old.differing(&new))?;
        let changes = Rc::new(Changes::between(&old, &new));
        if self.changes.len() > MOST_COMPARED {
            self.changes.clear();
        }
        self.changes.insert((before, after), Rc::clone(&changes));
        Ok(Some(changes))
    }
}
