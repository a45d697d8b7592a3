//! Clients without credentials: for what GitHub answers to anybody, and to be given some.

use super::error::{GitHubError, redact};
use super::route::Base;
use octocrab::Octocrab;
use octocrab::service::middleware::retry::RetryConfig;
use std::time::Duration;

/// Making a connection: longer than this, nobody is there.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// What GitHub's API is asked to answer in.
const MEDIA_TYPE: &str = "application/vnd.github+json";

fn no_tls(error: &octocrab::Error) -> GitHubError {
    GitHubError::Settings(redact(&format!("no TLS (are ca-certificates installed?): {error}")))
}

/// A client of the REST API.
pub(super) fn client(base: &Base) -> Result<Octocrab, GitHubError> {
    client_accepting(base, MEDIA_TYPE)
}

/// A client of what is not the REST API and answers in another type.
pub(super) fn client_accepting(base: &Base, media_type: &str) -> Result<Octocrab, GitHubError> {
    // octocrab sends X-GitHub-Api-Version and its own User-Agent, which can't be replaced, only
    // doubled.
    Octocrab::builder()
        .base_uri(base.as_str())
        .map_err(|error| GitHubError::Settings(redact(&error.to_string())))?
        // The default repeats writes: two comments after one dropped connection.
        .add_retry_config(RetryConfig::None)
        .add_header(
            "accept".parse().map_err(|_| GitHubError::Settings("accept is a header".to_owned()))?,
            media_type.to_owned(),
        )
        .set_connect_timeout(Some(CONNECT_TIMEOUT))
        .build()
        .map_err(|error| no_tls(&error))
}
