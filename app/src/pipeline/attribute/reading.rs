//! One commit of one mirror, as the examination reads it: its files as source code, and the origins of their lines.

use crate::code::Source;
use crate::domain::blame::Blame;
use crate::domain::culprit::{FrameAt, Located};
use crate::domain::ids::RepositoryId;
use crate::domain::source::{Block, LineFacts};
use crate::mirror::{MirrorError, Mirrors};
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

/// A commit of a mirror.
#[derive(Clone, Copy)]
pub(super) struct Reading<'a> {
    pub(super) mirrors: &'a Mirrors,
    pub(super) id: RepositoryId,
    pub(super) commit: &'a str,
}

impl Reading<'_> {
    /// A file's text; `None` where there is no such text file.
    pub(super) fn text(&self, path: &str) -> Result<Option<String>, MirrorError> {
        Ok(self.mirrors.lines(self.id, self.commit, path)?.map(|lines| lines.join("\n")))
    }

    /// The origin of a line.
    pub(super) fn blame(&self, path: &str, line: u32) -> Result<Option<Blame>, MirrorError> {
        self.mirrors.blame(self.id, self.commit, path, line)
    }

    /// The origins of some lines, by their numbers. Those that git can't tell are left out.
    pub(super) fn blame_lines(
        &self,
        path: &str,
        lines: RangeInclusive<u32>,
    ) -> Result<BTreeMap<u32, Blame>, MirrorError> {
        self.mirrors.blame_lines(self.id, self.commit, path, lines)
    }

    /// What the source says of the located frames' lines. Frames in languages that are not read are left out.
    pub(super) fn facts(
        &self,
        located: &BTreeMap<FrameAt, Located>,
    ) -> Result<BTreeMap<FrameAt, LineFacts>, MirrorError> {
        let mut by_path: BTreeMap<&str, Vec<(FrameAt, u32)>> = BTreeMap::new();
        for (&at, found) in located {
            by_path.entry(&found.path).or_default().push((at, found.line));
        }
        let mut facts = BTreeMap::new();
        for (path, frames) in by_path {
            let Some(text) = self.text(path)? else { continue };
            let Some(source) = Source::parse(path, &text) else { continue };
            let mut known: BTreeMap<u32, LineFacts> = BTreeMap::new();
            for (at, line) in frames {
                let one = known.entry(line).or_insert_with(|| source.line(line));
                facts.insert(at, one.clone());
            }
        }
        Ok(facts)
    }

    /// The functions and classes of a file.
    pub(super) fn blocks(&self, path: &str) -> Result<Vec<Block>, MirrorError> {
        let Some(text) = self.text(path)? else { return Ok(Vec::new()) };
        Ok(Source::parse(path, &text).map(|source| source.blocks()).unwrap_or_default())
    }
}
