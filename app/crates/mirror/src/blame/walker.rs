//! The walk of one line back through history, to the commit that wrote it.

use super::credits::{Credits, credits};
use super::effort::{Cut, Effort};
use super::guess;
use super::history::{History, Place, Touched};
use super::ignored::Ignored;
use super::reformat::Reformats;
use super::text::Fate;
use super::touches::Touches;
use crate::MirrorError;
use domain::blame::{Blame, PassedCommit, PassedWhy};
use gix::ObjectId;
use gix::bstr::{BStr, ByteSlice};
use std::collections::HashMap;
use std::ops::RangeInclusive;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Guesses about changes that are kept between the lines of a file.
const MOST_GUESSES: usize = 1_000;

/// The lines of `before` that those of a change come from, by the two files and the number of the change.
type Guesses = HashMap<(ObjectId, ObjectId, usize), Rc<Vec<Option<u32>>>>;

/// Asks one repository who wrote its lines. What it learns for one line makes the next of the same file quick.
///
/// Like `git blame -w --ignore-revs-file`, each line has one suspect at a time. A commit hands the line to its first parent
/// that has the same file; else to the first that has the line unchanged, white space aside; else, if the commit is to be
/// passed over, to the first that has a line it can come from. Else the commit wrote it.
pub struct Walker<'repo> {
    history: History<'repo>,
    ignored: Ignored,
    reformats: Option<Reformats>,
    mailmap: gix::mailmap::Snapshot,
    guesses: Guesses,
    credits: HashMap<ObjectId, Rc<Credits>>,
}

impl<'repo> Walker<'repo> {
    /// Passes over these commits, and over those that only reformat.
    pub fn new(repo: &'repo gix::Repository, ignored: Ignored) -> Self {
        Self::with(repo, ignored, None, Arc::default())
    }

    /// The same; once `stop` is set, a walk under way ends with [`MirrorError::Interrupted`].
    pub fn stopped_by(repo: &'repo gix::Repository, ignored: Ignored, stop: Option<&'repo AtomicBool>) -> Self {
        Self::with(repo, ignored, stop, Arc::default())
    }

    /// The same, with what earlier walkers of this repository learnt.
    pub(crate) fn with(
        repo: &'repo gix::Repository,
        ignored: Ignored,
        stop: Option<&'repo AtomicBool>,
        touches: Arc<Touches>,
    ) -> Self {
        Self {
            history: History::new(repo, Effort::new(stop), touches),
            ignored,
            reformats: Some(Reformats::default()),
            mailmap: repo.open_mailmap(),
            guesses: HashMap::new(),
            credits: HashMap::new(),
        }
    }

    /// Passes over no commit but the ignored ones, as git does.
    #[must_use]
    pub fn as_git(mut self) -> Self {
        self.reformats = None;
        self
    }

    /// Who wrote a line of a file as it stands at `commit` (a full id). `line` counts from 1. `None`: there is no such commit,
    /// regular file or line, or the file is larger than 8 MB, or the walk took more work than any sensible history asks for.
    ///
    /// # Errors
    /// [`MirrorError::Git`], [`MirrorError::Interrupted`].
    pub fn line(&mut self, commit: &str, path: &str, line: u32) -> Result<Option<Blame>, MirrorError> {
        Ok(self.lines(commit, path, line..=line)?.pop().flatten())
    }

    /// The same for several lines of a file: an answer for each, in order.
    ///
    /// # Errors
    /// [`MirrorError::Git`], [`MirrorError::Interrupted`].
    pub fn lines(
        &mut self,
        commit: &str,
        path: &str,
        lines: RangeInclusive<u32>,
    ) -> Result<Vec<Option<Blame>>, MirrorError> {
        let Some(commit) = crate::read::find_commit(self.history.repo, commit)? else {
            return Ok(lines.map(|_| None).collect());
        };
        let commit = commit.id;
        self.history.begin();
        let start = self.start(commit, BStr::new(path));
        let Some((start, length)) = uncut(start)?.flatten() else { return Ok(lines.map(|_| None).collect()) };
        lines
            .map(|line| {
                let Some(at) = line.checked_sub(1).filter(|at| *at < length) else { return Ok(None) };
                self.begin();
                let found = self.walk(start.clone(), at).and_then(|found| self.blame(found));
                uncut(found)
            })
            .collect()
    }

    fn start(&mut self, commit: ObjectId, path: &BStr) -> Result<Option<(Place, u32)>, Cut> {
        let Some(place) = self.history.place(commit, path)? else { return Ok(None) };
        Ok(self.history.text(place.blob)?.map(|text| (place, text.len())))
    }

    fn begin(&mut self) {
        self.history.begin();
        if self.guesses.len() > MOST_GUESSES {
            self.guesses.clear();
        }
    }

    fn walk(&mut self, mut place: Place, mut line: u32) -> Result<Origin, Cut> {
        let mut passed = Vec::new();
        'commit: loop {
            let Touched { here, before } = self.history.touched(&place)?;
            let mut changed = Vec::with_capacity(before.len());
            for origin in before.iter() {
                let Some(changes) = self.history.changes(origin.blob, here.blob)? else { continue };
                match changes.fate(line) {
                    Fate::Kept(at) => {
                        (place, line) = (origin.clone(), at);
                        continue 'commit;
                    }
                    Fate::Changed(number) => changed.push((origin, number)),
                }
            }
            let listed = self.ignored.has(&here.commit);
            for (origin, number) in changed {
                let (from, why) = if listed {
                    (self.guess(origin, &here, number, line)?, PassedWhy::ListedInIgnoreRevs)
                } else {
                    (self.reformatted(origin, &here, number, line)?, PassedWhy::Reformatted)
                };
                if let Some(at) = from {
                    passed.push((here.commit, why));
                    (place, line) = (origin.clone(), at);
                    continue 'commit;
                }
            }
            return Ok(Origin { place: here, line, passed });
        }
    }

    /// The line of the parent's file that an ignored commit most probably changed into this one.
    fn guess(&mut self, origin: &Place, here: &Place, number: usize, line: u32) -> Result<Option<u32>, Cut> {
        let Some(changes) = self.history.changes(origin.blob, here.blob)? else { return Ok(None) };
        let Some(hunk) = changes.hunks().get(number) else { return Ok(None) };
        let key = (origin.blob, here.blob, number);
        let lines = match self.guesses.get(&key) {
            Some(known) => Rc::clone(known),
            None => {
                let texts = (self.history.text(origin.blob)?, self.history.text(here.blob)?);
                let (Some(before), Some(after)) = texts else { return Ok(None) };
                self.history.effort.spend_comparing(guess::REPEATED * after.size())?;
                let lines = Rc::new(guess::origins(&before, &after, hunk));
                self.guesses.insert(key, Rc::clone(&lines));
                lines
            }
        };
        if let Some(at) = lines.get((line - hunk.after.start) as usize).copied().flatten() {
            return Ok(Some(at));
        }
        let texts = (self.history.text(origin.blob)?, self.history.text(here.blob)?);
        let (Some(before), Some(after)) = texts else { return Ok(None) };
        self.history.effort.spend_comparing(guess::REPEATED * before.size())?;
        Ok(guess::elsewhere(&before, &after, line))
    }

    /// Where the line was, if the commit only reformatted it.
    fn reformatted(&mut self, origin: &Place, here: &Place, number: usize, line: u32) -> Result<Option<u32>, Cut> {
        let Some(reformats) = &mut self.reformats else { return Ok(None) };
        if let Some(at) = reformats.same_code(&mut self.history, origin, here, number, line)? {
            return Ok(Some(at));
        }
        if !reformats.everywhere(&mut self.history, here.commit)? {
            return Ok(None);
        }
        self.guess(origin, here, number, line)
    }

    fn blame(&mut self, origin: Origin) -> Result<Blame, Cut> {
        let passed = origin.passed.iter().map(|(commit, why)| {
            let summary = self.credits(*commit)?.info.summary.clone();
            Ok(PassedCommit { commit: commit.to_string(), summary, why: *why })
        });
        let passed = passed.collect::<Result<Vec<_>, Cut>>()?;
        let credits = self.credits(origin.place.commit)?;
        Ok(Blame {
            commit: origin.place.commit.to_string(),
            path: origin.place.path.to_str_lossy().into_owned(),
            line: origin.line + 1,
            author: credits.info.author.clone(),
            author_time_ms: credits.info.author_time_ms,
            summary: credits.info.summary.clone(),
            committed_at_ms: credits.committed_at_ms,
            co_authors: credits.co_authors.clone(),
            passed,
        })
    }

    fn credits(&mut self, commit: ObjectId) -> Result<Rc<Credits>, Cut> {
        if let Some(known) = self.credits.get(&commit) {
            return Ok(Rc::clone(known));
        }
        let credits = Rc::new(credits(self.history.repo, &self.mailmap, commit)?);
        self.credits.insert(commit, Rc::clone(&credits));
        Ok(credits)
    }
}

/// Where a line was written, and what was passed over on the way there.
struct Origin {
    place: Place,
    line: u32,
    passed: Vec<(ObjectId, PassedWhy)>,
}

/// A walk that took too much work has no answer; what failed is an error.
fn uncut<T>(result: Result<T, Cut>) -> Result<Option<T>, MirrorError> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(Cut::Exhausted) => Ok(None),
        Err(Cut::Failed(error)) => Err(error),
    }
}
