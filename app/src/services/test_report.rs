//! Finding a line of the repository for a test report to fail at.

use super::{Failure, blocking};
use domain::not_ours::is_ours;
use domain::test_report::{TestLine, test_files, test_line};
use domain::timestamp::Timestamp;
use mirror::Mirrors;
use store::Store;
use store::repositories::RepositoryRow;

/// Files that are read in search of a line: the first one mostly has it.
const FILES_READ: usize = 20;

/// A line of the default branch for a test report to fail at: of vendored or generated code only
/// where no other is found. `None`: there is no mirror, or no text in it.
///
/// # Errors
/// The mirror or the database is out of reach.
pub async fn find_test_line(
    store: &Store,
    mirrors: &Mirrors,
    row: &RepositoryRow,
    now: Timestamp,
) -> Result<Option<TestLine>, Failure> {
    let id = row.repository.id;
    if !mirrors.exists(id) {
        return Ok(None);
    }
    let rules = store::rules::of_repository(store, id, row.settings.clone(), now).await?;
    let mirrors = mirrors.clone();
    blocking(move || {
        let Some(head) = mirrors.head(id)? else { return Ok(None) };
        let mut of_others = None;
        for path in test_files(mirrors.files(id, &head.commit)?, &rules).into_iter().take(FILES_READ) {
            let Some(lines) = mirrors.lines(id, &head.commit, &path)? else { continue };
            let Some(found) = test_line(&head.commit, &path, &lines) else { continue };
            if rules.is_own(&path) || is_ours(&path, mirrors.marks(id, &head.commit, &path)?, &lines) {
                return Ok(Some(found));
            }
            of_others.get_or_insert(found);
        }
        Ok(of_others)
    })
    .await
}
