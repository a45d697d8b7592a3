//! Which files of the repository a frame's path could have meant, where none was taken for it.

use super::client::Client;
use super::frames::{Kind, kind};
use crate::culprit::{FrameAt, frames_in_order};
use crate::identity::squeeze;
use crate::report::{Frame, Report};
use crate::rule::Rules;
use std::collections::{BTreeSet, HashMap};

/// Frames that are looked at: the rest of a long traceback says nothing else.
pub(super) const MOST_FRAMES: usize = 50;

/// Files of one name that are compared: what fits best is among few, or nothing tells them apart.
const MOST_FILES: usize = 1_000;

/// Files that are named where several may be meant.
pub(super) const NAMED_FILES: usize = 3;

/// From so many equal components at the end on, a path hardly ever is another repository's.
const TELLING: usize = 2;

/// What the repository has for a frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sighting {
    /// Files of its name, in other folders.
    SameName {
        /// The first of them.
        files: Vec<String>,
        /// How many there are.
        count: usize,
    },
    /// Files whose paths end as the frame's does.
    Fits {
        /// The best of them.
        files: Vec<String>,
        /// How many fit as well as the first.
        count: usize,
        /// So much of the path is equal that it hardly is another repository's.
        is_sure: bool,
        /// Whether the first has the frame's line.
        stands: Stands,
    },
}

/// Whether a file has a frame's line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stands {
    /// It can't be read.
    Unreadable,
    /// It has only so many lines.
    Beyond(usize),
    /// Its text is not in the file.
    Differs,
    /// Nothing speaks against it.
    Agrees,
}

/// Whether a file's text has a frame's line; `None`: it has no text.
pub fn stands(lines: Option<&[String]>, frame: &Frame) -> Stands {
    let Some(lines) = lines else { return Stands::Unreadable };
    let wanted = squeeze(frame.context_line.as_deref().unwrap_or(""));
    if !wanted.is_empty() {
        let is_there = lines.iter().any(|line| squeeze(line) == wanted);
        return if is_there { Stands::Agrees } else { Stands::Differs };
    }
    if frame.line.is_some_and(|line| line as usize > lines.len()) {
        Stands::Beyond(lines.len())
    } else {
        Stands::Agrees
    }
}

/// The frames whose files are worth looking for, innermost first, each with its path.
pub fn looked_at(report: &Report, rules: &Rules) -> Vec<(FrameAt, String)> {
    let client = Client::of(report);
    let mut seen = BTreeSet::new();
    frames_in_order(report)
        .into_iter()
        .filter_map(|at| {
            let frame = &report.exceptions[at.0].frames[at.1];
            let is_named = matches!(kind(frame, client, rules), Kind::Path | Kind::Minified);
            is_named.then(|| (at, reported_path(frame, client)))
        })
        .filter(|(_, path)| seen.insert(path.clone()))
        .take(MOST_FRAMES)
        .collect()
}

/// The path of a frame; the JVM's clients give the folder by the name of the class.
fn reported_path(frame: &Frame, client: Client) -> String {
    let path = frame.path().unwrap_or("").replace('\\', "/");
    let package = frame.module.as_deref().filter(|_| client == Client::Jvm && !path.contains('/'));
    match package.and_then(|module| module.rsplit_once('.')) {
        Some((package, _)) => format!("{}/{path}", package.replace('.', "/")),
        None => path,
    }
}

/// The files of a commit, by their names.
#[derive(Debug)]
pub struct Files<'a> {
    by_name: HashMap<&'a str, Vec<&'a str>>,
}

impl<'a> Files<'a> {
    /// Of all paths.
    pub fn of(paths: &'a [String]) -> Self {
        let mut by_name: HashMap<&str, Vec<&str>> = HashMap::new();
        for path in paths {
            by_name.entry(path.rsplit('/').next().unwrap_or(path)).or_default().push(path);
        }
        Self { by_name }
    }

    /// Files that a reported path may have meant; whether they have its line is still to be seen.
    pub fn sighting(&self, reported: &str) -> Option<Sighting> {
        let reported = components(reported);
        let same = self.by_name.get(reported.last()?.as_str())?;
        let mut found: Vec<(usize, bool, &str)> = same
            .iter()
            .take(MOST_FILES)
            .map(|path| {
                let equal = path.rsplit('/').zip(reported.iter().rev()).take_while(|(ours, theirs)| ours == theirs);
                let equal = equal.count();
                (equal, equal == path.split('/').count(), *path)
            })
            .collect();
        found.sort_by_key(|&(equal, whole, path)| (std::cmp::Reverse(equal), !whole, path.len(), path));
        let (best, whole, _) = *found.first()?;
        if best >= TELLING || (whole && reported.len() > 1) {
            let count = found.iter().filter(|(equal, is_whole, _)| (*equal, *is_whole) == (best, whole)).count();
            let files = found.iter().take(count.min(NAMED_FILES)).map(|(_, _, path)| (*path).to_owned()).collect();
            let is_sure = whole || best > TELLING || best == reported.len();
            return Some(Sighting::Fits { files, count, is_sure, stands: Stands::Agrees });
        }
        let files = found.iter().take(NAMED_FILES).map(|(_, _, path)| (*path).to_owned()).collect();
        Some(Sighting::SameName { files, count: same.len() })
    }
}

/// The components of a reported path, without scheme, host and query.
pub(super) fn components(reported: &str) -> Vec<String> {
    let text = match reported.split_once("://") {
        Some((_, rest)) => rest.split_once('/').map_or("", |(_, path)| path),
        None => reported,
    };
    let text = text.split(['?', '#']).next().unwrap_or_default();
    let mut out: Vec<String> = Vec::new();
    for component in text.split(['/', '\\']) {
        match component {
            "" | "." | "~" => {}
            ".." => drop(out.pop()),
            component => out.push(component.to_owned()),
        }
    }
    out
}
