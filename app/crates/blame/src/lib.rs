//! Who wrote a line, in any repository that gix opens.
//!
//! A [`Walker`] follows one line of a file back through history to the commit that wrote it, as
//! `git blame -w -L N,N` does, and says who made that commit, with whom, and when.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let fixture = git_fixture::GitRepo::init(folder.path());
//! # use git_fixture::{ADA, GRACE};
//! # let text = "def total(basket):\n    return sum(basket)\n";
//! # fixture.commit(ADA, "2026-02-03T04:05:06Z", &[("cart.py", text)], "Add a cart");
//! # fixture.rename(GRACE, "2026-03-03T04:05:06Z", "cart.py", "shop.py");
//! use blame::{IgnoreRevs, Walker};
//!
//! let mut repo = gix::open(folder.path())?;
//! repo.object_cache_size_if_unset(blame::OBJECT_CACHE);
//!
//! let mut walker = Walker::new(&repo).with_ignore_revs(IgnoreRevs::of_head(&repo)?);
//! let found = walker.line(repo.head_id()?, "shop.py", 2)?.expect("the file has two lines");
//!
//! assert_eq!(found.credits.author.name, "Ada Lovelace");
//! assert_eq!(found.credits.summary, "Add a cart");
//! // What it was called when the line was written, and which line it was.
//! assert_eq!((found.path.to_string(), found.line), ("cart.py".to_owned(), 2));
//! # Ok(())
//! # }
//! ```
//!
//! # What it does as git does
//!
//! With [`Walker::as_git`] the answers are those of `git blame -w --ignore-revs-file LIST`:
//!
//! - White space never changes a line's author. Lines are compared by Myers' algorithm, and changes
//!   placed by git's indentation heuristic.
//! - A renamed file is followed: where it appears, the most similar of the files deleted in the
//!   same commit is taken, if half of it is the same.
//! - A merge hands a line to the first parent that has it.
//! - Where a commit of [`IgnoreRevs`] changed a line, its most similar line before is followed.
//! - Authors and co-authors are as `.mailmap` has them.
//! - Commits are read as git reads them ([`CommitWords`]): names and messages in the encoding that
//!   the commit names, author lines that no tool would write today, dates that are none.
//!
//! # What it does beyond git
//!
//! - **A commit that only reformats is passed over** though no list names it: the same code but
//!   for line breaks, quotes, trailing commas and the parentheses around a broken line, or a commit
//!   that changes more than 40 files in little else. [`LineBlame::passed`] says which commits were
//!   passed over, and why.
//! - **Co-authors** are read from `Co-authored-by` trailers ([`Credits`]).
//! - **Work is counted**: a question that would take minutes is given up, always at the same point
//!   ([`DEFAULT_WORK_LIMIT`], [`Walker::with_work_limit`]), and a flag ends it at once
//!   ([`Walker::with_interrupt`]).
//! - **What was learnt serves the next walk**: of other lines (keep the [`Walker`]) and other
//!   threads (share [`ChangedPaths`]), and of other processes (keep its bytes in a file).
//!
//! # What it does not
//!
//! - It does not look for code that was moved or copied within a file or from other files
//!   (`git blame -M`, `-C`): whoever moved it is its author.
//! - It reads commits, not the work tree or the index: what is not committed has no author.
//! - It has no range of revisions (`git blame SINCE..`), no `--reverse` and no grafts. At the edge
//!   of a shallow clone the last commit there is takes all lines that are older.
//! - It compares bytes as they are in git's objects, without `textconv` and filters; only where
//!   lines of UTF-16 end is as a reader sees it.
//! - It knows no SHA-256 repositories.

mod budget;
mod changed_paths;
mod commit_words;
mod credits;
mod encoding;
mod error;
mod guess;
mod history;
mod ignore_revs;
mod index_growth;
mod layout;
mod line_blame;
mod mailmap;
mod path_index;
mod path_prints;
mod reformat;
mod renames;
mod text;
mod trees;
mod walker;

pub use budget::DEFAULT_WORK_LIMIT;
pub use changed_paths::ChangedPaths;
pub use commit_words::CommitWords;
pub use credits::{Credits, co_authors};
pub use encoding::encoding_called;
pub use error::Error;
pub use history::LARGEST_FILE;
pub use ignore_revs::IgnoreRevs;
pub use line_blame::{LineBlame, PassedCommit, PassedReason};
pub use mailmap::mailmap_of_head;
pub use walker::Walker;

/// Bytes of decoded objects that a repository should keep while it is walked, for
/// [`gix::Repository::object_cache_size_if_unset`].
///
/// 256 MB were no faster than 64 MB on sqlalchemy, and none at all is three times as slow.
pub const OBJECT_CACHE: usize = 64 << 20;
