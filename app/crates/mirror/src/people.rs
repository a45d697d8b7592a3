//! Who is still there: the people of the last year of a repository's history, of one of its files,
//! and of some of its lines.

use super::commit_walk::CommitWalk;
use super::error::MirrorError;
use super::read::{author_of, commit_id, cut, find_commit, tree};
use super::tips::branches;
use super::{Mirrors, Recent};
use blame::{CommitWords, mailmap_of_head};
use domain::blame::Author;
use domain::commit::CommitId;
use domain::ids::RepositoryId;
use domain::timestamp::Timestamp;
use gix::bstr::{BStr, ByteSlice};
use std::cmp::Reverse;
use std::collections::HashMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::num::NonZeroUsize;
use std::ops::RangeInclusive;
use std::sync::Arc;

/// Commits that are read in search of who is still there, newest first. The busiest repositories
/// have as many in half a year, and reading them takes two seconds, once for each push.
const MOST_COMMITS: usize = 50_000;
/// Bytes of these commits: an ordinary one has a thousandth of a megabyte, one that somebody made
/// may have many.
const MOST_BYTES_OF_COMMITS: usize = 256 << 20;
/// Bytes of the trees that a file is looked for in, for some seconds at most: a directory of
/// 100,000 files takes four megabytes, in each commit.
const MOST_BYTES_OF_TREES: usize = 2 << 30;
/// People of one commit's `Co-authored-by` lines: a squashed branch may name a whole company.
const MOST_CO_AUTHORS: usize = 20;
/// Commits in a row that have to be too old before the search ends: some are made on machines whose
/// clock is wrong.
const WRONG_CLOCKS: usize = 100;
/// Commits that are compared with their parents for a file's sake, newest first: some seconds of
/// work at most.
const MOST_COMPARED: usize = 10_000;
/// Names of a file that are followed back: more renames in one year say that it is another file by
/// now.
const MOST_RENAMES: usize = 5;
/// Lines of a function that are blamed. A longer one is sampled: its authors are known from some of
/// its lines.
const MOST_LINES: usize = 12;
/// People and commits that are remembered, of all repositories together: about 100 bytes each.
pub(super) const REMEMBERED: NonZeroUsize = NonZeroUsize::new(300_000).unwrap();

/// Somebody who was there lately.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Active {
    /// Who, after `.mailmap`.
    pub author: Author,
    /// The commit of theirs that was found first.
    pub commit: CommitId,
    /// How many commits, or lines, of what was asked about are theirs.
    pub count: usize,
    /// Their last commit anywhere.
    pub last_at: Timestamp,
}

/// Where a commit comes from, beside its author.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Provenance {
    /// Who made the commit of it, as written: GitHub, where it was made on its pages.
    pub committer: Author,
    /// The same after `.mailmap`.
    pub committed_by: Author,
    /// First line of the message.
    pub subject: String,
    /// `Co-authored-by:` of the message, after `.mailmap`.
    pub co_authors: Vec<Author>,
}

/// What refs of a mirror hold since some day: mostly its branches, since a year.
pub(super) struct Year {
    /// Newest first: id, parents, and who wrote it.
    pub(super) commits: Vec<(gix::ObjectId, Vec<gix::ObjectId>, Author)>,
    /// Last commit by address, and by full name, in lower case.
    last: HashMap<String, Timestamp>,
    /// There was more to read than is read.
    pub(super) is_cut: bool,
}

/// Which year of which state of a mirror.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct YearKey {
    id: RepositoryId,
    branches: u64,
    since_s: i64,
}

pub(super) type Years = Recent<YearKey, Year>;

impl Mirrors {
    /// The last commit of somebody since `since`, on any branch: as author,
    /// co-author or committer, by any address that `.mailmap` says is theirs, or by the same full
    /// name. `None`: there is none.
    ///
    /// # Errors
    /// [`MirrorError::NoMirror`], [`MirrorError::Git`].
    pub fn last_commit_of(
        &self,
        id: RepositoryId,
        author: &Author,
        since: Timestamp,
    ) -> Result<Option<Timestamp>, MirrorError> {
        let year = self.year(id, since)?;
        let author = self.ask(id, |repo| Ok(resolved(&mailmap_of_head(repo), author)))?;
        Ok(year.last_of(&author))
    }

    /// Who changed a file since `since`, on any branch, through its renames; most commits first.
    ///
    /// # Errors
    /// [`MirrorError::NoMirror`], [`MirrorError::Git`].
    pub fn active_authors_of_file(
        &self,
        id: RepositoryId,
        path: &str,
        since: Timestamp,
    ) -> Result<Vec<Active>, MirrorError> {
        let year = self.year(id, since)?;
        self.ask(id, |repo| {
            let mut found = Counted::default();
            // The names that the file had, the newest first.
            let mut names = vec![path.to_owned()];
            // A commit's file is asked for as that of its child's parent, too.
            let mut files: HashMap<(gix::ObjectId, usize), Option<gix::ObjectId>> = HashMap::new();
            let mut left = MOST_BYTES_OF_TREES;
            let mut walker = self.walker(id, repo)?;
            for (commit, parents, author) in year.commits.iter().take(MOST_COMPARED) {
                // A merge takes over what others wrote.
                if parents.len() > 1 {
                    continue;
                }
                if left == 0 {
                    break;
                }
                for at in 0..names.len() {
                    let mut file_of = |commit: gix::ObjectId| match files.get(&(commit, at)) {
                        Some(known) => Ok(*known),
                        None => {
                            let file = file_at(repo, commit, &names[at], &mut left)?;
                            files.insert((commit, at), file);
                            Ok::<_, MirrorError>(file)
                        }
                    };
                    let Some(after) = file_of(*commit)? else { continue };
                    let before = parents.first().map_or(Ok(None), |parent| file_of(*parent))?;
                    if before.is_some_and(|before| before == after) {
                        break;
                    }
                    let source = match (before, parents.first()) {
                        (None, Some(parent)) if names.len() <= MOST_RENAMES => {
                            let found = walker.renamed_from(*parent, *commit, names[at].as_str())?;
                            found.map(|(name, file)| (name.to_str_lossy().into_owned(), file))
                        }
                        _ => None,
                    };
                    // Who renames a file does not thereby know it.
                    if source.as_ref().is_none_or(|(_, file)| *file != after) {
                        found.add(author, *commit, &year);
                    }
                    names.extend(source.map(|(name, _)| name).filter(|name| !names.contains(name)));
                    break;
                }
            }
            Ok(found.ranked())
        })
    }

    /// Who wrote these lines of a file at a commit, of those who committed anything since
    /// `since`; most lines first.
    ///
    /// # Errors
    /// [`MirrorError::NoMirror`], [`MirrorError::Git`], [`MirrorError::Interrupted`].
    pub fn active_authors_of_lines(
        &self,
        id: RepositoryId,
        commit: &CommitId,
        path: &str,
        lines: RangeInclusive<u32>,
        since: Timestamp,
    ) -> Result<Vec<Active>, MirrorError> {
        let year = self.year(id, since)?;
        let mut found = Counted::default();
        let Some(text) = self.lines(id, commit, path)? else { return Ok(Vec::new()) };
        let end = u32::try_from(text.len()).unwrap_or(u32::MAX).min(*lines.end());
        let lines = (*lines.start()).max(1)..=end;
        let step = lines.clone().count().div_ceil(MOST_LINES).max(1);
        self.ask(id, |repo| {
            // One walker: the file's history is walked once for all of its lines.
            let mut walker = self.walker(id, repo)?;
            let Some(commit) = find_commit(repo, commit)?.map(|commit| commit.id) else { return Ok(Vec::new()) };
            for blame in walker.lines(commit, path, lines.step_by(step))?.into_iter().flatten() {
                found.add(&author_of(&blame.credits.author), blame.commit, &year);
            }
            Ok(found.ranked())
        })
    }

    /// Where a commit comes from; `None` where the mirror has no such commit.
    ///
    /// # Errors
    /// [`MirrorError::NoMirror`], [`MirrorError::Git`].
    pub fn provenance(&self, id: RepositoryId, commit: &CommitId) -> Result<Option<Provenance>, MirrorError> {
        self.ask(id, |repo| {
            let Some(commit) = find_commit(repo, commit)? else { return Ok(None) };
            let mailmap = mailmap_of_head(repo);
            let words = CommitWords::of(&commit.data);
            Ok(Some(Provenance {
                committer: author_of(&words.committer),
                committed_by: resolved(&mailmap, &author_of(&words.committer)),
                subject: cut(&words.summary()),
                co_authors: co_authors(words.message.as_bstr()).iter().map(|it| resolved(&mailmap, it)).collect(),
            }))
        })
    }

    fn year(&self, id: RepositoryId, since: Timestamp) -> Result<Arc<Year>, MirrorError> {
        // What is known of a year is worked out anew for each day.
        self.commits_since(id, branches, since.day().as_seconds())
    }

    /// What these refs hold since some second, as far as it is read.
    pub(super) fn commits_since(
        &self,
        id: RepositoryId,
        tips: fn(&gix::Repository) -> Result<Vec<gix::ObjectId>, gix::Error>,
        since_s: i64,
    ) -> Result<Arc<Year>, MirrorError> {
        self.ask(id, |repo| {
            let tips = tips(repo).map_err(|error| MirrorError::git("listing the branches", &error))?;
            let mut hasher = DefaultHasher::new();
            tips.hash(&mut hasher);
            let key = YearKey { id, branches: hasher.finish(), since_s };
            // Several alerts at once are mostly of one repository.
            self.inner.years.get_or_make(key, || {
                let year = Year::walk(repo, tips, since_s)
                    .map_err(|error| MirrorError::git("reading the commits of a year", &error))?;
                Ok((year.commits.len() + year.last.len(), year))
            })
        })
    }
}

impl Year {
    fn walk(repo: &gix::Repository, tips: Vec<gix::ObjectId>, since_s: i64) -> Result<Self, gix::Error> {
        let mut year = Self { commits: Vec::new(), last: HashMap::new(), is_cut: false };
        let mailmap = mailmap_of_head(repo);
        let (mut too_old, mut bytes) = (0, 0);
        for (at, found) in CommitWalk::new(repo, tips)?.enumerate() {
            if at == MOST_COMMITS || bytes > MOST_BYTES_OF_COMMITS {
                year.is_cut = true;
                break;
            }
            let found = found?;
            if found.seconds < since_s {
                too_old += 1;
                if too_old == WRONG_CLOCKS {
                    break;
                }
                continue;
            }
            too_old = 0;
            bytes += found.size();
            let (at, words) = (found.at(), found.words());
            // Whom an author line names that can't be read, is nobody.
            let author = resolved(&mailmap, &author_of(&words.author));
            year.saw(&author, at);
            year.saw(&resolved(&mailmap, &author_of(&words.committer)), at);
            if words.message.contains_str("o-") {
                co_authors(words.message.as_bstr()).iter().for_each(|it| year.saw(&resolved(&mailmap, it), at));
            }
            year.commits.push((found.id, found.parents, author));
        }
        Ok(year)
    }

    fn saw(&mut self, author: &Author, at: Timestamp) {
        for key in keys(author) {
            let last = self.last.entry(key).or_insert(at);
            *last = at.max(*last);
        }
    }

    /// The addresses of all its people, in lower case.
    pub(super) fn addresses(&self) -> impl Iterator<Item = &str> {
        self.last.keys().map(String::as_str).filter(|key| key.contains('@'))
    }

    fn last_of(&self, author: &Author) -> Option<Timestamp> {
        keys(author).iter().filter_map(|key| self.last.get(key)).copied().max()
    }
}

/// By what somebody is known: the address, and a name of several words, because people have several
/// addresses and not every repository has a mailmap.
fn keys(author: &Author) -> Vec<String> {
    let email = author.email.trim().to_lowercase();
    let name = author.name.split_whitespace().collect::<Vec<_>>();
    let full_name = (name.len() > 1).then(|| name.join(" ").to_lowercase());
    [(!email.is_empty()).then_some(email), full_name].into_iter().flatten().collect()
}

/// People with what is theirs, counted.
#[derive(Default)]
struct Counted(Vec<Active>);

impl Counted {
    /// Counts one more, if they are still there.
    fn add(&mut self, author: &Author, commit: gix::ObjectId, year: &Year) {
        let known = keys(author);
        let same = |it: &&mut Active| keys(&it.author).iter().any(|key| known.contains(key));
        match (self.0.iter_mut().find(same), year.last_of(author)) {
            (Some(known), _) => known.count += 1,
            (None, Some(last_at)) => {
                self.0.push(Active { author: author.clone(), commit: commit_id(commit), count: 1, last_at })
            }
            (None, None) => {}
        }
    }

    fn ranked(mut self) -> Vec<Active> {
        self.0.sort_by_key(|it| Reverse((it.count, it.last_at)));
        self.0
    }
}

/// The regular file at a path of a commit, for as many bytes of trees as are left; none where there
/// are no more.
fn file_at(
    repo: &gix::Repository,
    commit: gix::ObjectId,
    path: &str,
    left: &mut usize,
) -> Result<Option<gix::ObjectId>, MirrorError> {
    let failed = |error: gix::Error| MirrorError::git(format!("looking for {path} in {commit}"), &error);
    let Some(mut tree) = tree(repo, &commit_id(commit))? else { return Ok(None) };
    let mut names = path.split('/').peekable();
    while let Some(name) = names.next() {
        *left = left.saturating_sub(tree.data.len());
        let Some(entry) = tree.lookup_entry([name]).map_err(failed)? else { return Ok(None) };
        match (names.peek(), entry.mode()) {
            (None, mode) => return Ok(mode.is_blob().then(|| entry.object_id())),
            (Some(_), mode) if mode.is_tree() => tree = repo.find_tree(entry.object_id()).map_err(failed)?,
            _ => return Ok(None),
        }
    }
    Ok(None)
}

fn plain(name: &BStr, email: &BStr) -> Author {
    Author { name: cut(name.trim()), email: cut(email.trim()) }
}

pub(super) fn resolved(mailmap: &gix::mailmap::Snapshot, author: &Author) -> Author {
    let (name, email) = (author.name.as_bytes().as_bstr(), author.email.as_bytes().as_bstr());
    let person = mailmap.resolve_cow(gix::actor::SignatureRef { name, email, time: "0 +0000" });
    Author { name: cut(&person.name), email: cut(&person.email) }
}

/// The people of a message's `Co-authored-by` lines, as written, each address once.
fn co_authors(message: &BStr) -> Vec<Author> {
    let mut found: Vec<Author> = Vec::new();
    for person in blame::co_authors(message).take(MOST_CO_AUTHORS) {
        let author = plain(person.name, person.email);
        if !found.iter().any(|it| it.email.eq_ignore_ascii_case(&author.email)) {
            found.push(author);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_co_author_is_named_once() {
        let message = "Add a cart\n\nCo-Authored-By: Ada L <ada@x.com>\nco-authored-by:Grace <grace@x.com>\n\
                       Co-authored-by: Ada <ADA@x.com>\nCo-authored-by: nobody\nSigned-off-by: L <l@x.com>\nÄÖ";
        let emails: Vec<String> =
            co_authors(message.into()).into_iter().map(|it| format!("{} {}", it.name, it.email)).collect();
        assert_eq!(emails, ["Ada L ada@x.com", "Grace grace@x.com"]);
    }

    #[test]
    fn people_are_known_by_address_and_full_name() {
        let author = |name: &str| Author { name: name.into(), email: "Ada@X.com".into() };
        assert_eq!(keys(&author("ada")), ["ada@x.com"]);
        assert_eq!(keys(&author("Ada  Lovelace")), ["ada@x.com", "ada lovelace"]);
        assert!(keys(&Author::default()).is_empty());
    }
}
