//! Lines whose commit came by its id alone: by a link out of a mail, nothing else is silenced or
//! handed on for their sake.

use super::blocking;
use mirror::Mirrors;
use store::lines::Line;
use store::repositories::RepositoryRow;

/// Whether no branch or tag reaches the commit of a line, which a report named. Where the mirror
/// can't be read, it is taken to be so.
pub async fn is_stray(mirrors: &Mirrors, row: &RepositoryRow, line: &Line) -> bool {
    let (mirrors, id) = (mirrors.clone(), row.repository.id);
    let Some(commit) = line.commit.clone().filter(|_| mirrors.exists(id)) else { return false };
    match blocking(move || mirrors.is_stray(id, &commit)).await {
        Ok(is_stray) => is_stray,
        Err(failure) => {
            tracing::warn!(repository = %row.repository.full_name, %failure, "whose a commit is can't be read in the mirror");
            true
        }
    }
}
