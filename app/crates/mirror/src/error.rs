//! What can go wrong with a mirror, in words that an operator can act on.

use super::largest::Largest;
use domain::ids::RepositoryId;
use domain::url_text::without_secrets_within;
use std::sync::atomic::{AtomicBool, Ordering};

/// Why a mirror could not be made, brought up to date or read. URLs in it bear no credentials.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MirrorError {
    /// The server answered 401. With an installation token: mint a new one and try again once.
    #[error("{url} refused the credentials: they are missing, wrong or expired")]
    Unauthorized {
        /// The repository.
        url: String,
    },
    /// The server answered 403: suspended installation, IP allow list, single sign-on.
    #[error("{url} forbids reading: is the App suspended, or is this machine's address not allowed there?")]
    Forbidden {
        /// The repository.
        url: String,
    },
    /// The server answered 404 (which forges also say to those who may not see a repository), or
    /// there is no such directory.
    #[error("{url} does not exist, or the credentials do not cover it")]
    NotFound {
        /// The repository.
        url: String,
    },
    /// No answer, a cut or stalled connection, or a 5xx answer: worth another try later.
    #[error("{url} cannot be reached: {why}")]
    Unreachable {
        /// The repository.
        url: String,
        /// What the network or the server said.
        why: String,
    },
    /// The address is no git URL that can be cloned.
    #[error("{url} is not an address that can be cloned: {why}")]
    InvalidUrl {
        /// As given.
        url: String,
        /// What is wrong with it.
        why: String,
    },
    /// The source has only a part of its history.
    #[error(
        "{url} is a shallow clone: its history is cut off, so git cannot say who wrote a line; use the full repository"
    )]
    Shallow {
        /// The repository.
        url: String,
    },
    /// The source has only some of its objects, and can't give the others away.
    #[error(
        "{url} is a partial clone (git clone --filter): it lacks files of its history, so git cannot say who wrote a \
         line; use the full repository"
    )]
    Partial {
        /// The repository.
        url: String,
    },
    /// The source names its objects by SHA-256.
    #[error("{url} uses the SHA-256 object format, which is not supported; only SHA-1 repositories are")]
    Sha256 {
        /// The repository.
        url: String,
    },
    /// One of its objects is larger than any that is received.
    #[error(
        "{url} has a file, or a commit's message, of more than {} MB, which is more than is held in memory: keep such a \
         file outside of git (Git LFS)", Largest::Received as usize >> 20
    )]
    TooLarge {
        /// The repository.
        url: String,
    },
    /// Local paths and ssh URLs need a program.
    #[error("{url} needs the program `{program}`, which was not found on PATH (https URLs need none)")]
    ProgramMissing {
        /// The repository.
        url: String,
        /// The program's name.
        program: &'static str,
    },
    /// There is no mirror yet: synchronise first.
    #[error("repository {0} has no mirror yet")]
    NoMirror(RepositoryId),
    /// The disk refused: full, read-only, or not permitted.
    #[error("{what}: {why}")]
    Disk {
        /// What was being done to which file.
        what: String,
        /// What the operating system said.
        why: String,
    },
    /// Stopped by [`super::Mirrors::interrupt`] or [`super::Mirrors::call_off`].
    #[error("interrupted: it took too long, or the server is shutting down")]
    Interrupted,
    /// An object is there, and larger than any that is read: nothing is wrong with the mirror.
    #[error("{what}: it has more than {} MB, so it is not read", Largest::Read as usize >> 20)]
    NotRead {
        /// What was being done.
        what: String,
    },
    /// Anything else that git reading or writing ran into; a damaged mirror, mostly.
    #[error("{what}: {why}")]
    Git {
        /// What was being done.
        what: String,
        /// The chain of causes.
        why: String,
    },
}

impl MirrorError {
    /// Whether trying again is in vain: the source itself is what can't be mirrored, and stays so
    /// until somebody changes it or its address. All else can end by itself or at somebody's hand,
    /// without our hearing of it: a network comes back, a disk is emptied, an App is let in again,
    /// a program is installed, a repository appears.
    pub fn is_permanent(&self) -> bool {
        match self {
            Self::InvalidUrl { .. }
            | Self::Shallow { .. }
            | Self::Partial { .. }
            | Self::Sha256 { .. }
            | Self::TooLarge { .. } => true,
            Self::Unauthorized { .. }
            | Self::Forbidden { .. }
            | Self::NotFound { .. }
            | Self::Unreachable { .. }
            | Self::ProgramMissing { .. }
            | Self::NoMirror(_)
            | Self::Disk { .. }
            | Self::Interrupted
            | Self::NotRead { .. }
            | Self::Git { .. } => false,
        }
    }

    /// A failed operation on a file or directory.
    pub(super) fn disk(what: impl Into<String>, error: &std::io::Error) -> Self {
        Self::Disk { what: what.into(), why: error.to_string() }
    }

    /// A failed read of the mirror.
    pub(super) fn git(what: impl Into<String>, error: &gix::Error) -> Self {
        if let Some(full) = disk_refusal(error) {
            return Self::disk(what, full);
        }
        if is_too_large(error) {
            return Self::NotRead { what: what.into() };
        }
        Self::Git { what: what.into(), why: chain(error) }
    }

    /// Sorts a failed conversation with a server. `challenged` says that the server asked for other
    /// credentials than were sent, which is known for certain because gix asks us for them.
    pub(super) fn network(url: &str, error: &gix::Error, challenged: bool, stop: &AtomicBool) -> Self {
        use gix::protocol::transport::client;
        let url = url.to_owned();
        if stop.load(Ordering::Relaxed) {
            return Self::Interrupted;
        }
        if challenged || error.downcast_any_ref::<client::AuthenticationRequired>().is_some() {
            return Self::Unauthorized { url };
        }
        if let Some(refusal) = disk_refusal(error) {
            return Self::disk(format!("writing the mirror of {url}"), refusal);
        }
        if is_too_large(error) {
            return Self::TooLarge { url };
        }
        let http = error.downcast_any_ref::<reqwest::Error>();
        match http.and_then(reqwest::Error::status).map(|status| status.as_u16()) {
            Some(401) => return Self::Unauthorized { url },
            Some(403) => return Self::Forbidden { url },
            Some(404 | 410 | 451) => return Self::NotFound { url },
            _ => {}
        }
        for cause in error.iter_errors() {
            if let Some(client::Error::InvokeProgram { .. }) = cause.downcast_ref() {
                let program =
                    if url.starts_with("ssh:") || !url.contains("://") && url.contains(':') { "ssh" } else { "git" };
                return Self::ProgramMissing { url, program };
            }
            // gix has no error type for these; each has a test against a real source, so an upgrade
            // that rewords them shows.
            let text = cause.to_string();
            if text.contains("shallow remotes") {
                return Self::Shallow { url };
            }
            if text.contains("hash sized 64") || text.contains("object format used by the remote is unsupported") {
                return Self::Sha256 { url };
            }
        }
        Self::Unreachable { url, why: chain(error) }
    }
}

impl From<blame::Error> for MirrorError {
    fn from(error: blame::Error) -> Self {
        match error {
            blame::Error::Git { what, source } => Self::git(what, &source),
            blame::Error::Interrupted => Self::Interrupted,
            other => Self::Git { what: "looking for who wrote a line".to_owned(), why: other.to_string() },
        }
    }
}

/// Whether an object is larger than what it was to be read for may hold.
pub(super) fn is_too_large(error: &gix::Error) -> bool {
    let limit = gix::error::Class::ResourceExhaustion(gix::error::ResourceExhaustionKind::AllocationLimit);
    error.classify().any(|cause| cause.class() == limit)
}

/// The operating system's refusal to write, where that is the cause.
fn disk_refusal(error: &gix::Error) -> Option<&std::io::Error> {
    use std::io::ErrorKind::{FileTooLarge, QuotaExceeded, ReadOnlyFilesystem, StorageFull};
    error
        .iter_errors()
        .filter_map(|cause| cause.downcast_ref::<std::io::Error>())
        .find(|cause| matches!(cause.kind(), StorageFull | ReadOnlyFilesystem | QuotaExceeded | FileTooLarge))
}

/// All causes in one line, outermost first, none twice.
pub(super) fn chain(error: &gix::Error) -> String {
    let mut parts: Vec<String> = Vec::new();
    for cause in error.iter_errors() {
        let text = cause.to_string();
        if !text.is_empty() && !parts.iter().any(|part| part.contains(&text)) {
            parts.push(text);
        }
    }
    // They may quote the address that was asked, with a token in its query.
    without_secrets_within(&parts.join(": "))
}
