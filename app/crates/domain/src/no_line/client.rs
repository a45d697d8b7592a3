//! Which client sent a report, as far as that decides what its user can do about it.

use crate::report::{Platform, Report};

/// A kind of client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Client {
    Python,
    Browser,
    Node,
    ReactNative,
    Ruby,
    Php,
    Jvm,
    Go,
    Rust,
    DotNet,
    Apple,
    Native,
    Dart,
    /// `flawless-report`, and what is printed.
    Printed,
    Other,
}

/// Of clients for browsers, and of those (`sentry.javascript.nextjs`) that run on servers as well.
const SEVERAL_RUNTIMES: &str = "sentry.javascript";

/// Parts of clients' names, the telling ones first.
const NAMES: &[(&str, Client)] = &[
    ("flawless-report", Client::Printed),
    ("react-native", Client::ReactNative),
    ("sentry.python", Client::Python),
    ("raven-python", Client::Python),
    ("javascript.node", Client::Node),
    ("javascript.deno", Client::Node),
    ("javascript.bun", Client::Node),
    ("javascript.nestjs", Client::Node),
    ("javascript.cloudflare", Client::Node),
    ("javascript.vercel-edge", Client::Node),
    ("javascript.aws-serverless", Client::Node),
    ("javascript.google-cloud-serverless", Client::Node),
    (SEVERAL_RUNTIMES, Client::Browser),
    ("sentry.ruby", Client::Ruby),
    ("sentry.php", Client::Php),
    ("sentry.java", Client::Jvm),
    ("sentry.kotlin", Client::Jvm),
    ("sentry.go", Client::Go),
    ("sentry.rust", Client::Rust),
    ("sentry.dotnet", Client::DotNet),
    ("sentry.cocoa", Client::Apple),
    ("sentry.dart", Client::Dart),
    ("sentry.native", Client::Native),
];

/// Whether scripts at addresses are on the stack, and none of a server's.
fn is_of_web(report: &Report) -> bool {
    let frames = || report.exceptions.iter().flat_map(|exception| &exception.frames);
    let paths = || frames().filter_map(|frame| frame.path());
    let is_of_server = |path: &str| path.starts_with("node:") || path.starts_with("file:") || path.starts_with('/');
    paths().any(|path| path.starts_with("http://") || path.starts_with("https://")) && !paths().any(is_of_server)
}

/// Whether a framework of browsers and servers ran on a server: there, files are no addresses.
fn is_of_server(report: &Report) -> bool {
    let frames = || report.exceptions.iter().flat_map(|exception| &exception.frames);
    let is_file =
        |path: &str| path.contains(['/', '\\']) && !path.contains("://") && !path.starts_with(['<', '[', '(']);
    report.platform == Platform::Node || frames().filter_map(|frame| frame.path()).any(is_file)
}

impl Client {
    pub(super) fn of(report: &Report) -> Self {
        let sdk = report.sdk.as_deref().unwrap_or("").to_ascii_lowercase();
        match NAMES.iter().find(|(name, _)| sdk.contains(name)) {
            Some(&(SEVERAL_RUNTIMES, _)) if is_of_server(report) => return Self::Node,
            Some((_, client)) => return *client,
            None => {}
        }
        match report.platform {
            Platform::Python => Self::Python,
            Platform::Javascript => Self::Browser,
            // What is printed looks the same in a browser's console and on a server.
            Platform::Node if is_of_web(report) => Self::Browser,
            Platform::Node => Self::Node,
            Platform::Ruby => Self::Ruby,
            Platform::Java => Self::Jvm,
            Platform::Go => Self::Go,
            Platform::Native => Self::Native,
            _ => Self::Other,
        }
    }

    /// Its programs are compiled, and know their lines only by tables.
    pub(super) fn is_compiled(self) -> bool {
        matches!(self, Self::Jvm | Self::Go | Self::Rust | Self::DotNet | Self::Apple | Self::Native | Self::Dart)
    }

    /// Its frames are JavaScript's.
    pub(super) fn is_javascript(self) -> bool {
        matches!(self, Self::Browser | Self::Node | Self::ReactNative)
    }
}
