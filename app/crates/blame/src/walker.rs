//! The walk of one line back through history, to the commit that wrote it.

use crate::budget::{Abort, answered};
use crate::changed_paths::ChangedPaths;
use crate::guess;
use crate::history::{FileVersion, History, LastChange};
use crate::mailmap::mailmap_of_head;
use crate::reformat::Reformats;
use crate::renames;
use crate::text::Fate;
use crate::{Credits, Error, IgnoreRevs, LineBlame, PassedCommit, PassedReason};
use gix::ObjectId;
use gix::bstr::{BStr, BString};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// How much more than one line all those of a file may cost that are asked for together.
const MUCH_OF_ONE: u64 = 4;

/// Commits that were passed over on the way to one line, of those the newest, that are kept.
const MOST_PASSED: usize = 100;

/// Guesses about changes that are kept between the lines of a file.
const MOST_GUESSES: usize = 1_000;

/// The lines of `before` that those of a change come from, by the two files and the number of the
/// change.
type Guesses = HashMap<(ObjectId, ObjectId, usize), Rc<Vec<Option<u32>>>>;

/// Asks one repository who wrote its lines.
///
/// Each line has one suspect at a time, as in `git blame -w --ignore-revs-file`. A commit hands the
/// line to its first parent that has the same file; else to the first that has the line unchanged,
/// white space aside; else, if the commit is to be passed over, to the first that has a line it can
/// come from. Else the commit wrote it.
///
/// What a walker learns for one line makes the next of the same file quick, so use one for all
/// lines of a file or more. It stays small: its memories hold some tens of megabytes.
pub struct Walker<'repo> {
    history: History<'repo>,
    ignore_revs: IgnoreRevs,
    /// None: as git.
    reformats: Option<Reformats>,
    mailmap: gix::mailmap::Snapshot,
    guesses: Guesses,
    credits: HashMap<ObjectId, Rc<Credits>>,
}

impl<'repo> Walker<'repo> {
    /// Passes over commits that only reformat, and no others.
    ///
    /// Give `repo` a cache of objects, or each walk takes three times as long:
    /// `repo.object_cache_size_if_unset(blame::OBJECT_CACHE)`.
    pub fn new(repo: &'repo gix::Repository) -> Self {
        Self {
            history: History::new(repo),
            ignore_revs: IgnoreRevs::default(),
            reformats: Some(Reformats::default()),
            mailmap: mailmap_of_head(repo),
            guesses: HashMap::new(),
            credits: HashMap::new(),
        }
    }

    /// Passes over these commits, too: where they changed a line, its most similar one before is
    /// followed.
    #[must_use]
    pub fn with_ignore_revs(mut self, list: IgnoreRevs) -> Self {
        self.ignore_revs = list;
        self
    }

    /// Ends a walk with [`Error::Interrupted`] once this is true.
    #[must_use]
    pub fn with_interrupt(mut self, flag: &'repo AtomicBool) -> Self {
        self.history.budget.set_interrupt(flag);
        self
    }

    /// Lets each line cost this many units, of about a microsecond of one core each, instead of
    /// [`DEFAULT_WORK_LIMIT`](crate::DEFAULT_WORK_LIMIT).
    #[must_use]
    pub fn with_work_limit(mut self, units: u64) -> Self {
        self.history.budget.set_limit(units);
        self
    }

    /// Uses, and adds to, what other walkers learnt of the same repository.
    #[must_use]
    pub fn with_changed_paths(mut self, memory: Arc<ChangedPaths>) -> Self {
        self.history.changed_paths = memory;
        self
    }

    /// Passes over no commit but those of [`Walker::with_ignore_revs`], as git does.
    #[must_use]
    pub fn as_git(mut self) -> Self {
        self.reformats = None;
        self
    }

    /// Who wrote a line of a file as it stands at `commit`.
    ///
    /// `path` is the file's from the repository's root, `line` counts from 1. `None`: there is no
    /// such commit, regular file or line, or the file is larger than
    /// [`LARGEST_FILE`](crate::LARGEST_FILE), or the walk cost more than it may.
    ///
    /// # Errors
    /// [`Error::Git`], [`Error::Interrupted`].
    pub fn line(
        &mut self,
        commit: impl Into<ObjectId>,
        path: impl AsRef<BStr>,
        line: u32,
    ) -> Result<Option<LineBlame>, Error> {
        Ok(self.lines(commit, path, line..=line)?.pop().flatten())
    }

    /// The same for several lines of a file: an answer for each, in order. All together cost no
    /// more than four of them may.
    ///
    /// # Errors
    /// [`Error::Git`], [`Error::Interrupted`].
    pub fn lines(
        &mut self,
        commit: impl Into<ObjectId>,
        path: impl AsRef<BStr>,
        lines: impl IntoIterator<Item = u32>,
    ) -> Result<Vec<Option<LineBlame>>, Error> {
        self.history.budget.share(MUCH_OF_ONE);
        self.begin();
        let start = self.start(commit.into(), path.as_ref());
        let start = answered(start)?.flatten();
        lines.into_iter().map(|line| start.as_ref().map_or(Ok(None), |start| self.line_of(start, line))).collect()
    }

    /// What a file of a commit, which its parent does not have, was called there, and its content:
    /// the most similar of the files that the commit deleted.
    ///
    /// `None`: it was renamed from none, or one of the two is not there, or finding out would cost
    /// more than one line may.
    ///
    /// # Errors
    /// [`Error::Git`], [`Error::Interrupted`].
    pub fn renamed_from(
        &mut self,
        parent: impl Into<ObjectId>,
        commit: impl Into<ObjectId>,
        path: impl AsRef<BStr>,
    ) -> Result<Option<(BString, ObjectId)>, Error> {
        self.history.budget.share(MUCH_OF_ONE);
        self.begin();
        let found = self.source_of(parent.into(), commit.into(), path.as_ref());
        Ok(answered(found)?.flatten())
    }

    fn source_of(
        &mut self,
        parent: ObjectId,
        commit: ObjectId,
        path: &BStr,
    ) -> Result<Option<(BString, ObjectId)>, Abort> {
        let Some(file) = self.history.file_at(commit, path)? else { return Ok(None) };
        let (before, after) = (self.history.links(parent)?.tree, self.history.links(commit)?.tree);
        renames::source(&self.history, before, after, &file)
    }

    /// The file and how many lines it has, if the commit is there and has it.
    fn start(&mut self, commit: ObjectId, path: &BStr) -> Result<Option<(FileVersion, u32)>, Abort> {
        let object = self.history.repo.try_find_object(commit);
        let object = object.map_err(Error::git(|| format!("reading the commit {commit}")))?;
        if object.is_none_or(|object| !object.kind.is_commit()) {
            return Ok(None);
        }
        let Some(file) = self.history.file_at(commit, path)? else { return Ok(None) };
        Ok(self.history.text(file.blob)?.map(|text| (file, text.len())))
    }

    fn line_of(&mut self, (file, length): &(FileVersion, u32), line: u32) -> Result<Option<LineBlame>, Error> {
        let Some(line) = line.checked_sub(1).filter(|line| line < length) else { return Ok(None) };
        self.begin();
        let found = self.walk(file.clone(), line).and_then(|origin| self.describe(origin));
        answered(found)
    }

    fn begin(&mut self) {
        self.history.begin();
        if self.guesses.len() > MOST_GUESSES {
            self.guesses.clear();
        }
    }

    fn walk(&mut self, mut file: FileVersion, mut line: u32) -> Result<LineOrigin, Abort> {
        let mut passed = Vec::new();
        loop {
            let LastChange { after, before } = self.history.last_change(&file)?;
            (file, line) = match self.hand_over(&after, &before, line)? {
                Some(HandOver { to, line, why }) => {
                    passed.extend(why.filter(|_| passed.len() < MOST_PASSED).map(|why| (after.commit, why)));
                    (to, line)
                }
                None => return Ok(LineOrigin { file: after, line, passed }),
            };
        }
    }

    /// The version before the change from which the line comes; `None`: the change wrote it.
    fn hand_over(&mut self, after: &FileVersion, before: &[FileVersion], line: u32) -> Result<Option<HandOver>, Abort> {
        let mut changed = Vec::with_capacity(before.len());
        for version in before {
            let Some(changes) = self.history.changes(version.blob, after.blob)? else { continue };
            match changes.fate(line) {
                Fate::Kept(line) => return Ok(Some(HandOver { to: version.clone(), line, why: None })),
                Fate::Changed(number) => changed.push((version, number)),
            }
        }
        for (version, number) in changed {
            if let Some((line, why)) = self.pass_over(version, after, number, line)? {
                return Ok(Some(HandOver { to: version.clone(), line, why: Some(why) }));
            }
        }
        Ok(None)
    }

    /// Where the line was before a change of this number, if its commit is to be passed over.
    fn pass_over(
        &mut self,
        before: &FileVersion,
        after: &FileVersion,
        number: usize,
        line: u32,
    ) -> Result<Option<(u32, PassedReason)>, Abort> {
        if self.ignore_revs.contains(&after.commit) {
            let from = self.guess(before, after, number, line)?;
            return Ok(from.map(|line| (line, PassedReason::Ignored)));
        }
        let from = self.reformatted(before, after, number, line)?;
        Ok(from.map(|line| (line, PassedReason::Reformatted)))
    }

    /// The line of the parent's file that a commit most probably changed into this one.
    fn guess(
        &mut self,
        before: &FileVersion,
        after: &FileVersion,
        number: usize,
        line: u32,
    ) -> Result<Option<u32>, Abort> {
        let Some(changes) = self.history.changes(before.blob, after.blob)? else { return Ok(None) };
        let Some(hunk) = changes.hunks().get(number) else { return Ok(None) };
        let key = (before.blob, after.blob, number);
        let at = (line - hunk.after.start) as usize;
        // Known guesses cost no text: one that was let go is read, and paid for, again.
        if let Some(from) = self.guesses.get(&key).and_then(|known| known.get(at).copied().flatten()) {
            return Ok(Some(from));
        }
        let texts = (self.history.text(before.blob)?, self.history.text(after.blob)?);
        let (Some(old), Some(new)) = texts else { return Ok(None) };
        if !self.guesses.contains_key(&key) {
            self.history.budget.spend_comparing(guess::REPEATED * new.size())?;
            let lines = Rc::new(guess::origins(&old, &new, hunk));
            let from = lines.get(at).copied().flatten();
            self.guesses.insert(key, lines);
            if from.is_some() {
                return Ok(from);
            }
        }
        self.history.budget.spend_comparing(guess::REPEATED * old.size())?;
        Ok(guess::elsewhere(&old, &new, line))
    }

    /// Where the line was, if the commit only reformatted it.
    fn reformatted(
        &mut self,
        before: &FileVersion,
        after: &FileVersion,
        number: usize,
        line: u32,
    ) -> Result<Option<u32>, Abort> {
        let Some(reformats) = &mut self.reformats else { return Ok(None) };
        if let Some(at) = reformats.same_code(&mut self.history, before, after, number, line)? {
            return Ok(Some(at));
        }
        if !reformats.everywhere(&mut self.history, after.commit)? {
            return Ok(None);
        }
        self.guess(before, after, number, line)
    }

    fn describe(&mut self, LineOrigin { file, line, passed }: LineOrigin) -> Result<LineBlame, Abort> {
        let passed = passed.into_iter().map(|(commit, reason)| {
            let summary = self.credits(commit)?.summary.clone();
            Ok(PassedCommit { commit, summary, reason })
        });
        let passed = passed.collect::<Result<Vec<_>, Abort>>()?;
        let credits = Credits::clone(&*self.credits(file.commit)?);
        let path = Rc::unwrap_or_clone(file.path);
        Ok(LineBlame { commit: file.commit, credits, path, line: line + 1, passed })
    }

    fn credits(&mut self, commit: ObjectId) -> Result<Rc<Credits>, Abort> {
        if let Some(known) = self.credits.get(&commit) {
            return Ok(Rc::clone(known));
        }
        let object = self.history.repo.find_commit(commit);
        let object = object.map_err(Error::git(|| format!("reading the commit {commit}")))?;
        let credits = Rc::new(Credits::of(&object, &self.mailmap));
        if self.credits.len() > MOST_GUESSES {
            self.credits.clear();
        }
        self.credits.insert(commit, Rc::clone(&credits));
        Ok(credits)
    }
}

/// Where a line was written (it counts from 0), and what was passed over on the way there.
struct LineOrigin {
    file: FileVersion,
    line: u32,
    passed: Vec<(ObjectId, PassedReason)>,
}

/// A version of the file, and its line (counted from 0), to which the search goes on.
struct HandOver {
    to: FileVersion,
    line: u32,
    /// Why the commit in between was passed over, if it changed the line.
    why: Option<PassedReason>,
}
