//! Who wrote a line of a mirror: what the crate `blame` says, in the domain's words.

use super::Mirrors;
use super::error::MirrorError;
use super::read::{author_of, commit_id, cut, find_commit, is_plain, time_of};
use blame::{IgnoreRevs, LineBlame, PassedReason, Walker};
use domain::blame::{Author, Blame, PassedCommit, PassedWhy};
use domain::commit::CommitId;
use domain::ids::RepositoryId;
use gix::bstr::ByteSlice;
use std::ops::RangeInclusive;
use std::sync::atomic::Ordering;

/// What was asked about a mirror's lines. Which commits are passed over, and what people are
/// called, is as HEAD has it.
#[derive(PartialEq, Eq, Hash)]
pub(super) struct Question {
    id: RepositoryId,
    head: Option<gix::ObjectId>,
    commit: gix::ObjectId,
    path: String,
    lines: RangeInclusive<u32>,
}

impl Question {
    fn size(&self) -> usize {
        size_of::<Self>() + self.path.len()
    }
}

/// What an answer takes in memory, in bytes.
fn size_of_blame(blame: &Blame) -> usize {
    let author = |author: &Author| author.name.len() + author.email.len();
    let people =
        author(&blame.author) + blame.co_authors.iter().map(|it| size_of::<Author>() + author(it)).sum::<usize>();
    let passed = blame.passed.iter().map(|it| size_of::<PassedCommit>() + CommitId::DIGITS + it.summary.len());
    size_of::<Blame>() + CommitId::DIGITS + blame.path.len() + blame.summary.len() + people + passed.sum::<usize>()
}

impl Mirrors {
    /// The commit that wrote a line of a file as it stands at `commit`, counted from 1.
    ///
    /// Renames are followed; commits that are listed in `.git-blame-ignore-revs` or only reformat
    /// are passed over. `None`: there is no such commit, regular file or line, the file is too
    /// large, or its history is ([`Walker::line`]).
    ///
    /// # Errors
    /// [`MirrorError::NoMirror`], [`MirrorError::Git`], [`MirrorError::Interrupted`].
    pub fn blame(
        &self,
        id: RepositoryId,
        commit: &CommitId,
        path: &str,
        line: u32,
    ) -> Result<Option<Blame>, MirrorError> {
        Ok(self.blame_lines(id, commit, path, line..=line)?.pop().flatten())
    }

    /// The same for several lines of a file, a function's say: an answer for each, in order,
    /// quicker than one by one.
    ///
    /// # Errors
    /// [`MirrorError::NoMirror`], [`MirrorError::Git`], [`MirrorError::Interrupted`].
    pub fn blame_lines(
        &self,
        id: RepositoryId,
        commit: &CommitId,
        path: &str,
        lines: RangeInclusive<u32>,
    ) -> Result<Vec<Option<Blame>>, MirrorError> {
        self.ask(id, |repo| {
            let Some(found) = find_commit(repo, commit)? else { return Ok(lines.map(|_| None).collect()) };
            let head = repo.head_id().ok().map(gix::Id::detach);
            let question = Question { id, head, commit: found.id, path: path.to_owned(), lines: lines.clone() };
            if self.inner.stop.load(Ordering::Relaxed) {
                return Err(MirrorError::Interrupted);
            }
            if let Some(known) = self.inner.answers.get(&question) {
                return Ok(known.iter().cloned().map(Some).collect());
            }
            let found = self.walker(id, repo)?.lines(question.commit, path, lines)?;
            let found: Vec<Option<Blame>> = found.into_iter().map(|line| line.and_then(blame_of)).collect();
            // A line without an answer may have one once more is known of the history.
            if let Some(all) = found.iter().cloned().collect::<Option<Vec<Blame>>>() {
                let weight = question.size() + all.iter().map(size_of_blame).sum::<usize>();
                self.inner.answers.put(question, weight, all);
            }
            Ok(found)
        })
    }

    /// A walker that knows what earlier ones learnt of this mirror, and ends when the server does.
    pub(super) fn walker<'a>(&'a self, id: RepositoryId, repo: &'a gix::Repository) -> Result<Walker<'a>, MirrorError> {
        let known = self.inner.changed_paths.of(id, &self.inner.directory);
        Ok(Walker::new(repo)
            .with_ignore_revs(IgnoreRevs::of_head(repo)?)
            .with_interrupt(&self.inner.stop)
            .with_changed_paths(known))
    }
}

/// Nothing where the line comes from a file that no path of ours can name.
fn blame_of(found: LineBlame) -> Option<Blame> {
    let LineBlame { commit, credits, path, line, passed } = found;
    let passed = passed.into_iter().map(|passed| PassedCommit {
        commit: commit_id(passed.commit),
        summary: cut(&passed.summary),
        why: why_of(passed.reason),
    });
    let path = path.to_str_lossy().into_owned();
    is_plain(&path).then(|| Blame {
        commit: commit_id(commit),
        path,
        line,
        author: author_of(&credits.author),
        authored_at: time_of(credits.author_time),
        summary: cut(&credits.summary),
        committed_at: time_of(credits.commit_time),
        co_authors: credits.co_authors.iter().map(author_of).collect(),
        passed: passed.collect(),
    })
}

fn why_of(reason: PassedReason) -> PassedWhy {
    match reason {
        PassedReason::Ignored => PassedWhy::ListedInIgnoreRevs,
        PassedReason::Reformatted => PassedWhy::Reformatted,
    }
}
