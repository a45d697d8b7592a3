//! GitHub's limits on texts, checked before anything is sent.

use super::error::GitHubError;

/// Characters of an issue's or comment's body; one more is a 422 ("body is too long (maximum is
/// 65536 characters)").
const BODY: usize = 65_536;
/// Characters of an issue's title (422 above).
const TITLE: usize = 256;
/// Characters of a label's name (422 above).
const LABEL_NAME: usize = 50;
/// Characters of a label's description (422 above).
const LABEL_DESCRIPTION: usize = 100;

/// A body of an issue or comment fits. An empty comment is a 422 as well, but never ours.
pub(super) fn body(text: &str) -> Result<(), GitHubError> {
    fits("the body", text, BODY)
}

/// A title fits and is not blank (422 "title can't be blank").
pub(super) fn title(text: &str) -> Result<(), GitHubError> {
    if text.trim().is_empty() {
        return Err(GitHubError::Argument("an issue needs a title".to_owned()));
    }
    fits("the title", text, TITLE)
}

/// A label's name fits.
pub(super) fn label(name: &str) -> Result<(), GitHubError> {
    if name.trim().is_empty() {
        return Err(GitHubError::Argument("a label needs a name".to_owned()));
    }
    fits("a label's name", name, LABEL_NAME)
}

/// A label's description fits.
pub(super) fn description(text: &str) -> Result<(), GitHubError> {
    fits("a label's description", text, LABEL_DESCRIPTION)
}

fn fits(what: &'static str, text: &str, limit: usize) -> Result<(), GitHubError> {
    // Counting is needed only where even bytes would not fit.
    let length = if text.len() > limit { text.chars().count() } else { text.len() };
    if length > limit { Err(GitHubError::TooLong { what, length, limit }) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_count_not_bytes() {
        assert_eq!(title(&"é".repeat(256)), Ok(()));
        assert_eq!(title(&"é".repeat(257)), Err(GitHubError::TooLong { what: "the title", length: 257, limit: 256 }));
        assert_eq!(body(&"x".repeat(65_536)), Ok(()));
        assert_eq!(
            body(&"x".repeat(65_537)).expect_err("refused").to_string(),
            "the body has 65537 characters, GitHub takes 65536"
        );
        assert!(title(" ").expect_err("refused").is_permanent());
    }
}
