//! Whom the lines of a repository know: who wrote them, has them, or was told of them.

use crate::{Store, StoreError};
use domain::delivery::Channel;
use domain::ids::RepositoryId;
use domain::names::Login;

/// Whether an address, in lower case, wrote a line of a repository, or was sent a mail about one.
/// Who is named by a commit of anybody's fork did not write one.
pub async fn is_address_known(store: &Store, repository: RepositoryId, address: &str) -> Result<bool, StoreError> {
    let row = sqlx::query(
        "SELECT l.id FROM lines l WHERE l.repository_id = $1 AND (
             (LOWER(l.author_email) = $2 AND l.is_stray = 0) OR EXISTS (
                 SELECT d.id FROM deliveries d WHERE d.line_id = l.id AND d.channel = $3 AND LOWER(d.recipient) = $2
                     AND d.state = 'sent')) LIMIT 1",
    )
    .bind(repository.0)
    .bind(address)
    .bind(Channel::Mail.as_str())
    .fetch_optional(&store.pool)
    .await?;
    Ok(row.is_some())
}

/// Whether an account wrote a line of a repository, as above, or was given one.
pub async fn is_login_known(store: &Store, repository: RepositoryId, login: &Login) -> Result<bool, StoreError> {
    let row = sqlx::query(
        "SELECT id FROM lines WHERE repository_id = $1 AND (LOWER(owner_login) = $2
             OR (LOWER(author_login) = $2 AND is_stray = 0)) LIMIT 1",
    )
    .bind(repository.0)
    .bind(login.key())
    .fetch_optional(&store.pool)
    .await?;
    Ok(row.is_some())
}
