//! What a repository's rules still cover: whether the code that each names is in the default
//! branch.

use super::blocking;
use domain::ids::RepositoryId;
use domain::settings::CodePattern;
use mirror::{HeadFile, MirrorError, Mirrors};
use std::collections::BTreeMap;
use store::repositories::RepositoryRow;
use tokio::sync::Semaphore;

/// Bytes that one look reads, each text once for each of its rules: a whitelist names a few dozen
/// files of some kilobytes, and this takes a third of a second. Whoever may write to a repository
/// chooses its files, and its page must keep nobody waiting. Rules for others are not looked at.
const BYTES_READ: usize = 32 << 20;
/// Bytes of the largest file that is looked at.
const LARGEST: usize = 4 << 20;
/// Looks at once; each holds one text.
static LOOKS: Semaphore = Semaphore::const_new(2);

/// Whether the code of a rule is still there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is.
    There,
    /// The file is not in the default branch any more.
    FileGone,
    /// The file is, but neither the function nor the line.
    CodeGone,
    /// There is no mirror to look at.
    Unknown,
}

/// Whether the code of each pattern is still in the default branch.
pub async fn standings(mirrors: &Mirrors, row: &RepositoryRow, patterns: Vec<CodePattern>) -> Vec<Standing> {
    let (mirrors, id, all) = (mirrors.clone(), row.repository.id, patterns.len());
    // It ends with the look, also where nobody waits for that any more.
    let turn = LOOKS.acquire().await;
    let look = move || {
        let _turn = turn;
        look_at(&mirrors, id, &patterns, BYTES_READ)
    };
    match blocking(look).await {
        Ok(standings) => standings,
        Err(failure) => {
            tracing::warn!(repository = %row.repository.full_name, %failure, "the whitelist could not be compared with the code");
            vec![Standing::Unknown; all]
        }
    }
}

/// Looks at one file after the other, until so many bytes are read.
fn look_at(
    mirrors: &Mirrors,
    id: RepositoryId,
    patterns: &[CodePattern],
    most: usize,
) -> Result<Vec<Standing>, MirrorError> {
    let mut standings = vec![Standing::Unknown; patterns.len()];
    if !mirrors.exists(id) || mirrors.head(id)?.is_none() {
        return Ok(standings);
    }
    let mut by_path: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (at, pattern) in patterns.iter().enumerate() {
        by_path.entry(path_of(pattern)).or_default().push(at);
    }
    let mut left = most;
    for (path, all) in by_path {
        if left == 0 {
            break;
        }
        let file = mirrors.head_file_of(id, path, LARGEST)?;
        for at in all {
            standings[at] = match &file {
                HeadFile::Missing => Standing::FileGone,
                HeadFile::Unread { .. } => Standing::Unknown,
                HeadFile::Text { text, .. } => {
                    let Some(less) = left.checked_sub(text.len()) else {
                        left = 0;
                        break;
                    };
                    left = less;
                    if patterns[at].stands_in(text) { Standing::There } else { Standing::CodeGone }
                }
            };
        }
    }
    Ok(standings)
}

fn path_of(pattern: &CodePattern) -> &str {
    pattern.file.trim_start_matches("./")
}

#[cfg(test)]
mod tests {
    use super::*;
    use git_fixture::{ADA, GitRepo};

    #[test]
    fn a_look_ends_where_it_has_read_enough() {
        let folder = tempfile::tempdir().unwrap();
        let repo = GitRepo::init(folder.path().join("source"));
        let (text, large) = ("def total():\n    return 1\n", "x = 1\n".repeat(LARGEST / 6 + 1));
        let files = [("a.py", text), ("b.py", text), ("c.py", text), ("large.py", large.as_str())];
        repo.commit(ADA, "2026-01-06T10:00:00Z", &files, "Add");
        let (mirrors, id) = (Mirrors::open(folder.path().join("mirrors")).unwrap(), RepositoryId(1));
        mirrors.borrow(id, repo.git_dir());
        let pattern = |file: &str, function: &str| CodePattern {
            file: file.to_owned(),
            function: Some(function.to_owned()),
            ..CodePattern::default()
        };
        let patterns = [
            pattern("a.py", "total"),
            pattern("./b.py", "gone"),
            pattern("c.py", "total"),
            pattern("gone.py", "total"),
            pattern("large.py", "total"),
        ];
        let look = |bytes: usize| look_at(&mirrors, id, &patterns, bytes).unwrap();
        use Standing::{CodeGone, FileGone, There, Unknown};
        assert_eq!(look(BYTES_READ), [There, CodeGone, There, FileGone, Unknown]);
        assert_eq!(look(2 * text.len()), [There, CodeGone, Unknown, Unknown, Unknown]);
    }
}
