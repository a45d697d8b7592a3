//! What a repository's rules still cover: whether the code that each names is in the default branch.

use super::{Services, blocking};
use domain::settings::CodePattern;
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

impl Services {
    /// Whether the code of each pattern is still in the default branch.
    pub async fn standings(&self, row: &RepositoryRow, patterns: Vec<CodePattern>) -> Vec<Standing> {
        let (mirrors, id) = (self.mirrors.clone(), row.repository.id);
        let all = patterns.len();
        let looked = blocking(move || {
            if !mirrors.exists(id) || mirrors.head(id)?.is_none() {
                return Ok(vec![Standing::Unknown; patterns.len()]);
            }
            let mut texts: BTreeMap<String, Option<String>> = BTreeMap::new();
            let mut standings = Vec::with_capacity(patterns.len());
            for pattern in &patterns {
                let path = pattern.file.trim_start_matches("./").to_owned();
                if !texts.contains_key(&path) && texts.len() < FILES_READ {
                    let text = mirrors.head_file(id, &path)?.map(|(_, text)| text);
                    texts.insert(path.clone(), text);
                }
                standings.push(match texts.get(&path) {
                    Some(Some(text)) if pattern.stands_in(text) => Standing::There,
                    Some(Some(_)) => Standing::CodeGone,
                    Some(None) => Standing::FileGone,
                    None => Standing::Unknown,
                });
            }
            Ok(standings)
        });
        match looked.await {
            Ok(standings) => standings,
            Err(failure) => {
                tracing::warn!(repository = %row.repository.full_name, %failure, "the whitelist could not be compared with the code");
                vec![Standing::Unknown; all]
            }
        }
    }
}
