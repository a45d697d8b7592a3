//! What an analysis reads from: one commit of one mirror, or what somebody else found out before.

use domain::blame::Blame;
use domain::commit::CommitId;
use domain::culprit::{FrameAt, Located};
use domain::ids::RepositoryId;
use domain::not_ours::{HEAD_LINES, NotOurs, not_ours};
use domain::report::Report;
use domain::rule::Rules;
use domain::source::{Block, LineFacts};
use mirror::{MirrorError, Mirrors};
use source::{Source, Unread, Work};
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::sync::Arc;

/// A commit of a mirror.
#[derive(Clone, Copy)]
pub struct MirrorCommit<'a> {
    /// The mirrors.
    pub mirrors: &'a Mirrors,
    /// The repository among them.
    pub id: RepositoryId,
    /// Full id of the commit.
    pub commit: &'a CommitId,
    /// What reading its code may still cost.
    pub reading: &'a CodeReading,
}

/// Bytes of all texts that one report may lead to, with what their lines cost: a hundred frames, of
/// each of which the twenty files that end alike have some fifty kilobytes. A report may name a
/// thousand files, and each may have megabytes.
const MOST_TEXT: usize = 128 << 20;

impl MirrorCommit<'_> {
    /// The lines of a file, as long as what the report leads to is not too much ([`MOST_TEXT`]).
    pub(super) fn lines(&self, path: &str) -> Result<Option<Arc<Vec<String>>>, MirrorError> {
        if !self.reading.may_read(path) {
            return Ok(None);
        }
        let lines = self.mirrors.lines_seen(self.id, self.commit, path, self.reading.seen(path))?;
        if let Some(lines) = &lines {
            self.reading.has_read(path, lines);
        }
        Ok(lines)
    }
}

/// The work that may be spent on reading the code that one report leads to, and what was too much
/// for it.
#[derive(Debug, Default)]
pub struct CodeReading {
    work: Work,
    unread: RefCell<BTreeSet<String>>,
    /// Paths of texts that were read.
    texts: RefCell<BTreeSet<String>>,
    /// Bytes of them.
    text_bytes: Cell<usize>,
    /// Lines that are not ASCII, as the client read them, by the names of their files.
    seen: BTreeMap<String, Vec<String>>,
    /// By path, why what was asked about is not the repository's people's.
    not_ours: RefCell<BTreeMap<String, Option<NotOurs>>>,
}

/// Lines of one file that tell in which encoding a client read it: more say the same.
const LINES_SEEN: usize = 4;

impl CodeReading {
    /// For what a report leads to.
    pub(super) fn of(report: &Report) -> Self {
        let mut reading = Self::default();
        for frame in report.exceptions.iter().flat_map(|exception| &exception.frames) {
            let line = frame.context_line.as_deref().filter(|line| !line.is_ascii());
            let (Some(line), Some(path)) = (line, frame.path()) else { continue };
            let seen = reading.seen.entry(base_name(path)).or_default();
            if seen.len() < LINES_SEEN && !seen.iter().any(|known| known == line) {
                seen.push(line.to_owned());
            }
        }
        reading
    }

    /// The lines that the client read of a file of this name.
    fn seen(&self, path: &str) -> &[String] {
        self.seen.get(&base_name(path)).map_or(&[], Vec::as_slice)
    }

    /// Paths of files that were not read, or not all that was asked of them: they are too large,
    /// too deeply nested, or too much work.
    pub(super) fn unread(&self) -> Vec<String> {
        self.unread.borrow().iter().cloned().collect()
    }

    /// Whether a file's text may be read: one that was read already always may.
    fn may_read(&self, path: &str) -> bool {
        let may = self.text_bytes.get() < MOST_TEXT || self.texts.borrow().contains(path);
        if !may {
            self.unread.borrow_mut().insert(path.to_owned());
        }
        may
    }

    fn has_read(&self, path: &str, lines: &[String]) {
        if self.texts.borrow_mut().insert(path.to_owned()) {
            let bytes: usize = lines.iter().map(|line| line.len() + size_of::<String>()).sum();
            self.text_bytes.set(self.text_bytes.get() + bytes);
        }
    }

    /// What was read; nothing where it could not be, which is noted if that was too much.
    fn note<T>(&self, path: &str, read: Result<T, Unread>) -> Option<T> {
        match read {
            Ok(read) => return Some(read),
            Err(Unread::OtherLanguage) => {}
            Err(Unread::TooMuch) => drop(self.unread.borrow_mut().insert(path.to_owned())),
        }
        None
    }
}

/// What was found out without us: enough to judge frames by, but no code to read on in.
#[derive(Debug, Default)]
pub struct KnownFacts {
    /// What is known of the frames' lines.
    pub facts: BTreeMap<FrameAt, LineFacts>,
    /// The origins of lines, by path and number.
    pub origins: BTreeMap<(String, u32), Blame>,
}

/// Where the facts come from.
#[derive(Clone, Copy)]
pub enum Evidence<'a> {
    /// A mirror: code is read and lines are blamed.
    Mirror(MirrorCommit<'a>),
    /// Another's findings.
    KnownFacts(&'a KnownFacts),
}

impl Evidence<'_> {
    /// A file's text; `None` where there is no such text file.
    fn text(&self, path: &str) -> Result<Option<String>, MirrorError> {
        let Self::Mirror(at) = self else { return Ok(None) };
        Ok(at.lines(path)?.map(|lines| lines.join("\n")))
    }

    /// The origin of a line.
    pub(super) fn blame(&self, path: &str, line: u32) -> Result<Option<Blame>, MirrorError> {
        match self {
            Self::Mirror(at) => at.mirrors.blame(at.id, at.commit, path, line),
            Self::KnownFacts(told) => Ok(told.origins.get(&(path.to_owned(), line)).cloned()),
        }
    }

    /// The origins of some lines, by their numbers. Those that git can't tell are left out.
    pub(super) fn blame_lines(
        &self,
        path: &str,
        lines: RangeInclusive<u32>,
    ) -> Result<BTreeMap<u32, Blame>, MirrorError> {
        let Self::Mirror(at) = self else { return Ok(BTreeMap::new()) };
        let found = at.mirrors.blame_lines(at.id, at.commit, path, lines.clone())?;
        Ok(lines.zip(found).filter_map(|(line, blame)| Some((line, blame?))).collect())
    }

    /// What the source says of the located frames' lines. Frames in languages that are not read are
    /// left out.
    pub(super) fn facts(
        &self,
        located: &BTreeMap<FrameAt, Located>,
        rules: &Rules,
    ) -> Result<BTreeMap<FrameAt, LineFacts>, MirrorError> {
        if let Self::KnownFacts(told) = self {
            return Ok(told.facts.clone());
        }
        let mut by_path: BTreeMap<&str, Vec<(FrameAt, u32)>> = BTreeMap::new();
        for (&at, found) in located {
            by_path.entry(&found.path).or_default().push((at, found.line));
        }
        let mut facts = BTreeMap::new();
        for (path, frames) in by_path {
            // Not read any further: its caller is blamed.
            if let Some(not_ours) = self.not_ours(path, rules)? {
                let one = LineFacts { not_ours: Some(not_ours), ..LineFacts::default() };
                facts.extend(frames.iter().map(|(at, _)| (*at, one.clone())));
                continue;
            }
            self.read(path, |source| {
                let mut known: BTreeMap<u32, LineFacts> = BTreeMap::new();
                for (at, line) in frames {
                    let one = match known.get(&line) {
                        Some(one) => one.clone(),
                        None => source.line(line)?,
                    };
                    facts.insert(at, one.clone());
                    known.insert(line, one);
                }
                Ok(())
            })?;
        }
        Ok(facts)
    }

    /// Why a file is not the repository's people's, unless the settings say that it is.
    pub(super) fn not_ours(&self, path: &str, rules: &Rules) -> Result<Option<NotOurs>, MirrorError> {
        let Self::Mirror(at) = self else { return Ok(None) };
        if rules.is_own(path) {
            return Ok(None);
        }
        if let Some(known) = at.reading.not_ours.borrow().get(path) {
            return Ok(known.clone());
        }
        let marks = at.mirrors.marks(at.id, at.commit, path)?;
        let lines = at.lines(path)?;
        let lines = lines.as_ref().map(|lines| &lines[..lines.len().min(HEAD_LINES)]);
        let found = not_ours(path, marks, lines.unwrap_or_default());
        at.reading.not_ours.borrow_mut().insert(path.to_owned(), found.clone());
        Ok(found)
    }

    /// The functions and classes of a file.
    pub(super) fn blocks(&self, path: &str) -> Result<Vec<Block>, MirrorError> {
        Ok(self.read(path, |source| Ok(source.blocks().to_vec()))?.unwrap_or_default())
    }

    /// Asks a file's code something; `None` where it can't be read.
    pub(super) fn read<T>(
        &self,
        path: &str,
        question: impl FnOnce(&Source<'_>) -> Result<T, Unread>,
    ) -> Result<Option<T>, MirrorError> {
        let (Self::Mirror(at), Some(text)) = (self, self.text(path)?) else { return Ok(None) };
        let source = Source::parse(path, &text, &at.reading.work);
        Ok(at.reading.note(path, source.and_then(|source| question(&source))))
    }

    /// Files whose name ends in `ending` and that contain a text.
    pub(super) fn containing(&self, ending: &str, needle: &str) -> Result<Vec<String>, MirrorError> {
        let Self::Mirror(at) = self else { return Ok(Vec::new()) };
        at.mirrors.containing(at.id, at.commit, ending, needle)
    }
}

/// The name of a file, as systems compare it that take both cases for one.
fn base_name(path: &str) -> String {
    path.rsplit(['/', '\\']).next().unwrap_or(path).to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_report_leads_to_so_much_text_and_no_more() {
        let reading = CodeReading::default();
        let half = vec!["x".repeat(MOST_TEXT / 2)];
        for path in ["a.py", "a.py", "b.py"] {
            assert!(reading.may_read(path), "{path}: what was read counts once");
            reading.has_read(path, &half);
        }
        assert!(!reading.may_read("c.py"));
        assert!(reading.may_read("a.py"), "as it was read already");
        assert_eq!(reading.unread(), ["c.py"]);
    }
}
