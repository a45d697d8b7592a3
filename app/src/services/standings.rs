//! What a repository's rules still cover: whether the code that each names is in the default
//! branch.

use super::blocking;
use domain::ids::RepositoryId;
use domain::settings::CodePattern;
use mirror::{MirrorError, Mirrors};
use std::collections::BTreeMap;
use store::repositories::RepositoryRow;

/// Files that one look reads: a whitelist names a few dozen. Rules for others are not looked at.
const FILES_READ: usize = 200;

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
    match blocking(move || look_at(&mirrors, id, &patterns)).await {
        Ok(standings) => standings,
        Err(failure) => {
            tracing::warn!(repository = %row.repository.full_name, %failure, "the whitelist could not be compared with the code");
            vec![Standing::Unknown; all]
        }
    }
}

fn look_at(mirrors: &Mirrors, id: RepositoryId, patterns: &[CodePattern]) -> Result<Vec<Standing>, MirrorError> {
    if !mirrors.exists(id) || mirrors.head(id)?.is_none() {
        return Ok(vec![Standing::Unknown; patterns.len()]);
    }
    let mut texts: BTreeMap<&str, Option<String>> = BTreeMap::new();
    for pattern in patterns {
        let path = path_of(pattern);
        if !texts.contains_key(path) && texts.len() < FILES_READ {
            texts.insert(path, mirrors.head_file(id, path)?.map(|(_, text)| text));
        }
    }
    Ok(patterns.iter().map(|pattern| standing(pattern, texts.get(path_of(pattern)))).collect())
}

fn path_of(pattern: &CodePattern) -> &str {
    pattern.file.trim_start_matches("./")
}

/// Whether a pattern's code stands in its file's text, if that was read.
fn standing(pattern: &CodePattern, text: Option<&Option<String>>) -> Standing {
    match text {
        Some(Some(text)) if pattern.stands_in(text) => Standing::There,
        Some(Some(_)) => Standing::CodeGone,
        Some(None) => Standing::FileGone,
        None => Standing::Unknown,
    }
}
