//! What can go wrong with GitHub, sorted by what the caller can do about it.

use domain::names::RepositoryName;
use jiff::SignedDuration;
use regex::Regex;
use std::sync::OnceLock;

/// Longest text of GitHub's that an error repeats, in characters: error pages of proxies can be
/// whole documents.
const MESSAGE_LIMIT: usize = 400;
/// How rustls says that a certificate is of another time.
const CERTIFICATE_DATES: [&str; 2] = ["certificate expired", "certificate not valid yet"];

/// A failed request to GitHub. No text in here holds a token: every one of them passed `redact`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GitHubError {
    /// The App's settings can't work: its address, or the machine's certificates.
    #[error("GitHub settings: {0}")]
    Settings(String),
    /// The private key can't be used.
    #[error("GitHub private key: {0}")]
    Key(String),
    /// A primary or secondary limit of GitHub's: nothing was done, ask again later.
    #[error("GitHub's rate limit: {message} (again in {} s)", (retry_after.as_millis() + 999) / 1000)]
    RateLimited {
        /// How long to wait, by GitHub's headers; a minute where it names no time.
        retry_after: SignedDuration,
        /// What GitHub said.
        message: String,
    },
    /// 5xx, network or timeout. A write may have been done all the same: look for it before
    /// repeating.
    #[error("GitHub does not answer properly: {message}")]
    Transient {
        /// What happened.
        message: String,
        /// How long to wait, where GitHub names a time.
        retry_after: Option<SignedDuration>,
    },
    /// The same of a question before a write: nothing was written.
    #[error("GitHub does not answer properly: {message}")]
    Unasked {
        /// What happened.
        message: String,
        /// How long to wait, where GitHub names a time.
        retry_after: Option<SignedDuration>,
    },
    /// 401: the JWT, or twice in a row the installation's token, was refused.
    #[error("GitHub refuses the credentials: {0}. Check APP_ID and the private key")]
    Unauthorized(String),
    /// The installation is suspended: nothing is possible until somebody unsuspends it.
    #[error("installation {installation} is suspended")]
    Suspended {
        /// The installation.
        installation: u64,
    },
    /// The installation is not there: uninstalled, or another App's.
    #[error("installation {installation} is not there any more")]
    Uninstalled {
        /// The installation.
        installation: u64,
    },
    /// 404 or 410: deleted, disabled, moved out of sight, or not visible to the installation; for
    /// a moment, or for good.
    #[error("not on GitHub (any more): {0}")]
    Gone(String),
    /// The repository has another name now. Nothing was written: store the name, then do it again.
    #[error("{from} is called {to} now")]
    Moved {
        /// `owner/name` as asked for.
        from: RepositoryName,
        /// `owner/name` now, behind which the repository's number was found.
        to: RepositoryName,
    },
    /// The name is another repository's by now, of whatever number. Nothing was read or written:
    /// what the one that was meant is called has to be found by its number.
    #[error("{name} is another repository by now, and the one with number {meant} is called otherwise, or is gone")]
    Taken {
        /// `owner/name` as asked for.
        name: RepositoryName,
        /// GitHub's number of the repository that was meant.
        meant: u64,
    },
    /// A text over GitHub's limits, refused before it was sent.
    #[error("{what} has {length} characters, GitHub takes {limit}")]
    TooLong {
        /// Which text.
        what: &'static str,
        /// Its characters.
        length: usize,
        /// Characters that GitHub takes.
        limit: usize,
    },
    /// An argument that can't be asked for, such as a repository name without a slash.
    #[error("can't ask GitHub for that: {0}")]
    Argument(String),
    /// 422 or another refusal that repeating does not change.
    #[error("GitHub refuses ({status}): {message}")]
    Refused {
        /// HTTP status.
        status: u16,
        /// What GitHub said.
        message: String,
    },
    /// A good answer whose content is not what GitHub documents.
    #[error("GitHub's answer is not understood: {0}")]
    Unexpected(String),
}

impl GitHubError {
    /// How long GitHub asks to wait, where it does.
    pub fn retry_after(&self) -> Option<SignedDuration> {
        match self {
            Self::RateLimited { retry_after, .. } => Some(*retry_after),
            Self::Transient { retry_after, .. } | Self::Unasked { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// GitHub's certificate is refused for its dates: this machine's is wrong, or the certificate
    /// is not GitHub's.
    pub fn is_of_certificate_dates(&self) -> bool {
        // What rustls says, with the moments in question behind it; there is no other way to them
        // through the libraries between.
        let says = |message: &str| CERTIFICATE_DATES.iter().any(|words| message.contains(words));
        matches!(self, Self::Transient { message, .. } | Self::Unasked { message, .. } if says(message))
    }

    /// The same request would fail in the same way for ever. [`Self::Moved`] is among these: it
    /// needs the new name. Suspension and refused credentials are not: a person can mend them, and
    /// then the request works.
    pub fn is_permanent(&self) -> bool {
        match self {
            Self::Settings(_)
            | Self::Key(_)
            | Self::Uninstalled { .. }
            | Self::Gone(_)
            | Self::Moved { .. }
            | Self::TooLong { .. }
            | Self::Argument(_)
            | Self::Refused { .. } => true,
            Self::RateLimited { .. }
            | Self::Taken { .. }
            | Self::Transient { .. }
            | Self::Unasked { .. }
            | Self::Unauthorized(_)
            | Self::Suspended { .. }
            | Self::Unexpected(_) => false,
        }
    }

    /// The repository has another name now: with that one, the same request works.
    pub fn is_of_a_name(&self) -> bool {
        matches!(self, Self::Moved { .. } | Self::Taken { .. })
    }

    /// GitHub is out of order, or asks to wait: nothing is known of what was asked.
    pub(super) fn is_passing(&self) -> bool {
        matches!(self, Self::RateLimited { .. } | Self::Transient { .. } | Self::Unasked { .. })
    }

    /// It may be the state of the installation, the repository or the issue, or of whoever answers
    /// in GitHub's place, and end again: 403, 404, 410, 451, and all else of 4xx but 422.
    pub fn is_refusal(&self) -> bool {
        match self {
            Self::Gone(_) | Self::Uninstalled { .. } => true,
            Self::Refused { status, .. } => (400..=499).contains(status) && *status != 422,
            _ => false,
        }
    }
    /// GitHub finds fault with what was to be written: 422. Right after something was made this can
    /// be passing, and in an incident anything is refused so.
    pub fn is_about_the_content(&self) -> bool {
        matches!(self, Self::Refused { status: 422, .. })
    }

    /// The same of a question that came before a write.
    pub(super) fn before_a_write(self) -> Self {
        match self {
            Self::Transient { message, retry_after } => Self::Unasked { message, retry_after },
            // What was not understood was said of the name, too.
            Self::Unexpected(message) => Self::Unasked { message, retry_after: None },
            other => other,
        }
    }

    /// A network failure or timeout.
    pub(super) fn transient(message: impl AsRef<str>) -> Self {
        Self::Transient { message: redact(message.as_ref()), retry_after: None }
    }

    /// What octocrab reports before there is an answer.
    pub(super) fn from_octocrab(error: &octocrab::Error) -> Self {
        Self::transient(chain(error))
    }
}

/// An error with its causes: hyper says "client error" and leaves the reason to its source.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let said = inner.to_string();
        if !text.contains(&said) {
            text.push_str(": ");
            text.push_str(&said);
        }
        cause = inner.source();
    }
    text
}

/// A text of somebody else's, without tokens, without line breaks and no longer than
/// [`MESSAGE_LIMIT`].
///
/// Installation tokens are `ghs_…`, since April 2026 of any length and with dots (they hold a JWT);
/// JWTs are `eyJ….….…`.
pub(super) fn redact(text: &str) -> String {
    static SECRETS: OnceLock<Option<Regex>> = OnceLock::new();
    let secrets = SECRETS.get_or_init(|| {
        Regex::new(
            r"gh[a-z]_[A-Za-z0-9_.-]+|github_pat_[A-Za-z0-9_]+|eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+",
        )
        .ok()
    });
    let clean = match secrets {
        Some(secrets) => secrets.replace_all(text, "[token]"),
        // Unreachable with a constant pattern; saying nothing is the safe side.
        None => return "(withheld)".to_owned(),
    };
    let mut flat = clean.split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some((end, _)) = flat.char_indices().nth(MESSAGE_LIMIT) {
        flat.truncate(end);
        flat.push('…');
    }
    flat
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_token_survives_in_a_text() {
        let long = format!("ghs_1234_eyJhbGciOi.J9{}.sig-n_a", "x".repeat(600));
        let text = redact(&format!("token {long}\nand ghs_abc, ghp_0123 and eyJhbGciOi.eyJpc3Mi.c2ln-bmF0"));
        assert_eq!(text, "token [token] and [token], [token] and [token]");
    }

    #[test]
    fn a_page_of_html_is_cut() {
        let text = redact(&"é ".repeat(1000));
        assert_eq!(text.chars().count(), MESSAGE_LIMIT + 1);
    }
}
