//! Where a deployment's files are in the repository: the frames of a report are located together,
//! as one folder was deployed under one prefix.

use super::drift::{Drift, Stand};
use super::function_names::FunctionFit;
use std::collections::{BTreeMap, BTreeSet};

/// What deployed paths begin with, and the folder of the repository that this stands for. Both are
/// empty where they are the root itself, and end in different names.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Root {
    /// `srv/app`.
    pub prefix: String,
    /// `src`.
    pub folder: String,
}

impl Root {
    /// By which a reported path is this path of the repository, and how many parts at the end are
    /// the same in both; without regard to case where `folded`.
    pub fn of(reported: &[String], path: &str, folded: bool) -> (Self, usize) {
        let matched = matched(reported, path, folded);
        let prefix = reported[..reported.len() - matched].join("/");
        let mut folder = path;
        for _ in 0..matched {
            folder = folder.rsplit_once('/').map_or("", |(folder, _)| folder);
        }
        (Self { prefix, folder: folder.to_owned() }, matched)
    }

    /// Where a reported path is by this root; `None`: it is of another.
    pub fn path_of(&self, reported: &[String]) -> Option<String> {
        let mut rest = reported.iter();
        for part in self.prefix.split('/').filter(|part| !part.is_empty()) {
            if rest.next()? != part {
                return None;
            }
        }
        let folder = self.folder.split('/').filter(|part| !part.is_empty());
        Some(folder.chain(rest.map(String::as_str)).collect::<Vec<_>>().join("/"))
    }
}

/// How many parts at the end of both paths are the same.
pub fn matched(reported: &[String], path: &str, folded: bool) -> usize {
    let same = |(ours, theirs): &(&str, &String)| {
        if folded { ours.to_lowercase() == theirs.to_lowercase() } else { ours == theirs }
    };
    path.rsplit('/').zip(reported.iter().rev()).take_while(same).count()
}

/// A file that may be the one of a frame.
#[derive(Clone, Debug)]
pub struct Fit {
    /// Path in the repository.
    pub path: String,
    /// The root by which it is.
    pub root: Root,
    /// How many parts at the end of both paths are the same.
    pub matched: usize,
    /// The whole path in the repository is the end of the reported one.
    pub is_whole: bool,
    /// Something else than the path's end says so: the file's own package line, a package's
    /// manifest, the settings.
    pub is_certain: bool,
    /// It is below the folder that the key is for.
    pub is_below_key: bool,
    /// Where the line is in it.
    pub stand: Stand,
    /// Whether the text of the line is there, and long enough to tell.
    pub agrees: bool,
    /// How many of the lines around it that the client saw are in the file, and how many it saw.
    pub around: (usize, usize),
    /// Whether the line is in the function that the frame names, where no text was sent.
    pub function: FunctionFit,
    /// The paths are the same but for the case of their letters.
    pub is_folded: bool,
}

/// Parts of a path's end from which on it is hardly ever a foreign file's.
const TELLING: usize = 2;

impl Fit {
    /// The path alone tells.
    fn is_strong(&self) -> bool {
        self.is_certain || self.is_whole || self.is_below_key || self.matched >= TELLING
    }

    fn differs(&self) -> bool {
        self.stand.drift == Drift::Differs
    }
}

/// One frame and what it may be.
#[derive(Clone, Debug, Default)]
pub struct Sighting {
    /// The files that fit.
    pub fits: Vec<Fit>,
    /// It was not deployed from the repository, as far as its name tells.
    pub is_foreign: bool,
    /// The client says that it is not the application's own code, and sent no text: its path alone
    /// does not tell.
    pub is_disowned: bool,
}

impl Sighting {
    /// The path alone tells that it is this file.
    fn is_strong(&self, fit: &Fit) -> bool {
        fit.is_strong() && !self.is_disowned
    }
}

/// What one root explains: distinct files.
#[derive(Clone, Debug, Default)]
struct Votes {
    /// By their text.
    agree: BTreeSet<String>,
    /// By their path, where no text was sent.
    plain: BTreeSet<String>,
    /// By their path, against their text.
    differ: BTreeSet<String>,
}

impl Votes {
    fn others(files: &BTreeSet<String>, path: &str) -> usize {
        files.len() - usize::from(files.contains(path))
    }
}

/// What the frames of a report say together of where it was deployed.
#[derive(Clone, Debug, Default)]
pub struct Roots {
    votes: BTreeMap<Root, Votes>,
    remembered: Vec<Root>,
}

/// The file that a frame is in.
#[derive(Clone, Debug)]
pub struct Chosen {
    /// Which of its fits.
    pub fit: usize,
    /// Paths that fit equally well.
    pub ties: Vec<String>,
}

/// Roots that other frames are looked for under: those that explain most.
const MOST_ROOTS: usize = 8;

impl Roots {
    /// Counts what each root explains. `remembered` are roots that earlier reports of the same
    /// place have shown.
    pub fn count<'a>(sightings: impl IntoIterator<Item = &'a Sighting>, remembered: &[Root]) -> Self {
        let mut votes: BTreeMap<Root, Votes> = BTreeMap::new();
        for sighting in sightings {
            let has_named = sighting.fits.iter().any(|fit| fit.function == FunctionFit::Agrees);
            for fit in &sighting.fits {
                // Another file has the frame's function at its line.
                if has_named && fit.function == FunctionFit::Contradicts {
                    continue;
                }
                let of_root = || (fit.root.clone(), fit.path.clone());
                if fit.agrees {
                    let (root, path) = of_root();
                    votes.entry(root).or_default().agree.insert(path);
                } else if !sighting.is_foreign && sighting.is_strong(fit) {
                    let (root, path) = of_root();
                    let votes = votes.entry(root).or_default();
                    if fit.differs() {
                        votes.differ.insert(path)
                    } else {
                        votes.plain.insert(path)
                    };
                }
            }
        }
        // Where a prefix was seen to be several folders, that it is one of them says nothing.
        let is_only = |root: &&Root| remembered.iter().all(|other| other.prefix != root.prefix || other == *root);
        let remembered = remembered.iter().filter(is_only).cloned().collect();
        Self { votes, remembered }
    }

    /// The roots under which the other frames are to be looked for, those that explain most first.
    pub fn supported(&self) -> Vec<Root> {
        let mut roots: Vec<(&Root, (usize, usize))> = self
            .votes
            .iter()
            .map(|(root, votes)| (root, (votes.agree.len(), votes.plain.len())))
            .filter(|(root, votes)| *votes != (0, 0) && !self.remembered.contains(root))
            .collect();
        roots.sort_by_key(|(_, votes)| std::cmp::Reverse(*votes));
        let counted = roots.into_iter().map(|(root, _)| root.clone());
        self.remembered.iter().cloned().chain(counted).take(MOST_ROOTS).collect()
    }

    /// Whether something else than this file speaks for a root.
    pub fn is_supported(&self, root: &Root, path: &str) -> bool {
        self.remembered.contains(root)
            || self
                .votes
                .get(root)
                .is_some_and(|votes| Votes::others(&votes.agree, path) + Votes::others(&votes.plain, path) > 0)
    }

    /// Whether a file is the frame's.
    fn accepts(&self, fit: &Fit, sighting: &Sighting) -> bool {
        if fit.agrees || fit.is_certain {
            return true;
        }
        if sighting.is_foreign {
            return false;
        }
        if !fit.differs() {
            return sighting.is_strong(fit) || self.is_supported(&fit.root, &fit.path);
        }
        // The text contradicts: the deployed code differs where the report was deployed from, and
        // elsewhere it is another file that ends alike.
        if self.is_supported(&fit.root, &fit.path) {
            return true;
        }
        if self.votes.values().any(|votes| !votes.agree.is_empty()) {
            return false;
        }
        let (seen, shown) = fit.around;
        let is_edited = shown > 0 && seen * 2 >= shown;
        let is_alike = self.votes.get(&fit.root).is_some_and(|votes| votes.differ.len() > 1);
        fit.matched >= TELLING && (is_edited || (shown == 0 && (fit.is_whole || is_alike)))
    }

    /// How well a file is the frame's, the other frames considered; equal ones are a tie.
    fn rank(&self, fit: &Fit, is_of_key: bool) -> impl Ord + use<> {
        let votes = self.votes.get(&fit.root);
        let others =
            |files: fn(&Votes) -> &BTreeSet<String>| votes.map_or(0, |votes| Votes::others(files(votes), &fit.path));
        (
            (fit.is_certain, is_of_key),
            others(|votes| &votes.agree),
            // What was deployed there since may be another folder: a text goes before.
            self.remembered.contains(&fit.root) && !fit.differs(),
            (fit.agrees, fit.stand.score),
            fit.matched,
            fit.function,
            others(|votes| &votes.plain),
        )
    }

    /// The file that a frame is in, where there is one.
    pub fn choose(&self, sighting: &Sighting) -> Option<Chosen> {
        let accepted = sighting.fits.iter().enumerate().filter(|(_, fit)| self.accepts(fit, sighting));
        let accepted: Vec<(usize, &Fit)> = accepted.collect();
        // A key's folder says nothing against a file whose whole path stands in the reported one.
        let others = accepted.iter().filter(|(_, fit)| !fit.is_below_key && fit.is_whole);
        let longest = others.map(|(_, fit)| fit.matched).max().unwrap_or(0);
        let rank = |fit: &Fit| self.rank(fit, fit.is_below_key && fit.matched >= longest);
        let best = accepted.iter().map(|(_, fit)| rank(fit)).max()?;
        let mut equal: Vec<(usize, &Fit)> = accepted.into_iter().filter(|(_, fit)| rank(fit) == best).collect();
        equal.sort_by_key(|(_, fit)| (fit.path.len(), fit.path.clone()));
        let (fit, first) = *equal.first()?;
        let mut ties: Vec<String> = Vec::new();
        for (_, other) in &equal[1..] {
            if other.path != first.path && !ties.contains(&other.path) {
                ties.push(other.path.clone());
            }
        }
        Some(Chosen { fit, ties })
    }
}

#[cfg(test)]
mod tests;
